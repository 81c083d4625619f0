"""Which files would an enemy send?

Each kind of the notes on hostile input, in every format that can carry it. A case says what must become of it: the code
of the whole file (several: any of them), or how many records are taken in.
"""

from __future__ import annotations

import io
import json
import random
import stat
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import containers
import readings
import traps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMS = ("csv", "geojson", "kml", "xlsx", "gpkg", "bellingcat", "osint-geo-extractor", "ucdp", "firms")
REFUSED = frozenset({
    "encoding", "empty", "header", "json", "crs", "xml", "xml_entity", "xml_depth", "archive", "archive_size",
    "workbook", "sheet_size", "geopackage",
})  # fmt: skip
GOOD = len(containers.ROWS)


@dataclass(frozen=True)
class Case:
    """A hostile file; ``codes``: it is refused whole with one of them; ``taken``: so many records are taken in."""

    name: str
    form: str
    data: bytes
    codes: frozenset[str] = frozenset()
    taken: int | None = None


def cases(trap: traps.Trap) -> list[Case]:
    """Return all of them."""
    return [
        *_pointers(trap),
        *_markup(trap),
        *_archives(),
        *_workbooks(trap),
        *_databases(),
        *_json(),
        *_tables(),
    ]


def _pointers(trap: traps.Trap) -> Iterator[Case]:
    """Files whose content makes GDAL open another file or call somebody, under every name and in archives."""
    canary, web = trap.folder / "canary.csv", f"http://127.0.0.1:{trap.port}/x"
    words = [
        f"CSV:{canary}", f"{canary}", f"/vsisubfile/0_100,{canary}", f"/vsicurl/{web}", f"/vsizip/{canary}/x", web,
        f"WFS:{web}", f"OAPIF:{web}", f"ES:{web}", f"CSW:{web}", f"GeoJSON:{web}", f"file://{canary}",
    ]  # fmt: skip
    bodies = {**traps.lures(trap), **{f"words-{at}": word.encode() for at, word in enumerate(words)}}
    for name, body in bodies.items():
        for form in FORMS[:5] if name.startswith("words") else FORMS:
            yield Case(name, form, body, REFUSED)
        yield Case(f"kmz-of-{name}", "kml", containers.packed({"doc.kml": body}), frozenset({"xml"}))
        yield Case(f"beside-{name}", "kml", containers.packed({"doc.kml": containers.kml(), "x.vrt": body}), taken=GOOD)


