"""Features by a function: in chunks, each item once, in every way of training, and its errors."""

from __future__ import annotations

import os
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import HashingVectorizer

import nblabel as nl
from nblabel._learning import Order, learn
from nblabel._progress import Cancelled, listening
from nblabel.errors import OptionError
from nblabel.session import Session
from nblabel.strategies import Auto
from nblabel.suggest import (
    ModelSuggester,
    MultiViewSuggester,
    Snapshot,
    default_suggester,
    encoders,
)
from nblabel.suggest.encoders import Encoder, as_encoder

from .test_worker import until

PATIENCE = 60.0
TRUTH = ["ham", "spam", "eggs"] * 400
TEXTS = [f"{label} {'x' * (k % 7)} {k}" for k, label in enumerate(TRUTH)]
KINDS = ("ham", "spam", "eggs")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NBLABEL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Counts:
    """Says which words a text has, and counts what it was asked in a file, over processes."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.cache_key = "counts"

    def __call__(self, texts: list[str]) -> Any:
        with open(self.path, "a") as file:
            file.writelines(f"{text}\n" for text in texts)
        return np.array([[kind in text for kind in KINDS] + [len(text) / 20] for text in texts])

    def asked(self) -> list[str]:
        path = Path(self.path)
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def counts(tmp_path: Path) -> Counts:
    return Counts(tmp_path / "asked.txt")


def make(data: Any = TEXTS, **options: Any) -> Session:
    options = {"store": None, "annotator": "ana", "blind": 0, "batch": 20, **options}
    return Session(data, list(KINDS), **options)


def teach(session: Session, n: int = 30) -> Session:
    for k in range(n):
        session.record(session.pool.ids[k], TRUTH[k])
    session.retrain(wait=True, timeout=PATIENCE)
    return session


def test_items_that_differ_only_in_kind_have_rows_of_their_own() -> None:
    """Also those that were kept by an earlier session."""
    lengths = Encoder(lambda texts: [[len(text), 1.0] for text in texts], "text")
    assert lengths.transform([""]).tolist() == [[0, 1]]
    assert lengths.transform(["missing", ""]).tolist() == [[7, 1], [0, 1]]
    column = pd.DataFrame({"c": pd.Series([None, "missing", "", 1, "1", 1.0, True], dtype=object)})
    kinds = [type(value).__name__ for value in column["c"]]
    names = sorted(set(kinds))
    codes = Encoder(
        lambda rows: [[names.index(type(value).__name__)] for value in rows["c"]], "row"
    ).transform(column)
    assert [names[int(code)] for (code,) in codes] == kinds
    nested = Encoder(lambda items: [[len(repr(item))] for item in items], None)
    items = [{"a": [1, "2"]}, {"a": ["1", 2.0]}, {"b": [1, "2"]}, ["a", None], ["a", ""]]
    assert nested.transform(items).ravel().tolist() == [len(repr(item)) for item in items]


# ---------------------------------------------------------------- in a session


@pytest.mark.parametrize("worker", ["inline", "thread", "process"])
def test_a_function_is_learned_from_in_every_way(counts: Counts, worker: str) -> None:
    session = teach(make(features=counts, worker=worker))
    assert session.last_error is None and session.warning == ""
    assert session._trainer.way == worker and session.doing == "transductive_design"
    assert (session.predictions["label"] == TRUTH).mean() > 0.99
    new = ["eggs again", "spam again"]
    assert session.predict(new)["label"].tolist() == ["eggs", "spam"]
    assert session.model.predict(new).tolist() == ["eggs", "spam"]
    assert sorted(counts.asked()) == sorted([*TEXTS, *new])  # each once
    session.add(["ham later"])
    session.retrain(wait=True, timeout=PATIENCE)
    assert counts.asked()[len(TEXTS) + 2 :] == ["ham later"]  # only what is new
    assert session.predictions["label"].iloc[-1] == "ham"
    session.close()
    again = teach(make([*TEXTS, "ham later", "one more"], features=counts, worker=worker))
    assert counts.asked()[len(TEXTS) + 3 :] == ["one more"]
    # One item more in the pool moves the others' means of their neighbours a little.
    pd.testing.assert_frame_equal(again.predictions[:1000], session.predictions[:1000], rtol=1e-3)
    again.close()
    assert nl.clear_cache() > 0
    teach(make(features=counts, worker=worker)).close()
    assert len(counts.asked()) > 2 * len(TEXTS)


def test_what_cannot_be_sent_runs_in_a_thread_and_that_is_said() -> None:
    lock = threading.Lock()

    def locked(texts: list[str]) -> Any:
        with lock:
            return [[float(kind in text) for kind in KINDS] for text in texts]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session = teach(make(features=locked, worker="process"))
    said = [str(one.message) for one in caught]
    assert len(said) == 2 and "locked are computed anew in each session" in said[0]
    assert "attribute cache_key" in said[0] and "trains in a thread" in said[1]
    assert session._trainer.way == "thread" and session.last_error is None
    assert (session.predictions["label"] == TRUTH).mean() > 0.99
    session.close()


def fails(texts: list[str]) -> Any:
    raise ZeroDivisionError("not today")


def short(texts: list[str]) -> Any:
    return np.ones((len(texts) - 1, 2))


def nothing(texts: list[str]) -> Any:
    return None


def words(texts: list[str]) -> Any:
    return [["a", "b"] for _ in texts]


def ragged(texts: list[str]) -> Any:
    return [[1.0] * (k % 3) for k in range(len(texts))]


def flat(texts: list[str]) -> Any:
    return np.ones(len(texts))


def gaps(texts: list[str]) -> Any:
    return np.where(np.arange(2 * len(texts)) == 3, np.nan, 1.0).reshape(-1, 2)


def huge(texts: list[str]) -> Any:
    return sparse.csr_matrix(np.full((len(texts), 2), 1e300))


def large(texts: list[str]) -> Any:
    return np.full((len(texts), 2), 1e30)


def wavers(texts: list[str]) -> Any:
    return np.ones((len(texts), 2 if TEXTS[0] in texts else 3))


BROKEN = {
    fails: "ZeroDivisionError: not today",
    short: r"short was given 64 items and returned the shape (63, 2), expected (64, n_features)",
    nothing: "one row of numbers per item; nothing returned None",
    words: "must make numbers; words returned list of <U1",
    ragged: "one row of numbers per item; what ragged returned is none",
    flat: "flat was given 64 items and returned the shape (64,)",
    gaps: "finite numbers; gaps made 1 NaN, infinite or huge values for 64 items",
    huge: "huge made 128 NaN, infinite or huge values",
    large: "Fill them, or scale those beyond 1e+18",
    wavers: "alike for all items; wavers made rows of 2 and of 3 numbers",
}


@pytest.mark.parametrize(
    ("function", "worker"),
    [(fails, "thread"), (fails, "process"), *((function, "inline") for function in BROKEN)],
)
def test_its_errors_are_said_and_labeling_goes_on(function: Any, worker: str) -> None:
    with pytest.warns(UserWarning, match="The model could not be trained") as said:
        session = teach(make(features=function, worker=worker), 3)
    assert len(said) == 1, [str(one.message) for one in said]
    assert session.last_error is not None and BROKEN[function] in session.last_error
    if function is fails:  # with the traceback to the user's own line
        assert "in fails" in session.last_error and "test_encoders.py" in session.last_error
    assert session.status()["training"] == "failed"
    assert len(session.next(5)) == 5 and len(session.labels) == 3
    session.close()


def test_items_of_which_nothing_is_known() -> None:
    class Thing:
        def __init__(self, size: int) -> None:
            self.size = size

    things = [Thing(k % 3) for k in range(60)]
    seen: list[Any] = []

    def sizes(items: list[Any]) -> Any:
        seen.append(items)
        return np.eye(3)[[item.size for item in items]]

    sizes.cache_key = "sizes"  # type: ignore[attr-defined]
    session = make(things, show=lambda item: str(item.size), features=sizes, worker="inline")
    for k in range(12):
        session.record(str(session.pool.ids[k]), KINDS[k % 3])
    session.retrain()
    assert session.last_error is None
    assert (session.predictions["label"] == list(KINDS) * 20).all()
    assert all(isinstance(items, list) for items in seen)
    assert session.predict(things[:3])["label"].tolist() == list(KINDS)


def test_rows_come_as_frames_and_images_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": np.arange(90.0), "kind": list("abc") * 30})
    seen: list[Any] = []

    def row(rows: Any) -> Any:
        seen.append(rows)
        return np.column_stack([rows["n"] / 90, rows["kind"] == "a"])

    row.cache_key = "row"  # type: ignore[attr-defined]
    encoder = as_encoder(row, "row")
    assert encoder is not None
    made = encoder.transform(frame)
    assert made.dtype == np.float32 and made[:, 1].tolist() == [1, 0, 0] * 30
    assert isinstance(seen[0], pd.DataFrame) and list(seen[0].columns) == ["n", "kind"]
    count = len(seen)
    assert np.array_equal(encoder.transform(frame[::-1]), made[::-1]) and len(seen) == count

    def mean(images: Any) -> Any:
        seen.append(images)
        return [[np.asarray(Image.open(image)).mean()] for image in images]

    mean.cache_key = "mean"  # type: ignore[attr-defined]
    images = as_encoder(mean, "image")
    assert images is not None
    paths = [str(tmp_path / f"{k}.png") for k in range(2)]
    for k, path in enumerate(paths):
        Image.new("L", (4, 4), 10 * k).save(path)
    assert images.transform(pd.Series(paths)).ravel().tolist() == [0, 10]
    assert seen[-1] == paths
    Image.new("L", (4, 4), 99).save(paths[0])  # the same name, another picture
    assert images.transform(paths).ravel().tolist() == [99, 10] and seen[-1] == paths[:1]
    arrays = np.arange(12.0).reshape(3, 2, 2)
    flat = as_encoder(lambda images: images.reshape(len(images), -1), "image")
    assert flat is not None and np.array_equal(flat.transform(arrays), arrays.reshape(3, 4))


# ---------------------------------------------------------------- the encoder


def test_items_that_are_alike_are_computed_once(counts: Counts) -> None:
    encoder = Encoder(counts, "text")
    made = encoder.transform(["ham", "eggs", "ham", "ham", "eggs"])
    assert made[:, :3].tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert counts.asked() == ["ham", "eggs"]
    assert encoder.transform(["eggs", "spam"])[:, :3].tolist() == [[0, 0, 1], [0, 1, 0]]
    assert counts.asked() == ["ham", "eggs", "spam"]


def test_rows_of_another_length_are_forgotten(counts: Counts) -> None:
    Encoder(counts, "text").transform(["ham", "eggs"])
    for width in (2, 3):

        def other(texts: list[str], width: int = width) -> Any:
            return np.full((len(texts), width), width)

        other.cache_key = "one name for two"  # type: ignore[attr-defined]
        made = Encoder(other, "text").transform(["ham", "eggs", f"new {width}"])
        assert made.tolist() == [[width] * width] * 3


def test_sparse_rows(folder: Path) -> None:
    vectorizer = HashingVectorizer(n_features=50)
    encoder = as_encoder(vectorizer.transform, "text")
    assert encoder is not None
    texts = [*TEXTS[:300], *TEXTS[:50], "ham"]
    made = encoder.transform(texts)
    assert made.format == "csr" and made.dtype == np.float32
    assert abs(made - vectorizer.transform(texts)).max() < 1e-6
    assert not list(folder.rglob("*.npy"))


def test_progress_is_said_and_a_cancel_keeps_what_is_there(
    counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "MOST", 64)
    encoder, seen = Encoder(counts, "text"), []

    def listen(fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.4:
            raise Cancelled

    with listening(listen), pytest.raises(Cancelled):
        encoder.transform(TEXTS)
    assert len(seen) > 5 and seen == sorted(seen)
    first = len(counts.asked())
    assert 0.4 * len(TEXTS) < first < 0.5 * len(TEXTS)
    encoder.transform(TEXTS)
    assert sorted(counts.asked()) == sorted(TEXTS)  # none of them twice


def test_a_cancelled_session_goes_on_where_it_was(
    counts: Counts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "MOST", 64)

    class Waits(Counts):
        def __call__(self, texts: list[str]) -> Any:
            made = super().__call__(texts)
            if len(self.asked()) > 500:
                until((tmp_path / "go").exists, "the word to go")
            return made

    waits = Waits(Path(counts.path))
    session = make(features=waits, worker="thread")
    until(lambda: len(counts.asked()) > 500, "the features to be half there")
    assert 0 < (session.status()["progress"] or 0) < 1
    assert session.cancel() and session.status()["doing"] == "training cancelled"
    (tmp_path / "go").touch()
    assert session.wait(PATIENCE) and len(counts.asked()) < len(TEXTS)
    teach(session)
    assert session.last_error is None and sorted(counts.asked()) == sorted(TEXTS)
    session.close()


def test_slow_functions_get_fewer_items(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(0, 1e6, 3.0))  # three seconds between any two looks at it
    monkeypatch.setattr(encoders.time, "monotonic", lambda: float(next(clock)))
    sizes: list[int] = []

    def note(texts: list[str]) -> Any:
        sizes.append(len(texts))
        return np.ones((len(texts), 1))

    note.cache_key = "note"  # type: ignore[attr-defined]
    Encoder(note, "text").transform(TEXTS[:200])
    assert sizes[:3] == [64, 32, 16] and set(sizes[2:-1]) == {16}


def test_a_large_pool_gets_a_glimpse(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nblabel.suggest.model.GLIMPSE_ENCODED", 100)
    suggester = ModelSuggester(TEXTS, "text", features=counts)
    seen = suggester.glimpse()
    assert seen is not None and suggester.glimpse() is None
    assert len(seen[0]) == len(seen[1]) == len(counts.asked()) == 100
    assert suggester.features().shape == (len(TEXTS), 4)
    assert len(counts.asked()) == len(TEXTS)


def test_a_glimpse_is_no_progress(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be there long before the rest."""
    monkeypatch.setattr("nblabel.suggest.model.GLIMPSE_ENCODED", 100)
    suggester = ModelSuggester(TEXTS, "text", features=counts)
    none = np.array([], dtype=np.intp)
    order = Order(Snapshot(none, none, 1), (), np.arange(len(TEXTS)), 10, len(TEXTS))
    heard: list[float] = []
    with listening(heard.append):
        assert learn(suggester, Auto(), order).partial
    assert heard and set(heard) == {0.0}


