"""Messages, events and values that are nearly right: a seeded mutator that knows them."""

from __future__ import annotations

import copy
import datetime as dt
import decimal
import math
import random
from typing import Any

import numpy as np
import pandas as pd


def _deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


#: What JSON can carry, or nearly.
JSON = [
    None, True, False, 0, -1, 1, 2**31, 2**53 - 1, 2**53, -(2**63), 10**400, 0.5, -0.0, 1e308,
    5e-324, math.nan, math.inf, -math.inf, "", " ", "0", "a", "label", "spam", "\x00", "\ud800",
    "\udfff\ud800", "é" * 300, "x" * 100_001, "__proto__", "../../etc/passwd", "=1+1", "2026-W01-1",
    "0001-01-01T00:00:00+99:99", "9999-12-31T23:59:59.999999Z", "NaN", "[]", "{}", [], {}, [[]],
    [None], ["a"] * 40, {"a": 1}, {"": {"": {}}}, {"id": []}, _deep(60), "\U0001f4a5", "\r\n\t",
]  # fmt: skip

#: What a column may hold, beside all that.
VALUES = [
    *JSON, 1.0, 2.5, b"spam", bytearray(b"x"), (), ("a",), {"a"}, frozenset(), complex(1, 2),
    np.float64("nan"), np.float32(1), np.int8(1), np.bool_(True), np.str_("spam"), np.array(1),
    np.array([1, 2]), np.datetime64("NaT"), np.timedelta64(1, "s"), np.longdouble(1),
    pd.NA, pd.NaT, pd.Timestamp(0), pd.Interval(0, 1), decimal.Decimal("1e5000"),
    decimal.Decimal("NaN"), dt.date(1, 1, 1), dt.timedelta.max, 10**5000, -(10**5000), object,
    object(), len, NotImplemented, ..., range(3), slice(1),
]  # fmt: skip

NAMES = ["id", "v", "type", "client", "events", "shown", "value", "seq", "kind", "annotator", "x"]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a nest of lists and dicts."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            pairs = list(one.items())
        elif isinstance(one, list):
            pairs = list(enumerate(one))
        else:
            continue
        found += [(one, key) for key, _ in pairs]
        waiting += [inner for _, inner in pairs if isinstance(inner, (dict, list))]
    return found


def mutate(source: Any, rng: random.Random) -> Any:
    """A copy with one to four changes."""
    made = copy.deepcopy(source)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 4])):
        places = _places(made)
        if not places or rng.random() < 0.01:
            made = copy.deepcopy(rng.choice(JSON))
            continue
        holder, key = rng.choice(places)
        how = rng.randrange(7)
        if how == 0:
            holder.pop(key)
        elif how == 1 and isinstance(holder, dict):
            holder[rng.choice(NAMES)] = holder.pop(key)
        elif how == 2 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif how == 3:  # from elsewhere in the same message
            other, there = rng.choice(places)
            holder[key] = copy.deepcopy(other.get(there) if isinstance(other, dict) else other[:3])
        elif how == 4 and isinstance(holder[key], str):
            holder[key] = mutate_text(holder[key], rng)
        elif how == 5 and isinstance(holder[key], (int, float)) and abs(holder[key]) < 1e300:
            holder[key] = holder[key] * rng.choice([-1, 2, 2**60, 0.1]) + rng.choice([0, 1, -1])
        else:
            holder[key] = copy.deepcopy(rng.choice(JSON))
    return made


def mutate_text(text: str, rng: random.Random) -> str:
    """A copy with a part cut out, doubled, or replaced by something odd."""
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.choice([0, 1, 1, 2, 8, 64]))
    odd = ["", "\x00", "\ud800", '"', "\\", "{", "[" * 50, "}", ",", ":", "9" * 30, "-", "e9", "\n"]
    part = rng.choice([*odd, text[start:end] * 2, "null", "true", "1e999"])
    return text[:start] + part + text[end:]
