"""When was the line hot, and where: does a breach spread along it?

Time runs to the right, the line from top to bottom. A band is an incident: as wide as its violations reached along the
line up to then, in the colour of the tier that it was eligible for.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
import shapely

from pipelines.outcome import rows
from pipelines.page.spells import Spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.page.board import Line

WIDTH: Final = 1000
HEIGHT: Final = 560
LONGEST: Final = pd.Timedelta(days=30)
_DOTS: Final = 20_000
"""How many single violations are dotted at most: the latest."""
_THIN: Final = 5.0
"""Least height of a band, units."""
_PX: Final = 0.5
_LETTERS: Final = 60
"""Width of a name, units."""
_NAMED: Final = 40
_TICKS_T: Final = 12
_TICKS_Y: Final = 8
_ROUND: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Piece(NamedTuple):
    """A part of a band at one tier: the incident's line in the table, the tier, its path."""

    no: int
    tier: int
    path: str


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    text: str
    minor: bool


class Stretch(NamedTuple):
    """A stretch of the line, from ``top`` to ``bottom``, with a word for it."""

    top: float
    bottom: float
    word: str


class Name(NamedTuple):
    """An incident's name beside its band."""

    no: int
    x: float
    y: float
    text: str
    right: bool


@dataclass(frozen=True)
class Bands:
    """The diagram, in units of ``width`` by ``height``."""

    width: int
    height: int
    begin: pd.Timestamp
    length_km: float
    cut: int
    pieces: list[Piece]
    tails: list[tuple[int, str]]
    dots: str
    names: list[Name]
    days: list[Tick]
    kilometres: list[Tick]
    regions: list[Stretch]
    watched: list[Stretch]


@dataclass(frozen=True)
class _Axes:
    begin: pd.Timestamp
    end: pd.Timestamp
    length_m: float

    def x(self, at: pd.Timestamp) -> float:
        return round(float(np.clip((at - self.begin) / (self.end - self.begin), 0, 1)) * WIDTH, 1)

    def y(self, chainage_m: float) -> float:
        return round(chainage_m / self.length_m * HEIGHT, 1)


def bands(
    content: Mapping[str, pd.DataFrame],
    points: pd.DataFrame,
    lines: Sequence[Line],
    spells: Mapping[str, list[Spell]],
    as_of: pd.Timestamp,
) -> Bands:
    """Return the diagram up to ``as_of``; ``points`` are the incidents in the order of ``lines``."""
    axes = _axes(content, points, as_of)
    reached = _reached(content["violations"])
    pieces: list[Piece] = []
    tails: list[tuple[int, str]] = []
    names: list[Name] = []
    for line, row in zip(lines, rows(points), strict=True):
        first, last = row["first_observed"], row["last_observed"] or row["first_observed"]
        if line.id not in reached or last < axes.begin:
            continue
        reach, found = reached[line.id], spells.get(line.id) or [Spell(first, last, 0)]
        pieces.extend(_pieces(line.no, found, min(last, as_of), reach, axes))
        tails.append((line.no, _tail(found[-1].end, last, reach, axes)))
        names.append(_name(line, max(found[0].begin, axes.begin), reach, axes))
    return Bands(
        WIDTH,
        HEIGHT,
        axes.begin,
        axes.length_m / 1000,
        len(lines) - len(tails),
        sorted(pieces, key=lambda piece: piece.tier),
        tails,
        _dots(content["violations"], axes),
        _apart(names),
        list(_days(axes)),
        list(_kilometres(axes)),
        list(_along(content["segments"], _homes(content), axes)),
        list(_along(content["segments"], content["segments"]["coverage_24h"].fillna("assumed"), axes)),
    )


def _axes(content: Mapping[str, pd.DataFrame], points: pd.DataFrame, as_of: pd.Timestamp) -> _Axes:
    first = points["first_observed"].min()
    begin = as_of - LONGEST if pd.isna(first) else max(first.floor("6h"), as_of - LONGEST)
    length_m = float(content["segments"]["chainage_to_m"].max()) if len(content["segments"]) else 1.0
    return _Axes(begin, max(as_of, begin + pd.Timedelta(days=1)), max(length_m, 1.0))


class _Reach(NamedTuple):
    """How far a breach reached along the line: from ``low`` to ``high`` (metres) from each of ``times`` on."""

    times: list[pd.Timestamp]
    low: list[float]
    high: list[float]

    def at(self, moment: pd.Timestamp) -> tuple[float, float]:
        place = max(bisect_right(self.times, moment) - 1, 0)
        return self.low[place], self.high[place]


def _reached(violations: pd.DataFrame) -> dict[str, _Reach]:
    counted = violations[violations["incident_id"].notna() & violations["chainage_m"].notna()]
    counted = counted[~counted["attached"].fillna(value=False).astype(bool)]
    ordered = counted.sort_values(["observed_from", "violation_id"], kind="stable")
    grouped = ordered.groupby("incident_id")["chainage_m"]
    low, high = grouped.cummin(), grouped.cummax()
    wider = (low != low.groupby(ordered["incident_id"]).shift()) | (
        high != high.groupby(ordered["incident_id"]).shift()
    )
    told = ordered.assign(low=low, high=high)[wider]
    return {
        str(name): _Reach(list(each["observed_from"]), each["low"].tolist(), each["high"].tolist())
        for name, each in told.groupby("incident_id")
    }


