"""Which things are near each other in space and time?

A thing is a disc (longitude, latitude, radius) over an interval of time. Two things are near when the gap between their
discs is at most ``reach_m`` and the smallest pause that both intervals allow is at most ``reach_us``, both inclusive.
Candidates come from a tree over chords, which are never longer than geodesics; the verdict is always geodesic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np

from geo import crs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

HOUR_US: Final = 3600 * 10**6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The search works by classes of similar size, so that one wide disc does not widen the search for all the others.
# These only trade speed for speed; no result depends on them.
_CLASS_RATIO = 4.0
_SMALLEST_M = 250.0
_SMALLEST_US = 15 * 60 * 1e6
_ONE = 1 + 1e-9
_ALIKE = 4  # so many times as many are guessed to come near as lie in one cell; no result depends on it
_MIX: Final = np.array([1, 1_000_003, 998_244_353, 65_537 * 1_000_000_007])  # makes one number of a cell


class Near(NamedTuple):
    """Pairs of near things: positions ``left`` and ``right``, the centres' distance in metres, the pause in µs."""

    left: Ints
    right: Ints
    distance_m: Floats
    pause_us: Ints

    def where(self, keep: NDArray[np.bool_] | Ints) -> Near:
        """Return the pairs for which ``keep`` is true, or those at its positions, in its order."""
        return Near(self.left[keep], self.right[keep], self.distance_m[keep], self.pause_us[keep])


NONE: Final = Near(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))


@dataclass(frozen=True, eq=False)
class Things:
    """Discs over intervals: degrees, metres, µs since 1970 UTC; one array element each."""

    lon: Floats
    lat: Floats
    radius_m: Floats
    start: Ints
    end: Ints

    @classmethod
    def of(cls, frame: pd.DataFrame, radius_m: Floats | float = 0.0) -> Self:
        """Take the things from a frame with lon, lat, observed_from and observed_to."""
        return cls(
            frame["lon"].to_numpy(np.float64),
            frame["lat"].to_numpy(np.float64),
            np.broadcast_to(np.asarray(radius_m, np.float64), (len(frame),)),
            micros(frame["observed_from"]),
            micros(frame["observed_to"]),
        )

    def __len__(self) -> int:
        """Return the number of things."""
        return len(self.lon)


def micros(times: pd.Series) -> Ints:
    """Return aware UTC times as µs since 1970."""
    return times.to_numpy("datetime64[us]").astype(np.int64)


