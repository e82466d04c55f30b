"""A race of query strategies on labels that are known."""

from __future__ import annotations

import base64
import copy
import html
import importlib.util
import inspect
import io
import threading
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._progress import Cancelled, until
from ._threads import one_thread
from ._trainer import Trainer
from .curves import LearningCurve, draw
from .errors import OptionError, TrainingError, brief, in_words, near
from .pool import read_source
from .renderers import ONE_COLUMN
from .session import Session
from .simulation import checked_budget, labels_of, numbers_of, sought_by, steps
from .strategies import QueryStrategy, as_strategy
from .suggest import as_rows, checked_matrix

#: What a run settles itself.
_SETTLED = {"data", "task", "store", "name", "annotator", "seed", "random_state", "inline"}
_OPTIONS = [name for name in inspect.signature(Session).parameters if name not in _SETTLED]
#: Options that may name a column of the data.
_COLUMNS = (*ONE_COLUMN, "row", "features")
#: Least seconds between two pictures of a race that runs.
_PICTURE_SECONDS = 1.0
#: Its size.
_INCHES, _DPI = (7, 4), 110


def compare(
    data: Any,
    strategies: Any,
    truth: Any,
    *,
    budget: int = 100,
    seeds: int | Sequence[int] = 5,
    test: float | tuple[Any, Any] = 0.3,
    task: Any = None,
    background: bool = False,
    **options: Any,
) -> Any:
    """Race query strategies, or whole settings, on labels that are known.

    Every strategy starts from nothing, under the same seeds and on the same splits; known labels
    answer. Scores are of a random share of the items that is held out and never asked, of each
    class the same share.

    Parameters
    ----------
    data : DataFrame, Series, list, array of images, or folder
    strategies : list of str or QueryStrategy, or mapping
        What to race; a mapping names each, its values are strategies or mappings of `Session`
        arguments: ``{"bayes": {"strategy": "margin", "model": MultinomialNB()}}``. A strategy that
        holds something for each item is a function of the items that one run may ask:
        ``{"longest": lambda items: LongestFirst(items)}``.
    truth : str, Series, mapping or array-like of shape (n_items,)
        The label of every item. A column of the data is kept from the model.
    budget : int
        Labels to give in each run.
    seeds : int or sequence of int
        How many seeds, or which: for splits, random draws and models.
    test : float or (data, labels)
        Share of the items that is held out under each seed, or items of your own.
    task : list of str or Task, optional
        By default the labels found in `truth`.
    background : bool
        Return at once a `Race` that goes on beside you, shows itself, and can be cancelled.
    **options
        Arguments of `Session` for all runs, such as ``text``, ``model``, ``features``, ``batch``.

    Returns
    -------
    LearningCurve or Race
        A DataFrame with a row per run and batch: ``strategy``, ``seed``, ``n_labels`` and the
        scores of `simulate`, ``doing``; ``.plot()`` draws it, ``.summary()`` has means with 95 %
        intervals over the seeds. If a setting has ``goal="find"``, ``found`` counts what it looks
        for in all runs; not if two settings look for different labels.

    Examples
    --------
    >>> images, digits = nl.datasets.digits()  # doctest: +SKIP
    >>> nl.compare(images, ["margin", "random"], digits).plot()  # doctest: +SKIP
    """
    settings = _settings(strategies, options)
    budget = checked_budget(budget)
    values, index = read_source(data)
    frame = values if isinstance(values, pd.DataFrame) else None
    known = labels_of(truth, frame, index, len(values))
    if task is None and any(isinstance(label, (list, tuple, Mapping, Set)) for label in known):
        raise OptionError(
            f"truth= holds labels such as {brief(known[0])}, which are not one class: say which "
            "task= they are of, such as task=nl.MultiLabel([...])."
        )
    if isinstance(truth, str):
        values = values.drop(columns=truth)
    for setting in settings.values():
        for option in _COLUMNS if isinstance(truth, str) else ():
            named = setting.get(option)
            names = named if isinstance(named, (list, tuple)) else [named]
            if any(isinstance(name, str) and name == truth for name in names):
                raise OptionError(
                    f"{option}= names {truth!r}, the column of the truth, which is kept from the "
                    "model: leave it out there."
                )
        if "features" in setting:  # before items are held out: their rows are theirs by index
            setting["features"] = matrix = as_rows(setting["features"], index)
            if hasattr(matrix, "shape"):  # and cutting takes any number of rows
                checked_matrix(matrix, len(known), _sides(task, matrix, len(known)))
    contest = _Contest(
        values,
        known,
        sorted({str(label) for label in known}) if task is None else task,
        budget,
        _checked_test(test, len(known)),
        settings,
        _checked_seeds(seeds),
    )
    looked_for = set()
    for name in settings:  # whatever is wrong with a setting is said now, not in the last run
        session, asked, _ = contest.session(name, contest.seeds[0], _Unlearned)
        looked_for.add(sought_by(session, asked))
        session.close()
    looked_for.discard(None)
    sought = looked_for.pop() if len(looked_for) == 1 else None
    columns = ["strategy", "seed", *numbers_of(session, sought), "doing"]
    race = Race(contest, columns, sought, inline=not background)
    return race if background else race.result()