def _pieces(no: int, spells: Sequence[Spell], last: pd.Timestamp, reach: _Reach, axes: _Axes) -> Iterator[Piece]:
    for tier, run in groupby(spells, key=lambda spell: spell.tier):
        held = list(run)
        begin, end = max(held[0].begin, axes.begin), min(held[-1].end, last)
        if begin <= end or held[0] is spells[0]:
            yield Piece(no, tier, _band(begin, max(begin, end), reach, axes))


def _band(begin: pd.Timestamp, end: pd.Timestamp, reach: _Reach, axes: _Axes) -> str:
    """Return a band as a path: along its upper edge and back along the lower one, in steps."""
    moments = [begin, *(at for at in reach.times if begin < at < end), end]
    left, right = axes.x(begin), max(axes.x(end), axes.x(begin) + _THIN)
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    for at in moments[:-1]:
        low, high = (axes.y(metres) for metres in reach.at(at))
        spare = max(0.0, _THIN - (high - low)) / 2
        x, top, bottom = axes.x(at), round(low - spare, 1), round(high + spare, 1)
        if not upper or abs(top - upper[-1][1]) >= _PX or abs(bottom - lower[-1][1]) >= _PX:
            upper.append((x, top))
            lower.append((x, bottom))
    edges = [*(f"H{x:g}V{y:g}" for x, y in upper[1:]), f"H{right:g}V{lower[-1][1]:g}"]
    back = [f"H{x:g}V{y:g}" for (x, _), (_, y) in zip(reversed(lower[1:]), reversed(lower[:-1]), strict=True)]
    return f"M{left:g} {upper[0][1]:g}" + "".join(edges) + "".join(back) + f"H{left:g}z"


def _tail(end: pd.Timestamp, last: pd.Timestamp, reach: _Reach, axes: _Axes) -> str:
    """Return a line through the quiet time in which the breach was not yet over."""
    low, high = reach.at(last)
    return f"M{axes.x(last):g} {axes.y((low + high) / 2):g}H{axes.x(max(end, last)):g}"


def _name(line: Line, begin: pd.Timestamp, reach: _Reach, axes: _Axes) -> Name:
    """Return the name above the begin of a band, inside the diagram."""
    x = axes.x(begin)
    right = x > WIDTH - _LETTERS
    return Name(line.no, WIDTH if right else x, axes.y(reach.at(begin)[0]) - 2 * _THIN, line.id, right)


def _dots(violations: pd.DataFrame, axes: _Axes) -> str:
    shown = violations[violations["chainage_m"].notna() & (violations["observed_from"] >= axes.begin)]
    shown = shown.sort_values(["observed_from", "violation_id"], kind="stable").tail(_DOTS)
    spots = {
        (axes.x(at), axes.y(metres)) for at, metres in zip(shown["observed_from"], shown["chainage_m"], strict=True)
    }
    return "".join(f"M{x:g} {y:g}h0" for x, y in sorted(spots))


def _apart(names: Sequence[Name]) -> list[Name]:
    """Return the names that stand clear of each other, those of the table's first lines before others."""
    kept: list[Name] = []
    for name in sorted(names)[:_NAMED]:
        if all(abs(name.y - other.y) > 3 * _THIN or abs(name.x - other.x) > _LETTERS for other in kept):
            kept.append(name)
    return kept


def _days(axes: _Axes) -> Iterator[Tick]:
    days = list(pd.date_range(axes.begin.ceil("D"), axes.end, freq="D"))
    every = next((n for n in _ROUND if len(days) / n <= _TICKS_T), _ROUND[-1])
    for n, day in enumerate(days[::every]):
        yield Tick(axes.x(day), f"{day.day} {day:%b}", bool(n % 2))


def _kilometres(axes: _Axes) -> Iterator[Tick]:
    step = next((n for n in _ROUND if axes.length_m / 1000 / n <= _TICKS_Y), _ROUND[-1])
    for n, km in enumerate(range(0, int(axes.length_m / 1000) + 1, step)):
        yield Tick(axes.y(km * 1000), f"{km:,}", bool(n % 2))


def _homes(content: Mapping[str, pd.DataFrame]) -> pd.Series[str]:
    """Return the name of the region in which the middle of each segment lies; the first of several, or nothing."""
    segments, regions = content["segments"], content["regions"]
    homes = pd.Series("", segments.index, dtype=object)
    if len(segments) and len(regions):
        middles = shapely.line_interpolate_point(np.array(segments["geometry"], object), 0.5, normalized=True)
        rows, found = shapely.STRtree(np.array(regions["geometry"], object)).query(middles, predicate="intersects")
        for row, region in sorted(zip(rows.tolist(), found.tolist(), strict=True), reverse=True):
            homes.iloc[row] = str(regions["name"].iloc[region])
    return homes


def _along(segments: pd.DataFrame, words: pd.Series[str], axes: _Axes) -> Iterator[Stretch]:
    """Yield the stretches of the line in which the same word holds."""
    told = zip(words, segments["chainage_from_m"], segments["chainage_to_m"], strict=True)
    for word, run in groupby(told, key=lambda one: one[0]):
        held = list(run)
        yield Stretch(axes.y(held[0][1]), axes.y(held[-1][2]), str(word))
