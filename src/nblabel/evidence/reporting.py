"""From a session's parts to its report, in two steps: under its lock, and after models spoke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from ..estimate import (
    LEAST_AUDITS,
    LEAST_PER_ARM,
    Estimate,
    Pace,
    Share,
    difference,
    expected_gain,
    learning_curve,
    pace,
    progressive,
    self_consistency,
    stop_advice,
    wilson,
)
from ..events import LabelEvent, now
from ..labels import MACHINES, Labels
from ..pool import Pool
from ..report import Report
from ..tasks import Task, as_given
from .crossfit import Arms, CrossFit, Known
from .gather import Hits, anchoring, audit_hits, changes, known_labels, repeats, times_by_annotator
from .numbers import Stability, arm_difference, class_evidence
from .review import suspicious

#: Suspicious labels that a report names, and characters of each item.
MOST_NAMED, MOST_CHARACTERS = 10, 80


@dataclass(frozen=True)
class Facts:
    """What a report needs of the log, frozen under the session's lock."""

    task: Task
    pool: Pool
    known: Known
    hits: Hits
    arms: tuple[tuple[int, int], tuple[int, int]]
    repeats: tuple[list[Any], list[Any]]
    changed: Mapping[str, list[LabelEvent]]
    current: Mapping[str, LabelEvent]
    times: Mapping[str, list[float]]
    pace: Pace | None
    totals: Mapping[str, int]
    chosen_by: Mapping[str, int]
    status: Mapping[str, Any]
    kappas: Sequence[float]
    n_stop: int
    model: str


def take_down(
    labels: Labels,
    pool: Pool,
    task: Task,
    is_blind: Callable[[str], bool],
    stability: Stability,
    status: Mapping[str, Any],
    model: str,
) -> Facts:
    """Return what the log says now."""
    hits = audit_hits(labels, task, len(pool))
    chosen_by = Counter(said[0].shown.strategy for said in labels.judgements().values())
    current = {event.item: event for event in labels.answers() if event.kind == "label"}
    return Facts(
        task, pool, known_labels(labels, pool), hits, anchoring(labels, task, is_blind),
        repeats(labels), changes(labels, task), current, times_by_annotator(labels),
        pace(labels.seconds()), labels.counts(), chosen_by, status, tuple(stability.kappas),
        len(stability.places), model,
    )  # fmt: skip


def write_report(
    facts: Facts,
    crossed: CrossFit | None,
    arms: Arms | None,
    trouble: str,
    certificates: Sequence[Mapping[str, Any]],
) -> Report:
    """Return the report, with what models say that have not seen the labels."""
    task, known = facts.task, facts.known
    one_class = task.target_type == "multiclass"
    shares, unseen = class_evidence(known, one_class, crossed, task.spec().get("classes", []))
    hits = facts.hits
    gain = expected_gain(hits.right, hits.n_labels)
    agreed, asked = facts.arms
    first, second = (list(map(str, side)) for side in facts.repeats)
    agreement, kappa = self_consistency(first, second)
    times = facts.pace
    left = int(facts.status["left"])
    spec = task.spec()
    table = None if crossed is None else review_table(facts, crossed, "auto")
    return Report(
        made_at=now(),
        version=version("nblabel"),
        question=f"{task.kind}: {spec['question']}" if spec.get("question") else task.kind,
        items=len(facts.pool),
        labeled=int(facts.status["labeled"]),
        skipped=int(facts.status["skipped"]),
        left=left,
        counts={str(name): n for name, n in facts.totals.items()},
        annotators={
            who: {
                "labels": n,
                "machine": who.startswith(MACHINES),
                "median_seconds": float(np.median(facts.times[who]))
                if who in facts.times
                else None,
            }
            for who, n in Counter(event.annotator for event in facts.current.values()).items()
        },
        chosen_by=dict(facts.chosen_by),
        model=facts.model,
        accuracy=Estimate.of(
            progressive(hits.right, moved=hits.moved), len(hits.right), LEAST_AUDITS, "random draws"
        ),
        curve=[(n, s.value, s.low, s.high) for n, s in learning_curve(hits.right, hits.n_labels)],
        gain=gain,
        advice=stop_advice(gain, facts.kappas, facts.n_stop),
        helping=arm_difference(arms, known),
        class_shares={str(as_given(task, name)): share for name, share in shares.items()},
        unseen=unseen,
        agreement_shown=_agreement(agreed[0], asked[0]),
        agreement_hidden=_agreement(agreed[1], asked[1]),
        anchoring=difference(agreed, asked, "suggestions"),
        agreement_repeats=agreement,
        kappa_repeats=kappa,
        pace=times,
        hours_left=None if times is None else (left * times.low / 3600, left * times.high / 3600),
        suspicious=() if table is None else _named(facts, table),
        n_wrong=None if table is None else int(table["wrong"].sum()),
        n_changed=len(facts.changed),
        certificates=certificates,
        trouble=trouble,
    )


def _agreement(agreed: int, asked: int) -> Estimate:
    share: Share | None = wilson(agreed, asked) if asked >= LEAST_PER_ARM else None
    return Estimate.of(share, asked, LEAST_PER_ARM, "suggestions")


COLUMNS = ["item", "suggested", "quality", "wrong", "changed", "earlier", "annotator", "labeled_at"]


def review_table(facts: Facts, crossed: CrossFit | None, method: str) -> pd.DataFrame:
    """Return the labels of people, the most suspicious first: see `Session.review`."""
    task, known, pool = facts.task, facts.known, facts.pool
    rows: list[dict[str, Any]] = []
    n = len(known)
    quality, wrong = np.full(n, np.nan), np.zeros(n, dtype=bool)
    said: Sequence[Any] = [None] * n
    if crossed is not None:
        quality, wrong = suspicious(task, known, crossed, method)
        said = crossed.values
    for k, place in enumerate(known.positions.tolist()):
        item = pool.ids[place]
        event = facts.current[item]
        judged = facts.changed.get(item, [])
        earlier = next((e.value for e in reversed(judged[:-1]) if e.value != event.value), None)
        rows.append(
            {
                "place": place,
                "item": item,
                **task.columns(known.values[k]),
                "suggested": None if said[k] is None else as_given(task, said[k]),
                "quality": float(quality[k]),
                "wrong": bool(wrong[k]),
                "changed": item in facts.changed,
                "earlier": None if earlier is None else as_given(task, earlier),
                "annotator": event.annotator,
                "labeled_at": event.at,
            }
        )
    columns = list(rows[0]) if rows else ["place", "item", "label", *COLUMNS[1:]]
    table = pd.DataFrame(rows, columns=columns)
    table = table.sort_values(
        ["quality", "changed"], ascending=[True, False], kind="stable", na_position="last"
    )
    places = table.pop("place").to_numpy(dtype=np.intp)
    return table.set_axis(pool.index[places])


def _named(facts: Facts, table: pd.DataFrame) -> list[dict[str, Any]]:
    named = []
    for key, row in table[table["wrong"]].head(MOST_NAMED).iterrows():
        event = facts.current[row["item"]]
        content = facts.pool.item(facts.pool.position(row["item"]))
        text = content if isinstance(content, str) else ""
        short = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
        named.append(
            {"key": str(key), "label": as_given(facts.task, event.value),
             "suggested": row["suggested"], "quality": row["quality"], "text": short}
        )  # fmt: skip
    return named