def instant(at: datetime) -> int:
    """Return one aware instant as µs since 1970 UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def classes(things: Things) -> Iterator[Ints]:
    """Yield the positions of each class of similar things."""
    length = (things.end - things.start).astype(np.float64)
    size = np.ceil(np.log(np.maximum(things.radius_m, _SMALLEST_M) / _SMALLEST_M) / np.log(_CLASS_RATIO))
    span = np.ceil(np.log(np.maximum(length, _SMALLEST_US) / _SMALLEST_US) / np.log(_CLASS_RATIO))
    key = size * 1000 + span
    for value in np.unique(key):
        yield np.flatnonzero(key == value)


def _classes(things: Things) -> Iterator[tuple[Ints, float, float]]:
    """Yield (positions, largest radius in m, longest interval in µs) of each class of similar things."""
    for members in classes(things):
        length = (things.end[members] - things.start[members]).astype(np.float64)
        yield members, float(things.radius_m[members].max()), float(length.max())


def _points(things: Things, members: Ints, reach_m: float, reach_us: float, zero: int) -> Floats:
    """Return four coordinates scaled so that everything in reach differs by at most 1 in each."""
    middle = (things.start[members] - zero) / 2 + (things.end[members] - zero) / 2
    space = crs.ecef(things.lon[members], things.lat[members]) / reach_m
    return np.column_stack([space, middle / reach_us])


def _expand(found: Sequence[Sequence[int]], members: Ints, others: Ints) -> tuple[Ints, Ints]:
    counts = np.fromiter((len(hits) for hits in found), np.int64, len(found))
    hits = np.concatenate([np.asarray(h, np.int64) for h in found]) if counts.sum() else np.empty(0, np.int64)
    return np.repeat(members, counts), others[hits]


def _tree(points: Floats) -> cKDTree:
    from scipy.spatial import cKDTree  # noqa: PLC0415 -- it takes a while to load, and only who assesses needs it

    return cKDTree(points)


def _clouds(
    a: Things, b: Things, reach_m: float, reach_us: float, *, same: bool
) -> Iterator[tuple[Ints, Ints, Floats, Floats]]:
    """Yield the members of two classes and their points, which differ by at most 1 in each way for things in reach."""
    zero = int(min(a.start.min(), b.start.min()))
    class_a = list(_classes(a))
    class_b = class_a if same else list(_classes(b))
    for (i, (ma, ra, la)), (j, (mb, rb, lb)) in product(enumerate(class_a), enumerate(class_b)):
        if same and j < i:
            continue
        space, time = max(reach_m + ra + rb, 1.0), max(reach_us + (la + lb) / 2, 1e6)
        here = _points(a, ma, space, time, zero)
        yield ma, mb, here, here if same and i == j else _points(b, mb, space, time, zero)


def _candidates(a: Things, b: Things, reach_m: float, reach_us: float, *, same: bool) -> tuple[Ints, Ints]:
    """Return a superset of the near pairs; within one set each pair once."""
    lefts, rights = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for ma, mb, here, there in _clouds(a, b, reach_m, reach_us, same=same):
        if here is there:
            pairs = _tree(here).query_pairs(_ONE, p=np.inf, output_type="ndarray")
            left, right = ma[pairs[:, 0]], ma[pairs[:, 1]]
        else:
            left, right = _expand(
                np.asarray(_tree(there).query_ball_point(here, _ONE, p=np.inf, workers=-1)).tolist(), ma, mb
            )
        lefts.append(left)
        rights.append(right)
    return np.concatenate(lefts), np.concatenate(rights)


def crowded(a: Things, b: Things, reach_m: float, reach_us: float, most: int) -> bool:
    """Return whether more pairs of two sets come near than may be listed; where they might, they are counted.

    First it is guessed, from those that lie in one cell: where these are many, counting takes longer than it saves.
    """
    if len(a) * len(b) <= most:
        return False
    if len(a) + len(b) > most:
        return True
    clouds = partial(_clouds, a, b, reach_m, reach_us, same=a is b)
    if sum(_ALIKE * _in_one_cell(here, there) for _, _, here, there in clouds()) > most:
        return True
    count = 0
    for _, _, here, there in clouds():
        tree = _tree(here)
        both = int(tree.count_neighbors(tree if here is there else _tree(there), _ONE, p=np.inf))
        count += (both - len(here)) // 2 if here is there else both
        if count > most:
            return True
    return False


def _in_one_cell(here: Floats, there: Floats) -> int:
    """Return how many pairs of two clouds lie in one cell of side 1; every pair of one cloud once."""
    keys, own = np.unique(np.floor(here).astype(np.int64) @ _MIX, return_counts=True)
    if here is there:
        return int((own * (own - 1) // 2).sum())
    others, size = np.unique(np.floor(there).astype(np.int64) @ _MIX, return_counts=True)
    _, mine, its = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    return int((own[mine] * size[its]).sum())


def verdict(a: Things, b: Things, left: Ints, right: Ints, reach_m: float, reach_us: float) -> Near:
    """Return which of the pairs are near."""
    pause = np.maximum(0, np.maximum(a.start[left], b.start[right]) - np.minimum(a.end[left], b.end[right]))
    soon = pause <= reach_us
    left, right, pause = left[soon], right[soon], pause[soon]
    distance = crs.distance_m(a.lon[left], a.lat[left], b.lon[right], b.lat[right])
    close = distance - a.radius_m[left] - b.radius_m[right] <= reach_m
    return Near(left, right, distance, pause).where(close)


def close(a: Things, b: Things, left: Ints, right: Ints, reach_m: float) -> NDArray[np.bool_]:
    """Return which pairs of centres are within reach; only where the straight way leaves it open are they measured."""
    surely, possibly = crs.chords(reach_m)
    ways = crs.ecef(a.lon[left], a.lat[left]) - crs.ecef(b.lon[right], b.lat[right])
    chord = np.sqrt((ways * ways).sum(axis=1))
    near = chord <= surely
    open_ = np.flatnonzero(~near & (chord <= possibly))
    i, j = left[open_], right[open_]
    near[open_] = crs.distance_m(a.lon[i], a.lat[i], b.lon[j], b.lat[j]) <= reach_m
    return np.asarray(near)


def between(a: Things, b: Things, reach_m: float, reach_us: float) -> Near:
    """Return every near pair of one thing of ``a`` and one of ``b``, in no particular order."""
    if not len(a) or not len(b):
        return NONE
    left, right = _candidates(a, b, reach_m, reach_us, same=False)
    return verdict(a, b, left, right, reach_m, reach_us)


def within(things: Things, reach_m: float, reach_us: float) -> Near:
    """Return every near pair of two different things, each once, in no particular order."""
    if not len(things):
        return NONE
    left, right = _candidates(things, things, reach_m, reach_us, same=True)
    return verdict(things, things, left, right, reach_m, reach_us)


def linked(things: Things, reach_m: float, reach_us: float) -> tuple[Ints, Ints]:
    """Return every pair of two different things whose centres are near, each once, in no particular order."""
    if not len(things):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    left, right = _candidates(things, things, reach_m, reach_us, same=True)
    pause = np.maximum(things.start[left], things.start[right]) - np.minimum(things.end[left], things.end[right])
    left, right = left[pause <= reach_us], right[pause <= reach_us]
    near = close(things, things, left, right, reach_m)
    return left[near], right[near]
