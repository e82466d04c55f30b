"""The honest numbers: each with its interval and what it rests on, or not at all."""

from .curve import (
    LEAST_FOR_GAIN,
    STABLE,
    STABLE_RUNS,
    Advice,
    expected_gain,
    prediction_kappa,
    stop_advice,
)
from .effects import LEAST_PAIRS, LEAST_PER_ARM, difference, mean_difference, self_consistency
from .estimates import Estimate
from .population import LEAST_DRAWS, class_shares, unseen_share
from .shares import (
    LEAST_AUDITS,
    LEAST_TIMES,
    Pace,
    Share,
    learning_curve,
    pace,
    progressive,
    wilson,
)

__all__ = [
    "LEAST_AUDITS",
    "LEAST_DRAWS",
    "LEAST_FOR_GAIN",
    "LEAST_PAIRS",
    "LEAST_PER_ARM",
    "LEAST_TIMES",
    "STABLE",
    "STABLE_RUNS",
    "Advice",
    "Estimate",
    "Pace",
    "Share",
    "class_shares",
    "difference",
    "expected_gain",
    "learning_curve",
    "mean_difference",
    "pace",
    "prediction_kappa",
    "progressive",
    "self_consistency",
    "stop_advice",
    "unseen_share",
    "wilson",
]
