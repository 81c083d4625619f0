"""Where did the line run on a day, and how far from it was a report?

A current line is measured as it was drawn, however untidy, to the metre on the ellipsoid. Which hand is left is told by
the baseline along which it runs: a part drawn the other way round is turned, and where its direction or its sides
cannot be told there is a distance and no offset. Nothing that the ladder rests on reads what is said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pandas as pd
import shapely
from shapely import MultiLineString

from geo.crs import GEOD, distance_m, ecef
from geo.errors import PolicyError
from geo.fronts import Baseline, feet
from geo.pieces import SAME_M, cut
from geo.trees import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from geo.crs import Reals
    from geo.pieces import Bools, Pieces

WHOLE_M: Final = 2 * np.pi * GEOD.a  # no line is as long: a part stays one segment
ALONG: Final = 0.5  # a part that gains less along the baseline, by its own reach, rather runs across it


@dataclass(frozen=True, eq=False)
class CurrentLine:
    """Where the line ran from ``valid_from`` (aware UTC) on: a dated layer that never renumbers the baseline.

    ``geometry`` is WGS 84 degrees, its edges are geodesics. ``unusable`` says why a line that came is not used; its
    geometry may then be empty.
    """

    valid_from: datetime
    source: str
    geometry: MultiLineString
    unusable: str | None = None

    @property
    def name(self) -> str:
        """How a sentence names it."""
        return f"{self.source}, {self.valid_from:%Y-%m-%dT%H:%MZ}"


def newest(lines: Sequence[CurrentLine], at: datetime) -> CurrentLine | None:
    """Return the newest usable line not after a moment; of one date the last in order, since it corrects the others."""
    begun = [line for line in _ordered(lines) if line.unusable is None and line.valid_from <= at]
    return begun[-1] if begun else None


def passed_over(lines: Sequence[CurrentLine], at: datetime) -> tuple[CurrentLine, ...]:
    """Return the lines, newer than the one used at a moment and not after it, that could not be used."""
    begun = [line for line in _ordered(lines) if line.valid_from <= at]
    used = newest(lines, at)
    return tuple(begun if used is None else begun[begun.index(used) + 1 :])


def beside(reports: pd.DataFrame, lines: Sequence[CurrentLine], baseline: Baseline) -> pd.DataFrame:
    """Return reports with their place beside the line of their own day.

    Parameters
    ----------
    reports
        With ``lon``, ``lat`` (WGS 84 degrees) and ``observed_from`` (aware UTC). Not changed.
    lines
        In order of arrival; for each report the newest usable one not after ``observed_from`` is taken.
    baseline
        Tells which hand is left.

    Returns
    -------
    DataFrame
        The same rows and index, with ``line_offset_m`` (signed, left positive; missing where the side cannot be told),
        ``line_distance_m`` (geodesic, within 1 m), ``line_valid_from`` (aware UTC) and ``line_age_h`` (from then to
        ``observed_from``). Without a line or a place all four are missing. A row's answer does not depend on others.
    """
    usable = [line for line in _ordered(lines) if line.unusable is None]
    starts = pd.DatetimeIndex([line.valid_from for line in usable], dtype="datetime64[us, UTC]")
    seen = pd.DatetimeIndex(reports["observed_from"])
    lon, lat = reports["lon"].to_numpy(float), reports["lat"].to_numpy(float)
    known = np.isfinite(lon) & np.isfinite(lat)
    which = np.where(known, np.searchsorted(starts.asi8, seen.as_unit("us").asi8, side="right") - 1, -1)
    offset, metres = np.full(len(reports), np.nan), np.full(len(reports), np.nan)
    for number in np.unique(which[which >= 0]):
        rows = np.flatnonzero(which == number)
        offset[rows], metres[rows] = survey(usable[number], baseline).measure(lon[rows], lat[rows])
    valid_from = pd.Series(starts).reindex(which).set_axis(reports.index)
    return reports.assign(
        line_offset_m=offset,
        line_distance_m=metres,
        line_valid_from=valid_from,
        line_age_h=(reports["observed_from"] - valid_from).dt.total_seconds() / 3600.0,
    )


@dataclass(frozen=True, eq=False)
class Survey:
    """A current line, ready to be measured from.

    ``directed`` says of each part whether its direction is known, shape (parts,). ``unsound`` says why the line has no
    sides at all; ``simple`` is missing then.
    """

    pieces: Pieces
    directed: Bools
    simple: Baseline | None
    unsound: str | None

    @classmethod
    def of(cls, line: CurrentLine, baseline: Baseline) -> Self:
        """Turn the parts of a line so that they run along the baseline, and see whether it has sides."""
        parts = tidy(line.geometry)
        way = np.array([_direction(part, baseline) for part in parts])
        turned = tuple(part[::-1] if sign < 0 else part for part, sign in zip(parts, way, strict=True))
        pieces = cut(turned, WHOLE_M, np.full(len(turned), -1, dtype=np.intp))
        try:
            simple = Baseline.build(
                line.name, MultiLineString(turned), segment_length_m=WHOLE_M, valid_from=line.valid_from
            )
        except PolicyError as error:
            return cls(pieces, way != 0, None, str(error).replace("baseline", "the line", 1))
        return cls(pieces, way != 0, simple, None)

    @property
    def doubt(self) -> str | None:
        """What keeps offsets from having a sign, in a sentence; ``None`` when nothing does."""
        if self.unsound is not None:
            return f"offsets from it have no sign: {self.unsound}"
        lost = int((~self.directed).sum())
        rest = f"{lost} of its {len(self.directed)} parts, which do not run along the baseline"
        return f"offsets have no sign near {rest}" if lost else None

    def measure(self, lon: Reals, lat: Reals) -> tuple[Reals, Reals]:
        """Return signed offset (missing where the side cannot be told) and distance of places, metres."""
        if self.simple is None:
            metres = _distances(self.pieces, lon, lat)
            return np.where(metres <= SAME_M, 0.0, np.nan), metres
        found = self.simple.locate(lon, lat)
        part = self.simple.segments["part"].to_numpy(np.intp)[found.segment] - 1
        side = np.where(self.directed[part], found.side, 0)
        return np.where((side == 0) & ~found.on_line, np.nan, found.distance_m * side), found.distance_m


# A line and the baseline are frozen, and a line of 10,000 vertices takes a tenth of a second to be made ready.
survey = lru_cache(maxsize=64)(Survey.of)


def tidy(geometry: MultiLineString) -> tuple[Reals, ...]:
    """Return the vertices of each part, shape (n, 2), without repeated ones and without parts of one place."""
    parts = (_without_repeats(shapely.get_coordinates(part)) for part in shapely.get_parts(geometry))
    return tuple(part for part in parts if len(part) > 1)


def _ordered(lines: Sequence[CurrentLine]) -> list[CurrentLine]:
    return sorted(lines, key=lambda line: line.valid_from)


def _without_repeats(part: Reals) -> Reals:
    while len(part) > 1:
        steps = distance_m(part[:-1, 0], part[:-1, 1], part[1:, 0], part[1:, 1])
        if (steps > SAME_M).all():
            break
        part = part[np.append(True, steps > SAME_M)]
    return part


def _direction(part: Reals, baseline: Baseline) -> int:
    """Return 1 for a part that runs along the baseline, -1 against it, 0 where neither can be said.

    Each piece counts by what it gains in chainage, at most its own length: a break or a closed line's start is no gain.
    """
    pieces = cut((part,), WHOLE_M, np.full(1, -1, dtype=np.intp))
    lon, lat = np.append(pieces.lon, part[-1, 0]), np.append(pieces.lat, part[-1, 1])
    gains = np.diff(baseline.locate(lon, lat).chainage_m)
    gain = float(np.clip(gains, -pieces.length, pieces.length).sum())
    reach = float(distance_m(part[0, 0], part[0, 1], part[:, 0], part[:, 1]).max())
    return int(np.sign(gain)) if abs(gain) >= ALONG * reach else 0


def _distances(pieces: Pieces, lon: Reals, lat: Reals) -> Reals:
    """Return geodesic distances to the nearest of any pieces, whether or not they cross."""
    xyz, out = ecef(lon, lat), np.empty(len(lon))
    for block, point, piece, _ in Tree.build(pieces).near(xyz, np.zeros(len(xyz))):
        metres = feet(pieces, piece, lon[block][point], lat[block][point]).metres
        out[block] = np.minimum.reduceat(metres, np.flatnonzero(np.diff(point, prepend=-1)))
    return out
