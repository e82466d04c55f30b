"""Which items a page shows together: of a class, like one, with some words, to verify, or by id.

The model's beliefs are those that are there, words are looked for at once, and what is alike is
found where models learn: a page that asked before it was there asks again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import finding
from .._core import Asked
from .._queue import Draw
from ..errors import NotFittedError, OptionError
from ..session import Session
from ..tables import Predictions
from . import protocol as p

#: Items like one that are found, and found ones that are remembered.
MOST_ALIKE, MOST_KEPT = 500, 16
#: Letters of what was looked for that a reason repeats.
MOST_NAMED = 80
_REASONS = {
    "class": "believed to be {}",
    "similar": "like item {}",
    "search": "has the words {}",
    "ids": "chosen by you",
}


@dataclass(frozen=True)
class Gathered:
    """What a rule names.

    Attributes
    ----------
    of : str
        The class, item or words that were looked for.
    items : list of Asked
        The first of them.
    total : int
        How many there are, the first ones included.
    counts : dict of class to int
        Items without an answer that are believed to be of it; only if a class was asked for.
    pending : bool
        Whether it is still being found.
    """

    of: str
    items: list[Asked] = field(default_factory=list)
    total: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    pending: bool = False


@dataclass
class _Alike:
    """What is like one item, once it is known."""

    n_items: int
    places: NDArray[np.intp] | None = None
    error: BaseException | None = None
    dropped: Callable[[], bool] = lambda: False


class Gathering:
    """Finds the items of a page of many.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._alike: OrderedDict[str, _Alike] = OrderedDict()
        #: Version of the model, what it believes of each item, and how sure it is.
        self._beliefs: tuple[int, NDArray[np.intp]] | None = None
        self._candidates: tuple[str, NDArray[np.intp]] = ("", np.empty(0, dtype=np.intp))

    def gather(self, find: p.Find, k: int) -> Gathered:
        """Return up to k items of a rule that a page does not have.

        Raises
        ------
        NblabelError
            If the rule makes no sense here; the message says why.
        """
        session, of = self._session, find.of
        if session.task.target_type != "multiclass":
            raise OptionError(f"Many items at once get one class, and a {session.task.kind} none.")
        if find.rule == "certify":
            return self._drawn(find, k)
        counts: dict[str, int] = {}
        places = np.empty(0, dtype=np.intp)
        if find.rule == "similar":
            alike = self._like(of)
            if alike is None:
                return Gathered(of, pending=True)
            places = alike
        elif find.rule == "search":
            places = session._with_words(of)[1]
        elif find.rule == "ids":
            where = session.pool.places
            places = np.array([where[item] for item in find.ids if item in where], dtype=np.intp)
        with session._lock:
            if find.rule == "class":
                of, places, counts = self._believed(of, find.least)
            allowed = self._allowed(find, places)
            if find.rule == "class" and len(places) and not len(allowed):
                self._refuse_peeking()
            places = allowed
            reason = _REASONS[find.rule].format(of[:MOST_NAMED])
            items = [
                self._asked(place, find.strategy, reason) for place in places[: max(0, k)].tolist()
            ]
        return Gathered(of, items, len(places), counts)

    # ------------------------------------------------------------ rules

    def _believed(self, of: str, least: bool) -> tuple[str, NDArray[np.intp], dict[str, int]]:
        """Return the class, the places that are believed to be of it, and how many of each are."""
        session = self._session
        is_open = session._open
        if session._column is not None:
            said = {k: value for k, value in session._column.items() if is_open[k]}
            counts = {str(name): n for name, n in Counter(said.values()).items()}
            of = of or _most(counts)
            named = [k for k, value in said.items() if value == of]
            return of, np.array(named, dtype=np.intp), counts
        predictions, best = self._best()
        classes = predictions.classes
        is_open = is_open[: len(best)]
        numbers = np.bincount(best[is_open], minlength=len(classes))
        counts = {name: int(n) for name, n in zip(classes, numbers, strict=True) if n}
        of = of or _most(counts)
        if of not in classes:
            return of, np.empty(0, dtype=np.intp), counts
        places = np.flatnonzero(is_open & (best == classes.index(of)))
        sure = predictions.confidences(places)
        return of, places[np.argsort(sure if least else -sure, kind="stable")], counts

    def _best(self) -> tuple[Predictions, NDArray[np.intp]]:
        """Return what the newest model says, and the column of what it suggests for each item."""
        predictions = self._session._predictions
        if predictions is None:
            raise NotFittedError(self._session._no_model())
        if self._beliefs is None or self._beliefs[0] != predictions.version:
            self._beliefs = (predictions.version, predictions.best())
        return predictions, self._beliefs[1]

    def _drawn(self, find: p.Find, k: int) -> Gathered:
        """Return what a certificate asks to be verified with suggestions in sight."""
        running = self._session.certifying
        if running is None or not running.is_running:
            return Gathered(find.of)
        if running.is_verifying_blind:
            raise OptionError(
                "This certificate is verified blind, one by one: a page would show what the "
                "machine says. certify(blind=False) is verified on pages, with traps."
            )
        items, left = running.page(k, find.but)
        return Gathered(find.of, items, len(items) + left)

    def _like(self, item: str) -> NDArray[np.intp] | None:
        """Return an item's place and those of the items most like it, None if not known yet."""
        session = self._session
        with session._lock:
            pool, suggester = session.pool, session._suggester
            place = pool.position(item)
            known = self._alike.get(item)
            lost = known is None or known.dropped() or known.n_items != len(pool)
            if suggester is None:
                raise OptionError("To find what is alike there must be features: give features=.")
            if lost:
                known = self._alike[item] = _Alike(len(pool))
                while len(self._alike) > MOST_KEPT:
                    self._alike.popitem(last=False)
            assert known is not None
            self._alike.move_to_end(item)
        if lost:
            found = known

            def done(result: Any) -> None:
                found.places = np.concatenate([[place], result[0]]).astype(np.intp)

            def failed(error: BaseException) -> None:
                found.error = error

            job = partial(finding.nearest, suggester, place, MOST_ALIKE)
            run = session._trainer.pose(job, done, failed, timeout=session._time_limit())
            known.dropped = lambda: run.stopped
        if known.error is not None:
            del self._alike[item]  # to be tried again the next time
            raise known.error
        return known.places

    # ------------------------------------------------------------ what is not shown

    def _allowed(self, find: p.Find, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Leave out what the page has, and what may not be shown on a page of many."""
        session = self._session
        pool, twins = session.pool, session._twins
        has = [pool.places[item] for item in find.but if item in pool.places]
        barred = np.zeros(len(pool), dtype=bool)
        barred[has] = True
        # What is asked again is judged blind, so nobody is to see it beside others.
        barred[session._queue.asked_again(session._open)] = True
        if find.rule in ("class", "similar"):
            barred |= ~session._open
            barred[list(session._queue.elsewhere(find.client))] = True
            barred[self._to_verify()] = True
        places = places[~barred[places]]
        if not twins or find.rule == "ids":
            return places
        groups = {twins[k][0] for k in has if k in twins}
        kept = []
        for k in places.tolist():
            first = twins[k][0] if k in twins else k  # it stands for all of them
            if first not in groups:
                groups.add(first)
                kept.append(k)
        return np.array(kept, dtype=np.intp)

    def _to_verify(self) -> NDArray[np.intp]:
        """Places of what a running certificate asks: each is verified for itself, as drawn."""
        running, pool = self._session._certification, self._session.pool
        if running is None or not running.is_running:
            return np.empty(0, dtype=np.intp)
        if self._candidates[0] != running.id:
            places = [pool.places[item] for item in running.items if item in pool.places]
            self._candidates = (running.id, np.array(places, dtype=np.intp))
        return self._candidates[1]

    def _refuse_peeking(self) -> None:
        running = self._session._certification
        if running is not None and running.is_verifying_blind:
            raise OptionError(
                "What is verified blind is on no page, as a page shows what the machine says. "
                "Verify one by one, or give the certificate up."
            )

    def _asked(self, place: int, strategy: str, reason: str) -> Asked:
        """Return an item as it is shown: with the suggestion where the page is made of them."""
        asked = self._session._asked(Draw(place, strategy, reason))
        running = self._session._certification
        verified = running is not None and running.asks(asked.id)
        seen = strategy == "grid" and asked.suggestion is not None and not verified
        shown = replace(asked.shown, visible=seen)
        return replace(asked, shown=shown, suggestion=asked.suggestion if seen else None)


def _most(counts: dict[str, int]) -> str:
    return max(counts, key=lambda name: counts[name], default="")
