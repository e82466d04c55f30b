import hashlib
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from nblabel import datasets


@pytest.fixture(scope="module")
def docs() -> pd.DataFrame:
    return datasets.installed_docs()


def test_docs_have_the_promised_shape(docs):
    assert list(docs.columns) == ["text", "library", "name"]
    assert len(docs) >= 1500
    assert docs.index.is_unique and docs.index.is_monotonic_increasing
    assert (docs.index == docs["name"]).all()
    assert not docs.isna().any().any()


def test_docs_are_balanced_enough_to_learn_from(docs):
    share = docs["library"].value_counts(normalize=True)
    assert set(share.index) == set(datasets.LIBRARIES)
    assert share.min() > 0.05
    assert share.max() < 0.6


def test_docs_belong_to_the_library_of_their_name(docs):
    assert (docs["name"].str.split(".").str[0] == docs["library"]).all()
    public = docs["name"].str.split(".").map(lambda parts: not any(p[0] == "_" for p in parts))
    assert public.all()


def test_docs_do_not_give_the_answer_away(docs):
    words = r"numpy|pandas|scipy|sklearn|scikit[-\s]*learn|\bnp\.|\bpd\."
    told = docs["text"].str.contains(words, flags=re.IGNORECASE)
    assert docs["text"][told].tolist() == []
    assert docs["text"].str.contains(datasets.MASK, regex=False).any()


def test_docs_are_prose(docs):
    text = docs["text"]
    assert text.is_unique
    assert (text.str.split().str.len() >= 4).all()
    assert not text.str.contains(r"`|\n|>>>|-----|:\w+:`", regex=True).any()
    assert text["numpy.linalg.norm"].startswith("Matrix or vector norm.")
    assert text["pandas.concat"].startswith("Concatenate")
    assert not text.str.contains(r"\bParameters -|(?<!\.)\.\. \w+::", regex=True).any()


def test_docs_are_the_same_in_another_process(docs):
    code = (
        "import hashlib; from nblabel.datasets import installed_docs;"
        "print(hashlib.sha256(installed_docs().to_csv().encode()).hexdigest())"
    )
    here = hashlib.sha256(docs.to_csv().encode()).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_callers_cannot_spoil_the_next_call(docs):
    mine = datasets.installed_docs()
    mine["text"] = "spoiled"
    pd.testing.assert_frame_equal(datasets.installed_docs(), docs)


def test_a_limit_draws_by_seed(docs):
    few = datasets.installed_docs(limit=50, seed=3)
    pd.testing.assert_frame_equal(few, datasets.installed_docs(limit=50, seed=3))
    pd.testing.assert_frame_equal(few, docs.loc[few.index])
    assert len(few) == 50 and few["library"].nunique() > 1
    assert not few.index.equals(datasets.installed_docs(limit=50, seed=4).index)
    assert len(datasets.installed_docs(limit=10**6)) == len(docs)
    with pytest.raises(ValueError, match="negative"):
        datasets.installed_docs(limit=-1)


def test_digits():
    images, labels = datasets.digits()
    assert images.shape == (1797, 8, 8) and images.dtype == np.uint8
    assert images.min() == 0 and images.max() == 255
    assert labels.shape == (1797,) and set(labels) == set("0123456789")


@pytest.mark.parametrize(
    ("load", "rows", "columns", "names"),
    [
        (datasets.wine, 178, 13, {"class_0", "class_1", "class_2"}),
        (datasets.breast_cancer, 569, 30, {"malignant", "benign"}),
    ],
)
def test_tables(load, rows, columns, names):
    frame = load()
    assert frame.shape == (rows, columns + 1)
    assert set(frame["label"]) == names
    assert all(type(name) is str for name in frame["label"])
    assert frame.drop(columns="label").dtypes.eq(float).all()


@pytest.mark.parametrize(
    ("doc", "summary"),
    [
        ("Add numbers.\n\nParameters\n----------\nx : int", "Add numbers."),
        ("add(x, y=(1, 2))\n\nAdd  with\n``np.add``.", "Add with add."),
        ("Sort.\n\n.. versionadded:: 1.2\n\nUses :func:`~numpy.sort` twice.\n\nThird.",
         "Sort. Uses [library].sort twice."),
        ("Fit.\n\nRead more in the :ref:`User Guide <fit>`.", "Fit."),
        ("Join.\n\nTwo lists.\nParameters\n----------\nx : int", "Join. Two lists."),
        ("Sum.\n\n>>> f()\n\nMore.", "Sum."),
    ],
)  # fmt: skip
def test_summaries(doc, summary):
    assert datasets._summary(doc) == summary
