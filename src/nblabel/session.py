"""The session: composes pool, task, log, model, strategy and queue; the one mutable object.

Everything that labels, learns and ranks is here, without a screen. Methods may be called from any
thread: they take one lock. The worker gets an immutable snapshot and returns a value, which is
installed only if it is newer than what is there.
"""

from __future__ import annotations

import gc
import getpass
import hashlib
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from . import _certifying
from ._certifying import Certification
from ._exchange import export_records, import_events
from ._inspection import Inspection
from ._learning import Away, Order, Result, learn
from ._matching import check_labels, match_items, new_relabeling
from ._opening import (
    as_pairs,
    checked_details,
    column_values,
    join_more,
    open_log,
    seed_events,
)
from ._overview import Overview
from ._queue import Draw, Queue
from ._results import NO_MODEL, NO_PREDICTIONS, Trained, inputs_of, joined
from ._trainer import Trainer
from .certify import Certificate
from .errors import (
    EventError,
    LabelValueError,
    ModelOutputError,
    NotFittedError,
    OptionError,
    StoreMismatchError,
    full_story,
    in_words,
    shorten,
)
from .estimate import Share, learning_curve, pace, progressive
from .events import ABOUT_ALL, EVERY_ITEM, LabelEvent, Shown, new_id, now, sound
from .evidence import (
    DUPLICATE,
    REPEAT,
    REVIEW,
    Stability,
    audit_hits,
)
from .finding import members
from .formats import read as read_labels
from .formats import write as write_labels
from .labels import MACHINES, RETRACTABLE, Labels
from .pairing import PairPool, sides_of
from .pool import Pool, digest
from .renderers import (
    PairRenderer,
    Renderer,
    View,
    field_of,
    open_pool,
    piece_of,
    safe_view,
)
from .store import EventLog, SqliteLog
from .strategies import Find, QueryStrategy, as_strategy
from .suggest import (
    Fitted,
    Snapshot,
    Suggester,
    checked_marks,
    stack_features,
    suggester_for,
    value_at,
)
from .tables import Predictions
from .tasks import as_task, counted

#: A page that was silent for this long no longer holds its items back from others, in seconds.
HOLD_SECONDS = 90.0
#: Time limit of a training before there is a measure: it may compute the features of a large pool.
FIRST_TIMEOUT = 600.0
#: And then: so many times the longest training so far, but no less than so many seconds.
TIMES_LONGER = 20
LEAST_TIMEOUT = 60.0
#: A smaller pool is learned from in some ms: no process is worth its start.
LEAST_FOR_PROCESS = 2000
#: Share of uniform draws, unless another one is asked for.
EXPLORE = 0.1
#: An item comes back after so many others at least, and is looked for so many times.
REPEAT_AFTER, REPEAT_TRIES = 20, 20
_WAYS = ("auto", "process", "thread", "inline")
_API = "api"


@dataclass(frozen=True)
class Suggestion:
    """A prediction for one item, as it may be shown to a person.

    Attributes
    ----------
    label : object
        A value of the task: a class, or whatever else it asks for.
    confidence : float or None
        Probability of the label; None if the model gives none.
    ranking : list of (str, float or None)
        All classes the model knows, the most probable first; of a task without classes what its
        suggester ranks, maybe nothing.
    version : int
        Model behind it.
    """

    label: Any
    confidence: float | None
    ranking: list[tuple[str, float | None]]
    version: int


@dataclass(frozen=True)
class Asked:
    """One item put forward, with all that belongs to it.

    Attributes
    ----------
    id : str
        Item id.
    key : object
        Its label in the index of the source.
    content : object
        The item.
    suggestion : Suggestion or None
    shown : Shown
        What will be recorded with the answer.
    reason : str
        Why it is asked.
    """

    id: str
    key: Hashable
    content: Any
    suggestion: Suggestion | None
    shown: Shown
    reason: str


@dataclass(frozen=True)
class Measured:
    """What the audits say of the model.

    Attributes
    ----------
    audits : int
        Audit items that count.
    accuracy : Share or None
    curve : tuple of [int, float, float, float]
        Labels there were, accuracy then, and its interval.
    """

    audits: int
    accuracy: Share | None
    curve: Sequence[Sequence[float]]