def _markup(trap: traps.Trap) -> Iterator[Case]:
    canary, web = f"file://{trap.folder}/canary.txt", f"http://127.0.0.1:{trap.port}/x"
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    kinds = {
        "xxe-file": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{canary}">]>',
        "xxe-web": f'<!DOCTYPE x [<!ENTITY e SYSTEM "{web}">]>',
        "xxe-parameter": f'<!DOCTYPE x [<!ENTITY % e SYSTEM "{web}"> %e;]>',
        "dtd-web": f'<!DOCTYPE x SYSTEM "{web}">',
        "dtd-public": f'<!DOCTYPE x PUBLIC "-//X//Y" "{web}">',
        "laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>',
        "quadratic": f'<!DOCTYPE x [<!ENTITY q "{"q" * 50_000}">]>',
        "attlist": '<!DOCTYPE x [<!ATTLIST x y CDATA "z">]>',
        "empty-dtd": "<!DOCTYPE x []>",
    }
    sheet = containers.sheet(containers.tabled())
    for name, dtd in kinds.items():
        evil = dtd.encode() + b"<x>&e;&l8;</x>"
        yield Case(name, "kml", containers.kml(head=dtd), frozenset({"xml_entity"}))
        yield Case(name, "kml", containers.packed({"doc.kml": containers.kml(head=dtd)}), frozenset({"xml_entity"}))
        for part in ("sharedStrings", "theme/theme1", "worksheets/_rels/x"):
            body = containers.workbook({"a": sheet}, files={f"xl/{part}.xml": evil})
            yield Case(f"{name}-{part}", "xlsx", body, frozenset({"xml_entity"}))
        yield Case(
            f"{name}-sheet", "xlsx", containers.workbook({"a": dtd.encode() + sheet[38:]}), frozenset({"xml_entity"})
        )
    calls = {
        "stylesheet": f'<?xml-stylesheet href="{web}"?>',
        "include": f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{canary}"/>',
        "icon": f"<Style><IconStyle><Icon><href>{web}</href></Icon></IconStyle></Style>",
        "schema": f'<x xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="{web} {web}"/>',
    }
    for name, more in calls.items():
        yield Case(name, "kml", containers.kml(more=more), taken=GOOD)
    for name in ("NetworkLink", "GroundOverlay", "PhotoOverlay", "ScreenOverlay"):
        more = f"<{name}><Link><href>{web}</href></Link><Icon><href>{canary}</href></Icon></{name}>"
        yield Case(name, "kml", containers.kml(more=more), taken=GOOD)
    deep = "<Folder>" * 100_000
    yield Case("deep", "kml", containers.kml(more=deep), frozenset({"xml_depth"}))
    yield Case("deep", "xlsx", containers.workbook({"a": b"<a>" * 100_000}), frozenset({"xml_depth"}))
    for encoding in ("utf-32", "cp1251", "koi8-u"):
        body = containers.kml([{**containers.ROWS[0], "text": "боєць"}]).decode().encode(encoding)
        yield Case(encoding, "kml", body, frozenset({"encoding", "xml"}))
    attributes = " ".join(f"a{n}='x'" for n in range(20_000))
    yield Case("wide", "kml", containers.kml(more=f"<x {attributes}/>"), taken=GOOD)


def _archives() -> Iterator[Case]:
    kml, book = containers.kml(), zipfile.ZipFile(io.BytesIO(containers.xlsx()))
    parts = {name: book.read(name) for name in book.namelist()}
    broken = frozenset({"archive"})
    for form, honest in (("kml", {"doc.kml": kml}), ("xlsx", parts)):
        for at, name in enumerate(("../x", "/etc/x", "a/../../x", "..\\x", "C:\\x", "c:x", "\\\\host\\x", "a/..")):
            yield Case(f"escape-{at}", form, containers.packed({**honest, name: b"x"}), broken)
        yield Case("link", form, _with(honest, "x", b"/etc/passwd", mode=stat.S_IFLNK | 0o777), broken)
        yield Case("bzip2", form, _with(honest, "x", b"x" * 99, method=zipfile.ZIP_BZIP2), broken)
        yield Case("lzma", form, _with(honest, "x", b"x" * 99, method=zipfile.ZIP_LZMA), broken)
        yield Case(
            "many",
            form,
            containers.packed({**honest, **{f"x{n}": b"" for n in range(2_000)}}),
            frozenset({"archive_size"}),
        )
        good = containers.packed(honest)
        yield Case("bomb", form, _claiming(good, 2**31), frozenset({"archive_size", "archive"}))
        yield Case("liar", form, _claiming(good, 1), broken)
        flags = good.index(b"PK\1\2") + 8
        yield Case("encrypted", form, good[:flags] + b"\1" + good[flags + 1 :], broken)
        yield Case("overlap", form, _overlapping(good), broken)
        yield Case("no-contents", form, good[: good.rfind(b"PK\1\2")], broken)
        yield Case("only-a-head", form, b"PK\3\4", broken)
        yield Case("only-an-end", form, b"PK\5\6" + bytes(18), frozenset({"archive", "xml", "workbook"}))
        yield Case("nested", form, containers.packed({"x.zip": good}), frozenset({"archive", "workbook"}))
        for at in range(5):
            bent = bytearray(good)
            bent[len(good) * (at + 1) // 40 + 40] ^= 0xFF
            yield Case(f"bent-{at}", form, bytes(bent), broken)
    yield Case("inflating", "kml", _inflating(), frozenset({"archive", "xml", "archive_size"}))


def _with(
    files: Mapping[str, bytes], name: str, body: bytes, mode: int = 0o644, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, content)
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, body, method)
    return out.getvalue()


