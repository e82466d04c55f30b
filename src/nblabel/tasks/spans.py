"""Named spans of a text, and relations between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import LabelValueError, TaskError, near
from .base import whole
from .naming import Named, listed, names_of

OVERLAPS = ("none", "nested", "any")
MOST_SPANS = 5000


class Spans(Named):
    """Mark spans of a text and name them.

    Places are counted in characters as Python counts them (code points), from 0, the end not
    included: ``text[start:end]`` is the span.

    Parameters
    ----------
    classes : sequence of str
        At least one.
    keys : mapping of class to key, optional
    question : str, optional
        Asked above the item.
    overlap : {"none", "nested", "any"}
        Whether a span may lie inside another one, or across its border.
    relations : sequence of str
        Names of relations from one span to another; by default none are asked for.
    snap : bool
        Whether a selection grows to whole words.

    Raises
    ------
    TaskError
        If names, keys or options are off.
    """

    kind = "spans"
    target_type = "token"

    def __init__(
        self,
        classes: Iterable[Any],
        *,
        keys: Mapping[Any, str] | None = None,
        question: str | None = None,
        overlap: str = "none",
        relations: Sequence[str] = (),
        snap: bool = True,
    ) -> None:
        if overlap not in OVERLAPS:
            raise TaskError(f"overlap= is one of {', '.join(OVERLAPS)}, got {overlap!r}.")
        super().__init__(classes, keys, question)
        self.overlap = overlap
        self.relations = names_of(listed(relations), least=1) if len(relations) else ()
        self.snap = bool(snap)

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return self.keyed_spec(
            overlap=self.overlap,
            relations=list(self.relations),
            snap=self.snap,
            columns=["spans", "relations"] if self.relations else ["spans"],
        )

    def parse(self, raw: Any) -> Any:
        """Return spans sorted by their place, each a dict of ``start``, ``end`` and ``label``.

        With relations a dict of ``spans`` and ``relations``; a relation is a dict of ``head`` and
        ``tail``, which count the spans in their order, and ``label``.
        """
        relations: Any = []
        if isinstance(raw, Mapping):
            if not self.relations:
                raise LabelValueError("The spans are a list; this task asks for no relations.")
            if set(raw) - {"spans", "relations"} or "spans" not in raw:
                raise LabelValueError(
                    f"The label has spans and relations, got {sorted(map(str, raw))}."
                )
            raw, relations = raw["spans"], raw.get("relations", [])
        if isinstance(raw, (str, bytes)) or not isinstance(raw, Sequence):
            raise LabelValueError(f"The label is a list of spans, got {raw!r:.80}.")
        if len(raw) > MOST_SPANS:
            raise LabelValueError(f"At most {MOST_SPANS:,} spans are kept, got {len(raw):,}.")
        given = [self._span(span) for span in raw]
        spans = sorted({(s["start"], -s["end"], s["label"]): s for s in given}.items())
        found = [span for _, span in spans]
        self._check_overlap(found)
        if not self.relations:
            return found
        places = [found.index(span) for span in given]
        return {"spans": found, "relations": self._relations(relations, places)}

    def check(self, value: Any, content: Any) -> None:
        """Raise LabelValueError if a span ends behind the text."""
        if not isinstance(content, str):
            return
        for span in self.spans_of(value):
            if span["end"] > len(content):
                raise LabelValueError(
                    f"A span ends at {span['end']}, but the text has {len(content)} characters."
                )

    def spans_of(self, value: Any) -> list[dict[str, Any]]:
        """Return the spans of a value, with or without relations."""
        spans: list[dict[str, Any]] = value["spans"] if isinstance(value, Mapping) else value
        return spans

    def agree(self, a: Any, b: Any) -> float:
        """F1 of the spans that both have alike, and of the relations between them."""
        first, second = self._facts(a), self._facts(b)
        both = len(first & second)
        return 2 * both / (len(first) + len(second)) if first or second else 1.0

    def targets(self, values: Sequence[Any]) -> list[list[dict[str, Any]]]:
        """Return the spans of each value."""
        return [self.spans_of(value) for value in values]

    def columns(self, value: Any) -> dict[str, Any]:
        """One column ``spans``, and one ``relations`` where they are asked for."""
        if self.relations:
            return {"spans": value["spans"], "relations": value["relations"]}
        return {"spans": value}

    def counted(self, value: Any) -> Sequence[str]:
        """The label of each span."""
        return [span["label"] for span in self.spans_of(value)]

    def _span(self, raw: Any) -> dict[str, Any]:
        if isinstance(raw, (list, tuple)) and len(raw) == 3:
            raw = {"start": raw[0], "end": raw[1], "label": raw[2]}
        if not isinstance(raw, Mapping) or not {"start", "end", "label"} <= set(raw):
            raise LabelValueError(
                f"A span is a dict of start, end and label, or such a triple, got {raw!r:.80}."
            )
        start, end = whole(raw["start"], "A start"), whole(raw["end"], "An end")
        if start >= end:
            raise LabelValueError(f"A span ends behind its start, got {start} to {end}.")
        name = raw["label"]
        if not isinstance(name, str) or name not in self.classes:
            raise LabelValueError(
                f"{name!r:.80} is not one of the labels. {near(str(name)[:80], self.classes)}"
            )
        return {"start": start, "end": end, "label": name}

    def _check_overlap(self, spans: list[dict[str, Any]]) -> None:
        if self.overlap == "any":
            return
        around: list[dict[str, Any]] = []
        for span in spans:  # by start, the longer one first
            while around and around[-1]["end"] <= span["start"]:
                around.pop()
            if around:
                outer = around[-1]
                inside = span["end"] <= outer["end"]
                if self.overlap == "none" or not inside:
                    raise LabelValueError(
                        f"The spans {outer['start']} to {outer['end']} and {span['start']} to "
                        f"{span['end']} overlap; Spans(..., overlap="
                        f"{'nested' if inside else 'any'!r}) allows it."
                    )
            around.append(span)

    def _relations(self, raw: Any, places: list[int]) -> list[dict[str, Any]]:
        if isinstance(raw, (str, bytes)) or not isinstance(raw, Sequence):
            raise LabelValueError(f"The relations are a list, got {raw!r:.80}.")
        found = {}
        for relation in raw:
            if not isinstance(relation, Mapping) or not {"head", "tail", "label"} <= set(relation):
                raise LabelValueError(
                    f"A relation is a dict of head, tail and label, got {relation!r:.80}."
                )
            head, tail = whole(relation["head"], "A head"), whole(relation["tail"], "A tail")
            if head >= len(places) or tail >= len(places) or head == tail:
                raise LabelValueError(
                    f"A relation is between two of the {len(places)} spans, got {head} and {tail}."
                )
            name = relation["label"]
            if not isinstance(name, str) or name not in self.relations:
                raise LabelValueError(
                    f"{name!r:.80} is no relation. {near(str(name)[:80], self.relations)}"
                )
            made = {"head": places[head], "tail": places[tail], "label": name}
            found[made["head"], made["tail"], name] = made
        return [found[key] for key in sorted(found)]

    def _facts(self, value: Any) -> set[Any]:
        spans = [(s["start"], s["end"], s["label"]) for s in self.spans_of(value)]
        relations = value["relations"] if isinstance(value, Mapping) else []
        return {*spans, *((spans[r["head"]], spans[r["tail"]], r["label"]) for r in relations)}
