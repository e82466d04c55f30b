"""The keys that a label needs, as the editors take them.

``presses(task, content, label, begun)`` names them one by one, from what the editor begins with (the
suggestion, or nothing) to the label and its sending. An annotator who knows the keys and makes no
mistake needs about that many; the journeys in ``tests/browser`` press them in the real editor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
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
        Of one choice, several labels, a rating, pairs or spans (without overlap and relations).
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
    if task.kind == "pairs":
        return [{"first": "ArrowLeft", "second": "ArrowRight", "tie": "Space"}[label]]
    if task.kind == "spans":
        return _marking(task, content, label, begun or (), lines)
    return ["Space"] if begun == label else [task.keys[label]]


def words_of(text: str) -> list[tuple[int, int]]:
    """Return the words and signs of a text, each as start and end in characters."""
    return [match.span() for match in _WORD.finditer(text)]


def _marking(task: Any, text: str, label: Spans, begun: Spans, lines: bool) -> list[str]:
    """From the first word to the last, by whichever keys are fewer: arrows or tab."""
    words = words_of(text)
    marked = {_key(span) for span in begun}
    wanted = {_key(span) for span in label}
    made: list[str] = []
    caret = 0

    def go(to: int) -> None:
        nonlocal caret
        made.extend(_steps(text, words, caret, to, lines))
        caret = to

    def tabs(span: tuple[int, int, str]) -> int:
        """Number of spans from the caret to this one, itself included; 0 if it lies behind."""
        at = words[caret][0]
        later = sorted(start for start, _, _ in marked if start >= at)
        return later.index(span[0]) + 1 if span[0] >= at else 0

    changes = sorted((wanted - marked) | (marked - wanted))
    for span in changes:
        start, end, name = span
        if span in wanted - marked:
            twin = next((one for one in marked if one[:2] == span[:2]), None)
            first = next(k for k, word in enumerate(words) if word[1] > start)
            last = max(k for k, word in enumerate(words) if word[0] < end)
            walk = _steps(text, words, caret, first, lines)
            if twin and 0 < (n := tabs(twin)) < len(walk) + last - first:
                made.extend(["Tab"] * n)  # what stands is only called something else
            else:
                go(first)
                made.extend(["Shift+ArrowRight"] * (last - first))
            made.append(task.keys[name])
            marked = {one for one in marked if one[0] >= end or one[1] <= start} | {span}
            after = [k for k, word in enumerate(words) if word[0] >= end]
            caret = after[0] if after else len(words) - 1
        elif span in marked and not any(
            one[0] < end and one[1] > start for one in wanted - marked
        ):  # else it goes when the right one is marked
            first = next(k for k, word in enumerate(words) if word[1] > start)
            walk = _steps(text, words, caret, first, lines)
            n = tabs(span)
            if 0 < n < len(walk):
                made.extend(["Tab"] * n)
            else:
                made.extend(walk)
            caret = first
            made.append("Backspace")
            marked.discard(span)
    return [*made, "Enter"]


def _key(span: Mapping[str, Any]) -> tuple[int, int, str]:
    return span["start"], span["end"], span["label"]


def _steps(
    text: str, words: list[tuple[int, int]], start: int, end: int, lines: bool
) -> list[str]:
    """The fewest arrows from word to word."""
    plain = _sideways(end - start)
    if not lines:
        return plain
    first, last = (text.count("\n", 0, words[k][0]) for k in (start, end))
    by = 1 if last > first else -1
    best, at = plain, start
    for rows in range(1, abs(last - first) + 1):
        at = _line(text, words, at, by)
        found = ["ArrowDown" if by > 0 else "ArrowUp"] * rows + _sideways(end - at)
        if len(found) < len(best):
            best = found
    return best


def _sideways(words: int) -> list[str]:
    return ["ArrowRight" if words > 0 else "ArrowLeft"] * abs(words)


def _line(text: str, words: list[tuple[int, int]], at: int, by: int) -> int:
    """The word that is next below or above, by its middle."""
    breaks = [-1, *(k for k, sign in enumerate(text) if sign == "\n"), len(text)]
    lines = list(pairwise(breaks))

    def row(k: int) -> int:
        return text.count("\n", 0, words[k][0])

    def middle(k: int) -> float:
        return (words[k][0] + words[k][1]) / 2 - lines[row(k)][0]

    rows = [row(k) for k in range(len(words))]
    others = [r for r in (rows[at + 1 :] if by > 0 else rows[:at][::-1]) if r != rows[at]]
    there = [k for k, r in enumerate(rows) if others and r == others[0]]
    return min(there, key=lambda k: abs(middle(k) - middle(at)), default=at)