def _claiming(archive: bytes, size: int) -> bytes:
    """Return the archive with its table of contents saying that its first file has that size."""
    at = archive.index(b"PK\1\2") + 24
    return archive[:at] + struct.pack("<I", size) + archive[at + 4 :]


def _overlapping(archive: bytes) -> bytes:
    """Return the archive with an entry added to its table that lies on the first."""
    contents, end = archive.index(b"PK\1\2"), archive.rindex(b"PK\5\6")
    first = archive[contents : archive.find(b"PK\1\2", contents + 4) if archive.count(b"PK\1\2") > 1 else end]
    length = struct.unpack_from("<H", first, 28)[0]
    twin = first[:46] + b"~" * length + first[46 + length :]
    total = struct.unpack_from("<H", archive, end + 10)[0] + 1
    size = struct.unpack_from("<I", archive, end + 12)[0] + len(twin)
    tail = archive[end : end + 8] + struct.pack("<HHI", total, total, size) + archive[end + 16 :]
    return archive[:end] + twin + tail


def _inflating() -> bytes:
    """Return a KMZ that says it is small and inflates to 100 MiB."""
    return _claiming(containers.packed({"doc.kml": bytes(100 * 2**20)}), 1_000)


def _workbooks(trap: traps.Trap) -> Iterator[Case]:
    table, web = containers.tabled(), f"http://127.0.0.1:{trap.port}/x"
    sheet = containers.sheet(table)
    head = table[0]
    for at, codes in (("XFD1048576", {"sheet_size"}), ("A1048576", ()), ("XFD1", ()), ("ZZ999999", {"sheet_size"})):
        far = f'<row><c r="{at}"><v>1</v></c></row>'
        yield Case(f"far-{at}", "xlsx", containers.workbook({"a": containers.sheet(table, far)}), frozenset(codes))
    for name, cell in {
        "uncached": b'<c r="AT"><f>WEBSERVICE("' + web.encode() + b'")</f></c>',
        "dde": b"<c r=\"AT\"><f>cmd|'/C calc'!A0</f></c>",
        "error": b'<c r="AT" t="e"><v>#REF!</v></c>',
        "no-string": b'<c r="AT" t="s"><v>99</v></c>',
        "no-number": b'<c r="AT"><v>x</v></c>',
        "no-type": b'<c r="AT" t="zz"><v>1</v></c>',
    }.items():
        row = [cell if column == "lon" else value for column, value in zip(head, table[1], strict=True)]
        data = containers.workbook({"a": containers.sheet([head, row, table[2]])})
        if name in ("uncached", "dde", "error"):
            yield Case(name, "xlsx", data, taken=1)
        else:
            yield Case(name, "xlsx", data)
    link = f'<Relationship Id="r" Type="externalLink" Target="{web}" TargetMode="External"/>'
    links = f"<Relationships>{link}</Relationships>"
    for part in ("externalLinks/_rels/x.rels", "externalLinks/x.xml", "worksheets/_rels/sheet1.xml.rels"):
        yield Case(
            f"external-{part}",
            "xlsx",
            containers.workbook({"a": sheet}, files={f"xl/{part}": links.encode()}),
            taken=GOOD,
        )
    yield Case("macros", "xlsx", containers.workbook({"a": sheet}, files={"xl/vbaProject.bin": b"\0" * 99}), taken=GOOD)
    yield Case("hidden", "xlsx", containers.workbook({"a": containers.sheet([["x"]]), "b": sheet}), taken=GOOD)
    yield Case(
        "twice",
        "xlsx",
        containers.workbook({"a": containers.sheet([[*head, "lon"], [*table[1], "1"]])}),
        frozenset({"header"}),
    )
    yield Case("placeless", "xlsx", containers.workbook({"a": sheet.replace(b' r="A1"', b"")}), frozenset({"workbook"}))
    yield Case("cut-sheet", "xlsx", containers.workbook({"a": sheet[:-30]}), frozenset({"xml"}))


