"""What the log proves: labels become observations, and models judge labels they have not seen."""

from .crossfit import LEAST_LABELS, Arms, CrossFit, Known, cross_fit, judge, race_arms
from .gather import REPEAT, REVIEW, anchoring, audit_hits, changes, known_labels, repeats
from .numbers import Stability, class_evidence
from .reporting import Facts, review_table, take_down, write_report
from .review import METHODS, suspicious

__all__ = [
    "LEAST_LABELS",
    "METHODS",
    "REPEAT",
    "REVIEW",
    "Arms",
    "CrossFit",
    "Facts",
    "Known",
    "Stability",
    "anchoring",
    "audit_hits",
    "changes",
    "class_evidence",
    "cross_fit",
    "judge",
    "known_labels",
    "race_arms",
    "repeats",
    "review_table",
    "suspicious",
    "take_down",
    "write_report",
]
