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
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from . import _certifying
from ._certificates import Certificates
from ._certifying import Certification
from ._core import Asked, Suggestion
from ._exchange import Exchange
from ._inspection import Inspection
from ._learning import Away
from ._matching import check_labels, match_items, new_relabeling
from ._opening import (
    as_pairs,
    check_options,
    checked_details,
    column_values,
    engine_of,
    join_more,
    open_log,
    seed_events,
    strategy_of,
)
from ._overview import Overview
from ._queue import Draw, Queue
from ._results import inputs_of, joined
from ._trainer import Trainer
from ._training import Training
from .errors import (
    EventError,
    Failure,
    LabelValueError,
    OptionError,
    StoreError,
    StoreMismatchError,
    brief,
)
from .estimate import Share, learning_curve, pace, progressive
from .events import (
    ABOUT_ALL,
    DUPLICATE,
    EVERY_ITEM,
    SEED,
    TRAP,
    VERIFY,
    VERIFYING,
    LabelEvent,
    Shown,
    new_id,
    now,
    renamed,
    sound,
)
from .evidence import (
    REPEAT,
    REVIEW,
    Stability,
    audit_hits,
)
from .finding import members
from .labels import MACHINES, RETRACTABLE, Labels
from .pairing import PairPool, items_of, n_sides, sides_of
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
from .strategies import Find, QueryStrategy
from .suggest import (
    Suggester,
    as_rows,
    can_learn,
    checked_matrix,
    stack_features,
    starts_from_items,
    suggester_for,
)
from .tasks import as_task, counted

#: A page that was silent for this long no longer holds its items back from others, in seconds.
HOLD_SECONDS = 90.0
#: A smaller pool is learned from in some ms: no process is worth its start.
LEAST_FOR_PROCESS = 2000
#: Share of uniform draws, unless another one is asked for.
EXPLORE = 0.1
#: An item comes back after so many others at least, and is looked for so many times.
REPEAT_AFTER, REPEAT_TRIES = 20, 20
_API = "api"


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


