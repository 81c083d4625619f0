"""How many violations were there per square kilometre and day, and where could nobody have seen any?

RULE 1  A violation is spread around its place as a normal distribution whose variance is that of its disc (a quarter of
        its radius squared in each direction), cut where nothing of account is left, and whole within the cut: a coarse
        report spreads, and peaks nowhere.
RULE 2  It weighs what the policy gives to its status; what has no weight there does not count. What has no place, or a
        wider one than the policy draws, is *unplaced*: its weight is told beside the raster.
RULE 3  Of its interval up to ``as_of``, the part within a span counts; an instant counts whole where it lies in the
        span, which begins after ``as_of`` less its length and ends with ``as_of``.
RULE 4  Cells are equal in area, on a plane around the theatre's line in which they are the same in every run, so that
        what two runs say can be subtracted. The sum of the cells times their area times the days of a span is the sum
        of the weights.
RULE 5  A cell has no value where the ground nearest to it was declared unseen in the span, and seen at no time of it.
        That ground is told by the stations of ``coverage``; where nobody declared anything, a value is only *assumed*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from pyproj import Transformer
from scipy.spatial import cKDTree
from scipy.special import ndtr

from geo import coverage, nearness
from geo.crs import WGS84, drawing_crs
from geo.nearness import HOUR_US

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo.fronts import Baseline
    from geo.policy import Coverage
    from geo.policy import Intensity as Rules

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CUT: Final = 4.0  # standard deviations: one part in sixteen thousand lies beyond, and is put back within
SNAP: Final = 64  # grids grow by so many cells, so that most runs have the same one
_LEAST_M: Final = 1.0  # a smaller radius is taken for this one, which no cell can tell from a point
_MOST: Final = 2_000_000  # cells filled at a time, to bound the memory
_KM2: Final = 1e6


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells of equal area in a metric plane: ``rows`` from north to south, ``columns`` from west to east.

    ``west`` and ``north`` are the outer edges, in whole cells from the plane's centre.
    """

    crs: CRS
    cell_m: float
    west: int
    north: int
    columns: int
    rows: int


@dataclass(frozen=True, eq=False)
class Intensity:
    """The answer: per span its length in hours, the sums of drawn and unplaced weights, weight per km² and day by cell.

    ``density`` has shape (spans, rows, columns); NaN: nobody could see.
    """

    grid: Grid
    spans_h: tuple[int, ...]
    weight: Floats
    unplaced: Floats
    density: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Marks:
    """Places in the plane (metres), their standard deviations (metres) and what they weigh in each span (n, spans)."""

    x: Floats
    y: Floats
    spread_m: Floats
    weight: Floats
    unplaced: Floats


def survey(
    violations: pd.DataFrame,
    settled: pd.DataFrame,
    line: Baseline,
    rules: Rules,
    watched: Coverage,
    as_of: datetime,
) -> Intensity:
    """Return the intensity of violations over the rules' spans that end at ``as_of`` (aware UTC).

    Parameters
    ----------
    violations
        With ``lon``, ``lat`` (WGS 84 degrees; without them a violation has no place to count at), ``uncertainty_m``
        (metres; missing: a point), ``status``, ``observed_from`` and ``observed_to``.
    settled
        Declarations, as ``geo.sights.settle`` returns them.
    rules, watched
        Of the policy in force.
    """
    onto = plane(line)
    marks = _marks(violations, onto, rules, nearness.instant(as_of))
    grid = _grid(line, onto, rules, watched.depth_m, marks)
    mass = np.zeros((len(rules.spans_h), grid.rows * grid.columns))
    for cell, row, share in _shares(marks, grid):
        mass += [np.bincount(cell, share * weight[row], minlength=mass.shape[1]) for weight in marks.weight.T]
    days = np.array(rules.spans_h)[:, None] / 24.0
    density = (mass / (days * grid.cell_m**2 / _KM2)).astype(np.float32)
    ground = coverage.stations(line, watched.depth_m)
    for band, hours in zip(density, rules.spans_h, strict=True):
        unseen = coverage.unseen(ground, settled, as_of, hours)
        band[_beside(ground, unseen, grid, watched.depth_m, line)] = np.nan
    shape = (len(rules.spans_h), grid.rows, grid.columns)
    return Intensity(grid, rules.spans_h, marks.weight.sum(axis=0), marks.unplaced, density.reshape(shape))


def plane(line: Baseline) -> CRS:
    """Return the plane in which the cells around a line are equal in area, in every run."""
    west, south, east, north = line.segments.total_bounds
    return drawing_crs(round((west + east) / 2), round((south + north) / 2))


