"""Suggesters: what learns from labels and predicts for the pool."""

from .features import learning_inputs
from .model import Fitted, ModelSuggester, Scores, Snapshot, Suggester, score

__all__ = [
    "Fitted",
    "ModelSuggester",
    "Scores",
    "Snapshot",
    "Suggester",
    "learning_inputs",
    "score",
]
