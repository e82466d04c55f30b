"""The session: composes pool, task, log, model, strategy and queue; the one mutable object.

Everything that labels, learns and ranks is here, without a screen. Methods may be called from any
thread: they take one lock. The worker gets an immutable snapshot and returns a value, which is
installed only if it is newer than what is there.
"""

from __future__ import annotations

import gc
import getpass
import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ._answering import REPEAT_AFTER, Answering
from ._asking import Asking
from ._certificates import Certificates
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
from ._queue import Queue
from ._results import inputs_of, joined
from ._trainer import Trainer
from ._training import Training
from .errors import OptionError, StoreError
from .estimate import Share, learning_curve, pace, progressive
from .events import (
    DUPLICATE,
    EVERY_ITEM,
    SEED,
    VERIFYING,
    LabelEvent,
    Shown,
    new_id,
    now,
)
from .evidence import (
    Stability,
    audit_hits,
)
from .finding import members
from .labels import MACHINES, Labels
from .pairing import PairPool, items_of, n_sides, sides_of
from .pool import Pool, digest
from .renderers import (
    Renderer,
    open_pool,
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

#: A smaller pool is learned from in some ms: no process is worth its start.
LEAST_FOR_PROCESS = 2000
#: Share of uniform draws, unless another one is asked for.
EXPLORE = 0.1


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


class Session(Asking, Answering, Training, Certificates, Inspection, Overview, Exchange):
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
        self._skipped = {}
        self._found: tuple[Any, Measured] = (None, Measured(0, None, ()))
        self.doing = ""
        self.aim = ""
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
