"""Suggesters: what learns from labels and predicts for the pool."""

from .features import learning_inputs
from .linear import Scores, score
from .model import (
    Fitted,
    ModelSuggester,
    Snapshot,
    Suggester,
    embedding_column,
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
]
