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
    import pandas as pd
    from shapely.geometry.base import BaseGeometry

NAMES = ("Left", "Certain areas of the right side")


def _spiral() -> LineString:
    """Return a line that winds inwards two and a half times, 20 km between its windings."""
    turn = np.linspace(0, 5 * np.pi, 120)
    away = 70.0 - 20.0 * turn / (2 * np.pi)
    return LineString(np.column_stack([37 + away * np.cos(turn) / 74, 48 + away * np.sin(turn) / 111]))


def _jagged(seed: int) -> LineString:
    """Return a line to the east of a thousand teeth, up to 6 km long and half a kilometre apart."""
    rng = np.random.default_rng(seed)
    return LineString(np.column_stack([36 + 0.007 * np.arange(1000), 48 + rng.uniform(0, 0.055, 1000)]))


def _comb() -> LineString:
    """Return a line that goes 60 km up and down, and again, 5 km beside itself: sharp bends and narrow grounds."""
    return LineString([(36 + 0.07 * (n // 2), 48 + 0.54 * ((n + 1) // 2 % 2)) for n in range(24)])


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


def _under(row: pd.Series, scale: float, line: Baseline) -> tuple[np.ndarray, np.ndarray]:
    """Return side and distance to the line of places under a text, closer together than they were asked for."""
    east, north = sides.letters(row["towards"], sides.size(row["name"]), scale, 0.0011)
    at = (np.full(len(east), each) for each in (row.geometry.x, row.geometry.y))
    lon, lat, _ = forward(*at, np.degrees(np.arctan2(east, north)), np.hypot(east, north))
    where = line.locate(lon, lat)
    return where.side, where.distance_m


def test_every_place_under_a_name_lies_on_the_side_that_it_names(named: tuple[Baseline, gpd.GeoDataFrame]) -> None:
    line, rows = named
    for _, row in rows.iterrows():
        for scale in (row["scale_from"], (row["scale_from"] + row["scale_to"]) / 2, row["scale_to"]):
            side, metres = _under(row, scale, line)
            assert (side == {"left": 1, "right": -1}[row["side"]]).all(), row.drop("geometry").to_dict()
            assert metres.min() > 0


def test_a_side_too_narrow_for_its_name_bears_none() -> None:
    for name, found in (("hairpin", {"right"}), ("spiral", {"left", "right"}), ("jagged", {"left", "right"})):
        line = Baseline.build("base", LINES[name], segment_length_m=5_000.0, valid_from=START)
        assert set(sides.layer(line, NAMES)["side"]) == found


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
