"""Items that are alike, searched, there twice, or not usable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import sparse

from nblabel import finding
from nblabel.errors import OptionError
from nblabel.session import Session
from nblabel.suggest import Embedding, Snapshot

from .test_session import TEXTS, make

LONG = [
    "The committee met on Tuesday to discuss the budget for the coming year in some detail",
    "A recipe for bread needs flour, water, salt and yeast, and above all a lot of patience",
    "Our flight was delayed by three hours because of fog, so that we missed the connection",
]


# ---------------------------------------------------------------- similar


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_the_nearest_are_exact(form: Any) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.random((300, 40)) * (rng.random((300, 40)) < 0.3)).astype(np.float32)
    rows[7] = 0  # like nothing at all
    lengths = np.linalg.norm(rows, axis=1)
    cosine = (rows @ rows[11]) / np.where(lengths, lengths * lengths[11], 1)

    class Some:
        def embedding(self) -> Embedding:
            return Embedding(form(rows))

    places, alike = finding.nearest(Some(), 11, 25)  # type: ignore[arg-type]
    order = np.argsort(-np.where(np.arange(300) == 11, -9, cosine), kind="stable")[:25]
    assert alike == pytest.approx(cosine[order], abs=1e-5) and set(places) == set(order)
    assert finding.nearest(Some(), 7, 3)[1].tolist() == [0, 0, 0]  # type: ignore[arg-type]
    assert len(finding.nearest(Some(), 7, 1000)[0]) == 299  # type: ignore[arg-type]


@pytest.mark.parametrize("way", ["inline", "thread"])
def test_similar_items_can_be_asked_next(way: str) -> None:
    session = make(index_by_letters(), text="text", inline=way == "inline", worker=way)
    found = session.similar("a1", 4)
    assert list(found.columns) == ["item", "similarity", "labeled"]
    assert found.index.name == "key" and "a1" not in found.index
    assert found["similarity"].is_monotonic_decreasing and not found["labeled"].any()
    money = [key for key in found.index if "money" in session.pool.item(session.pool.position(key))]
    assert len(money) == 4
    session.record("a3", "spam")
    assert session.similar("a1", 40)["labeled"].sum() == 1
    session.ask(found)
    assert [asked.id for asked in session.next(4)] == list(found["item"])
    session.close()


def index_by_letters() -> pd.DataFrame:
    index = pd.Index([f"a{k}" for k in range(len(TEXTS))], name="key")
    return pd.DataFrame({"text": TEXTS}, index=index)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "three"])
def test_a_number_of_items_is_one(k: Any) -> None:
    with pytest.raises(OptionError, match="k is a number of items from 1"):
        make().similar("0", k)


def test_without_features_nothing_is_alike() -> None:
    with pytest.raises(OptionError, match="switched off by model=False"):
        make(model=False).similar("0")


# ---------------------------------------------------------------- search


def test_search_finds_all_words_in_any_case() -> None:
    session = make(["Money  now", "no MONEY", "straße", "STRASSE", "", "x"])
    assert list(session.search("money")["item"]) == ["0", "1"]
    assert list(session.search("NO mon")["item"]) == ["0", "1"]
    assert list(session.search('"no mon"')["item"]) == ["1"]
    assert list(session.search('"now" m')["item"]) == ["0"]
    assert list(session.search("STRASSE")["item"]) == ["2", "3"]
    assert len(session.search("money", 1)) == 1 and session.search("nothing").empty
    assert list(session.search("nothing").columns) == ["item", "labeled"]
    for nothing in ("", '""', "  "):
        with pytest.raises(OptionError, match="give a word"):
            session.search(nothing)
    with pytest.raises(OptionError, match="search takes a text, got int"):
        session.search(3)  # type: ignore[arg-type]


def test_search_looks_into_rows_and_at_what_was_added() -> None:
    rows = pd.DataFrame({"a": ["red", "blue"], "b": [1, 27]})
    session = make(rows, row=["a", "b"])
    assert list(session.search("27 blue").index) == [1]
    session.add(pd.DataFrame({"a": ["blue"], "b": [3]}))
    assert list(session.search("blue").index) == [1, 2]
    gaps = make(pd.DataFrame({"a": ["red", None, np.nan], "b": [1, 2, 3]}), row=["a", "b"])
    assert list(gaps.search("RED").index) == [0] and gaps.search("nan").empty
    with pytest.raises(OptionError, match="have no text that could be searched"):
        make(np.zeros((3, 4, 4))).search("x")
    with pytest.raises(OptionError, match="have no text that could be searched"):
        make([np.arange(9.0), np.ones(5)], series=True).search("x")
    with pytest.raises(OptionError, match="have no text that could be searched"):
        make(["x.wav", "y.wav"], audio=True).search("x")


# ---------------------------------------------------------------- duplicates


def test_exact_and_near_duplicates_of_texts() -> None:
    near = LONG[0].replace("Tuesday", "Monday")
    data = [*LONG, LONG[1].upper().replace(" ", "  "), near, near, "short", "short!", "", ""]
    found = make(data).duplicates()
    assert list(found["item"]) == ["0", "4", "5", "1", "3"]
    assert list(found["group"]) == ["0", "0", "0", "1", "1"]
    assert list(found["exact"]) == [True, False, False, True, True]
    assert make(LONG).duplicates().empty


def test_near_duplicates_are_those_of_the_definition() -> None:
    """All pairs, one by one, against the fast way."""
    rng = np.random.default_rng(1)
    letters = np.array(list("abcdefgh "))
    data = []
    for _ in range(60):
        text = rng.choice(letters, 120)
        for n in (0, 1, 3, 6):
            changed = text.copy()
            changed[rng.integers(0, 120, n)] = "z"
            data.append("".join(changed))
    grams = [{text[k : k + 5] for k in range(len(text) - 4)} for text in data]
    group = np.arange(len(data))
    for one in range(len(data)):
        for other in range(one):
            both = len(grams[one] & grams[other])
            if both >= finding.NEAR * len(grams[one] | grams[other]):
                group[group == group[one]] = group[other]
    alike = {tuple(np.flatnonzero(group == k).tolist()) for k in np.unique(group)}
    leader = finding.led(*finding._near_texts(data), len(data))
    found = {tuple(np.flatnonzero(leader == k).tolist()) for k in np.unique(leader)}
    assert any(len(ones) > 1 for ones in alike) and any(len(ones) == 1 for ones in alike)
    assert found == alike


def test_what_is_near_only_by_what_lies_between_is_not() -> None:
    words = [f"word{k}" for k in range(200)]
    data = [" ".join(words[k : k + 30]) for k in range(40)]  # each like the next one
    found = make(data).duplicates()
    grams = [{text[k : k + 5] for k in range(len(text) - 4)} for text in data]
    assert len(found) and found["group"].nunique() > 5
    for item, group in zip(found["item"].astype(int), found["group"].astype(int), strict=True):
        assert len(grams[item] & grams[group]) >= finding.NEAR * len(grams[item] | grams[group])


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=30)
    )
)
def test_each_is_near_the_first_of_its_group(pairs: list[tuple[int, int]]) -> None:
    n = 12
    near = np.eye(n, dtype=bool)
    for one, other in pairs:
        near[one, other] = near[other, one] = True
    given_pairs = np.argwhere(np.triu(near, 1))
    leader = finding.led(given_pairs, lambda one, some: near[one, some], n)
    for item in range(n):
        earlier = [k for k in range(item) if leader[k] == k and near[k, item]]
        assert leader[item] == (earlier[0] if earlier else item)


def test_rows_are_near_where_all_that_counts_is_nearly_the_same() -> None:
    rng = np.random.default_rng(3)
    n = 400
    ages = pd.DataFrame({"age": np.arange(n) * 0.2 + 18})
    assert make(ages, row=True).duplicates().empty
    rows = pd.DataFrame(
        {
            "size": rng.normal(50, 10, n),
            "year": rng.integers(1990, 2024, n),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), "D"),
            "kind": rng.choice(["red", "green"], n),
            "rare": np.where(rng.random(n) < 0.1, rng.random(n), 0.0),
        }
    )
    rows.loc[3, "size"] = 1e5  # nobody else becomes alike by it
    rows.loc[5, "size"] = np.nan
    assert make(rows, row=True).duplicates().empty
    rows.loc[7] = rows.loc[8]
    rows.loc[7, "size"] += 0.005
    rows.loc[8, "kind"], rows.loc[7, "kind"] = "Red", "red "
    rows.loc[10] = rows.loc[5]
    rows.loc[20] = rows.loc[21]
    rows.loc[20, "rare"] = 1e-9
    rows.loc[30] = rows.loc[31]
    rows.loc[30, "year"] += 1
    found = make(rows, row=True).duplicates()
    assert list(found["item"]) == ["5", "10", "7", "8"]
    assert list(found["exact"]) == [True, True, True, False]
    together = make(rows, row=True, duplicates="together")
    together.record("7", "ham")
    assert list(together.labels.index) == [7, 8]


def test_features_of_ones_own_make_nothing_a_duplicate() -> None:
    line = np.linspace(0, 1, 200)[:, None]
    images = np.random.default_rng(4).integers(0, 255, (200, 6, 6)).astype(np.uint8)
    assert make(images, features=np.hstack([line, line])).duplicates().empty


def test_duplicates_of_images() -> None:
    rng = np.random.default_rng(2)
    images = rng.integers(0, 200, (30, 8, 8)).astype(np.uint8)
    images[20] = images[3]
    images[21] = images[4]
    images[21, 0, 0] += 1
    found = make(images).duplicates()
    assert list(found["item"]) == ["3", "20", "4", "21"]
    assert list(found["exact"]) == [True, True, True, False]


# ---------------------------------------------------------------- together


@pytest.mark.filterwarnings("ignore:The model could not be trained")
def test_what_a_copy_was_labeled_as_is_learned_once() -> None:
    """Else a model tried on labels that it was not shown would have seen their copies."""
    seen: list[np.ndarray] = []

    class Listening:
        def fit(self, snapshot: Snapshot) -> Any:
            seen.append(snapshot.positions)
            raise ValueError("nothing to learn")

        def embedding(self) -> None:
            return None

    texts = ["one", "two", "three", "four"] * 3
    session = Session(
        texts, ["a", "b"], suggester=Listening(), duplicates="together", store=None, inline=True,
        strategy="random",
    )  # fmt: skip
    for item, name in zip(session.pool.ids[:3], "aba", strict=True):
        session.record(item, name)
    session.retrain(wait=True)
    assert len(session.labels) == 9 and seen[-1].tolist() == [0, 1, 2]
    session.record(session.pool.ids[4], "b")  # looked at by itself
    session.retrain(wait=True)
    assert sorted(seen[-1].tolist()) == [0, 1, 2, 4]


def test_duplicates_are_labeled_together_each_with_its_own_event() -> None:
    data = [*LONG, LONG[1], LONG[1].upper(), *LONG]
    session = make(data, duplicates="together", explore=0)
    event = session.record("1", "ham")
    assert event.item == "1" and event.shown.strategy == "given"
    assert list(session.labels.index) == [1, 3, 4, 6]
    assert (
        session.labels.loc[3, "strategy"] == "duplicate" and session.labels["seconds"].isna().all()
    )
    assert not session.labels.loc[[3, 4, 6], "audit"].any()
    assert session.record("3", "spam") and session.said("1")[0] == "ham"  # only that one
    session.undo()
    assert session.undo() is not None and session.labels.empty  # the one answer, and all of it
    assert {asked.id for asked in session.next(8)} == set(session.pool.ids)
    session.skip("0")
    assert session.skipped == ["0"]
    assert make(data, explore=0).record("1", "ham") and len(make(data).labels) == 0


def test_what_somebody_has_labeled_is_left_alone() -> None:
    session = make([*LONG, *LONG], duplicates="together")
    session.record("4", "spam", annotator="bo")
    assert session.said("1")[0] == "spam"
    session.record("1", "ham")
    assert session.said("4")[0] == "spam"
    session.add(LONG[:2])
    session.record("0", "ham")
    assert [session.said(item)[0] for item in ("3", "6", "7")] == ["ham", "ham", None]


@pytest.mark.parametrize("value", ["apart", True, 1])
def test_duplicates_are_labeled_together_or_not(value: Any) -> None:
    with pytest.raises(OptionError, match="duplicates= is 'together' or None"):
        make(duplicates=value)


# ---------------------------------------------------------------- check


def test_check_names_what_is_wrong_with_texts() -> None:
    found = make([*LONG, "  ", None, LONG[0].title()]).check()
    assert list(found["item"]) == ["3", "4", "5"]
    assert list(found["problem"]) == ["empty", "empty", "duplicate"]
    assert found["reason"].tolist()[2] == "the same as 0"


def test_check_names_images_that_are_broken_plain_or_unlike_others(tmp_path: Any) -> None:
    rng = np.random.default_rng(3)
    paths = []
    for k in range(30):
        row = np.linspace(0, 255, 16) + rng.normal(0, 8, 16)
        image = np.clip(np.tile(row, (16, 1)), 0, 255).astype(np.uint8)
        if k == 5:
            image = 255 - image
        paths.append(tmp_path / f"{k:02}.png")
        Image.fromarray(image).save(paths[-1])
    paths[9].write_bytes(b"no image")
    found = make(paths).check().reset_index(drop=True)
    kinds = dict(zip(found["item"].map(lambda item: item[-6:-4]), found["problem"], strict=True))
    assert kinds["09"] == "corrupt" and kinds["05"] == "outlier"
    assert "unlike all others" in found["reason"][found["problem"] == "outlier"].iloc[0]
    plain = make(np.stack([np.full((4, 4), 3.0), *rng.random((3, 4, 4))])).check()
    assert plain["reason"].tolist() == ["all pixels have the same value"]


def test_rows_may_be_empty_and_data_may_be_fine() -> None:
    rows = pd.DataFrame({"a": ["x", None, "y"], "b": [1.0, np.nan, 2.0]})
    assert make(rows, row=["a", "b"]).check()["problem"].tolist() == ["empty"]
    assert make(LONG).check().empty
    assert list(make(LONG).check().columns) == ["item", "problem", "reason", "labeled"]


def test_the_labeler_delegates() -> None:
    from nblabel import Labeler

    labeler = Labeler(Session([*LONG, LONG[0]], ["a", "b"], store=None, inline=True))
    assert labeler.check()["problem"].tolist() == ["duplicate"]
    assert len(labeler.duplicates()) == 2 and list(labeler.search("flour").index) == [1]
    assert labeler.similar(0, 1).index.tolist() == [3]
    labeler.ask([2])
    assert labeler.session.next()[0].id == "2"
    assert labeler.report().items == 4 and labeler.review().empty
