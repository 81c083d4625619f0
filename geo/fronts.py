"""Where along the frozen reference line is a point, how far from it, and on which side?

The edges of a baseline are geodesics. They are cut into short pieces, each of one edge and one segment; a ``Tree``
finds the few pieces that can be nearest, and only those are measured, by the formulas of ``arcs`` or, beyond their
reach, by PROJ. Among many points the search is compiled: no bit of an answer tells how many were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo import arcs
from geo.crs import WGS84, ecef, forward, inverse
from geo.errors import PolicyError
from geo.pieces import SAME_M, cut, refuse_touching, successors, vertices_of, wrap
from geo.trees import Tree

if TYPE_CHECKING:
    from datetime import datetime

    from shapely import LineString, MultiLineString

    from geo.crs import Reals, RealsLike
    from geo.pieces import Bools, Indices, Pieces

GENTLE_DEG: Final = 170.0  # a curve whose headings differ by less than 180 degrees cannot wind around a place
BESIDE_M: Final = 0.05  # how far beside the line its samples lie
TIE_M: Final = 1e-8  # distances that differ by less are equal: the ellipsoid is solved to some nanometres
# Points, and discs, from which compiling pays for itself at once.
COMPILED_FROM: Final = {"search": 200_000, "others": 200_000, "spread": 10_000}
WARM: Final[set[str]] = set()  # what is compiled already
CELLS: Final = 256  # points in one of so many by so many cells around the line are looked at together
AROUND_DEG: Final = 1.0  # how far the cells reach beyond the line
NO_BORDER_M: Final = 1e12  # farther than any place


@dataclass(frozen=True, eq=False)
class Beside:
    """To which segment of a baseline places are nearest, how far from it, on which side; arrays of one shape.

    ``segment`` indexes ``Baseline.segments``. ``distance_m`` is geodesic, of samples within a metre or two. ``side`` is
    +1 on the left walking along increasing chainage, -1 on the right, 0 beyond the line's ends and, but for samples, on
    the line itself.
    """

    segment: Indices
    distance_m: Reals
    side: npt.NDArray[np.int8]

    def __getitem__(self, rows: Indices | slice) -> Self:
        """Return the answers of some places."""
        return type(self)(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def on_line(self) -> Bools:
        """Which places lie on the line itself: on both sides at once."""
        return np.asarray(self.distance_m <= SAME_M)


@dataclass(frozen=True, eq=False)
class Located(Beside):
    """Where points are relative to a baseline; arrays of one shape (n,).

    ``chainage_m`` is that of the nearest point of the line.
    """

    chainage_m: Reals


@dataclass(frozen=True, eq=False)
class Baseline:
    """The frozen, dated reference line from which an agreement measures.

    ``parts`` are its vertices, WGS 84 degrees, shape (n, 2) each. ``segments`` are its permanent pieces in order of
    chainage: ``segment_id``, ``part`` (from 1), ``chainage_from_m``, ``chainage_to_m``, ``geometry``. A part's chainage
    starts where the part before it ended; the gap between them counts nothing. ``valid_from`` is aware UTC.
    """

    id: str
    valid_from: datetime
    parts: tuple[Reals, ...]
    segments: gpd.GeoDataFrame
    length_m: float
    pieces: Pieces = field(repr=False)
    tree: Tree = field(repr=False)
    _gentle: Bools = field(repr=False)
    _borders: Reals = field(repr=False)

    @classmethod
    def build(
        cls,
        id: str,  # noqa: A002 -- the name of the field
        geometry: LineString | MultiLineString,
        *,
        segment_length_m: float,
        valid_from: datetime,
    ) -> Self:
        """Cut a line (WGS 84 degrees) into permanent segments of ``segment_length_m`` along each part.

        A part's last segment may be shorter. Parts that share an end are one line for the side of points near it.

        Raises
        ------
        PolicyError
            If the line is empty, repeats a vertex, folds back, crosses or touches itself, or lies over the antimeridian
            or a pole. The message names the place.
        """
        if not (np.isfinite(segment_length_m) and segment_length_m >= 1):
            msg = f"baseline {id!r}: segment_length_m is {segment_length_m:g}; give at least 1 metre"
            raise PolicyError(msg)
        parts = vertices_of(id, geometry)
        pieces = cut(parts, segment_length_m, successors(id, parts))
        refuse_touching(id, pieces)
        return cls(
            id=id,
            valid_from=valid_from,
            parts=parts,
            segments=_segments(pieces),
            length_m=float(pieces.chainage[-1] + pieces.length[-1]),
            pieces=pieces,
            tree=Tree.build(pieces),
            _gentle=_gentle(pieces),
            _borders=_borders(pieces),
        )

    def locate(self, lon: RealsLike, lat: RealsLike) -> Located:
        """Return where points (WGS 84 degrees, shape (n,)) are relative to the line.

        The distance is within 1 m (beyond 100 km: 10 ppm) of the true geodesic distance. Of equally near places the one
        with the least chainage is taken. A point's answer does not depend on the other points.

        Raises
        ------
        ValueError
            If a coordinate is not finite.
        """
        at_lon, at_lat = _columns(lon, lat)
        if not (np.isfinite(at_lon).all() and np.isfinite(at_lat).all()):
            msg = "locate needs finite coordinates"
            raise ValueError(msg)
        xyz = ecef(at_lon, at_lat)
        found = self._measured(xyz, at_lon, at_lat)
        self._measure_far(np.flatnonzero(found.piece < 0), found, at_lon, at_lat, xyz)
        return Located(
            segment=self.pieces.segment[found.piece],
            chainage_m=self.pieces.chainage[found.piece] + found.share * self.pieces.length[found.piece],
            distance_m=found.metres,
            side=np.where(found.metres <= SAME_M, 0, found.side).astype(np.int8),
        )

    def clear(self, lon: Reals, lat: Reals, located: Beside) -> Reals:
        """Return how far around points (WGS 84 degrees, shape (n,)) nothing changes: metres, a lower bound.

        A disc of less than half of it has its nearest points on the one segment where ``located`` says that its centre
        is, on no end of the line, and changes side only where it reaches the line.
        """
        xyz, own = ecef(lon, lat), located.segment
        if compiled(len(xyz), "others"):
            from geo import kernels  # noqa: PLC0415 -- numba takes a while to load, and few points do not need it

            other = kernels.others(self.tree, self._borders, xyz, self._cell(lon, lat), own)
            WARM.add("others")
        else:
            borders = self._borders[own]
            other = self.tree.others(
                xyz, own, np.minimum(_straight(xyz, borders[:, :3]), _straight(xyz, borders[:, 3:]))
            )
        clear = other - located.distance_m - arcs.slack(located.distance_m, self.tree.sag)
        return np.where(self._gentle[own], np.maximum(clear, 0.0), 0.0)

    def _measured(self, xyz: Reals, lon: Reals, lat: Reals) -> Measured:
        """Measure points that are not too far away for the formulas."""
        found = Measured.none(len(xyz))

        def settle(point: Indices, piece: Indices) -> None:
            _settle(self.pieces, xyz, found, point, piece)

        if compiled(len(xyz), "search"):
            from geo import kernels  # noqa: PLC0415 -- numba takes a while to load, and few points do not need it

            kernels.search(self.tree, xyz, self._cell(lon, lat), settle)
            WARM.add("search")
        else:
            for block, point, piece, least in self.tree.near(xyz, np.zeros(len(xyz))):
                close = least[point] <= arcs.FAR_M
                settle(block.start + point[close], piece[close])
        return found

    def _cell(self, lon: Reals, lat: Reals) -> npt.NDArray[np.uint16]:
        """Return numbers that points share which lie close together."""
        west, south, east, north = self.segments.total_bounds
        return (np.floor(_scale(lat, south, north)) * CELLS + _scale(lon, west, east)).astype(np.uint16)

    def _measure_far(self, rows: Indices, found: Measured, lon: Reals, lat: Reals, xyz: Reals) -> None:
        """Fill in points that are too far away for the formulas, by PROJ."""
        if not rows.size:
            return
        point, piece = self.candidates(xyz[rows], np.zeros(len(rows)))
        along, metres, azimuth, past = feet(self.pieces, piece, lon[rows][point], lat[rows][point])
        chosen = _nearest(point, metres)
        piece, along = piece[chosen], along[chosen]
        found.piece[rows], found.metres[rows] = piece, metres[chosen]
        found.share[rows] = along / self.pieces.length[piece]
        found.side[rows] = _sides(self.pieces, piece, along, azimuth[chosen], past[chosen])

    def at(self, chainage_m: RealsLike, offset_m: RealsLike) -> tuple[Reals, Reals]:
        """Return longitude and latitude of places at a chainage and a signed offset (left positive), metres.

        Raises
        ------
        ValueError
            If a chainage is not on the line.
        """
        chainage, offset = _columns(chainage_m, offset_m)
        if not ((chainage >= 0) & (chainage <= self.length_m)).all():
            msg = f"chainages lie between 0 and {self.length_m:.3f} m"
            raise ValueError(msg)
        pieces = self.pieces
        piece = np.searchsorted(pieces.chainage, chainage, side="right") - 1
        foot = forward(pieces.lon[piece], pieces.lat[piece], pieces.azimuth[piece], chainage - pieces.chainage[piece])
        lon, lat, _ = forward(foot[0], foot[1], foot[2] - 90.0, offset)
        return lon, lat

    def samples(self, step_m: float) -> tuple[Reals, Reals, npt.NDArray[np.int8]]:
        """Return places beside the line at most ``step_m`` apart: longitude, latitude, side.

        They lie in pairs left and right of it, close to every bend as far before it as behind it; beyond each end there
        is a pair of side 0. What is nearest to a sample of a side lies on that side, as closely as ``step_m`` can tell.
        """
        pieces = self.pieces
        counts = np.ceil(pieces.length / step_m).astype(np.intp)
        every = np.repeat(np.arange(len(pieces)), counts)
        within = np.arange(len(every)) - np.repeat(np.cumsum(counts) - counts, counts)
        start, end = _beside_nodes(pieces)
        first, last = np.flatnonzero(pieces.before < 0), np.flatnonzero(pieces.after < 0)
        whole = np.arange(len(pieces))
        piece = np.concatenate([every, whole, whole, first, last])
        middle = (within + 0.5) * (pieces.length / counts)[every]
        length = pieces.length
        along = np.concatenate([middle, start, length - end, -start[first], length[last] + end[last]])
        foot = forward(pieces.lon[piece], pieces.lat[piece], pieces.azimuth[piece], along)
        inside = (along > 0) & (along < length[piece])
        pairs = [forward(foot[0], foot[1], foot[2] - 90.0, np.full(len(piece), sign * BESIDE_M)) for sign in (1, -1)]
        lon, lat = (np.concatenate([pair[column] for pair in pairs]) for column in (0, 1))
        return lon, lat, np.concatenate([inside, -inside.astype(np.int8)]).astype(np.int8)

    def candidates(self, xyz: Reals, radius_m: Reals) -> tuple[Indices, Indices]:
        """Return pairs (point, piece), ascending, that hold every piece nearest to any place in discs around points.

        ``xyz`` is earth-centred, shape (n, 3).
        """
        found = [(block.start + point, piece) for block, point, piece, _ in self.tree.near(xyz, radius_m)]
        point, piece = (np.concatenate([np.empty(0, np.intp), *(item[n] for item in found)]) for n in (0, 1))
        return point, piece


@dataclass(frozen=True, eq=False)
class Measured:
    """The nearest piece of points and what was measured there; arrays of shape (n,), a piece of -1: too far away."""

    piece: Indices
    share: Reals
    metres: Reals
    side: npt.NDArray[np.int8]

    @classmethod
    def none(cls, count: int) -> Self:
        """Return so many points, all of them too far away so far."""
        return cls(np.full(count, -1, np.intp), np.zeros(count), np.zeros(count), np.zeros(count, np.int8))


def compiled(count: int, kernel: str) -> bool:
    """Return whether so many are measured compiled: where it pays, or costs no start-up time any more."""
    return count >= COMPILED_FROM[kernel] or kernel in WARM


def _settle(pieces: Pieces, xyz: Reals, found: Measured, point: Indices, piece: Indices) -> None:
    """Measure pairs (point, piece), those of a point together, and fill in the nearest of each point."""
    rows, place = _columns_of(pieces, piece), _vector(xyz[point])
    share = arcs.settle(place, rows)
    held = np.minimum(np.maximum(share, 0.0), 1.0)
    metres = arcs.metres(place, rows, held)
    chosen = _nearest(point, metres)
    at, near, along = point[chosen], piece[chosen], held[chosen]
    found.piece[at], found.share[at], found.metres[at] = near, along, metres[chosen]
    rows, place = rows[:, chosen], (place[0][chosen], place[1][chosen], place[2][chosen])
    side = arcs.beside(place, rows, along)
    bend = np.flatnonzero(np.minimum(along, 1.0 - along) * rows[10] <= SAME_M)
    before, after = (_columns_of(pieces, beside[near[bend]]) for beside in (pieces.before, pieces.after))
    there = (place[0][bend], place[1][bend], place[2][bend])
    side[bend] = arcs.side(there, rows[:, bend], before, after, share[chosen[bend]])
    found.side[at] = side


def _columns_of(pieces: Pieces, piece: Indices) -> Reals:
    """Return the rows of some pieces, each column side by side: formulas are faster along them."""
    return np.take(pieces.columns, piece, axis=1)


def _straight(one: Reals, two: Reals) -> Reals:
    """Return distances between places (n, 3)."""
    x, y, z = (one - two).T
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def _vector(xyz: Reals) -> tuple[Reals, Reals, Reals]:
    """Return the columns of places (n, 3)."""
    x, y, z = np.ascontiguousarray(xyz.T)
    return x, y, z


def _scale(degrees: Reals, low: float, high: float) -> Reals:
    """Return the row or column of cells in which coordinates lie; what lies beyond is in the outermost."""
    width = (high - low + 2.0 * AROUND_DEG) / CELLS
    return np.clip((degrees - (low - AROUND_DEG)) / width, 0.0, CELLS - 1.0)


def _borders(pieces: Pieces) -> Reals:
    """Return where each segment begins and ends, shape (segments, 6): far away where it meets itself."""
    first = np.flatnonzero(np.diff(pieces.segment, prepend=-1))
    last = np.append(first[1:], len(pieces)) - 1
    own = np.arange(len(first))
    ring = (pieces.before[first] >= 0) & (pieces.segment[pieces.before[first]] == own)
    borders = np.hstack([pieces.start[first], (pieces.start + pieces.span)[last]])
    return np.where(ring[:, None], NO_BORDER_M, borders)


def _columns(*values: RealsLike) -> tuple[Reals, ...]:
    """Return values as arrays of one shape (n,)."""
    return tuple(np.array(item) for item in np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in values)))


def _segments(pieces: Pieces) -> gpd.GeoDataFrame:
    first = np.flatnonzero(np.diff(pieces.segment, prepend=-1))
    last = np.append(first[1:], len(pieces)) - 1
    owner = np.concatenate([pieces.segment, pieces.segment[last]])
    order = np.argsort(owner, kind="stable")
    lon = np.concatenate([pieces.lon, pieces.end_lon[last]])[order]
    lat = np.concatenate([pieces.lat, pieces.end_lat[last]])[order]
    table = {
        "segment_id": [f"S{number:04d}" for number in range(1, len(first) + 1)],
        "part": pieces.part[first] + 1,
        "chainage_from_m": pieces.chainage[first],
        "chainage_to_m": pieces.chainage[last] + pieces.length[last],
    }
    return gpd.GeoDataFrame(table, geometry=shapely.linestrings(lon, lat, indices=owner[order]), crs=WGS84)


def _gentle(pieces: Pieces) -> Bools:
    """Return which segments turn so little that no place sees both their sides as nearest."""
    first = np.flatnonzero(np.diff(pieces.segment, prepend=-1))
    heading = np.cumsum(np.append(0.0, wrap(pieces.azimuth[1:] - pieces.end_azimuth[:-1])))
    spread = np.maximum.reduceat(heading, first) - np.minimum.reduceat(heading, first)
    return np.asarray(spread < GENTLE_DEG)


def _beside_nodes(pieces: Pieces) -> tuple[Reals, Reals]:
    """Return how far from a piece's start and end samples lie: equally far on both sides of every bend."""
    own = np.minimum(4 * BESIDE_M, pieces.length / 4)
    before = np.where(pieces.before >= 0, own[pieces.before], own)
    after = np.where(pieces.after >= 0, own[pieces.after], own)
    return np.minimum(own, before), np.minimum(own, after)


