"""Which parts of a disc lie nearest to which segment, on which side, how deep?

A disc is stood for by ``SAMPLES`` places of equal area, always the same pattern, the centre first. They are measured
with straight lines through the earth, within a metre or two of the geodesic distance: this decides shares, and no
distance that is published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from geo.crs import GEOD, ecef, forward
from geo.fronts import Located
from geo.pieces import SAME_M

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.crs import Reals
    from geo.fronts import Baseline
    from geo.pieces import Indices, Pieces

SAMPLES: Final = 64  # a share is known to about one part in sixty
_ORDER: Final = np.arange(SAMPLES)
_AZIMUTH: Final = np.degrees(_ORDER * np.pi * (3.0 - np.sqrt(5.0))) % 360.0  # the golden angle never repeats itself
_REACH: Final = np.sqrt(_ORDER / SAMPLES)
_EAST: Final = _REACH * np.sin(np.radians(_AZIMUTH))
_NORTH: Final = _REACH * np.cos(np.radians(_AZIMUTH))
_DROP: Final = _REACH**2
BLOCK: Final = 2_000  # disc-piece pairs measured at a time: small enough to stay in the cache


def places(lon: Reals, lat: Reals, radius_m: Reals) -> tuple[Reals, Reals]:
    """Return longitude and latitude of the samples of discs, shape (n, SAMPLES), WGS 84 degrees."""
    shape = (len(lon), SAMPLES)
    at_lon, at_lat = (np.repeat(item, SAMPLES) for item in (lon, lat))
    reach = (radius_m[:, None] * _REACH).ravel()
    to_lon, to_lat, _ = forward(at_lon, at_lat, np.broadcast_to(_AZIMUTH, shape).ravel(), reach)
    return to_lon.reshape(shape), to_lat.reshape(shape)


def spread(baseline: Baseline, lon: Reals, lat: Reals, radius_m: Reals, centres: Located) -> Located:
    """Return where the samples of discs are relative to a baseline; arrays of shape (n, SAMPLES).

    ``centres`` is what ``baseline.locate`` says of the discs' centres, and stands unchanged in the first column.
    A disc's answer does not depend on the other discs.
    """
    xyz = ecef(lon, lat)
    disc, piece, _ = baseline.candidates(xyz, radius_m)
    frame = _frames(lon, lat)
    chord, along = (np.empty((len(lon), SAMPLES)) for _ in range(2))
    side = np.empty((len(lon), SAMPLES), dtype=np.int8)
    winner = np.empty((len(lon), SAMPLES), dtype=np.intp)
    for rows, pairs in _blocks(disc, len(lon)):
        start = _local(baseline.pieces.start[piece[pairs]] - xyz[disc[pairs]], frame[disc[pairs]])
        span = _local(baseline.pieces.span[piece[pairs]], frame[disc[pairs]])
        squares, foot = _squares(start, span, radius_m[disc[pairs]])
        least, best = _least(squares, disc[pairs])
        chord[rows], winner[rows] = np.sqrt(least), piece[pairs][best]
        along[rows] = np.take_along_axis(foot, best, axis=0)
        side[rows] = _side(baseline.pieces, winner[rows], start[best], span[best], radius_m[rows], along[rows])
    found = Located(
        segment=baseline.pieces.segment[winner],
        chainage_m=baseline.pieces.chainage[winner] + np.clip(along, 0.0, baseline.pieces.length[winner]),
        distance_m=chord + chord**3 / (24.0 * GEOD.a * GEOD.b),
        side=side,
        clear_m=np.zeros_like(chord),
    )
    for name in ("segment", "chainage_m", "distance_m", "side", "clear_m"):
        getattr(found, name)[:, 0] = getattr(centres, name)
    return found


def _blocks(disc: Indices, count: int) -> Iterator[tuple[slice, slice]]:
    """Yield discs and their pairs in blocks; pairs are grouped by disc, and each disc has some."""
    first = np.append(np.searchsorted(disc, np.arange(count)), len(disc))
    start = 0
    while start < count:
        stop = max(int(np.searchsorted(first, first[start] + BLOCK, side="right")) - 1, start + 1)
        yield slice(start, stop), slice(int(first[start]), int(first[stop]))
        start = stop


def _frames(lon: Reals, lat: Reals) -> Reals:
    """Return east, north and up at points, shape (n, 3, 3)."""
    lam, phi = np.radians(lon), np.radians(lat)
    east = np.stack([-np.sin(lam), np.cos(lam), np.zeros_like(lam)], axis=-1)
    north = np.stack([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)], axis=-1)
    up = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)
    return np.stack([east, north, up], axis=-2)


def _local(vector: Reals, frame: Reals) -> Reals:
    return np.asarray((frame * vector[:, None, :]).sum(axis=-1))


def _squares(start: Reals, span: Reals, radius: Reals) -> tuple[Reals, Reals]:
    """Return squared distances of samples to pieces, and how far along the piece's line; shape (pairs, SAMPLES)."""
    length = np.sqrt((span * span).sum(axis=-1))
    way = span / length[:, None]
    drop = radius * radius / (2.0 * GEOD.a)
    along = _dot(way, radius, drop) - (start * way).sum(axis=-1)[:, None]
    foot = np.clip(along, 0.0, length[:, None])
    own = (radius * radius)[:, None] * _DROP + (drop * drop)[:, None] * (_DROP * _DROP)
    squares = own - 2.0 * _dot(start, radius, drop) + (start * start).sum(axis=-1)[:, None]
    squares -= foot * (2.0 * along - foot)
    return np.maximum(squares, 0.0), along


def _dot(vector: Reals, radius: Reals, drop: Reals) -> Reals:
    """Return products of vectors (pairs, 3) with the samples of their discs, shape (pairs, SAMPLES)."""
    east, north, down = vector[:, :1] * radius[:, None], vector[:, 1:2] * radius[:, None], vector[:, 2:] * drop[:, None]
    return np.asarray(east * _EAST + north * _NORTH - down * _DROP)


def _least(squares: Reals, disc: Indices) -> tuple[Reals, Indices]:
    """Return the least of each disc's pairs, and the first pair that is as near; shape (discs, SAMPLES)."""
    first = np.flatnonzero(np.diff(disc, prepend=-1))
    least = np.minimum.reduceat(squares, first, axis=0)
    row = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(disc))))
    order = np.arange(len(disc), dtype=np.intp)[:, None]
    near = np.where(squares <= least[row] * (1.0 + 1e-12) + SAME_M * SAME_M, order, len(disc))
    return least, np.minimum.reduceat(near, first, axis=0)


def _side(pieces: Pieces, piece: Indices, start: Reals, span: Reals, radius: Reals, along: Reals) -> Indices:
    """Return the side of samples: by the piece, at a bend the outer one, beyond the line's ends none."""
    east, north = radius[:, None] * _EAST - start[..., 0], radius[:, None] * _NORTH - start[..., 1]
    side = np.where(span[..., 0] * north - span[..., 1] * east > 0, 1, -1)
    length = np.sqrt((span * span).sum(axis=-1))
    for past, neighbour, bend in (
        (along < 0, pieces.before[piece], pieces.bend_before[piece]),
        (along > length, pieces.after[piece], pieces.bend_after[piece]),
    ):
        outer = np.where(neighbour < 0, 0, np.where(bend == 0, side, np.sign(bend)))
        side = np.where(past, outer, side)
    return side
