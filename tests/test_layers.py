"""Is what is published exactly what was asked for, and is anything else refused?"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
import shapely
from publishable import AS_OF, DAMAGE, publish, world

from geo import tables
from pipelines import cartography, layers
from pipelines.layers import PublicationError, rows, schema, write
from pipelines.layers.proof import connect, prove

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.cartography import Cartography

    Meant = tuple[Path, tuple[dict[str, pa.Table], Cartography, str]]

RING = [(30, 46), (30, 47), (31, 47), (31, 46), (30, 46)]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "published" / "monitor.gpkg"


# --- what is in the file


def test_the_layers_and_columns_of_the_file_are_those_declared_in_that_order(target: Path) -> None:
    publish(world() | {name: table.head(3) for name, table in world().items() if name != "zones"}, target)
    with closing(connect(target)) as file:
        places = [name for (name,) in file.execute("SELECT table_name FROM gpkg_geometry_columns ORDER BY rowid")]
        assert places == [table.name for table in tables.TABLES if table.geometry]
        named = [name for (name,) in file.execute("SELECT table_name FROM gpkg_contents ORDER BY rowid")]
        assert named == [*(table.name for table in tables.TABLES), "layer_styles"]
        for table in tables.TABLES:
            columns = [row[1] for row in file.execute(f"PRAGMA table_info({table.name})")]
            assert columns == ["fid", *(["geom"] if table.geometry else []), *table.names]


def test_every_value_is_read_again_as_it_was_given(target: Path) -> None:
    given = world(n=60)
    publish(given, target)
    for table in tables.TABLES:
        wanted = tables.conform(given[table.name], table)
        for column in table.columns:
            if column.kind == "time":
                wanted[column.name] = wanted[column.name].dt.floor("ms")
            if column.kind == "text":
                wanted[column.name] = wanted[column.name].str.normalize("NFC")
        read = layers.read_table(target, table.name)
        pd.testing.assert_frame_equal(pd.DataFrame(read[table.names]), pd.DataFrame(wanted[table.names]))
        if table.geometry:
            there = read.geometry.notna().to_numpy()
            assert (there == wanted.geometry.notna().to_numpy()).all()
            assert read.geometry[there].geom_equals(wanted.geometry[there]).all()
            assert set(read.geometry[there].geom_type) == {table.geometry}


def test_times_are_written_in_utc_with_milliseconds_and_truths_and_days_as_such(target: Path) -> None:
    publish(world(), target)
    with closing(connect(target)) as file:
        (instant,) = file.execute("SELECT as_of FROM run").fetchone()
        assert instant == "2026-03-01T06:00:00.250Z"
        assert {day for (day,) in file.execute("SELECT typeof(day) || length(day) FROM incident_days")} == {
            "text10",
            None,
        }
        kinds = {row[1]: row[2] for row in file.execute("PRAGMA table_info(incident_days)")}
        assert (kinds["day"], kinds["valid_from"]) == ("DATE", "DATETIME")
        assert {row[1]: row[2] for row in file.execute("PRAGMA table_info(evidence)")}["pivotal"] == "BOOLEAN"


def test_times_are_cut_to_milliseconds_towards_the_past() -> None:
    given = world(n=3)
    given["reports"]["reported_at"] = pd.to_datetime(
        ["1969-12-31T23:59:59.998001Z", "2026-03-01T06:00:00.000999Z", None], utc=True
    )
    cut = rows.prepare(given)["reports"]["reported_at"].to_pylist()
    assert cut == [pd.Timestamp("1969-12-31T23:59:59.998Z"), pd.Timestamp("2026-03-01T06:00:00Z"), None]


@pytest.mark.parametrize("sign", ["\x00", "\x1f", "\x7f", "\x85"])
def test_a_single_sign_that_must_not_stand_there_is_found_among_plain_texts(sign: str) -> None:
    given = world(n=3)
    given["reports"]["text"] = [" plain ~", f"a{sign}b", None]
    assert rows.prepare(given)["reports"]["text"].to_pylist() == [" plain ~", "ab", None]


def test_texts_lose_what_would_cut_or_turn_them_and_nothing_else(target: Path) -> None:
    given = world(n=7)
    dirty = ["a\x00b", "x\ud800y", "\u202egpj.exe", "e\u0301", "\x01\x02", "tab\tand\r\nline", "\ufeffbom\x9f"]
    given["reports"]["text"] = pd.Series(dirty, dtype=object)
    publish(given, target)
    read = layers.read_table(target, "reports")["text"]
    assert read.tolist()[:4] == ["ab", "x\ufffdy", "gpj.exe", unicodedata.normalize("NFC", "e\u0301")]
    assert pd.isna(read[4])
    assert read.tolist()[5:] == ["tab\tand\nline", "bom"]


def test_shapes_become_what_is_declared_whole_and_right_way_round(target: Path) -> None:
    given = world(n=4)
    clockwise = shapely.Polygon(RING)
    bow_tie = shapely.Polygon([(30, 46), (31, 47), (31, 46), (30, 47), (30, 46)])
    given["zones"].geometry = [clockwise, bow_tie, shapely.Polygon(), shapely.force_3d(clockwise, 9)]
    given["front_line"] = given["front_line"].head(1).set_geometry([shapely.LineString(RING)], crs=4326)
    publish(given, target)
    zones = layers.read_table(target, "zones").geometry
    assert zones.isna().tolist() == [False, False, True, False]
    for shape in zones.dropna():
        assert shape.geom_type == "MultiPolygon"
        assert shape.is_valid
        assert not shape.has_z
        assert all(part.exterior.is_ccw for part in shape.geoms)
    assert zones[1].area == pytest.approx(0.5)
    assert layers.read_table(target, "front_line").geometry[0].geom_type == "MultiLineString"


def test_tables_without_rows_need_no_geometry_and_stand_in_the_file(target: Path) -> None:
    given = {table.name: tables.empty(table) for table in tables.TABLES} | {"run": world()["run"]}
    publish(given, target)
    assert all(layers.read_table(target, name).empty for name in tables.BY_NAME if name != "run")


def test_the_file_says_what_its_columns_mean_and_which_values_they_may_hold(target: Path) -> None:
    publish(world(), target)
    with closing(connect(target)) as file:
        rows = file.execute(
            "SELECT table_name, column_name, description, constraint_name FROM gpkg_data_columns"
        ).fetchall()
        said = {(table, column): (doc, name) for table, column, doc, name in rows}
        for table in tables.TABLES:
            for column in table.columns:
                doc, name = said[table.name, column.name]
                assert doc == column.doc
                query = "SELECT value FROM gpkg_data_column_constraints WHERE constraint_name = ? ORDER BY rowid"
                assert [value for (value,) in file.execute(query, (name,))] == [str(value) for value in column.allowed]
        query = (
            "SELECT value, c.description FROM gpkg_data_column_constraints c JOIN gpkg_data_columns"
            " USING (constraint_name) WHERE table_name = 'incidents' AND column_name = 'tier_peak'"
        )
        tiers = file.execute(query).fetchall()
        assert tiers == [("0", "watch"), ("1", "warning"), ("2", "coalition"), ("3", "co-ordinated")]


def test_what_bears_a_name_is_found_without_reading_all_rows(target: Path) -> None:
    with closing(connect(publish(world(), target).path)) as file:
        for name, columns in schema.INDEXED.items():
            for column in columns:
                asked = f"SELECT * FROM {name} WHERE {column} IN (SELECT value FROM json_each('[]'))"  # noqa: S608 - our own names
                plan = file.execute(f"EXPLAIN QUERY PLAN {asked}").fetchall()
                assert f"USING INDEX {schema.index(name, column)} " in str(plan)


def test_the_geopackage_validator_finds_nothing_to_say(target: Path) -> None:
    asked = [sys.executable, "/usr/bin/python3"]
    found = [python for python in asked if Path(python).exists() and _imports(python, "osgeo_utils")]
    if not found:
        pytest.skip("gdal-utils is not installed")
    publish(world(), target)
    validator = [found[0], "-W", "ignore", "-m", "osgeo_utils.samples.validate_gpkg"]
    command = [*validator, "--extra", "--warning-as-error", "-k", target]
    verdict = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def _imports(python: str, module: str) -> bool:
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def test_the_same_tables_give_the_same_bytes_anywhere_and_at_any_time(tmp_path: Path) -> None:
    first = publish(world(), tmp_path / "a" / "monitor.gpkg")
    second = publish(world(), tmp_path / "b" / "monitor.gpkg")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.path.with_suffix(".qgz").read_bytes() == second.path.with_suffix(".qgz").read_bytes()
    assert first.sha256 == second.sha256 == hashlib.sha256(first.path.read_bytes()).hexdigest()
    with closing(connect(first.path)) as file:
        changed = file.execute("SELECT DISTINCT last_change FROM gpkg_contents").fetchall()
    assert changed == [("2026-03-01T06:00:00.250Z",)]


# --- what is refused


def _drop(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda given: given.pop(name)


def _put(table: str, column: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(given: dict[str, Any]) -> None:
        values = given[table][column].astype(object)
        values.iloc[0] = value
        given[table][column] = values

    return change


def _geometry(table: str, shape: object, crs: int = 4326) -> Callable[[dict[str, Any]], object]:
    def change(given: dict[str, Any]) -> None:
        given[table] = given[table].set_geometry([shape] * len(given[table]), crs=crs)

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_drop("lineage"), "tables are missing: lineage"),
        (lambda given: given.update(rumours=given["run"]), "tables are not declared: rumours"),
        (
            lambda given: given["segments"].pop("part"),
            "table segments is not as declared: .*part",
        ),
        (_put("violations", "status", "certain"), "violations.status holds 'certain'; declared are: alleged, "),
        (_put("transitions", "tier_to", 4), "transitions.tier_to holds 4"),
        (_put("reports", "distance_m", float("inf")), "reports.distance_m holds an infinite number"),
        (_put("incident_days", "day", "3 Feb"), "incident_days.day does not hold date"),
        (_put("reports", "ledger_no", "x"), "table reports is not as declared"),
        (_geometry("reports", shapely.Point(30, 91)), "row 1 of reports has a place that is not on the globe"),
        (_geometry("reports", shapely.Point(float("inf"), 1)), "not on the globe"),
        (_geometry("zones", shapely.Point(30, 46)), "zones is declared as MultiPolygon and holds POINT"),
        (_geometry("reports", shapely.Point(30, 46), crs=3857), "the shapes of reports are in .*not in WGS 84"),
        (_put("run", "as_of", pd.NaT), "says nothing in as_of"),
        (lambda given: given.update(run=pd.concat([given["run"]] * 2)), "table run must have one row"),
    ],
)
def test_tables_that_are_not_as_declared_are_refused_by_name(
    target: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    given = world()
    change(given)
    with pytest.raises(PublicationError, match=sentence):
        layers.publish(given, target, keep=1, run_id="run-1")
    assert not target.exists()


def test_a_run_id_that_the_run_does_not_bear_is_refused(target: Path) -> None:
    with pytest.raises(PublicationError, match="with run_id 'other'"):
        layers.publish(world("run-1"), target, keep=1, run_id="other")


def _built(folder: Path, frames: dict[str, pd.DataFrame]) -> Meant:
    path, given = folder / "monitor.gpkg", rows.prepare(frames)
    meant = given, cartography.draw(given, path.name, None), "2026-03-01T06:00:00.250Z"
    write.build(path, *meant)
    return path, meant


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Meant:
    """Return a file as it is built, and what it was built from."""
    return _built(tmp_path_factory.mktemp("sound"), world())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Meant:
    """Return a file with more rows of one table than are read at a time."""
    given = world()
    given["evidence"] = pd.concat([given["evidence"]] * 2334, ignore_index=True)
    return _built(tmp_path_factory.mktemp("many"), given)


def test_texts_that_are_held_once_and_shapes_that_stand_in_many_rows_are_published_as_any_others(
    tmp_path: Path, sound: Meant
) -> None:
    given = world()
    texts = [column.name for column in tables.EVIDENCE.columns if column.kind == "text"]
    given["evidence"] = given["evidence"].astype(dict.fromkeys(texts, "category"))
    days = given["incident_days"]
    days.loc[:, "geometry"] = [days.geometry.iloc[n // 2] for n in range(len(days))]
    path, (held, *_) = _built(tmp_path, given)
    prove(path, held, *_)
    plain = given["incident_days"].geometry.map(lambda shape: None if shape is None else shapely.wkt.loads(shape.wkt))
    again = rows.prepare({**given, "incident_days": days.set_geometry(plain)})
    assert held["incident_days"]["geometry"].to_pylist() == again["incident_days"]["geometry"].to_pylist()
    for name in texts:
        assert held["evidence"][name].to_pylist() == sound[1][0]["evidence"][name].to_pylist()
        assert pa.types.is_dictionary(held["evidence"][name].type)


@pytest.mark.parametrize("name", DAMAGE)
def test_every_kind_of_damage_is_found_and_named(sound: Meant, tmp_path: Path, name: str) -> None:
    damage, sentence = DAMAGE[name]
    path = Path(shutil.copy(sound[0], tmp_path))
    prove(path, *sound[1])
    damage(path)
    with pytest.raises(PublicationError, match=sentence):
        prove(path, *sound[1])


@pytest.mark.parametrize("row", [1, 65_536, 65_537, 70_000])
def test_a_changed_value_is_found_wherever_it_stands(many: Meant, tmp_path: Path, row: int) -> None:
    path = Path(shutil.copy(many[0], tmp_path))
    prove(path, *many[1])
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE evidence SET report_id = 'x' WHERE fid = ?", [row])
    with pytest.raises(PublicationError, match="evidence is read with other values in report_id"):
        prove(path, *many[1])


def test_check_tells_a_publication_from_another(target: Path) -> None:
    publish(world(n=10), target)
    layers.check(target, world(n=10))
    with pytest.raises(PublicationError, match="reports has 10 rows, not 11"):
        layers.check(target, world(n=11))


def test_what_cannot_be_read_is_said_to_be_so(target: Path) -> None:
    assert layers.read_run(target) is None
    with pytest.raises(PublicationError, match="no table is called 'rumours'"):
        layers.read_table(target, "rumours")
    with pytest.raises(PublicationError, match=r"table run of .* cannot be read"):
        layers.read_table(target, "run")


def test_the_run_is_read_with_its_types(target: Path) -> None:
    given = world()
    given["run"] = given["run"].assign(hindsight=True, replay=None, ledger_no=7, title=None)
    publish(given, target)
    run = layers.read_run(target)
    assert run is not None
    assert list(run) == tables.RUN.names
    assert (run["as_of"], run["hindsight"], run["replay"], run["ledger_no"], run["title"]) == (
        AS_OF,
        True,
        None,
        7,
        None,
    )