class Session(Training, Certificates, Inspection, Overview, Exchange):
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
        By default regularised least squares over several views of the items, pooled and
        calibrated as if classes were equally frequent; logistic regression with balanced classes on
        one view of large pools, sparse matrices, and what a transformer makes. False: no model, no
        suggestions.
    features : callable, transformer, matrix or str, optional
        What the model sees of the items: a function from some items (a list of texts, a DataFrame
        of rows, images as they were given) to a matrix with a row for each, whose rows are kept on
        disk; ``"sentence-transformers:<model>"``; the name of an embedding column; or a matrix of
        shape (n_items, n_features), dense, sparse or a DataFrame, whose rows are found by the index
        of the items if both have one that does more than count. Of pairs in two columns it has
        (2 n_items, n_features): all first items, then all second ones. It is not copied.
    strategy : str or QueryStrategy
        What to ask next.
    suggester : Suggester or str, optional
        Replaces features and model altogether. The name of a column suggests what it holds, such as
        what another model said of each item; nothing is learned then.
    goal : {"learn", "find"}
        Whether to ask what teaches the model, or what is likely to be of one rare class. Instead of
        a strategy.
    target : label, optional
        The class to find: that of a `Binary`; else by default whichever has the fewest labels of
        those seen, which changes while you label.
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
        there: None takes them back, and their items are asked again. Where a label holds several
        classes (`MultiLabel`, `Spans`, `Boxes`, `Ranking`), these are named, and None takes that
        class out of it. What is in the log stays as it is; the mapping is recorded once and holds
        from then on.
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
        check_options(
            goal=goal, batch=batch, random_state=random_state, explore=explore, blind=blind,
            repeat=repeat, duplicates=duplicates, worker=worker, train_timeout=train_timeout,
        )  # fmt: skip
        if explore is None:
            explore = 0.0 if goal == "find" else EXPLORE  # random draws would find next to none
        if annotator is not None and (not isinstance(annotator, str) or not annotator.strip()):
            raise OptionError(f"annotator= is a name, got {annotator!r}.")
        if annotator is not None and annotator.startswith(MACHINES):
            raise OptionError(
                f"annotator= is a person's name; machines' names begin with "
                f"{' or '.join(map(repr, MACHINES))}, got {annotator!r}."
            )
        self.task = as_task(task, keys=keys, question=question)
        if isinstance(row, (list, tuple)) and seed in row:
            raise OptionError(
                f"seed={seed!r} holds labels, and row= has it too: the model would learn them from "
                "themselves. Leave it out of row=."
            )
        self.pool, self.renderer, self.note = open_pool(
            data, text=text, image=image, html=html, row=row, show=show, audio=audio,
            series=series, video=video, pdf=pdf, point=point, trust_html=trust_html,
            exclude=[name for name in (seed, suggester, features) if isinstance(name, str)],
        )  # fmt: skip
        self.pool, self.renderer = as_pairs(self.task, self.pool, self.renderer)
        self._details = checked_details(self.pool, details)
        self.strategy = strategy_of(self.task, strategy, goal, target)
        self.annotator = annotator or _user()
        self.batch = int(batch)
        self.blind = float(blind)
        self.repeat = float(repeat)
        self.random_state = int(random_state)
        self._lock = threading.RLock()
        self._given = (suggester, model, self._feature_rows(features, self.pool))
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
        self._train_timeout = train_timeout
        self._seen: dict[str, float] = {}
        #: Running, since each label asks for them: labels of people by place, ids put away.
        self._labeled: dict[int, Any] = {}
        self._skipped: dict[str, None] = {}
        self._found: tuple[Any, Measured] = (None, Measured(0, None, ()))
        self.doing = ""
        self.aim = ""
        #: Called after labels or items have changed, on the thread that did it; must be quick.
        self.on_change: Callable[[], None] | None = None
        #: Labels of the log that go with no item of the data, and why; see `Match`.
        self.unmatched = pd.DataFrame()
        self._own: set[str] = set()  # events about all items that this session has written
        known = [] if seed is None else seed_events(self.pool, self.task, seed)
        self._log, self.warning = open_log(store, name)
        try:
            self._resume(relabel, edited)
            if known:
                self._log.append(self._unsaid(known))
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
        if features is None and not can_learn(self.renderer, inputs):
            inputs = None
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

    @property
    def learned_columns(self) -> tuple[dict[Any, pd.Series], bool]:
        """The columns that the model learns from, and whether it is known to learn from all."""
        suggester, model, features = self._given
        pool = self.pool.singles if isinstance(self.pool, PairPool) else self.pool
        otherwise = suggester is not None or model is False or isinstance(features, str)
        columns: dict[Any, pd.Series] = {}
        if not otherwise and not hasattr(features, "shape"):
            if isinstance(pool.values, pd.DataFrame) and self.renderer.modality == "row":
                columns = dict(pool.values.items())
            elif isinstance(pool.values, pd.Series) and isinstance(pool.field, str):
                columns = {pool.field: pool.values}
        return columns, features is None and not starts_from_items(model)

    def _check_requirements(self) -> None:
        if self.strategy.requires and self._suggester is None:
            needs = " and ".join(sorted(self.strategy.requires))
            raise OptionError(
                f"Strategy {self.strategy.name!r} requires {needs}. {self._no_model()} Or leave "
                "strategy= and goal= out."
            )
        if (
            "committee" in self.strategy.requires
            and self.task.target_type != "multiclass"
            and self._given[0] is None
        ):
            raise OptionError(
                f"Strategy {self.strategy.name!r} requires a committee, which votes on the labels "
                f"of a Choice or a Binary; {type(self.task).__name__} has none. Leave strategy= "
                "out, or give a suggester= that has one."
            )

    def _resume(self, relabel: Mapping[Any, Any] | None, edited: str | None) -> None:
        # Long logs make many objects, all of which stay: nothing to collect.
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._fold()
            names = new_relabeling(self._labels, self.task, relabel)
            check_labels(self._labels, self.task, self.store_path, names)
            if names is not None:
                # Nothing is written before all is known to fit.
                match_items(self._labels, self.pool, self.store_path, edited)
                self._tell_all("relabel", names)
            gone = self._match(self.pool, edited)
        finally:
            if collecting:
                gc.enable()
        if gone:
            self.warning = gone
            warnings.warn(f"{gone} Their labels stay in {self.store_path}.", stacklevel=4)
        if isinstance(self._log, SqliteLog):
            self._log.tell(task=self.task.spec(), items=len(self.pool))
            self._measure_anew(self._log)
        self._ready = True
        self._check_certification()

    def _measure_anew(self, log: SqliteLog) -> None:
        """Begin to measure the accuracy anew if another model learns than when it was last open."""
        about, engine = log.about(), engine_of(*self._given)
        since = about.get("measured_since", 0)
        if about.get("engine", engine) != engine:
            since = len(self._labels.events)
        with suppress(StoreError):  # a full disk keeps no log from being opened
            log.tell(engine=engine, measured_since=since)
        if since:
            self._labels.outdate(since)

    def _unsaid(self, known: Sequence[LabelEvent]) -> list[LabelEvent]:
        """Return what a column knows and nobody has said otherwise, nor the column before."""
        unsaid = []
        for event in known:
            answer = self._labels.current(event.item)
            if event.id not in self._labels:
                if answer is None or answer.annotator.startswith((SEED, *MACHINES)):
                    unsaid.append(event)
            elif answer and answer.annotator == event.annotator and answer.value != event.value:
                unsaid.append(replace(event, id=new_id()))  # as it was before it was changed
        return unsaid

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
            Rows of the new items, where ``features=`` of the session is a matrix; of pairs as they
            were given there: those of all first items, then those of all second ones.

        Raises
        ------
        DataError
            If the data has another form, or an id is there already; the message says which.
        """
        with self._lock:
            self._fold()
            pool = join_more(data, self.pool, self.renderer)
            given = self._more_features(pool, features)
            column = self._seed_column
            known = seed_events(pool, self.task, column) if column is not None else []
            suggester = self._make_suggester(*given, pool=pool)
            suggested = self._suggested(pool)
            gone = match_items(self._labels, self.pool, self.store_path, "drop").warning
            # All is checked: from here on nothing may fail but the disk.
            still_gone = self._match(pool, "drop")
            self._log.append(self._unsaid(known))
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
        said_of = {event.item for event in events if event.kind in ("label", "skip")}
        for event in events:
            place = self.pool.places[event.item]
            others = [k for k in self._twins.get(place, ()) if k != place]
            if event.kind == "label":
                free = [k for k in others if self._open[k] and self.pool.ids[k] not in said_of]
                made += [self._twin(event, k) for k in free]
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
        # Whether it verifies anything depends on how the other one was said.
        told = event.shown
        seed = told.seed if told.strategy in VERIFYING else None
        shown = Shown(strategy=DUPLICATE, seed=seed, visible=told.visible, view=told.view)
        content = self.pool.digest(place)
        item = self.pool.ids[place]
        return replace(event, id=new_id(), item=item, seconds=None, shown=shown, content=content)

    def _more_features(self, pool: Pool, features: Any) -> tuple[Any, Any, Any]:
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
        if is_matrix:
            known = len(items_of(self.pool))
            rows = self._feature_rows(features, pool, known, before)
            before = stack_features(before, rows, len(items_of(pool)) - known, self._sides)
        return suggester, model, before

    @property
    def _sides(self) -> int:
        return n_sides(self.task.target_type, self.pool)

    def _feature_rows(self, features: Any, pool: Pool, start: int = 0, like: Any = None) -> Any:
        """Return features with the rows of the items of a pool from there on, see `as_rows`."""
        items = items_of(pool)
        own = items.own_index
        if self._sides == 1:
            return as_rows(features, None if own is None else own[start:], like)
        if isinstance(features, str) and pool.frame is not None and features in pool.frame:
            raise OptionError(
                f"features={features!r} holds one vector for each pair, but both of its items need "
                "one: give a matrix of those of all first items above those of all second ones."
            )
        rows = as_rows(features, None, like)
        return checked_matrix(rows, len(items) - start, 2) if hasattr(rows, "shape") else rows

    # ------------------------------------------------------------ asking

    def next(self, k: int = 1) -> list[Asked]:
        """Return the k items to ask next.

        The same ones as long as nothing is answered, trained, or asked for otherwise.
        """
        if not isinstance(k, Integral) or isinstance(k, bool) or k < 0:
            raise OptionError(f"next takes how many items, a whole number from 0, got {brief(k)}.")
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
            if running is not None and running.is_verifying_blind:
                self._queue.want(running.draws(k + self._queue.held_elsewhere(client)))
            draws = self._queue.window(client, k, self._open, places)
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
        if draw.strategy == VERIFY and running is not None and running.is_running:
            assert draw.draw is not None
            return running.asked(draw.draw)
        suggestion = self.suggestion(item)
        shown = Shown(
            strategy=draw.strategy,
            audit=draw.audit,
            draw=draw.draw,
            seed=draw.seed,
            probability=draw.probability,
            model_version=suggestion.version if suggestion else 0,
            suggestion=suggestion.label if suggestion else None,
            confidence=suggestion.confidence if suggestion else None,
            visible=suggestion is not None
            and not self.is_blind(item)
            and draw.strategy not in (REPEAT, REVIEW, VERIFY),
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

    def view(self, item: str, *, small: bool = False) -> View:
        """Return how an item is shown, alone or, if small, as one of many."""
        position = self.pool.position(item)
        view = safe_view(self.renderer, self.pool.item(position), small=small)
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
            seen = asked.shown.visible and asked.shown.strategy in VERIFYING
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
        is_trap = event.shown.strategy == TRAP
        if event.kind == "skip" and is_trap:
            return _certifying.trapped(event, self._labels.attempts.values())
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
        if is_trap:
            # What was shown has another name, too, if labels were renamed while it waited.
            shown = replace(event.shown, suggestion=self._parsed(event.shown.suggestion))
            answered = replace(event, value=value, shown=shown)
            return _certifying.trapped(answered, self._labels.attempts.values())
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
                new = renamed(value, names)
                if new is not None and new != value:
                    return self.task.parse(new)
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
        if self._stale:  # what follows is about other items, or in other words
            return
        places = self.pool.places
        before = self._labels.n_events
        for position, event in self._log.read(self._labels.position):
            if event.kind in ABOUT_ALL and self._ready and event.id not in self._own:
                self._go_stale(event)
                break
            try:
                fresh = self._labels.apply(position, event)
            except EventError as error:
                what = f"An event of the log was passed over, number {position}"
                self._fail(what, Failure.of(error))
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

    def _go_stale(self, event: LabelEvent) -> None:
        """Go on with what is known here: another kernel goes on with other items, or labels."""
        what = "other data" if event.kind == "match" else "other labels"
        self._stale = (
            f"Another kernel has opened {self.store_path} with {what} since. Run the cell "
            "again with the same data and labels; until then nothing is written, and labels "
            "wait in the page"
        )
        self.warning = f"{self._stale}."
        if self.on_change:
            self.on_change()

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

    # ------------------------------------------------------------ results

    @property
    def labels(self) -> pd.DataFrame:
        """One row per labeled item, indexed and ordered like the source."""
        with self._lock:
            self._catch_up()
            return self._labels.to_frame(self.pool, self.task)

    @property
    def history(self) -> pd.DataFrame:
        """The whole log, one row per event, oldest first."""
        with self._lock:
            self._catch_up()
            return self._labels.history()

    def frame(self) -> pd.DataFrame:
        """Return the source with the labels joined to it; items without a label have none."""
        with self._lock:
            self._catch_up()
            return joined(self._labels, self.pool, self.task, self.renderer)

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

    def accuracy(self) -> Share | None:
        """Return the model's accuracy on items without a label, None if not known yet.

        By progressive validation on audit items: see `estimate.progressive`.
        """
        with self._lock:
            return self._measured().accuracy

    def _measured(self) -> Measured:
        # Only when there is something new: every acknowledgement carries it.
        state = self._labels.audit_changes, self._labels.n_taken, len(self.pool)
        if self._found[0] != state:
            hits = audit_hits(self._labels, self.task, len(self.pool))
            points = learning_curve(hits.right, hits.n_labels)
            curve = tuple([n, s.value, s.low, s.high] for n, s in points)
            accuracy = progressive(hits.right, moved=hits.moved)
            self._found = (state, Measured(len(hits.right), accuracy, curve))
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
            elif self.last_error and self._failed:
                training = self._failed
            elif self._suggester is not None and predictions is None:
                training = "waiting"
            items, left = len(self.pool), int(np.count_nonzero(self._open))
            if isinstance(self.pool, PairPool):  # nobody answers all of them
                answered = items - left
                items = max(self.pool.enough, answered)
                left = min(left, max(items - answered, 1))  # one may always go on
            return {
                "items": items,
                "labeled": len(labels),
                "skipped": len(self._skipped),
                "left": left,
                "counts": labels.counts(),
                "training": training,
                "progress": self._trainer.progress if training == "training" else None,
                "version": predictions.version if predictions else 0,
                "learned": predictions.n_labels if predictions else 0,
                "rank": self._queue.version,
                "doing": self._doing(),
                "audits": measured.audits,
                "explore": self._queue.explore,
                "accuracy": None
                if share is None
                else [share.value, share.low, share.high, share.n],
                "curve": [list(point) for point in measured.curve],
                "pace": None if times is None else [times.median, times.low, times.high],
                "store": self.store_path,
                "warning": self.warning,
                "error": self.last_error,
                "certify": self._certify_status(),
                "finding": isinstance(self.strategy, Find),
            }

    def _doing(self) -> str:
        running = self._certification
        blind = running is not None and running.is_verifying_blind
        return "verifying at random" if blind else self.aim

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
