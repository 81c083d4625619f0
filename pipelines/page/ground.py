"""What does the map draw?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import shapely

from pipelines.page.marks import OUTLINES
from pipelines.page.sheet import WIDTH, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from geo.names import Gazetteer
    from pipelines.page.board import Line

TOWNS: Final = 40
"""How many towns are named; the first eight also on the whole sheet."""
_FIRST: Final = 8
_NAMED: Final = 30
"""How many incidents that are going on bear their name on the map."""


class Label(NamedTuple):
    """A text at a place of the sheet."""

    x: int
    y: int
    text: str
    kind: str


class Mark(NamedTuple):
    """An incident's sign: its line in the table, its path on the sheet, its tier, whether it is over."""

    index: int
    path: str
    tier: int
    over: bool


@dataclass(frozen=True)
class Ground:
    """Everything on the map, as SVG paths in units of a sheet of ``width`` by ``height``."""

    width: int
    height: int
    units_a_km: float
    regions: list[str]
    zones: list[str]
    front: list[str]
    hot: list[tuple[int, str]]
    areas: list[tuple[int, int, str]]
    marks: list[Mark]
    labels: list[Label]


def ground(
    content: Mapping[str, pd.DataFrame],
    points: pd.DataFrame,
    lines: Sequence[Line],
    sides: tuple[str, str],
    towns: Gazetteer,
) -> Ground:
    """Return the map; ``points`` are the incidents in the order of ``lines``, ``sides`` the names (left, right)."""
    sheet = Sheet.over(_box(content, points))
    at = _places(points, sheet)
    areas = content["incidents"].set_index("incident_id")["geometry"]
    drawn = [line for line in lines if line.index in at]
    return Ground(
        width=WIDTH,
        height=sheet.height,
        units_a_km=sheet.units_a_km,
        regions=_paths(content["regions"], sheet),
        zones=_paths(content["zones"], sheet),
        front=_paths(content["front_line"], sheet),
        hot=_hot(content["segments"], sheet),
        areas=[
            (line.index, line.tier, path)
            for line in drawn
            if line.going and areas[line.id] is not None and (path := sheet.path(areas[line.id]))
        ],
        # The worst is drawn last, on top of the others, and what goes on above what is over.
        marks=[_mark(line, *at[line.index]) for line in reversed(drawn)],
        labels=[
            *_regions(content["regions"], sheet),
            *_towns(towns, sheet),
            *_sides(content["segments"], sides, sheet),
            *(Label(*at[line.index], line.id, "b") for line in drawn[:_NAMED] if line.going),
        ],
    )


def _box(content: Mapping[str, pd.DataFrame], points: pd.DataFrame) -> tuple[float, float, float, float]:
    """Return what the map shows first: the line, and what goes on, wherever it is."""
    going = points[points["state"].isin(["active", "quiet"])]
    shapes = [*_shapes(content["segments"]), *_shapes(going), *_shapes(content["front_line"])]
    west, south, east, north = shapely.total_bounds(shapes or [shapely.box(0, 0, 1, 1)]).tolist()
    return west, south, east, north


def _shapes(frame: pd.DataFrame) -> list[shapely.Geometry]:
    return [shape for shape in frame["geometry"] if shape is not None] if "geometry" in frame else []


def _paths(frame: pd.DataFrame, sheet: Sheet) -> list[str]:
    return [path for shape in _shapes(frame) if (path := sheet.path(shape))]


def _places(points: pd.DataFrame, sheet: Sheet) -> dict[int, tuple[int, int]]:
    """Return where each incident's sign stands, by its line; one without a place has none."""
    shapes = np.array(points["geometry"], object)
    has = np.flatnonzero(~shapely.is_missing(shapes))
    spots = sheet.place(shapely.get_coordinates(shapes[has])).tolist()
    return {int(index): (x, y) for index, (x, y) in zip(has, spots, strict=True)}


def _mark(line: Line, x: int, y: int) -> Mark:
    return Mark(line.index, f"M{x} {y}{OUTLINES[line.tier]}", line.tier, not line.going)


def _hot(segments: pd.DataFrame, sheet: Sheet) -> list[tuple[int, str]]:
    """Return the pieces of the line that had a tier in the last 24 hours."""
    hot = segments[segments["tier_24h"].fillna(0) > 0]
    return [
        (int(tier), sheet.path(shape))
        for tier, shape in zip(hot["tier_24h"], hot["geometry"], strict=True)
        if shape is not None
    ]


def _regions(regions: pd.DataFrame, sheet: Sheet) -> list[Label]:
    """Return the names of regions, in the middle of what the sheet shows of them."""
    shown = [shapely.clip_by_rect(shape, *sheet.box) for shape in regions["geometry"]]
    there = [(name, shape) for name, shape in zip(regions["name"], shown, strict=True) if not shape.is_empty]
    spots = sheet.place(shapely.get_coordinates([shape.representative_point() for _, shape in there])).tolist()
    return [Label(x, y, str(name), "r") for (name, _), (x, y) in zip(there, spots, strict=True)]


def _towns(towns: Gazetteer, sheet: Sheet) -> list[Label]:
    west, south, east, north = sheet.box
    inside = (towns.lon > west) & (towns.lon < east) & (towns.lat > south) & (towns.lat < north)
    chosen = sorted(np.flatnonzero(inside).tolist(), key=lambda one: towns.rank[one])[:TOWNS]
    spots = sheet.place(np.column_stack([towns.lon[chosen], towns.lat[chosen]])).tolist()
    return [
        Label(x, y, str(towns.name[one]), "p" if rank < _FIRST else "p far")
        for rank, (one, (x, y)) in enumerate(zip(chosen, spots, strict=True))
    ]


def _sides(segments: gpd.GeoDataFrame | pd.DataFrame, sides: tuple[str, str], sheet: Sheet) -> list[Label]:
    """Return the names of both sides, to the left and right of the middle of the line."""
    if not len(segments):
        return []
    middle = sheet.place(shapely.get_coordinates(segments["geometry"].iloc[len(segments) // 2])).astype(float)
    ahead = middle[-1] - middle[0]
    left = np.array([ahead[1], -ahead[0]]) / max(float(np.hypot(*ahead)), 1.0)  # y points down
    reach = 70 * sheet.units_a_km  # beside the zones of most agreements: a place for letters, no measure
    spots = [np.rint(middle[0] + turn * reach * left).astype(int).tolist() for turn in (1, -1)]
    return [Label(x, y, name, "s") for (x, y), name in zip(spots, sides, strict=True)]
