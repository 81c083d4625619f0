"""Which discs may reach over a border, and which area holds a point?

Longitudes and latitudes are WGS 84 degrees, and so are borders; their edges are straight in degrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from geo.crs import GEOD

if TYPE_CHECKING:
    import numpy.typing as npt

    from geo.crs import Reals
    from geo.pieces import Bools, Indices

    Objects = npt.NDArray[np.object_]

FINE: Final = 512  # cells on either side of the ground; no result depends on it


def reaching(borders: Objects, lon: Reals, lat: Reals, radius_m: Reals) -> Bools:
    """Return which discs of some radius, shape (n,), may reach one of the borders; no disc that does is left out."""
    near = np.zeros(len(lon), dtype=bool)
    some = np.flatnonzero(radius_m > 0) if len(borders) else np.arange(0)
    if not some.size:
        return near
    boxes = _boxes(lon[some], lat[some], radius_m[some])
    maybe = _crossed(borders, boxes)
    tree = shapely.STRtree(np.asarray(shapely.box(*boxes[:, maybe])))
    near[some[maybe[tree.query(borders, predicate="intersects")[1]]]] = True
    return near


def _boxes(lon: Reals, lat: Reals, radius_m: Reals) -> Reals:
    """Return west, south, east and north of what surely holds discs, shape (4, n)."""
    high = np.degrees(radius_m / GEOD.b) * 1.01
    wide = high / np.maximum(np.cos(np.radians(np.minimum(np.abs(lat) + high, 89.0))), 0.01)
    return np.stack([lon - wide, lat - high, lon + wide, lat + high])


def _crossed(borders: Objects, boxes: Reals) -> Indices:
    """Return which boxes hold a cell of the ground that a border's edge may cross."""
    west, south, east, north = shapely.total_bounds(borders)
    if not east > west or not north > south:
        return np.arange(boxes.shape[1])
    low, size = np.array([west, south]), np.array([east - west, north - south]) / FINE
    crossed = np.zeros((FINE + 1, FINE + 1), dtype=np.intp)
    for border in borders:
        for line in shapely.get_parts(shapely.segmentize(border, size.min())):
            at = _cells(shapely.get_coordinates(line), low, size)
            for one, two in ((at[:-1], at[1:]), (at[1:], at[:-1])):
                crossed[one[:, 0] + 1, one[:, 1] + 1] = crossed[one[:, 0] + 1, two[:, 1] + 1] = 1
    upto = crossed.cumsum(axis=0).cumsum(axis=1)  # crossed cells below and left of each
    (x1, y1), (x2, y2) = (_cells(boxes[[k, k + 1]].T, low, size).T for k in (0, 2))
    held = upto[x2 + 1, y2 + 1] - upto[x1, y2 + 1] - upto[x2 + 1, y1] + upto[x1, y1]
    return np.flatnonzero(held)


def _cells(places: Reals, low: Reals, size: Reals) -> Indices:
    """Return the cells of places, shape (n, 2); those of places beyond the ground are the outermost."""
    return np.clip(np.floor((places - low) / size), 0, FINE - 1).astype(np.intp)


def holding(areas: Objects, lon: Reals, lat: Reals) -> Indices:
    """Return which area holds each point, borders included (ties: the first); the number of areas: none."""
    first = np.full(len(lon), len(areas), dtype=np.intp)
    left = np.arange(len(lon))
    shapely.prepare(areas)
    for code, (west, south, east, north) in enumerate(shapely.bounds(areas)):
        x, y = lon[left], lat[left]
        within = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
        held = within[shapely.intersects_xy(areas[code], x[within], y[within])]
        first[left[held]] = code
        left = np.delete(left, held)
    return first
