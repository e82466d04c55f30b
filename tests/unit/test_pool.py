import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from nblabel.errors import DataError, UnknownColumnError, UnknownItemError
from nblabel.pool import Pool, digest, pick_columns, read_source


def pool_of(values, index=None) -> Pool:
    if index is not None and not isinstance(index, pd.Index):
        index = pd.Index(index, dtype=object)
    return Pool(values, index)


# ---------------------------------------------------------------- ids


def test_a_unique_index_gives_the_ids():
    assert pool_of(["a", "b"]).ids == ["0", "1"]
    assert pool_of(["a", "b"], [10, "x"]).ids == ["10", "x"]
    assert pool_of(["a", "b"], pd.RangeIndex(5, 7)).ids == ["5", "6"]


def test_a_duplicate_index_gives_ids_by_content():
    pool = pool_of(["one", "two", "one"], ["a", "a", "b"])
    assert len(set(pool.ids)) == 3
    assert pool.ids[2] == pool.ids[0] + ":2"
    again = pool_of(["two", "one"], ["z", "z"])
    assert again.ids == [pool.ids[1], pool.ids[0]]  # wherever the item stands


def test_ids_of_duplicates_without_stable_content():
    pool = pool_of([object(), object()], ["a", "a"])
    assert pool.ids == ["item-0", "item-1"]


@pytest.mark.parametrize("index", [["", "a"], [1, "1"]])
def test_an_index_whose_texts_are_no_ids_is_not_taken(index):
    assert pool_of(["one", "two"], index).ids == [digest("one"), digest("two")]


def test_an_index_with_a_lone_surrogate_gives_ids_that_can_be_sent():
    pool = pool_of(["one", "two"], ["\ud800", "ü"])
    assert pool.ids == ["\\ud800", "ü"]
    assert pool.id_of("\ud800") == "\\ud800"


def test_multiindex():
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])
    pool = pool_of(["x", "y", "z"], index)
    assert pool.ids[1] == '["a", "2"]'
    assert pool.id_of(("a", 2)) == pool.ids[1]
    with pytest.raises(UnknownItemError, match=r"'a' names several items of the index"):
        pool.id_of("a")


def test_an_item_is_named_by_its_key_or_its_id():
    pool = pool_of(["one", "two", "three"], [3, 7, 7])
    assert pool.id_of(3) == pool.ids[0] == pool.id_of(pool.ids[0])
    assert pool_of(["one"], pd.DatetimeIndex(["2020-02-01"])).id_of("2020-02-01")
    with pytest.raises(UnknownItemError, match="7 names several items"):
        pool.id_of(7)
    with pytest.raises(UnknownItemError, match="no item 8"):
        pool.id_of(8)
    with pytest.raises(UnknownItemError, match="The pool has no item"):
        pool.id_of([1])
    with pytest.raises(UnknownItemError, match=r"no item 'tw'\. Did you mean 'two'"):
        pool_of(["one", "two"], ["one", "two"]).position("tw")


def test_positions_and_membership():
    pool = pool_of(["one", "two"], ["a", "b"])
    assert pool.position("b") == 1 and len(pool) == 2
    assert "b" in pool and "c" not in pool


def test_the_fingerprint_is_of_the_ids_in_order():
    one = pool_of(["x", "y"], ["a", "b"]).fingerprint()
    assert one == pool_of(["other", "content"], ["a", "b"]).fingerprint()
    assert one != pool_of(["x", "y"], ["b", "a"]).fingerprint()


def test_items_come_as_they_are():
    frame = pd.DataFrame({"a": [1, 2], 5: ["x", "y"]}, index=["p", "q"])
    assert Pool(frame, frame.index).item(1) == {"a": 2, "5": "y"}
    assert Pool(frame["a"], frame.index).item(1) == 2
    assert pool_of(np.eye(2)[None]).item(0).shape == (2, 2)


@pytest.mark.parametrize("values", [[], pd.Series([], dtype=object), pd.DataFrame({"a": []})])
def test_no_items(values):
    with pytest.raises(DataError, match="no items to label: the data is empty"):
        Pool(values)


def test_an_index_of_another_length():
    with pytest.raises(DataError, match="2 items have an index of 1 entries"):
        pool_of(["a", "b"], ["x"])


# ---------------------------------------------------------------- sources


def test_frames_and_series_are_taken_as_they_are():
    frame = pd.DataFrame({"a": [1]}, index=["x"])
    assert read_source(frame)[0] is frame and read_source(frame["a"])[1].equals(frame.index)


def test_polars_without_pyarrow():
    frame = pl.DataFrame(
        {"n": [1, None], "text": ["a", None], "on": [datetime.date(2020, 1, 1), None]}
    )
    values, index = read_source(frame)
    assert list(values.columns) == ["n", "text", "on"] and list(index) == [0, 1]
    assert values["n"].isna().tolist() == [False, True] and values["text"].iat[0] == "a"
    series, _ = read_source(pl.Series("words", ["x", "y"]))
    assert series.tolist() == ["x", "y"] and series.name == "words"


def test_a_dataset_with_to_pandas():
    class Dataset:
        column_names = ("text",)

        def to_pandas(self):
            return pd.DataFrame({"text": ["a"]})

    assert read_source(Dataset())[0]["text"].tolist() == ["a"]