def _databases() -> Iterator[Case]:
    refused = frozenset({"geopackage"})
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    scripts = {
        "endless-view": f"CREATE VIEW v AS {endless}",
        "listed-view": f"CREATE VIEW v AS {endless}; UPDATE gpkg_contents SET table_name = 'v'",
        "fat-view": "CREATE VIEW v AS SELECT randomblob(400000000) AS observed_from",
        "catalogue-view": "DROP TABLE gpkg_ogr_contents; CREATE VIEW gpkg_ogr_contents AS SELECT 1",
        "trigger": "CREATE TRIGGER t AFTER INSERT ON reports BEGIN DELETE FROM reports; END",
        "fts": "CREATE VIRTUAL TABLE t USING fts5(x)",
        "false-rtree": "CREATE VIRTUAL TABLE t USING fts5(rtree)",
    }
    for name, script in scripts.items():
        yield Case(name, "gpkg", containers.gpkg(script=script), refused)
    for count in (0, 1, 3, -1, 10**9):
        data = containers.gpkg(script=f"UPDATE gpkg_ogr_contents SET feature_count = {count}")
        yield Case(f"count-{count}", "gpkg", data, taken=GOOD)
    style = (
        "CREATE TABLE layer_styles (id, f_table_name, styleQML); INSERT INTO layer_styles VALUES (1, 'reports', '<x/>')"
    )
    yield Case("styles", "gpkg", containers.gpkg(script=style), taken=GOOD)
    yield Case("layers", "gpkg", containers.gpkg(layers=("a", 'b"; DROP TABLE a; --', "c' OR '1'='1")), taken=3 * GOOD)
    generated = "ALTER TABLE reports ADD COLUMN fat TEXT GENERATED ALWAYS AS (hex(zeroblob(400000000))) VIRTUAL"
    yield Case("generated", "gpkg", containers.gpkg(script=generated), refused)
    column = 'ALTER TABLE reports ADD COLUMN "x\'); DROP TABLE reports; --" TEXT'
    yield Case("column", "gpkg", containers.gpkg(script=column), taken=GOOD)
    good = containers.gpkg()
    yield Case("wal", "gpkg", good[:18] + b"\2\2" + good[20:], refused)
    yield Case("no-pages", "gpkg", good[:100], refused)
    for page in (0, 1, 512, 3, 65_535):
        yield Case(f"page-{page}", "gpkg", good[:16] + struct.pack(">H", page) + good[18:], refused)
    for at in range(10):
        bent = bytearray(good)
        start = 100 + at * (len(good) - 200) // 10
        bent[start : start + 64] = b"\xff" * 64
        yield Case(f"bent-{at}", "gpkg", bytes(bent))
    deep = b"GP\0\1\xe6\x10\0\0" + b"\1\7\0\0\0\1\0\0\0" * 100_000
    yield Case(
        "deep", "gpkg", containers.gpkg(script=f"UPDATE reports SET geom = x'{deep.hex()}' WHERE fid = 1"), taken=1
    )
    yield Case("other-system", "gpkg", containers.gpkg(srs=3857), frozenset({"crs"}))


