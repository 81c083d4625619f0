"""Which discs have a rim that others cover?

Such a disc draws nothing of the outline of what they cover together: in a crowd few have to be put together. The others
may leave a gap where it lies. A ring of their outline then runs inside it, as a whole: only a rim could part the ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.spatial import cKDTree

from geo import crs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.crs import Reals

_NEIGHBOURS: Final = 16  # asked of each disc: in a crowd they lie all around it
_BLOCK: Final = 10_000  # discs asked at a time
_WIDEST_M: Final = 20_000.0  # a wider disc neither covers nor is covered: the plane beside it bends away too far
_EDGES: Final = 4 * crs.QUARTER
_STEP: Final = 2.0 * np.pi / _EDGES
# A drawn disc holds what is within so much of its radius. A thousandth is more than the bend of the earth and of edges
# straight in degrees takes, up to a latitude of 85 degrees.
_HELD: Final = np.cos(_STEP / 2.0) * 0.999
_ALL: Final = np.uint64((1 << _EDGES) - 1)


def covered(lon: Reals, lat: Reals, radius: Reals) -> NDArray[np.bool_]:
    """Return of which discs, as ``geo.crs.discs`` draws them, the rim surely lies inside others; shape (n,).

    No two may be about one place. Of some whose rim lies inside others none may be found, and never one whose does not.
    """
    xyz, lam, phi = crs.ecef(lon, lat), np.radians(lon), np.radians(lat)
    west = np.stack([np.sin(lam), -np.cos(lam), np.zeros_like(lam)], axis=-1)
    north = np.stack([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)], axis=-1)
    flat = radius <= _WIDEST_M
    held = np.where(flat, _HELD * radius, 0.0)
    tree, reach = cKDTree(xyz), 2.0 * min(radius.max(), _WIDEST_M)
    found = []
    for begin in range(0, len(xyz), _BLOCK):
        at = slice(begin, begin + _BLOCK)
        _, near = tree.query(xyz[at], np.arange(2, _NEIGHBOURS + 2), distance_upper_bound=reach)
        none = near == tree.n
        other = np.where(none, 0, near)
        apart = xyz[other] - xyz[at, None]
        to_west, to_north = (np.einsum("nkx,nx->nk", apart, way[at]) for way in (west, north))
        inside = _inside(to_west, to_north, radius[at, None], np.where(none, 0.0, held[other]))
        found.append(np.bitwise_or.reduce(inside, axis=1) == _ALL)
    return np.concatenate(found) & flat


def _inside(west: Reals, north: Reals, radius: Reals, held: Reals) -> NDArray[np.uint64]:
    """Return which edges of a disc lie inside another, that far away: a bit each, counter-clockwise from the north.

    An edge does if both of its corners do: discs are convex. They lie on the arc around the direction of the other.
    """
    apart = np.hypot(west, north)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = (radius**2 + apart**2 - held**2) / (2.0 * radius * apart)
    half = np.where(cosine <= -1.0, 2.0 * np.pi, np.arccos(np.clip(cosine, -1.0, 1.0)))
    towards = np.arctan2(west, north)
    first, last = np.ceil((towards - half) / _STEP), np.floor((towards + half) / _STEP)
    edges = np.where(cosine < 1.0, np.clip(last - first, 0, _EDGES), 0).astype(np.uint64)
    bits = ((np.uint64(1) << edges) - np.uint64(1)) << np.mod(first, _EDGES).astype(np.uint64)
    return (bits | bits >> np.uint64(_EDGES)) & _ALL
