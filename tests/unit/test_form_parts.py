"""Forms that hold what is marked on the item, or asks of two."""

from __future__ import annotations

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
