"""What an observer saw, or a place's outline, is read as it was said, or refused with its reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from readings import THEATRE, one, reading, source
from shapely import box

from geo import shapes
from pipelines.sources.grounds import bearing

SEEN = {"lon": "", "lat": "", "observer_lon": "37.70", "observer_lat": "48.05", "bearing": "SW"}
BAND = {"distance_near_m": "4000", "distance_far_m": "5000"}
SQUARE = "POLYGON ((37.5 48, 37.6 48, 37.6 48.1, 37.5 48.1, 37.5 48))"
NO_POINT = {"lon": "", "lat": ""}


def test_a_sector_is_kept_as_it_was_said_and_has_no_point_of_its_own() -> None:
    row = one(**SEEN, **BAND, act="shelling")
    assert row["footprint"] == "sector 37.7 48.05 225.0 11.25 4000.0 5000.0"
    assert np.isnan([row["lon"], row["lat"], row["uncertainty_m"]]).all()


def test_what_was_not_said_stays_open_for_the_policy() -> None:
    assert one(**SEEN)["footprint"] == "sector 37.7 48.05 225.0 11.25 0.0 ?"
    assert one(**{**SEEN, "bearing": "200"}, **BAND)["footprint"] == "sector 37.7 48.05 200.0 ? 4000.0 5000.0"


@pytest.mark.parametrize(
    ("said", "meant"),
    [("SW", (225.0, 11.25)), ("south-west", (225.0, 11.25)), ("South South West", (202.5, 11.25)),
     ("nnw", (337.5, 11.25)), ("0", (0.0, None)), ("360", (0.0, None)), ("22.5°", (22.5, None)),
     ("S-W", (225.0, 45.0)), ("200-230", (215.0, 15.0)), ("350-10", (0.0, 10.0)), ("from NW to NE", (0.0, 45.0)),
     ("E to W", (180.0, 90.0)), ("200\u2013230", (215.0, 15.0))],
)  # fmt: skip
def test_a_bearing_is_a_wind_degrees_or_a_span(said: str, meant: tuple[float, float | None]) -> None:
    assert bearing(said) == meant


@pytest.mark.parametrize(
    "said", ["SSS", "361", "north-north", "W-E-N", "90-90", "10-200", "-5", "NE?", "1e2", "--", "to"]
)
def test_anything_else_is_no_bearing(said: str) -> None:
    assert bearing(said) is None
    assert one(**{**SEEN, "bearing": said})["reason_code"] == "bearing"


@strategies.tries(134)
@given(st.text("NSEWnsew0123456789-\u2013°. to", max_size=12))
def test_a_bearing_never_spans_more_than_half_a_circle(said: str) -> None:
    found = bearing(said)
    if found is not None:
        assert 0 <= found[0] < 360
        assert found[1] is None or 0 < found[1] <= 90


@pytest.mark.parametrize(
    ("cells", "code"),
    [({"bearing": ""}, "no_bearing"), ({"observer_lat": ""}, "no_position"), ({"observer_lon": "x"}, "coordinate"),
     ({"observer_lon": "48.05", "observer_lat": "37.70"}, "swapped?"), ({"lon": "37.5", "lat": "48"}, "two_places"),
     ({"uncertainty_m": "100"}, "two_places"), ({"footprint": SQUARE}, "two_places"),
     ({"act": "retraction", "source_ref": "r7"}, "not_a_report"), ({"distance_near_m": "5000"}, "distance"),
     ({"distance_near_m": "5000", "distance_far_m": "4000"}, "distance"), ({"distance_far_m": "far"}, "distance"),
     ({"distance_far_m": "-1"}, "distance"), ({"distance_far_m": "0"}, "distance")],
)  # fmt: skip
def test_a_sector_that_cannot_be_is_refused(cells: dict[str, str], code: str) -> None:
    assert one(**{**SEEN, **cells})["reason_code"] == code


def test_an_outline_is_kept_the_same_however_it_was_drawn() -> None:
    turned = "polygon((37.6 48.1 7,37.5 48.1 7, 37.5 48 7,37.6 48 7,37.6 48.1 7))"
    first, second = (one(**NO_POINT, footprint=said)["footprint"] for said in (SQUARE, turned))
    assert first == second
    assert shapes.disc(first)[:2] == pytest.approx((37.55, 48.05), abs=1e-3)


@pytest.mark.parametrize(
    "said",
    ["POINT (37 48)", "POLYGON EMPTY", "POLYGON ((37 48, 38 48))", "POLYGON ((37 48, 38 49, 38 48, 37 49, 37 48))",
     "POLYGON ((37 48, 190 48, 38 49, 37 48))", "POLYGON ((20 40, 40 40, 40 60, 20 60, 20 40))", "nonsense",
     "GEOMETRYCOLLECTION (POLYGON ((37 48, 38 48, 38 49, 37 48)))", "POLYGON ((37 48, nan 48, 38 49, 37 48))",
     "POLYGON ((", "POLYGON ((" + ", ".join(["37 48"] * 1_002) + "))"],
)  # fmt: skip
def test_an_outline_that_cannot_be_is_refused(said: str) -> None:
    assert one(**NO_POINT, footprint=said)["reason_code"] == "footprint"


@pytest.mark.parametrize("act", ["heartbeat", "outage"])
def test_whoever_could_see_may_say_so_of_an_outline_or_a_sector(act: str) -> None:
    assert one(**NO_POINT, act=act, footprint=SQUARE)["footprint"].startswith("POLYGON")
    assert one(**SEEN, act=act)["footprint"] == "sector 37.7 48.05 225.0 11.25 0.0 ?"


def test_no_place_is_what_the_source_covers_and_refused_where_it_covers_nothing() -> None:
    taken = one(by=source(covers=("west",)), **NO_POINT, act="heartbeat")
    assert taken[["kind", "footprint"]].fillna("").tolist() == ["heartbeat", ""]
    assert np.isnan([taken["lon"], taken["uncertainty_m"]]).all()
    assert one(**NO_POINT, act="heartbeat")["reason_code"] == "no_position"
    assert one(by=source(covers=("west",)), **NO_POINT)["reason_code"] == "no_position"


def test_an_outline_elsewhere_is_refused() -> None:
    assert one(**NO_POINT, footprint=box(-70, 10, -69, 11).wkt)["reason_code"] == "outside_theatre"


@strategies.tries(67)
@given(st.text("POLYGNMUTI ()0123456789.,-+eE", max_size=60))
def test_no_words_of_an_outline_break_the_reader(said: str) -> None:
    row = one(**NO_POINT, footprint=said)
    assert row.get("reason_code") in {"footprint", "no_position", None}


def test_geojson_says_the_same() -> None:
    plain = {"observed_from": "2026-02-03T14:05Z"}
    ring = [[[37.5, 48.0], [37.6, 48.0], [37.6, 48.1], [37.5, 48.1], [37.5, 48.0]]]
    sector = {name: value for name, value in {**SEEN, **BAND}.items() if value}
    items = [
        {"type": "Feature", "properties": plain, "geometry": {"type": "Polygon", "coordinates": ring}},
        {"type": "Feature", "properties": plain, "geometry": {"type": "MultiPolygon", "coordinates": [ring]}},
        {"type": "Feature", "properties": {**plain, **sector}, "geometry": None},
        {"type": "Feature", "properties": plain, "geometry": {"type": "Polygon", "coordinates": [[1, 2]]}},
        {"type": "Feature", "properties": plain, "geometry": {"type": "Polygon", "coordinates": ring[0]}},
    ]
    found = reading(json.dumps(items).encode(), source("geojson"), THEATRE)
    flat = one(**NO_POINT, footprint=SQUARE)["footprint"]
    many = one(**NO_POINT, footprint="MULTI" + SQUARE.replace("((", "(((").replace("))", ")))"))["footprint"]
    assert found.intake["footprint"].tolist() == [flat, many, one(**SEEN, **BAND)["footprint"]]
    assert found.refused["reason_code"].tolist() == ["geometry", "geometry"]
