"""Which parts of a disc lie nearest to which segment, on which side, how deep?

A disc is stood for by ``SAMPLES`` places of equal area, always the same pattern, the centre first. They are measured
by straight lines through the earth, within a metre of the geodesic distance: this decides shares, and no distance that
is published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from geo import arcs
from geo.crs import GEOD, ecef, forward
from geo.fronts import WARM, Beside, compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from geo.arcs import Vector
    from geo.crs import Reals
    from geo.fronts import Baseline, Located
    from geo.pieces import Indices

PAIRS: Final = 64
SAMPLES: Final = 2 * PAIRS + 1  # a share is known to some parts in a hundred
_ORDER: Final = np.arange(1, PAIRS + 1)
_TURN: Final = np.pi * (_ORDER * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0)  # the golden section fills a half turn evenly
_REACH: Final = np.sqrt(2.0 * _ORDER / SAMPLES)
# The centre, then each place beside its mirror image: of two sides neither is looked at more closely.
_EAST: Final = np.append(0.0, np.repeat(_REACH * np.cos(_TURN), 2))
_NORTH: Final = np.append(0.0, np.repeat(_REACH * np.sin(_TURN), 2) * np.tile([1.0, -1.0], PAIRS))
_DROP: Final = np.append(0.0, np.repeat(2.0 * _ORDER / SAMPLES, 2))
_PATTERN: Final = np.stack([_EAST, _NORTH, _DROP])
TIE_M: Final = 1e-6  # pieces whose distances from a sample differ by less are equally near
BLOCK: Final = 2_000  # disc-piece pairs measured at a time: small enough to stay in the cache


def places(lon: Reals, lat: Reals, radius_m: Reals) -> tuple[Reals, Reals]:
    """Return longitude and latitude of the samples of discs, shape (n, SAMPLES), WGS 84 degrees."""
    shape = (len(lon), SAMPLES)
    at_lon, at_lat = (np.repeat(item, SAMPLES) for item in (lon, lat))
    reach = (radius_m[:, None] * np.sqrt(_DROP)).ravel()
    azimuth = np.broadcast_to(np.degrees(np.arctan2(_EAST, _NORTH)), shape).ravel()
    to_lon, to_lat, _ = forward(at_lon, at_lat, azimuth, reach)
    return to_lon.reshape(shape), to_lat.reshape(shape)


def spread(baseline: Baseline, lon: Reals, lat: Reals, radius_m: Reals, centres: Located) -> Beside:
    """Return what of a baseline is nearest to the samples of discs; arrays of shape (n, SAMPLES).

    ``centres`` is what ``baseline.locate`` says of the discs' centres, and stands unchanged in the first column.
    A disc's answer does not depend on the other discs.
    """
    discs = (ecef(lon, lat), _frames(lon, lat), radius_m, radius_m * radius_m / (2.0 * GEOD.a))
    if compiled(len(lon), "spread"):
        from geo import kernels  # noqa: PLC0415 -- numba takes a while to load, and few discs do not need it

        found = Beside(*kernels.spread(baseline.tree, baseline.pieces, discs, _PATTERN, TIE_M))
        WARM.add("spread")
    else:
        found = Beside(*_measure(baseline, discs))
    for name in found.__dataclass_fields__:
        getattr(found, name)[:, 0] = getattr(centres, name)
    return found


def _measure(baseline: Baseline, discs: tuple[Reals, ...]) -> tuple[Indices, Reals, npt.NDArray[np.int8]]:
    """Return segment, metres and side of the samples of discs, in arrays."""
    shape = (len(discs[0]), SAMPLES)
    segment, metres, side = np.empty(shape, np.intp), np.empty(shape), np.empty(shape, np.int8)
    pieces = baseline.pieces
    disc, near = baseline.candidates(discs[0], discs[2])
    for rows, pairs in _blocks(disc, len(discs[0])):
        samples = _samples(discs, np.arange(len(discs[0]))[rows])
        winner = near[pairs][_first_least(samples, pieces.rows[near[pairs]], disc[pairs] - rows.start)]
        own = _columns(pieces.rows[winner])
        at = arcs.share_along(samples, own)
        segment[rows] = pieces.segment[winner]
        metres[rows] = arcs.rough_metres(samples, own, np.minimum(np.maximum(at, 0.0), 1.0))
        before, after = pieces.before[winner], pieces.after[winner]
        side[rows] = arcs.side(samples, own, _columns(pieces.rows[before]), _columns(pieces.rows[after]), at)
    return segment, metres, side


def _columns(rows: Reals) -> Reals:
    """Return the last axis first."""
    return np.moveaxis(rows, -1, 0)


def _samples(discs: tuple[Reals, ...], rows: Indices) -> Vector:
    """Return the samples of discs, earth-centred, shape (rows, SAMPLES) each."""
    xyz, frames, radius, drop = (item[rows] for item in discs)
    reach = (radius[:, None] * _EAST, radius[:, None] * _NORTH, drop[:, None] * _DROP)
    return arcs.aside((xyz[:, :1], xyz[:, 1:2], xyz[:, 2:]), frames.T[:, :, None], *reach)


def _first_least(samples: Vector, rows: Reals, disc: Indices) -> Indices:
    """Return the first of each disc's pairs that is nearest to a sample, or as near; pairs are grouped by disc."""
    square = arcs.gap((samples[0][disc], samples[1][disc], samples[2][disc]), rows.T[:, :, None])
    first = np.flatnonzero(np.diff(disc, prepend=-1))
    reach = np.sqrt(np.minimum.reduceat(square, first, axis=0)) + TIE_M
    order = np.arange(len(disc), dtype=np.intp)[:, None]
    return np.minimum.reduceat(np.where(square <= (reach * reach)[disc], order, len(disc)), first, axis=0)


def _blocks(disc: Indices, count: int) -> Iterator[tuple[slice, slice]]:
    """Yield discs and their pairs in blocks; pairs are grouped by disc, and each disc has some."""
    first = np.append(np.searchsorted(disc, np.arange(count)), len(disc))
    start = 0
    while start < count:
        stop = max(int(np.searchsorted(first, first[start] + BLOCK, side="right")) - 1, start + 1)
        yield slice(start, stop), slice(int(first[start]), int(first[stop]))
        start = stop


def _frames(lon: Reals, lat: Reals) -> Reals:
    """Return the directions east, north and up at points, shape (n, 9)."""
    lam, phi = np.radians(lon), np.radians(lat)
    east = [-np.sin(lam), np.cos(lam), np.zeros_like(lam)]
    north = [-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)]
    up = [np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]
    return np.stack([*east, *north, *up], axis=-1)
