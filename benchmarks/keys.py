"""The keys that a label needs, as the editors take them.

``presses(task, content, label, begun)`` names them one by one, from what the editor begins with
(the suggestion, or nothing) to the label and its sending. Who knows the keys and makes no
mistake needs about that many; the journeys in ``tests/browser`` press them in the real editor.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

#: Words as the browser's segmenter has them, nearly: points and quotes join letters or digits.
_WORD = re.compile(r"\w+(?:(?:(?<=[^\W\d])[.'’](?=[^\W\d])|(?<=\d)[.,](?=\d))\w+)*|\S")

Spans = Sequence[Mapping[str, Any]]


def presses(
    task: Any, content: Any, label: Any, begun: Any = None, *, lines: bool = True
) -> list[str]:
    """Return the keys from what the editor begins with to the label, sent.

    Parameters
    ----------
    task : Task
        Of one choice, several labels, a rating, a ranking, pairs or spans (without overlap and
        relations).
    content : object
        The item; of spans its text.
    label : object
        Where it is to end.
    begun : object
        What is suggested; None shows nothing.
    lines : bool
        Whether a caret in a text goes from line to line too. Where it lands depends on the font:
        it is reckoned as if all letters were equally wide, and no line too long for the screen.
    """
    if task.kind == "multilabel":
        wrong = set(label) ^ set(begun or ())
        return [task.keys[name] for name in task.classes if name in wrong] + ["Enter"]
    if task.kind == "rating":
        return ["Enter"] if begun == label else [f"{label:g}"]
    if task.kind == "ranking":
        return _ordering(task, label, begun)
    if task.kind == "pairs":
        return [{"first": "ArrowLeft", "second": "ArrowRight", "tie": "Space"}[label]]
    if task.kind == "spans":
        return _marking(task, content, label, begun or (), lines)
    return ["Space"] if begun == label else [task.keys[label]]


def _ordering(task: Any, label: Sequence[Any], begun: Sequence[Any] | None) -> list[str]:
    """By digits in turn, or what is suggested mended by arrows: whichever keys are fewer."""
    names = [one if isinstance(one, list) else [one] for one in label]
    flat = [name for group in names for name in group]
    anew = ["0"] if begun else []
    for group in names:
        for k, name in enumerate(group):
            anew += [task.keys[name]] + ["="] * (k > 0)
    if len(names[-1]) == 1:
        anew.pop()  # what is left comes last
    anew.append("Enter")
    has_ties = len(flat) > len(names) or any(isinstance(one, list) for one in begun or ())
    if not begun or has_ties:
        return ["Enter"] if begun and list(begun) == list(label) else anew
    # Each option goes up to its place, from the first place to the last.
    order, at, mended = list(begun), 0, []
    for place, name in enumerate(flat):
        here = order.index(name)
        if here > place:
            mended += _steps(here - at) + ["Shift+ArrowUp"] * (here - place)
            order.insert(place, order.pop(here))
            at = place
    return min([*mended, "Enter"], anew, key=len)


def _steps(down: int) -> list[str]:
    return ["ArrowDown" if down > 0 else "ArrowUp"] * abs(down)


def words_of(text: str) -> list[tuple[int, int]]:
    """Return the words and signs of a text, each as start and end in characters."""
    return [match.span() for match in _WORD.finditer(text)]


def _marking(task: Any, text: str, label: Spans, begun: Spans, lines: bool) -> list[str]:
    """From the first word to the last, by whichever keys are fewer: arrows or tab."""
    screen = _Screen(text, lines)
    words = screen.words
    marked = {_key(span) for span in begun}
    wanted = {_key(span) for span in label}
    made: list[str] = []
    caret = 0
    for span in sorted(wanted ^ marked):
        start, end, name = span
        first = next(k for k, word in enumerate(words) if word[1] > start)
        walk = screen.steps(caret, first)
        if span in wanted:
            last = max(k for k, word in enumerate(words) if word[0] < end)
            walk += ["Shift+ArrowRight"] * (last - first)
            twin = next((one for one in marked if one[:2] == span[:2]), None)
            tabs = _tabs(marked, words[caret][0], twin)  # what stands is only called something else
            made += (tabs if tabs and len(tabs) < len(walk) else walk) + [task.keys[name]]
            marked = {one for one in marked if one[0] >= end or one[1] <= start} | {span}
            after = [k for k, word in enumerate(words) if word[0] >= end]
            caret = after[0] if after else len(words) - 1
        elif span in marked and not any(one[0] < end and one[1] > start for one in wanted - marked):
            # Else it goes when the right one is marked.
            tabs = _tabs(marked, words[caret][0], span)
            made += (tabs if tabs and len(tabs) < len(walk) else walk) + ["Backspace"]
            marked.discard(span)
            caret = first
    return [*made, "Enter"]


def _key(span: Mapping[str, Any]) -> tuple[int, int, str]:
    return span["start"], span["end"], span["label"]


def _tabs(
    marked: set[tuple[int, int, str]], at: int, span: tuple[int, int, str] | None
) -> list[str]:
    """The tabs from a place to a span behind it, itself included; none to one before it."""
    if span is None or span[0] < at:
        return []
    return ["Tab"] * sum(at <= start <= span[0] for start, _, _ in marked)


class _Screen:
    """A text as it is gone through by arrows."""

    def __init__(self, text: str, lines: bool) -> None:
        self.words = words_of(text)
        starts = [0, *(k + 1 for k, sign in enumerate(text) if sign == "\n")]
        self._rows = [bisect_right(starts, start) for start, _ in self.words]
        self._middles = [
            (start + end) / 2 - starts[row - 1]
            for (start, end), row in zip(self.words, self._rows, strict=True)
        ]
        self._on: dict[int, list[int]] = {}
        for k, row in enumerate(self._rows):
            self._on.setdefault(row, []).append(k)
        self._lines = lines

    def steps(self, start: int, end: int) -> list[str]:
        """The fewest arrows from word to word."""
        best = _sideways(end - start)
        if self._lines:
            by = 1 if end > start else -1
            between = sorted(self._on, reverse=by < 0)
            rows = between[
                between.index(self._rows[start]) + 1 : between.index(self._rows[end]) + 1
            ]
            at = start
            for n, row in enumerate(rows, start=1):
                middle = self._middles[at]
                at = min(self._on[row], key=lambda k: abs(self._middles[k] - middle))
                found = ["ArrowDown" if by > 0 else "ArrowUp"] * n + _sideways(end - at)
                best = min(best, found, key=len)
        return best


def _sideways(words: int) -> list[str]:
    return ["ArrowRight" if words > 0 else "ArrowLeft"] * abs(words)
