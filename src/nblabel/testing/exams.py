"""Conformance exams: each raises AssertionError with a sentence that says what is wrong."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, ModelOutputError, OptionError, brief
from ..events import LabelEvent, Shown, now
from ..renderers import Renderer, View
from ..store import EventLog
from ..strategies import Context, QueryStrategy, checked_utilities, pick, probabilities_of
from ..suggest import Snapshot, Suggester
from ..tasks import Task
from .page import as_json

TARGET_TYPES = (
    "multiclass", "multilabel", "ordinal", "token", "pairwise", "ranking", "form", "none"
)  # fmt: skip
MODALITIES = ("text", "image", "row", "series", "sound", None)
#: What a broken page may send; a task accepts it or raises LabelValueError, nothing else.
_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0.5,
    "",
    "\x00",
    "\ud800",
    "x" * 10_000,
    [],
    [1],
    {},
    {"a": [None]},
)


@contextmanager
def _graded(what: str) -> Iterator[None]:
    """Let an exam say that something failed, whatever that raised."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"{what} failed: {error!r}") from error


def _hold(fact: object, wrong: str) -> None:
    if not fact:
        raise AssertionError(wrong)


@_graded("The part")
def check_task(task: Task, legal: Sequence[Any], illegal: Sequence[Any]) -> None:
    """Examine a task.

    Parameters
    ----------
    task : Task
    legal : sequence
        Values as a page or a user may give them; at least one.
    illegal : sequence
        Values that must be refused.
    """
    _hold(isinstance(task, Task) and not isinstance(task, type), "This is no Task object.")
    _hold(isinstance(task.kind, str) and task.kind, "kind must be non-empty text.")
    _hold(task.target_type in TARGET_TYPES, f"target_type must be one of {TARGET_TYPES}.")
    spec = as_json(task.spec(), "spec()")
    _hold(isinstance(spec, dict), "spec() must return a dict.")
    _hold(spec.get("kind") == task.kind, f"spec()['kind'] must be {task.kind!r}.")
    _hold(spec == as_json(task.spec(), "spec()"), "spec() must not change from call to call.")
    _hold(len(legal) > 0, "legal= must give at least one value to examine with.")
    values = []
    for raw in legal:
        before = copy.deepcopy(raw)
        try:
            value = task.parse(raw)
        except LabelValueError as error:
            raise AssertionError(f"parse() refused the legal {raw!r}: {error}") from None
        _hold(raw == before, f"parse() changed the value it was given, {before!r}.")
        _hold(task.parse(value) == value, f"parse() must leave its own result {value!r} alone.")
        back = task.parse(as_json(value, f"The value {value!r}"))
        _hold(back == value, f"The value {value!r} came back from JSON as {back!r}.")
        values.append(value)
    for raw in (*illegal, *_ODD_VALUES):
        try:
            task.parse(raw)
        except LabelValueError as error:
            _hold(str(error).strip(), f"parse({raw!r}) must say why it refuses.")
        except Exception as error:
            raise AssertionError(
                f"parse({raw!r:.60}) must raise LabelValueError, raised {error!r:.100}."
            ) from None
        else:
            _hold(not any(raw is bad for bad in illegal), f"parse() accepted the illegal {raw!r}.")
    for a in values:
        for b in values:
            share = task.agree(a, b)
            _hold(0 <= share <= 1, f"agree({a!r}, {b!r}) must be from 0 to 1, got {share!r}.")
            _hold(share == task.agree(b, a), f"agree() is not symmetric for {a!r} and {b!r}.")
            _hold(a != b or share == 1, f"agree() of {a!r} with itself must be 1, got {share!r}.")
    if task.target_type != "none":
        _hold(
            len(task.targets(values)) == len(values),
            "targets() must return one row per value.",
        )
        _hold(len(task.targets([])) == 0, "targets() must work without any value.")
    expected = spec.get("columns", ["label"])
    for value in values:
        names = list(task.columns(value))
        _hold(
            names == expected,
            f"columns() named {names}, but spec()['columns'] (by default ['label']) is {expected}.",
        )


