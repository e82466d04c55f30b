"""Suggesters: what learns from labels and predicts for the pool."""

from .features import learning_inputs
from .model import (
    Fitted,
    ModelSuggester,
    Scores,
    Snapshot,
    Suggester,
    embedding_column,
    score,
    stack_features,
)
from .multiview import MultiViewSuggester, default_suggester

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
]
