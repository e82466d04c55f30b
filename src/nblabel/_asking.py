"""What a session asks: which items come next, in whose hands they are, and how they are shown."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import pandas as pd

from . import _certifying
from ._core import API, Asked, Core, Suggestion
from ._queue import Draw
from .errors import OptionError, brief
from .events import VERIFY, Shown
from .evidence import REPEAT, REVIEW
from .renderers import View, field_of, piece_of, safe_view

#: A page that was silent for this long no longer holds its items back from others, in seconds.
HOLD_SECONDS = 90.0


class Asking(Core):
    """The part of a session that puts items forward."""

    blind: float
    #: Columns that are shown in a line that unfolds.
    _details: Sequence[Any]
    #: When each page was heard of last.
    _seen: dict[str, float]

    def next(self, k: int = 1) -> list[Asked]:
        """Return the k items to ask next.

        The same ones as long as nothing is answered, trained, or asked for otherwise.
        """
        if not isinstance(k, Integral) or isinstance(k, bool) or k < 0:
            raise OptionError(f"next takes how many items, a whole number from 0, got {brief(k)}.")
        with self._lock:
            pinned = [self.pool.ids[position] for position in self._queue.pinned(API)]
            return self.window(API, k, pinned[:k])

    def ask(self, items: Iterable[Hashable] | pd.DataFrame) -> None:
        """Ask these items next, in this order.

        Those that have a label are asked again, with the suggestion hidden: the newest label
        stands, and both are kept. What is found by `review`, `search`, `similar` or `check` can be
        given as it is.

        Parameters
        ----------
        items : iterable of item ids or labels of the source's index, or DataFrame
            Of a table the column ``item``, or else the index.
        """
        if isinstance(items, str):
            raise OptionError(f"ask takes several items; for one write ask([{items!r}]).")
        if isinstance(items, pd.DataFrame):
            items = items["item"] if "item" in items.columns else items.index
        with self._lock:
            ids = [self.pool.id_of(item) for item in items]
            self._queue.want([self._wanted(item) for item in dict.fromkeys(ids)])
            self._queue.changed()
            if self.on_change:
                self.on_change()

    def _wanted(self, item: str) -> Draw:
        judged = self._labels.label(item) is not None
        how = (REVIEW, "to be judged again") if judged else ("asked", "asked for by name")
        return Draw(self.pool.position(item), *how)

    def window(self, client: str, k: int, keep: Iterable[str] = ()) -> list[Asked]:
        """Return what a page should hold: up to k items, those it keeps first.

        While a certification verifies blind, its items come before all others but those asked for
        by name. One with traps is verified by `Certification.next`.
        """
        with self._lock:
            moment = time.monotonic()
            self._seen[client] = moment
            for other in [c for c, seen in self._seen.items() if moment - seen > HOLD_SECONDS]:
                self.release(other)
            places = [self.pool.position(item) for item in keep if item in self.pool]
            running = self._certification
            if running is not None and running.is_verifying_blind:
                self._queue.want(running.draws(k + self._queue.held_elsewhere(client)))
            draws = self._queue.window(client, k, self._open, places)
            return [self._asked(draw) for draw in draws[:k]]

    def release(self, client: str) -> None:
        """Let go of what a page held."""
        with self._lock:
            self._seen.pop(client, None)
            self._queue.release(client)

    def asked(self, item: str) -> Asked:
        """Return an item that was not put forward, as when going back to it."""
        with self._lock:
            position = self.pool.position(item)
            event = self._labels.current(item)
            reason = "asked for by name" if event is None else "answered before"
            return self._asked(Draw(position, "browse", reason))

    def _asked(self, draw: Draw) -> Asked:
        item = self.pool.ids[draw.position]
        running = self._certification
        if draw.strategy == VERIFY and running is not None and running.is_running:
            assert draw.draw is not None
            return running.asked(draw.draw)
        suggestion = self.suggestion(item)
        shown = Shown(
            strategy=draw.strategy,
            audit=draw.audit,
            draw=draw.draw,
            seed=draw.seed,
            probability=draw.probability,
            model_version=suggestion.version if suggestion else 0,
            suggestion=suggestion.label if suggestion else None,
            confidence=suggestion.confidence if suggestion else None,
            visible=suggestion is not None
            and not self.is_blind(item)
            and draw.strategy not in (REPEAT, REVIEW, VERIFY),
        )
        reason = draw.reason
        if draw.audit and running is not None and running.is_blind(item):
            suggestion, reason = None, _certifying.REASON  # a random draw that is also verified
        return Asked(
            item, self.pool.index[draw.position], self.pool.item(draw.position), suggestion, shown,
            reason,
        )  # fmt: skip

    def _put_forward(self, item: str, shown: Shown, reason: str) -> Asked:
        """Return an item with a suggestion that is not the newest model's."""
        place = self.pool.position(item)
        suggestion = None
        if shown.suggestion is not None:
            suggestion = Suggestion(shown.suggestion, None, [], shown.model_version)
        return Asked(
            item, self.pool.index[place], self.pool.item(place), suggestion, shown, reason
        )  # fmt: skip

    def is_blind(self, item: str) -> bool:
        """Whether the suggestion for an item is hidden, at random under the session's seed.

        While a certification verifies blind, that of all its items is.
        """
        if self._certification is not None and self._certification.is_blind(item):
            return True
        text = f"{self.random_state}/{item}".encode("utf-8", "replace")
        drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        return drawn / 2**64 < self.blind

    def view(self, item: str, *, small: bool = False) -> View:
        """Return how an item is shown, alone or, if small, as one of many."""
        position = self.pool.position(item)
        view = safe_view(self.renderer, self.pool.item(position), small=small)
        if not self._details:
            return view
        row = self.pool.frame.iloc[position]  # type: ignore[union-attr]
        fields = [field_of(str(name), row[name]) for name in self._details]
        return replace(view, data={**view.data, "details": fields})

    def piece(self, item: str, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of a part of an item that is too large for its view.

        Parameters
        ----------
        item : str
        name : str
            Of the part, as its look knows it.
        start, length : int

        Returns
        -------
        bytes
            Fewer at the end of the part.
        int
            How many bytes the part has.

        Raises
        ------
        UnknownItemError, ValueError
            If there is no such item, or no such part of it; what a renderer raises beside.
        """
        content = self.pool.item(self.pool.position(item))
        return piece_of(self.renderer, content, name, start, length)
