"""What is a line cut into, and which lines cannot be used?

A piece is a short geodesic of one edge and one segment of a line. Everything that is measured along a line is measured
along its pieces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import shapely

from geo import arcs
from geo.crs import ecef, forward, inverse
from geo.errors import PolicyError

if TYPE_CHECKING:
    from shapely import LineString, MultiLineString

    from geo.crs import Reals

Indices = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

PIECE_M: Final = 5_000.0  # a chord of this length lies at most 0.5 m from its geodesic
SAME_M: Final = arcs.SAME_M
FOLD_DEG: Final = 179.0  # an edge that turns back more sharply is a spike, not a bend of a front line
POLAR_DEG: Final = 85.0
HALF_TURN_DEG: Final = 180.0


@dataclass(frozen=True, eq=False)
class Pieces:
    """Geodesic pieces in order of chainage, arrays of shape (n,).

    Azimuths are forward. ``before`` and ``after`` are the adjoining pieces, -1 at the line's ends. ``bend_before`` and
    ``bend_after`` are the turns there, degrees, left negative. ``start`` and ``span`` are earth-centred, shape (n, 3);
    ``rows`` describe the pieces as ``arcs`` reads them, and ``columns`` are the same, each column side by side.
    """

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
    bend_before: Reals = field(init=False)
    bend_after: Reals = field(init=False)
    start: Reals = field(init=False)
    span: Reals = field(init=False)
    rows: Reals = field(init=False)
    columns: Reals = field(init=False)

    def __post_init__(self) -> None:
        """Measure the bends and place the pieces in earth-centred space."""
        onward = np.where(self.after >= 0, self.azimuth[self.after], self.end_azimuth)
        inward = np.where(self.before >= 0, self.end_azimuth[self.before], self.azimuth)
        object.__setattr__(self, "bend_after", wrap(onward - self.end_azimuth))
        object.__setattr__(self, "bend_before", wrap(self.azimuth - inward))
        start = ecef(self.lon, self.lat)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "span", ecef(self.end_lon, self.end_lat) - start)
        object.__setattr__(self, "rows", self._rows())
        object.__setattr__(self, "columns", np.ascontiguousarray(self.rows.T))

    def _rows(self) -> Reals:
        """Return the pieces as ``arcs`` reads them."""
        middle_lon, middle_lat, _ = forward(self.lon, self.lat, self.azimuth, self.length / 2)
        rise = 4.0 * (ecef(middle_lon, middle_lat) - (self.start + self.span / 2))
        inverse_square = 1.0 / (self.span * self.span).sum(axis=-1)
        ends = (self.before < 0, self.after < 0)
        return np.column_stack([self.start, self.span, inverse_square, rise, self.length, *ends]).astype(float)

    def __len__(self) -> int:
        """Return how many pieces there are."""
        return len(self.lon)


def _place(lon: float, lat: float) -> str:
    return f"at lon {lon:.6f}, lat {lat:.6f}"


def vertices_of(name: str, geometry: LineString | MultiLineString) -> tuple[Reals, ...]:
    """Return the vertices of each part, checked."""
    if geometry.is_empty:
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
        reach = f"reaches from lon {lons.min():.6f} to {lons.max():.6f}"
        msg = f"baseline {name!r} {reach}: over the antimeridian, which is not supported"
        raise PolicyError(msg)
    return parts


def _check_part(name: str, part: Reals) -> None:
    if len(part) < 2:  # noqa: PLR2004 -- a line has two ends
        msg = f"{name} has {len(part)} vertices; a line needs two, remove the part or complete it"
        raise PolicyError(msg)
    known = np.asarray(np.isfinite(part).all(axis=1))
    lon, lat = np.where(known[:, None], part, 0.0).T
    faults: tuple[tuple[npt.ArrayLike, str], ...] = (
        (~known, "has a coordinate that is no number"),
        ((np.abs(lon) > HALF_TURN_DEG) | (np.abs(lat) > HALF_TURN_DEG / 2), "is not in degrees of WGS 84"),
        (np.abs(lat) > POLAR_DEG, f"lies within {90 - POLAR_DEG:g} degrees of a pole, which is not supported,"),
        (np.abs(np.diff(lon, append=lon[-1])) > HALF_TURN_DEG, "crosses the antimeridian, which is not supported,"),
    )
    for fault, what in faults:
        wrong = np.asarray(fault)
        if wrong.any():
            where = int(wrong.argmax())
            place = f"at vertex {where + 1} (lon {part[where, 0]}, lat {part[where, 1]})"
            msg = f"{name} {what} {place}; correct the coordinates"
            raise PolicyError(msg)
    _, _, metres = inverse(lon[:-1], lat[:-1], lon[1:], lat[1:])
    if (metres <= SAME_M).any():
        where = int(metres.argmin()) + 1
        msg = f"{name} repeats a vertex {_place(lon[where], lat[where])} (number {where + 1}); remove one of the two"
        raise PolicyError(msg)


def successors(name: str, parts: tuple[Reals, ...]) -> Indices:
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


def cut(parts: tuple[Reals, ...], segment_length_m: float, successor: Indices) -> Pieces:
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
    return Pieces(
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


def refuse_touching(name: str, pieces: Pieces) -> None:
    """Raise if the line folds back, crosses or touches itself, or reaches a pole between vertices."""
    turn = np.abs(pieces.bend_after)
    if turn.max() > FOLD_DEG:
        where = int(turn.argmax())
        place = _place(pieces.end_lon[where], pieces.end_lat[where])
        msg = f"baseline {name!r} folds back on itself {place}; remove the spike"
        raise PolicyError(msg)
    if np.abs(pieces.lat).max() > POLAR_DEG:
        where = int(np.abs(pieces.lat).argmax())
        msg = f"baseline {name!r} comes too near a pole {_place(pieces.lon[where], pieces.lat[where])}; not supported"
        raise PolicyError(msg)
    ends = np.stack([pieces.lon, pieces.lat, pieces.end_lon, pieces.end_lat], axis=-1).reshape(-1, 2, 2)
    lines = np.asarray(shapely.linestrings(ends))
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    wrong = (one < two) & (pieces.after[one] != two) & (pieces.after[two] != one)
    if wrong.any():
        where = int(np.flatnonzero(wrong)[np.lexsort((two[wrong], one[wrong]))[0]])
        place = _place(*shapely.get_coordinates(shapely.intersection(lines[one[where]], lines[two[where]]))[0])
        msg = f"baseline {name!r} crosses or touches itself {place}; a front line must be simple, redraw it there"
        raise PolicyError(msg)


def wrap(degrees: Reals) -> Reals:
    """Return angles in [-180, 180)."""
    return (degrees + 180.0) % 360.0 - 180.0
