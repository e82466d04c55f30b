"""Points, tables, several columns together, and columns in a folded line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import nblabel as nl
from nblabel.errors import DataError, OptionError, UnknownColumnError
from nblabel.renderers import (
    ImageRenderer,
    PairRenderer,
    PointRenderer,
    SeveralRenderer,
    TableRenderer,
    TextRenderer,
    open_pool,
    safe_view,
)
from nblabel.renderers.point import places_of
from nblabel.suggest.features import learning_inputs
from nblabel.testing import check_renderer

ZURICH = [[47.3769, 8.5417]]
CITIES = pd.DataFrame(
    {"city": ["Zürich", "Quito", "?"], "lat": [47.3769, -0.1807, None], "lon": [8.5417, -78.4, 1]},
    index=["z", "q", "x"],
)


class TestPoints:
    @pytest.mark.parametrize(
        "item",
        [
            (47.3769, 8.5417),
            [47.3769, -351.4583],
            np.array([[47.3769, 8.5417]]),
            {"lat": 47.3769, "lon": 8.5417, "city": "Zürich"},
            {"Latitude": 47.3769, "lng": "8.5417"},
            {"type": "Point", "coordinates": [8.5417, 47.3769, 408]},
        ],
    )
    def test_a_place_may_be_said_in_many_ways(self, item):
        assert places_of(item) == ZURICH
        assert PointRenderer().accepts(item)

    @pytest.mark.parametrize(
        ("item", "why"),
        [
            ((91, 0), "latitude is from -90"),
            ((float("nan"), 0), "latitude is from -90"),
            ((1, 2, 3), "shape"),
            ([], "shape"),
            ("47, 8", "got str"),
            ({"x": 1, "y": 2}, "has a latitude"),
            (np.zeros((1001, 2)), "at most 1,000"),
        ],
    )
    def test_what_is_no_place_says_why(self, item, why):
        assert not PointRenderer().accepts(item)
        view = safe_view(PointRenderer(), item)
        assert (view.kind, why in view.data["text"]) == ("error", True)

    def test_two_columns_are_latitude_and_longitude(self):
        session = nl.Session(CITIES, ["coast", "inland"], point=("lat", "lon"), store=None)
        assert session.view("z").data["points"] == ZURICH
        assert session.view("x").kind == "missing"
        session.record("q", "inland")
        session.add(CITIES.iloc[:1].set_axis(["new"]))
        assert session.view("new").data["points"] == ZURICH
        assert list(session.labels.index) == ["q"]
        with pytest.raises(OptionError, match="two"):
            nl.Session(CITIES, ["a", "b"], point=("lat", "lon", "city"), store=None)

    def test_nothing_is_fetched_unless_tiles_are_named(self):
        assert PointRenderer().view((1, 2)).data == {
            "points": [[1.0, 2.0]], "tiles": None, "credit": "",
        }  # fmt: skip
        tiles = "https://tiles.example/{z}/{x}/{y}.png"
        assert PointRenderer(tiles, "© them").view((1, 2)).data["tiles"] == tiles
        for wrong in ("javascript:alert(1)//{z}{x}{y}", "https://a/{z}/{x}.png", "//a/{z}{x}{y}"):
            with pytest.raises(OptionError, match="tiles="):
                PointRenderer(wrong)

    def test_points_pass_the_exam_of_renderers(self):
        check_renderer(PointRenderer(), [(1, 2), np.ones((3, 2)), {"lat": 1, "lon": 2}])


class TestTables:
    TABLE = pd.DataFrame({"n": [1, 2, 3], "<b>": ["x", None, "z"], "f": [0.5, 1 / 3, np.nan]})

    def test_cells_are_texts_with_their_kind(self):
        view = TableRenderer(most_rows=2).view(self.TABLE)
        assert view.data["columns"] == ["n", "<b>", "f"]
        assert view.data["cells"] == [
            [["1", "number"], ["x", "text"], ["0.5", "number"]],
            [["2", "number"], ["", "missing"], ["0.333333", "number"]],
        ]
        assert (view.data["rows"], view.data["width"]) == (3, 3)

    @pytest.mark.parametrize(
        "item", [[{"a": 1}, {"a": 2, "b": 3}], {"a": [1, 2]}, np.zeros((2, 60)), [[1, 2], [3, 4]]]
    )
    def test_a_table_may_be_said_in_many_ways(self, item):
        assert TableRenderer().accepts(item)
        view = safe_view(TableRenderer(), item)
        assert (view.kind, len(view.data["cells"])) == ("table", 2)
        assert len(view.data["columns"]) <= 50

    @pytest.mark.parametrize("item", ["a,b", 3, [], {}, {"a": [1], "b": [1, 2]}, ["a", "b"]])
    def test_what_is_no_table_is_said(self, item):
        assert not TableRenderer().accepts(item)
        assert safe_view(TableRenderer(), item).kind == "error"

    def test_the_model_reads_names_and_values(self):
        assert learning_inputs(TableRenderer(), [self.TABLE, 3]) == [
            "n,<b>,f\n1,x,0.5\n2,,0.3333333333333333\n3,z,\n", "",
        ]  # fmt: skip

    def test_tables_pass_the_exam_of_renderers(self):
        check_renderer(TableRenderer(), [self.TABLE, [{"a": 1}], np.eye(2)])


class TestSeveral:
    FRAME = pd.DataFrame(
        {
            "title": ["win money now", "see you at ten", "cheap pills"],
            "photo": [Image.new("L", (4, 4), shade) for shade in (0, 99, 255)],
            "author": ["Ana", None, "Bo"],
            "year": [1999, 2001, 2002],
        }
    )

    def test_columns_stand_below_each_other(self):
        _, renderer, _ = open_pool(self.FRAME, image="photo", text="title")
        assert isinstance(renderer, SeveralRenderer)
        view = renderer.view({"title": "hello", "photo": self.FRAME.photo[1]})
        parts = view.data["parts"]
        assert [(part["name"], part["view"]["kind"]) for part in parts] == [
            ("title", "text"), ("photo", "image"),
        ]  # fmt: skip
        assert parts[1]["view"]["buffers"] == len(view.buffers) == 1

    def test_a_field_that_cannot_be_shown_leaves_the_others(self):
        renderer = SeveralRenderer({"a": TextRenderer(), "b": ImageRenderer()})
        view = safe_view(renderer, {"a": "x", "b": b"no image"})
        kinds = [part["view"]["kind"] for part in view.data["parts"]]
        assert kinds == ["text", "error"]
        assert not renderer.accepts({"a": "x"})

    def test_the_model_learns_from_the_first_that_it_can(self):
        session = nl.Session(
            self.FRAME, ["spam", "ham"], text="title", image="photo", store=None, inline=True
        )
        assert session.renderer.modality == "text"
        for item, label in zip("012", ["spam", "ham", "spam"], strict=True):
            session.record(item, label)
        session.retrain(wait=True)
        assert session.predict_values(self.FRAME.iloc[:2]) == ["spam", "ham"]
        session.add(self.FRAME.iloc[:1].set_axis([3]))
        assert session.view("3").data["parts"][0]["view"]["data"]["text"] == "win money now"

    def test_what_does_not_go_together_is_said(self):
        with pytest.raises(OptionError, match="stand alone; got text and row"):
            open_pool(self.FRAME, text="title", row=["year"])
        with pytest.raises(OptionError, match="shown twice"):
            open_pool(self.FRAME, text="title", html="title")
        with pytest.raises(OptionError, match="pair, which stands alone"):
            open_pool(self.FRAME, text=("title", "author"), image="photo")
        with pytest.raises(OptionError, match="columns of one table"):
            open_pool(["a"], text=True, html=True)
        with pytest.raises(UnknownColumnError):
            open_pool(self.FRAME, text="title", image="foto")

    def test_several_pass_the_exam_of_renderers(self):
        renderer = SeveralRenderer({"title": TextRenderer(), "year": TextRenderer()})
        check_renderer(renderer, [{"title": "x", "year": 1999, "more": None}])


class TestPairsOfColumns:
    def test_more_of_them_are_added(self):
        frame = pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"]})
        session = nl.Session(frame, nl.Pairs(), text=("a", "b"), store=None)
        assert isinstance(session.renderer, PairRenderer)
        session.record("0", "first")
        session.add(pd.DataFrame({"a": ["new"], "b": ["other"]}, index=[2]))
        assert session.pool.item(2) == ("new", "other")
        assert len(session.labels) == 1
        with pytest.raises(DataError):
            session.add(pd.DataFrame({"a": ["new"]}, index=[3]))


class TestDetails:
    FRAME = TestSeveral.FRAME

    def test_columns_stand_in_a_folded_line(self):
        session = nl.Session(
            self.FRAME, ["a", "b"], text="title", details=["author", "year"], store=None
        )
        view = session.view("1")
        assert view.kind == "text"
        assert view.data["details"] == [
            {"name": "author", "text": "", "type": "missing"},
            {"name": "year", "text": "2001", "type": "number"},
        ]
        assert session.pool.item(1) == "see you at ten", "they are no part of the item"
        one = nl.Session(self.FRAME, ["a", "b"], text="title", details="year", store=None)
        assert [field["name"] for field in one.view("0").data["details"]] == ["year"]

    def test_they_are_there_of_what_is_added(self):
        session = nl.Session(self.FRAME, ["a", "b"], text="title", details="year", store=None)
        session.add(self.FRAME.iloc[:1].set_axis([3]))
        assert session.view("3").data["details"][0]["text"] == "1999"

    def test_they_have_to_be_columns(self):
        with pytest.raises(UnknownColumnError, match="Did you mean 'year'"):
            nl.Session(self.FRAME, ["a", "b"], text="title", details="yaer", store=None)
        with pytest.raises(OptionError, match="the data has none"):
            nl.Session(["x", "y"], ["a", "b"], details="year", store=None)