@_graded("The part")
def check_renderer(renderer: Renderer, items: Iterable[Any]) -> None:
    """Examine a renderer.

    Parameters
    ----------
    renderer : Renderer
    items : iterable
        Items that it must accept and show; at least one.
    """
    _hold(
        isinstance(renderer, Renderer) and not isinstance(renderer, type),
        "This is no Renderer object.",
    )
    _hold(isinstance(renderer.kind, str) and renderer.kind, "kind must be non-empty text.")
    _hold(renderer.modality in MODALITIES, f"modality must be one of {MODALITIES}.")
    items = list(items)
    _hold(items, "items= must give at least one item to examine with.")
    for place, item in enumerate(items):
        which = f"item {place} ({type(item).__name__})"
        _hold(renderer.accepts(item) is True, f"accepts() must return True for {which}.")
        whole = _examine_view(renderer, "view", item, which)
        if renderer.modality == "text" and (text := getattr(renderer, "text", None)) is not None:
            _hold(isinstance(text(item), str), f"text() must return text for {which}.")
        if hasattr(renderer, "thumbnail"):
            small = _examine_view(renderer, "thumbnail", item, which)
            _hold(
                small.kind == whole.kind, f"thumbnail() must return the kind of view() for {which}."
            )
            _hold(
                small == whole or small.data.get("side") != whole.data.get("side"),
                f"The data of a thumbnail that is not the whole must have a 'side' for {which}.",
            )


def _examine_view(renderer: Renderer, name: str, item: Any, which: str) -> View:
    draw = getattr(renderer, name)
    before = _bytes(item)
    try:
        view = draw(item)
    except Exception as error:
        raise AssertionError(f"{name}() failed for {which}: {error!r}") from error
    _hold(isinstance(view, View), f"{name}() must return a View for {which}, got {view!r:.60}.")
    _hold(isinstance(view.kind, str) and view.kind, f"The {name} of {which} must name its kind.")
    _hold(isinstance(view.data, dict), f"The data of the {name} of {which} must be a dict.")
    as_json(view.data, f"The data of the {name} of {which}")
    _hold(
        isinstance(view.buffers, tuple) and all(type(part) is bytes for part in view.buffers),
        f"The buffers of the {name} of {which} must be a tuple of bytes.",
    )
    _hold(view == draw(item), f"{name}() must return the same twice for {which}.")
    _hold(before == _bytes(item), f"{name}() changed {which}.")
    return view


def _bytes(item: Any) -> bytes:
    try:
        return pickle.dumps(item)
    except Exception:  # as of an object that holds a lambda
        return repr(item).encode("utf-8", "replace")


@_graded("The part")
def check_strategy(strategy: QueryStrategy) -> None:
    """Examine a query strategy on made-up candidates."""
    _hold(
        isinstance(strategy, QueryStrategy) and not isinstance(strategy, type),
        "This is no QueryStrategy object.",
    )
    _hold(isinstance(strategy.name, str) and strategy.name, "name must be non-empty text.")
    _hold(
        isinstance(strategy.requires, Set)
        and set(strategy.requires) <= {"proba", "features", "committee"},
        f"requires must be a set of 'proba', 'features' and 'committee', "
        f"got {strategy.requires!r}.",
    )
    for n_items, n_labels, n_classes in ((60, 12, 3), (200, 30, 2), (9, 8, 2), (30, 0, 2)):
        context = _context(strategy, n_items, n_labels, n_classes)
        n = len(context.candidates)
        where = f"with {n} candidates and {n_labels} labels"
        state = np.random.get_state()
        try:
            utilities = strategy.utilities(context)
        except Exception as error:
            raise AssertionError(f"utilities() failed {where}: {error!r}") from error
        try:
            utilities = checked_utilities(strategy, utilities, n)
        except ModelOutputError as error:
            raise AssertionError(
                f"What utilities() returned is refused {where}: {error}."
            ) from None
        _hold(not np.isnan(utilities).any(), f"utilities() returned NaN {where}.")
        _hold(
            np.array_equal(utilities, strategy.utilities(context)),
            f"utilities() must return the same for the same context {where}: "
            "use context.rng() for chance.",
        )
        _hold(
            all(np.array_equal(a, b) for a, b in zip(state, np.random.get_state(), strict=True)),
            "utilities() used NumPy's global random state: use context.rng().",
        )
        _check_probabilities(strategy, context, utilities, where)
        reason = strategy.reason(float(utilities.max()))
        _hold(isinstance(reason, str) and reason, "reason() must return non-empty text.")
        by_order = getattr(strategy, "reason_by_order", "said")
        _hold(isinstance(by_order, str) and by_order, "reason_by_order must be non-empty text.")


