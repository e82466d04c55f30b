"""Vectors of words, learned from the company they keep."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nblabel.suggest import meanings
from nblabel.suggest.meanings import MeanWordVectors

ROAD = ["drives on the road", "has four wheels", "was parked near the station"]
MEADOW = ["eats grass all day", "gives milk and wool", "stands on the green meadow"]
TEXTS = [f"the {name} {what}" for name in ("car", "truck") for what in ROAD] + [
    f"the {name} {what}" for name in ("cow", "sheep") for what in MEADOW
]


def test_texts_without_a_common_word_are_alike_if_their_words_keep_the_same_company():
    fitted = MeanWordVectors().fit(TEXTS)
    car, truck, cow, sheep = fitted.transform(["car", "truck", "cow", "sheep"])
    assert car @ truck > 0.5 > max(car @ cow, truck @ sheep)
    assert cow @ sheep > 0.5


def test_rows_have_length_one_and_nothing_known_is_zero():
    fitted = MeanWordVectors().fit(TEXTS)
    rows = fitted.transform([*TEXTS, "", "???", "unheard words only"])
    assert rows.dtype == np.float32 and np.isfinite(rows).all()
    lengths = np.linalg.norm(rows, axis=1)
    assert lengths[: len(TEXTS)] == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert not rows[-3:].any()


@pytest.mark.parametrize(
    "texts", [["a b c", "d e f"], [""] * 5, ["the same"] * 5, ["?", "!"], ["one", "one", "two"]]
)
def test_too_little_text_to_learn_from(texts):
    assert MeanWordVectors().fit(texts).vectors_ is None


def naive(texts, numbers, passage):
    """Positive pointwise mutual information by loops over pairs."""
    pairs = np.zeros((len(numbers), len(numbers)))
    counts = np.zeros(len(numbers))
    for text in texts:
        known = [numbers[word] for word in text.split() if word in numbers]
        for start in range(0, len(known), passage):
            part = known[start : start + passage]
            np.add.at(counts, part, 1)
            for one, other in combinations(part, 2):
                pairs[one, other] += 1
                pairs[other, one] += 1
    contexts = counts**0.75 / (counts**0.75).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.log(pairs / pairs.sum(axis=1, keepdims=True) / contexts)
    return np.where(pairs > 0, np.maximum(made, 0), 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=9), min_size=2, max_size=12),
    st.integers(1, 6),
)
def test_company_is_counted_within_passages(lists, passage):
    texts = [" ".join(words) for words in lists]
    fitted = MeanWordVectors()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meanings, "PASSAGE", passage)
        fitted.fit(texts)
        if not hasattr(fitted.vectorizer_, "vocabulary_"):
            return
        company = fitted._company(texts).toarray()
    # A word that stands twice in a passage is company to itself once for each pair.
    expected = naive(texts, fitted.vectorizer_.vocabulary_, passage)
    assert company == pytest.approx(expected, abs=1e-5)


def test_of_a_larger_pool_some_texts_are_enough(monkeypatch):
    fitted = MeanWordVectors().fit(TEXTS)
    whole = fitted._company(TEXTS).nnz
    monkeypatch.setattr(meanings, "_MOST_TEXTS", 4)
    assert 0 < fitted._company(TEXTS).nnz < whole
