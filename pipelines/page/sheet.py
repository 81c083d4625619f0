"""Where on the page's map does a place lie?

For drawing alone: plate carrée with the middle parallel true. Nothing is measured on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo import crs

if TYPE_CHECKING:
    import numpy.typing as npt

    Box = tuple[float, float, float, float]

WIDTH = 20_000
"""Units across: fine enough that whole ones do for coordinates, even far zoomed in."""
_MARGIN = 0.07


@dataclass(frozen=True)
class Sheet:
    """A map of ``box`` (west, south, east, north, degrees), ``WIDTH`` by ``height`` units, y downwards."""

    box: Box
    squeeze: float
    units_a_degree: float
    height: int

    @classmethod
    def over(cls, box: Box) -> Sheet:
        """Return the sheet that shows ``box`` with a margin."""
        west, south, east, north = box
        pad = _MARGIN * max(east - west, north - south, 1e-3)
        west, south, east, north = west - pad, max(south - pad, -89.0), east + pad, min(north + pad, 89.0)
        squeeze = float(np.cos(np.radians((south + north) / 2)))
        scale = WIDTH / ((east - west) * squeeze)
        return cls((west, south, east, north), squeeze, scale, round((north - south) * scale))

    def place(self, places: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return (lon, lat) degrees, shape (n, 2), as units of the sheet, of the same shape."""
        west, _, _, north = self.box
        x = (places[:, 0] - west) * self.squeeze * self.units_a_degree
        y = (north - places[:, 1]) * self.units_a_degree
        return np.rint(np.column_stack([x, y])).astype(np.int64)

    def path(self, shape: shapely.Geometry) -> str:
        """Return an SVG path of a shape's lines and rings, cut to the sheet and thinned to what can be seen on it."""
        west, south, east, north = self.box
        reach_x, reach_y = east - west, north - south  # one may pan as far again
        near = shapely.clip_by_rect(shape, west - reach_x, south - reach_y, east + reach_x, north + reach_y)
        thin = shapely.simplify(near, 1.0 / self.units_a_degree)
        return "".join(self._stroke(line) for part in shapely.get_parts([thin]) for line in _lines(part))

    def _stroke(self, line: shapely.Geometry) -> str:
        at = self.place(shapely.get_coordinates(line))
        closed = isinstance(line, shapely.LinearRing)
        steps = np.diff(at, axis=0)[: -1 if closed else None]
        steps = steps[(steps != 0).any(axis=1)]
        if not len(steps):
            return ""
        return f"M{at[0][0]} {at[0][1]}l" + " ".join(f"{x} {y}" for x, y in steps.tolist()) + ("z" if closed else "")

    @property
    def units_a_km(self) -> float:
        """Units that a kilometre takes north and south, in the middle of the sheet."""
        west, south, _, north = self.box
        middle = (south + north) / 2
        degree = crs.distance_m([west], [middle - 0.5], [west], [middle + 0.5])[0]
        return float(self.units_a_degree / degree * 1000)


def _lines(part: shapely.Geometry) -> list[shapely.Geometry]:
    if isinstance(part, shapely.Polygon):
        return [part.exterior, *part.interiors] if not part.is_empty else []
    return [part] if isinstance(part, shapely.LineString) and not part.is_empty else []
