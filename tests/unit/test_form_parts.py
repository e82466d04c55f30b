"""Forms that hold what is marked on the item, or asks of two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nblabel as nl
from nblabel.errors import LabelValueError

MARK = {"start": 0, "end": 3, "label": "person"}


def test_spans_stand_in_a_form_and_are_held_against_the_text() -> None:
    form = nl.Form({"who": nl.Spans(["person"]), "tone": nl.Choice(["kind", "rude"])})
    session = nl.Session(["Ana came", "no"], form, store=None)
    session.record("0", {"who": [MARK], "tone": "kind"})
    assert session.labels["who"].tolist() == [[MARK]]
    with pytest.raises(LabelValueError, match="has 2 characters"):
        session.record("1", {"who": [MARK], "tone": "kind"})
    with pytest.raises(LabelValueError, match=r"who: .*not one of the labels"):
        session.record("1", {"who": [{**MARK, "label": "x"}], "tone": "kind"})


def test_pairs_stand_in_a_form() -> None:
    form = nl.Form({"better": nl.Pairs(), "why": nl.FreeText(required=False)})
    session = nl.Session([("a", "b")], form, store=None)
    session.record("0", {"better": "second", "why": ""})
    assert session.labels["better"].tolist() == ["second"]


def test_a_class_in_a_form_is_said_with_the_probability_that_it_is_right() -> None:
    """As it is by itself: the default model treats classes alike."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(1500) < 0.1, "rare", "common")
    table = pd.DataFrame(rng.normal(size=(1500, 3)), columns=list("abc"))
    table["a"] += 1.4 * (truth == "rare")
    task = nl.Form({"kind": nl.Choice(["common", "rare"]), "grade": nl.Rating(1, 3)})
    session = nl.Session(table, task, row=True, store=None, inline=True, explore=1.0)
    for one in session.next(300):
        session.record(one, {"kind": truth[session.pool.position(one.id)], "grade": 2})
    session.retrain(wait=True)
    left = session.predictions[lambda t: ~t["labeled"]]
    right = left["kind"] == truth[left.index]
    said = left["probability"].groupby(left["kind"]).mean()
    found = right.groupby(left["kind"]).mean()
    assert found["rare"] < 0.6
    assert said.to_numpy() == pytest.approx(found.to_numpy(), abs=0.12)
    new = session.predict(table.loc[left.index])
    assert new["probability"].to_numpy() == pytest.approx(left["probability"], abs=1e-3)