def _check_probabilities(
    strategy: QueryStrategy, context: Context, utilities: NDArray[Any], where: str
) -> None:
    """Examine what a strategy that samples says of its draws."""
    drawn = pick(utilities, 2 * context.batch, context.rng())
    drawn.flags.writeable = False
    try:
        made = probabilities_of(strategy, context, drawn)
        again = probabilities_of(strategy, context, drawn)
    except ModelOutputError as error:
        raise AssertionError(
            f"What probabilities() returned is refused {where}: {error}."
        ) from None
    except Exception as error:
        raise AssertionError(f"probabilities() failed {where}: {error!r}") from error
    _hold(
        made is None or again is None or np.array_equal(made, again, equal_nan=True),
        f"probabilities() must return the same for the same context {where}.",
    )


def _context(strategy: QueryStrategy, n_items: int, n_labels: int, n_classes: int) -> Context:
    rng = np.random.default_rng(n_items)
    places = rng.permutation(n_items)
    features = rng.normal(size=(n_items, 4)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    labeled, candidates = places[:n_labels], np.sort(places[n_labels:])
    proba = rng.dirichlet(np.ones(n_classes), size=len(candidates)).astype(np.float32)
    proba[: len(proba) // 3] = np.float32(1 / n_classes)  # ties
    pool_proba = np.full((n_items, n_classes), 1 / n_classes, dtype=np.float32)
    pool_proba[candidates] = proba
    committee = np.stack([proba, np.roll(proba, 1, axis=0), proba[:, ::-1]])
    for array in (features, labeled, candidates, pool_proba, committee):
        array.flags.writeable = False  # a strategy reads only
    classes = tuple(f"class {k}" for k in range(n_classes))
    return Context(
        candidates=candidates,
        classes=classes if "proba" in strategy.requires else (),
        features=_Rows(features) if "features" in strategy.requires else None,
        labeled=labeled,
        labels=tuple(classes[k % n_classes] for k in range(n_labels)),
        batch=5,
        seed=1,
        committee=committee if "committee" in strategy.requires else None,
        pool_proba=pool_proba if "proba" in strategy.requires else None,
    )


class _Rows:
    """Features as the large pool of a session gives them: rows are made when asked for."""

    def __init__(self, features: Any) -> None:
        self._features = features
        self.shape = features.shape

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, places: Any) -> Any:
        return self._features[places].copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._features, dtype=dtype)


