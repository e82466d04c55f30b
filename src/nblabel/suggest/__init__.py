"""Suggesters: what learns from labels and predicts for the pool."""

from .features import learning_inputs
from .linear import Scores, score
from .model import (
    Fitted,
    ModelSuggester,
    Snapshot,
    Suggester,
    embedding_column,
    stack_features,
)
from .multiview import MultiViewSuggester, default_suggester
from .targets import suggester_for

__all__ = [
    "Fitted",
    "ModelSuggester",
    "MultiViewSuggester",
    "Scores",
    "Snapshot",
    "Suggester",
    "default_suggester",
    "embedding_column",
    "learning_inputs",
    "score",
    "stack_features",
    "suggester_for",
]
