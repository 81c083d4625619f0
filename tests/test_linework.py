"""Whatever a file of a day holds, it becomes a line or the reason why there is none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
import strategies
from hypothesis import given
from hypothesis import strategies as st
from realdata import need
from shapely import LineString, MultiLineString

from geo.errors import InputError, PolicyError
from geo.tables import Column, Table
from pipelines import gdal
from pipelines.jail import door, guard, kernel, wire
from pipelines.jail.guard import Guard
from pipelines.jail.limits import MACHINE
from pipelines.linework import reading
from pipelines.linework.drawn import MOST_PARTS, judge

if TYPE_CHECKING:
    from pipelines.linework.drawn import Drawn

NEAR = (36.0, 47.0, 39.0, 49.0)
GOOD = [[37.0, 48.0], [37.5, 48.2], [38.0, 48.1]]
OTHER = [[38.1, 48.0], [38.2, 48.0]]


def read(data: bytes, name: str = "line.geojson") -> Drawn:
    return judge(reading.positions(data, name), NEAR)


def refusal(data: bytes, name: str = "line.geojson") -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        read(data, name)
    return caught.value.code, str(caught.value)


def geojson(*geometries: object, **extra: object) -> bytes:
    members = [{"type": "Feature", "properties": {}, "geometry": geometry} for geometry in geometries]
    return json.dumps({"type": "FeatureCollection", **extra, "features": members}).encode()


def drawn(coordinates: object, kind: str = "LineString") -> dict[str, object]:
    return {"type": kind, "coordinates": coordinates}


def kml(*inner: str, head: str = "", around: str = "Placemark") -> bytes:
    body = "".join(f"<{around}>{item}</{around}>" for item in inner)
    return f'<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode()


def coordinates(text: str) -> str:
    return f"<LineString><coordinates>{text}</coordinates></LineString>"


def geopackage(path: Path, *shapes: Any, layer: str = "front", kind: Any = "MultiLineString") -> Path:  # noqa: ANN401
    rows = pa.table(
        {
            "name": pa.array(["x"] * len(shapes), pa.string()),
            "geometry": pa.array(shapely.to_wkb(list(shapes)), pa.binary()),
        }
    )
    gdal.write(rows, path, Table(layer, kind, "a line", (Column("name", "text", ""),)), title=layer, description="")
    return path


# --- What is read ---


@pytest.fixture(params=["geojson", "kml", "gpkg"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[bytes, str]:
    """Return the same two parts, with heights, in each format."""
    high = [[lon, lat, 120.0] for lon, lat in GOOD]
    if request.param == "geojson":
        return geojson(drawn(high), drawn([OTHER], "MultiLineString")), "line.geojson"
    if request.param == "kml":
        texts = ("\n ".join("{},{},{}".format(*place) for place in high), "38.1,48 38.2,48.0")
        inner = "<Folder><Placemark><MultiGeometry>" + coordinates(texts[0]) + "</MultiGeometry></Placemark></Folder>"
        return kml(inner, coordinates(texts[1])), "line.KML"
    shapes = (LineString(high), MultiLineString([OTHER]))
    return geopackage(tmp_path / "x.gpkg", *shapes, kind="Unknown").read_bytes(), "line.gpkg"


def test_each_format_gives_the_same_line(file: tuple[bytes, str]) -> None:
    found = read(*file)
    assert found.geometry.equals(MultiLineString([GOOD, OTHER]))
    assert not found.geometry.has_z
    assert found.notes == ()


def test_a_bare_geometry_and_a_single_feature_are_read_too() -> None:
    feature = {"type": "Feature", "properties": None, "geometry": drawn(GOOD)}
    assert read(json.dumps(feature).encode()).geometry.equals(MultiLineString([GOOD]))
    assert read(json.dumps(drawn(GOOD)).encode()).geometry.equals(MultiLineString([GOOD]))


def test_empty_parts_and_crumbs_are_left_out_and_said() -> None:
    found = read(geojson(drawn(GOOD), None, drawn([]), drawn([[37, 48]]), drawn([[37, 48], [37, 48]])))
    assert found.geometry.equals(MultiLineString([GOOD]))
    assert found.notes == ("4 of 5 parts are empty or a single place, and left out",)


def test_repeated_vertices_are_left_out_and_the_rest_stays_as_drawn() -> None:
    found = read(geojson(drawn([GOOD[0], *GOOD, GOOD[2], GOOD[0]])))
    assert shapely.get_coordinates(found.geometry).tolist() == [*GOOD, GOOD[0]]


# --- What is refused, and with which sentence ---

REFUSED_GEOJSON = {
    "nothing": (b"", "json", "no valid JSON"),
    "no feature": (geojson(), "empty", "holds no feature"),
    "only null": (geojson(None), "empty", "draws nothing"),
    "no coordinates": (geojson(drawn([])), "empty", "draws nothing"),
    "one vertex": (geojson(drawn([[37, 48]])), "empty", "a single place"),
    "one place twice": (geojson(drawn([[37, 48], [37, 48]])), "empty", "a single place"),
    "NaN": (b'{"type":"LineString","coordinates":[[37,48],[NaN,48]]}', "json", "holds NaN"),
    "endless": (b'{"type":"LineString","coordinates":[[37,48],[1e999,48]]}', "position", "give longitude"),
    "whole and huge": (geojson(drawn([[37, 48], [10**400, 48]])), "position", "give longitude"),
    "text": (geojson(drawn([[37, 48], ["37.1", 48]])), "position", "as numbers"),
    "truth": (geojson(drawn([[37, 48], [True, 48]])), "position", "as numbers"),
    "one axis": (geojson(drawn([[37, 48], [37.1]])), "position", "give longitude"),
    "over 180": (geojson(drawn([[37, 48], [190, 48]])), "position", "not in degrees"),
    "metres": (geojson(drawn([[4118821, 6106854], [4118921, 6106954]])), "position", "not in degrees"),
    "antimeridian": (geojson(drawn([[179, 48], [-179, 48]])), "antimeridian", "crosses the antimeridian"),
    "pole": (geojson(drawn([[37, 48], [37, 88]])), "position", "near a pole"),
    "axes swapped, seen by place": (geojson(drawn([[48, 37], [48.1, 37.5]])), "axes", "longitude comes first"),
    "axes swapped, seen by range": (geojson(drawn([[48, 137], [48, 138]])), "axes", "longitude comes first"),
    "elsewhere": (geojson(drawn([[2, 48], [3, 48]])), "far", "belongs to another theatre"),
    "polygon": (geojson(drawn([[*GOOD, GOOD[0]]], "Polygon")), "area", "cut the front out of it"),
    "line and polygon": (geojson(drawn(GOOD), drawn([[*GOOD, GOOD[0]]], "Polygon")), "area", "feature 2 is a Polygon"),
    "points": (geojson(drawn([37, 48], "Point")), "geometry", "is a Point; give LineStrings"),
    "collection": (geojson({"type": "GeometryCollection", "geometries": []}), "geometry", "is a GeometryCollection"),
    "bare collection": (b'{"type":"GeometryCollection","geometries":[]}', "json", "'GeometryCollection'"),
    "no type": (geojson({"coordinates": GOOD}), "geometry", "is a shape without a type"),
    "no list": (geojson(drawn("37,48")), "geometry", "no list"),
    "flat": (geojson(drawn([37, 48, 38, 49])), "position", "give longitude"),
    "feature is text": (b'{"type":"FeatureCollection","features":["x"]}', "geometry", "has no geometry"),
    "other crs": (
        geojson(drawn(GOOD), crs={"type": "name", "properties": {"name": "EPSG:3857"}}),
        "json",
        "another reference system",
    ),
    "crs of a feature": (geojson({**drawn(GOOD), "crs": {}}), "crs", "of its own"),
    "key twice": (b'{"type":"LineString","type":"Point","coordinates":[]}', "json", "a key twice"),
    "cp1251": ("{'лінія'}".encode("cp1251"), "json", "not UTF-8"),
    "cut": (geojson(drawn(GOOD))[:-9], "json", "no valid JSON"),
    "XML": (b"<OGRVRTDataSource/>", "json", "no valid JSON"),
}


@pytest.mark.parametrize(("data", "code", "words"), REFUSED_GEOJSON.values(), ids=REFUSED_GEOJSON)
def test_a_geojson_that_is_no_line_is_refused_with_what_to_do(data: bytes, code: str, words: str) -> None:
    found, sentence = refusal(data)
    assert (found, words in sentence) == (code, True), sentence


def test_shapes_nested_without_end_are_refused() -> None:
    deep = '{"type":"GeometryCollection","geometries":[' * 100_000
    assert refusal(deep.encode())[0] == "json"
    assert refusal(b'{"type":"LineString","coordinates":' + b"[" * 100_000)[0] == "json"


BOMB = '<!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
REFUSED_KML = {
    "nothing": (b"", "xml", "no element found"),
    "cut": (kml(coordinates("37,48 38,48"))[:-9], "xml", "may be cut"),
    "an entity bomb": (kml(coordinates("&b;"), head=BOMB), "entity", "remove the DOCTYPE"),
    "an entity that names a file": (kml(coordinates("&x;"), head=FILE), "entity", "remove the DOCTYPE"),
    "a document type elsewhere": (kml(head='<!DOCTYPE kml SYSTEM "http://localhost/x.dtd">'), "entity", "DOCTYPE"),
    "an entity of nobody": (kml(coordinates("37,48 &who; 38,48")), "xml", "undefined entity"),
    "GML": (b"<gml/>", "xml", "first element is 'gml'"),
    "no line": (kml("<name>x</name>"), "empty", "draws nothing"),
    "empty line": (kml(coordinates("")), "empty", "draws nothing"),
    "one vertex": (kml(coordinates("37,48")), "empty", "single place"),
    "words": (kml(coordinates("abc,def 37,48")), "position", "'abc,def'"),
    "decimal commas": (kml(coordinates("37,1,48,1 37,2,48,2")), "position", "decimal points"),
    "decimal commas and one blank": (kml(coordinates("37,1 48,1")), "far", "another theatre"),
    "blank after the comma": (kml(coordinates("37, 48 38, 48")), "position", "without blanks"),
    "not a number": (kml(coordinates("NaN,48 37,48")), "position", "decimal points"),
    "digits of another script": (kml(coordinates("\uff13\uff17,48 38,48")), "position", "decimal points"),
    "over 180": (kml(coordinates("37,48 181,48")), "position", "not in degrees"),
    "latitude first": (kml(coordinates("48,37 48.2,37.5")), "axes", "longitude comes first"),
    "a polygon": (kml("<Polygon><outerBoundaryIs/></Polygon>"), "area", "cut the front out of it"),
    "a point": (kml(coordinates("37,48 38,48"), "<Point/>"), "geometry", "is a Point"),
    "a link": (kml("<NetworkLink><href>http://localhost/</href></NetworkLink>"), "elsewhere", "NetworkLink"),
    "depth": (kml("<Folder>" * 500 + "</Folder>" * 500), "xml", "nested more than"),
    "an encoding of nobody": (b'<?xml version="1.0" encoding="x-none"?><kml/>', "encoding", "not known"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code", "words"), REFUSED_KML.values(), ids=REFUSED_KML)
def test_a_kml_that_is_no_line_is_refused_with_what_to_do(data: bytes, code: str, words: str) -> None:
    found, sentence = refusal(data, "line.kml")
    assert (found, words in sentence) == (code, True), sentence


def test_coordinates_outside_of_a_line_are_not_read() -> None:
    data = kml(coordinates("37,48 38,48") + "<LookAt><coordinates>1,1</coordinates></LookAt>")
    assert read(data, "line.kml").geometry.equals(MultiLineString([[(37, 48), (38, 48)]]))


def edited(path: Path, *statements: str) -> bytes:
    with closing(sqlite3.connect(path)) as file, file:
        for statement in statements:
            file.execute(statement)
    return path.read_bytes()


def test_a_geopackage_of_something_else_is_refused(tmp_path: Path) -> None:
    assert refusal(b"PK\x03\x04", "line.gpkg")[0] == "geopackage"
    assert refusal(b"SQLite format 3\0" + b"\0" * 2000, "line.gpkg")[0] == "geopackage"
    area = geopackage(tmp_path / "area.gpkg", shapely.box(37, 48, 38, 49), kind="Polygon").read_bytes()
    code, sentence = refusal(area, "line.gpkg")
    assert (code, "row 1 is a Polygon" in sentence) == ("area", True)
    nothing = geopackage(tmp_path / "nothing.gpkg").read_bytes()
    assert refusal(nothing, "line.gpkg")[0] == "empty"
    empty = geopackage(tmp_path / "empty.gpkg", MultiLineString()).read_bytes()
    assert refusal(empty, "line.gpkg")[0] == "empty"


def test_a_geopackage_with_two_layers_is_not_guessed_at(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "two.gpkg", MultiLineString([GOOD]))
    data = geopackage(path, MultiLineString([OTHER]), layer="planned").read_bytes()
    assert refusal(data, "line.gpkg") == (
        "layers",
        "it must hold one layer and holds 2 (front, planned); export the line alone",
    )


def test_a_geopackage_in_another_reference_system_is_refused(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "x.gpkg", MultiLineString([GOOD]))
    data = edited(
        path,
        "INSERT INTO gpkg_spatial_ref_sys VALUES ('web', 3857, 'EPSG', 3857, 'undefined', '')",
        "UPDATE gpkg_geometry_columns SET srs_id = 3857",
    )
    assert refusal(data, "line.gpkg") == ("crs", "it is in EPSG 3857; reproject it to WGS 84 (EPSG:4326)")


ENDLESS = "CREATE VIEW front2 AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"


def test_a_geopackage_that_holds_what_could_run_never_reaches_gdal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gdal, "read", lambda *_: pytest.fail("GDAL was asked"))
    for name, statement in {"view": ENDLESS, "table": "CREATE VIRTUAL TABLE x USING fts5(a)"}.items():
        path = geopackage(tmp_path / f"{name}.gpkg", MultiLineString([GOOD]))
        code, sentence = refusal(edited(path, statement), "line.gpkg")
        assert (code, "a view or virtual table" in sentence) == ("geopackage", True)


def test_a_geopackage_that_lies_about_its_count_is_read_whole(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "x.gpkg", MultiLineString([GOOD]), MultiLineString([OTHER]))
    data = edited(path, "UPDATE gpkg_ogr_contents SET feature_count = 1")
    assert read(data, "line.gpkg").geometry.equals(MultiLineString([GOOD, OTHER]))


def test_a_geopackage_may_name_its_shapes_otherwise(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "x.gpkg", MultiLineString([GOOD]))
    with closing(sqlite3.connect(path)) as file, file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute("DROP TABLE rtree_front_geom")
        file.execute("DELETE FROM gpkg_extensions")
        file.execute("ALTER TABLE front RENAME COLUMN geom TO the_shape")
        file.execute("UPDATE gpkg_geometry_columns SET column_name = 'the_shape'")
    assert read(path.read_bytes(), "line.gpkg").geometry.equals(MultiLineString([GOOD]))


def test_whatever_bytes_come_there_is_a_line_or_a_refusal(tmp_path: Path) -> None:
    seeds = {
        "a.geojson": geojson(drawn(GOOD), drawn([OTHER], "MultiLineString")),
        "a.kml": kml(coordinates("37,48 38,48")),
        "a.gpkg": geopackage(tmp_path / "x.gpkg", MultiLineString([GOOD])).read_bytes(),
    }
    rng = np.random.default_rng(7)
    for name, seed in seeds.items():
        for _ in range(60):
            spoiled = bytearray(seed)
            for place in rng.integers(0, len(seed), 4):
                spoiled[place] = rng.integers(0, 256)
            try:
                assert not read(bytes(spoiled[: rng.integers(1, len(seed) + 1)]), name).geometry.is_empty
            except InputError as error:
                assert error.code.isalpha()  # noqa: PT017 -- either outcome is right


@strategies.tries(67)
@given(st.recursive(st.none() | st.floats() | st.text(max_size=2), lambda x: st.lists(x, max_size=3), max_leaves=8))
def test_whatever_stands_as_coordinates_there_is_a_line_or_a_refusal(value: object) -> None:
    data = json.dumps(drawn(value)).encode()
    try:
        assert not read(data).geometry.is_empty
    except InputError as error:
        assert error.code.isalpha()  # noqa: PT017 -- either outcome is right


# --- Of which day, and in which format ---


@pytest.mark.parametrize(
    "name",
    ["deepstatemap_data_20260405.geojson", "2026-04-05.kml", "front 2026.04.05 v2.gpkg", "a_2026_04_05_2026-04-05.kml"],
)
def test_a_name_may_tell_the_day(name: str) -> None:
    assert reading.day_of(name) == datetime(2026, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("front.geojson", "tells no day"),
        ("front_20261305.geojson", "tells no day"),
        ("front_120260405.geojson", "tells no day"),
        ("front_2026-04_05.geojson", "tells no day"),
        ("20260405_to_20260406.geojson", "tells more than one day"),
    ],
)
def test_a_name_that_leaves_a_doubt_is_not_guessed_at(name: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        reading.day_of(name)


def test_an_extension_that_is_not_read_is_wrong_use() -> None:
    with pytest.raises(PolicyError, match="GeoJSON, KML or GeoPackage"):
        reading.require_format(Path("line.kmz"))


# --- Behind the walls ---

needs_walls = pytest.mark.skipif(not kernel.available(), reason="this system has no wall to show")


@needs_walls
def test_behind_the_walls_each_format_draws_what_it_draws_before_them(
    file: tuple[bytes, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reading.positions(*file)
    monkeypatch.setattr(reading, "positions", lambda *_: pytest.fail("it was read in this process"))
    behind = door.positions(*file)
    assert [part.tolist() for part in behind] == [[list(place) for place in part] for part in before]
    assert judge(behind, NEAR).geometry.equals(judge(before, NEAR).geometry)


@needs_walls
def test_empty_parts_come_back_as_such_and_a_refusal_keeps_its_code_and_sentence() -> None:
    data = geojson(None, drawn(GOOD), drawn([]))
    assert [len(part) for part in door.positions(data, "line.geojson")] == [0, 3, 0]
    for data, name in ((geojson(), "line.geojson"), (kml(head="<!DOCTYPE kml>"), "line.kml"), (b"PK", "line.gpkg")):
        with pytest.raises(InputError) as caught:
            door.positions(data, name)
        assert (caught.value.code, str(caught.value)) == refusal(data, name)


@needs_walls
def test_a_line_that_breaks_its_reader_is_unusable_and_one_that_the_machine_could_not_read_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = guard.Ended(bytearray(), overflown=False, timed_out=False, code=-11, cpu_s=0.1, peak=1)
    for how, code in (
        ({}, "reader_died"),
        ({"timed_out": True}, "time_limit"),
        ({"overflown": True}, "resource_limit"),
    ):
        monkeypatch.setattr(Guard, "ask", lambda *_, how=how: replace(ended, **how))
        with pytest.raises(InputError) as caught:
            door.positions(b"{}", "line.geojson")
        assert (caught.value.code, code in MACHINE) == (code, code == "time_limit")


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{}\n", b'{"parts": true}\n' + b"\0" * 8, b'{"parts": 1' + b"0" * 30 + b"}\n",
        b'{"error": "InputError", "code": "time_limit", "message": "x"}\n',
        b'{"parts": 1}\n', b'{"parts": -1}\n', b'{"parts": "x"}\n', b'{"parts": 1}\n' + b"\1" + b"\0" * 7,
        b'{"parts": 1}\n' + b"\xff" * 8, b'{"parts": 0}\n' + b"\0" * 16,
        b'{"parts": 2}\n' + b"\0\0\0\0\0\0\0\x80" * 2,
    ],
)  # fmt: skip
def test_what_no_reader_of_lines_says_is_garbage(said: bytes) -> None:
    with pytest.raises((wire.GarbageError, wire.ReaderError)):
        wire.get_parts(said)


@needs_walls
@pytest.mark.parametrize("page", ["windows-1251", "koi8-u", "cp866", "iso-8859-5"])
def test_a_kml_in_a_cyrillic_code_page_is_read_behind_the_walls_too(page: str) -> None:
    head = f'<?xml version="1.0" encoding="{page}"?>'
    data = (
        kml("<name>Линия</name>" + coordinates("37,48 38,48"))
        .decode()
        .replace('<?xml version="1.0"?>', head)
        .encode(page)
    )
    assert [part.tolist() for part in door.positions(data, "line.kml")] == [[[37.0, 48.0], [38.0, 48.0]]]


def test_a_line_of_countless_parts_is_refused_and_a_curve_is_named(tmp_path: Path) -> None:
    many = geojson(*[None] * (MOST_PARTS + 1))
    assert refusal(many)[0] == "parts"
    path = geopackage(tmp_path / "x.gpkg", MultiLineString([GOOD]))
    curve = b"GP\0\1" + (4326).to_bytes(4, "little") + shapely_curve()
    with closing(sqlite3.connect(path)) as file, file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        file.execute("UPDATE front SET geom = ?", [curve])
    code, sentence = refusal(path.read_bytes(), "line.gpkg")
    assert (code, "a curve or no shape at all" in sentence) == ("geometry", True)


def shapely_curve() -> bytes:
    """Return a CircularString as WKB."""
    places = np.array([[37.0, 48.0], [37.5, 48.5], [38.0, 48.0]], "<f8")
    return b"\1" + (8).to_bytes(4, "little") + len(places).to_bytes(4, "little") + places.tobytes()


# --- Real data ---


def test_a_control_area_of_an_archive_is_refused_with_what_to_do() -> None:
    data = need("modern_2026/control/deepstatemap_data_20260405.geojson").read_bytes()
    code, sentence = refusal(data)
    assert code == "area"
    assert "coast, state border and front together: cut the front out of it" in sentence


def test_the_line_of_contact_is_read() -> None:
    found = read(need("minsk_2014_2022/contact_line.geojson").read_bytes())
    assert len(shapely.get_coordinates(found.geometry)) == 526
