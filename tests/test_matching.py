"""Every report gets its place on the line, its zone and its region, with the share of its footprint."""

from __future__ import annotations

import dataclasses
import re
import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from builders import band, baseline, boxes, policy, theatre
from shapely import MultiLineString, box
from test_fronts import BULGE, PARTS, SPIRAL, build

from geo.crs import discs
from geo.matching import match as matched

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from geo.fronts import Baseline
    from geo.theatre import Theatre
    from geo.zones import Zone

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)
ADDED = [
    "segment_id", "segment_share", "chainage_m", "offset_m", "distance_m", "side", "zone_id", "zone_share", "region_id",
    "in_zone", "zones", "side_share", "region_share", "ambiguous", "between",
]  # fmt: skip
RULES = policy().matching
DEPTHS = (band("z02", 2_000.0), band("z15", 15_000.0), band("z25", 25_000.0, side="left"))


def match(reports: pd.DataFrame, world: Theatre) -> pd.DataFrame:
    return matched(reports, world, RULES)


def at(lon: Any, lat: Any, radius_m: Any = 100.0, **columns: Any) -> pd.DataFrame:  # noqa: ANN401 -- numbers or arrays
    place = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in (lon, lat, radius_m)))
    count = len(place[0])
    said = {"observed_from": NOON, "weapon_class": None, "party_claimed": None, **columns}
    return pd.DataFrame(
        {
            "lon": place[0],
            "lat": place[1],
            "uncertainty_m": place[2],
            "observed_from": pd.Series(_each(said["observed_from"], count), dtype="datetime64[us, UTC]"),
            "weapon_class": pd.Series(_each(said["weapon_class"], count), dtype="str"),
            "party_claimed": pd.Series(_each(said["party_claimed"], count), dtype="str"),
        }
    )


def _each(value: Any, count: int) -> Sequence[Any]:  # noqa: ANN401 -- one value or one each
    return value if isinstance(value, list) else [value] * count


def off(along_km: Any, off_km: Any, radius_m: Any = 100.0, **columns: Any) -> pd.DataFrame:  # noqa: ANN401 -- as at
    return at(*baseline().at(np.multiply(along_km, 1000.0), np.multiply(off_km, 1000.0)), radius_m, **columns)


def on(line: Baseline, *zones: Zone, regions: gpd.GeoDataFrame | None = None) -> Theatre:
    return dataclasses.replace(theatre(zones=zones, regions=regions), baselines=(dataclasses.replace(line, id="base"),))


