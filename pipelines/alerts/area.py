"""Where is it, said so that nobody can tell where anything struck?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo import crs

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geo.crs import Reals


def circle(footprint: BaseGeometry | None, grid_m: float) -> str | None:
    """Return a circle that holds ``footprint``, as CAP writes one ("lat,lon kilometres"); ``None`` without a place.

    Its centre is a node of a grid of ``grid_m`` metres, its radius a whole number of these steps: two footprints in one
    cell of the grid give one circle as long as they need the same radius. ``grid_m`` 0: nothing is said.
    """
    if footprint is None or footprint.is_empty or not grid_m:
        return None
    west, south, east, north = footprint.bounds
    step = grid_m / float(crs.distance_m([0.0], [0.0], [0.0], [1.0])[0])
    lat = _snap((south + north) / 2, step)
    lon = _snap((west + east) / 2, step / max(float(np.cos(np.radians(lat))), step))
    edge: Reals = shapely.get_coordinates(footprint)
    reach = float(crs.distance_m([lon], [lat], edge[:, 0], edge[:, 1]).max())
    steps = int(np.ceil(reach / grid_m))
    return f"{lat:.4f},{lon:.4f} {max(steps, 1) * grid_m / 1000:g}"


def _snap(degrees: float, step: float) -> float:
    """Return the nearest node, to the digits that are written."""
    return round(round(degrees / step) * step, 4)
