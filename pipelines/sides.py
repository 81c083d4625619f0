"""Where may the name of a side stand on a map, so that the whole of it lies on that side?

A line may bend within less than the width of a word. So a name is not set off from the line and hoped for: many places
are tried, and only one from which every place under its letters lies on its own side is taken. Where there is none at a
scale there is no name; a name on the wrong side would be a false statement.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import geopandas as gpd
import numpy as np
import shapely

from geo import tables
from geo.crs import WGS84, forward
from geo.terms import COURSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from geo.crs import Reals
    from geo.fronts import Baseline

    Ints = npt.NDArray[np.intp]

WRAPPED: Final = 16  # signs of a name in one line
SIGN_M: Final = 0.0028  # of paper, which a sign of a name is wide at most
ROW_M: Final = 0.0045  # of paper, which a line of a name is high
_SCALES: Final = tuple(100_000 * 2**step for step in range(8))  # each name is for the scales from half of one up to it
_APART_M: Final = 0.06  # of paper along the line between two names of one side
_LEAST_M: Final = 0.02  # of paper: a line that is shorter bears no names
_BESIDE_M: Final = 0.003  # of paper between the line and a name, if it has room there
_FURTHER: Final = (1, 2, 4)  # times so far away, if it has not
_WITHIN: Final = (0.375, 0.625, 0.125, 0.875)  # where it is tried in the piece of the line that is its own
_STEP_M: Final = 0.003  # of paper between two places that are asked for under a name
_CLEAR_M: Final = 0.0022  # of paper from each of them to the line, more than to the middle of any four
_TRIES: Final = 4  # places so far away that are tried with all letters
STEPS: Final = dict(
    zip(COURSES, ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)), strict=True)
)  # east and north
_CODE: Final = {"left": 1, "right": -1}


class _Places(NamedTuple):
    """Where names may begin: arrays (n,), or (n, tries) with one column a try, the best first.

    ``course`` numbers ``terms.COURSES``, the direction in which the text lies; ``metres`` is the distance to the line,
    negative where there is no room.
    """

    lon: Reals
    lat: Reals
    course: Ints
    chainage_m: Reals
    metres: Reals

    @classmethod
    def none(cls, count: int) -> Self:
        """Return so many rows without a place."""
        lon, lat, chainage, metres = np.full((4, count), -1.0)
        return cls(lon, lat, np.full(count, -1, np.intp), chainage, metres)


@lru_cache(maxsize=4)
def layer(line: Baseline, names: tuple[str, str]) -> gpd.GeoDataFrame:
    """Return the layer ``sides``: where the names of the sides (left, right) of a line stand, by scale.

    At each scale of its span, a text of ``ROW_M`` a line and ``SIGN_M`` a sign, wrapped after ``WRAPPED``, that lies
    from its place in the direction ``towards`` is nowhere on the line, and everywhere on the side that it names.
    """
    rows = []
    for scale in _SCALES:
        if line.length_m < _LEAST_M * scale and scale > _SCALES[0]:
            break
        found = _placed(line, scale, [size(name) for name in names])
        for side, name in zip(_CODE, names, strict=True):
            rows += [{"side": side, "name": name, **row} for row in _rows(scale, found[side])]
    columns = [*tables.SIDES_LAYER.names, "geometry"]
    return tables.conform(gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=WGS84), tables.SIDES_LAYER)


def size(name: str) -> tuple[float, float]:
    """Return how wide and how high a name is at most when it is written, metres of paper."""
    rows = wrapped(name)
    return max(map(len, rows), default=0) * SIGN_M, len(rows) * ROW_M


def wrapped(name: str) -> list[str]:
    """Return a name in lines that are as long as QGIS makes them, or longer: a word is never broken."""
    rows = [""]
    for word in name.split():
        if rows[-1] and len(rows[-1]) + 1 + len(word) > WRAPPED:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}".strip()
    return rows


def letters(course: str, size_m: tuple[float, float], scale: float, step_m: float = _STEP_M) -> tuple[Reals, Reals]:
    """Return places under a text, metres east and north of where it stands, at most so much paper apart; shape (n,)."""
    east, north = STEPS[course]
    wide, high = size_m
    across, up = (np.linspace(0, 1, int(np.ceil(each / step_m)) + 1) for each in size_m)
    x, y = np.meshgrid((across + (east - 1) / 2) * wide, (up + (north - 1) / 2) * high)
    return x.ravel() * scale, y.ravel() * scale


def _rows(scale: int, found: _Places) -> Iterator[dict[str, object]]:
    """Yield where a side is named at a scale, along the line."""
    for lon, lat, course, chainage_m, metres in zip(*(each[found.metres >= 0] for each in found), strict=True):
        yield {
            "towards": COURSES[course],
            "scale_from": 0 if scale == _SCALES[0] else scale // 2,
            "scale_to": scale,
            "chainage_m": chainage_m,
            "distance_m": metres,
            "geometry": shapely.Point(lon, lat),
        }


def _placed(line: Baseline, scale: int, sizes: list[tuple[float, float]]) -> dict[str, _Places]:
    """Return where each side is named, one row a piece of the line, as near to it as there is room for all letters."""
    count = max(1, round(line.length_m / (_APART_M * scale)))
    found = {side: _Places.none(count) for side in _CODE}
    for further in _FURTHER:
        open_ = np.flatnonzero(np.min([each.metres for each in found.values()], axis=0) < 0)
        if not len(open_):
            break
        tried = _tried(line, scale, _BESIDE_M * scale * further, (open_, count))
        for (side, code), size_m in zip(_CODE.items(), sizes, strict=True):
            mine = np.flatnonzero(found[side].metres[open_] < 0)
            some = _Places._make(each[mine] for each in tried[side])
            turn = _first(line, scale, code, size_m, some)
            fits = np.flatnonzero(turn >= 0)
            for into, each in zip(found[side], some, strict=True):
                into[open_[mine[fits]]] = each[fits, turn[fits]]
    return found


def _tried(line: Baseline, scale: int, reach_m: float, pieces: tuple[Ints, int]) -> dict[str, _Places]:
    """Return the best places on each side of some pieces, of all that are tried: in the middle, well clear of the line.

    ``pieces`` says which of how many pieces of the line.
    """
    which, count = pieces
    within, course = (each.ravel() for each in np.meshgrid(_WITHIN, np.arange(len(COURSES)), indexing="ij"))
    chainage = (which[:, None] + within) / count * line.length_m
    start = line.at(chainage.ravel(), np.zeros(chainage.size))
    middling = np.abs(within - 0.5) > np.ptp(_WITHIN[:2])
    lon, lat, _ = forward(*start, np.tile(course * 45.0, len(which)), np.full(chainage.size, reach_m))
    where = line.locate(lon, lat)
    found = {}
    for side, code in _CODE.items():
        good = (where.side == code) & (where.distance_m >= _CLEAR_M * scale)
        metres = np.where(good, where.distance_m, -1.0).reshape(chainage.shape)
        worth = np.where(metres < 0, -np.inf, metres / reach_m - 2 * middling)
        best = np.argsort(-worth, axis=1, kind="stable")[:, :_TRIES]
        of = (lon.reshape(chainage.shape), lat.reshape(chainage.shape), chainage, metres)
        at_lon, at_lat, at_m, away_m = (np.take_along_axis(each, best, axis=1) for each in of)
        found[side] = _Places(at_lon, at_lat, course[best], at_m, away_m)
    return found


def _first(line: Baseline, scale: int, code: int, size_m: tuple[float, float], found: _Places) -> Ints:
    """Return which place of each row is the first with room for all letters; -1: none."""
    chosen = np.full(len(found.lon), -1, np.intp)
    for turn in range(found.lon.shape[1]):
        open_ = np.flatnonzero((chosen < 0) & (found.metres[:, turn] >= 0))
        if len(open_):
            chosen[open_[_fits(line, scale, code, size_m, found, (open_, turn))]] = turn
    return chosen


def _fits(
    line: Baseline, scale: int, code: int, size_m: tuple[float, float], found: _Places, at: tuple[Ints, int]
) -> npt.NDArray[np.bool_]:
    """Return which texts lie wholly on a side, and clear of the line, when they begin at places."""
    under = [letters(course, size_m, scale) for course in COURSES]
    east, north = (np.array([each[axis] for each in under])[found.course[at]] for axis in (0, 1))
    azimuth, metres = np.degrees(np.arctan2(east, north)), np.hypot(east, north)
    from_lon, from_lat = (np.repeat(each[at], azimuth.shape[1]) for each in (found.lon, found.lat))
    lon, lat, _ = forward(from_lon, from_lat, azimuth.ravel(), metres.ravel())
    where = line.locate(lon, lat)
    clear = (where.side == code) & (where.distance_m >= _CLEAR_M * scale)
    return np.asarray(clear.reshape(azimuth.shape).all(axis=1))
