"""How does a test make the same reports in every container: KML, KMZ, XLSX, GeoPackage, JSON lists?

Written by hand, so that each can also be written wrong.
"""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import readings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Mapping[str, str]

ROWS: tuple[Row, ...] = (
    {"source_ref": "a", "observed_from": "2026-02-03T14:05Z", "lon": "37.5", "lat": "48.1", "act": "shelling"},
    {
        "source_ref": "b",
        "observed_from": "2026-02-04",
        "lon": "37.25",
        "lat": "48.125",
        "count": "2-5",
        "text": "Ж <&> ",
    },
)
_NS = 'xmlns="http://www.opengis.net/kml/2.2"'
_SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def placemark(row: Row, shape: str | None = None) -> str:
    """Return a placemark; ``shape`` in place of its Point."""
    point = f"<Point><coordinates>{row.get('lon', '')},{row.get('lat', '')}</coordinates></Point>"
    data = "".join(
        f"<Data name={quoteattr(name)}><value>{escape(value)}</value></Data>"
        for name, value in row.items()
        if name not in ("lon", "lat")
    )
    return f"<Placemark><ExtendedData>{data}</ExtendedData>{point if shape is None else shape}</Placemark>"


def kml(rows: Iterable[Row] = ROWS, head: str = '<?xml version="1.0" encoding="UTF-8"?>', more: str = "") -> bytes:
    """Return a KML with each row in a folder of its own."""
    folders = "".join(f"<Folder><name>f</name>{placemark(row)}</Folder>" for row in rows)
    return f"{head}<kml {_NS}><Document>{folders}{more}</Document></kml>".encode()


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of those files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def kmz(rows: Iterable[Row] = ROWS) -> bytes:
    """Return a KMZ."""
    return packed({"doc.kml": kml(rows), "files/icon.png": b"\x89PNG"})


def cell(at: str, value: object) -> str:
    """Return a cell: text, number, or XML of one's own (bytes)."""
    if isinstance(value, bytes):
        return value.decode().replace("AT", at)
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>' if value else ""
    return f'<c r="{at}"><v>{value}</v></c>'


def sheet(table: Sequence[Sequence[object]], more: str = "") -> bytes:
    """Return a worksheet."""
    rows = "".join(
        f'<row r="{no}">{"".join(cell(f"{chr(65 + at)}{no}", value) for at, value in enumerate(row))}</row>'
        for no, row in enumerate(table, 1)
    )
    body = f"<worksheet {_SHEET}><sheetData>{rows}{more}</sheetData></worksheet>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()


def workbook(sheets: Mapping[str, bytes], properties: str = "", files: Mapping[str, bytes] | None = None) -> bytes:
    """Return an XLSX of those worksheets; style 1 is a date with a time of day, style 2 a date."""
    types = 'xmlns="http://schemas.openxmlformats.org/package/2006/content-types"'
    links = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{no}" r:id="rId{no}"/>' for no, name in enumerate(sheets, 1)
    )
    linked = "".join(
        f'<Relationship Id="rId{no}" Type="{kind}/worksheet" Target="worksheets/sheet{no}.xml"/>'
        for no in range(1, len(sheets) + 1)
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{no}.xml" ContentType="{main}.worksheet+xml"/>'
        for no in range(1, len(sheets) + 1)
    )
    styles = (
        f'<styleSheet {_SHEET}><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm"/></numFmts>'
        '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
        '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    parts = {
        "[Content_Types].xml": f'<Types {types}><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
        f'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName='
        f'"/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType='
        f'"{main}.styles+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships {links}><Relationship Id="rId1" Type="{kind}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f"<workbook {_SHEET} {_REL}>{properties}<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships {links}>{linked}<Relationship Id="rId99" Type="{kind}/styles" '
        'Target="styles.xml"/></Relationships>',
        "xl/styles.xml": styles,
    }
    body = {name: text.encode() for name, text in parts.items()}
    body |= {f"xl/worksheets/sheet{no}.xml": data for no, data in enumerate(sheets.values(), 1)}
    return packed({**body, **(files or {})})


