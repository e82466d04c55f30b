"""Places on the Earth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import OptionError
from .base import View, clean

MOST_POINTS = 1000
_LATITUDES = ("lat", "latitude")
_LONGITUDES = ("lon", "lng", "long", "longitude")


class PointRenderer:
    """Shows an item as a point on a map, or as several.

    An item is ``(latitude, longitude)`` in degrees, an array of such rows, a mapping with both
    (``lat``, ``lon`` and their long names), or a GeoJSON point. The map is a coarse one that comes
    with nblabel; nothing is fetched, unless tiles are named.

    Parameters
    ----------
    tiles : str, optional
        Address of map tiles, such as ``"https://tile.openstreetmap.org/{z}/{x}/{y}.png"``. The page
        then asks that server for what lies around each point: it learns where your items are. Keep
        to the server's terms.
    credit : str
        Who made the tiles, shown on the map.

    Raises
    ------
    OptionError
        If `tiles` is no address of tiles.
    """

    kind = "point"
    modality: str | None = None

    def __init__(self, tiles: str | None = None, credit: str = "") -> None:
        if tiles is not None and not (
            isinstance(tiles, str)
            and tiles.startswith(("https://", "http://"))
            and all(part in tiles for part in ("{z}", "{x}", "{y}"))
        ):
            raise OptionError(
                "tiles= is an address such as 'https://tile.openstreetmap.org/{z}/{x}/{y}.png', "
                f"got {tiles!r:.80}."
            )
        self.tiles = tiles
        self.credit = str(credit)

    def accepts(self, item: Any) -> bool:
        """Whether the item is a place, or several."""
        try:
            return bool(places_of(item))
        except (TypeError, ValueError):
            return False

    def view(self, item: Any) -> View:
        """Return the places in degrees."""
        data = {"points": places_of(item), "tiles": self.tiles, "credit": clean(self.credit)}
        return View("map", data)


def places_of(item: Any) -> list[list[float]]:
    """Return latitude and longitude of each place of an item, in degrees, longitude -180 to 180.

    Raises
    ------
    ValueError, TypeError
        If it holds no places, or one that is not on the Earth.
    """
    if isinstance(item, Mapping):
        if item.get("type") == "Point" and "coordinates" in item:
            longitude, latitude = list(item["coordinates"])[:2]
            item = (latitude, longitude)
        else:
            lower = {str(name).lower(): value for name, value in item.items()}
            found = [
                next((lower[name] for name in names if name in lower), None)
                for names in (_LATITUDES, _LONGITUDES)
            ]
            if None in found:
                raise ValueError(
                    "a place has a latitude (lat) and a longitude (lon), got "
                    f"{', '.join(map(str, item))!r:.80}"
                )
            item = found
    elif not isinstance(item, (np.ndarray, Sequence, pd.Series)) or isinstance(item, (str, bytes)):
        raise TypeError(f"a place is (latitude, longitude) in degrees, got {type(item).__name__}")
    table = np.asarray(item, dtype=np.float64)
    table = table[None] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[1] != 2 or not len(table):
        raise ValueError(f"a place is (latitude, longitude), got numbers of shape {table.shape}")
    if len(table) > MOST_POINTS:
        raise ValueError(f"an item has at most {MOST_POINTS:,} places, got {len(table):,}")
    if not np.isfinite(table).all() or (np.abs(table) > (90, 360)).any():
        raise ValueError(
            "a latitude is from -90 to 90 degrees and a longitude from -180 to 360, got "
            f"{table[~(np.abs(table) <= (90, 360)).all(axis=1)][0].tolist()}"
        )
    table[:, 1] = (table[:, 1] + 180) % 360 - 180
    return [[round(float(lat), 6), round(float(lon), 6)] for lat, lon in table]
