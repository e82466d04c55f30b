"""What the log proves: labels become observations, and models judge labels they have not seen."""

from .crossfit import Arms, CrossFit, Known, cross_fit, race_arms
from .gather import REPEAT, REVIEW, anchoring, audit_hits, changes, known_labels, repeats
from .numbers import Stability, class_evidence, measured
from .review import suspicious

__all__ = [
    "REPEAT",
    "REVIEW",
    "Arms",
    "CrossFit",
    "Known",
    "Stability",
    "anchoring",
    "audit_hits",
    "changes",
    "class_evidence",
    "cross_fit",
    "known_labels",
    "measured",
    "race_arms",
    "repeats",
    "suspicious",
]
