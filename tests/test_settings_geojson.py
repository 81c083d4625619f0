"""Is every mistake in a line or a region told in a sentence that says where it is and what to do?"""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_theatre import LINE, ODD, areas, collection, good, lines_of, sentences, square

from geo.errors import PolicyError
from pipelines.settings import load_theatre, replace_baseline, replace_regions

BASELINE_MISTAKES = [
    (
        b"\xff",
        "is not UTF-8 (byte 1); save the file as UTF-8.",
    ),
    (
        b"[1",
        "is no valid JSON: Expecting ',' delimiter: line 1 column 3 (char 2); correct the file.",
    ),
    (
        b"[" * 100_000,
        None,
    ),
    (
        b"[]",
        "is no GeoJSON object; give a FeatureCollection.",
    ),
    (
        b'{"type": "Point", "type": "Point"}',
        "has an object with a key twice (keys: ['type', 'type']); keep one of them.",
    ),
    (
        b'{"type": "Topology"}',
        "is a GeoJSON object of type 'Topology'; give a FeatureCollection.",
    ),
    (
        b'{"type": "FeatureCollection"}',
        "has no list of features; give a FeatureCollection with its features.",
    ),
    (
        collection(),
        "holds no feature; give it at least one LineString.",
    ),
    (
        b'{"type": "FeatureCollection", "features": [5]}',
        "feature 1: has no geometry; give it a LineString, or remove it.",
    ),
    (
        b'{"type": "Feature", "properties": {}, "geometry": null}',
        "feature 1: has no geometry; give it a LineString, or remove it.",
    ),
    (
        b'{"type": "Feature", "properties": 5, "geometry": {"type": "LineString", "coordinates": [[1, 2], [1, 3]]}}',
        "feature 1: has properties that are no object; give names and values.",
    ),
    (
        collection(({}, "Polygon", square(38, 48))),
        "feature 1: is a Polygon; draw it as LineString or MultiLineString.",
    ),
    (
        lines_of([]),
        "feature 1: has no coordinates; draw it, or remove it.",
    ),
    (
        lines_of([[38, 48]]),
        "feature 1: is a line with a single position; give at least two.",
    ),
    (
        lines_of([[38, 48], [38]]),
        "feature 1: position 2 is [38]; give longitude and latitude in degrees, as numbers.",
    ),
    (
        lines_of([[38, 48], ["38", 49]]),
        "feature 1: position 2 is ['38', 49]; give longitude and latitude in degrees, as numbers.",
    ),
    (
        lines_of([[38, True], [38, 49]]),
        "feature 1: position 1 is [38, True]; give longitude and latitude in degrees, as numbers.",
    ),
    (
        lines_of([[38, 48], [38, float("nan")]]),
        "holds NaN, which is no number in JSON; give a coordinate, or remove the position.",
    ),
    (
        lines_of([[38, 48], [38, float("inf")]]),
        "holds Infinity, which is no number in JSON; give a coordinate, or remove the position.",
    ),
    (
        b'{"type": "LineString", "coordinates": [[38, 48], [38, 1e999]]}',
        "feature 1: position 2 is [38, inf]; give longitude and latitude in degrees, as numbers.",
    ),
    (
        lines_of([[48, 138], [49, 138]]),
        (
            "feature 1: position 1 (48, 138) has a latitude out of range, as if latitude came first; swap them: "
            "longitude comes first."
        ),
    ),
    (
        lines_of([[4_200_000, 5_300_000], [4_300_000, 5_300_000]]),
        (
            "feature 1: position 1 (4.2e+06, 5.3e+06) is out of range; give longitude and latitude in degrees "
            "(WGS 84), not metres."
        ),
    ),
    (
        lines_of([[179, 10], [-179, 10]]),
        "feature 1: crosses the antimeridian after position 1; this is not supported: cut it there.",
    ),
    (
        lines_of([[10, 80], [10, 89]]),
        "feature 1: position 2 (10, 89) lies near a pole; this is not supported beyond 85 degrees of latitude.",
    ),
    (
        collection(({}, "LineString", LINE), crs={"type": "name", "properties": {"name": "EPSG:32637"}}),
        (
            "is in another reference system ('EPSG:32637'); convert it to WGS 84, longitude first, and remove the"
            " crs member."
        ),
    ),
    (
        collection(({}, "LineString", LINE), crs=None),
        "is in another reference system (None); convert it to WGS 84, longitude first, and remove the crs member.",
    ),
]


@pytest.mark.parametrize(("data", "sentence"), BASELINE_MISTAKES)
def test_a_mistake_in_a_line_is_told_with_its_place(data: bytes, sentence: str | None) -> None:
    with pytest.raises(PolicyError) as loaded:
        load_theatre({**good(), "baseline.geojson": data}, "small")
    with pytest.raises(PolicyError) as replaced:
        replace_baseline(good(), data, "mine.geojson")
    for caught, file in ((loaded, "baseline.geojson"), (replaced, "mine.geojson")):
        found = sentences(caught.value)
        if sentence is None:
            assert found[0].startswith(f"{file}: is no valid JSON: ")
        else:
            separator = ", " if sentence.startswith("feature") else ": "
            assert f"{file}{separator}{sentence}" in found


@pytest.mark.parametrize(
    "line",
    [
        [[38, 48], [38.2, 48.2], [38.2, 48], [38, 48.2]],  # crosses itself
        [[38, 48], [38, 48], [38.2, 48.2]],  # repeats a vertex
        [[38, 48], [38, 48.2], [38, 48.1]],  # folds back
    ],
)
def test_a_line_that_cannot_be_walked_along_is_refused_with_the_place(line: list[list[float]]) -> None:
    with pytest.raises(PolicyError, match=r"\n- mine\.geojson: baseline 'line'.*lon"):
        replace_baseline(good(), lines_of(line), "mine.geojson")


