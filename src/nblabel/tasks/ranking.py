"""Options put into order, the best first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, TaskError, near, shorten
from .naming import Named

#: A ranking has at most so many options: each pair of them is learned by itself.
MOST_OPTIONS = 20


class Ranking(Named):
    """Put options into order, the best first.

    The options are the same for every item, such as aspects of a review, or the columns of the data
    that hold the candidates: ``nl.Labeler(df, nl.Ranking(["a", "b", "c"]), text=["prompt", "a",
    "b", "c"])`` shows what each stands for.

    Parameters
    ----------
    options : sequence
        Different names, two at least; numbers and other values come back as they were given.
    keys : mapping of option to key, optional
        Each puts its option at the next place.
    question : str, optional
        Asked above the item.
    ties : bool
        Whether options may share a place.
    each : bool
        Whether the labels have a column with the rank of each option, instead of one column of
        lists; what shares a place has the same rank, and the ranks behind it are left out.

    Raises
    ------
    TaskError
        If names or keys are off, or there are fewer than two options or more than 20.
    """

    kind = "ranking"
    target_type = "ranking"

    def __init__(
        self,
        options: Iterable[Any],
        *,
        keys: Mapping[Any, str] | None = None,
        question: str | None = None,
        ties: bool = False,
        each: bool = False,
    ) -> None:
        super().__init__(options, keys, question, least=2)
        if len(self.classes) > MOST_OPTIONS:
            raise TaskError(
                f"A ranking has at most {MOST_OPTIONS} options, got {len(self.classes)}: of many "
                "items compare two at a time, with nl.Pairs()."
            )
        self.ties, self.each = bool(ties), bool(each)
        self._place = {name: k for k, name in enumerate(self.classes)}

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return self.keyed_spec(
            ties=self.ties, columns=list(self.classes) if self.each else ["ranking"]
        )

    def parse(self, raw: Any) -> list[Any]:
        """Return the options, the best first; those that share a place as a list among them.

        A mapping of each option to its rank will do too, the lowest first.
        """
        if isinstance(raw, Mapping):
            raw = self._of_ranks(raw)
        if isinstance(raw, np.ndarray):
            raw = raw.tolist()
        if not isinstance(raw, (list, tuple)):
            raise LabelValueError(
                f"A ranking is a list of all options, the best first, such as "
                f"{list(self.classes[:3])!r}, got {raw!r:.80}."
            )
        made: list[Any] = []
        seen: set[str] = set()
        for entry in raw:
            names = entry if isinstance(entry, (list, tuple, np.ndarray)) else [entry]
            group = sorted((self._known(name) for name in names), key=self._place.__getitem__)
            doubled = [name for k, name in enumerate(group) if name in seen or name in group[:k]]
            if doubled:
                raise LabelValueError(f"{shorten(doubled)} stand(s) in the ranking more than once.")
            if len(group) > 1 and not self.ties:
                raise LabelValueError(
                    f"{shorten(group)} share a place, but this task has no ties (ties=True)."
                )
            seen.update(group)
            if group:
                made.append(group if len(group) > 1 else group[0])
        missing = [name for name in self.classes if name not in seen]
        if missing:
            raise LabelValueError(f"Every option has a place; {shorten(missing)} stand(s) nowhere.")
        return made

    def agree(self, a: Sequence[Any], b: Sequence[Any]) -> float:
        """Share of the pairs of options in the same order; a tie agrees half with either order.

        One minus the distance of Kemeny and Snell (1962) over its largest value. Without ties it
        is (1 + tau) / 2 by Kendall's tau.
        """
        distance = np.abs(np.sign(_apart(self.ranks(a))) - np.sign(_apart(self.ranks(b))))
        return float(1.0 - distance.mean() / 2)

    def ranks(self, value: Sequence[Any]) -> NDArray[np.int64]:
        """Return the rank of each option in the order of the task, of shape (n_options,).

        Ranks begin with 1; what shares a place has the same, and the ranks behind it are left out.
        """
        found = np.zeros(len(self.classes), dtype=np.int64)
        rank = 1
        for entry in value:
            names = entry if isinstance(entry, list) else [entry]
            found[[self._place[name] for name in names]] = rank
            rank += len(names)
        return found

    def targets(self, values: Sequence[Any]) -> NDArray[np.int8]:
        """Return what stands before what, of shape (n_values, n_options * (n_options - 1)).

        A column for each ordered pair, as `pairs` lists them: 1 where its first option stands
        before its second, 0 where it stands behind or both share a place.
        """
        first, second = np.array(list(permutations(range(len(self.classes)), 2))).T
        ranks = np.array([self.ranks(value) for value in values]).reshape(-1, len(self.classes))
        return (ranks[:, first] < ranks[:, second]).astype(np.int8)

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the columns of `targets`."""
        return tuple(f"{one} > {other}" for one, other in permutations(self.classes, 2))

    def columns(self, value: Sequence[Any]) -> dict[str, Any]:
        """One column ``ranking`` with a list, or a rank for each option."""
        if self.each:
            return dict(zip(self.classes, self.ranks(value).tolist(), strict=True))
        return {
            "ranking": [
                [self.values[name] for name in entry]
                if isinstance(entry, list)
                else self.values[entry]
                for entry in value
            ]
        }

    def counted(self, value: Sequence[Any]) -> Sequence[str]:
        """What stands first."""
        return list(value[0]) if isinstance(value[0], list) else [value[0]]

    def decode(self, classes: Sequence[str], row: NDArray[Any]) -> tuple[list[Any], float]:
        """Return the order that what is predicted of pairs adds up to, and its probability.

        Options are ordered by how many others each is expected to stand before: ranking by
        pairwise comparison (Hüllermeier, Fürnkranz, Cheng, Brinker 2008). Neighbours share a place
        where that is likelier than either order. The probability is that of Plackett and Luce's
        model: at each place its option is chosen against all behind it, by the odds of the pairs.
        """
        n = len(self.classes)
        before = np.zeros((n, n))
        before[tuple(np.array(list(permutations(range(n), 2))).T)] = np.clip(row, 1e-6, 1.0)
        order = np.argsort(-(before - before.T).sum(axis=1), kind="stable").tolist()
        places = [[order[0]]]
        sure = 1.0
        for k, option in enumerate(order[1:]):
            last = order[k]
            one, other = before[last, option], before[option, last]
            tie = max(0.0, 1.0 - one - other) if self.ties else 0.0
            if tie > max(one, other):
                places[-1].append(option)
                sure *= tie
            else:
                places.append([option])
                odds = (before[order[k + 1 :], last] / before[last, order[k + 1 :]]).sum()
                sure *= (1.0 - tie) / (1.0 + odds)
        groups = [[self.classes[k] for k in sorted(place)] for place in places]
        return [group if len(group) > 1 else group[0] for group in groups], sure

    def _known(self, entry: Any) -> str:
        name = entry if isinstance(entry, str) else str(entry)
        if name not in self._place:
            raise LabelValueError(
                f"{entry!r:.80} is not one of the options. {near(name[:80], self.classes)}"
            )
        return name

    def _of_ranks(self, raw: Mapping[Any, Any]) -> list[list[str]]:
        places: dict[float, list[str]] = {}
        for option, rank in raw.items():
            number = rank.item() if isinstance(rank, np.generic) else rank
            if isinstance(number, bool) or not isinstance(number, (int, float)) or number != number:
                raise LabelValueError(f"The rank of {option!r:.60} is a number, got {rank!r:.60}.")
            places.setdefault(number, []).append(self._known(option))
        return [places[rank] for rank in sorted(places)]


def _apart(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    first, second = np.array(list(combinations(range(len(ranks)), 2))).T
    return np.asarray(ranks[first] - ranks[second])