def _json() -> Iterator[Case]:
    feature = json.loads(containers.geojson())["features"][0]
    event, extracted = containers.events()[0], containers.extracted()[0]
    values = [
        "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9223372036854775809", "true", "null", '"37,5"', '"3_7"',
        "[37]", "{}", "1" * 5_000, '"\\u0000"', '"\\ud800"', '"=1+1"', "361", "0",
    ]  # fmt: skip
    for at, value in enumerate(values):
        text = json.dumps({**feature, "geometry": {"type": "Point", "coordinates": ["LON", 48.1]}}).replace(
            '"LON"', value
        )
        yield Case(f"lon-{at}", "geojson", f'{{"type":"FeatureCollection","features":[{text}]}}'.encode(), taken=0)
        for form, name, each in (("bellingcat", "longitude", event), ("osint-geo-extractor", "longitude", extracted)):
            text = json.dumps([{**each, name: "LON"}]).replace('"LON"', value)
            yield Case(f"lon-{at}", form, text.encode(), taken=0)
    for name, text in {
        "deep": "[" * 200_000, "deep-objects": '{"a":' * 200_000, "cut": '[{"id": ', "junk": "[] []", "comma": "[1,]",
        "comment": "[] // x", "quotes": "['a']", "bom-inside": "\ufeff\ufeff[]", "word": "undefined",
    }.items():  # fmt: skip
        for form in ("geojson", "bellingcat", "osint-geo-extractor"):
            yield Case(name, form, text.encode(), REFUSED)
    for name, items in {
        "strings": ["a", 1, None, [], True],
        "nested": [{"type": "FeatureCollection", "features": [feature]}],
        "circle": [{**feature, "geometry": {"type": "Circle", "coordinates": [37, 48], "radius": 5}}],
        "short": [{**feature, "geometry": {"type": "Point", "coordinates": [37]}}],
        "link": [{**feature, "geometry": {"$ref": "file:///etc/passwd"}}],
    }.items():
        yield Case(name, "geojson", json.dumps({"type": "FeatureCollection", "features": items}).encode(), taken=0)
    other = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:3857"}}, "features": []}
    yield Case("crs", "geojson", json.dumps(other).encode(), frozenset({"crs"}))


def _tables() -> Iterator[Case]:
    row = dict(readings.GOOD)
    for name, wkt in {
        "deep": "GEOMETRYCOLLECTION(" * 100_000 + "POINT(1 1)",
        "corners": f"POLYGON (({', '.join(f'37.{n} 48' for n in range(50_000))}))",
        "bowtie": "POLYGON ((37 48, 38 49, 38 48, 37 49, 37 48))",
        "nan": "POLYGON ((nan nan, 38 49, 38 48, nan nan))",
        "globe": "POLYGON ((-180 -90, 180 -90, 180 90, -180 90, -180 -90))",
    }.items():
        yield Case(f"wkt-{name}", "csv", readings.table([{**row, "lon": "", "lat": "", "footprint": wkt}]), taken=0)
    good = readings.table([row] * 3)
    lines = good.splitlines(keepends=True)
    rng = random.Random(6)  # noqa: S311 -- the same files each time
    damages = {
        "nul": good.replace(b"37.5", b"37\0.5", 1), "unclosed": lines[0] + b'"' + b"".join(lines[1:]),
        "stray": lines[0] + lines[1].replace(b"2026", b'2026"', 1) + lines[2], "long": good.replace(b"\n", b",x\n"),
        "header-only": lines[0], "empty": b"", "space": b" \r\n\t", "utf-16": good.decode().encode("utf-16"),
        "bad-byte": good.replace(b"37.5", b"37\xff5", 1), "huge": lines[0] + b"x" * 300_000 + b"\n" + lines[1],
        "returns": good.replace(b"\n", b"\r"), "twice": good.replace(b"lat", b"lon", 1), "noise": rng.randbytes(5_000),
        "quotes": lines[0] + b'"' * 9_999 + b"\n" + lines[1], "commas": lines[0] + b"," * 99_999 + b"\n" + lines[1],
        "html": b"<!doctype html><title>502</title>", "pdf": b"%PDF-1.7\n", "gzip": b"\x1f\x8b\x08" + bytes(50),
    }  # fmt: skip
    for name, data in damages.items():
        for form in ("csv", "ucdp", "firms"):
            yield Case(name, form, data)
    for form in FORMS:
        yield Case("nothing", form, b"", REFUSED)
        yield Case("zeros", form, bytes(4_096))