@_graded("The part")
def check_suggester(
    suggester: Suggester, positions: Sequence[int], targets: Any, n_items: int
) -> None:
    """Examine a suggester.

    Parameters
    ----------
    suggester : Suggester
        Over a pool of `n_items` items.
    positions : sequence of int
        Places of items to learn from, four at least.
    targets : array-like
        Their labels, as the task's `targets` makes them; at least two different ones, also in the
        first half.
    n_items : int
    """
    _hold(
        isinstance(suggester, Suggester) and not isinstance(suggester, type),
        "This is no Suggester object.",
    )
    places, answers = np.array(positions, dtype=np.intp), np.array(targets)
    places.flags.writeable = answers.flags.writeable = False
    half = len(places) // 2
    first = suggester.fit(Snapshot(places[:half], answers[:half], 1, 0))
    _hold(hasattr(first, "model"), "What fit() returns must have the attribute 'model'.")
    scores = first.predict()
    shape = (n_items, len(scores.classes))
    _hold(
        len(set(scores.classes)) == len(scores.classes) >= 1
        and all(isinstance(name, str) for name in scores.classes),
        f"classes must be different names, got {scores.classes!r}.",
    )
    _hold(
        np.shape(scores.proba) == shape,
        f"predict() must return the shape {shape}, got {np.shape(scores.proba)}.",
    )
    _hold(np.isfinite(scores.proba).all(), "predict() returned numbers that are not finite.")
    _hold((np.asarray(scores.proba) >= 0).all(), "predict() returned negative numbers.")
    if scores.probabilistic:
        sums = np.asarray(scores.proba).sum(axis=1)
        _hold(np.allclose(sums, 1, atol=1e-3), "Probabilities of an item must sum to 1.")
    kept = np.array(scores.proba)
    suggester.fit(Snapshot(places, answers, 2, 0))
    _hold(
        np.array_equal(kept, first.predict().proba),
        "A later fit() changed an earlier model.",
    )
    again = suggester.fit(Snapshot(places[:half], answers[:half], 3, 0)).predict()
    _hold(
        again.classes == scores.classes and np.allclose(again.proba, kept, atol=1e-5),
        "fit() must learn the same from the same snapshot: use snapshot.seed for chance.",
    )
    for place in range(min(n_items, 20)):
        end = 0
        for left, right, weight in first.marks(place, scores.classes[0]):
            _hold(end <= left < right, "marks() must be sorted spans that do not overlap.")
            _hold(0 <= weight <= 1, f"The weight of a mark must be from 0 to 1, got {weight}.")
            end = right
    _hold(len(first.marks(0, "no such label")) == 0, "marks() of an unknown label must be empty.")
    if hasattr(first, "committee"):
        asked = np.arange(n_items)[::-2]
        votes = np.asarray(first.committee(asked))
        _hold(
            votes.ndim == 3 and votes.shape[1:] == (len(asked), len(scores.classes)),
            f"committee(places) must return the shape (n_members, {len(asked)}, "
            f"{len(scores.classes)}), got {votes.shape}.",
        )
        _hold(np.isfinite(votes).all(), "committee() returned numbers that are not finite.")
    embedding = suggester.embedding()
    if embedding is not None:
        _hold(
            np.ndim(embedding) == 2 and len(embedding) == n_items,
            f"embedding() must have one row per item, got the shape {np.shape(embedding)}.",
        )
        _hold(np.isfinite(embedding).all(), "embedding() has numbers that are not finite.")


#: Runs in a process of its own and is killed there.
_WRITER = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
path, round, make_log = pickle.load(sys.stdin.buffer)
from nblabel.events import LabelEvent
log = make_log(path)
for n in range(1_000_000):
    ids = [f"{round}.{n}.{k}" for k in range(3)]
    log.append([LabelEvent(id, "label", "item", "ana", "x" * 500) for id in ids])
    print(*ids, flush=True)
