"""What comes next: the order of asking, and what is in whose hands.

Every slot of the order is, with a fixed probability, an *audit*: the next item of one seeded random
order of the whole pool that has no answer yet. That order is drawn before the first answer and does
not look at predictions, so audits are uniform draws from the items without an answer.

When items are added, the order of the larger pool is drawn anew and walked from its start. It does
not depend on the order before, so it does not know what was asked or answered: audits are uniform
draws from all items without an answer, old and new. The same holds for a session that is opened
later with more items.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Draw:
    """One item put forward, and by what.

    Attributes
    ----------
    position : int
        Place in the pool.
    strategy : str
        Name of what put it forward.
    reason : str
        Why, in a few words for the annotator.
    audit : bool
        Whether it is a uniform draw.
    draw : int or None
        Its place in the seeded order, for an audit.
    seed : int or None
        Seed of that order, see `order_seed`.
    probability : float or None
        With which chance chose it, see `Shown`.
    """

    position: int
    strategy: str
    reason: str = ""
    audit: bool = False
    draw: int | None = None
    seed: int | None = None
    probability: float | None = None


def order_seed(seed: int, n_items: int) -> int:
    """Return the seed of the order of a pool of this size.

    Pools of different sizes get seeds, and so orders, that have nothing to do with each other. Its
    lower 32 bits are `n_items`: seed and place together tell which item was drawn, namely
    ``numpy.random.default_rng(seed).permutation(seed % 2**32)[draw]``. It stays below 2**53, so
    that the page can carry it.
    """
    return (seed % 2**21) << 32 | n_items


class Queue:
    """Order of asking over a pool.

    Parameters
    ----------
    n_items : int
    explore : float
        Share of slots that are audits.
    seed : int
    """

    def __init__(self, n_items: int, *, explore: float, seed: int) -> None:
        self.explore = explore
        self.seed = seed
        self.version = 0
        self._rng = np.random.default_rng((seed, 1))
        self._ranking: Sequence[Draw] = ()
        self._asked = 0
        self._ranked: set[int] = set()  # what was taken of it
        #: What was asked for by name comes first, whether or not it has an answer.
        self._wanted: dict[int, Draw] = {}
        self._hands: dict[str, dict[int, Draw]] = {}
        #: What was just taken out of a hand: it may be answered before the page hears of that.
        self._leaving: dict[str, set[int]] = {}
        #: What was answered while it was held: asked again, it is so for another reason.
        self._spent: set[int] = set()
        self.resize(n_items)

    def resize(self, n_items: int) -> None:
        """Draw the order of a pool of another size.

        Audits that wait in a hand are let go of, since they were drawn from fewer items; what a
        page keeps (the current and the next item) stays as it is.
        """
        self._order_seed = order_seed(self.seed, n_items)
        self._order = np.random.default_rng(self._order_seed).permutation(n_items)
        self._drawn = 0  # how far audits have gone down the order
        self._filled = 0  # what is answered at its other end

    def rank(self, ranking: Sequence[Draw]) -> None:
        """Install a new ranking, the best first."""
        self._ranking = ranking
        self._asked = 0  # what is answered of its beginning
        self._ranked = set()
        self.version += 1

    def want(self, draws: Iterable[Draw]) -> None:
        """Ask these next, in this order, whether or not they have an answer, behind those wanted
        before."""
        for draw in draws:
            self._wanted.pop(draw.position, None)
            self._wanted[draw.position] = draw

    def changed(self) -> None:
        """Let pages know that what comes next is no longer what they hold."""
        self.version += 1

    def drop(self, strategy: str) -> None:
        """No longer want what a strategy has put forward."""
        self._wanted = {k: draw for k, draw in self._wanted.items() if draw.strategy != strategy}

    def held_elsewhere(self, client: str) -> int:
        """Return how many items are in the hands of others."""
        return sum(len(hand) for other, hand in self._hands.items() if other != client)

    def elsewhere(self, client: str) -> set[int]:
        """Return the places of what others hold."""
        return {
            position for other, hand in self._hands.items() if other != client for position in hand
        }

    def asked_again(self, is_open: NDArray[np.bool_]) -> list[int]:
        """Return the places of what is wanted though it has an answer."""
        return [position for position in self._wanted if not is_open[position]]

    def wanted(self, position: int) -> Draw | None:
        """Return what an item is wanted for, None if it is not."""
        return self._wanted.get(position)

    def pinned(self, client: str) -> list[int]:
        """Return what a client holds, what is wanted first; nothing if more than that is wanted."""
        order = {position: place for place, position in enumerate(self._wanted)}
        hand = self.hand(client)
        if not order.keys() <= set(hand):
            return []
        return sorted(hand, key=lambda position: order.get(position, len(order)))

    def is_held(self, position: int) -> bool:
        """Whether an item is in anybody's hands."""
        return any(position in hand for hand in self._hands.values())

    def answered(self, position: int) -> None:
        """Note that an item got an answer, so that it is no longer wanted."""
        self._wanted.pop(position, None)
        if self.is_held(position):
            self._spent.add(position)

    def release(self, client: str) -> None:
        """Forget what a client holds."""
        self._spent -= self._hands.pop(client, {}).keys()
        self._leaving.pop(client, None)

    def hand(self, client: str) -> list[int]:
        """Return the places of what a client holds, in order."""
        return list(self._hands.get(client, {}))

    def held(self, client: str, position: int) -> Draw | None:
        """Return how an item came into a client's hands."""
        return self._hands.get(client, {}).get(position)

    def window(
        self,
        client: str,
        k: int,
        is_open: NDArray[np.bool_],
        keep: Sequence[int] = (),
    ) -> list[Draw]:
        """Return what a client should hold: up to k items, what it keeps first.

        Parameters
        ----------
        client : str
        k : int
        is_open : ndarray of shape (n_items,), bool
            Which items still want an answer.
        keep : sequence of int
            Pinned items: the current and the next one never move.
        """
        before = self._hands.get(client, {})
        window: dict[int, Draw] = {}
        for position in keep:
            if position in before and (is_open[position] or position in self._wanted):
                spent = position in self._spent and not is_open[position]
                window[position] = self._wanted[position] if spent else before[position]
                self._spent.discard(position)
        # An audit once drawn is asked, whatever the model now says of it.
        owed = [
            draw
            for position, draw in before.items()
            if draw.audit
            and draw.seed == self._order_seed
            and position not in window
            and is_open[position]
        ]
        elsewhere = {
            position
            for hands in (self._hands, self._leaving)
            for other, hand in hands.items()
            if other != client
            for position in hand
        }
        self._asked = _pass_over(
            self._asked, len(self._ranking), lambda k: is_open[self._ranking[k].position]
        )
        ranks = iter(range(self._asked, len(self._ranking)))
        for position, wanted in self._wanted.items():
            if len(window) < k and position not in window and position not in elsewhere:
                # Drawn at random before it was asked for, it is still a random draw.
                window[position] = next((d for d in owed if d.position == position), wanted)
        owed = [draw for draw in owed if draw.position not in window]
        owed_places = {draw.position for draw in owed}
        free = is_open.copy()
        free[[*window, *elsewhere]] = False
        while len(window) < k:
            draw = None
            if self.explore > 0 and self._rng.random() < self.explore:
                draw = owed.pop(0) if owed else self._audit(free)
            if draw is None:
                draw = self._next_ranked(ranks, free, owed_places)
            if draw is None:  # no ranking, or none left
                draw = owed.pop(0) if owed else self._fill(free, is_open)
            if draw is None:
                break
            window[draw.position] = draw
            free[draw.position] = False
        if len(window) < k and elsewhere:
            # All that is left lies in other hands: better twice than never.
            for position in sorted(elsewhere):
                if len(window) < k and position not in window and is_open[position]:
                    window[position] = Draw(position, "random", "also open in another view")
        self._hands[client] = window | {d.position: d for d in owed}
        self._leaving[client] = set(before) - set(self._hands[client])
        self._spent -= self._leaving[client]
        return list(window.values())

    def _audit(self, free: NDArray[np.bool_]) -> Draw | None:
        while self._drawn < len(self._order):
            place = self._drawn
            self._drawn += 1
            position = int(self._order[place])
            if free[position]:
                return Draw(
                    position, "audit", "drawn at random", audit=True, draw=place,
                    seed=self._order_seed, probability=self._chance(free, place),
                )  # fmt: skip
        return None

    def _next_ranked(
        self, ranks: Iterator[int], free: NDArray[np.bool_], owed: Collection[int]
    ) -> Draw | None:
        for k in ranks:
            draw = self._ranking[k]
            if draw.position in owed or not free[draw.position]:
                continue
            self._ranked.add(draw.position)
            if draw.probability is not None and not all(
                self._ranking[j].position in self._ranked for j in range(k)
            ):
                # One before it was asked otherwise: what it was drawn from has changed.
                return replace(draw, probability=None)
            return draw
        return None

    def _fill(self, free: NDArray[np.bool_], is_open: NDArray[np.bool_]) -> Draw | None:
        # No audits: a page that opens before the first ranking would be owed its whole window. From
        # the far end, so that those to come are left alone as long as can be.
        n = len(self._order)
        self._filled = _pass_over(self._filled, n, lambda k: is_open[self._order[-1 - k]])
        # What was answered may be open again: it is looked at after all others.
        for k in chain(range(self._filled, n), range(self._filled)):
            position = int(self._order[-1 - k])
            if free[position]:
                probability = self._chance(free, self._drawn, self._filled)
                return Draw(position, "random", "drawn at random", probability=probability)
        return None

    def _chance(self, free: NDArray[np.bool_], drawn: int, filled: int = 0) -> float:
        """Return the probability of each free item that was not passed at either end."""
        n_free = int(np.count_nonzero(free))
        # What was passed and is free again comes up only when nothing else is left.
        passed = np.concatenate([self._order[:drawn], self._order[len(self._order) - filled :]])
        again = int(np.count_nonzero(free[passed]))
        return 1.0 / (n_free - again or n_free)


def _pass_over(start: int, end: int, is_open: Callable[[int], Any]) -> int:
    """Return the first open place, so that what is answered is not looked at again and again."""
    while start < end and not is_open(start):
        start += 1
    return start
