"""Does every name of a side stand on that side, all of it, however the line winds?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from builders import START
from shapely import LineString, MultiLineString

from geo import tables
from geo.crs import forward
from geo.fronts import Baseline
from pipelines import sides

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

NAMES = ("Left", "Certain areas of the right side")


def _spiral() -> LineString:
    """Return a line that winds inwards two and a half times, 20 km between its windings."""
    turn = np.linspace(0, 5 * np.pi, 70)
    away = 70.0 - 20.0 * turn / (2 * np.pi)
    return LineString(np.column_stack([37 + away * np.cos(turn) / 74, 48 + away * np.sin(turn) / 111]))


def _jagged(seed: int) -> LineString:
    """Return a line to the east of 200 teeth, up to 6 km long and half a kilometre apart."""
    rng = np.random.default_rng(seed)
    return LineString(np.column_stack([36 + 0.007 * np.arange(200), 48 + rng.uniform(0, 0.055, 200)]))


def _comb() -> LineString:
    """Return a line that goes 60 km up and down, and again, 5 km beside itself: sharp bends and narrow grounds."""
    return LineString([(36 + 0.07 * (n // 2), 48 + 0.54 * ((n + 1) // 2 % 2)) for n in range(14)])


LINES: dict[str, BaseGeometry] = {
    "spiral": _spiral(),
    "jagged": _jagged(1),
    "comb": _comb(),
    "hairpin": LineString([(36, 48), (38, 48), (38, 48.001), (36, 48.002)]),
    "parts": MultiLineString(
        [[(36, 48), (36.5, 48.3), (36.4, 48.35)], [(36.8, 48.2), (38, 47.6)], [(39, 47), (38, 46.8)]]
    ),
    "short": LineString([(36, 48), (36.01, 48.004), (36.02, 48)]),
}


@pytest.fixture(scope="module", params=sorted(LINES))
def named(request: pytest.FixtureRequest) -> tuple[Baseline, gpd.GeoDataFrame]:
    """Return a line, and where its sides are named."""
    line = Baseline.build("base", LINES[request.param], segment_length_m=5_000.0, valid_from=START)
    return line, sides.layer(line, NAMES)


def _under(rows: gpd.GeoDataFrame, scale: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, longitude and latitude of places under each text, closer together than they were asked for."""
    found = []
    for number, row in enumerate(rows.itertuples()):
        east, north = sides.letters(row.towards, sides.size(row.name), getattr(row, scale), 0.0015)
        at = (np.full(len(east), each) for each in (row.geometry.x, row.geometry.y))
        lon, lat, _ = forward(*at, np.degrees(np.arctan2(east, north)), np.hypot(east, north))
        found.append(np.array([np.full(len(lon), number), lon, lat]))
    number, lon, lat = np.hstack(found)
    return number.astype(int), lon, lat


@pytest.mark.parametrize("scale", ["scale_from", "scale_to"])
def test_every_place_under_a_name_lies_on_the_side_that_it_names(
    named: tuple[Baseline, gpd.GeoDataFrame], scale: str
) -> None:
    line, rows = named
    number, lon, lat = _under(rows, scale)
    where = line.locate(lon, lat)
    wrong = where.side != rows["side"].map({"left": 1, "right": -1}).to_numpy()[number]
    assert not wrong.any(), rows.iloc[np.unique(number[wrong])].to_string()
    assert where.distance_m.min() > 0


def test_a_side_too_narrow_for_its_name_bears_none() -> None:
    line = Baseline.build("base", LINES["hairpin"], segment_length_m=5_000.0, valid_from=START)
    assert set(sides.layer(line, NAMES)["side"]) == {"right"}


def test_each_name_is_of_its_side_and_as_far_away_as_it_says(named: tuple[Baseline, gpd.GeoDataFrame]) -> None:
    line, rows = named
    told = dict(zip(rows["side"], rows["name"], strict=True))
    assert told.items() <= dict(zip(("left", "right"), NAMES, strict=True)).items()
    assert told
    where = line.locate(rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy())
    assert where.distance_m == pytest.approx(rows["distance_m"].to_numpy())
    assert list(rows.columns) == [*tables.SIDES_LAYER.names, "geometry"]


def test_a_side_is_named_at_every_scale_and_all_along_a_line_that_leaves_room() -> None:
    gentle = LineString([(30 + 0.5 * n, 48 + 0.1 * (n % 3)) for n in range(20)])
    rows = sides.layer(Baseline.build("base", gentle, segment_length_m=5_000.0, valid_from=START), ("Left", "Right"))
    for _, own in rows.groupby("side"):
        spans = sorted({(row.scale_from, row.scale_to) for row in own.itertuples()})
        assert spans[0][0] == 0
        assert all(one[1] == other[0] for one, other in pairwise(spans))
        assert spans[-1][1] >= 12_800_000
        gaps = np.diff(np.sort(own.loc[own["scale_to"] == spans[0][1], "chainage_m"]))
        assert gaps.max() < 2 * np.median(gaps)


def test_a_name_is_wrapped_as_the_map_wraps_it() -> None:
    assert sides.wrapped("Certain areas of Donetsk and Luhansk oblasts") == [
        "Certain areas of", "Donetsk and", "Luhansk oblasts",
    ]  # fmt: skip
    assert sides.wrapped("Unbreakable-and-long name") == ["Unbreakable-and-long", "name"]
    assert sides.wrapped("") == [""]