"""


def check_store(make_log: Callable[[str], EventLog]) -> None:
    """Examine a store of events, also by killing a process that writes.

    Parameters
    ----------
    make_log : callable
        Opens the log at a path, and makes it if it is not there. A class or a function of a module,
        since another process imports it.
    """
    try:
        pickle.dumps(make_log)
    except Exception as error:
        raise OptionError(
            f"make_log= must be a class or a function of a module, for another process to import "
            f"({error})."
        ) from None
    # A log that does not close its file must not spoil the report on Windows.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _graded("The log"):
        _check_reading_and_writing(make_log, str(Path(folder) / "log"))
        _check_killing(make_log, str(Path(folder) / "killed"))


def _check_reading_and_writing(make_log: Callable[[str], EventLog], path: str) -> None:
    log = make_log(path)
    _hold(isinstance(log, EventLog), "A log has path, append(), read() and close().")
    _hold(list(log.read()) == [], "A new log must be empty.")
    _hold(list(log.append([])) == [], "append([]) must return no positions.")
    shown = Shown("margin", True, 3, 7, 0.5, 2, "a", 0.75, True, 4, "b", 1, "api")
    said = ["a", "\U0001f600 \u05d0 \x00 'quoted'", True, None, {"a": [1.5, None]}]
    events = [
        LabelEvent(f"e{k}", "label", "\u00fc/'1'", "ana", value, now(), 1.25, shown, "0123")
        for k, value in enumerate(said)
    ]
    many = [f"item {k}" for k in range(8_000)]  # as where an attempt at a certificate begins
    begun = {"step": "begin", "attempt": "c", "items": many}
    events.append(LabelEvent("begin", "certify", "*", "ana", begun, now()))
    positions = list(log.append(events[:2]))
    _hold(
        len(positions) == 2 and 0 < positions[0] < positions[1],
        f"append() must return one growing position from 1 per event, got {positions}.",
    )
    again = list(log.append([events[1], events[2], events[0], events[2]]))
    _hold(
        [again[0], again[2]] == positions[::-1],
        "An event that comes again must keep its position and be stored once.",
    )
    _hold(again[1] == again[3] > positions[1], "A repeat in one append() must be stored once.")
    failed: list[BaseException] = []
    thread = threading.Thread(target=_append, args=(log, events[3:], failed))
    thread.start()
    thread.join()
    _hold(not failed, f"append() failed in another thread: {failed!r}.")
    read = list(log.read())
    for event, (_, found) in zip(events, read, strict=False):
        _hold(
            found == event,
            f"An event came back changed: {brief(found, 500)} instead of {brief(event, 500)}.",
        )
    _hold(len(read) == len(events), f"{len(events)} events were stored, {len(read)} came back.")
    places = [position for position, _ in read]
    _hold(places == sorted(set(places)), "read() must return growing positions.")
    _hold(places[:2] == positions, "read() must return the positions that append() gave.")
    _hold(list(log.read(places[2])) == read[3:], "read(after) must return what is behind it only.")
    _hold(list(log.read(places[-1])) == [], "read(after) behind the end must be empty.")
    other = make_log(path)
    _hold(list(other.read()) == read, "A second log on the same path must see what is stored.")
    other.append([LabelEvent("other", "skip", "item", "bob")])
    _hold(len(list(log.read())) == len(read) + 1, "A log must see what a second one appended.")
    other.close()
    log.close()
    log = make_log(path)
    _hold(list(log.read())[:-1] == read, "What was stored must be there when the log is reopened.")
    log.close()


def _append(log: EventLog, events: Sequence[LabelEvent], failed: list[BaseException]) -> None:
    try:
        log.append(events)
    except BaseException as error:
        failed.append(error)


def _check_killing(make_log: Callable[[str], EventLog], path: str) -> None:
    acknowledged: list[str] = []
    for number in range(2):
        child = subprocess.Popen(
            [sys.executable, "-c", _WRITER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdin is not None and child.stdout is not None
        # The path first: it takes to find the module of make_log.
        child.stdin.write(pickle.dumps(sys.path) + pickle.dumps((path, number, make_log)))
        child.stdin.flush()
        lines = [child.stdout.readline() for _ in range(4 + 3 * number)]
        child.kill()
        rest, errors = child.communicate()
        _hold(lines[-1], f"The writing process failed: {errors.decode(errors='replace')[-500:]}")
        # The last line may be torn by the kill; then its append was not acknowledged.
        whole = (b"".join(lines) + rest).decode().splitlines(keepends=True)
        acknowledged += [id for line in whole if line.endswith("\n") for id in line.split()]
        log = make_log(path)
        stored = [event.id for _, event in log.read()]
        log.append([LabelEvent(f"after {number}", "skip", "item", "ana")])
        log.close()
        acknowledged.append(f"after {number}")
        kept = set(stored)
        lost = [id for id in acknowledged[:-1] if id not in kept]
        _hold(not lost, f"{len(lost)} acknowledged event(s) were lost when the process was killed.")
        _hold(len(stored) == len(kept), "An event is stored twice after the process was killed.")
        asked = set(acknowledged)
        order = [id for id in stored if id in asked]
        _hold(order == acknowledged[:-1], "Events are out of order after the process was killed.")
