import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from nblabel.suggest.explain import WordMarks, _merge, usual_row
from nblabel.suggest.features import text_features
from nblabel.widget.desk import utf16_marks


def fitted(texts, labels, **how):
    vectorizer = text_features(texts).set_params(**how)
    rows = vectorizer.fit_transform(texts)
    classifier = LogisticRegression(C=100).fit(rows, labels)
    return WordMarks.of(vectorizer, classifier), vectorizer


def marked(marks, vectorizer, text, label):
    return [
        text[start:end] for start, end, _ in marks.marks(text, vectorizer.transform([text]), label)
    ]


def test_the_words_that_speak_for_a_class():
    marks, vectorizer = fitted(
        ["win money", "money prize", "see you", "you there"], ["spam", "spam", "ham", "ham"]
    )
    text = "Dear YOU, the Money is here"
    assert marked(marks, vectorizer, text, "spam") == ["Money"]
    assert marked(marks, vectorizer, text, "ham") == ["YOU"]
    assert marked(marks, vectorizer, "nothing known", "spam") == []
    assert marked(marks, vectorizer, text, "no label") == []


def test_weights_are_shares_of_the_best():
    marks, vectorizer = fitted(["a b", "b b", "c d", "d d"], ["x", "x", "y", "y"])
    spans = marks.marks("a b b c", vectorizer.transform(["a b b c"]), "x")
    assert spans == sorted(spans) and max(weight for *_, weight in spans) == 1
    assert all(0 < weight <= 1 for *_, weight in spans)


def test_more_than_two_classes():
    marks, vectorizer = fitted(["red one", "blue two", "green three"], ["r", "b", "g"])
    assert marked(marks, vectorizer, "three reds: red, blue", "r") == ["red"]
    assert marked(marks, vectorizer, "three reds: red, blue", "g") == ["three"]


def test_a_word_that_all_texts_have_explains_none():
    texts = [f"the item {word}" for word in ("rain", "rain", "sun", "sun")] + ["the item"] * 6
    vectorizer = text_features(texts)
    rows = vectorizer.fit_transform(texts)
    # Weights as few labels give them: the words that all texts have came with one class.
    names = vectorizer.get_feature_names_out()
    weights = np.array([[{"the": 0.5, "item": 0.5, "rain": 1.0}.get(name, 0) for name in names]])
    marks = WordMarks(vectorizer, weights, ["no", "yes"], usual=usual_row(rows))
    assert marked(marks, vectorizer, "the item rain", "yes") == ["rain"]
    assert marked(marks, vectorizer, "the item", "yes") == []
    blind = WordMarks(vectorizer, weights, ["no", "yes"])
    assert marked(blind, vectorizer, "the item", "yes") == ["the", "item"]


def test_bigrams_are_marked_from_the_first_word_to_the_last():
    texts = ["not good", "good", "good fun", "not good fun"]
    marks, vectorizer = fitted(texts, ["bad", "ok", "ok", "bad"], ngram_range=(2, 2))
    assert marked(marks, vectorizer, "It is NOT -- good!", "bad") == ["NOT -- good"]


def test_overlapping_spans_become_one():
    assert _merge([(0, 3, 0.2), (2, 8, 0.9), (8, 9, 0.1), (4, 5, 1.0)]) == [
        (0, 8, 1.0), (8, 9, 0.1),
    ]  # fmt: skip


def test_places_are_code_points_whatever_the_script():
    marks, vectorizer = fitted(
        ["größe zählt", "größe größe", "שלום עולם", "שלום"], ["de", "de", "he", "he"]
    )
    text = "👩‍👩‍👧 die Größe 😀 שלום"
    ((start, end, weight),) = marks.marks(text, vectorizer.transform([text]), "de")
    assert (text[start:end], weight) == ("Größe", 1.0)
    # The page counts UTF-16 units.
    ((left, right, _),) = utf16_marks(text, [(start, end, weight)])
    assert text.encode("utf-16-le")[2 * left : 2 * right].decode("utf-16-le") == "Größe"
    assert marked(marks, vectorizer, text, "he") == ["שלום"]


def test_several_marks_in_utf16():
    text = "😀a😀😀b\ud800c"
    marks = [(1, 2, 0.5), (4, 5, 1.0), (6, 7, 0.1)]
    assert utf16_marks(text, marks) == [(2, 3, 0.5), (7, 8, 1.0), (9, 10, 0.1)]
    assert utf16_marks("abc", marks) is marks and utf16_marks("😀", []) == []


def test_a_word_whose_lower_case_is_longer_keeps_its_place():
    marks, vectorizer = fitted(["straße", "weg"], ["a", "b"])
    text = "İ straße"
    assert len("İ".lower()) == 2
    assert marked(marks, vectorizer, text, "a") == ["straße"]


def test_accents_that_the_vectorizer_strips_are_marked():
    marks, vectorizer = fitted(["cafe", "tee"], ["c", "t"], strip_accents="unicode")
    assert marked(marks, vectorizer, "Ein Café!", "c") == ["Café"]


def test_only_the_beginning_of_a_very_long_text_is_looked_at():
    marks, vectorizer = fitted(["spam", "ham"], ["s", "h"])
    assert marked(marks, vectorizer, "spam " + "x " * 50_000 + "spam", "s") == ["spam"]


@pytest.mark.parametrize(
    ("vectorizer", "classifier"),
    [
        (TfidfVectorizer(analyzer="char"), LogisticRegression()),
        (CountVectorizer(analyzer=str.split), LogisticRegression()),
        (CountVectorizer(tokenizer=str.split, token_pattern=None), LogisticRegression()),
        (HashingVectorizer(), LogisticRegression()),
        (CountVectorizer(), MultinomialNB()),
        (None, LogisticRegression()),
    ],
)
def test_where_words_cannot_be_marked(vectorizer, classifier):
    texts, labels = ["a1 b1", "c1 d1"], ["x", "y"]
    rows = np.eye(2) if vectorizer is None else vectorizer.fit_transform(texts)
    if not isinstance(vectorizer, HashingVectorizer):
        classifier.fit(rows, labels)
    assert WordMarks.of(vectorizer, classifier) is None
