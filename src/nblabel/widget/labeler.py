"""The widget: a skin over a session."""

from __future__ import annotations

import html
import inspect
import os
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets

from .._certifying import Certification
from ..certify import Certificate
from ..errors import OptionError, near
from ..events import new_id
from ..report import Report
from ..session import Session
from . import protocol
from .desk import Desk

#: What may be said beside data and task: what a session takes.
_OPTIONS = [*inspect.signature(Session).parameters][2:]
_STATIC = Path(__file__).parent / "static"
#: The newest labeler of each log in this kernel: running a cell again takes over.
_NEWEST: weakref.WeakValueDictionary[str, Labeler]


class Labeler(anywidget.AnyWidget):
    """Label items by keyboard in an output cell.

    Takes what `Session` takes, and:

    Parameters
    ----------
    data : DataFrame, Series, list, array of images, folder, or Session
    task : list of str or Task
    instructions : str, optional
        Markdown, shown in a panel that folds.
    suggest : bool
        Whether suggestions are shown at first; the key ``h`` hides and shows them.
    **options
        See `Session`: ``text``, ``image``, ``html``, ``row``, ``show``, ``audio``, ``series``,
        ``video``, ``pdf``, ``point``, ``details``, ``trust_html``, ``seed``, ``keys``,
        ``question``, ``name``, ``store``, ``annotator``, ``model``, ``features``, ``suggester``,
        ``strategy``, ``batch``, ``explore``, ``blind``, ``repeat``, ``duplicates``,
        ``random_state``, ``worker``, ``train_timeout``, ``relabel``, ``edited``.

    Attributes
    ----------
    session : Session
        Everything, without the widget.

    Examples
    --------
    >>> labeler = Labeler(["win money now", "see you at ten"], ["spam", "ham"], store=None)
    >>> len(labeler.labels)
    0
    """

    _esm = _STATIC / "widget.js"
    _css = _STATIC / "widget.css"
    _config = traitlets.Dict().tag(sync=True)
    #: Counts the times that pages were told to ask, as something changed that none of them did.
    _news = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        data: Any,
        task: Any = None,
        *,
        instructions: str | None = None,
        suggest: bool = True,
        **options: Any,
    ) -> None:
        session = data if isinstance(data, Session) else None
        if session is not None and (task is not None or options):
            raise OptionError("A Session brings its own labels and options; give it alone.")
        if instructions is not None and not isinstance(instructions, str):
            raise OptionError(f"instructions= is markdown text, got {type(instructions).__name__}.")
        if session is None:
            unknown = [name for name in options if name not in _OPTIONS]
            if unknown:
                hint = (
                    "the labels come second"
                    if unknown[0] == "labels"
                    else near(unknown[0], _OPTIONS)
                )
                raise OptionError(f"Labeler has no option {unknown[0]}=. {hint}")
            session = Session(data, task, **options)
        self.session = session
        self._desk = Desk(session)
        self._told = False
        config = {
            "protocol": protocol.VERSION,
            "widget": new_id(),
            "task": session.task.spec(),
            "session": session.store_id,
            "instructions": instructions or "",
            "suggest": bool(suggest and session.has_suggestions),
            "batch": session.batch,
            "modules": self._desk.modules.names(),
        }
        super().__init__(_config=config)
        pin_route(self.comm)
        self.on_msg(self._on_message)
        older = _NEWEST.get(session.store_id)
        if older is not None:
            older._desk.successor = self._desk
            if older.session is not session:
                older.session.rest()
        _NEWEST[session.store_id] = self
        me = weakref.ref(self)
        session.on_change = lambda: _tell(me())

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        self._told = False
        for message, buffers in self._desk.handle(content):
            self.send(message, buffers)

    def close(self) -> None:
        """Take the widget off the page, and end the worker process; see `Session.close`, too."""
        super().close()
        if hasattr(self, "session"):  # else it was never made
            self.session.rest()

    def add(self, data: Any, *, features: Any = None) -> None:
        """Add items behind those that are there; the open widget goes on with them.

        See `Session.add`.
        """
        self.session.add(data, features=features)

    def import_labels(self, source: Any, format: str | None = None, *, name: str = "") -> int:
        """Take over labels from a file of this or another program.

        See `Session.import_labels`.
        """
        return self.session.import_labels(source, format, name=name)

    def export(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the labels to a file for this or another program.

        See `Session.export`.
        """
        self.session.export(path, format)

    # ------------------------------------------------------------ what the session knows

    @property
    def labels(self) -> pd.DataFrame:
        """One row per labeled item, indexed and ordered like the source."""
        return self.session.labels

    @property
    def history(self) -> pd.DataFrame:
        """The whole log, one row per event, oldest first."""
        return self.session.history

    @property
    def predictions(self) -> pd.DataFrame:
        """Label and probability for every item, by the newest model."""
        return self.session.predictions

    @property
    def scores(self) -> pd.DataFrame:
        """How strong each compared item or ranked option is, with its interval.

        See `Session.scores`.
        """
        return self.session.scores

    @property
    def model(self) -> Any:
        """The fitted scikit-learn estimator, ready for new data."""
        return self.session.model

    def frame(self) -> pd.DataFrame:
        """Return the source with the labels joined to it."""
        return self.session.frame()

    def predict(self, data: Any) -> pd.DataFrame:
        """Predict label and probability for new data of the same form."""
        return self.session.predict(data)

    def report(self) -> Report:
        """Return all honest numbers, each with its interval; see `Session.report`."""
        return self.session.report()

    def review(self, k: int | None = None, *, method: str = "auto") -> pd.DataFrame:
        """Return the labels of people, the most suspicious first; see `Session.review`."""
        return self.session.review(k, method=method)

    def similar(self, item: Any, k: int = 20) -> pd.DataFrame:
        """Return the items most like one; see `Session.similar`."""
        return self.session.similar(item, k)

    def search(self, text: str, k: int | None = None) -> pd.DataFrame:
        """Return the items whose text has all words of a query; see `Session.search`."""
        return self.session.search(text, k)

    def duplicates(self) -> pd.DataFrame:
        """Return the items that are there twice or more; see `Session.duplicates`."""
        return self.session.duplicates()

    def check(self) -> pd.DataFrame:
        """Return what is better looked at before labeling starts; see `Session.check`."""
        return self.session.check()

    def projection(self, method: str = "pca") -> pd.DataFrame:
        """Return two coordinates of each item, and what colours it; see `Session.projection`."""
        return self.session.projection(method)

    def ask(self, items: Any) -> None:
        """Ask these items next, labeled ones again and blind; see `Session.ask`."""
        self.session.ask(items)

    # ------------------------------------------------------------ certificates

    def certify(
        self, max_error: float = 0.02, confidence: float = 0.95, form: str = "pool", **options: Any
    ) -> Certification:
        """Begin to certify labels of the newest model: what to verify comes next in the widget.

        See `Session.certify`, which has all options.
        """
        return self.session.certify(max_error, confidence, form, **options)

    def certifiable(
        self, max_error: float = 0.02, confidence: float = 0.95, form: str = "pool"
    ) -> dict[str, Any]:
        """Return what `certify` would cost now; see `Session.certifiable`."""
        return self.session.certifiable(max_error, confidence, form)

    @property
    def certifying(self) -> Certification | None:
        """The newest certification; see `Session.certifying`."""
        return self.session.certifying

    @property
    def certificates(self) -> pd.DataFrame:
        """One row per certificate; see `Session.certificates`."""
        return self.session.certificates

    def revoke(self, certificate: str | Certificate) -> None:
        """Take back a certificate and all of its labels; see `Session.revoke`."""
        self.session.revoke(certificate)

    # ------------------------------------------------------------ display

    def __repr__(self) -> str:
        status = self.session.status()
        where = status["store"] or "memory"
        return (
            f"Labeler({status['labeled']:,} of {status['items']:,} items labeled, kept in {where})"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        # What a viewer without a kernel shows, and what the saved notebook keeps: a summary.
        return {**data, "text/plain": repr(self), "text/html": _summary(self.session)}, metadata


_NEWEST = weakref.WeakValueDictionary()


def _tell(labeler: Labeler | None) -> None:
    """Let the pages know that a cell changed something: once, until one of them speaks."""
    if labeler is None or labeler._told or labeler._desk.answers:
        return
    labeler._told = True
    labeler._news += 1


def pin_route(comm: Any) -> None:
    """Let the front end decide which thread of the kernel serves this comm.

    ipykernel 7.4 sends replies to the thread that published last on the comm, which for a widget
    made in a cell is the main thread, busy as long as the cell runs. Every other version takes the
    thread that the front end names; where the private method is missing nothing is changed.
    """
    if "ipykernel" in sys.modules and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, named: named


def _summary(session: Session) -> str:
    status: Mapping[str, Any] = session.status()
    counts = ", ".join(f"{html.escape(str(name))} {n:,}" for name, n in status["counts"].items())
    where = html.escape(status["store"] or "memory (not saved)")
    # Two dollars in names would else become mathematics, and \href in it a link to anything.
    return (
        '<div class="nblabel-summary mathjax_ignore tex2jax_ignore"><strong>nblabel</strong>: '
        f"{status['labeled']:,} of {status['items']:,} items labeled"
        f"{f' ({counts})' if counts else ''}, kept in {where}. "
        "Run the cell to go on labeling.</div>"
    )
