"""Does GeoJSON say the same as the plain table, and is each of its features accounted for?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import GOOD, reading, source, table

from geo.errors import InputError

if TYPE_CHECKING:
    from pipelines.sources import Reading

CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}


def feature(coordinates: str = "[37.5, 48.1]", kind: str = '"Point"', **properties: Any) -> str:  # noqa: ANN401 -- JSON
    said = json.dumps({"observed_from": "2026-02-03T14:05Z", **properties}, ensure_ascii=False)
    geometry = f'{{"type": {kind}, "coordinates": {coordinates}}}'
    return f'{{"type": "Feature", "geometry": {geometry}, "properties": {said}}}'


def collection(*features: str, more: str = "") -> bytes:
    return f'{{"type": "FeatureCollection", {more}"features": [{", ".join(features)}]}}'.encode()


def geo(data: bytes) -> Reading:
    return reading(data, source("geojson"))


def code(item: str) -> str:
    result = geo(collection(feature(source_ref="before"), item, feature(source_ref="after")))
    assert result.intake["source_ref"].tolist() == ["before", "after"]
    assert result.refused["raw"].tolist() == [item.encode()]
    assert result.refused["row_no"].tolist() == [2]
    assert len(result.refused["reason"][0]) > 20
    return str(result.refused["reason_code"][0])


ROWS = [
    GOOD,
    {
        **GOOD,
        "source_ref": "007",
        "act": "Small Arms",
        "count": "2-5",
        "party": "lefts",
        "text": 'two, "or"\nmore \u2013 так',
    },
    {
        **GOOD,
        "lon": "37.123456789012345",
        "uncertainty_m": "250",
        "count": "3",
        "killed": "2",
        "observed_to": "2026-02-04",
    },
    {**GOOD, "act": "retraction", "source_ref": "r1", "observed_from": "", "lon": "", "lat": ""},
    {**GOOD, "act": "outage", "observed_to": "2026-02-03T20:00Z"},
    {**GOOD, "lat": "91"},
    {**GOOD, "lon": "0", "lat": "0"},
    {**GOOD, "observed_from": "2026-03-29T03:30"},
    {**GOOD, "count": "many"},
]


def as_feature(cells: dict[str, str], *, numbers: bool) -> str:
    rest = {name: value for name, value in cells.items() if name not in {"lon", "lat"}}
    said: dict[str, Any] = dict(rest)
    if numbers:
        said.update(
            {
                name: json.loads(rest[name])
                for name in ("count", "killed", "uncertainty_m")
                if rest.get(name, "").isdigit()
            }
        )
    if not cells["lon"]:
        return json.dumps({"type": "Feature", "geometry": None, "properties": {**said, "observed_from": None}})
    return feature(f"[{cells['lon']}, {cells['lat']}]", **said)


@pytest.mark.parametrize("numbers", [False, True])
def test_the_same_reports_as_csv_and_as_geojson_give_the_same_rows(numbers: bool) -> None:  # noqa: FBT001 -- parameter
    plain = reading(table(ROWS))
    same = geo(collection(*(as_feature(row, numbers=numbers) for row in ROWS)))
    pd.testing.assert_frame_equal(plain.intake, same.intake)
    judged = ["row_no", "reason_code", "reason"]
    pd.testing.assert_frame_equal(plain.refused[judged], same.refused[judged])
    assert len(plain.intake) == 5


@pytest.mark.parametrize(
    "data",
    [
        collection(feature()),
        f"[{feature()}]".encode(),
        f" \r\n{feature()}\n".encode(),
        b"\xef\xbb\xbf" + collection(feature()),
        collection(feature(), more=f'"crs": {json.dumps(CRS)}, "name": "reports", "bbox": [1, 2, 3, 4], '),
        collection(feature(), more='"crs": {"type": "name", "properties": {"name": "EPSG:4326"}}, '),
        collection(feature("[37.5, 48.1, 220.0]")),
    ],
)
def test_one_report_may_be_written_in_several_ways(data: bytes) -> None:
    assert geo(data).intake[["lon", "lat"]].to_numpy().tolist() == [[37.5, 48.1]]


@pytest.mark.parametrize("data", [b'{"type": "FeatureCollection", "features": []}', b"[]"])
def test_a_collection_of_nothing_is_read(data: bytes) -> None:
    result = geo(data)
    assert result.intake.empty
    assert result.refused.empty


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("7", "not_a_feature"),
        ('"x"', "not_a_feature"),
        ("null", "not_a_feature"),
        ('{"type": "FeatureCollection", "features": []}', "not_a_feature"),
        ('{"type": "Feature", "geometry": null, "properties": []}', "no_position"),
        ('{"type": "Feature", "geometry": null, "properties": [1]}', "not_a_feature"),
        ('{"type": "Feature", "geometry": null, "properties": null}', "no_time"),
        ('{"type": "Feature", "geometry": 5, "properties": {}}', "geometry"),
        (feature("[[37.5, 48.1], [38, 48]]", kind='"LineString"'), "geometry"),
        (feature("[37.5, 48.1]", kind='"Circle"'), "geometry"),
        (feature("[37.5, 48.1]", kind='["Point"]'), "geometry"),
        (feature("[37.5]"), "geometry"),
        (feature("[]"), "geometry"),
        (feature("null"), "geometry"),
        (feature('["37.5", "48.1"]'), "geometry"),
        (feature("[37.5, 48.1, 0, 0]"), "geometry"),
        (feature("[37.5, null]"), "geometry"),
        (feature("[true, 48.1]"), "geometry"),
        (feature("[NaN, 48.1]"), "geometry"),
        (feature("[37.5, -Infinity]"), "geometry"),
        (feature("[1e400, 48.1]"), "coordinate"),
        (feature(f"[{'9' * 5000}, 48.1]"), "coordinate"),
        (feature("[361, 48.1]"), "coordinate_range"),
        (feature("[48.1, 37.5]"), "swapped?"),
        (feature("[0, 0]"), "null_island"),
        (feature(count=[2, 5]), "value"),
        (feature(text={"en": "fire"}), "value"),
        (feature(act=True), "value"),
        (feature(uncertainty_m=float("nan")), "value"),
        (feature(text=float("inf")), "value"),
        (feature(count=2**63 + 1), "count"),
        (feature(count=3.0), "count"),
        (feature(observed_from=1770120300), "time"),
        (feature(text="a").replace('"a"', '"a\\u0000b"'), "nul"),
        (feature(text="a").replace('"a"', '"a\\ud800b"'), "value"),
        (feature(text="a").replace('"text"', '"text": "b", "text"'), "duplicate_key"),
        (feature(text="a", Text="b"), "duplicate_key"),
        (feature().replace('"geometry"', '"geometry": null, "geometry"'), "duplicate_key"),
        (feature().replace('"coordinates"', '"coordinates": [1, 2], "coordinates"'), "duplicate_key"),
    ],
)
def test_a_feature_that_is_no_report_is_refused_alone_and_kept_as_it_was_written(item: str, reason: str) -> None:
    if item.endswith('"properties": []}'):
        item = item.replace("[]}", '{"observed_from": "2026-02-03"}}')
    assert code(item) == reason


def test_an_unknown_property_may_hold_anything() -> None:
    result = geo(collection(feature(Mood=float("nan"), tags=["a"], lon=5).replace('["a"]', '{"x": 1, "x": 2}')))
    assert len(result.intake) == 1
    assert result.notes == ("file.csv: properties that are not read: 'mood', 'tags', 'lon'.",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<OGRVRTDataSource/>", "no FeatureCollection"),
        (b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read x"}', "gdal_streamed_alg"),
        (b'{"type": "FeatureCollection"}', "its type is 'FeatureCollection'"),
        (b'{"type": "FeatureCollection", "features": {}}', "no object|no Feature|features"),
        (b'{"type": "Topology", "features": []}', "Topology"),
        (b"{}", "its type is None"),
        (b"7", "no FeatureCollection"),
        (collection(feature())[:-1], "no JSON"),
        (collection(feature())[:40], "no JSON"),
        (collection(feature()) + b"x", "Extra data"),
        (collection(feature()).replace(b"}]}", b"},]}"), "Expecting value"),
        (collection(feature(), feature()).replace(b"}, {", b"} {"), "Expecting ','"),
        (b"{type: 1}", "property name"),
        (b'{"type": "FeatureCollection",}', "Expecting value"),
        (b'{"features": [], "type": "FeatureCollection", "features": []}', "'features' twice"),
        (b"[" * 100_000, "nested"),
        (b'{"type": "FeatureCollection", "features": [' + b'{"a":' * 100_000, "nested"),
    ],
)
def test_a_file_that_is_no_geojson_is_refused_whole(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        geo(data)
    assert caught.value.code == "json"


@pytest.mark.parametrize(
    "crs",
    [
        '{"type": "name", "properties": {"name": "EPSG:3857"}}',
        '{"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32637"}}',
        '{"type": "link", "properties": {"href": "https://example.org"}}',
        "null",
        '"EPSG:43260"',
    ],
)
def test_positions_in_another_crs_are_refused_whole(crs: str) -> None:
    with pytest.raises(InputError, match="WGS 84") as caught:
        geo(collection(feature(), more=f'"crs": {crs}, '))
    assert caught.value.code == "crs"


SCALARS = st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["Feature", "Point", "2026-02-03"])
NAMES = st.sampled_from(["type", "geometry", "properties", "coordinates", "act", "observed_from", "x"])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12), max_size=4
    )
)
def test_every_item_of_a_list_is_accounted_for(items: list[object]) -> None:
    result = geo(json.dumps(items).encode())
    assert sorted([*result.intake["row_no"], *result.refused["row_no"]]) == list(range(1, len(items) + 1))
