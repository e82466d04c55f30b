"""A number that is shown: with its interval and what it rests on, or what it still needs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .shares import Share


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, or the reason why there is none.

    Attributes
    ----------
    value, low, high : float or None
        None as long as it is not known.
    n : int
        Observations behind it.
    unit : str
        What is counted by `n`, in the plural.
    needs : int
        How many observations are missing; 0 if it is known, or if it is not a matter of number.
    why : str
        Why it is not known, where more observations would not help.
    confidence : float
        Of the interval.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str = "labels"
    needs: int = 0
    why: str = ""
    confidence: float = 0.95

    @classmethod
    def missing(cls, n: int, least: int, unit: str, why: str = "") -> Estimate:
        """Return a number that is not known yet."""
        return cls(None, None, None, n, unit, max(0, least - n), why)

    @classmethod
    def of(cls, share: Share | None, n: int, least: int, unit: str) -> Estimate:
        """Return a share as such a number; None is one that is not known yet."""
        if share is None:
            return cls.missing(n, least, unit)
        return cls(share.value, share.low, share.high, share.n, unit, confidence=share.confidence)

    @property
    def known(self) -> bool:
        """Whether there is a number."""
        return self.value is not None

    def said(self, *, percent: bool = True, signed: bool = False) -> str:
        """Return it in words: ``93.1 % (95 % interval 88.0 to 96.2 %, n = 120)``."""
        if self.value is None or self.low is None or self.high is None:
            return f"not known yet: {self.why or f'needs {self.needs:,} more {self.unit}'}"
        scale, after = (100, " %") if percent else (1, "")
        sign = "+" if signed else ""
        form = f"{sign}.1f" if percent else f"{sign}.2f"
        value, low, high = (format(scale * x, form) for x in (self.value, self.low, self.high))
        return (
            f"{value}{after} ({100 * self.confidence:g} % interval {low} to {high}{after}, "
            f"n = {self.n:,} {self.unit})"
        )

    def __str__(self) -> str:
        return self.said()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)
