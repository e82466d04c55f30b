"""What a session shows of all its items at once: where they lie on a map, and what colours them.

Mixed into `Session`, whose parts it reads under its lock. Coordinates are computed without it: the
features are where models learn, so that is where they are projected; what takes minutes from there
on has a worker of its own, so that trainings go on beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from . import projection as pr
from ._core import Core
from ._trainer import Trainer
from .errors import in_words
from .tasks import counted

#: What does not say how far it is for so long is given up, in seconds; UMAP looks for neighbours
#: for minutes before it does.
TIMEOUT = 1800.0

State = Literal["none", "computing", "ready", "failed"]


@dataclass
class _Layout:
    """The coordinates by one method, and those on their way."""

    points: NDArray[np.float32] | None = None
    version: int = 0
    error: str = ""
    #: What is being computed: runs of trainers, the newest last; empty if nothing is.
    runs: list[Any] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether anything is computed: who stops a trainer stops what waits there too."""
        return bool(self.runs) and not (self.runs[-1] is not None and self.runs[-1].stopped)


@dataclass(frozen=True)
class Chart:
    """What there is of a map.

    Attributes
    ----------
    state : {"none", "computing", "ready", "failed"}
    points : int
        Items that have coordinates: fewer than there are, where some were added since.
    version : int
        Counts the coordinates by this method.
    progress : float or None
    error : str
    """

    state: State
    points: int
    version: int
    progress: float | None
    error: str