class _Unlearned(Session):
    """A session that is made only to see whether it can be: of a large pool learning takes time."""

    def _order_training(self) -> None:
        pass


@dataclass(frozen=True)
class _Contest:
    """All that the runs of a race are made from."""

    values: Any
    known: Any
    task: Any
    budget: int
    test: Any
    settings: dict[str, dict[str, Any]]
    seeds: tuple[int, ...]

    def session(
        self, name: str, seed: int, kind: type[Session] = Session
    ) -> tuple[Session, Any, tuple[Any, Any]]:
        """Return a session on the items that may be asked, their labels, and what to score on."""
        options = {option: _own(value) for option, value in self.settings[name].items()}
        matrix = options.get("features")
        matrix = matrix if hasattr(matrix, "shape") else None
        if isinstance(self.test, tuple):
            asked, test = np.arange(len(self.known)), self.test
        else:
            order = _by_turns(self.known, np.random.default_rng((seed, 2)))
            n_test = min(max(1, round(self.test * len(order))), len(order) - 1)
            held, asked = np.sort(order[:n_test]), np.sort(order[n_test:])
            rows = self.values if matrix is None else matrix
            test = (self._rows(rows, held), self.known[held])
            if matrix is not None:
                options["features"] = self._rows(matrix, asked)
        items = _take(self.values, asked)
        if _makes_strategies(options.get("strategy")):
            options["strategy"] = options["strategy"](items)
        if not isinstance(self.test, tuple):
            _check_places(options.get("strategy"), len(self.known))
        session = kind(
            items, self.task, store=None, inline=True, annotator="truth",
            random_state=seed, **options,
        )  # fmt: skip
        return session, self.known[asked], test

    def _rows(self, values: Any, places: NDArray[np.intp]) -> Any:
        """Return what belongs to some items."""
        n_items = len(self.known)
        if _sides(self.task, values, n_items) == 2:
            places = np.concatenate([places, n_items + places])
        return _take(values, places)


@dataclass
class _State:
    rows: list[dict[str, Any]] = field(default_factory=list)
    runs: int = 0
    now: str = ""
    phase: str = "running"  # then done, cancelled or failed
    error: BaseException | None = None


