"""What the parts of a session share, and an item as a session puts it forward.

`Session` is composed of parts: `Asking`, `Answering`, `Training`, and others. Each declares here
what it takes from the others, so that it can be read by itself.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._queue import Draw, Queue
from ._trainer import Trainer
from .errors import Failure, StoreError
from .events import LabelEvent, Shown
from .labels import Labels
from .pool import Pool
from .renderers import Renderer
from .store import EventLog
from .strategies import QueryStrategy
from .suggest import Fitted, Suggester
from .tables import Predictions
from .tasks import Task

if TYPE_CHECKING:
    from ._certifying import Certification
    from .evidence import Stability

#: The client that asks and answers without a page.
API = "api"


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
        All classes the model knows with their probabilities, in the order in which it would suggest
        them: the default model treats classes alike, so a rare one may stand before a likelier one.
        Of a task without classes what its suggester ranks, maybe nothing.
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


class Core:
    """The state of a session. All of it is read and written under its lock."""

    pool: Pool
    task: Task
    renderer: Renderer
    strategy: QueryStrategy
    annotator: str
    batch: int
    random_state: int
    #: What decides which item comes next, in words: its reason, and what it aims at.
    doing: str
    aim: str
    #: What the person must see all the time.
    warning: str
    #: The newest error of the model, the strategy or the store, with its traceback.
    last_error: str | None = None
    #: What the newest training was, if its error is the newest one.
    _failed: Literal["", "failed", "unranked"] = ""
    _lock: threading.RLock
    _log: EventLog
    _labels: Labels
    _queue: Queue
    _trainer: Trainer
    _suggester: Suggester | None
    #: What was given for it: suggester, model, features.
    _given: tuple[Any, Any, Any]
    _fitted: Fitted | None = None
    _predictions: Predictions | None = None
    #: Places of the items that the newest model has learned from.
    _trained_on: frozenset[int] = frozenset()
    _stability: Stability
    #: Labels of people by place; which items have no answer.
    _labeled: dict[int, Any]
    _twins: dict[int, list[int]]
    _open: NDArray[np.bool_]
    #: Ids of the items put away, in their order.
    _skipped: dict[str, None]
    #: The certification that runs, or the last one.
    _certification: Certification | None = None
    #: Called after labels or items have changed, on the thread that did it; must be quick.
    on_change: Callable[[], None] | None = None
    #: What another kernel made of the log that this session does not know.
    _stale: str = ""
    #: Whether the log was read once.
    _ready = False
    #: Answers since the last training was ordered.
    _changes = 0

    def is_blind(self, item: str) -> bool:
        """Whether the suggestion for an item is hidden by chance."""
        raise NotImplementedError

    def _no_model(self) -> str:
        """Say why there is no model, and what to do."""
        raise NotImplementedError

    def status(self) -> dict[str, Any]:
        """Return the state in numbers."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Fold in what was written since."""
        raise NotImplementedError

    def record(
        self,
        item: Hashable | Asked,
        label: Any,
        *,
        seconds: float | None = None,
        annotator: str | None = None,
    ) -> LabelEvent:
        """Label an item."""
        raise NotImplementedError

    def append(self, events: Sequence[LabelEvent]) -> list[int]:
        """Check events, write them to the log, then fold them in."""
        raise NotImplementedError

    def suggestion(self, item: str) -> Suggestion | None:
        """Return what the newest model suggests for an item."""
        raise NotImplementedError

    @property
    def store_path(self) -> str | None:
        """File that the log is kept in."""
        raise NotImplementedError

    def _asked(self, draw: Draw) -> Asked:
        raise NotImplementedError

    def _order_training(self) -> None:
        raise NotImplementedError

    def _fail(self, what: str, error: Failure) -> None:
        raise NotImplementedError

    def _follow(self, event: LabelEvent) -> None:
        raise NotImplementedError

    def _with_twins(self, events: Sequence[LabelEvent]) -> list[LabelEvent]:
        raise NotImplementedError

    def _put_forward(self, item: str, shown: Shown, reason: str) -> Asked:
        raise NotImplementedError

    def _tell_certify(self, attempt: str, step: str, **said: Any) -> None:
        raise NotImplementedError

    def _value(self, predictions: Predictions, position: int) -> tuple[Any, float]:
        raise NotImplementedError

    def _fold(self) -> None:
        raise NotImplementedError

    def _catch_up(self) -> None:
        """Fold in what others have written, if the log can be read: else what is known stands."""
        with suppress(StoreError):  # closed, or not to be read now
            self._fold()
        if self._stale:
            warnings.warn(f"{self._stale}. What is read here is as it was before.", stacklevel=4)

    def _settle(self, item: str) -> None:
        raise NotImplementedError

    def _time_limit(self) -> float | None:
        raise NotImplementedError