class Overview(Core):
    """The part of a session that shows all items at once."""

    _layouts: dict[str, _Layout] | None = None
    _layouter: Trainer | None = None
    _layers: dict[str, tuple[str, pr.Layer]] | None = None

    def projection(self, method: str = "pca") -> pd.DataFrame:
        """Return two coordinates for each item, and what tells the items apart.

        From the features that the model learns from: items that are alike lie close together. The
        same for the same items, features and ``random_state``.

        Parameters
        ----------
        method : {"pca", "umap"}
            Principal components, fitted on a sample of a large pool, take seconds for a million
            items. UMAP keeps neighbours together and takes minutes; it needs ``umap-learn``.

        Returns
        -------
        DataFrame
            Indexed by the source's index: ``x`` and ``y`` (from -1 to 1), ``label`` (of several the
            first), ``prediction``, ``confidence`` (its probability), ``annotator``; missing where
            there is none.

        Raises
        ------
        OptionError
            If there are no features of these items, or the method is not installed.
        """
        method = pr.checked_method(method)
        with self._lock:
            pool, points = self.pool, self._layout(method).points
            first = self._first_job(method)
        if points is None or len(points) != len(pool):
            points = self._trainer.ask(first, timeout=self._time_limit())
            if method == "umap":
                job = partial(pr.umap, points, self.random_state)
                points = self._second_trainer().ask(job, timeout=TIMEOUT)
            self._laid_out(method, points)
        with self._lock:
            layers = {name: self.layer(name)[1] for name in pr.LAYERS}
        made = pd.DataFrame({"x": points[:, 0], "y": points[:, 1]}, index=pool.index)
        for name, layer in layers.items():
            kind = float if name == "confidence" else object
            made[name] = np.array(layer.values()[: len(made)], dtype=kind)
        return made

    # ------------------------------------------------------------ coordinates

    def chart(self, method: str) -> Chart:
        """Return what there is of a map by one method."""
        with self._lock:
            layout = self._layout(pr.checked_method(method))
            n_points = 0 if layout.points is None else len(layout.points)
            state: State = "none"
            if layout.busy:
                state = "computing"
            elif layout.error:
                state = "failed"
            elif layout.points is not None:
                state = "ready"
            run = layout.runs[-1] if layout.busy else None
            progress = None if run is None else run.progress
            return Chart(state, n_points, layout.version, progress, layout.error)

    def begin_chart(self, method: str) -> None:
        """Begin to compute coordinates beside the caller, if there are none of all items yet."""
        with self._lock:
            layout = self._layout(pr.checked_method(method))
            done = layout.points is not None and len(layout.points) == len(self.pool)
            if layout.busy or done:
                return
            layout.error = ""
            job = self._first_job(method)
            runs: list[Any] = [None]
            layout.runs = runs
            limit = self._time_limit()
        failed = partial(self._not_laid_out, method, runs)

        def then(points: NDArray[np.float32]) -> None:
            if method == "pca":
                self._laid_out(method, points, runs)
                return
            with self._lock:
                if layout.runs is not runs:  # cancelled
                    return
            finished = partial(self._laid_out, method, runs=runs)
            second = partial(pr.umap, points, self.random_state)
            runs.append(self._second_trainer().pose(second, finished, failed, timeout=TIMEOUT))

        runs[0] = self._trainer.pose(job, then, failed, timeout=limit)

    def cancel_chart(self, method: str) -> None:
        """Give up what is being computed by one method; what was there before stays."""
        with self._lock:
            layout = self._layout(method)
            runs, layout.runs = layout.runs, []
        if len(runs) > 1 and self._layouter is not None:
            self._layouter.stop()
        for run in runs:
            if run is not None:
                run.stopped = True

    def coordinates(self, method: str) -> NDArray[np.float32] | None:
        """Return the newest coordinates by one method, of shape (n_points, 2), float32."""
        with self._lock:
            return self._layout(method).points

    def _first_job(self, method: str) -> Callable[[], NDArray[np.float32]]:
        suggester, n_items, seed = self._suggester, len(self.pool), self.random_state
        if method == "pca":
            return partial(pr.pca, suggester, n_items, seed)
        return partial(pr.components, suggester, n_items, pr.DIMENSIONS, seed)

    def _second_trainer(self) -> Trainer:
        with self._lock:
            if self._layouter is None:
                self._layouter = Trainer(way=self._trainer.way)
            return self._layouter

    def _layout(self, method: str) -> _Layout:
        if self._layouts is None:
            self._layouts = {}
        return self._layouts.setdefault(method, _Layout())

    def _laid_out(self, method: str, points: Any, runs: list[Any] | None = None) -> None:
        with self._lock:
            layout = self._layout(method)
            if runs is not None and layout.runs is not runs:
                return
            layout.points, layout.error, layout.runs = np.asarray(points), "", []
            layout.version += 1
        if method == "umap" and self._layouter is not None:
            self._layouter.rest()

    def _not_laid_out(self, method: str, runs: list[Any], error: BaseException) -> None:
        with self._lock:
            layout = self._layout(method)
            if layout.runs is runs:
                layout.error, layout.runs = in_words(error), []

    # ------------------------------------------------------------ colours

    def layer(self, name: str) -> tuple[str, pr.Layer]:
        """Return what the points can be coloured by, and its version, another with each change.

        Parameters
        ----------
        name : {"label", "prediction", "confidence", "annotator"}
        """
        with self._lock:
            version = self.layer_version(name)
            if self._layers is None:
                self._layers = {}
            known = self._layers.get(name)
            if known is None or known[0] != version:
                known = self._layers[name] = (version, self._made_layer(name))
            return known

    def layer_version(self, name: str) -> str:
        """Return what changes whenever a layer does, without making it."""
        with self._lock:
            if name in ("label", "annotator"):
                return f"{len(self.pool)}.{self._labels.n_events}"
            model = 0 if self._predictions is None else self._predictions.version
            return f"{len(self.pool)}.{model}"

    def _made_layer(self, name: str) -> pr.Layer:
        pool, predictions = self.pool, self._predictions
        if name == "prediction":
            return pr.layer_of_classes(len(pool), self._names(), predictions)
        if name == "confidence":
            return pr.layer_of_confidence(len(pool), predictions)
        said = []
        for item in self._labels.labeled(machines=True):
            event = self._labels.current(item)
            place = pool.places.get(item)
            if place is None or event is None:
                continue
            if name == "annotator":
                said.append((place, event.annotator))
                continue
            names = counted(self.task, event.value)
            if names:
                said.append((place, names[0]))
        return pr.layer_of_names(len(pool), self._names() if name == "label" else (), said)

    def _names(self) -> Sequence[str]:
        return [str(name) for name in self.task.spec().get("classes", ())]

    def _close_overview(self) -> None:
        if self._layouter is not None:
            self._layouter.close()