class Session(Inspection, Overview):
    """Labeling without a screen: the log over a pool, and what learns from it.

    Parameters
    ----------
    data : DataFrame, Series, list, array of images, or folder
        The items; pandas, polars or any frame that narwhals reads.
    task : list of str or Task
        The labels to choose from, or a task.
    text, image, html, audio, series, video, pdf, point : str or True, optional
        Column to show; without any the obvious choice is made, and named in `note`. Several are
        shown below each other; two columns of one kind beside each other, as a pair, and of
        ``point`` they are latitude and longitude.
    row : sequence of str or True, optional
        Columns of a table row to show.
    show : callable or Renderer, optional
        Makes of an item anything that Jupyter can display. A renderer beside a column, such as
        ``text="body", show=MarkdownRenderer()``, shows that column.
    details : str or sequence of str, optional
        Columns in a folded line below each item, for whoever wants to know.
    trust_html : bool
        Show the HTML of ``html=`` or ``show=`` as it is, with its scripts, in a frame that cannot
        reach the notebook; else it is sanitised. Only for HTML of your own making.
    seed : str, optional
        Column with labels that are known already.
    keys : mapping of label to key, optional
    question : str, optional
    name : str
        Names the file of labels.
    store : path, EventLog or None
        Where labels are kept; by default ``<name>.sqlite`` in the current folder. None keeps them
        in memory.
    annotator : str, optional
        Who labels; by default the name of the user.
    model : classifier or Pipeline, optional
        By default logistic regression. False: no model, no suggestions.
    features : callable, transformer, matrix or str, optional
        What the model sees of the items: a function from some items (a list of texts, a DataFrame
        of rows, images as they were given) to a matrix with a row for each, whose rows are kept on
        disk; ``"sentence-transformers:<model>"``; or the name of an embedding column.
    strategy : str or QueryStrategy
        What to ask next.
    suggester : Suggester or str, optional
        Replaces features and model altogether. The name of a column suggests what it holds, such as
        what another model said of each item; nothing is learned then.
    goal : {"learn", "find"}
        Whether to ask what teaches the model, or what is likely to be of one rare class. Instead of
        a strategy.
    target : label, optional
        The class to find; by default whichever has the fewest labels.
    batch : int
        The model retrains after this many labels.
    explore : float, optional
        Share of items drawn uniformly, from which the accuracy is estimated. By default a tenth,
        and none while finding.
    blind : float
        Share of items whose suggestion is hidden.
    repeat : float
        Share of the items asked that were labeled before by the same annotator and come back,
        without saying so and without a suggestion: they tell how consistent the labels are. The
        newest label stands.
    duplicates : {"together"}, optional
        One label labels all items that are the same, exactly or nearly (see `duplicates()`), and
        have none: each with an event of its own. They are found before labeling starts.
    random_state : int
    inline : bool
        The same as ``worker="inline"``.
    worker : {"auto", "process", "thread", "inline"}
        Where the model learns: in a worker process, which never delays a cell; in a thread of the
        kernel; or in the calling thread. ``"auto"`` takes a process from 2,000 items on, and a
        thread where a process cannot be.
    relabel : mapping of label to label or None, optional
        Labels of the log that have another name now, ``{"spam": "junk"}``, or that are no longer
        there: None takes them back, and their items are asked again. What is in the log stays as it
        is; the mapping is recorded once and holds from then on.
    edited : {"keep", "drop"}, optional
        Whether items whose content has changed under the same index since they were labeled keep
        their labels, or are asked again. Needed only if most items have changed; fewer are asked
        again, and named in a warning.
    train_timeout : float or None, optional
        Seconds after which a training is given up, counted anew whenever it says how far it is: the
        process is ended, a thread is left behind; labeling goes on, and the next labels begin a new
        training. By default ten minutes, or, once a model was trained, twenty times the longest
        training, but at least a minute. None: no limit. Inline there is none.

    Raises
    ------
    NblabelError
        If anything of this makes no sense; the message says what to do.
    """

    def __init__(
        self,
        data: Any,
        task: Any,
        *,
        text: str | bool | None = None,
        image: str | bool | None = None,
        html: str | bool | None = None,
        row: Sequence[str] | bool | None = None,
        show: Callable[[Any], Any] | Renderer | None = None,
        audio: str | bool | None = None,
        series: str | bool | None = None,
        video: str | bool | None = None,
        pdf: str | bool | None = None,
        point: str | tuple[str, str] | bool | None = None,
        details: str | Sequence[str] = (),
        trust_html: bool = False,
        seed: str | None = None,
        keys: Mapping[Any, str] | None = None,
        question: str | None = None,
        name: str = "labels",
        store: str | os.PathLike[str] | EventLog | None = "",
        annotator: str | None = None,
        model: Any = None,
        features: Any = None,
        strategy: str | QueryStrategy = "auto",
        suggester: Suggester | str | None = None,
        goal: str = "learn",
        target: Any = None,
        batch: int = 10,
        explore: float | None = None,
        blind: float = 0.1,
        repeat: float = 0.0,
        duplicates: str | None = None,
        random_state: int = 0,
        inline: bool = False,
        worker: str = "auto",
        train_timeout: float | str | None = "auto",
        relabel: Mapping[Any, Any] | None = None,
        edited: str | None = None,
    ) -> None:
        for option, number, least in (("batch", batch, 1), ("random_state", random_state, 0)):
            if not isinstance(number, Integral) or isinstance(number, bool) or number < least:
                raise OptionError(f"{option}= is a whole number from {least}, got {number!r}.")
        paused = explore is None and goal == "find"  # a tenth of the labels would find next to none
        if explore is None:
            explore = 0.0 if paused else EXPLORE
        for option, share, most in (
            ("explore", explore, 1), ("blind", blind, 1), ("repeat", repeat, 0.5)
        ):  # fmt: skip
            if not isinstance(share, Real) or isinstance(share, bool) or not 0 <= share <= most:
                raise OptionError(f"{option}= is a share from 0 to {most}, got {share!r}.")
        if duplicates not in ("together", None) or isinstance(duplicates, bool):
            raise OptionError(f"duplicates= is 'together' or None, got {duplicates!r}.")
        if worker not in _WAYS:
            raise OptionError(f"worker= is one of {', '.join(map(repr, _WAYS))}, got {worker!r}.")
        if not (train_timeout in ("auto", None) or _is_positive(train_timeout)):
            raise OptionError(
                "train_timeout= is a number of seconds above 0, or None for no limit, "
                f"got {train_timeout!r}."
            )
        if annotator is not None and (not isinstance(annotator, str) or not annotator.strip()):
            raise OptionError(f"annotator= is a name, got {annotator!r}.")
        if annotator is not None and annotator.startswith(MACHINES):
            raise OptionError(
                f"annotator= is a person's name; machines' names begin with "
                f"{' or '.join(map(repr, MACHINES))}, got {annotator!r}."
            )
        self.task = as_task(task, keys=keys, question=question)
        self.pool, self.renderer, self.note = open_pool(
            data, text=text, image=image, html=html, row=row, show=show, audio=audio,
            series=series, video=video, pdf=pdf, point=point, trust_html=trust_html,
            exclude=[name for name in (seed, suggester) if isinstance(name, str)],
        )  # fmt: skip
        self.pool, self.renderer = as_pairs(self.task, self.pool, self.renderer)
        self._details = checked_details(self.pool, details)
        self.strategy = self._make_strategy(strategy, goal, target)
        if paused and isinstance(self.strategy, Find):
            self.strategy.aim += ", no random draws"
        self.annotator = annotator or _user()
        self.batch = int(batch)
        self.blind = float(blind)
        self.repeat = float(repeat)
        self.random_state = int(random_state)
        self._lock = threading.RLock()
        self._given = (suggester, model, features)
        self._seed_column = seed
        self._suggester = self._make_suggester(*self._given)
        self._column = self._suggested(self.pool)
        way: Any = worker
        if worker == "auto":
            large = self._suggester is not None and len(self.pool) >= LEAST_FOR_PROCESS
            way = "process" if large else "thread"
        self._trainer = Trainer(inline=inline, way=way, fell_back=self._fell_back)
        self._trainer.keep(self._suggester)
        self._check_requirements()
        self._queue = Queue(len(self.pool), explore=float(explore), seed=self.random_state)
        self._repeat_rng = np.random.default_rng((self.random_state, 7))
        self._recent: deque[str] = deque(maxlen=REPEAT_AFTER)  # items answered, newest last
        self._together = duplicates is not None
        self._twins: dict[int, list[int]] = {}  # items that are labeled with one, by its place
        self._stability = Stability(len(self.pool), self.random_state)
        self._open = np.ones(len(self.pool), dtype=bool)
        self._labels = Labels(partial(counted, self.task))
        self._predictions: Predictions | None = None
        self._fitted: Fitted | None = None
        self._trained_on: frozenset[int] = frozenset()
        self._ordered_version = 0
        self._train_timeout = train_timeout
        self._longest = 0.0  # training that made a model, in seconds
        self._changes = 0  # answers since the last training was ordered
        self._seen: dict[str, float] = {}
        #: Running, since each label asks for them: labels of people by place, ids put away.
        self._labeled: dict[int, Any] = {}
        self._skipped: dict[str, None] = {}
        self._found: tuple[int, Measured] = (-1, Measured(0, None, ()))
        #: The newest error of the model, the strategy or the store, with its traceback.
        self.last_error: str | None = None
        self.doing = ""
        self.aim = ""
        #: Called after labels or items have changed, on the thread that did it; must be quick.
        self.on_change: Callable[[], None] | None = None
        #: Labels of the log that go with no item of the data, and why; see `Match`.
        self.unmatched = pd.DataFrame()
        self._stale = ""  # what another kernel made of the log that this session does not know
        self._own: set[str] = set()  # events about all items that this session has written
        self._certification: Certification | None = None
        self._reached = ""  # the certificate that came about while this session was there
        self._ready = False
        self._log, self.warning = open_log(store, name)
        try:
            self._resume(relabel, edited)
            if seed is not None:
                known = seed_events(self.pool, self.task, seed)
                self._log.append([event for event in known if event.id not in self._labels])
                self._fold()
            self._find_twins()
        except BaseException:
            if self._log is not store:
                self._log.close()
            raise
        self._order_training()

    def __repr__(self) -> str:
        return (
            f"Session({len(self.pool):,} items, {self.task!r}, {len(self._labels):,} labeled, "
            f"kept in {self.store_path or 'memory'})"
        )

    # ------------------------------------------------------------ making

    def _make_strategy(self, strategy: Any, goal: str, target: Any) -> QueryStrategy:
        if goal not in ("learn", "find"):
            raise OptionError(f"goal= is 'learn' or 'find', got {goal!r}.")
        if goal == "learn":
            if target is not None:
                raise OptionError("target= is the label to find: it needs goal='find'.")
            return as_strategy(strategy)
        if self.task.target_type != "multiclass":
            raise OptionError(f"goal='find' looks for one class, a {self.task.kind} has none.")
        if strategy != "auto":
            raise OptionError("goal='find' chooses the strategy itself: leave strategy= out.")
        return Find(None if target is None else str(self.task.parse(target)))

    def _make_suggester(
        self, suggester: Any, model: Any, features: Any, *, pool: Pool | None = None
    ) -> Suggester | None:
        pool = pool or self.pool
        if isinstance(suggester, str):
            return None
        if suggester is not None:
            if not isinstance(suggester, Suggester):
                raise OptionError(
                    "suggester= is the name of a column, or needs fit(snapshot) and embedding(), "
                    f"got {type(suggester).__name__}."
                )
            return suggester
        values, frame = pool.values, pool.frame
        options: dict[str, Any] = {}
        if self.task.target_type == "pairwise":
            values, options["sides"] = sides_of(pool, hasattr(features, "shape"))
            if isinstance(pool, PairPool):
                frame, options["singles"] = pool.singles.frame, True
        inputs = inputs_of(self.renderer, values, features)
        if model is False or (inputs is None and features is None and model is None):
            return None
        return suggester_for(
            self.task,
            inputs,
            self.renderer.modality,
            features=features,
            estimator=model,
            frame=frame,
            seed=self.random_state,
            n_items=len(values),
            **options,
        )

    def _suggested(self, pool: Pool) -> dict[int, Any] | None:
        """Return what a column suggests for the items of a pool, None if none was named."""
        column = self._given[0]
        if not isinstance(column, str):
            return None
        return column_values(pool, self.task, column, option="suggester")

    def _check_requirements(self) -> None:
        if self.strategy.requires and self._suggester is None:
            needs = " and ".join(sorted(self.strategy.requires))
            raise OptionError(
                f"Strategy {self.strategy.name!r} requires {needs}, but there is no model for "
                "these items: give features= (a matrix or the name of an embedding column), or "
                "strategy='random'."
            )

    def _resume(self, relabel: Mapping[Any, Any] | None, edited: str | None) -> None:
        # Long logs make many objects, all of which stay: nothing to collect.
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._fold()
            names = new_relabeling(self._labels, self.task, relabel)
            if names is not None:
                self._tell_all("relabel", names)
            check_labels(self._labels, self.task, self.store_path)
            gone = self._match(self.pool, edited)
        finally:
            if collecting:
                gc.enable()
        if gone:
            self.warning = gone
            warnings.warn(f"{gone} Their labels stay in {self.store_path}.", stacklevel=4)
        if isinstance(self._log, SqliteLog):
            self._log.tell(task=self.task.spec(), items=len(self.pool))
        self._ready = True
        self._check_certification()

    def _match(self, pool: Pool, edited: str | None = None) -> str:
        """Let the items of the log be those of a pool; return what the person must see."""
        match = match_items(self._labels, pool, self.store_path, edited)
        if match.moves:
            self._tell_all("match", match.moves)
        self.unmatched = match.unmatched
        return match.warning

    def _tell_all(self, kind: str, value: Mapping[str, Any]) -> None:
        event = LabelEvent(
            new_id(), kind, EVERY_ITEM, self.annotator, dict(value), now(), shown=Shown(view="api")
        )
        self._own.add(event.id)
        self._log.append([event])
        self._fold()

    # ------------------------------------------------------------ more items

    def add(self, data: Any, *, features: Any = None) -> None:
        """Add items behind those that are there.

        Labels, history and ids stay; the next training learns from the larger pool, and items are
        asked from all of it. Later the session may be opened with all the data at once.

        Parameters
        ----------
        data : DataFrame, Series, list, array of images
            Of the form that the session was opened with: the same columns, or the same kind of
            items. Labels of the index must be new; a default index (0, 1, ...) is counted on.
        features : matrix of shape (n_new, n_features), optional
            Rows of the new items, where ``features=`` of the session is a matrix.

        Raises
        ------
        DataError
            If the data has another form, or an id is there already; the message says which.
        """
        with self._lock:
            self._fold()
            pool = join_more(data, self.pool, self.renderer)
            given = self._more_features(len(pool) - len(self.pool), features)
            column = self._seed_column
            known = seed_events(pool, self.task, column) if column is not None else []
            suggester = self._make_suggester(*given, pool=pool)
            suggested = self._suggested(pool)
            gone = match_items(self._labels, self.pool, self.store_path, "drop").warning
            # All is checked: from here on nothing may fail but the disk.
            still_gone = self._match(pool, "drop")
            self._log.append([event for event in known if event.id not in self._labels])
            added = [self._labels.current(item) is None for item in pool.ids[len(self.pool) :]]
            self.pool, self._given, self._suggester = pool, given, suggester
            self._column = suggested
            self._trainer.keep(suggester)
            self._longest = 0.0
            self._open = np.concatenate([self._open, np.array(added, dtype=bool)])
            for item in pool.ids[len(pool) - len(added) :]:
                self._settle(item)
            self._queue.resize(len(pool))
            if self.warning == gone:
                self.warning = still_gone
            self._say_outgrown()
            if isinstance(self._log, SqliteLog):
                self._log.tell(items=len(pool))
            self._fold()
            self._order_training()
            if self.on_change:
                self.on_change()
        self._find_twins()

    def _find_twins(self) -> None:
        if self._together:
            _, group, _ = self._grouped()
            twins = {place: ones for ones in members(group).values() for place in ones}
            with self._lock:
                self._twins = twins

    def _with_twins(self, events: Sequence[LabelEvent]) -> list[LabelEvent]:
        """Return events with those of the items that are the same, before the one that was said:
        it stays the newest, for undo."""
        made: list[LabelEvent] = []
        for event in events:
            place = self.pool.places[event.item]
            others = [k for k in self._twins.get(place, ()) if k != place]
            if event.kind == "label":
                made += [self._twin(event, k) for k in others if self._open[k]]
            elif event.kind == "retract":
                made += [
                    LabelEvent(new_id(), "retract", said.item, said.annotator, said.id, event.at)
                    for k in others
                    if (said := self._labels.current(self.pool.ids[k])) is not None
                    and said.shown.strategy == DUPLICATE
                    and said.annotator == event.annotator
                    and said.at == self._labels.time(event.value)
                ]
            made.append(event)
        return made

    def copies(self, item: str) -> int:
        """Return how many items a label of this one labels, itself included: see `duplicates=`."""
        with self._lock:
            place = self.pool.position(item)
            return 1 + sum(bool(self._open[k]) for k in self._twins.get(place, ()) if k != place)

    def _twin(self, event: LabelEvent, place: int) -> LabelEvent:
        shown = Shown(strategy=DUPLICATE, view=event.shown.view)
        content = self.pool.digest(place)
        item = self.pool.ids[place]
        return replace(event, id=new_id(), item=item, seconds=None, shown=shown, content=content)

    def _more_features(self, n_new: int, features: Any) -> tuple[Any, Any, Any]:
        suggester, model, before = self._given
        if suggester is not None and not isinstance(suggester, str):
            raise OptionError(
                "suggester= was made for the items of this session, so none can be added: open a "
                "session with all of them."
            )
        is_matrix = hasattr(before, "shape")
        if is_matrix and features is None:
            raise OptionError(
                "The session learns from features= as a matrix: give the rows of the new items "
                "too, add(data, features=matrix)."
            )
        if not is_matrix and features is not None:
            raise OptionError(
                "features= goes with new items only where the session's features= is a matrix; "
                "here they are computed."
            )
        return suggester, model, stack_features(before, features, n_new) if is_matrix else before

    # ------------------------------------------------------------ asking

    def next(self, k: int = 1) -> list[Asked]:
        """Return the k items to ask next.

        The same ones as long as nothing is answered, trained, or asked for otherwise.
        """
        with self._lock:
            pinned = [self.pool.ids[position] for position in self._queue.pinned(_API)]
            return self.window(_API, k, pinned[:k])

    def ask(self, items: Iterable[Hashable] | pd.DataFrame) -> None:
        """Ask these items next, in this order.

        Those that have a label are asked again, with the suggestion hidden: the newest label
        stands, and both are kept. What is found by `review`, `search`, `similar` or `check` can be
        given as it is.

        Parameters
        ----------
        items : iterable of item ids or labels of the source's index, or DataFrame
            Of a table the column ``item``, or else the index.
        """
        if isinstance(items, str):
            raise OptionError(f"ask takes several items; for one write ask([{items!r}]).")
        if isinstance(items, pd.DataFrame):
            items = items["item"] if "item" in items.columns else items.index
        with self._lock:
            ids = [self.pool.id_of(item) for item in items]
            self._queue.want([self._wanted(item) for item in dict.fromkeys(ids)])
            self._queue.changed()
            if self.on_change:
                self.on_change()

    def _wanted(self, item: str) -> Draw:
        judged = self._labels.label(item) is not None
        how = (REVIEW, "to be judged again") if judged else ("asked", "asked for by name")
        return Draw(self.pool.position(item), *how)

    def window(self, client: str, k: int, keep: Iterable[str] = ()) -> list[Asked]:
        """Return what a page should hold: up to k items, those it keeps first.

        While a certification verifies blind, its items come before all others but those asked for
        by name. One with traps is verified by `Certification.next`.
        """
        with self._lock:
            moment = time.monotonic()
            self._seen[client] = moment
            for other in [c for c, seen in self._seen.items() if moment - seen > HOLD_SECONDS]:
                self.release(other)
            places = [self.pool.position(item) for item in keep if item in self.pool]
            running = self._certification
            if running is not None and running.is_running and not running.terms.shown:
                self._queue.want(running.draws(k + self._queue.held_elsewhere(client)))
            draws = self._queue.window(client, k, lambda p: bool(self._open[p]), places)
            return [self._asked(draw) for draw in draws[:k]]

    def release(self, client: str) -> None:
        """Let go of what a page held."""
        with self._lock:
            self._seen.pop(client, None)
            self._queue.release(client)

    def asked(self, item: str) -> Asked:
        """Return an item that was not put forward, as when going back to it."""
        with self._lock:
            position = self.pool.position(item)
            event = self._labels.current(item)
            reason = "asked for by name" if event is None else "answered before"
            return self._asked(Draw(position, "browse", reason))

    def _asked(self, draw: Draw) -> Asked:
        item = self.pool.ids[draw.position]
        running = self._certification
        if draw.strategy == _certifying.VERIFY and running is not None and running.is_running:
            assert draw.draw is not None
            return running.asked(draw.draw)
        suggestion = self.suggestion(item)
        shown = Shown(
            strategy=draw.strategy,
            audit=draw.audit,
            draw=draw.draw,
            seed=draw.seed,
            model_version=suggestion.version if suggestion else 0,
            suggestion=suggestion.label if suggestion else None,
            confidence=suggestion.confidence if suggestion else None,
            visible=suggestion is not None
            and not self.is_blind(item)
            and draw.strategy not in (REPEAT, REVIEW, _certifying.VERIFY),
        )
        reason = draw.reason
        if draw.audit and running is not None and running.is_blind(item):
            suggestion, reason = None, _certifying.REASON  # a random draw that is also verified
        return Asked(
            item, self.pool.index[draw.position], self.pool.item(draw.position), suggestion, shown,
            reason,
        )  # fmt: skip

    def _put_forward(self, item: str, shown: Shown, reason: str) -> Asked:
        """Return an item with a suggestion that is not the newest model's."""
        place = self.pool.position(item)
        suggestion = None
        if shown.suggestion is not None:
            suggestion = Suggestion(shown.suggestion, None, [], shown.model_version)
        return Asked(
            item, self.pool.index[place], self.pool.item(place), suggestion, shown, reason
        )  # fmt: skip

    def is_blind(self, item: str) -> bool:
        """Whether the suggestion for an item is hidden, at random under the session's seed.

        While a certification verifies blind, that of all its items is.
        """
        if self._certification is not None and self._certification.is_blind(item):
            return True
        text = f"{self.random_state}/{item}".encode("utf-8", "replace")
        drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
        return drawn / 2**64 < self.blind

    def suggestion(self, item: str) -> Suggestion | None:
        """Return what the newest model suggests for an item, or the column that was named."""
        with self._lock:
            predictions = self._predictions
            position = self.pool.position(item)
            if self._column is not None:
                known = self._column.get(position)
                return None if known is None else Suggestion(known, None, [], 0)
            if predictions is None or position >= len(predictions):
                return None
            sure = predictions.probabilistic
            row = predictions.proba[position]
            # A tagger's row says how sure it is, not of what.
            order: Any = [] if self._tagger is not None else np.argsort(-row, kind="stable")
            ranking = [(predictions.classes[k], float(row[k]) if sure else None) for k in order]
            label, probability = self._value(predictions, position)
            if label is None:
                return None
            return Suggestion(label, probability if sure else None, ranking, predictions.version)

    @property
    def _tagger(self) -> Any:
        return getattr(self._fitted, "tagger", None)

    def _value(self, predictions: Predictions, position: int) -> tuple[Any, float]:
        """Return what a model says of an item, as a value of the task, and its probability."""
        return value_at(self.task, self._fitted, predictions, position)

    def marks(self, item: str, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label."""
        fitted, predictions, position = self._fitted, self._predictions, self.pool.position(item)
        if fitted is None or predictions is None or position >= len(predictions):
            return []
        try:
            return checked_marks(fitted.marks(position, label))
        except BaseException as error:
            self._fail("The marks failed", error)
            return []

    def view(self, item: str) -> View:
        """Return how an item is shown."""
        position = self.pool.position(item)
        view = safe_view(self.renderer, self.pool.item(position))
        if not self._details:
            return view
        row = self.pool.frame.iloc[position]  # type: ignore[union-attr]
        fields = [field_of(str(name), row[name]) for name in self._details]
        return replace(view, data={**view.data, "details": fields})

    def piece(self, item: str, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of a part of an item that is too large for its view.

        Parameters
        ----------
        item : str
        name : str
            Of the part, as its look knows it.
        start, length : int

        Returns
        -------
        bytes
            Fewer at the end of the part.
        int
            How many bytes the part has.

        Raises
        ------
        UnknownItemError, ValueError
            If there is no such item, or no such part of it; what a renderer raises beside.
        """
        content = self.pool.item(self.pool.position(item))
        return piece_of(self.renderer, content, name, start, length)

    # ------------------------------------------------------------ answering

    def record(
        self,
        item: Hashable | Asked,
        label: Any,
        *,
        seconds: float | None = None,
        annotator: str | None = None,
    ) -> LabelEvent:
        """Label an item.

        Parameters
        ----------
        item : Asked, item id, or label of the source's index
        label : object
            A legal value of the task.
        seconds : float, optional
            How long it took.
        annotator : str, optional
            Who labels, if not the session's annotator.

        Returns
        -------
        LabelEvent
            As it is in the log.
        """
        return self._say("label", item, self.task.parse(label), seconds, annotator)

    def skip(self, item: Hashable | Asked) -> LabelEvent:
        """Put an item away without a label."""
        return self._say("skip", item, None, None, None)

    def flag(self, item: Hashable | Asked, value: bool = True) -> LabelEvent:
        """Flag an item, or take its flag away."""
        return self._say("flag", item, bool(value), None, None)

    def annotate(self, item: Hashable | Asked, note: str) -> LabelEvent:
        """Write a note on an item; an empty one takes it away."""
        return self._say("note", item, str(note), None, None)

    def undo(self, annotator: str | None = None) -> LabelEvent | None:
        """Take back the newest answer, flag or note that stands; return the event taken back."""
        with self._lock:
            who = annotator or self.annotator
            target = self._labels.last(who)
            if target is not None:
                self.append([LabelEvent(new_id(), "retract", target.item, who, target.id, now())])
            return target

    def _say(
        self, kind: str, item: Any, value: Any, seconds: float | None, annotator: str | None
    ) -> LabelEvent:
        with self._lock:
            item_id = item.id if isinstance(item, Asked) else self.pool.id_of(item)
            draw = self._queue.held(_API, self.pool.position(item_id))
            asked = (
                item
                if isinstance(item, Asked)
                else self._asked(draw or Draw(self.pool.position(item_id), "given"))
            )
            # What was asked to be verified with a suggestion was shown with it.
            seen = asked.shown.visible and asked.shown.strategy in _certifying.STRATEGIES
            shown = replace(asked.shown, visible=seen, view="api")
            event = LabelEvent(
                new_id(), kind, item_id, annotator or self.annotator, value, now(), seconds, shown
            )
            event = self._complete(event, ())
            self._append([event])
            return event

    def append(self, events: Sequence[LabelEvent]) -> list[int]:
        """Check events, write them to the log, then fold them in.

        Parameters
        ----------
        events : sequence of LabelEvent
            Their `content` and what the newest model predicts are filled in here.

        Returns
        -------
        list of int
            Positions in the log.

        Raises
        ------
        UnknownItemError, LabelValueError, EventError
            If an event is not legal; then none is written.
        StoreError
            If they could not be written; then none counts as said.
        """
        with self._lock:
            return self._append([self._complete(e, events[:k]) for k, e in enumerate(events)])

    def _complete(self, event: LabelEvent, before: Sequence[LabelEvent]) -> LabelEvent:
        if event.kind in (*ABOUT_ALL, "certify"):
            raise EventError(f"An event of kind {event.kind!r} is written by the session itself.")
        position = self.pool.position(event.item)
        event = sound(event)
        if event.kind == "retract":
            target = next((other for other in before if other.id == event.value), None)
            if not (
                target is not None
                and target.kind in RETRACTABLE
                and (target.item, target.annotator) == (event.item, event.annotator)
            ):
                self._labels.check(event)
                author = self._labels.author(event.value)
                if author != event.annotator:
                    raise EventError(
                        f"Event {event.value!r} was said by {author!r}; {event.annotator!r} cannot "
                        "take it back."
                    )
            return event
        if event.kind != "label":
            return replace(event, content=self.pool.digest(position))
        shown = event.shown
        predictions = self._predictions
        if (
            predictions is not None
            and position < len(predictions)
            and position not in self._trained_on
        ):
            shown = replace(
                shown,
                predicted=self._value(predictions, position)[0],
                predicted_version=predictions.version,
            )
        value = self._parsed(event.value)
        check = getattr(self.task, "check", None)
        if check is not None:
            check(value, self.pool.item(position))
        if shown.strategy == _certifying.TRAP:
            if self._certification is None:
                raise EventError("This trap belongs to a certification that has ended.")
            return self._certification.trapped(replace(event, value=value))
        if isinstance(self.renderer, PairRenderer):
            shown = replace(shown, swapped=self.renderer.swapped(self.pool.item(position)))
        return replace(
            event,
            value=value,
            content=self.pool.digest(position),
            shown=shown,
        )

    def _parsed(self, value: Any) -> Any:
        """Return a legal label; of one that was renamed while it waited in a page, the new one."""
        try:
            return self.task.parse(value)
        except LabelValueError:
            for names in reversed(self._labels.relabelings):
                if isinstance(value, str) and names.get(value) is not None:
                    return self.task.parse(names[value])
            raise

    def _append(self, events: Sequence[LabelEvent]) -> list[int]:
        self._fold()  # another kernel may have said what these items are now
        if self._stale:
            raise StoreMismatchError(f"{self._stale}.")
        if self._twins:
            events = self._with_twins(events)
        positions = self._log.append(events)
        self.refresh()
        for event in events:
            if event.kind == "label" and event.annotator == self.annotator:
                self._recent.append(event.item)
                self._let_one_come_back(event)
        return positions

    def _let_one_come_back(self, event: LabelEvent) -> None:
        """Now and then, want one of the annotator's labeled items again."""
        if self.repeat == 0 or event.shown.strategy in (DUPLICATE, REPEAT, REVIEW):
            return
        if self._repeat_rng.random() >= self.repeat / (1 - self.repeat):
            return
        places = list(self._labeled)
        for k in self._repeat_rng.integers(len(places), size=REPEAT_TRIES).tolist():
            item = self.pool.ids[places[k]]
            said = self._labels.judged(item)
            if (
                item not in self._recent
                and self._queue.wanted(places[k]) is None
                and said[-1].annotator == self.annotator
                and not any(one.shown.strategy in (REPEAT, REVIEW) for one in said)
            ):
                self._queue.want([Draw(places[k], REPEAT, "drawn at random")])
                return

    def refresh(self) -> None:
        """Fold in what was written since, also by another kernel on the same log."""
        with self._lock:
            self._fold()
            if self._certification is not None and not self._stale:
                self._certification.settle()
            if self._changes >= self.batch:
                self._order_training()

    def _fold(self) -> None:
        places = self.pool.places
        before = self._labels.n_events
        for position, event in self._log.read(self._labels.position):
            try:
                fresh = self._labels.apply(position, event)
            except EventError as error:
                self._fail(f"An event of the log was passed over, number {position}", error)
                continue
            if event.kind in ABOUT_ALL:
                self._look_again(event)
            elif event.kind == "certify":
                self._follow(event)
            elif fresh and event.item in places:
                if event.kind in ("label", "skip"):
                    self._queue.answered(places[event.item])
                self._settle(event.item)
                self._changes += event.kind in ("label", "retract")
        if self.on_change and self._labels.n_events > before:
            self.on_change()

    @property
    def n_events(self) -> int:
        """How many events of the log were read."""
        with self._lock:
            return self._labels.n_events

    def _settle(self, item: str) -> None:
        """Take over the answer that stands for an item of the pool."""
        place, answer = self.pool.places[item], self._labels.current(item)
        self._open[place] = answer is None
        if answer is not None and answer.kind == "skip":
            self._skipped[item] = None
        else:
            self._skipped.pop(item, None)
        if answer is not None and answer.kind == "label" and self._labels.trains(answer.annotator):
            self._labeled[place] = answer.value
        else:
            self._labeled.pop(place, None)

    def _look_again(self, event: LabelEvent) -> None:
        """Take over an event that is about all items."""
        self._open[:] = True
        self._labeled.clear()
        self._skipped.clear()
        for item in self._labels.answered:
            if item in self.pool.places:
                self._settle(item)
        if self._certification is not None:
            attempt = self._labels.attempts[self._certification.id]
            self._certification = Certification(self, attempt)
        self._changes += 1
        if self._ready and event.id not in self._own:
            what = "other data" if event.kind == "match" else "other labels"
            self._stale = (
                f"Another kernel has opened {self.store_path} with {what} since. Run the cell "
                "again with the same data and labels; until then nothing is written, and labels "
                "wait in the page"
            )
            self.warning = f"{self._stale}."

    def knows(self, event_id: str) -> bool:
        """Whether an event with this id is in the log, as far as it was read."""
        with self._lock:
            return event_id in self._labels

    def said(self, item: str) -> tuple[Any, str, bool]:
        """Return what stands for an item: its label or None, its note, whether it is flagged."""
        with self._lock:
            labels, place = self._labels, self.pool.places.get(item)
            # Nobody is to see what was said before, when it is asked again.
            again = place is not None and self._queue.wanted(place) and self._queue.is_held(place)
            return None if again else labels.label(item), labels.note(item), labels.flagged(item)

    @property
    def skipped(self) -> list[str]:
        """Ids of the items put away."""
        with self._lock:
            return list(self._skipped)

    def trail(
        self, most: int, before: int | None = None
    ) -> tuple[list[tuple[LabelEvent, Any]], int | None]:
        """Return the newest events of the annotator that stand, oldest first, for undo.

        Parameters
        ----------
        most : int
        before : int, optional
            Only events before this one, as counted by `more`.

        Returns
        -------
        rows : list of (LabelEvent, value)
            Each with the label that the item had before.
        more : int or None
            Where older ones go on; None if there are none.
        """
        with self._lock:
            return self._labels.trail(self.annotator, most, before)

    def reopen(self, items: Iterable[str]) -> None:
        """Put skipped items back into the order of asking, without changing the log."""
        with self._lock:
            for item in items:
                event = self._labels.current(item)
                if event is not None and event.kind == "skip":
                    self._open[self.pool.position(item)] = True

    # ------------------------------------------------------------ certificates

    def certify(
        self,
        max_error: float = 0.02,
        confidence: float = 0.95,
        form: str = "pool",
        *,
        blind: bool = True,
        traps: float = 0.2,
        train: bool = False,
        seed: int | None = None,
    ) -> Certification:
        """Begin to certify labels of the newest model, or go on with what was begun.

        The model is frozen, the items that it is surest of are put forward, and their order is
        drawn and written to the log before the first answer. Verify what `Certification.next`
        gives; once the bound on the errors is low enough, the rest of them is labeled by
        ``auto:<certificate>``.

        Parameters
        ----------
        max_error : float
            Share that may be labeled wrong.
        confidence : float
            Over all attempts together.
        form : {"pool", "machine"}
            Whether that is a share of all items, where people's labels count as right, or of the
            machine's labels alone, which is stricter.
        blind : bool
            Whether who verifies sees no suggestions. Else there are traps, items with a known label
            and a wrong suggestion, and the share that was missed makes the bound stricter.
        traps : float
            Traps for each item verified, where suggestions are shown.
        train : bool
            Whether the model may learn from the certified labels.
        seed : int, optional
            Of the order; drawn by default.

        Returns
        -------
        Certification

        Raises
        ------
        NotFittedError
            If there is no model yet.
        OptionError
            If an argument is off, other terms are being certified, or no look would be spared.
        """
        with self._lock:
            self._fold()
            running = self._certification
            if running is not None and running.is_running:
                terms = running.terms
                if (terms.max_error, terms.confidence, terms.form, terms.shown, terms.train) != (
                    max_error, confidence, form, not blind, train,
                ):  # fmt: skip
                    raise OptionError(
                        f"Attempt {running.id} is running, on other terms: {terms.max_error:g} "
                        f"errors at confidence {terms.confidence:g} for the {terms.form}. Go on "
                        "with session.certifying, or session.certifying.close() it first."
                    )
                return running
            said = _certifying.begin(
                self, self._labels, max_error, confidence, form, blind=blind, traps=traps,
                train=train, seed=seed,
            )  # fmt: skip
            self._tell_certify(said.pop("attempt"), said.pop("step"), **said)
            assert self._certification is not None
            self.refresh()
            return self._certification

    def certifiable(
        self, max_error: float = 0.02, confidence: float = 0.95, form: str = "pool"
    ) -> dict[str, Any]:
        """Return what `certify` would put forward now, and what it is likely to cost.

        Returns
        -------
        dict
            ``machine`` (items that the machine would label), ``audits`` (items to verify),
            ``by_hand`` (items left to people), ``looks`` (the last two together), ``advice``. All
            are estimates: the certificate rests on none of them.
        """
        with self._lock:
            choice = _certifying.plan(self, self._labels, max_error, confidence, form)[0]
            return {
                "machine": choice.machine - choice.audits,
                "audits": choice.audits,
                "by_hand": choice.by_hand,
                "looks": choice.looks,
                "advice": _certifying.advice(choice, len(self._labeled)),
            }

    @property
    def certifying(self) -> Certification | None:
        """The newest certification: running, certified, revoked or closed; None if there is none.

        In another kernel too: it is in the log.
        """
        with self._lock:
            return self._certification

    @property
    def certificates(self) -> pd.DataFrame:
        """One row per certificate, with its evidence and one plain sentence; oldest first."""
        with self._lock:
            return _certifying.table(self._labels.certificates, len(self.pool))

    def revoke(self, certificate: str | Certificate) -> None:
        """Take back a certificate and all of its labels, in one event.

        Parameters
        ----------
        certificate : str or Certificate
            Its id, with or without ``auto:``.

        Raises
        ------
        OptionError
            If there is no such certificate, or it was revoked already.
        """
        name = certificate.id if isinstance(certificate, Certificate) else str(certificate)
        name = name.removeprefix("auto:")
        with self._lock:
            self._fold()
            standing = [c.id for c in self._labels.certificates if not c.revoked]
            if name not in standing:
                raise OptionError(
                    f"There is no certificate {name!r} to revoke; standing are "
                    f"{shorten(standing) or 'none'}."
                )
            self._tell_certify(name, "revoke")

    def _tell_certify(self, attempt: str, step: str, **said: Any) -> None:
        if self._stale:
            raise StoreMismatchError(f"{self._stale}.")
        self._log.append([_certifying.say(attempt, step, self.annotator, **said)])
        self._fold()

    def _follow(self, event: LabelEvent) -> None:
        """Take over what the log says of a certification."""
        attempt = self._labels.attempts[event.value["attempt"]]
        if event.value["step"] != "trap":
            self._queue.drop(_certifying.VERIFY)
            self._queue.changed()
        if event.value["step"] == "begin":
            self._certification = Certification(self, attempt)
        elif attempt.certificate is not None:
            for item in attempt.items:
                if item in self.pool.places:
                    self._settle(item)
            self._changes += attempt.terms.train
            is_new = self._ready and event.value["step"] == "certify"
            self._reached = attempt.terms.id if is_new else ""

    def _check_certification(self) -> None:
        """Close what cannot go on with this data, and say what certificates do not cover."""
        running = self._certification
        if running is not None and running.is_running and not running.fits(self.pool):
            self._add_warning(
                f"Certification {running.id} cannot go on: some of its items have changed or are "
                "gone. It is closed; certify() begins another one."
            )
            running.close()
        self._say_outgrown()

    def _say_outgrown(self) -> None:
        text = _certifying.outgrown(self._labels, len(self.pool))
        if text and text not in self.warning:
            self._add_warning(text)

    def _add_warning(self, text: str) -> None:
        self.warning = f"{self.warning} {text}".strip()
        warnings.warn(text, stacklevel=4)

    # ------------------------------------------------------------ import and export

    def import_labels(self, source: Any, format: str | None = None, *, name: str = "") -> int:
        """Take over labels from a file of this or another program.

        An item is found by its id if its content is the same, else by its content, else by the name
        of its image. Importing twice is importing once. The annotator is ``import:<who>``.

        Parameters
        ----------
        source : path, table with a column ``label``, or Hugging Face dataset
        format : str, optional
            A name of `nblabel.formats.FORMATS`; by default it goes by the suffix.
        name : str, optional
            Who said what the file tells of nobody; by default the name of the file.

        Returns
        -------
        int
            Number of labels that were not there before.

        Raises
        ------
        DataError
            If the file is not in the format, or goes with no item.
        LabelValueError
            If a label is not legal; then none is taken over.
        OptionError
            If the format is not known or does not hold labels of this task.
        """
        found = read_labels(source, self.task, format=format)
        is_path = isinstance(source, (str, os.PathLike))
        with self._lock:
            self._fold()
            who = name or (os.path.basename(os.fspath(source)) if is_path else "") or "table"
            events = import_events(found, self.pool, self.task, who)
            fresh = [event for event in events if event.id not in self._labels]
            self.append(fresh)
            return sum(event.kind == "label" for event in fresh)

    def export(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the label that stands for each item to a file, for this or another program.

        Parameters
        ----------
        path : path
            The file; the folder of ``"yolo"`` and ``"voc"``, which have a file for each image.
        format : str, optional
            A name of `nblabel.formats.FORMATS`; by default it goes by the suffix.

        Raises
        ------
        DataError, OptionError
            If the format does not hold labels of this task or these items.
        StoreError
            If the file cannot be written.

        Warns
        -----
        UserWarning
            If something is left out; the message names it.
        """
        with self._lock:
            records = export_records(self._labels, self.pool, self.renderer)
        write_labels(records, path, self.task, format=format)

    # ------------------------------------------------------------ learning

    def retrain(self, *, wait: bool = False, timeout: float | None = None) -> None:
        """Order a training from the labels as they are now.

        Parameters
        ----------
        wait : bool
            Return only when nothing is left to train.
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            If it took longer.
        """
        with self._lock:
            self._order_training()
        if wait and not self._trainer.wait(timeout):
            raise TimeoutError(f"The model was not trained within {timeout} seconds.")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no training runs or waits; return False if the time ran out."""
        return self._trainer.wait(timeout)

    def _order_training(self) -> None:
        self._changes = 0
        self._ordered_version += 1
        labeled = self._labeled
        snapshot = Snapshot(
            np.fromiter(labeled, dtype=np.intp, count=len(labeled)),
            self.task.targets(list(labeled.values())),
            self._ordered_version,
            self.random_state,
        )
        order = Order(
            snapshot,
            tuple(labeled.values()),
            np.flatnonzero(self._open),
            self.batch,
            self.random_state,
            len(self.pool),
        )
        self._trainer.submit(
            partial(learn, self._suggester, self.strategy, order),
            self._install,
            self._training_failed,
            timeout=self._time_limit(),
        )

    def _time_limit(self) -> float | None:
        if self._train_timeout != "auto":
            return None if self._train_timeout is None else float(self._train_timeout)
        if self._longest == 0:
            return FIRST_TIMEOUT
        return max(LEAST_TIMEOUT, TIMES_LONGER * self._longest)

    def _install(self, result: Result) -> None:
        with self._lock:
            if result.predictions is not None:
                try:
                    self._check_classes(result.predictions.classes)
                except ModelOutputError as error:
                    self._training_failed(error)
                    return
                self._longest = max(self._longest, result.seconds)
            if result.predictions is not None and (
                self._predictions is None or result.predictions.version > self._predictions.version
            ):
                self._predictions = result.predictions
                self._fitted = result.fitted
                self._trained_on = result.positions
                self._stability.see(result.predictions)
            self._queue.rank(result.ranking)
            self.doing = result.doing
            self.aim = result.aim
            if self.last_error and self._error_from_training:
                self.last_error = None
            if self._changes >= self.batch or result.partial:
                self._order_training()

    def _check_classes(self, classes: Sequence[str]) -> None:
        """Refuse what a model predicts if the task has no such label."""
        if self.task.target_type != "multiclass":
            return  # what stands there is decoded by the task itself
        unknown = []
        for name in classes:
            try:
                self.task.parse(name)
            except LabelValueError:
                unknown.append(name)
        if unknown:
            raise ModelOutputError(
                f"the model predicts {shorten(unknown)}, which are no labels of this task "
                f"({shorten(self.task.spec().get('classes', []), 8)}): its classes_ must be the "
                "labels that it was fitted on, as text"
            )

    def cancel(self) -> bool:
        """Stop the training that runs; return whether one did.

        A worker process is ended at once. In a thread the result is dropped; a training that does
        not end within some seconds is left behind. The next training is ordered by the next
        labels, or by `retrain`.
        """
        with self._lock:
            stopped = self._trainer.stop()
            if stopped:
                self.aim = "training cancelled"
            return stopped

    def _fell_back(self, reason: str) -> None:
        text = (
            f"The model trains in a thread of the kernel, and a cell may stutter meanwhile: it "
            f"cannot be sent to a process ({reason}). worker='thread' says that this is meant."
        )
        with self._lock:
            self.warning = f"{self.warning} {text}".strip()
        warnings.warn(text, stacklevel=2)

    _error_from_training = False

    def _training_failed(self, error: BaseException) -> None:
        with self._lock:
            self._fail("The model could not be trained", error, training=True)

    def _fail(self, what: str, error: BaseException, *, training: bool = False) -> None:
        said = in_words(error)
        first = self.last_error is None
        self.last_error = f"{what}: {said}\n\n{full_story(error)}"
        self._error_from_training = training
        if first:
            warnings.warn(
                f"{what}: {said}. Labeling goes on; the traceback is in session.last_error.",
                stacklevel=2,
            )

    # ------------------------------------------------------------ results

    @property
    def labels(self) -> pd.DataFrame:
        """One row per labeled item, indexed and ordered like the source."""
        with self._lock:
            return self._labels.to_frame(self.pool, self.task)

    @property
    def history(self) -> pd.DataFrame:
        """The whole log, one row per event, oldest first."""
        with self._lock:
            return self._labels.history()

    def frame(self) -> pd.DataFrame:
        """Return the source with the labels joined to it; items without a label have none."""
        with self._lock:
            return joined(self._labels, self.pool, self.task, self.renderer)

    @property
    def model(self) -> Any:
        """The fitted scikit-learn estimator, ready for new data."""
        return self._trained().model

    def predict(self, data: Any) -> pd.DataFrame:
        """Predict labels for new data of the same form.

        Parameters
        ----------
        data : DataFrame, Series, list or array
            Read as the data of the session was; for a model on a matrix of features such a matrix,
            or data with the embedding column that was named.

        Returns
        -------
        DataFrame
            The columns of the task (``label`` for one class) and ``probability`` (NaN if the model
            gives none), indexed like `data`. Of single items that are compared in pairs their
            ``score``, on the scale of `scores`.
        """
        return self._trained().predict(data)

    def predict_values(self, data: Any) -> list[Any]:
        """Predict labels for new data as values of the task, as they stand in the log."""
        return self._trained().predict_values(data)

    @property
    def scores(self) -> pd.DataFrame:
        """How strong each compared item is, by the newest model; of a task of pairs.

        One row per item, indexed like the source where it holds single items; where it holds pairs,
        per different item of them, in their order, with a column ``item``.

        ``score`` is in logits: an item with 1 more is preferred with odds of e, about 2.7 to 1; the
        mean of all is 0. ``low`` and ``high`` are the ends of a 95 % credible interval of the
        model, which takes strengths as linear in the features plus a part of each item's own.
        ``n_labels`` says how often it was compared, ``rank`` begins with 1, the best.

        Raises
        ------
        OptionError
            If the task does not ask for pairs.
        NotFittedError
            Before there is a model.
        """
        if self.task.target_type != "pairwise":
            raise OptionError(f"scores are of nl.Pairs; a {self.task.kind} has none.")
        return self._trained("There are no scores yet: compare some pairs first.").scores()

    @property
    def predictions(self) -> pd.DataFrame:
        """Label and probability for every item of the pool, by the newest model.

        Items that were added since it was trained have none.
        """
        with self._lock:
            trained = self._trained(NO_PREDICTIONS)
            return trained.table_of_pool().assign(labeled=~self._open).set_axis(self.pool.index)

    def _trained(self, otherwise: str = NO_MODEL) -> Trained:
        """Return the newest model as it is now, to be read without the lock."""
        with self._lock:
            if self._fitted is None or self._predictions is None:
                failed = self.last_error if self._error_from_training else None
                why = f" (the last training failed: {failed.splitlines()[0]})" if failed else ""
                raise NotFittedError(otherwise.format(why))
            return Trained(
                self.pool, self.task, self.renderer, self._suggester, self._given[2],
                self._fitted, self._predictions,
            )  # fmt: skip

    @property
    def store_path(self) -> str | None:
        """File of the labels, None if they are in memory."""
        return self._log.path

    @property
    def store_id(self) -> str:
        """Identifies the log, so that a page sends what it kept to the right one."""
        if isinstance(self._log, SqliteLog):
            found = self._log.id
        else:
            found = str(digest(self._log.path or repr(id(self._log))))
        # What a page kept is about items by their ids of then.
        return f"{found}.{self._labels.matchings}" if self._labels.matchings else found

    @property
    def rank_version(self) -> int:
        """Counts the rankings."""
        return self._queue.version

    @property
    def has_model(self) -> bool:
        """Whether there is anything that learns."""
        return self._suggester is not None

    @property
    def has_suggestions(self) -> bool:
        """Whether anything is ever suggested: by what learns, or from a column."""
        return self.has_model or self._column is not None

    def accuracy(self) -> Share | None:
        """Return the model's accuracy on items without a label, None if not known yet.

        By progressive validation on audit items: see `estimate.progressive`.
        """
        with self._lock:
            return self._measured().accuracy

    def _measured(self) -> Measured:
        # Only when an audit is answered: every acknowledgement carries it.
        if self._found[0] != self._labels.audit_changes:
            hits, counts = audit_hits(self._labels, self.task)
            curve = [[n, s.value, s.low, s.high] for n, s in learning_curve(hits, counts)]
            measured = Measured(len(hits), progressive(hits), tuple(curve))
            self._found = (self._labels.audit_changes, measured)
        return self._found[1]

    def status(self) -> dict[str, Any]:
        """Return the state in numbers, as JSON: what a frame around the items shows."""
        with self._lock:
            labels = self._labels
            predictions = self._predictions
            measured = self._measured()
            share = measured.accuracy
            times = pace(labels.seconds())
            training = "off" if self._suggester is None else "idle"
            if self._trainer.busy:
                training = "training"
            elif self.last_error and self._error_from_training:
                training = "failed"
            elif self._suggester is not None and predictions is None:
                training = "waiting"
            return {
                "items": len(self.pool),
                "labeled": len(labels),
                "skipped": len(self._skipped),
                "left": int(np.count_nonzero(self._open)),
                "counts": labels.counts(),
                "training": training,
                "progress": self._trainer.progress if training == "training" else None,
                "version": predictions.version if predictions else 0,
                "learned": predictions.n_labels if predictions else 0,
                "rank": self._queue.version,
                "doing": self._doing(),
                "audits": measured.audits,
                "accuracy": None
                if share is None
                else [share.value, share.low, share.high, share.n],
                "curve": [list(point) for point in measured.curve],
                "pace": None if times is None else [times.median, times.low, times.high],
                "store": self.store_path,
                "warning": self.warning,
                "error": self.last_error,
                "certify": self._certify_status(),
            }

    def _doing(self) -> str:
        running = self._certification
        blind = running is not None and running.is_running and not running.terms.shown
        return "verifying at random" if blind else self.aim

    def _certify_status(self) -> dict[str, Any] | None:
        newest = self._certification
        reached = newest is not None and newest.id == self._reached
        if newest is None or not (newest.is_running or reached):
            return None
        return newest.status

    def rest(self) -> None:
        """End the worker process when it has nothing to do; a later training starts a new one."""
        self._trainer.rest()

    def close(self) -> None:
        """Let go of the log and end the worker process; the newest model stays."""
        self._trainer.stop()
        fitted = self._fitted
        if isinstance(fitted, Away):
            fitted.unpack()
        self._trainer.close()
        self._close_overview()
        with self._lock:
            self._log.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except Exception:  # no name on this machine, as in some containers
        return "me"


def _is_positive(number: Any) -> bool:
    real = isinstance(number, Real) and not isinstance(number, bool)
    return real and 0 < float(number) < float("inf")
