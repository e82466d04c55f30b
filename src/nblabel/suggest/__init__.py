"""Suggesters: what learns from labels and predicts for the pool."""

from .bulk import as_items, take
from .cells import IN_NUMBERS, kind_of
from .features import Embedding, can_learn, learning_inputs
from .given import as_rows, checked_matrix, embedding_column, order_of, stack_features
from .linear import Scores, checked_scores, score
from .model import (
    Fitted,
    ModelSuggester,
    Snapshot,
    Suggester,
    checked_marks,
    starts_from_items,
    value_at,
)
from .multiview import MultiViewSuggester, default_suggester
from .rows import near_rows
from .targets import probabilities, suggester_for

__all__ = [
    "IN_NUMBERS",
    "Embedding",
    "Fitted",
    "ModelSuggester",
    "MultiViewSuggester",
    "Scores",
    "Snapshot",
    "Suggester",
    "as_items",
    "as_rows",
    "can_learn",
    "checked_marks",
    "checked_matrix",
    "checked_scores",
    "default_suggester",
    "embedding_column",
    "kind_of",
    "learning_inputs",
    "near_rows",
    "order_of",
    "probabilities",
    "score",
    "stack_features",
    "starts_from_items",
    "suggester_for",
    "take",
    "value_at",
]
