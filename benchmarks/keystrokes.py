"""Key presses and looks to label a whole pool, five ways: ``python -m benchmarks.keystrokes``

The same simulated person, who knows every label and presses the fewest keys, labels the whole pool:

one by one
    Without a model, item by item.
suggestions
    The same with the session as shipped: items in the order of its strategy, suggestions accepted
    by one key where they are shown and right (one in ten is hidden).
grid
    The same for the first labels, ten for each class and fifty at least; then pages of what the
    model believes to be of one class, the surest first: ``session.predictions`` of the class with
    the most such items. One key takes a page that is all right. On others the arrows go from wrong
    tile to wrong tile (a tile or a row at a time, the cursor begins at the first), a label's key
    mends it, one key takes the page. Thirty images in rows of six, or twelve texts or rows in rows
    of three. The model learns between pages as ever.
certificates
    The same as with suggestions until `Session.certifiable` finds that what is left to people is
    less than a fifth of the labels so far; then `Session.certify`, blind and one by one, for at
    most ``--error`` wrong labels of the pool at 95 %. What is neither certified nor labeled then is
    labeled one by one.
on pages
    The same, but what is to be verified comes on pages as the widget shows them: with what the
    machine says in sight, sorted by it, and a trap for each five items, which the person corrects
    like any other error. An attempt is given up when it took three times what was expected, and
    fifty more.

**Equal final error.** What certificates leave wrong is measured on the known labels. Each way
without them ends with the same number of items without their right label: it stops that many items
before the end, where nobody labels them. (It could not know that; without, it would take these
items more.) Certificates on pages have an error of their own, which is told.

**Keys.** A label takes one key if it has one: the first nine and digits. Others are typed: two
letters and Enter, fewer than names in the wild. A **look** is an item that is seen, on a page or
alone; a **screen** is a page or an item alone. All figures are per 1,000 items of the pool.

The person makes no mistake, also not on a page of thirty tiles, where people do; only certificates
prove that they have not.

The sets: ``*.parquet`` of ``--data`` named by ``--sets``, or with ``--builtin`` those that come
with scikit-learn and the installed documentation. The last line is one of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

import nblabel as nl
from nblabel import session as nl_session

from .efficiency import BUILT_IN, Data, built_in, read

FIRST_PER_CLASS, FIRST = 10, 50
#: Tiles of a page, and of a row of it.
PAGE = {"image": (30, 6), "text": (12, 3), "row": (12, 3)}
TYPED = 3
WAYS = ("one by one", "suggestions", "grid", "certificates", "on pages")


@dataclass
class Bill:
    """What a way has cost so far.

    Attributes
    ----------
    keys, looks, screens : int
    """

    keys: int = 0
    looks: int = 0
    screens: int = 0

    def card(self, keys: int) -> None:
        """Add an item that was seen alone."""
        self.page(keys, 1)

    def page(self, keys: int, items: int) -> None:
        """Add a page."""
        self.keys += keys
        self.looks += items
        self.screens += 1

    def per_thousand(self, n: int) -> dict[str, int]:
        """Return all of it per 1,000 items of the pool."""
        return {name: round(1000 * count / n) for name, count in vars(self).items()}


class Person:
    """Who knows the labels of a pool, and the session that asks for them."""

    def __init__(self, data: Data, seed: int) -> None:
        self.n = len(data.codes)
        self.kind = data.kind
        names = names_of(data.n_classes)
        self.truth = np.array(names, dtype=object)[data.codes]
        options: dict[str, Any] = {"row": True} if data.kind == "row" else {}
        # Trainings of a whole pool take long: forty of them are enough.
        self.session = nl.Session(
            data.pool, names, store=None, random_state=seed, inline=True,
            batch=max(10, self.n // 40), **options,
        )  # fmt: skip
        self.first = min(self.n, max(FIRST, FIRST_PER_CLASS * data.n_classes))
        self.bill = Bill()

    def name(self, item: str) -> str:
        """Return the right label of an item."""
        label: str = self.truth[self.session.pool.position(item)]
        return label

    def keys(self, label: str) -> int:
        """Return the keys that give a label."""
        return 1 if label in self.session.task.keys else TYPED

    def answer(self, asked: nl_session.Asked) -> None:
        """Label what is asked, alone on the screen."""
        label = self.name(asked.id)
        guess = asked.suggestion if asked.shown.visible else None
        right = guess is not None and guess.label == label
        self.bill.card(1 if right else self.keys(label))
        self.session.record(asked, label)

    def mend(self, page: Mapping[str, str]) -> int:
        """Return the keys that make a page of items right, each with what it is said to be."""
        right = [self.name(item) for item in page]
        off = [k for k, said in enumerate(page.values()) if said != right[k]]
        across = PAGE[self.kind][1]
        return arrows(off, across) + sum(self.keys(right[k]) for k in off) + 1

    def next(self, most: int) -> bool:
        """Label a batch that the strategy asks for; False if there is none."""
        found = self.session.next(min(most, self.session.batch))
        for asked in found:
            self.answer(asked)
        return bool(found)

    @property
    def labeled(self) -> int:
        """Items with a label of a person."""
        count: int = self.session.status()["labeled"]
        return count


def names_of(n: int) -> list[str]:
    """Digits, or names of two letters where there are more than ten."""
    if n <= 10:
        return [str(code) for code in range(n)]
    return [a + b for a in ascii_lowercase for b in ascii_lowercase][:n]


def arrows(tiles: list[int], across: int) -> int:
    """Return the arrows from the first tile to each of these in turn."""
    places = [(0, 0), *(divmod(tile, across) for tile in tiles)]
    return sum(
        abs(row - before[0]) + abs(column - before[1]) for before, (row, column) in pairwise(places)
    )


def one_by_one(data: Data, seed: int, wrong: int) -> Bill:
    """Label all items but some, without a model."""
    person = Person(data, seed)
    for label in person.truth[: person.n - wrong]:
        person.bill.card(person.keys(label))
    return person.bill


def with_suggestions(data: Data, seed: int, wrong: int) -> Bill:
    """Label all items but some, in the order of the strategy."""
    person = Person(data, seed)
    while person.labeled < person.n - wrong and person.next(person.n - wrong - person.labeled):
        pass
    return person.bill


def with_grid(data: Data, seed: int, wrong: int) -> Bill:
    """Label some items, then verify pages."""
    person = Person(data, seed)
    session, bill = person.session, person.bill
    while person.labeled < person.first:
        person.next(person.first - person.labeled)
    size = PAGE[person.kind][0]
    while (left := person.n - wrong - person.labeled) > 0:
        for label, places in page_of(session, min(size, left)):
            items = [session.pool.ids[place] for place in places]
            bill.page(person.mend(dict.fromkeys(items, label)), len(items))
            for item in items:
                session.record(item, person.name(item))
        session.wait()
    return bill


def page_of(session: nl.Session, most: int) -> Iterator[tuple[str, list[int]]]:
    """Yield the next page: what is believed to be of the class with the most items left."""
    table = session.predictions.reset_index(drop=True)
    table = table[~table["labeled"].astype(bool)]
    label = Counter(table["label"]).most_common(1)[0][0]
    of_class = table[table["label"] == label].sort_values("probability", ascending=False)
    yield label, of_class.index[:most].tolist()


def with_certificates(
    data: Data, seed: int, max_error: float, *, pages: bool = False
) -> tuple[Bill, int]:
    """Label some items, have the rest certified; also return how many labels are wrong."""
    person = Person(data, seed)
    session = person.session
    while True:
        if person.labeled < person.first:
            person.next(person.first - person.labeled)
            continue
        plan = session.certifiable(max_error)
        if plan["by_hand"] <= max(20, person.labeled // 5) and plan["machine"]:
            patience = 3 * plan["audits"] + 50
            if (
                on_pages(person, max_error, patience, seed)
                if pages
                else one_at_a_time(person, max_error, seed)
            ):
                break
        elif not person.next(max(session.batch, person.labeled // 10)):
            return person.bill, 0
    while person.next(person.n):  # what the machine did not take
        pass
    given = session.labels["label"]
    return person.bill, int((given.to_numpy() != person.truth[given.index.to_numpy()]).sum())


def one_at_a_time(person: Person, max_error: float, seed: int) -> bool:
    """Verify blind; return whether the attempt came to its end, as it does."""
    run = person.session.certify(max_error, seed=seed)
    while run.is_running:
        person.answer(run.next()[0])
    return ended(person, run)


def on_pages(person: Person, max_error: float, patience: int, seed: int) -> bool:
    """Verify pages with what the machine says, and traps; return whether it came to its end."""
    session = person.session
    run = session.certify(max_error, seed=seed, blind=False)
    looks = person.bill.looks
    while run.is_running and person.bill.looks - looks < patience:
        page, _ = run.page(PAGE[person.kind][0], [])
        if not page:
            break
        page.sort(key=lambda asked: str(asked.shown.suggestion))
        person.bill.page(person.mend({a.id: a.shown.suggestion for a in page}), len(page))
        for asked in page:
            session.record(asked, person.name(asked.id))
    return ended(person, run)


def ended(person: Person, run: Any) -> bool:
    """Give up what has not come to its end; return whether it has."""
    if run.certificate is None and run.is_running:
        run.close()
    person.session.wait()
    return run.certificate is not None


def load(name: str, folder: str, most: int) -> Data:
    """Return a set, or a part of it that is drawn at random."""
    data = built_in(name, 0) if name in BUILT_IN else read(Path(folder) / f"{name}.parquet")
    if most < len(data.codes):
        kept = np.sort(np.random.default_rng(0).permutation(len(data.codes))[:most])
        pool = data.pool.iloc[kept].reset_index(drop=True) if data.kind == "row" else (
            data.pool[kept] if data.kind == "image" else [data.pool[k] for k in kept]
        )  # fmt: skip
        data = data._replace(pool=pool, codes=data.codes[kept])
    return data


def measure(name: str, data: Data, max_error: float, seeds: int) -> dict[str, Any]:
    """Print the rows of a set, and return its figures as means over the seeds."""
    n = len(data.codes)
    bills: dict[str, list[dict[str, int]]] = {way: [] for way in WAYS}
    errors: list[float] = []
    errors_on_pages: list[float] = []
    for seed in range(seeds):
        bill, wrong = with_certificates(data, seed, max_error)
        errors.append(wrong / n)
        paged, wrong_on_pages = with_certificates(data, seed, max_error, pages=True)
        errors_on_pages.append(wrong_on_pages / n)
        made = {
            "one by one": one_by_one(data, seed, wrong),
            "suggestions": with_suggestions(data, seed, wrong),
            "grid": with_grid(data, seed, wrong),
            "certificates": bill,
            "on pages": paged,
        }
        for way, cost in made.items():
            bills[way].append(cost.per_thousand(n))
    error = float(np.mean(errors))
    found: dict[str, Any] = {"items": n, "classes": data.n_classes, "error": round(error, 4)}
    for way in WAYS:
        mean = {key: round(float(np.mean([b[key] for b in bills[way]]))) for key in bills[way][0]}
        found[way] = mean
        if way == "on pages":
            error = mean["error"] = float(np.mean(errors_on_pages))
        print(f"{name:16}{n:7,}{data.n_classes:5}{100 * error:8.2f} %  {way:14}"
              f"{mean['keys']:7,}{mean['looks']:7,}{mean['screens']:9,}", flush=True)  # fmt: skip
    return found


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../shared/data", help="folder of the parquet files")
    parser.add_argument("--sets", default="digits,usps,trec6,news20", help="with commas")
    parser.add_argument("--builtin", action="store_true", help="only sets that anyone has")
    parser.add_argument("--error", type=float, default=0.02, help="that is certified")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--most", type=int, default=1500, help="items of a set")
    options = parser.parse_args()
    names = BUILT_IN if options.builtin else options.sets.split(",")
    print("Per 1,000 items of the pool, at equal final error (share of wrong labels at the end)\n")
    print(f"{'set':16}{'items':>7}{'cls':>5}{'error':>8}    {'way':14}{'keys':>7}{'looks':>7}"
          f"{'screens':>9}")  # fmt: skip
    sets = {}
    for name in names:
        sets[name] = measure(
            name, load(name, options.data, options.most), options.error, options.seeds
        )
    print(json.dumps({"max_error": options.error, "seeds": options.seeds, "sets": sets}))


if __name__ == "__main__":
    sys.exit(main())