def cloud(line: Baseline, count: int, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    lon, lat = line.at(rng.uniform(0, line.length_m, count), rng.normal(0, 12_000, count))
    frame = at(lon, lat, rng.choice([0.0, 50.0, 500.0, 2_000.0, 6_000.0, 25_000.0], count))
    frame["weapon_class"] = pd.Series(rng.choice(["mortar", "drone", None], count), dtype="str")
    frame["party_claimed"] = pd.Series(rng.choice(["L", "R", None], count), dtype="str")
    return frame


def test_a_report_gets_its_place() -> None:
    found = match(off([55, 125], [3, -20]), theatre(zones=DEPTHS)).iloc
    assert found[0][["segment_id", "side", "zone_id", "region_id"]].tolist() == ["S0006", "left", "z15", "west"]
    assert found[1][["segment_id", "side", "region_id"]].tolist() == ["S0013", "right", "middle"]
    assert pd.isna(found[1]["zone_id"])
    assert found[0]["chainage_m"] == pytest.approx(55_000, abs=0.01)
    assert [found[0]["offset_m"], found[1]["offset_m"]] == pytest.approx([3_000, -20_000], abs=0.01)
    assert [found[0]["distance_m"], found[1]["distance_m"]] == pytest.approx([3_000, 20_000], abs=0.01)
    assert [found[0]["in_zone"], found[1]["in_zone"]] == [True, False]


def test_the_input_is_kept_and_the_columns_are_added_in_order() -> None:
    reports = off([55, 125], [3, -20]).set_axis(["b", "b"])
    before = reports.copy(deep=True)
    found = match(reports, theatre())
    pd.testing.assert_frame_equal(reports, before)
    pd.testing.assert_frame_equal(found[reports.columns.tolist()], before)
    assert found.columns.tolist() == [*reports.columns, *ADDED]


def test_the_columns_have_the_same_types_whatever_is_in_them() -> None:
    some = match(off([55, 125], [3, -20]), theatre(zones=DEPTHS)).dtypes
    none = match(off([55, 125], [3, -20]).iloc[:0], theatre(zones=DEPTHS)).dtypes
    lost = match(at([np.nan], [np.nan]), theatre(zones=())).dtypes
    wild = match(at([-70.0], [10.0]), theatre(zones=())).dtypes
    for other in (none, lost, wild):
        pd.testing.assert_series_equal(some, other)
    assert some[ADDED].astype(str).tolist() == [
        "str", "float64", "float64", "float64", "float64", "str", "str", "float64", "str", "bool", "str", "float64",
        "float64", "bool", "str",
    ]  # fmt: skip


@pytest.mark.parametrize(("lon", "lat"), [(np.nan, 48.0), (37.0, np.nan), (np.inf, 48.0)])
def test_without_coordinates_nothing_is_said(lon: float, lat: float) -> None:
    found = match(at([lon, 37.0], [lat, 48.01]), theatre()).iloc[0]
    assert found[["side", "in_zone", "ambiguous"]].tolist() == ["none", False, False]
    assert found[[name for name in ADDED if name not in {"side", "in_zone", "ambiguous"}]].isna().all()


def test_beyond_the_ends_there_is_a_distance_but_no_offset_and_no_band() -> None:
    found = match(at(39.05, 48.0), theatre(zones=DEPTHS)).iloc[0]
    assert found["side"] == "none"
    assert np.isnan(found["offset_m"])
    assert found["distance_m"] == pytest.approx(3_730, abs=10)
    assert not found["in_zone"]


def test_on_the_line_the_offset_is_nought_and_the_bands_of_both_sides_hold() -> None:
    zones = (band("left", 5_000.0, side="left", party="L"), band("right", 5_000.0, side="right", party="R"))
    found = match(off([55, 55], [0, 0], 0.0, party_claimed=["L", "R"]), theatre(zones=zones))
    assert found["offset_m"].tolist() == [0.0, 0.0]
    assert found["side"].tolist() == ["none", "none"]
    assert found["zone_id"].tolist() == ["left", "right"]
    assert found["in_zone"].all()


def test_the_strictest_zone_that_applies_is_named() -> None:
    zones = (*DEPTHS, band("arms", 8_000.0, weapons=frozenset({"mortar"})), band("r", 4_000.0, party="R"))
    places = {"along_km": [55] * 6, "off_km": [1, 3, 3, 6, 20, -20]}
    weapons, parties = ["mortar", "mortar", "drone", "mortar", None, None], ["L", "R", "L", "L", "L", "L"]
    found = match(off(**places, weapon_class=weapons, party_claimed=parties), theatre(zones=zones))
    assert found["zone_id"].fillna("-").tolist() == ["z02", "r", "z15", "arms", "z25", "-"]


def test_every_zone_that_binds_and_holds_the_likeliest_place_is_reported_the_strictest_first() -> None:
    zones = (*DEPTHS, band("arms", 8_000.0, weapons=frozenset({"mortar"})), band("r", 4_000.0, party="R"))
    found = match(off([55] * 4, [1, 3, 6, 20], weapon_class=["mortar", "drone", "mortar", None]), theatre(zones=zones))
    assert found["zones"].tolist() == ["z02+r+arms+z15+z25", "r+z15+z25", "arms+z15+z25", "z25"]
    assert (found["zones"].str.split("+").str[0] == found["zone_id"]).all()


def test_the_zones_are_those_of_the_named_zones_place_not_of_the_centre() -> None:
    small = band("small", kind="polygon", geometry=box(36.98, 48.04, 37.02, 48.06), depth_m=None, baseline_id=None)
    row = match(at(37.0, 48.05, 4_000.0), theatre(zones=(band("z20", 20_000.0), DEPTHS[2], small))).iloc[0]
    assert row["zones"] == "z20+z25"
    assert row["zone_share"] == pytest.approx(0.87, abs=0.03)
    assert match(at(37.0, 48.05, 100.0), theatre(zones=(band("z20", 20_000.0), small)))["zones"].tolist() == [
        "small+z20"
    ]


def test_an_ambiguous_report_says_between_what() -> None:
    area = band("area", kind="polygon", geometry=box(37, 47.9, 37.2, 48.1), depth_m=None, baseline_id=None)
    row = match(at(36.9999, 48.05, 4_000.0), theatre(zones=(band("z20", 20_000.0), area))).iloc[0]
    assert row["ambiguous"]
    assert row[["zone_id", "zone_share", "zones"]].isna().all()
    assert re.fullmatch(r"zone (z20|area) 5[0-4]%, (z20|area) (4[6-9]|50)%", row["between"])
    assert row["in_zone"]  # in a zone it is, whichever
    row = match(off(60, 0.5, 1_000.0), theatre()).iloc[0]
    assert row["ambiguous"]
    assert re.fullmatch(r"segment S000[67] 5[0-4]%, S000[67] (4[6-9]|50)%", row["between"])
    assert row[["zone_id", "side"]].tolist() == ["band", "left"]


def test_a_polygon_zone_comes_first() -> None:
    area = band("area", kind="polygon", geometry=box(35.5, 47.9, 36, 48.3), depth_m=None, baseline_id=None)
    found = match(at([35.7, 36.2], [48.01, 48.01]), theatre(zones=(*DEPTHS, area)))
    assert found["zone_id"].tolist() == ["area", "z02"]


def test_a_zone_ends_to_the_second() -> None:
    zone = band(valid_from=NOON, valid_to=NOON + timedelta(minutes=1))
    moments = [NOON + timedelta(seconds=s) for s in (-1, 0, 59, 60)]
    found = match(off([55] * 4, [1] * 4, observed_from=moments), theatre(zones=(zone,)))
    assert found["in_zone"].tolist() == [False, True, True, False]


def test_a_zone_may_measure_from_a_baseline_of_its_own() -> None:
    other = dataclasses.replace(baseline(((35.0, 48.5), (39.0, 48.5))), id="agreed")
    world = dataclasses.replace(
        theatre(zones=(band("own", 5_000.0, baseline_id="agreed"),)), baselines=(baseline(), other)
    )
    found = match(at([37.0, 37.0], [48.01, 48.52], [100.0, 1_000.0]), world)
    assert found["in_zone"].tolist() == [False, True]
    assert found["distance_m"].to_numpy() == pytest.approx(baseline().locate(37.0, [48.01, 48.52]).distance_m)


def test_regions_are_named_by_the_point_and_ties_by_the_lower_id() -> None:
    found = match(at([35.0, 36.0, 39.0, 41.0], 48.01, 50_000.0), theatre(regions=boxes()))
    assert found["region_id"].fillna("-").tolist() == ["west", "middle", "east", "-"]


@pytest.mark.parametrize("line", [build(SPIRAL, 40_000.0), build(PARTS, 9_000.0), build(BULGE, 25_000.0)])
def test_a_share_of_one_is_true_of_the_whole_disc(line: Baseline) -> None:
    zone = band(depth_m=6_000.0, side="right")
    found = match(cloud(line, 150, seed=2), on(line, zone))
    sure = found[(found["segment_share"] == 1) & (found["uncertainty_m"] > 0)]
    assert len(sure) > 20
    for row, polygon in zip(sure.itertuples(), discs(sure["lon"], sure["lat"], sure["uncertainty_m"]), strict=True):
        rim = np.array(polygon.exterior.coords)
        located = line.locate(*rim.T)
        table = line.segments["segment_id"].to_numpy()[located.segment]
        assert (table == row.segment_id).mean() > 0.85  # between the samples a sliver of the disc may lie elsewhere


def test_a_small_footprint_is_its_centre() -> None:
    line = build(SPIRAL)
    rng = np.random.default_rng(4)
    lon, lat = line.at(rng.uniform(0, line.length_m, 500), rng.normal(0, 9_000, 500))
    point, small = (match(at(lon, lat, radius), on(line, *DEPTHS)) for radius in (0.0, 0.5))
    assert (point["segment_share"] == 1).all()
    assert (small["segment_share"] == 1).mean() > 0.98
    assert (small["zone_id"].fillna("-") == point["zone_id"].fillna("-")).mean() > 0.99


def test_a_footprint_on_an_edge_is_halved() -> None:
    found = match(off([60, 55, 55], [0.5, 15, 0], [1_000.0, 1_000.0, 3_000.0]), theatre(zones=(DEPTHS[1],)))
    assert found["segment_share"].fillna(0.5).tolist() == pytest.approx([0.5, 1.0, 1.0], abs=0.05)
    assert found["zone_share"].fillna(0.5).tolist() == pytest.approx([1.0, 0.5, 1.0], abs=0.05)
    assert found["side_share"].tolist() == pytest.approx([0.8, 1.0, 1 / 64], abs=0.02)


def test_the_likeliest_segment_may_not_be_the_centres() -> None:
    line = build(MultiLineString([[(37, 48), (37.05, 48)], [(37.09, 48.05), (37.09, 47.95)]]), 100_000.0)
    found = match(at(37.066, 48.0, [0.0, 4_000.0]), on(line))
    assert found["segment_id"].tolist() == ["S0001", "S0002"]
    assert found["segment_share"].iloc[1] > 0.5


def test_coordinates_need_a_radius() -> None:
    with pytest.raises(ValueError, match="needs uncertainty_m"):
        match(off([55], [1], np.nan), theatre())


def test_a_polygons_border_shares_the_footprint() -> None:
    area = band("area", kind="polygon", geometry=box(36, 47.5, 37, 48.5), depth_m=None, baseline_id=None)
    found = match(at([36.0, 36.01, 36.5], 48.2, 5_000.0), theatre(zones=(area,)))
    assert found["zone_share"].fillna(0.5).tolist() == pytest.approx([0.5, 0.6, 1.0], abs=0.06)


def test_no_rows_order_or_batch_matters() -> None:
    line = build(SPIRAL)
    world = on(line, *DEPTHS, band("arms", 9_000.0, weapons=frozenset({"mortar"})), regions=boxes())
    reports = cloud(line, 600)
    whole = match(reports, world)
    order = np.random.default_rng(5).permutation(600)
    pd.testing.assert_frame_equal(match(reports.iloc[order], world), whole.iloc[order], check_exact=True)
    parts = pd.concat([match(reports.iloc[a : a + 37], world) for a in range(0, 600, 37)])
    pd.testing.assert_frame_equal(parts, whole, check_exact=True)


def test_both_sides_are_treated_alike() -> None:
    """Walk the line the other way and swap the zones' sides: only the names of sides and the chainage change."""
    swapped = {"left": "right", "right": "left", "both": "both", "none": "none"}
    for geometry in (BULGE, SPIRAL, PARTS):
        there, back = build(geometry), build(geometry.reverse())
        zones = (*DEPTHS, band("l", 6_000.0, side="left", party="L"), band("r", 8_000.0, side="right", party="R"))
        mirrored = tuple(band(z.id, z.depth, side=swapped[z.side], party=z.party) for z in zones)
        one, two = match(cloud(there, 300), on(there, *zones)), match(cloud(there, 300), on(back, *mirrored))
        assert (one["side"] == two["side"].map(swapped)).all()
        np.testing.assert_allclose(one["offset_m"], -two["offset_m"], atol=0.002)
        np.testing.assert_allclose(one["distance_m"], two["distance_m"], atol=0.002)
        for name in ("zone_id", "zone_share", "region_id", "in_zone"):
            pd.testing.assert_series_equal(one[name], two[name])


def test_many_reports_of_one_place_are_answered_once_and_alike() -> None:
    found = match(off([55.3] * 1_000, [14] * 1_000, 20_000.0), theatre(zones=DEPTHS))
    assert len(found) == 1_000
    assert len(found[ADDED].drop_duplicates()) == 1


def test_blocks_side_by_side_do_not_wait_for_each_others_compiled_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "geo.kernels", ModuleType("geo.kernels"))  # as another thread's import leaves it
    monkeypatch.setattr("geo.matching.BLOCK", 5)
    line = build(SPIRAL)
    assert match(cloud(line, 20), on(line))["segment_share"].notna().any()