def _marks(violations: pd.DataFrame, plane: CRS, rules: Rules, until: int) -> _Marks:
    """Return what counts (RULES 1 to 3); what lies at one place with one radius is put together."""
    start = nearness.micros(violations["observed_from"])
    end = np.maximum(np.minimum(nearness.micros(violations["observed_to"]), until), start)
    begins = until - np.array(rules.spans_h) * HOUR_US
    inside = end[:, None] - np.maximum(start[:, None], begins)
    long = np.maximum(end - start, 1)[:, None]
    part = np.where((end == start)[:, None], (start[:, None] > begins) & (start[:, None] <= until), inside / long)
    weight = (
        np.clip(part, 0.0, 1.0) * violations["status"].map(dict(rules.weights)).fillna(0.0).to_numpy(float)[:, None]
    )
    lon, lat, radius = (violations[name].to_numpy(float) for name in ("lon", "lat", "uncertainty_m"))
    placed = np.isfinite(lon) & np.isfinite(lat) & ~(radius > rules.widest_m)
    some = weight.any(axis=1) & placed
    where = np.column_stack([lon, lat, np.fmax(radius, _LEAST_M)])[some]
    place, mine = np.unique(where, axis=0, return_inverse=True)
    x, y = Transformer.from_crs(WGS84, plane, always_xy=True).transform(place[:, 0], place[:, 1])
    total = [np.bincount(mine.ravel(), each, minlength=len(place)) for each in weight[some].T]
    return _Marks(np.asarray(x), np.asarray(y), place[:, 2] / 2.0, np.column_stack(total), weight[~placed].sum(axis=0))


def _grid(line: Baseline, plane: CRS, rules: Rules, depth_m: float, marks: _Marks) -> Grid:
    """Return the grid that holds the ground beside the line and every mark (RULE 4)."""
    bounds, reach = line.segments.to_crs(plane).total_bounds, CUT * marks.spread_m
    boxes = [marks.x - reach, marks.y - reach, marks.x + reach, marks.y + reach]
    low = [box.min(initial=edge - depth_m) for box, edge in zip(boxes[:2], bounds[:2], strict=True)]
    high = [box.max(initial=edge + depth_m) for box, edge in zip(boxes[2:], bounds[2:], strict=True)]
    step = rules.cell_m * SNAP
    west, south = (int(np.floor(edge / step)) * SNAP for edge in low)
    east, north = (int(np.ceil(edge / step)) * SNAP for edge in high)
    return Grid(plane, rules.cell_m, west, north, east - west, north - south)


def _shares(marks: _Marks, grid: Grid) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield blocks of (cell, mark, share): which part of each mark lies in which cell; a mark's shares sum to 1."""
    half = np.ceil(CUT * marks.spread_m / grid.cell_m).astype(int)
    for size in np.unique(half):
        alike = np.flatnonzero(half == size)
        width = 2 * int(size) + 1
        for rows in np.array_split(alike, -(-len(alike) * width * width // _MOST)):
            column, across = _along(marks.x[rows], marks.spread_m[rows], grid.cell_m, int(size))
            line, down = _along(marks.y[rows], marks.spread_m[rows], grid.cell_m, int(size))
            held = np.clip(column - grid.west, 0, grid.columns - 1)
            sunk = np.clip(grid.north - 1 - line, 0, grid.rows - 1)
            cell = sunk[:, :, None] * grid.columns + held[:, None, :]
            share = down[:, :, None] * across[:, None, :]
            yield cell.ravel(), np.repeat(rows, width * width), share.ravel()


def _along(at_m: Floats, spread_m: Floats, cell_m: float, size: int) -> tuple[Ints, Floats]:
    """Return the cells around places along one axis and the part of the distribution in each, shape (n, 2 size + 1)."""
    cell = np.floor(at_m / cell_m).astype(np.int64)[:, None] + np.arange(-size, size + 1)
    edge = np.concatenate([cell, cell[:, -1:] + 1], axis=1) * cell_m
    share = np.diff(ndtr((edge - at_m[:, None]) / spread_m[:, None]), axis=1)
    return cell, share / share.sum(axis=1, keepdims=True)


def _beside(ground: coverage.Stations, unseen: Bools, grid: Grid, depth_m: float, line: Baseline) -> Ints:
    """Return the cells whose nearest station is an unseen one (RULE 5), as places in a band."""
    if not unseen.any():
        return np.empty(0, np.int64)
    onto = Transformer.from_crs(WGS84, grid.crs, always_xy=True)
    station = np.column_stack(onto.transform(ground.lon, ground.lat))
    table = line.segments
    longest = float((table["chainage_to_m"] - table["chainage_from_m"]).max())
    # Twice as far as ground lies from its station.
    reach = float(np.hypot(longest / coverage.ALONG, depth_m / coverage.DEEP))
    dark = station[unseen]
    low, high = np.floor((dark.min(axis=0) - reach) / grid.cell_m), np.ceil((dark.max(axis=0) + reach) / grid.cell_m)
    columns = np.arange(max(int(low[0]), grid.west), min(int(high[0]), grid.west + grid.columns))
    rows = np.arange(max(int(low[1]), grid.north - grid.rows), min(int(high[1]), grid.north))
    column, row = (part.ravel() for part in np.meshgrid(columns, rows))
    centre = (np.column_stack([column, row]) + 0.5) * grid.cell_m
    near = np.asarray(cKDTree(station).query(centre, distance_upper_bound=reach)[1])
    mine = np.append(unseen, False)[near]
    found: Ints = (grid.north - 1 - row[mine]) * grid.columns + column[mine] - grid.west
    return found
