"""What does the map draw?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import shapely

from pipelines.page.marks import OUTLINES
from pipelines.page.sheet import WIDTH, Sheet
from pipelines.sides import ROW_M, SIGN_M, STEPS, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from geo.names import Gazetteer
    from pipelines.page.board import Line

TOWNS: Final = 60
"""How many towns are named; the first twelve also on the whole sheet."""
_FIRST: Final = 12
_PAGE_PX: Final = 800
_NEAR_PX: Final = 3000
_LETTER_PX: Final = 8
_TALL_PX: Final = 15
_MOVED_PX: Final = {"p": 9, "b": -14}
_SIGN: Final = 460
_ROW: Final = 650
"""Units that a sign of a side's name is wide, and a line of it high, on a page that is not much wider than a phone."""
_LINE_EM: Final = 1.2
"""From one line of a name to the next, in heights of a letter."""
_NAMED: Final = 30
"""How many incidents that are going on bear their name on the map."""


class Label(NamedTuple):
    """A text at a place of the sheet, in lines; the middle of it stands there, unless it lies ``towards`` somewhere.

    However large its letters are drawn, such a text begins at its place.
    """

    x: int
    y: int
    text: str
    kind: str
    towards: tuple[int, int] = (0, 0)

    @property
    def anchor(self) -> str:
        """How SVG calls the end of a line that stands at the place."""
        return {1: "start", 0: "middle", -1: "end"}[self.towards[0]]

    @property
    def first_em(self) -> float:
        """How far below the place the middle of the first line stands, in heights of a letter."""
        return round(-_LINE_EM * (len(self.text.split("\n")) * (1 + self.towards[1]) - 1) / 2, 2)


class Mark(NamedTuple):
    """An incident's sign: its line in the table, its path on the sheet, its tier, whether it is over."""

    no: int
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
    towns: Gazetteer,
) -> Ground:
    """Return the map; ``points`` are the incidents in the order of ``lines``."""
    sheet = Sheet.over(_box(content, points))
    at = _places(points, sheet)
    areas = content["incidents"].set_index("incident_id")["geometry"]
    drawn = [line for line in lines if line.no in at]
    return Ground(
        width=WIDTH,
        height=sheet.height,
        units_a_km=sheet.units_a_km,
        regions=_paths(content["regions"], sheet),
        zones=_paths(content["zones"], sheet),
        front=_paths(content["front_line"], sheet),
        hot=_hot(content["segments"], sheet),
        areas=[
            (line.no, line.tier, path)
            for line in drawn
            if line.going and areas[line.id] is not None and (path := sheet.path(areas[line.id]))
        ],
        # The worst is drawn last, on top of the others, and what goes on above what is over.
        marks=[_mark(line, *at[line.no]) for line in reversed(drawn)],
        labels=_apart(
            [
                *(Label(*at[line.no], line.id, "b") for line in drawn[:_NAMED] if line.going),
                *_sides(content["sides"], sheet),
                *_towns(towns, sheet),
                *_regions(content["regions"], sheet),
            ]
        ),
    )


def _apart(labels: Sequence[Label]) -> list[Label]:
    """Return the labels that stand clear of those before them, on a sheet as large as a page is wide.

    A town that is only named near by has more room.
    """
    kept: list[Label] = []
    for label in labels:
        unit = WIDTH / (_NEAR_PX if "far" in label.kind else _PAGE_PX)
        (x, y), (wide, tall) = _middle(label, unit), _size(label)
        if all(
            abs(y - _middle(other, unit)[1]) > (tall + _size(other)[1]) / 2 * _TALL_PX * unit
            or abs(x - _middle(other, unit)[0]) > (wide + _size(other)[0]) / 2 * _LETTER_PX * unit
            for other in kept
        ):
            kept.append(label)
    return kept


def _size(label: Label) -> tuple[int, int]:
    """Return how many signs a label is wide, and how many lines it is high."""
    rows = label.text.split("\n")
    return max(map(len, rows)), len(rows)


def _middle(label: Label, unit: float) -> tuple[float, float]:
    """Return where the middle of a label's letters is, as the style sheet moves them off their places."""
    (east, north), (wide, tall) = label.towards, _size(label)
    x, y = label.x + east * wide * _SIGN / 2, label.y - north * tall * _ROW / 2
    return x, y + _MOVED_PX.get(label.kind[0], 0) * unit


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
    return Mark(line.no, f"M{x} {y}{OUTLINES[line.tier]}", line.tier, not line.going)


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


def _sides(places: pd.DataFrame, sheet: Sheet) -> list[Label]:
    """Return the names of both sides, each where its text lies on its side and has most room on the sheet."""
    least = max(_SIGN / SIGN_M, _ROW / ROW_M) / sheet.units_a_km * 1000
    large = places[places["scale_to"] >= least]
    found = []
    for _, own in large.groupby("side"):
        spots = [_named(row, sheet) for row in own[own["scale_to"] == own["scale_to"].min()].itertuples()]
        found.append(max(spots, key=lambda label: _room(label, sheet)))
    return found


def _named(row: Any, sheet: Sheet) -> Label:  # noqa: ANN401 -- a row of the layer
    """Return the name of a side, which lies in a direction from its place."""
    [(x, y)] = sheet.place(shapely.get_coordinates(row.geometry)).tolist()
    return Label(x, y, "\n".join(wrapped(row.name)), "s", STEPS[row.towards])


def _room(label: Label, sheet: Sheet) -> float:
    """Return how far the nearest edge of the sheet is."""
    x, y = _middle(label, 1)
    return min(x, y, WIDTH - x, sheet.height - y)
