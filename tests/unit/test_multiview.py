"""Views of a pool, and what is learned from all of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import nblabel as nl
from nblabel._progress import listening
from nblabel.errors import NblabelError
from nblabel.strategies import Find
from nblabel.suggest import ModelSuggester, MultiViewSuggester, Snapshot, default_suggester
from nblabel.suggest.bulk import sample, take
from nblabel.suggest.features import row_features
from nblabel.suggest.forest import grow
from nblabel.suggest.images import ImageFeatures
from nblabel.suggest.least_squares import LeastSquaresClassifier
from nblabel.suggest.scaling import BoundedScaler
from nblabel.suggest.series import SeriesFeatures
from nblabel.suggest.sounds import SoundFeatures
from nblabel.suggest.views import (
    OF_IMAGES,
    OF_SERIES,
    OF_SOUNDS,
    ChosenViews,
    DenseViews,
    Diffusion,
    NeighborMean,
    PartedViews,
    TextViews,
)
from nblabel.testing import check_suggester

TEXTS = [f"the {a} {b} {c}" for a in ("red", "blue") for b in ("car", "boat", "bike")
         for c in ("drives fast", "stops", "is parked", "was sold")]  # fmt: skip
COLORS = ["red" if "red" in text else "blue" for text in TEXTS]


def images(n=120):
    return load_digits().images[:n], load_digits().target[:n].astype(str)


def table():
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=90)
    return pd.DataFrame(
        {"size": kind + rng.normal(size=90) / 4, "shape": np.array(["a", "b", "c"])[kind]}
    ), kind.astype(str)


def series():
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=90)
    lines = [np.sin(np.arange(60) * (0.1 + 0.2 * k)) + rng.normal(size=60) / 4 for k in kind]
    return lines, kind.astype(str)


def sounds():
    rng = np.random.default_rng(0)
    kind = rng.integers(3, size=90)
    time = np.arange(3000) / 8000
    tones = [np.sin(2000 * (k + 1) * time) + rng.normal(size=3000) / 4 for k in kind]
    return [(tone, 8000) for tone in tones], kind.astype(str)


def notes():
    """So many words that there are too many columns for neighbours."""
    rng = np.random.default_rng(0)
    words = [" ".join(f"word{w}" for w in rng.integers(3000, size=9)) for _ in range(300)]
    return pd.DataFrame({"note": words, "n": rng.normal(size=300)})


def toarray(block):
    return block.toarray() if sparse.issparse(block) else block


CASES = {
    "text": lambda: (TEXTS, COLORS, TextViews()),
    "japanese": lambda: ([f"赤い車{k}号" if k % 2 else f"青い船{k}号" for k in range(20)],
                         [str(k % 2) for k in range(20)], TextViews()),
    "images": lambda: (*images(), PartedViews(ImageFeatures(), OF_IMAGES)),
    "series": lambda: (*series(), PartedViews(SeriesFeatures(), OF_SERIES)),
    "sounds": lambda: (*sounds(), PartedViews(SoundFeatures(), OF_SOUNDS)),
    "rows": lambda: (*table(), DenseViews(row_features(table()[0]))),
    "matrix": lambda: (images()[0].reshape(120, -1), images()[1], DenseViews()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_blocks_of_the_pool_are_those_of_new_items(case):
    items, _, views = CASES[case]()
    fitted = views.fit_blocks(items)
    again = views.transform_blocks(items)
    assert list(fitted) == list(again)
    for name, block in fitted.items():
        dense, other = toarray(block), toarray(again[name])
        assert dense.dtype == np.float32 and dense.shape[0] == len(items)
        # Of neighbours equally far the one or the other is taken.
        assert np.quantile(np.abs(dense - other), 0.99) < 2e-3
        assert 0.5 < np.sqrt((dense**2).sum(axis=1).mean()) < 1.5  # comparable
    wanted = list(fitted)[-2:]
    some = views.transform_blocks(items, wanted)
    assert set(wanted) <= set(some) <= set(fitted)
    if isinstance(views, PartedViews):
        free = {"both_features", "both_neighbors"}  # what the others are made of
        assert set(some) == set(wanted) | free, "nothing is made in vain"
    assert all(abs(some[name] - again[name]).max() < 1e-6 for name in wanted)


@pytest.mark.parametrize(
    ("case", "forest"), [*((case, False) for case in CASES), ("rows", True), ("matrix", True)]
)
def test_they_sit_the_exam(case, forest):
    items, targets, views = CASES[case]()
    suggester = MultiViewSuggester(items, views, takes_items=case != "matrix", forest=forest)
    check_suggester(suggester, list(range(0, len(items), 2)), targets[::2], len(items))


@pytest.mark.parametrize("case", [*CASES, "rows and a forest", "many columns and a forest"])
def test_the_model_says_of_new_items_what_it_says_of_the_pool(case):
    forest = case.endswith("forest")
    if case.startswith("many"):  # so many that they stay sparse
        items = notes()
        targets, views = (items["n"] > 0).astype(str), DenseViews(row_features(items))
    else:
        items, targets, views = CASES[case.removesuffix(" and a forest")]()
    positions = np.arange(0, len(items), 2)
    fitted = MultiViewSuggester(items, views, forest=forest).fit(
        Snapshot(positions, np.asarray(targets)[positions], 1)
    )
    scores = fitted.predict()
    assert fitted.model.predict_proba(items) == pytest.approx(scores.proba, abs=5e-3)
    assert list(fitted.model.classes_) == list(scores.classes)
    committee = fitted.committee(np.arange(len(items)))
    assert committee.shape[1:] == scores.proba.shape
    assert 1 <= len(committee) <= len(views.candidates) + forest
    assert committee.sum(axis=2) == pytest.approx(np.ones(committee.shape[:2]), abs=1e-5)


def test_a_cold_start_gets_a_glimpse_of_a_larger_pool(monkeypatch):
    monkeypatch.setattr("nblabel.suggest.multiview.GLIMPSE", 12)
    suggester = MultiViewSuggester(TEXTS, TextViews())
    shares: list[float] = []
    with listening(shares.append):
        seen = suggester.glimpse()
    assert seen is not None and set(shares) == {0.0}, "the whole pool is to come"
    places, features = seen
    assert len(set(places)) == len(features) == 12 and max(places) < 24
    assert np.linalg.norm(features, axis=1) == pytest.approx(np.ones(12), abs=1e-5)
    assert suggester.glimpse() is None  # one is enough
    assert MultiViewSuggester(TEXTS[:23], TextViews()).glimpse() is None
    assert len(suggester.embedding()) == 24


def test_features_are_the_richest_representation_and_the_model_sees_all_of_them():
    suggester = MultiViewSuggester(TEXTS, TextViews())
    fitted = suggester.fit(Snapshot(np.arange(24), np.array(COLORS), 1))
    rows = suggester.features()
    assert abs(suggester.transformer.transform(TEXTS) - rows).max() < 1e-3
    widths = {name: block.shape[1] for name, block in suggester.blocks().items()}
    assert {"words", "characters", "latent", "meanings"} < set(widths)
    assert rows.shape[1] < fitted.model[-1].n_features_in_ == sum(widths.values())


def test_it_marks_the_words_that_speak_for_a_label():
    fitted = MultiViewSuggester(TEXTS, TextViews()).fit(
        Snapshot(np.arange(24), np.array(COLORS), 1)
    )
    marks = {TEXTS[0][start:end] for start, end, _ in fitted.marks(0, "red")}
    assert any("red" in mark for mark in marks)
    assert not any("red" in TEXTS[0][s:e] for s, e, _ in fitted.marks(0, "blue"))


def test_few_texts_without_a_common_word():
    for texts in (["a", "b", "c"], ["", "", "x"], ["!!", "??", "😀"]):
        suggester = MultiViewSuggester(texts, TextViews())
        fitted = suggester.fit(Snapshot(np.array([0, 1, 2]), np.array(["p", "q", "q"]), 1))
        assert np.isfinite(fitted.predict().proba).all()
        assert np.isfinite(suggester.embedding()).all()


def test_rows_with_more_columns_than_are_good_for_neighbours():
    frame = notes()
    blocks = DenseViews(row_features(frame)).fit_blocks(frame)
    assert sparse.issparse(blocks["features"]) and blocks["neighbors"].shape[1] <= 200


def test_neighbours_are_averaged():
    points = np.float32([[0, 0], [0, 1], [10, 10], [10, 11]])
    made = NeighborMean(n_neighbors=2).fit(points).transform(points)
    assert made == pytest.approx(np.float32([[0, 0.5], [0, 0.5], [10, 10.5], [10, 10.5]]))


def test_chosen_views_have_length_one():
    views = TextViews().fit(TEXTS)
    made = ChosenViews(views, ("words", "latent")).fit(TEXTS).transform(TEXTS[:3])
    assert np.sqrt(made.multiply(made).sum(axis=1)) == pytest.approx(np.ones((3, 1)), abs=1e-3)


@pytest.mark.parametrize("kind", ["texts", "rows"])
def test_what_was_learned_can_be_cross_validated(kind):
    if kind == "texts":
        items, targets = TEXTS, np.array(["p", "q"])[np.arange(len(TEXTS)) % 2]
    else:
        items, targets = table()
    session = nl.Session(
        items, ["p", "q"], store=None, inline=True, row=True if kind == "rows" else None
    )
    for k, item in enumerate(session.pool.ids[:20]):
        session.record(item, "pq"[k % 2])
    session.retrain(wait=True)
    again = clone(session.model).fit(items, targets)
    assert set(again.predict(items)) <= set(targets)
    assert len(cross_val_score(session.model, items, targets, cv=2)) == 2


def test_small_whole_numbers_do_not_overflow():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 255, (60, 8)).astype(np.uint8)
    targets = np.where(rows[:, 0] > 127, "a", "b")
    made = LeastSquaresClassifier().fit(rows, targets).predict_proba(rows)
    same = LeastSquaresClassifier().fit(rows.astype(float), targets).predict_proba(rows)
    assert made == pytest.approx(same, abs=1e-4)


def test_diffusion_is_the_kernel_of_the_whole_graph():
    """With as many dimensions as items nothing is lost: held against powers of the graph."""
    rng = np.random.default_rng(0)
    near = NeighborMean(4).fit(rng.normal(size=(30, 2))).near(rng.normal(size=(30, 2)))
    near[:, 0] = np.arange(30)  # an item is its own nearest neighbour
    edges = np.zeros((30, 30))
    edges[np.repeat(np.arange(30), 4), near.ravel()] = 1
    edges = np.maximum(edges, edges.T) - np.eye(30)
    degrees = edges.sum(axis=1)
    graph = edges / np.sqrt(np.outer(degrees, degrees))
    for n_steps, tolerance in ((3, None), (200, 1e-4)):
        made = Diffusion(0.9, n_steps, 30).fit(near).coordinates_
        reached = sum(0.1 * 0.9**k * np.linalg.matrix_power(graph, k) for k in range(n_steps))
        reached += 0.9**n_steps * np.linalg.matrix_power(graph, n_steps)
        assert made @ made.T == pytest.approx(reached @ reached.T, abs=1e-4)
        if tolerance is not None:  # many steps: as if there was no end to them
            inverse = 0.1 * np.linalg.inv(np.eye(30) - 0.9 * graph)
            assert made @ made.T == pytest.approx(inverse @ inverse, abs=tolerance)


def test_diffusion_does_not_reach_what_is_not_connected():
    left = np.random.default_rng(0).normal(size=(40, 2))
    points = np.concatenate([left, left + 100])
    near = NeighborMean(5).fit(points).near(points)
    rows = Diffusion(n_components=80).fit(near).transform(near)
    assert np.abs(rows[:40] @ rows[40:].T).max() < 1e-5
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(80), abs=1e-5)


# ---------------------------------------------------------------- all views together


def test_a_view_that_knows_more_is_heard():
    """A ring around a blob: only a kernel tells them apart, and is sure of it."""
    rng = np.random.default_rng(1)
    angle, ring = rng.uniform(0, 2 * np.pi, 400), np.arange(400) % 2
    radius = np.where(ring, 3.0, 0.5) + rng.normal(scale=0.2, size=400)
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    fitted = MultiViewSuggester(points, DenseViews()).fit(
        Snapshot(np.arange(100), ring[:100].astype(str), 1)
    )
    assert (fitted.predict().proba.argmax(axis=1) == ring).mean() > 0.97


def test_a_forest_sees_steps_that_kernels_blur():
    """Whether one of twenty columns is far from 0: distances are of all twenty."""
    points = np.random.default_rng(0).normal(size=(600, 20))
    truth = (np.abs(points[:, 0]) > 0.7).astype(int)
    labels = Snapshot(np.arange(200), truth[:200].astype(str), 1)

    def right(forest):
        fitted = MultiViewSuggester(points, DenseViews(), forest=forest).fit(labels)
        return (fitted.predict().proba[200:].argmax(axis=1) == truth[200:]).mean()

    assert right(True) > right(False) + 0.1


def test_a_forest_and_least_squares_are_fitted_again_from_rows():
    frame, kinds = table()
    fitted = MultiViewSuggester(frame, DenseViews(row_features(frame)), forest=True).fit(
        Snapshot(np.arange(60), kinds[:60], 1)
    )
    features, classifier = fitted.model[0], fitted.model[-1]
    rows = features.transform(frame)
    again = clone(classifier).fit(rows[:60], kinds[:60])
    assert (again.predict(rows[60:]) == kinds[60:]).mean() > 0.9
    assert again.predict_proba(rows).sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    with pytest.raises(ValueError, match="at least two classes"):
        again.fit(rows[:60], ["a"] * 60)


def test_a_forest_of_many_labels_is_calibrated_on_some(monkeypatch):
    monkeypatch.setattr("nblabel.suggest.least_squares.MOST_EXACT", 40)
    points, kinds = table()
    codes = np.unique(kinds, return_inverse=True)[1]
    forest = grow(points[["size"]].to_numpy(), codes)
    assert forest.left_out.shape == (40, 3) and len(forest.codes) == 40
    assert (forest.left_out.argmax(axis=1) == forest.codes).mean() > 0.8


# ---------------------------------------------------------------- what is the default


def test_what_the_default_is():
    matrix = np.random.default_rng(0).normal(size=(24, 4))
    one = LogisticRegression()

    def made(**options):
        inputs = options.pop("inputs", TEXTS)
        return default_suggester(inputs, options.pop("modality", "text"), n_items=24, **options)

    assert isinstance(made(), MultiViewSuggester)
    assert isinstance(made(features=matrix), MultiViewSuggester)
    assert isinstance(made(inputs=None, modality=None, features=matrix), MultiViewSuggester)
    assert isinstance(made(estimator=one), ModelSuggester)
    assert isinstance(made(features=sparse.csr_matrix(matrix)), ModelSuggester)
    assert isinstance(made(features=CountVectorizer()), ModelSuggester)


@pytest.mark.parametrize(("modality", "members"), [("row", 4), ("image", 3)])
def test_only_tables_have_a_forest(modality, members):
    items, targets = table() if modality == "row" else images(90)
    made = default_suggester(items, modality, n_items=90)
    fitted = made.fit(Snapshot(np.arange(90), targets, 1))
    assert len(fitted.committee(np.arange(5))) == members


def test_a_very_large_pool_keeps_to_one_view(monkeypatch):
    matrix = images()[0].reshape(120, -1)[:24]
    monkeypatch.setattr("nblabel.suggest.multiview.MOST_LEARNED", 23)
    assert isinstance(default_suggester(TEXTS, "text", n_items=24), MultiViewSuggester)
    given = default_suggester(None, None, features=matrix, n_items=24)
    assert isinstance(given, ModelSuggester), "what the user has made is taken as it is sooner"
    monkeypatch.setattr("nblabel.suggest.multiview.MOST_ITEMS", 23)
    assert isinstance(default_suggester(TEXTS, "text", n_items=24), ModelSuggester)


@pytest.mark.parametrize("case", CASES)
def test_views_of_a_large_pool_are_learned_from_a_sample(case, monkeypatch):
    items, _, views = CASES[case]()
    n_items, n_drawn = len(items), len(items) * 2 // 3
    limits = {"MOST_LEARNED": n_items - 1, "SAMPLE_LEARNED": n_drawn, "_CHUNK": 7}
    for name, value in limits.items():
        monkeypatch.setattr(f"nblabel.suggest.views.{name}", value)
    shares: list[float] = []
    with listening(shares.append):
        blocks = views.pool_blocks(items)
    assert shares == sorted(shares) and shares[-1] >= 0.3, "progress does not go back"
    drawn = sample(n_items, 0, n_drawn)
    others = np.setdiff1d(np.arange(n_items), drawn)
    for places, made in (
        (drawn, clone(views).fit_blocks(take(items, drawn))),
        (others, views.transform_blocks(take(items, others))),
    ):
        assert list(made) == list(blocks)
        for name, block in made.items():
            assert blocks[name].shape[0] == n_items and blocks[name].dtype == np.float32
            # Of neighbours equally far the one or the other is taken.
            apart = np.abs(toarray(blocks[name][places]) - toarray(block))
            assert np.quantile(apart, 0.99) < 2e-3


def test_predict_takes_rows_where_the_pool_was_a_matrix():
    pixels, digits = images()
    session = nl.Session(
        list(map(str, range(120))), sorted(set(digits)), features=pixels.reshape(120, -1),
        store=None, inline=True,
    )  # fmt: skip
    for one in session.next(60):
        session.record(one, digits[session.pool.position(one.id)])
    session.retrain(wait=True)
    predicted = session.predict(pixels.reshape(120, -1))
    assert (predicted["label"].to_numpy() == digits).mean() > 0.8


# ---------------------------------------------------------------- goals


def test_goal_find_asks_for_likely_items():
    rng = np.random.default_rng(0)
    rare = rng.random(400) < 0.05
    points = rng.normal(size=(400, 5)) + 3.0 * rare[:, None]
    truth = np.where(rare, "rare", "common")

    def found(**options):
        session = nl.Session(
            list(map(str, range(400))), ["common", "rare"], features=points, store=None,
            inline=True, explore=0.0, **options,
        )  # fmt: skip
        nl.simulate(session, truth, 100)
        return session

    session = found(goal="find", target="rare")
    assert session.status()["doing"] == "looking for rare"
    n = (session.labels["label"] == "rare").sum()
    assert n > 0.9 * rare.sum() > (found(strategy="random").labels["label"] == "rare").sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"goal": "win"}, "goal= is 'learn' or 'find', got 'win'"),
        ({"goal": np.array(["find", "learn"])}, "goal= is 'learn' or 'find', got array"),
        ({"target": "red"}, "needs goal='find'"),
        ({"goal": "find", "strategy": "margin"}, "leave strategy= out"),
        ({"goal": "find", "target": "green"}, "target= is the label to find. 'green' is not one"),
        ({"goal": "find", "target": ["red"]}, "target= is one label to find, got list"),
        ({"strategy": Find("green")}, "target= is the label to find. 'green' is not one"),
        ({"goal": "find", "model": False}, "requires proba. .* Or leave strategy= and goal= out"),
        ({"strategy": "find", "model": False}, "requires proba"),
    ],
)
def test_goals_that_make_no_sense(options, message):
    with pytest.raises(NblabelError, match=message):
        nl.Session(TEXTS, ["red", "blue"], store=None, **options)


@pytest.mark.parametrize(
    ("target", "found", "aim"),
    [
        *((given, "accept", "looking for spam") for given in (None, "spam", True, "accept")),
        (False, "reject", "looking for reject"),
    ],
)
def test_what_is_accepted_is_found(target, found, aim):
    task = nl.Binary("spam")
    session = nl.Session(TEXTS, task, store=None, inline=True, goal="find", target=target)
    assert (session.strategy.target, session.strategy.aim) == (found, aim)


def test_what_a_sample_has_not_seen_breaks_nothing(monkeypatch):
    """A text that is rarely there, a number that is rarely large, a date that is rarely known."""
    n_items = 400
    drawn = sample(n_items, 0, 100)
    rare = np.setdiff1d(np.arange(n_items), drawn)[:3]
    for name, value in {"MOST_LEARNED": n_items - 1, "SAMPLE_LEARNED": 100}.items():
        monkeypatch.setattr(f"nblabel.suggest.views.{name}", value)
    size = np.random.default_rng(0).normal(size=n_items)
    rows = pd.DataFrame({"size": size, "fee": 0.0, "paid": pd.NaT, "remark": None})
    rows["paid"] = rows["paid"].astype("datetime64[ns]")
    rows["remark"] = rows["remark"].astype(object)
    rows.loc[rare, "fee"] = [1.1e6, 2.3e6, 5.7e6]
    rows.loc[rare, "paid"] = pd.Timestamp("2026-01-01")
    rows.loc[rare, "remark"] = [f"customer {k} asked to be called back later" for k in rare]
    labels = np.where(size > 0, "up", "down")
    places = np.concatenate([rare, drawn[:60]])
    suggester = MultiViewSuggester(rows, DenseViews(row_features(rows)), forest=True)
    scores = suggester.fit(Snapshot(places, labels[places], 1)).predict()
    said = np.array(scores.classes)[scores.proba.argmax(axis=1)]
    usual = np.setdiff1d(np.arange(n_items), rare)
    assert np.mean(said[usual] == labels[usual]) > 0.9
    assert np.isfinite(suggester.embedding()).all()
    assert np.abs(toarray(suggester.features())).max() < 30, "about 1 is usual"


def test_texts_of_which_a_sample_has_no_word(monkeypatch):
    texts = [""] * 397 + ["a word or two"] * 3
    for name, value in {"MOST_LEARNED": 399, "SAMPLE_LEARNED": 50}.items():
        monkeypatch.setattr(f"nblabel.suggest.views.{name}", value)
    assert sample(400, 0, 50).max() < 397, "the sample has none of the words"
    suggester = MultiViewSuggester(texts, TextViews())
    fitted = suggester.fit(Snapshot(np.arange(4), np.array(["a", "b", "a", "b"]), 1))
    assert np.isfinite(fitted.predict().proba).all()
    assert fitted.marks(399, "a") == []
    assert fitted.model.predict(["", "something"]).shape == (2,)
    assert len(suggester.embedding()) == 400


@pytest.mark.parametrize("n_items", [2, 5, 100])
def test_no_number_is_further_away_than_it_can_be(n_items):
    one_off = np.zeros((n_items, 2))
    one_off[0] = 1e9, 1.0
    scaler = BoundedScaler().fit(one_off)
    assert scaler.transform(one_off) == pytest.approx(StandardScaler().fit_transform(one_off))
    assert BoundedScaler().fit_transform(one_off.astype(np.float32)).dtype == np.float32
    later = scaler.transform([[1e30, -1e30]])
    assert later.tolist() == [[np.sqrt(n_items), -np.sqrt(n_items)]]


def test_whole_numbers_that_a_tree_divides_at_are_predicted_as_they_were():
    """Labels on even numbers make thresholds of odd ones, which are among the new rows."""
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 30, size=(300, 3))
    numbers[:60] *= 2
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    truth = np.where(frame["a"] + frame["b"] > 30, "high", "low")
    session = nl.Session(
        frame, ["high", "low"], row=["a", "b", "c"], store=None, inline=True, explore=0
    )
    for k in range(60):
        session.record(str(k), truth[k])
    session.retrain(wait=True)
    assert "Forest" in type(session.model[-1]).__name__
    again = session.predict(frame)["probability"]
    assert np.abs(again - session.predictions["probability"]).max() < 1e-5


def test_of_rows_that_are_as_near_the_first_count_whatever_the_threads() -> None:
    rows = (np.random.default_rng(0).random((1800, 12)) < 0.5).astype(np.float32)
    mean = NeighborMean(n_neighbors=10).fit(rows)
    far = np.abs(rows[:50, None] - rows).sum(axis=2)
    first = np.sort(np.argsort(far, axis=1, kind="stable")[:, :10])
    for threads in (1, 2):
        with threadpool_limits(threads):
            near = mean.near(rows)
            assert np.array_equal(np.sort(near[:50]), first)
            assert np.array_equal(mean.near(rows[:50]), near[:50])
    assert np.array_equal(NeighborMean().fit(rows * 0).near(rows[:1] * 0), [range(10)])