def tabled(rows: Iterable[Row] = ROWS) -> list[list[object]]:
    """Return rows as a table with a header."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [list(names), *([row.get(name, "") for name in names] for row in rows)]


def xlsx(rows: Iterable[Row] = ROWS) -> bytes:
    """Return a workbook with those rows as text."""
    return workbook({"reports": sheet(tabled(rows))})


def wkb_point(lon: float, lat: float) -> bytes:
    """Return a Point as GeoPackage stores it."""
    return b"GP\0\1" + struct.pack("<i", 4326) + b"\1" + struct.pack("<Idd", 1, lon, lat)


def gpkg(rows: Iterable[Row] = ROWS, script: str = "", srs: int = 4326, layers: Sequence[str] = ("reports",)) -> bytes:
    """Return a GeoPackage with those rows in each layer; ``script`` is run at the end."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row if name not in ("lon", "lat")))
    with closing(sqlite3.connect(":memory:")) as file:
        file.executescript(f"""
            PRAGMA application_id = {0x47504B47}; PRAGMA user_version = 10300;
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT,
                organization_coordsys_id INTEGER, definition TEXT, description TEXT);
            INSERT INTO gpkg_spatial_ref_sys VALUES ('x', {srs}, 'EPSG', {srs}, 'x', 'x');
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT, description TEXT,
                last_change TEXT, min_x REAL, min_y REAL, max_x REAL, max_y REAL, srs_id INTEGER);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT,
                srs_id INTEGER, z INTEGER, m INTEGER);
            CREATE TABLE gpkg_ogr_contents (table_name TEXT PRIMARY KEY, feature_count INTEGER);""")
        for layer in layers:
            quoted = '"' + layer.replace('"', '""') + '"'
            columns = ", ".join(f'"{name}" TEXT' for name in names)
            file.execute(f"CREATE TABLE {quoted} (fid INTEGER PRIMARY KEY, geom BLOB, {columns})")
            file.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES (?, 'features', ?)", (layer, srs)
            )
            file.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'POINT', ?, 0, 0)", (layer, srs))
            file.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (layer, len(rows)))
            marks = ", ".join("?" * (len(names) + 1))
            for row in rows:
                place = wkb_point(float(row["lon"]), float(row["lat"])) if row.get("lon") else None
                values = [row.get(name) for name in names]
                file.execute(f"INSERT INTO {quoted} VALUES (NULL, {marks})", (place, *values))
        file.executescript(script)
        file.commit()
        return file.serialize()


def geojson(rows: Iterable[Row] = ROWS) -> bytes:
    """Return a FeatureCollection."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(row["lon"]), float(row["lat"])]},
            "properties": {name: value for name, value in row.items() if name not in ("lon", "lat")},
        }
        for row in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def events(**changed: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- any JSON
    """Return one event in the manner of Bellingcat, with these members changed."""
    event = {
        "id": "CIV0001", "date": "02/03/2026", "time": "", "location": "Kyiv", "latitude": "48.1", "longitude": 37.5,
        "description": "a school", "sources": [{"path": "https://example.org/1"}], "associations": [{"key": "x"}],
    }  # fmt: skip
    return [{**event, **changed}]


def extracted(**changed: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- any JSON
    """Return one event in the manner of osint-geo-extractor, with these members changed."""
    event = {
        "id": "42", "date": "2026-02-03T00:00:00", "latitude": 48.1, "longitude": 37.5, "place_desc": "Kyiv",
        "title": "a school", "description": "", "source": "CENINFORES", "links": ["https://example.org/1"],
    }  # fmt: skip
    return [{**event, **changed}]


def dumped(value: object) -> bytes:
    """Return JSON."""
    return json.dumps(value).encode()


GOOD = {
    "csv": readings.table(ROWS),
    "geojson": geojson(),
    "kml": kml(),
    "kmz": kmz(),
    "xlsx": xlsx(),
    "gpkg": gpkg(),
    "bellingcat": dumped(events()),
    "osint-geo-extractor": dumped(extracted()),
}
"""A small honest file of each container; ``kmz`` is read as ``kml``."""


def form(name: str) -> str:
    """Return the format that a container is declared as."""
    return "kml" if name == "kmz" else name
