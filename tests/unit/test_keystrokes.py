"""What labeling a pool costs in keys and looks: how it is counted, and one small run."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import keystrokes
from benchmarks.efficiency import Data
from benchmarks.keystrokes import Bill, Person, arrows, names_of


def blobs(n: int, n_classes: int = 3) -> Data:
    rng = np.random.default_rng(0)
    codes = rng.integers(n_classes, size=n)
    images = rng.normal(0, 0.1, size=(n, 4, 4))
    images[np.arange(n), codes % 4, codes // 4] += 1.0
    return Data("image", images, codes, images[:1], codes[:1], n_classes)


def test_arrows_go_a_tile_or_a_row_at_a_time() -> None:
    assert arrows([], 6) == arrows([0], 6) == 0
    assert arrows([1, 7], 6) == 1 + 1
    assert arrows([5, 6], 6) == 5 + 6  # the first of the next row
    assert arrows([29], 6) == 4 + 5


def test_a_label_without_a_key_is_typed() -> None:
    few, many = Person(blobs(40), 0), Person(blobs(60, 12), 0)
    assert [few.keys(name) for name in names_of(3)] == [1, 1, 1]
    assert [many.keys(name) for name in names_of(12)] == [1] * 9 + [3] * 3
    assert names_of(77)[-1] == "cy" and len(set(names_of(77))) == 77


def test_costs_are_told_per_thousand() -> None:
    bill = Bill()
    bill.card(3)
    bill.page(5, 12)
    assert bill.per_thousand(20) == {"keys": 400, "looks": 650, "screens": 100}


def test_every_way_ends_with_the_same_error() -> None:
    data = blobs(250)
    bill, wrong = keystrokes.with_certificates(data, 0, 0.1)
    assert 0 <= wrong <= 25 and bill.looks < 200
    assert bill.keys == bill.looks == bill.screens
    one = keystrokes.one_by_one(data, 0, wrong)
    assert one.keys == one.looks == one.screens == 250 - wrong
    helped = keystrokes.with_suggestions(data, 0, wrong)
    assert helped.looks == helped.keys == 250 - wrong  # one key in any case
    grid = keystrokes.with_grid(data, 0, wrong)
    assert grid.looks == 250 - wrong
    assert grid.screens < 75 and grid.keys < 125


def test_certificates_on_pages_take_fewer_screens_and_more_looks() -> None:
    data = blobs(400)
    blind, _ = keystrokes.with_certificates(data, 0, 0.1)
    paged, wrong = keystrokes.with_certificates(data, 0, 0.1, pages=True)
    assert 0 <= wrong <= 40
    # Attention has to be proven with traps, so it takes more looks, on fewer screens.
    assert blind.looks < paged.looks < 400 and paged.screens < blind.screens


def test_a_page_is_of_one_class_the_surest_first() -> None:
    person = Person(blobs(200), 0)
    while person.labeled < 50:
        person.next(10)
    ((label, places),) = keystrokes.page_of(person.session, 30)
    table = person.session.predictions.reset_index(drop=True).loc[places]
    assert len(places) == 30 and set(table["label"]) == {label} and not table["labeled"].any()
    assert (np.diff(table["probability"]) <= 0).all()


@pytest.mark.parametrize("way", [keystrokes.with_suggestions, keystrokes.with_grid])
def test_what_is_right_takes_one_key(way: object) -> None:
    data = blobs(80, 12)
    bill = way(data, 0, 0)  # type: ignore[operator]
    assert bill.looks == 80
    assert bill.keys < keystrokes.one_by_one(data, 0, 0).keys
