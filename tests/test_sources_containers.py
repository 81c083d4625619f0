"""Is every report of a KML, KMZ, XLSX, GeoPackage or JSON list taken in as it stands, or refused with its reason?"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import containers
import pandas as pd
import pytest
import readings

from geo.errors import InputError
from geo.theatre import Dialect
from pipelines.sources import archive, read, xlsx

if TYPE_CHECKING:
    from pipelines.sources import Reading

HEADER = ["observed_from", "lon", "lat"]


def told(data: bytes, form: str) -> Reading:
    return read(data, readings.source(form), readings.THEATRE, readings.POLICY, f"file.{form}")


def codes(data: bytes, form: str) -> list[str]:
    found = told(data, form)
    assert sorted([*found.intake["row_no"], *found.refused["row_no"]]) == list(
        range(1, len(found.intake) + len(found.refused) + 1)
    )
    return found.refused["reason_code"].tolist()


def refused(data: bytes, form: str, code: str) -> str:
    with pytest.raises(InputError) as caught:
        told(data, form)
    assert caught.value.code == code
    return str(caught.value)


def shape(body: str) -> bytes:
    return containers.kml(more=shape_of(body))


def shape_of(body: str) -> str:
    return containers.placemark({"observed_from": "2026-02-03"}, body)


def point(coordinates: str) -> bytes:
    return shape(f"<Point><coordinates>{coordinates}</coordinates></Point>")


@pytest.mark.parametrize("name", ["geojson", "kml", "kmz", "xlsx", "gpkg"])
def test_the_same_reports_in_any_container_give_the_same_rows(name: str) -> None:
    plain = told(containers.GOOD["csv"], "csv")
    other = told(containers.GOOD[name], containers.form(name))
    assert len(plain.intake) == len(containers.ROWS)
    pd.testing.assert_frame_equal(other.intake, plain.intake)
    assert not len(other.refused)


@pytest.mark.parametrize("name", ["bellingcat", "osint-geo-extractor"])
def test_an_event_of_a_collection_is_a_report(name: str) -> None:
    (row,) = told(containers.GOOD[name], name).intake.to_dict("records")
    assert (row["lon"], row["lat"], row["url"]) == (37.5, 48.1, "https://example.org/1")
    assert "a school" in row["text"]
    # A day of Kyiv, whole.
    assert (str(row["observed_from"]), str(row["observed_to"])) == (
        "2026-02-02 22:00:00+00:00",
        "2026-02-03 21:59:59+00:00",
    )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"date": "13/02/2026"}, "time"),
        ({"date": "2/3/2026"}, "time"),
        ({"date": "2026-02-03"}, "time"),
        ({"date": None}, "no_time"),
        ({"time": "around noon"}, "time"),
        ({"latitude": "48,1"}, "coordinate"),
        ({"latitude": 37.5, "longitude": 148.1}, "outside_theatre"),
        ({"longitude": None}, "no_position"),
        ({"latitude": [48.1]}, "value"),
        ({"id": ""}, "no_source_ref"),
    ],
)
def test_an_event_that_cannot_be_is_refused(changed: dict[str, object], code: str) -> None:
    assert codes(containers.dumped(containers.events(**changed) + containers.events(id="2")), "bellingcat") == [code]


def test_a_list_that_is_none_and_an_item_that_is_no_object() -> None:
    refused(b"{}", "bellingcat", "json")
    refused(b'[{"id": 1}, ', "osint-geo-extractor", "json")
    refused(b"[" * 100_000, "osint-geo-extractor", "json")
    assert codes(b'[1, {"id": "1", "id": "2"}]', "bellingcat") == ["not_an_event", "duplicate_key"]


@pytest.mark.parametrize(
    "coordinates",
    ["abc,def", "36,1 48,1", "37.5", "37.5,48.1 37.6,48.2", "37.5, 48.1", "\uff13\uff17,48", "nan,48", "0x25,48"],
)
def test_odd_coordinates_of_a_point_are_refused_and_never_become_a_place(coordinates: str) -> None:
    assert codes(point(coordinates), "kml") == ["coordinate"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<Point><coordinates> </coordinates></Point>", "no_position"),
        ("<Point/>", "no_position"),
        ("", "no_position"),
        ("<Point><coordinates>0,0</coordinates></Point>", "null_island"),
        ("<Point><coordinates>48.1,37.5</coordinates></Point>", "swapped?"),
        ("<Point><coordinates>361,48</coordinates></Point>", "coordinate_range"),
        ("<LineString><coordinates>37,48 38,48</coordinates></LineString>", "geometry"),
        ("<MultiGeometry><Point><coordinates>37,48</coordinates></Point></MultiGeometry>", "geometry"),
        ("<Point><coordinates>37,48</coordinates></Point><Point><coordinates>37,48</coordinates></Point>", "geometry"),
        ("<description>AB<b>C</b></description><Point><coordinates>37,48</coordinates></Point>", "value"),
        (
            "<TimeStamp><when>2026-02-04</when></TimeStamp><Point><coordinates>37,48</coordinates></Point>",
            "duplicate_key",
        ),
    ],
)
def test_a_placemark_that_is_no_one_place_and_time_is_refused(body: str, code: str) -> None:
    assert codes(shape(body), "kml") == [code]


def test_a_placemark_says_its_own_time_text_and_outline() -> None:
    ring = "37,48 37.1,48 37.1,48.1 37,48"
    body = (
        "<Placemark><name>N</name><description><![CDATA[<b>D</b>]]></description>"
        "<TimeSpan><begin>2026-02-03</begin><end>2026-02-05</end></TimeSpan><Polygon><outerBoundaryIs><LinearRing>"
        f"<coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )
    row = told(containers.kml((), more=body), "kml").intake.iloc[0]
    assert (row["text"], str(row["observed_to"])) == ("<b>D</b>", "2026-02-05 21:59:59+00:00")
    assert "POLYGON" in row["footprint"]


def test_a_placemark_that_holds_another_is_one_refused_record() -> None:
    inner = containers.placemark({"observed_from": "2026-02-04", "lon": "37.6", "lat": "48.2", "text": "inner"})
    outer = f"<Point><coordinates>37.5,48.1</coordinates></Point>{inner}"
    found = told(containers.kml((containers.ROWS[0],), more=shape_of(outer)), "kml")
    assert (len(found.intake), found.refused[["row_no", "reason_code"]].to_numpy().tolist()) == (1, [[2, "value"]])
    assert found.refused["reason"][0].startswith("The placemark holds another placemark")
    assert found.refused["raw"][0].decode() == shape_of(outer)


def test_a_link_to_another_file_is_a_refused_record_and_never_followed() -> None:
    link = "<NetworkLink><Link><href>http://127.0.0.1:1/x.kml</href></Link></NetworkLink>"
    assert codes(containers.kml(more=link), "kml") == ["elsewhere"]
    point = "<Point><coordinates>37.5,48.1</coordinates></Point>"
    found = told(containers.kml((containers.ROWS[0],), more=shape_of(point + link)), "kml")
    assert (len(found.intake), found.refused[["row_no", "reason_code"]].to_numpy().tolist()) == (1, [[2, "elsewhere"]])


def test_markup_that_defines_something_is_refused() -> None:
    entity = '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    refused(containers.kml(head=entity), "kml", "xml_entity")
    refused(containers.kml(head='<?xml version="1.0" encoding="windows-1251"?>'), "kml", "encoding")
    refused(containers.kml(more="<Folder>" * 200 + "</Folder>" * 200), "kml", "xml_depth")
    refused(b"<gpx/>", "kml", "xml")
    refused(containers.kml()[:-9], "kml", "xml")


def test_every_kml_of_an_archive_is_read_and_no_archive_within() -> None:
    body = containers.packed({"a.kml": containers.kml(), "b/c.KML": containers.kml(), "d.kmz": b"PK"})
    found = told(body, "kml")
    assert (len(found.intake), found.refused["reason_code"].tolist()) == (4, ["archive"])
    refused(containers.packed({"a.txt": b"x"}), "kml", "archive")


@pytest.mark.parametrize("name", ["../a.kml", "/a.kml", "a/../../b.kml", "C:a.kml", "..\\a.kml"])
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    assert "leads out" in refused(containers.packed({"doc.kml": containers.kml(), name: b"x"}), "kml", "archive")


def test_an_archive_that_holds_too_much_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000)
    refused(containers.packed({"doc.kml": b" " * 2_000}), "kml", "archive_size")
    monkeypatch.setattr(archive, "MOST_ENTRIES", 1)
    refused(containers.kmz(), "kml", "archive_size")


def test_an_archive_that_tells_lies_is_refused() -> None:
    good = containers.kmz()
    size = struct.pack("<I", len(containers.kml()))
    assert good.count(size) >= 2
    refused(good.replace(size, struct.pack("<I", len(containers.kml()) - 9)), "kml", "archive")
    refused(good.replace(size, struct.pack("<I", len(containers.kml()) + 9)), "kml", "archive")
    flipped = bytearray(good)
    flipped[len(good) // 3] ^= 1
    refused(bytes(flipped), "kml", "archive")


def test_every_sheet_of_reports_is_read_and_others_are_named() -> None:
    body = containers.sheet(containers.tabled())
    found = told(containers.workbook({"a": body, "notes": containers.sheet([["x"]]), "b": body}), "xlsx")
    assert len(found.intake) == 4
    assert any("sheets without the columns of reports, not read: 'notes'" in note for note in found.notes)
    assert any("sheet 'b' is rows 3 to 4" in note for note in found.notes)
    assert "no sheet has" in refused(containers.workbook({"n": containers.sheet([["x"]])}), "xlsx", "header")


@pytest.mark.parametrize(("properties", "day"), [("", 46_056), ('<workbookPr date1904="1"/>', 44_594)])
def test_a_date_is_right_in_either_epoch(properties: str, day: int) -> None:
    cells = [
        f'<c r="AT" s="1"><v>{day + (14 * 60 + 5) / 1440!r}</v></c>'.encode(),
        f'<c r="AT" s="2"><v>{day}</v></c>'.encode(),
    ]
    table = [HEADER, [cells[0], 37.5, 48.1], [cells[1], 37.5, 48.1]]
    found = told(containers.workbook({"a": containers.sheet(table)}, properties), "xlsx").intake
    assert found["observed_from"].astype(str).tolist() == ["2026-02-03 12:05:00+00:00", "2026-02-02 22:00:00+00:00"]
    assert str(found["observed_to"].iloc[1]) == "2026-02-03 21:59:59+00:00"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (b'<c r="AT"><f>1+36.5</f></c>', "formula"),
        (b'<c r="AT" t="e"><v>#N/A</v></c>', "formula"),
        (b'<c r="AT" t="b"><v>1</v></c>', "coordinate"),
        (b'<c r="AT" s="1"><v>37.5</v></c>', "coordinate"),
        ("37,5", "coordinate"),
        ("=1+1", "coordinate"),
    ],
)
def test_a_cell_that_is_not_what_it_seems_is_refused(cell: object, code: str) -> None:
    table = [HEADER, ["2026-02-03", cell, 48.1], ["2026-02-03", b'<c r="AT"><f>1+36.5</f><v>37.5</v></c>', 48.1]]
    assert codes(containers.workbook({"a": containers.sheet(table)}), "xlsx") == [code]


def test_a_cell_far_from_all_others_is_refused_before_room_is_made_for_it() -> None:
    far = containers.sheet(containers.tabled(), '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    assert "XFD1048576" in refused(containers.workbook({"a": far}), "xlsx", "sheet_size")


def test_a_workbook_that_is_none_is_refused() -> None:
    refused(b"PK\x03\x04", "xlsx", "archive")
    refused(b"\xd0\xcf\x11\xe0", "xlsx", "workbook")
    refused(containers.packed({"x": b"y"}), "xlsx", "workbook")
    laughs = b'<!DOCTYPE x [<!ENTITY a "b">]><sst>&a;</sst>'
    body = containers.sheet(containers.tabled())
    refused(containers.workbook({"a": body}, files={"xl/sharedStrings.xml": laughs}), "xlsx", "xml_entity")
    assert xlsx.FORMAT == "xlsx"


def test_every_layer_is_read_and_the_counts_of_the_file_are_not_believed() -> None:
    lie = "UPDATE gpkg_ogr_contents SET feature_count = 0"
    assert len(told(containers.gpkg(script=lie, layers=("a", "b")), "gpkg").intake) == 4


@pytest.mark.parametrize(
    "script",
    [
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x FROM c",
        "CREATE TRIGGER evil AFTER INSERT ON reports BEGIN DELETE FROM reports; END",
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        'CREATE VIRTUAL TABLE "t USING rtree" USING fts5(x)',
        "CREATE VIRTUAL TABLE t/**/USING/**/fts5(x)-- USING rtree",
    ],
)
def test_a_geopackage_that_could_run_something_is_refused(script: str) -> None:
    refused(containers.gpkg(script=script), "gpkg", "geopackage")


def test_a_geopackage_with_the_usual_index_is_read() -> None:
    script = (
        "CREATE VIRTUAL TABLE rtree_reports_geom USING rtree(id, minx, maxx, miny, maxy);"
        "CREATE TRIGGER rtree_reports_geom_insert AFTER INSERT ON reports BEGIN SELECT 1; END;"
        "CREATE TRIGGER trigger_insert_feature_count_reports AFTER INSERT ON reports BEGIN SELECT 1; END;"
    )
    assert len(told(containers.gpkg(script=script), "gpkg").intake) == 2


def test_a_layer_whose_name_has_a_space_is_read_with_its_index() -> None:
    script = 'CREATE VIRTUAL TABLE "rtree_my ""own"" reports_geom" USING rtree(id, minx, maxx, miny, maxy)'
    assert len(told(containers.gpkg(script=script, layers=('my "own" reports',)), "gpkg").intake) == 2


def test_no_column_takes_the_place_of_the_geometry() -> None:
    usual = told(containers.gpkg(), "gpkg").intake
    script = """ALTER TABLE reports ADD COLUMN "Lat " TEXT; UPDATE reports SET "Lat " = '48.9'"""
    pd.testing.assert_frame_equal(told(containers.gpkg(script=script), "gpkg").intake, usual)
    twice = """ALTER TABLE reports ADD COLUMN " Act" TEXT; UPDATE reports SET " Act" = 'drone'"""
    assert codes(containers.gpkg(script=twice), "gpkg") == ["duplicate_key"] * 2


def test_a_geopackage_that_is_cut_open_elsewhere_or_of_another_system_is_refused() -> None:
    good = containers.gpkg()
    assert "cut" in refused(good[:-1], "gpkg", "geopackage")
    assert "open" in refused(good[:18] + b"\2\2" + good[20:], "gpkg", "geopackage")
    refused(good.replace(b"GPKG", b"XXXX", 1), "gpkg", "geopackage")
    refused(containers.gpkg(srs=3857), "gpkg", "crs")
    refused(containers.gpkg([{"colour": "red"}]), "gpkg", "header")
    assert "damaged" in refused(good[:-4_096] + b"\xff" * 4_096, "gpkg", "geopackage")


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        ("NULL", "no_position"),
        ("x'00'", "geometry"),
        ("x'" + (b"GP\0\1\xe6\x10\0\0\1" + struct.pack("<I", 1)).hex() + "'", "geometry"),
        ("x'" + (b"GP\0\1\xe6\x10\0\0\1" + struct.pack("<II", 3, 2**31)).hex() + "'", "geometry"),
        ("x'" + (b"GP\0\1\xe6\x10\0\0" + b"\1\7\0\0\0\1\0\0\0" * 50_000).hex() + "'", "geometry"),
        ("x'" + containers.wkb_point(float("nan"), float("nan")).hex() + "'", "no_position"),
        ("x'" + containers.wkb_point(float("inf"), 48.1).hex() + "'", "coordinate"),
        ("x'" + containers.wkb_point(48.1, 37.5).hex() + "'", "swapped?"),
    ],
)
def test_a_geometry_that_is_no_place_is_refused(geometry: str, code: str) -> None:
    assert codes(containers.gpkg(script=f"UPDATE reports SET geom = {geometry} WHERE fid = 1"), "gpkg") == [code]  # noqa: S608 -- our own


def test_text_that_is_none_is_refused_with_its_row() -> None:
    script = "UPDATE reports SET source_ref = CAST(x'ff' AS TEXT) WHERE fid = 2"
    assert codes(containers.gpkg(script=script), "gpkg") == ["encoding"]


def test_a_workbooks_own_columns_are_read_as_its_source_declares_them() -> None:
    columns = (("observed_from", ("Datum", "Uhrzeit")), ("lon", ("Länge",)), ("lat", ("Breite",)))
    writer = readings.source("xlsx", dialect=Dialect(columns=columns, dates="day-first"))
    table = [["DATUM", "Uhrzeit", "Länge", "Breite", "lon"], ["25.02.2026", "14:05", "37.5", "48.1", "9"]]
    book = containers.workbook({"a": containers.sheet(table)})
    reading = read(book, writer, readings.THEATRE, readings.POLICY, "file.xlsx")
    (row,) = reading.intake.to_dict("records")
    assert (row["observed_from"].isoformat(), row["lon"], row["lat"]) == ("2026-02-25T12:05:00+00:00", 37.5, 48.1)
    plain = containers.workbook({"a": containers.sheet([["observed_from", "lon", "lat"], ["2026-02-25", "1", "2"]])})
    with pytest.raises(InputError, match="no sheet has the columns Datum with Uhrzeit, Länge, Breite in its first row"):
        read(plain, writer, readings.THEATRE, readings.POLICY, "file.xlsx")