REGION_MISTAKES = [
    (
        areas(({"region_id": "A"}, square(37, 48)), ({"region_id": "a"}, square(38, 48))),
        "feature 1: region id 'A' stands twice; give each an id of its own.",
    ),
    (
        areas(({"region_id": "A/B"}, square(38, 48))),
        (
            "feature 1: region id 'A/B' cannot name a folder; use none of / \\ : * ? \" < > |, no dot at either end"
            " and at most 80 characters."
        ),
    ),
    (
        areas(({"region_id": ".."}, square(38, 48))),
        (
            "feature 1: region id '..' cannot name a folder; use none of / \\ : * ? \" < > |, no dot at either end "
            "and at most 80 characters."
        ),
    ),
    (
        areas(({"region_id": "A"}, square(37, 48)), ({"label": "B"}, square(38, 48))),
        (
            "has no property that every feature has and that could be the region's id; give each feature one of: "
            "region_id, id, shapeISO, ISO, name, shapeName."
        ),
    ),
    (
        areas(({"id": "A"}, [[[38, 48], [39, 49], [39, 48], [38, 49], [38, 48]]])),
        (
            "feature 1: is no valid polygon (Self-intersection[38.5 48.5]); redraw it so that its edges neither "
            "cross nor overlap."
        ),
    ),
    (
        areas(({"id": "A"}, [[[38, 48], [39, 49], [39, 48]]])),
        (
            "feature 1: has a ring that is not closed or has fewer than four positions; repeat the first position"
            " at its end."
        ),
    ),
    (
        collection(({"id": "A"}, "Point", [38, 48])),
        "feature 1: is a Point; draw it as Polygon or MultiPolygon.",
    ),
    (
        collection(),
        "holds no feature; give it at least one Polygon.",
    ),
]


@pytest.mark.parametrize(("data", "sentence"), REGION_MISTAKES)
def test_a_mistake_in_the_regions_is_told_with_its_feature(data: bytes, sentence: str) -> None:
    with pytest.raises(PolicyError) as loaded:
        load_theatre({**good(), "regions.geojson": data}, "small")
    with pytest.raises(PolicyError) as replaced:
        replace_regions(good(), data, "mine.geojson")
    for caught, file in ((loaded, "regions.geojson"), (replaced, "mine.geojson")):
        separator = ", " if sentence.startswith("feature") else ": "
        assert f"{file}{separator}{sentence}" in sentences(caught.value)


def test_swapped_axes_that_stay_in_range_are_told_by_the_distance_to_the_regions() -> None:
    swapped = lines_of([[lat, lon] for lon, lat in LINE])
    files = replace_baseline(good(), swapped, "mine.geojson")
    with pytest.raises(PolicyError) as caught:
        load_theatre(files, "small")
    assert sentences(caught.value) == [
        (
            "regions.geojson: no region lies near the baseline (48.0 to 49.0 E, 38.0 to 38.1 N); swap the axes "
            "if latitude "
            "came first, or give regions of that area."
        )
    ]


@pytest.mark.parametrize(
    ("properties", "region", "name"),
    [
        ({"region_id": "R1", "id": "no", "name": "One"}, "R1", "One"),
        ({"id": 7, "shapeISO": "no"}, "7", "7"),
        ({"shapeISO": "UA-14", "ISO": "no", "shapeName": "Donetsk Oblast"}, "UA-14", "Donetsk Oblast"),
        ({"shapeISO": "", "ISO": "UA-14", "name": "no"}, "UA-14", "no"),
        ({"name": "Northern sector", "shapeName": "no"}, "Northern sector", "Northern sector"),
        ({"shapeName": "Northern sector"}, "Northern sector", "Northern sector"),
    ],
)
def test_a_region_takes_its_id_from_the_first_property_present(
    properties: dict[str, object], region: str, name: str
) -> None:
    files = replace_regions(good(), areas((properties, square(38, 48))), "mine.geojson")
    regions = load_theatre(files, "small").regions
    assert list(regions.region_id) == [region]
    assert list(regions["name"]) == [name]


def test_a_line_of_several_parts_with_heights_and_a_byte_order_mark_is_read_in_order() -> None:
    parts = [[[38, 49, 120.0], [38, 48.8, 110.0]], [[38.1, 48.5], [38.1, 48.4]]]
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    data = b"\xef\xbb\xbf" + collection(*(({}, "LineString", part) for part in parts), crs=named)
    line = load_theatre(replace_baseline(good(), data, "mine.geojson"), "small").baselines[0]
    assert [part.shape for part in line.parts] == [(2, 2), (2, 2)]
    assert line.parts[1][0].tolist() == [38.1, 48.5]


def test_replacing_changes_one_file_and_keeps_the_users_bytes() -> None:
    mine = lines_of([[38, 49], [38, 48]])
    files = good()
    replaced = replace_baseline(files, mine, "mine.geojson")
    assert replaced == {**files, "baseline.geojson": mine}
    assert files == good(), "the mapping that was given is left alone"


@given(
    st.binary(max_size=20)
    | ODD.map(lambda odd: json.dumps({"type": "LineString", "coordinates": odd}, default=str).encode())
    | ODD.map(lambda odd: json.dumps({"type": "FeatureCollection", "features": odd}, default=str).encode())
)
def test_whatever_stands_in_a_line_ends_in_a_sentence(data: bytes) -> None:
    with contextlib.suppress(PolicyError):
        replace_baseline(good(), data, "mine.geojson")
