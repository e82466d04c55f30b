"""From events to observations: which label says what about what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..events import MANY, TAKEN, VERIFYING, LabelEvent
from ..labels import MACHINES, Labels
from ..pool import Pool
from ..tasks import Task, right
from .crossfit import Known

#: What put an item forward that has a label already: a silent repeat, or a doubt about the label.
REPEAT, REVIEW = "repeat", "review"
#: What put an item forward without a choice of its own.
_NO_CHOICE = TAKEN | {"audit", "random", REPEAT, REVIEW}


@dataclass(frozen=True)
class Hits:
    """What random draws say of the model, in the order of the answers.

    Attributes
    ----------
    right : list of bool
        Whether the model as it was before the answer predicted it.
    n_labels : list of int
        How many labels there were then.
    moved : list of float
        By how much what is left may have changed since: see `Labels.audits_of_what_is_left`.
    """

    right: list[bool]
    n_labels: list[int]
    moved: list[float]


def audit_hits(labels: Labels, task: Task, n_items: int) -> Hits:
    """Return what the random draws say that are about what is left."""
    hits = Hits([], [], [])
    for event, label, before, moved in labels.audits_of_what_is_left(n_items):
        if event.shown.predicted is not None:
            hits.right.append(right(task, event.shown.predicted, label))
            hits.n_labels.append(before)
            hits.moved.append(moved)
    return hits


def known_labels(labels: Labels, pool: Pool) -> Known:
    """Return the labels of people for the items of a pool, in the order in which they came.

    A random draw counts as one only if it was from all that this pool had without a label: not one
    from a smaller pool before items were added, nor one after a machine had labeled the rest.
    """
    order = {event.id: k for k, event in enumerate(labels.events)}
    machines = [
        order[event.id]
        for event in labels.events
        if (event.kind == "label" and event.annotator.startswith(MACHINES))
        or (event.kind == "certify" and event.value["step"] == "certify")
    ]
    until = min(machines, default=len(order))
    audits = {event.item: event for event, _, _ in labels.audits()}
    rows: list[tuple[int, int, Any, bool, bool]] = []
    standing = labels.labeled()
    for item, said in labels.judgements().items():
        if item not in standing or item not in pool.places:
            continue
        first = audits.get(item, said[0])
        when, shown = order[first.id], first.shown
        drawn = shown.audit and when < until and (shown.seed or 0) % 2**32 == len(pool)
        picked = not shown.audit and shown.strategy not in _NO_CHOICE
        rows.append((when, pool.places[item], standing[item], drawn, picked))
    rows.sort(key=lambda row: row[0])
    put_away = sum(item in pool.places for item in labels.skipped)
    return Known(
        np.array([row[1] for row in rows], dtype=np.intp),
        tuple(row[2] for row in rows),
        np.array([row[3] for row in rows], dtype=bool),
        np.array([row[4] for row in rows], dtype=bool),
        len(pool) - put_away,
    )


def anchoring(
    labels: Labels, task: Task, is_blind: Callable[[str], bool]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Count how often people agree with a suggestion that they see, and with one that is hidden.

    Only first answers in the page count, and only those whose suggestion was shown or hidden by
    chance. Who hides all suggestions for a while sees none either: what was hidden by chance in
    that time is left out, as what was not hidden by chance is. So is what was said of many items at
    once, and what was verified for a certificate: both show or hide what the model is sure of, and
    none by chance.

    Returns
    -------
    agreed, asked : (int, int)
        With the suggestion visible, and with it hidden.
    """
    agreed, asked = [0, 0], [0, 0]
    answered: set[tuple[str, str]] = set()
    hides: dict[str, bool] = {}  # annotator -> whether suggestions were hidden last
    for event in labels.events:
        shown = event.shown
        if (
            event.kind != "label"
            or shown.view == "api"
            or (event.item, event.annotator) in answered
        ):
            continue
        answered.add((event.item, event.annotator))
        if shown.suggestion is None or shown.strategy in (REPEAT, REVIEW, *MANY, *VERIFYING):
            continue
        blind = is_blind(event.item)
        if not blind:
            hides[event.annotator] = not shown.visible
        if shown.visible == blind or hides.get(event.annotator, False):
            continue
        asked[blind] += 1
        agreed[blind] += right(task, shown.suggestion, event.value)
    return (agreed[0], agreed[1]), (asked[0], asked[1])


def repeats(labels: Labels) -> tuple[list[Any], list[Any]]:
    """Return what was said before and at each silent repeat, by the same annotator."""
    pairs = []
    for said in labels.judgements().values():
        latest: dict[str, LabelEvent] = {}
        for event in said:
            before = latest.get(event.annotator)
            if event.shown.strategy == REPEAT and before is not None:
                pairs.append((before.value, event.value))
            latest[event.annotator] = event
    return [first for first, _ in pairs], [second for _, second in pairs]


def changes(labels: Labels, task: Task) -> dict[str, list[LabelEvent]]:
    """Return the judgements of the items on which two of them disagree, newest last."""
    found = {}
    for item, said in labels.judgements().items():
        people = [event for event in said if not event.annotator.startswith(MACHINES)]
        if any(task.agree(a.value, b.value) < 1.0 for a, b in pairwise(people)):
            found[item] = people
    return found


def times_by_annotator(labels: Labels) -> dict[str, list[float]]:
    """Return the seconds of all answers that stand, by who gave them."""
    found: dict[str, list[float]] = defaultdict(list)
    for event in labels.answers():
        if event.seconds is not None:
            found[event.annotator].append(event.seconds)
    return dict(found)
