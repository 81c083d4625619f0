"""Where along the frozen reference line is a point, how far from it, and on which side?

The edges of a baseline are geodesics. They are cut into short pieces, each of one edge and one segment; a search in
earth-centred space finds the few pieces that can be nearest, and only those are measured on the ellipsoid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import KDTree

from geo.crs import GEOD, WGS84, ecef, forward, inverse
from geo.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shapely import LineString, MultiLineString

    from geo.crs import Reals, RealsLike

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

PIECE_M: Final = 5_000.0  # a chord of this length lies at most 0.5 m from its geodesic
SAME_M: Final = 0.001  # what is nearer than this is one place
FOLD_DEG: Final = 179.9  # an edge that turns back more sharply lies on the edge before it
POLAR_DEG: Final = 85.0
HALF_TURN_DEG: Final = 180.0
GENTLE_DEG: Final = 170.0
FIRST_LOOK: Final = 8  # pieces looked at before asking for more
BLOCK: Final = 400_000  # point-piece pairs held in memory at a time


@dataclass(frozen=True, eq=False)
class Located:
    """Where points are relative to a baseline; arrays of one shape (n,).

    ``segment`` indexes ``Baseline.segments``. ``distance_m`` is geodesic, ``chainage_m`` is that of the nearest point of
    the line. ``side`` is +1 on the left walking along increasing chainage, -1 on the right, 0 beyond the line's ends and
    on the line itself. ``clear_m`` is a lower bound: a disc of less than half of it around the point has its nearest
    points on that one segment, on no end of the line, and changes side only where it reaches the line.
    """

    segment: Indices
    chainage_m: Reals
    distance_m: Reals
    side: npt.NDArray[np.int8]
    clear_m: Reals


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Geodesic pieces in order of chainage; azimuths are forward, ``before``/``after`` are -1 at the line's ends."""

    lon: Reals
    lat: Reals
    end_lon: Reals
    end_lat: Reals
    azimuth: Reals
    end_azimuth: Reals
    length: Reals
    chainage: Reals
    part: Indices
    segment: Indices
    before: Indices
    after: Indices
    start: Reals = field(init=False)
    span: Reals = field(init=False)

    def __post_init__(self) -> None:
        start = ecef(self.lon, self.lat)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "span", ecef(self.end_lon, self.end_lat) - start)

    def __len__(self) -> int:
        return len(self.lon)


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
    _pieces: _Pieces = field(repr=False)
    _tree: KDTree = field(repr=False)
    _gentle: Bools = field(repr=False)

    @classmethod
    def build(
        cls, id: str, geometry: LineString | MultiLineString, *, segment_length_m: float, valid_from: datetime  # noqa: A002 -- the name of the field
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
        parts = _parts(id, geometry)
        pieces = _cut(parts, segment_length_m, _successors(id, parts))
        _refuse_touching(id, pieces)
        return cls(
            id=id,
            valid_from=valid_from,
            parts=parts,
            segments=_segments(pieces),
            length_m=float(pieces.chainage[-1] + pieces.length[-1]),
            _pieces=pieces,
            _tree=KDTree(pieces.start + pieces.span / 2),
            _gentle=_gentle(pieces),
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
        at_lon, at_lat = (np.atleast_1d(np.asarray(v, float)) for v in (lon, lat))
        if not (np.isfinite(at_lon).all() and np.isfinite(at_lat).all()):
            msg = "locate needs finite coordinates"
            raise ValueError(msg)
        point, piece, clear = self._candidates(ecef(at_lon, at_lat))
        along, metres, azimuth, past = _feet(self._pieces, piece, at_lon[point], at_lat[point])
        chosen = _nearest(point, metres)
        piece, along, metres = piece[chosen], along[chosen], metres[chosen]
        side = _sides(self._pieces, piece, along, azimuth[chosen], past[chosen])
        side[metres <= SAME_M] = 0
        return Located(
            segment=self._pieces.segment[piece],
            chainage_m=self._pieces.chainage[piece] + along,
            distance_m=metres,
            side=side,
            clear_m=clear,
        )

    def at(self, chainage_m: RealsLike, offset_m: RealsLike) -> tuple[Reals, Reals]:
        """Return longitude and latitude of places at a chainage and a signed offset (left positive), metres.

        Raises
        ------
        ValueError
            If a chainage is not on the line.
        """
        chainage, offset = (np.atleast_1d(np.asarray(v, float)) for v in (chainage_m, offset_m))
        chainage, offset = (np.array(v) for v in np.broadcast_arrays(chainage, offset))
        if not ((chainage >= 0) & (chainage <= self.length_m)).all():
            msg = f"chainages lie between 0 and {self.length_m:.3f} m"
            raise ValueError(msg)
        pieces = self._pieces
        piece = np.searchsorted(pieces.chainage, chainage, side="right") - 1
        foot = forward(pieces.lon[piece], pieces.lat[piece], pieces.azimuth[piece], chainage - pieces.chainage[piece])
        lon, lat, _ = forward(foot[0], foot[1], foot[2] - 90.0, offset)
        return lon, lat

    def _candidates(self, xyz: Reals) -> tuple[Indices, Indices, Reals]:
        """Return pairs (point, piece), ascending, that hold every nearest piece, and ``clear_m`` of each point."""
        clear = np.empty(len(xyz))
        pairs = list(self._looks(xyz, clear))
        point = np.concatenate([pair[0] for pair in pairs]) if pairs else np.empty(0, np.intp)
        piece = np.concatenate([pair[1] for pair in pairs]) if pairs else np.empty(0, np.intp)
        order = np.lexsort((piece, point))
        return point[order], piece[order], clear

    def _looks(self, xyz: Reals, clear: Reals) -> Iterator[tuple[Indices, Indices]]:
        """Look at ever more pieces, until no unseen one can be nearest; fill ``clear``."""
        todo, count = np.arange(len(xyz)), min(FIRST_LOOK, len(self._pieces))
        while todo.size:
            rest = []
            for block in np.array_split(todo, -(-todo.size * count // BLOCK)):
                seen, near, found = self._look(xyz[block], count)
                yield block[seen[near[0]]], near[1]
                clear[block[seen]] = found
                rest.append(np.delete(block, seen))
            todo, count = np.concatenate(rest), min(4 * count, len(self._pieces))

    def _look(self, xyz: Reals, count: int) -> tuple[Indices, tuple[Indices, Indices], Reals]:
        """Return which points are settled by their ``count`` nearest midpoints, their pairs and ``clear_m``."""
        pieces = self._pieces
        middle, piece = self._tree.query(xyz, k=np.arange(1, count + 1))
        chord = _chords(pieces, piece, xyz)
        best = chord.min(axis=1)
        slack = _slack(best)
        unseen = middle[:, -1] - pieces.length.max() / 2 if count < len(pieces) else np.full(len(xyz), np.inf)
        settled = np.flatnonzero(unseen > best + slack)
        chord, piece, best, slack = chord[settled], piece[settled], best[settled], slack[settled]
        row, column = np.nonzero(chord <= (best + slack)[:, None])
        own = pieces.segment[piece[np.arange(len(settled)), chord.argmin(axis=1)]]
        other = np.where(pieces.segment[piece] == own[:, None], np.inf, chord).min(axis=1)
        ends = _to_ends(pieces, xyz[settled])
        clear = np.minimum(np.minimum(other, ends), unseen[settled]) - best - slack
        return settled, (row, piece[row, column]), np.where(self._gentle[own], np.maximum(clear, 0.0), 0.0)


def _place(lon: float, lat: float) -> str:
    return f"at lon {lon:.6f}, lat {lat:.6f}"


def _parts(name: str, geometry: LineString | MultiLineString) -> tuple[Reals, ...]:
    """Return the vertices of each part, checked."""
    if geometry is None or geometry.is_empty:
        msg = f"baseline {name!r} is empty; give a LineString or MultiLineString in WGS 84"
        raise PolicyError(msg)
    if geometry.geom_type not in {"LineString", "MultiLineString"}:
        msg = f"baseline {name!r} is a {geometry.geom_type}; give a LineString or MultiLineString in WGS 84"
        raise PolicyError(msg)
    parts = tuple(np.array(shapely.get_coordinates(part)) for part in shapely.get_parts(geometry))
    for number, part in enumerate(parts, start=1):
        _check_part(f"baseline {name!r}, part {number}", part)
    lons = np.concatenate([part[:, 0] for part in parts])
    if np.ptp(lons) > HALF_TURN_DEG:
        msg = f"baseline {name!r} reaches from lon {lons.min():.6f} to {lons.max():.6f}: over the antimeridian; not supported"
        raise PolicyError(msg)
    return parts


def _check_part(name: str, part: Reals) -> None:
    if len(part) < 2:  # noqa: PLR2004 -- a line has two ends
        msg = f"{name} has {len(part)} vertices; a line needs two, remove the part or complete it"
        raise PolicyError(msg)
    lon, lat = part[:, 0], part[:, 1]
    faults: tuple[tuple[Bools, str], ...] = (
        (~np.isfinite(part).all(axis=1), "has a coordinate that is no number"),
        ((np.abs(lon) > HALF_TURN_DEG) | (np.abs(lat) > HALF_TURN_DEG / 2), "is not in degrees of WGS 84"),
        (np.abs(lat) > POLAR_DEG, f"lies within {90 - POLAR_DEG:g} degrees of a pole, which is not supported,"),
        (np.abs(np.diff(lon, append=lon[-1])) > HALF_TURN_DEG, "crosses the antimeridian, which is not supported,"),
    )
    for wrong, what in faults:
        if wrong.any():
            where = int(wrong.argmax())
            msg = f"{name} {what} at vertex {where + 1} (lon {lon[where]}, lat {lat[where]}); correct the coordinates"
            raise PolicyError(msg)
    _, _, metres = inverse(lon[:-1], lat[:-1], lon[1:], lat[1:])
    if (metres <= SAME_M).any():
        where = int(metres.argmin()) + 1
        msg = f"{name} repeats a vertex {_place(lon[where], lat[where])} (number {where + 1}); remove one of the two"
        raise PolicyError(msg)


def _successors(name: str, parts: tuple[Reals, ...]) -> Indices:
    """Return for each part the part that begins where it ends, or -1."""
    begins: dict[tuple[float, float], int] = {}
    ends: dict[tuple[float, float], int] = {}
    for number, part in enumerate(parts):
        for known, vertex, word in ((begins, part[0], "begin"), (ends, part[-1], "end")):
            place = (float(vertex[0]), float(vertex[1]))
            if place in known:
                msg = (
                    f"baseline {name!r}: parts {known[place] + 1} and {number + 1} both {word} {_place(*place)}; "
                    "reverse one of them, since left must stay left"
                )
                raise PolicyError(msg)
            known[place] = number
    return np.array([begins.get((float(part[-1, 0]), float(part[-1, 1])), -1) for part in parts], dtype=np.intp)


def _cut(parts: tuple[Reals, ...], segment_length_m: float, successor: Indices) -> _Pieces:
    """Cut parts into pieces of at most ``PIECE_M`` at their vertices and at the segments' ends."""
    columns: list[tuple[Reals, ...]] = []
    chainage, segment = 0.0, 0
    for part in parts:
        nodes, stations = _nodes(part, segment_length_m)
        middle = (stations[:-1] + stations[1:]) / 2
        last = max(int(np.ceil((stations[-1] - SAME_M) / segment_length_m)) - 1, 0)
        owner = segment + np.minimum(middle // segment_length_m, last)
        columns.append((nodes[:-1, 0], nodes[:-1, 1], nodes[1:, 0], nodes[1:, 1], stations[:-1] + chainage, owner))
        chainage, segment = chainage + float(stations[-1]), segment + last + 1
    lon, lat, end_lon, end_lat, chainages, owners = (np.concatenate(column) for column in zip(*columns, strict=True))
    azimuth, end_azimuth, _ = inverse(lon, lat, end_lon, end_lat)
    before, after = _neighbours(np.array([len(column[0]) for column in columns]), successor)
    return _Pieces(
        lon=lon, lat=lat, end_lon=end_lon, end_lat=end_lat,
        azimuth=azimuth, end_azimuth=end_azimuth,
        length=np.diff(chainages, append=chainage), chainage=chainages,
        part=np.repeat(np.arange(len(parts)), [len(column[0]) for column in columns]),
        segment=owners.astype(np.intp), before=before, after=after,
    )  # fmt: skip


def _nodes(part: Reals, segment_length_m: float) -> tuple[Reals, Reals]:
    """Return the ends of a part's pieces, shape (n, 2), and their distances along the part."""
    lon, lat = part[:, 0].copy(), part[:, 1].copy()
    azimuth, _, metres = inverse(lon[:-1], lat[:-1], lon[1:], lat[1:])
    vertices = np.concatenate([[0.0], np.cumsum(metres)])
    cuts = np.arange(1, np.ceil((vertices[-1] - SAME_M) / segment_length_m)) * segment_length_m
    after = np.searchsorted(vertices, cuts)
    # A cut that falls on a vertex is that vertex: no piece is shorter than a place.
    cuts = cuts[np.minimum(vertices[after] - cuts, cuts - vertices[after - 1]) > SAME_M]
    stops = np.sort(np.concatenate([vertices, cuts]))
    counts = np.ceil(np.diff(stops) / PIECE_M).astype(np.intp)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    stations = np.repeat(stops[:-1], counts) + within * np.repeat(np.diff(stops) / counts, counts)
    edge = np.searchsorted(vertices, stations, side="right") - 1
    inner = forward(lon[edge], lat[edge], azimuth[edge], stations - vertices[edge])
    exact = stations == vertices[edge]
    nodes = np.stack([np.where(exact, lon[edge], inner[0]), np.where(exact, lat[edge], inner[1])], axis=-1)
    return np.vstack([nodes, part[-1:]]), np.append(stations, vertices[-1])


def _neighbours(counts: Indices, successor: Indices) -> tuple[Indices, Indices]:
    """Return the piece before and after each piece, -1 at the ends of the line."""
    last = np.cumsum(counts) - 1
    first = last - counts + 1
    after = np.arange(1, counts.sum() + 1)
    after[last] = np.where(successor >= 0, first[successor], -1)
    before = np.full(len(after), -1, dtype=np.intp)
    before[after[after >= 0]] = np.flatnonzero(after >= 0)
    return before, after.astype(np.intp)


def _refuse_touching(name: str, pieces: _Pieces) -> None:
    """Raise if the line folds back, crosses or touches itself, or reaches a pole between vertices."""
    joined = np.flatnonzero(pieces.after >= 0)
    turn = np.zeros(len(pieces))
    turn[joined] = np.abs(_wrap(pieces.azimuth[pieces.after[joined]] - pieces.end_azimuth[joined]))
    if turn.max() > FOLD_DEG:
        where = int(turn.argmax())
        msg = f"baseline {name!r} folds back on itself {_place(pieces.end_lon[where], pieces.end_lat[where])}; remove the spike"
        raise PolicyError(msg)
    if np.abs(pieces.lat).max() > POLAR_DEG:
        where = int(np.abs(pieces.lat).argmax())
        msg = f"baseline {name!r} comes too near a pole {_place(pieces.lon[where], pieces.lat[where])}; not supported"
        raise PolicyError(msg)
    ends = np.stack([pieces.lon, pieces.lat, pieces.end_lon, pieces.end_lat], axis=-1).reshape(-1, 2, 2)
    lines = shapely.linestrings(ends)
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    wrong = (one < two) & (pieces.after[one] != two) & (pieces.after[two] != one)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[np.lexsort((two[wrong], one[wrong]))[0]])
        place = shapely.get_coordinates(shapely.intersection(lines[one[where]], lines[two[where]]))[0]
        msg = f"baseline {name!r} crosses or touches itself {_place(*place)}; a front line must be simple, redraw it there"
        raise PolicyError(msg)


def _segments(pieces: _Pieces) -> gpd.GeoDataFrame:
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


def _gentle(pieces: _Pieces) -> Bools:
    """Return which segments turn so little that no place sees both their sides as nearest."""
    first = np.flatnonzero(np.diff(pieces.segment, prepend=-1))
    heading = np.cumsum(np.append(0.0, _wrap(pieces.azimuth[1:] - pieces.end_azimuth[:-1])))
    spread = np.maximum.reduceat(heading, first) - np.minimum.reduceat(heading, first)
    return np.asarray(spread < GENTLE_DEG)


def _wrap(degrees: Reals) -> Reals:
    """Return angles in [-180, 180)."""
    return (degrees + 180.0) % 360.0 - 180.0


def _slack(chord_m: Reals) -> Reals:
    """Return by how much a straight distance through the earth can rank two pieces wrongly, metres, with room to spare.

    A piece lies within 0.5 m of its chord. Straight distances c fall short of geodesic ones by about c³ / 24 R², and R
    varies by one part in a hundred with place and azimuth.
    """
    return 2.0 + 0.01 * chord_m * np.minimum(1.0, (chord_m / GEOD.a) ** 2)


def _chords(pieces: _Pieces, piece: Indices, xyz: Reals) -> Reals:
    """Return straight distances from points (n, 3) to pieces (n, k), metres."""
    offset = xyz[:, None, :] - pieces.start[piece]
    span = pieces.span[piece]
    along = (offset * span).sum(axis=-1) / (span * span).sum(axis=-1)
    offset -= np.clip(along, 0.0, 1.0)[..., None] * span
    return np.asarray(np.sqrt((offset * offset).sum(axis=-1)))


def _to_ends(pieces: _Pieces, xyz: Reals) -> Reals:
    """Return straight distances from points (n, 3) to the nearest end of the line; infinite without ends."""
    ends = np.concatenate([pieces.start[pieces.before < 0], (pieces.start + pieces.span)[pieces.after < 0]])
    nearest = np.full(len(xyz), np.inf)
    for end in ends:
        nearest = np.minimum(nearest, np.sqrt(((xyz - end) ** 2).sum(axis=-1)))
    return nearest


def _feet(pieces: _Pieces, piece: Indices, lon: Reals, lat: Reals) -> tuple[Reals, Reals, Reals, Reals]:
    """Return the nearest place on each piece: metres along it, distance, azimuth to the point, metres past the foot.

    The last is how much farther along the perpendicular would fall if the piece went on: 0 but at its ends.
    """
    offset = ecef(lon, lat) - pieces.start[piece]
    span, length = pieces.span[piece], pieces.length[piece]
    along = np.clip((offset * span).sum(axis=-1) / (span * span).sum(axis=-1), 0.0, 1.0) * length
    past = np.zeros_like(along)
    for _ in range(3):
        along = np.clip(along + past, 0.0, length)
        foot_lon, foot_lat, heading = forward(pieces.lon[piece], pieces.lat[piece], pieces.azimuth[piece], along)
        azimuth, _, metres = inverse(foot_lon, foot_lat, lon, lat)
        past = metres * np.cos(np.radians(azimuth - heading))
    return along, metres, azimuth, past


def _nearest(point: Indices, metres: Reals) -> Indices:
    """Return for each point the first of its pairs that is nearest or as near; pairs are grouped by point."""
    first = np.flatnonzero(np.diff(point, prepend=-1))
    least = np.minimum.reduceat(metres, first) if first.size else metres
    near = np.flatnonzero(metres <= least[point] + SAME_M)
    return near[np.flatnonzero(np.diff(point[near], prepend=-1))]


def _sides(pieces: _Pieces, piece: Indices, along: Reals, azimuth: Reals, past: Reals) -> npt.NDArray[np.int8]:
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