def test_the_default_engine_sees_it_in_several_views(counts: Counts) -> None:
    suggester = default_suggester(TEXTS, "text", features=counts, n_items=len(TEXTS))
    assert isinstance(suggester, MultiViewSuggester)
    places = np.arange(30)
    fitted = suggester.fit(Snapshot(places, np.array(TRUTH)[places], 1))
    assert fitted.model.predict(["spam"]).tolist() == ["spam"] and fitted.takes_items
    encoder = suggester.views.transformer
    assert clone(encoder) is encoder


def test_what_is_a_function_of_items() -> None:
    class Model:
        def encode(self, texts: list[str]) -> Any:
            return np.ones((len(texts), 2))

    made = as_encoder(Model(), "text")
    assert made is not None and made.transform(["a"]).tolist() == [[1, 1]]
    assert as_encoder(made, "text") is made
    for other in (None, "column", np.ones((2, 2)), HashingVectorizer(), HashingVectorizer, 3):
        assert as_encoder(other, "text") is None


# ---------------------------------------------------------------- sentence-transformers


#: The part of the package that is used, as its documentation has it; of no other use.
STAND_IN = """
    import hashlib, os
    import numpy as np
    __version__ = "0"

    class SentenceTransformer:
        def __init__(self, model_name_or_path):
            if not os.path.isdir(model_name_or_path):
                raise OSError("We couldn't connect to load the files")
            self.width = int(open(os.path.join(model_name_or_path, "config.json")).read())
            with open(os.path.join(os.path.dirname(model_name_or_path), "loads"), "a") as file:
                file.write(f"{os.getpid()}\\n")

        def encode(self, sentences, *, show_progress_bar=None, convert_to_numpy=True):
            assert show_progress_bar is False and convert_to_numpy and type(sentences) is list
            made = np.zeros((len(sentences), self.width), dtype=np.float32)
            for row, item in zip(made, sentences):
                if not isinstance(item, str):
                    row[0] = np.asarray(item).mean() / 255
                    continue
                for word in item.split():
                    row[hashlib.md5(word.encode()).digest()[0] % self.width] += 1
            return made
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a model, beside a stand-in for the package; with the package itself see below."""
    package = tmp_path / "site"
    package.mkdir()
    (package / "sentence_transformers.py").write_text(textwrap.dedent(STAND_IN))
    hub = "def try_to_load_from_cache(name, file):\n    return None\n"
    (package / "huggingface_hub.py").write_text(hub)
    monkeypatch.syspath_prepend(package)
    monkeypatch.delitem(sys.modules, "sentence_transformers", raising=False)
    monkeypatch.delitem(sys.modules, "huggingface_hub", raising=False)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("64")
    yield folder
    for name in ("sentence_transformers", "huggingface_hub"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("worker", ["inline", "thread", "process"])
def test_a_model_by_name(model: Path, worker: str) -> None:
    def loads() -> int:
        path = model.parent / "loads"
        return len(path.read_text().split()) if path.exists() else 0

    def opened() -> Session:
        return teach(make(features=f"sentence-transformers:{model}", worker=worker))

    session = opened()
    assert session.last_error is None and session._trainer.way == worker
    assert (session.predictions["label"] == TRUTH).mean() > 0.9 and loads() == 1
    session.close()
    opened().close()
    assert loads() == 1  # all was found
    (model / "config.json").write_text("65")  # another model in the same place
    opened().close()
    assert loads() == 2


def test_a_model_of_images(model: Path) -> None:
    encoder = as_encoder(f"sentence-transformers:{model}", "image")
    assert encoder is not None
    images = np.zeros((2, 5, 5), dtype=np.uint8)
    images[1] = 255
    assert encoder.transform(images)[:, 0].tolist() == [0, 1]


def test_a_model_that_cannot_be_had(model: Path) -> None:
    with pytest.warns(UserWarning, match="'no-such-model' could not be loaded"):
        session = teach(make(features="sentence-transformers:no-such-model", worker="inline"), 3)
    assert session.last_error is not None
    assert "We couldn't connect" in session.last_error
    assert "give the folder" in session.last_error and len(session.next(3)) == 3


def test_a_model_needs_its_package_a_name_and_items_that_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = encoders.importlib.util.find_spec
    monkeypatch.setattr(
        encoders.importlib.util,
        "find_spec",
        lambda name: None if name == "sentence_transformers" else find(name),
    )
    with pytest.raises(OptionError, match="run `%pip install sentence-transformers`"):
        make(features="sentence-transformers:all-MiniLM-L6-v2")
    with pytest.raises(OptionError, match="needs the name of a model"):
        make(features="sentence-transformers: ")
    with pytest.raises(OptionError, match="reads texts or images: say text='column'"):
        make(pd.DataFrame({"n": range(5)}), row=True, features="sentence-transformers:some")


def test_with_the_package_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sentence-transformers is installed: a tiny model, made here from nothing."""
    package = pytest.importorskip("sentence_transformers")
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *KINDS, "x", "xx", "xxx"]
    model = tokenizers.models.WordLevel({word: k for k, word in enumerate(words)}, "[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=32,
    )  # fmt: skip
    bert = tmp_path / "bert"
    transformers.BertModel(config).save_pretrained(bert)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, sep_token="[SEP]", model_max_length=32, **special
    ).save_pretrained(bert)
    package.SentenceTransformer(str(bert), device="cpu").save(str(tmp_path / "model"))
    features = f"sentence-transformers:{tmp_path / 'model'}"
    for worker in ("inline", "process"):
        session = teach(make(features=features, worker=worker))
        assert session.last_error is None and session._trainer.way == worker
        assert (session.predictions["label"] == TRUTH).mean() > 0.9
        session.close()
    assert os.listdir(tmp_path / "cache" / "features")
