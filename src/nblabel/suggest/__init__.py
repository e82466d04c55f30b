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

__all__ = [
    "Fitted",
    "ModelSuggester",
    "Scores",
    "Snapshot",
    "Suggester",
    "embedding_column",
    "learning_inputs",
    "score",
    "stack_features",
]