class Feet(NamedTuple):
    """The nearest place on a piece to a point: metres along it, distance, azimuth from there to the point.

    ``past`` is how much farther along the perpendicular would fall if the piece went on: 0 but at its ends.
    """

    along: Reals
    metres: Reals
    azimuth: Reals
    past: Reals


def feet(pieces: Pieces, piece: Indices, lon: Reals, lat: Reals) -> Feet:
    """Return the nearest place on each piece to a point (WGS 84 degrees), however far, by PROJ."""
    offset = ecef(lon, lat) - pieces.start[piece]
    span, length = pieces.span[piece], pieces.length[piece]
    along = np.clip((offset * span).sum(axis=-1) / (span * span).sum(axis=-1), 0.0, 1.0) * length
    past = np.zeros_like(along)
    for _ in range(3):
        along = np.clip(along + past, 0.0, length)
        foot_lon, foot_lat, heading = forward(pieces.lon[piece], pieces.lat[piece], pieces.azimuth[piece], along)
        azimuth, _, metres = inverse(foot_lon, foot_lat, lon, lat)
        past = metres * np.cos(np.radians(azimuth - heading))
    return Feet(along, metres, azimuth, past)


def _nearest(point: Indices, metres: Reals) -> Indices:
    """Return for each point the first of its pairs that is nearest or as near; pairs are grouped by point."""
    begins = np.diff(point, prepend=-1) != 0
    first = np.flatnonzero(begins)
    least = np.minimum.reduceat(metres, first) if first.size else metres
    near = np.flatnonzero(metres <= least[np.cumsum(begins) - 1] + TIE_M)
    return near[np.flatnonzero(np.diff(point[near], prepend=-1))]


def _sides(pieces: Pieces, piece: Indices, along: Reals, azimuth: Reals, past: Reals) -> npt.NDArray[np.int8]:
    """Return the side by the two headings at the foot: left is what lies between the way on and the way back."""
    heading = forward(pieces.lon[piece], pieces.lat[piece], pieces.azimuth[piece], along)[2]
    at_start, at_end = along <= SAME_M, along >= pieces.length[piece] - SAME_M
    before, after = pieces.before[piece], pieces.after[piece]
    inward = np.where(at_start & (before >= 0), pieces.end_azimuth[before], heading)
    onward = np.where(at_end & (after >= 0), pieces.azimuth[after], heading)
    left_sector = (onward - inward - 180.0) % 360.0
    left = (onward - azimuth) % 360.0 < left_sector
    beyond = (at_start & (before < 0) & (past < -SAME_M)) | (at_end & (after < 0) & (past > SAME_M))
    return np.where(beyond, 0, np.where(left, 1, -1)).astype(np.int8)
