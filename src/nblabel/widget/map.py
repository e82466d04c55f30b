"""The map at the kernel's end: what there is of it, and its coordinates and colours as bytes."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from ..errors import OptionError
from ..projection import LAYERS, has_umap
from ..session import Session
from . import protocol as p

#: Parts that are kept for pages that are still reading them, while newer ones are there.
MOST_KEPT = 8
_NO_UMAP = "UMAP is not installed: pip install umap-learn, then restart the kernel."


class Map:
    """Answers what pages ask of the map of one session.

    A part never changes under its name: what a page reads in pieces is of one moment.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def answer(self, message: p.Chart) -> p.Charted:
        """Tell what there is of a map, and begin or give up to compute it."""
        session, method = self.session, message.method
        names = [session.pool.ids[k] for k in message.places if 0 <= k < len(session.pool)]
        ids = [str(name) for name in names]
        if method == "umap" and not has_umap():
            return self._charted(message, "failed", 0, "", None, _NO_UMAP, [], ids)
        if message.cancel:
            session.cancel_chart(method)
        if message.begin:
            session.begin_chart(method)
        chart = session.chart(method)
        layers = []
        if chart.points:
            for name in LAYERS:
                version, layer = session.layer(name)
                layers.append(p.LayerPart(name, f"{name}/{version}", list(layer.names)))  # type: ignore[arg-type]
        part = f"xy/{method}/{chart.version}"
        return self._charted(
            message, chart.state, chart.points, part, chart.progress, chart.error, layers, ids
        )

    def _charted(self, message: p.Chart, *rest: object) -> p.Charted:
        return p.Charted(
            p.VERSION, "charted", message.client, message.id, message.method,
            *rest,  # type: ignore[arg-type]
        )  # fmt: skip

    def piece(self, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of a part, and how many it has.

        Raises
        ------
        OptionError
            If there is no such part, or not any more.
        """
        if name not in self._kept:
            self._kept[name] = self._made(name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        raw = self._kept[name]
        return raw[start : start + length], len(raw)

    def _made(self, name: str) -> bytes:
        kind, _, version = name.partition("/")
        if kind == "xy":
            method, _, version = version.partition("/")
            if method in ("pca", "umap"):
                points = self.session.coordinates(method)
                if points is not None and version == str(self.session.chart(method).version):
                    return np.ascontiguousarray(points, dtype="<f4").tobytes()
        elif kind in LAYERS:
            newest, layer = self.session.layer(kind)
            if newest == version:
                return layer.codes.astype("<u2").tobytes()
        raise OptionError(f"There is no part {name[:80]!r} of the map, or not any more.")
