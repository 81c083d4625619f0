"""How far is a point from a line, found the slow way? Every edge, on the ellipsoid, without the project's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from pyproj import Geod

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

ELLIPSOID = Geod(ellps="WGS84")
COARSE = 20
Reals: TypeAlias = "npt.NDArray[np.float64]"
Indices: TypeAlias = "npt.NDArray[np.intp]"
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


class Slow(NamedTuple):
    """Distance and chainage of the nearest place of the line, shape (points,)."""

    distance_m: Reals
    chainage_m: Reals


def nearest(parts: Sequence[Reals], lon: npt.ArrayLike, lat: npt.ArrayLike) -> Slow:
    """Measure every point against every edge: coarse samples, then a golden section between their neighbours.

    An edge whose samples are all farther, by more than their spacing, than another edge's is out of the running.
    """
    at_lon, at_lat = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    start, end = np.concatenate([part[:-1] for part in parts]), np.concatenate([part[1:] for part in parts])
    azimuth, _, length = ELLIPSOID.inv(*start.T, *end.T)
    chainage = np.concatenate([[0.0], np.cumsum(length)[:-1]])

    def metres(point: Indices, edge: Indices, along: Reals) -> Reals:
        foot_lon, foot_lat, _ = ELLIPSOID.fwd(start[edge, 0], start[edge, 1], azimuth[edge], along)
        return np.asarray(ELLIPSOID.inv(foot_lon, foot_lat, at_lon[point], at_lat[point])[2])

    point, edge = (item.ravel() for item in np.indices((len(at_lon), len(start))))
    steps = np.linspace(0.0, 1.0, COARSE + 1)
    coarse = np.stack([metres(point, edge, step * length[edge]) for step in steps])
    bound = coarse.min(axis=0) - length[edge] / COARSE
    least = coarse.min(axis=0).reshape(len(at_lon), -1).min(axis=1)
    stay = bound <= least[point]
    point, edge, coarse = point[stay], edge[stay], coarse[:, stay]
    best = coarse.argmin(axis=0)
    low = steps[np.maximum(best - 1, 0)] * length[edge]
    high = steps[np.minimum(best + 1, COARSE)] * length[edge]
    for _ in range(40):
        one, two = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        nearer = metres(point, edge, one) < metres(point, edge, two)
        low, high = np.where(nearer, low, one), np.where(nearer, two, high)
    along = (low + high) / 2
    found = np.minimum(metres(point, edge, along), coarse.min(axis=0))
    order = np.lexsort((found, point))
    first = order[np.flatnonzero(np.diff(point[order], prepend=-1))]
    return Slow(found[first], chainage[edge[first]] + along[first])