def test_records_and_dicts():
    frame, _ = read_source([{"a": 1}, {"a": 2, "b": "x"}])
    assert frame.shape == (2, 2) and pd.isna(frame["b"].iat[0])
    assert read_source({"a": [1, 2]})[0].shape == (2, 1)
    images, index = read_source([{"bytes": b"x"}])
    assert images == [{"bytes": b"x"}] and index is None


def test_iterables_are_read_once():
    assert read_source(str(k) for k in range(3)) == (["0", "1", "2"], None)


def test_arrays():
    assert read_source(np.array(["a", "b"]))[0] == ["a", "b"]
    frame, _ = read_source(np.eye(2))
    assert list(frame.columns) == ["x0", "x1"]
    assert read_source(np.zeros((3, 4, 5)))[0].shape == (3, 4, 5)
    assert read_source(np.zeros((3, 4, 5, 3)))[0].shape == (3, 4, 5, 3)
    for shape in [(2, 3, 4, 2), (1, 2, 3, 4, 5), ()]:
        with pytest.raises(DataError, match="with 1, 3 or 4 channels, got"):
            read_source(np.zeros(shape))


def test_a_folder_of_images(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ["b.PNG", "sub/a.jpg", "notes.txt"]:
        (tmp_path / name).write_bytes(name.encode())
    paths, index = read_source(str(tmp_path))
    assert list(index) == ["b.PNG", "sub/a.jpg"] and index.name == "file"
    assert paths[0] == tmp_path / "b.PNG"
    assert Pool(*read_source(tmp_path)).ids == ["b.PNG", "sub/a.jpg"]


def test_a_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DataError, match=r"There are no images \(.*\.png.*\) in "):
        read_source(tmp_path)


@pytest.mark.parametrize("text", ["see you at ten", "x" * 5000, "~nobody knows", "a\0b", "\ud800"])
def test_a_single_text_is_not_a_folder(text):
    with pytest.raises(DataError, match=r"is not a folder.*a single text goes into a list"):
        read_source(text)


def test_paths_name_themselves(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    assert list(read_source(paths)[1]) == [str(path) for path in paths]
    assert read_source([paths[0], paths[0]])[1] is None


@pytest.mark.parametrize("data", [7, b"bytes", None, object()])
def test_what_is_no_data(data):
    with pytest.raises(DataError, match=f"Items must come as .*, got {type(data).__name__}"):
        read_source(data)


@pytest.mark.parametrize("data", [{"a": 1}, {"a": [1], "b": [1, 2]}])
def test_a_dict_that_is_no_table(data):
    with pytest.raises(DataError, match="one list per column, all of the same length"):
        read_source(data)


def test_pick_columns():
    frame = pd.DataFrame([[1, 2, 3]], columns=["body", "n", "n"])
    assert pick_columns(frame, "body").tolist() == [1]
    assert list(pick_columns(frame, ["body"]).columns) == ["body"]
    with pytest.raises(UnknownColumnError, match=r"no column 'bdy'\. Did you mean 'body'"):
        pick_columns(frame, "bdy")
    with pytest.raises(UnknownColumnError, match="no column 'x'"):
        pick_columns(frame, ["body", "x"])
    with pytest.raises(DataError, match="There are 2 columns named 'n'"):
        pick_columns(frame, "n")
    with pytest.raises(DataError, match="There are 2 columns named 'n'"):
        pick_columns(frame, ["body", "n"])


# ---------------------------------------------------------------- digests


def test_digests_of_files_follow_their_content(tmp_path):
    path = tmp_path / "a.png"
    gone = digest(path)
    path.write_bytes(b"one")
    one = digest(path)
    path.write_bytes(b"two")
    assert len({gone, one, digest(path)}) == 3
    assert one == digest(b"one")


def test_digests_of_images():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert digest(image) == digest(np.asfortranarray(image))
    assert digest(image) != digest(image.reshape(3, 2))
    assert digest(image) != digest(image.astype(np.int8))
    assert digest(Image.fromarray(image)) == digest(Image.fromarray(image.copy()))
    assert digest(Image.fromarray(image)) != digest(Image.fromarray(image + 1))


def test_digests_of_missing_values_are_the_same():
    missing = [None, float("nan"), np.nan, pd.NA, pd.NaT, np.datetime64("NaT")]
    assert len({digest(value) for value in missing}) == 1


def test_digests_of_rows():
    row = {"a": 1, "b": [1, "x", None]}
    assert digest(row) == digest(dict(row)) and len(digest(row)) == 16
    assert digest(row) != digest({"a": 1, "b": [1, "x", "y"]})
    assert digest(row) != digest({"a": 1, "c": [1, "x", None]})


@pytest.mark.parametrize("value", [object(), {"a": object()}, [object()]])
def test_what_has_no_stable_bytes_has_no_digest(value):
    assert digest(value) is None


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["one", "", None, "é"]),
        pd.Series(["one", "", None, "é"], dtype="string"),
        pd.Series([1.5, float("nan"), 3, 4], dtype="float32"),
        ["one", "", None, "é"],
    ],
    ids=["str", "string", "float32", "list"],
)
def test_digests_of_many_are_those_of_each(values):
    pool = Pool(values)
    places = [3, 0, 2, 1]
    assert pool.digests(places) == [pool.digest(place) for place in places]


def test_a_digest_is_the_same_forever():
    assert digest("grün 😀") == "0967aa640e20e085"