class Race:
    """A comparison that runs in the background.

    As the last line of a cell it shows how far it is and the curves so far.

    Attributes
    ----------
    frame : LearningCurve
        What is there so far.
    phase : {"running", "done", "cancelled", "failed"}
    """

    def __init__(
        self, contest: _Contest, columns: list[str], sought: str | None, *, inline: bool = False
    ) -> None:
        self._contest = contest
        self._columns, self._sought = columns, sought
        self._state = _State()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._handles: list[Any] = []
        self._drawn: tuple[float, int, str] = (-np.inf, -1, "")
        self._trainer = Trainer(inline=inline)
        self._trainer.submit(self._run, lambda _: None, self._failed)

    # ------------------------------------------------------------ running

    def _run(self) -> None:
        # Fits of a hundred labels are small: several threads only wait for each other.
        with one_thread, until(self._stop.is_set):
            self._race()

    def _race(self) -> None:
        contest = self._contest
        for seed in contest.seeds:
            for name in contest.settings:
                if self._stop.is_set():
                    break
                self._tell(now=f"{name}, seed {seed}")
                try:
                    self._one(name, seed)
                except Cancelled:
                    break
                except TrainingError as error:
                    raise TrainingError(f"{name!r}, seed {seed}: {error}") from None
                except Exception as error:
                    if hasattr(error, "add_note"):  # since Python 3.11
                        error.add_note(f"In the run {name!r}, seed {seed}.")
                    raise
        self._tell(phase="cancelled" if self._stop.is_set() else "done", now="")

    def _one(self, name: str, seed: int) -> None:
        contest = self._contest
        session, known, test = contest.session(name, seed)
        with closing(session):
            for row in steps(session, known, contest.budget, test=test, sought=self._sought):
                self._tell(row={**row, "strategy": name, "seed": seed})
                if self._stop.is_set():
                    return
        self._tell(runs=1)

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            self._state.error = error
        self._tell(phase="failed")

    def _tell(self, *, row: dict[str, Any] | None = None, runs: int = 0, **changes: str) -> None:
        with self._lock:
            state = self._state
            state.rows += [row] if row else []
            state.runs += runs
            for name, value in changes.items():
                setattr(state, name, value)
            handles = list(self._handles)
        if handles:
            view = _Page(self._page(), self._as_of_now())
            for handle in handles:
                handle.update(view)

    # ------------------------------------------------------------ reading

    @property
    def frame(self) -> LearningCurve:
        """What is there so far."""
        with self._lock:
            return LearningCurve(list(self._state.rows), columns=self._columns)

    @property
    def phase(self) -> str:
        """``"running"``, ``"done"``, ``"cancelled"`` or ``"failed"``."""
        return self._state.phase

    def result(self, timeout: float | None = None) -> LearningCurve:
        """Wait for the end and return the curves; of a cancelled race those that are there.

        Raises
        ------
        TimeoutError
            If it took longer than `timeout` seconds; the race goes on.
        Exception
            What made a run fail.
        """
        if not self._trainer.wait(timeout):
            raise TimeoutError(f"The race did not end within {timeout} seconds; it goes on.")
        if self._state.error is not None:
            raise self._state.error
        return self.frame

    def cancel(self) -> None:
        """Stop where the training that runs next says how far it is, at the latest after its batch.

        What is there stays in `frame`.
        """
        self._stop.set()
        self._tell()

    def plot(self, score: str | None = None, **options: Any) -> Any:
        """Draw the curves so far: see `LearningCurve.plot`."""
        return self.frame.plot(score, **options)

    def __repr__(self) -> str:
        return f"Race({self._words()})"

    def _words(self) -> str:
        with self._lock:
            state = self._state
            total = len(self._contest.seeds) * len(self._contest.settings)
            phase = state.phase
            if phase == "running" and self._stop.is_set():
                phase = "ending"
            words = f"{phase}: {state.runs} of {total} runs"
            if state.error is not None:
                return f"{words}, {in_words(state.error).partition(chr(10))[0]}"
            return f"{words}, now {state.now}" if state.now else words

    def _as_of_now(self) -> str:
        """The words of a picture, which may stay when the kernel that would renew it is gone."""
        words = self._words()
        return f"{words}, at {time.strftime('%H:%M:%S')}" if self.phase == "running" else words

    # ------------------------------------------------------------ display

    def _ipython_display_(self) -> None:
        from IPython.display import display

        handle = display(_Page(self._page(), self._as_of_now()), display_id=True)
        with self._lock:
            if handle is not None:
                self._handles.append(handle)
        self._tell()  # what came while the handle was made

    def _repr_html_(self) -> str:
        return self._page()

    def _page(self) -> str:
        with self._lock:
            n_rows, phase = len(self._state.rows), self._state.phase
        rows_of_a_run = -(-self._contest.budget // self._batch())
        most = len(self._contest.seeds) * len(self._contest.settings) * rows_of_a_run
        done = most if phase == "done" else min(n_rows, most)
        return (
            f'<div class="nblabel-race mathjax_ignore tex2jax_ignore">'
            f'<progress value="{done}" max="{most}" '
            f'style="width: 16em; vertical-align: middle"></progress> '
            f"{html.escape(self._as_of_now())}</div>{self._picture(n_rows, phase)}"
        )

    def _batch(self) -> int:
        default = inspect.signature(Session).parameters["batch"].default
        return min(int(s.get("batch", default)) for s in self._contest.settings.values())

    def _picture(self, n_rows: int, phase: str) -> str:
        """The curves so far, drawn again at most once a second, and at the end."""
        moment, drawn_rows, picture = self._drawn
        fresh = n_rows != drawn_rows
        if not n_rows:  # room for the first one, so that it moves nothing
            height = round(_INCHES[1] * _DPI)
            drawable = importlib.util.find_spec("matplotlib") is not None
            return f'<div style="height: {height}px"></div>' if drawable else ""
        if not fresh or (phase == "running" and time.monotonic() - moment < _PICTURE_SECONDS):
            return picture
        try:
            # No pyplot: it belongs to the main thread.
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            return ""
        figure = Figure(figsize=_INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        figure.patch.set_alpha(0)
        curves = self.frame
        ax = figure.add_subplot()
        draw(curves.summary(), curves.scores[0], ax)
        if phase == "running":  # what comes later moves nothing
            ax.set_xlim(0, self._contest.budget)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI)
        coded = base64.b64encode(buffer.getvalue()).decode()
        picture = f'<img alt="learning curves so far" src="data:image/png;base64,{coded}">'
        self._drawn = (time.monotonic(), n_rows, picture)
        return picture


class _Page:
    """HTML for a display handle."""

    def __init__(self, page: str, words: str) -> None:
        self._page = page
        self._words = words

    def __repr__(self) -> str:
        return f"Race({self._words})"

    def _repr_html_(self) -> str:
        return self._page


def _settings(strategies: Any, options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    _check_options(options, "compare")
    if isinstance(strategies, Mapping):
        named = {str(name): setting for name, setting in strategies.items()}
    else:
        listed = [strategies] if isinstance(strategies, str) else strategies
        if not isinstance(listed, Iterable):
            raise OptionError(
                "strategies= is a list of names or strategies, or a mapping of names to "
                f"settings, got {type(strategies).__name__}."
            )
        named = {}
        for one in listed:
            name = one if isinstance(one, str) else as_strategy(one).name
            if name in named:
                raise OptionError(
                    f"There are two strategies {name!r}: name each in a mapping, "
                    "{'one': ..., 'two': ...}."
                )
            named[name] = one
    if not named:
        raise OptionError("strategies= is empty: name what to race, such as ['auto', 'random'].")
    made = {}
    for name, setting in named.items():
        own = dict(setting) if isinstance(setting, Mapping) else {"strategy": setting}
        _check_options(own, f"The setting {name!r}")
        made[name] = {**options, **own}
        strategy = made[name].get("strategy", "auto")
        if not _makes_strategies(strategy):
            as_strategy(strategy)
    return made


def _makes_strategies(strategy: Any) -> bool:
    """Whether it is a function of the items of a run."""
    return callable(strategy) and not isinstance(strategy, (type, QueryStrategy))


def _check_places(strategy: Any, n_items: int) -> None:
    """Refuse a strategy that knows items by their place in all data: runs have some of them."""
    for name, value in getattr(strategy, "__dict__", {}).items():
        listed = isinstance(value, (list, tuple))
        shape = (len(value),) if listed else getattr(value, "shape", None)
        if isinstance(shape, tuple) and shape[:1] == (n_items,):
            kind = type(strategy).__name__
            raise OptionError(
                f"{kind}.{name} has an entry for each of the {n_items} items, but a race holds "
                "items out, and places are those of the others. Give a function of them: "
                f"{{{strategy.name!r}: lambda items: {kind}(items)}}."
            )


def _check_options(options: Mapping[str, Any], what: str) -> None:
    for name in options:
        if name in _SETTLED:
            raise OptionError(f"{what} cannot set {name}=: a race settles it for each run.")
        if name == "suggester":
            raise OptionError(
                f"{what} cannot set suggester=, which is made for fixed items: give model= and "
                "features=."
            )
        if name not in _OPTIONS:
            raise OptionError(f"{what} has no option {name}=. {near(name, _OPTIONS)}")


def _own(value: Any) -> Any:
    """Return what one run may change: a copy, where there can be one.

    A matrix and what encodes items are read only, and may be large.
    """
    if hasattr(value, "shape") or hasattr(value, "encode") or callable(value):
        return value
    try:
        return copy.deepcopy(value)
    except Exception as error:  # such as a lock, or a connection
        if not isinstance(value, QueryStrategy):
            return value
        kind = type(value).__name__
        raise OptionError(
            f"strategy= is a {kind} that cannot be copied ({in_words(error)}), and what it "
            "remembers of one run would be in the next. Give a function that makes it for a run: "
            f"{{{value.name!r}: lambda items: {kind}()}}."
        ) from error


def _checked_seeds(seeds: Any) -> tuple[int, ...]:
    listed = range(seeds) if isinstance(seeds, Integral) and not isinstance(seeds, bool) else seeds
    if (
        isinstance(listed, (str, bool))
        or not isinstance(listed, Iterable)
        or not (made := tuple(listed))
        or any(not isinstance(s, Integral) or isinstance(s, bool) or s < 0 for s in made)
        or len(set(made)) < len(made)
    ):
        raise OptionError(f"seeds= is how many, or different whole numbers from 0, got {seeds!r}.")
    return tuple(map(int, made))


def _checked_test(test: Any, n_items: int) -> Any:
    if isinstance(test, (tuple, list)) and len(test) == 2:
        return tuple(test)
    if not isinstance(test, (float, np.floating)) or not 0 < test < 1:
        raise OptionError(
            "test= is a share of the items between 0 and 1, or (data, labels) of other items, "
            f"got {brief(test)}."
        )
    if n_items < 2:
        raise OptionError("To hold items out there must be at least two.")
    return float(test)


def _by_turns(known: Any, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return places in a random order, of which any beginning has its share of each label.

    Where a class is held out by chance not at all, nothing can be said of it, and a mean over
    classes is one over the others.
    """
    order = rng.permutation(len(known))
    codes = pd.factorize(np.array([str(known[place]) for place in order], dtype=object))[0]
    turns = pd.Series(codes).groupby(codes).cumcount().to_numpy()
    sizes = np.bincount(codes)
    due = (turns + rng.random(len(sizes))[codes]) / sizes[codes]
    return np.asarray(order[np.argsort(due, kind="stable")])


def _sides(task: Any, rows: Any, n_items: int) -> int:
    """Return how many rows each item has: of given pairs a matrix may have two."""
    paired = getattr(task, "target_type", None) == "pairwise"
    return 2 if paired and getattr(rows, "shape", (0,))[:1] == (2 * n_items,) else 1


def _take(values: Any, places: Any) -> Any:
    if isinstance(values, (pd.DataFrame, pd.Series)):
        return values.iloc[places]
    if hasattr(values, "shape"):
        return (values.tocsr() if hasattr(values, "tocsr") else values)[places]
    return [values[place] for place in places]
