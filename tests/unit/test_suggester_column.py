"""Suggestions that a column of the data holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nblabel import Boxes, FreeText, Labeler, MultiLabel, Rating, Session
from nblabel.errors import LabelValueError, OptionError, UnknownColumnError

BOX = {"shape": "box", "label": "cat", "x": 0.25, "y": 0.25, "width": 0.5, "height": 0.5}


def opened(task: Any, said: list[Any], **options: Any) -> Session:
    frame = pd.DataFrame({"text": [f"text number {k}" for k in range(len(said))]})
    frame["said"] = pd.Series(said, dtype=object)
    options = {"text": "text", "store": None, "inline": True, "blind": 0, **options}
    return Session(frame, task, suggester="said", **options)


@pytest.mark.parametrize(
    ("task", "said", "suggested"),
    [
        (["ham", "spam"], "spam", "spam"),
        (FreeText(), "a caption", "a caption"),
        (MultiLabel(["a", "b", "c"]), np.array(["c", "a"], dtype=object), ["a", "c"]),
        (Rating(1, 5), 4.0, 4),
        (Boxes(["cat", "dog"]), [BOX], [BOX]),
        (Boxes(["cat", "dog"]), np.array([BOX], dtype=object), [BOX]),
    ],
)
def test_a_column_suggests(task: Any, said: Any, suggested: Any) -> None:
    session = opened(task, [said, None])
    first, second = sorted(session.next(2), key=lambda asked: asked.id)
    assert first.suggestion is not None and second.suggestion is None
    assert (first.suggestion.label, first.suggestion.confidence) == (suggested, None)
    assert first.shown.suggestion == suggested and first.shown.visible
    assert session.has_suggestions and not session.has_model
    event = session.record(first, said.tolist() if isinstance(said, np.ndarray) else said)
    assert event.value == suggested
    assert session.labels["suggestion"].tolist() == [suggested]


def test_nothing_is_learned_then() -> None:
    session = opened(["ham", "spam"], ["spam"] * 8)
    for k, asked in enumerate(session.next(6)):
        session.record(asked, ["ham", "spam"][k % 2])
    session.retrain(wait=True)
    assert [asked.suggestion.label for asked in session.next(2) if asked.suggestion] == ["spam"] * 2
    assert session.status()["training"] == "off"


def test_the_page_shows_it_and_a_row_does_not() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4], "said": ["ham", "spam"]})
    labeler = Labeler(frame, ["ham", "spam"], row=True, suggester="said", store=None)
    assert labeler._config["suggest"] is True
    assert set(labeler.session.pool.item(0)) == {"a", "b"}
    labeler.close()


def test_more_items_bring_theirs() -> None:
    session = opened(["ham", "spam"], ["ham"])
    session.add(pd.DataFrame({"text": ["one more"], "said": ["spam"]}, index=[1]))
    suggestion = session.suggestion("1")
    assert suggestion is not None and suggestion.label == "spam"


def test_what_cannot_be_suggested() -> None:
    with pytest.raises(LabelValueError, match=r"Column 'said' has values .* The labels are 'ham'"):
        opened(["ham", "spam"], ["ham", "eggs"])
    with pytest.raises(LabelValueError, match=r"Column 'said' .*\. 'cow' is not one of the labels"):
        opened(Boxes(["cat"]), [[{**BOX, "label": "cow"}]])
    with pytest.raises(UnknownColumnError, match="no column 'sad'"):
        Session(
            pd.DataFrame({"text": ["a"]}), ["ham", "spam"], text="text", suggester="sad", store=None
        )
    with pytest.raises(OptionError, match="suggester='said' names a column, but the data has no"):
        Session(["a", "b"], ["ham", "spam"], suggester="said", store=None)
