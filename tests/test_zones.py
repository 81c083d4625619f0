"""A zone binds whom, when and where the agreement says, and is drawn as it decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely
from builders import band, baseline
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box
from test_fronts import LINES, build

from geo.errors import PolicyError
from geo.zones import Zone, applies, contains, draw

if TYPE_CHECKING:
    from geo.fronts import Baseline

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PARTY = ["L", "R", np.nan]


def reports(observed: list[datetime], weapon: list[object], party: list[object]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "observed_from": pd.Series(observed, dtype="datetime64[us, UTC]"),
            "weapon_class": pd.Series(weapon, dtype="str"),
            "party_claimed": pd.Series(party, dtype="str"),
        }
    )


def polygon(geometry: Polygon | MultiPolygon, zone_id: str = "area") -> Zone:
    return band(zone_id, kind="polygon", baseline_id=None, geometry=geometry, depth_m=None)


def test_a_zone_is_in_force_to_the_second() -> None:
    zone = band(valid_from=NOON, valid_to=NOON + timedelta(hours=1))
    moments = [NOON - SECOND, NOON, NOON + timedelta(hours=1) - SECOND, NOON + timedelta(hours=1)]
    assert applies(zone, reports(moments, [np.nan] * 4, [np.nan] * 4)).tolist() == [False, True, True, False]


def test_a_zone_without_dates_was_always_in_force() -> None:
    moments = [datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)]
    assert applies(band(), reports(moments, [np.nan] * 2, [np.nan] * 2)).all()


def test_an_unknown_weapon_is_bound_only_by_a_zone_for_all_weapons() -> None:
    rows = reports([NOON] * 3, ["mortar", "drone", np.nan], [np.nan] * 3)
    assert applies(band(weapons=frozenset({"mortar"})), rows).tolist() == [True, False, False]
    assert applies(band(weapons=None), rows).tolist() == [True, True, True]


def test_a_report_that_names_nobody_is_bound_by_every_partys_zone() -> None:
    rows = reports([NOON] * 3, [np.nan] * 3, PARTY)
    assert applies(band(party="L"), rows).tolist() == [True, False, True]
    assert applies(band(party=None), rows).tolist() == [True, True, True]


def test_no_reports_are_bound_by_nothing() -> None:
    assert applies(band(party="L", weapons=frozenset({"x"}), valid_from=NOON), reports([], [], [])).shape == (0,)


@pytest.mark.parametrize(
    ("side", "wanted"), [("left", [True, False, False]), ("right", [False, True, False]), ("both", [True, True, False])]
)
def test_a_band_holds_its_side_and_nothing_beyond_the_ends(side: str, wanted: list[bool]) -> None:
    line = baseline()
    lon, lat = (np.array(item) for item in line.at([50_000, 50_000], [9_000, -9_000]))
    lon, lat = np.append(lon, 39.01), np.append(lat, 48.0)
    assert contains(band(depth_m=10_000, side=side), lon, lat, line.locate(lon, lat)).tolist() == wanted


def test_the_depth_of_a_band_belongs_to_it() -> None:
    line = baseline()
    lon, lat = line.at(50_000.0, 10_000.0)
    located = line.locate(lon, lat)
    assert contains(band(depth_m=located.distance_m[0]), lon, lat, located).all()
    assert not contains(band(depth_m=located.distance_m[0] - 0.001), lon, lat, located).any()


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_the_line_itself_lies_in_the_bands_of_both_sides(side: str) -> None:
    line = baseline()
    lon, lat = line.at([0.0, 50_000.0], 0.0)
    assert contains(band(side=side), lon, lat, line.locate(lon, lat)).all()


def test_a_polygon_holds_its_border() -> None:
    zone = polygon(box(36, 47, 37, 48))
    found = contains(zone, np.array([36.5, 36.0, 37.0, 37.01]), np.array([47.5, 47.5, 48.0, 48.0]), None)
    assert found.tolist() == [True, True, True, False]


def test_a_band_cannot_be_judged_without_its_line() -> None:
    with pytest.raises(ValueError, match="baseline"):
        contains(band(), np.array([37.0]), np.array([48.0]), None)
    with pytest.raises(ValueError, match="baseline"):
        draw(band(), None)


def test_polygons_are_stricter_than_bands_and_shallow_bands_than_deep_ones() -> None:
    zones = [band("b", 2_000), band("a", 15_000), band("a0", 2_000), polygon(box(36, 47, 37, 48), "z")]
    assert [zone.id for zone in sorted(zones, key=lambda zone: zone.strictness)] == ["z", "a0", "b", "a"]


def disagreement(line: Baseline, zone: Zone, drawn: MultiPolygon) -> float:
    west, south, east, north = drawn.bounds
    lon, lat = np.random.default_rng(1).uniform([west, south], [east, north], (4_000, 2)).T
    decided = contains(zone, lon, lat, line.locate(lon, lat))
    return float((decided != shapely.contains_xy(drawn, lon, lat)).mean())


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("side", ["left", "right", "both"])
@pytest.mark.parametrize("depth_m", [3_000.0, 40_000.0])
def test_a_band_is_drawn_where_it_decides(name: str, side: str, depth_m: float) -> None:
    line = build(LINES[name])
    zone = band(side=side, depth_m=depth_m)
    drawn = draw(zone, line)
    assert disagreement(line, zone, drawn) < 0.01
    assert drawn.is_valid
    assert all(part.exterior.is_ccw for part in drawn.geoms)


def test_a_long_line_is_drawn_to_the_same_depth_everywhere() -> None:
    line = build(LineString([(26 + n, 50 + np.sin(n)) for n in range(15)]), 50_000.0)
    zone = band(depth_m=30_000.0)
    assert line.length_m > 1_000_000
    assert disagreement(line, zone, draw(zone, line)) < 0.01


def test_a_hollow_band_keeps_its_hole() -> None:
    drawn = draw(band(depth_m=3_000.0, side="left"), build(LINES["ring"]))
    assert len(drawn.geoms) == 1
    assert len(drawn.geoms[0].interiors) == 1


def test_a_drawn_polygon_is_mended_and_oriented() -> None:
    bowtie = Polygon([(36, 47), (37, 48), (37, 47), (36, 48)])
    drawn = draw(polygon(bowtie), None)
    assert drawn.is_valid
    assert len(drawn.geoms) == 2
    assert all(part.exterior.is_ccw for part in drawn.geoms)
    assert drawn.contains(Point(36.1, 47.5))


def test_a_band_over_the_antimeridian_is_refused() -> None:
    line = build(MultiLineString([[(179.5, 10), (179.8, 11)]]))
    with pytest.raises(PolicyError, match=r"'far'.*antimeridian"):
        draw(band("far", 100_000.0), line)
