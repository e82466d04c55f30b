"""Conversations: who said what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .base import View, clean


class ChatRenderer:
    """Shows a conversation: a list of ``{"role": ..., "content": ...}``, one a turn.

    Content is text, or a list of parts of which the texts are shown and the others named. A mapping
    that holds such a list as ``"messages"`` works too.
    """

    kind = "chat"
    modality: str | None = "text"

    def accepts(self, item: Any) -> bool:
        """Whether the item is a list of turns."""
        try:
            turns_of(item)
        except (TypeError, ValueError):
            return False
        return True

    def view(self, item: Any) -> View:
        """Return the turns, each with its role and its text."""
        turns = [{"role": clean(role), "text": clean(text)} for role, text in turns_of(item)]
        return View("chat", {"turns": turns})

    def text(self, item: Any) -> str:
        """Return what is said, for the model to learn from; empty if there is none."""
        return "\n".join(text for _, text in turns_of(item)) if self.accepts(item) else ""


def turns_of(item: Any) -> list[tuple[str, str]]:
    """Return role and text of each turn.

    Raises
    ------
    ValueError
        If the item is no list of turns.
    """
    turns = item.get("messages") if isinstance(item, Mapping) else item
    turns = turns.tolist() if isinstance(turns, np.ndarray) else turns  # as parquet reads it
    if not isinstance(turns, Sequence) or isinstance(turns, (str, bytes)):
        raise ValueError(f"a conversation is a list of role and content, got {type(item).__name__}")
    for turn in turns:
        if not isinstance(turn, Mapping) or "role" not in turn or "content" not in turn:
            raise ValueError(f"a turn is a dict with role and content, got {turn!r:.80}")
    return [(str(turn["role"]), _said(turn["content"])) for turn in turns]


def _said(content: Any) -> str:
    if content is None:  # a turn that only calls a tool
        return ""
    if isinstance(content, (list, tuple, np.ndarray)):
        return "\n".join(map(_part, content))
    return str(content)


def _part(part: Any) -> str:
    if isinstance(part, Mapping):
        text = part.get("text")
        return text if isinstance(text, str) else f"[{part.get('type', 'not shown')}]"
    return str(part)
