"""Is what is published whole, exactly what was asked for, and never half there?"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import tables
from pipelines import gdal, layers
from pipelines.layers import PublicationError, rows, swap, write
from pipelines.layers.proof import connect, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from geo.tables import Column, Table

ROOT = Path(__file__).parents[1]
AS_OF = pd.Timestamp("2026-03-01T06:00:00.250Z")
TEXTS = (
    "обстріл",
    "a'; DROP TABLE reports; --",
    "<b>shell</b>",
    '"quoted", comma',
    "two\nlines",
    "北",
    "🟥",
    "NULL",
    "e\u0301",
)
RING = [(30, 46), (30, 47), (31, 47), (31, 46), (30, 46)]


# --- tables made from the declaration


def _values(column: Column, rng: np.random.Generator, n: int) -> list[Any]:
    """Return n values of a column, each third one missing."""
    instants = AS_OF + pd.to_timedelta(rng.integers(-(10**12), 10**12, n), unit="us")
    made: dict[str, Callable[[], Any]] = {
        "text": lambda: [f"{column.name} {i} {TEXTS[i % len(TEXTS)]}" for i in rng.integers(0, 10**6, n)],
        "int": lambda: rng.integers(-5, 2**53, n).tolist(),
        "real": lambda: rng.normal(0, 1e5, n).tolist(),
        "bool": lambda: rng.choice([True, False], n).tolist(),
        "time": instants.tolist,
        "date": lambda: [f"{instant:%Y-%m-%d}" for instant in instants],
    }
    values = [column.allowed[i % len(column.allowed)] for i in range(n)] if column.allowed else made[column.kind]()
    return [None if rng.random() < 1 / 3 else value for value in values]


def _shapes(table: Table, rng: np.random.Generator, n: int) -> list[Any]:
    places = shapely.points(rng.uniform(22, 40, n), rng.uniform(44, 52, n))
    if table.geometry == "Point":
        shapes = places
    elif table.geometry == "MultiPolygon":
        shapes = shapely.buffer(places, 0.2, quad_segs=2)
    else:
        shapes = shapely.boundary(shapely.buffer(places, 0.2, quad_segs=2))
    return [None if rng.random() < 1 / 5 else shape for shape in shapes]


def _table(table: Table, rng: np.random.Generator, n: int) -> pd.DataFrame:
    columns = {c.name: pd.Series(_values(c, rng, n), dtype=tables.PANDAS[c.kind]) for c in table.columns}
    frame = pd.DataFrame(columns)
    return gpd.GeoDataFrame(frame, geometry=_shapes(table, rng, n), crs=4326) if table.geometry else frame


def world(run_id: str = "run-1", seed: int = 0, n: int = 30) -> dict[str, pd.DataFrame]:
    """Return random tables as declared, with unusual texts and something missing in every column."""
    rng = np.random.default_rng(seed)
    made = {table.name: _table(table, rng, n) for table in tables.TABLES}
    made["run"] = made["run"].head(1).assign(run_id=run_id, as_of=AS_OF)
    return made


def publish(frames: Mapping[str, pd.DataFrame], target: Path, keep: int = 3, **more: float) -> layers.Published:
    """Publish under the id that the tables give."""
    return layers.publish(frames, target, keep=keep, run_id=str(frames["run"]["run_id"].iloc[0]), **more)


def hidden(folder: Path) -> list[str]:
    """Return the names of leftovers anywhere below ``folder``."""
    return sorted(path.name for path in folder.rglob(".*") if path.name != swap.LOCK)


def declare_few() -> None:
    """Leave three tables in the declaration: enough where only the exchange of files is at stake."""
    tables.TABLES = (tables.REPORTS, tables.EVIDENCE, tables.RUN)  # type: ignore[misc]
    tables.BY_NAME = {table.name: table for table in tables.TABLES}  # type: ignore[misc]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare few tables for one test."""
    monkeypatch.setattr(tables, "TABLES", tables.TABLES)
    monkeypatch.setattr(tables, "BY_NAME", tables.BY_NAME)
    declare_few()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "published" / "monitor.gpkg"


# --- what is in the file


def test_the_layers_and_columns_of_the_file_are_those_declared_in_that_order(target: Path) -> None:
    publish(world(), target)
    with closing(connect(target)) as file:
        named = [name for (name,) in file.execute("SELECT table_name FROM gpkg_contents ORDER BY rowid")]
        assert named == [table.name for table in tables.TABLES]
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


def test_the_geopackage_validator_finds_nothing_to_say(target: Path) -> None:
    pytest.importorskip("osgeo_utils", reason="gdal-utils is not installed")
    publish(world(), target)
    command = [sys.executable, "-m", "osgeo_utils.samples.validate_gpkg", "--extra", "--warning-as-error", "-k", target]
    verdict = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a validator
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_the_same_tables_give_the_same_bytes_anywhere_and_at_any_time(tmp_path: Path) -> None:
    first = publish(world(), tmp_path / "a" / "monitor.gpkg")
    second = publish(world(), tmp_path / "b" / "other.gpkg")
    assert first.path.read_bytes() == second.path.read_bytes()
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


def _sql(*statements: str) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as file:
            file.create_function("ST_IsEmpty", 1, lambda _: 0)
            for name in ("MinX", "MaxX", "MinY", "MaxY"):
                file.create_function(f"ST_{name}", 1, lambda _: 0)
            for statement in statements:
                file.execute(statement)
            file.commit()

    return damage


_DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "half the file": (lambda path: os.truncate(path, path.stat().st_size // 2), "integrity|cannot be read"),
    "no file": (lambda path: path.write_bytes(b""), "header"),
    "lost rows": (_sql("DELETE FROM evidence WHERE fid % 3 = 0"), "evidence has 20 rows, not 30"),
    "a lie about the count": (
        _sql("UPDATE gpkg_ogr_contents SET feature_count = 0 WHERE table_name = 'reports'"),
        "reports has 0 counted rows, not 30",
    ),
    "no count": (_sql("DELETE FROM gpkg_ogr_contents WHERE table_name = 'run'"), "run has None counted rows"),
    "a swapped column": (
        _sql(
            "ALTER TABLE notices RENAME COLUMN said TO x",
            "ALTER TABLE notices RENAME COLUMN says TO said",
            "ALTER TABLE notices RENAME COLUMN x TO says",
        ),
        "columns of notices are",
    ),
    "a changed value": (
        _sql("UPDATE transitions SET rule = 'x' WHERE fid = 3"),
        "transitions is read with other values in rule",
    ),
    "a moved point": (
        _sql("UPDATE reports SET geom = (SELECT geom FROM violations WHERE geom NOT NULL LIMIT 1) WHERE fid = 3"),
        "reports is read with other values in geometry",
    ),
    "a gap in the index": (
        _sql("DELETE FROM rtree_violations_geom WHERE id % 2"),
        "the spatial index of violations holds",
    ),
    "no trigger": (_sql("DROP TRIGGER rtree_zones_geom_delete"), "zones has lost rtree_zones_geom_delete"),
    "no extent": (_sql("UPDATE gpkg_contents SET min_x = NULL WHERE table_name = 'regions'"), "the extent of regions"),
    "a lost layer": (_sql("DROP TABLE lineage", "DELETE FROM gpkg_contents WHERE table_name = 'lineage'"), "contents"),
    "a layer too many": (
        _sql("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('gpkg_extensions', 'attributes')"),
        "contents",
    ),
    "no meaning": (_sql("DELETE FROM gpkg_data_columns WHERE table_name = 'run'"), "not described as declared"),
    "a write-ahead log": (_sql("PRAGMA journal_mode = WAL"), "write-ahead log"),
    "another program's id": (_sql("PRAGMA application_id = 7"), "application_id is 7"),
    "another version": (_sql("PRAGMA user_version = 10400"), "user_version is 10400"),
    "a journal": (lambda path: path.with_name(path.name + "-journal").write_bytes(b"x"), "-journal lies beside it"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, pa.Table]]:
    """Return a file as it is built, and the rows that it was built from."""
    path, given = tmp_path_factory.mktemp("sound") / "monitor.gpkg", rows.prepare(world())
    write.build(path, given, "2026-03-01T06:00:00.250Z")
    return path, given


@pytest.mark.parametrize("name", _DAMAGE)
def test_every_kind_of_damage_is_found_and_named(
    sound: tuple[Path, dict[str, pa.Table]], tmp_path: Path, name: str
) -> None:
    damage, sentence = _DAMAGE[name]
    path = Path(shutil.copy(sound[0], tmp_path))
    prove(path, sound[1])
    damage(path)
    with pytest.raises(PublicationError, match=sentence):
        prove(path, sound[1])


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["half the file", "no file", "lost rows", "a lie about the count", "a journal"])
def test_a_file_that_is_not_what_was_asked_for_is_refused_and_the_old_one_stands(
    monkeypatch: pytest.MonkeyPatch, target: Path, name: str
) -> None:
    damage, sentence = _DAMAGE[name]
    publish(world("old"), target)
    before, build = target.read_bytes(), write.build

    def faulty(path: Path, given: dict[str, pa.Table], instant: str) -> None:
        build(path, given, instant)
        damage(path)

    monkeypatch.setattr(write, "build", faulty)
    with pytest.raises(PublicationError, match=sentence):
        publish(world("new", seed=1), target)
    assert target.read_bytes() == before
    assert hidden(target.parent) == []
    monkeypatch.setattr(write, "build", build)
    assert publish(world("new", seed=1), target).replaced


def test_a_writer_that_fails_is_our_fault_and_the_old_file_stands(
    monkeypatch: pytest.MonkeyPatch, target: Path
) -> None:
    publish(world("old"), target)
    before = target.read_bytes()

    def fails(*_: object, **__: object) -> None:
        message = "disk I/O error"
        raise RuntimeError(message)

    monkeypatch.setattr(gdal, "write", fails)
    with pytest.raises(PublicationError, match="could not be written: disk I/O error"):
        publish(world("new"), target)
    assert target.read_bytes() == before
    assert hidden(target.parent) == []


def test_check_tells_a_publication_from_another(target: Path) -> None:
    publish(world(n=10), target)
    layers.check(target, world(n=10))
    with pytest.raises(PublicationError, match="reports has 10 rows, not 11"):
        layers.check(target, world(n=11))


# --- how it takes the old one's place


def test_the_file_is_read_only_and_nothing_lies_beside_it(target: Path) -> None:
    publish(world(), target)
    assert target.stat().st_mode & 0o777 == 0o444
    layers.read_table(target, "reports")
    assert sorted(path.name for path in target.parent.iterdir()) == [swap.LOCK, "monitor.gpkg", "versions"]


def test_the_same_run_is_not_written_again(target: Path) -> None:
    first = publish(world(), target)
    before = target.stat()
    again = publish(world(), target)
    assert (again.replaced, again.sha256) == (False, first.sha256)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list((target.parent / "versions").iterdir()) == []


@pytest.mark.usefixtures("few")
def test_the_same_run_is_written_again_if_what_stands_is_damaged(target: Path) -> None:
    first = publish(world(), target)
    target.chmod(0o644)
    _sql("UPDATE gpkg_ogr_contents SET feature_count = 3")(target)
    again = publish(world(), target)
    assert (again.replaced, again.sha256) == (True, first.sha256)
    layers.check(target, world())


@pytest.mark.usefixtures("few")
def test_the_newest_earlier_files_are_kept_under_their_own_names(target: Path) -> None:
    bytes_of = {}
    for i in range(6):
        publish(world(f"run-{i}", n=3), target, keep=2)
        bytes_of[f"monitor-run-{i}.gpkg"] = target.read_bytes()
    kept = {path.name: path.read_bytes() for path in (target.parent / "versions").iterdir()}
    assert kept == {name: bytes_of[name] for name in ("monitor-run-3.gpkg", "monitor-run-4.gpkg")}
    publish(world("run-6", n=3), target, keep=0)
    assert list((target.parent / "versions").iterdir()) == []


@pytest.mark.usefixtures("few")
def test_a_file_that_cannot_be_read_gives_way_and_is_kept(target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"no database")
    assert layers.read_run(target) is None
    publish(world(), target)
    kept = [path for path in (target.parent / "versions").iterdir() if path.read_bytes() == b"no database"]
    assert [path.name[:8] for path in kept] == ["monitor-"]


@pytest.mark.usefixtures("few")
def test_a_reader_keeps_the_whole_old_file_across_twenty_publications(target: Path) -> None:
    given = world("first", n=20)
    publish(given, target)
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as reader:
        ids = reader.execute("SELECT report_id FROM reports ORDER BY fid").fetchall()
        for i in range(20):
            publish(world(f"run-{i}", seed=i, n=5), target, keep=1)
            assert reader.execute("SELECT report_id FROM reports ORDER BY fid").fetchall() == ids
            assert reader.execute("SELECT run_id FROM run").fetchall() == [("first",)]
    run = layers.read_run(target)
    assert run is not None
    assert run["run_id"] == "run-19"


def _crashed_editor(path: Path, mode: str) -> None:
    """Leave what a program leaves that is killed while it writes to ``path``: a log that SQLite would replay."""
    code = (
        "import os, signal, sqlite3, sys\n"
        "file = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "file.execute('PRAGMA journal_mode = ' + sys.argv[2]); file.execute('PRAGMA cache_size = 1')\n"
        "file.execute('PRAGMA cache_spill = 1'); file.execute('BEGIN')\n"
        "file.execute('CREATE TABLE edits AS SELECT * FROM reports')\n"
        "file.execute('UPDATE evidence SET scenario = hex(randomblob(2000))'); file.execute('DELETE FROM run')\n"
        "if sys.argv[2] == 'WAL': file.execute('COMMIT')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path.chmod(0o644)
    subprocess.run([sys.executable, "-c", code, str(path), mode], check=False)  # noqa: S603 - our own code


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.usefixtures("few")
def test_the_log_of_a_crashed_editor_does_no_harm_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, target: Path, mode: str
) -> None:
    publish(world("old"), target)
    _crashed_editor(target, mode)
    log = target.with_name(target.name + ("-wal" if mode == "WAL" else "-journal"))
    held = log.read_bytes()
    assert len(held) > 10_000
    new, replace = world("new", seed=1), Path.replace

    def watching(path: Path, name: Path) -> Path:
        assert name != target or not log.exists(), "a reader would replay the log on the new file"
        return replace(path, name)

    monkeypatch.setattr(Path, "replace", watching)
    publish(new, target)
    layers.check(target, new)
    with closing(sqlite3.connect(target)) as file:
        assert file.execute("SELECT run_id FROM run").fetchall() == [("new",)]
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert held in [path.read_bytes() for path in (target.parent / "versions").glob("*.stale-*")]


@pytest.mark.usefixtures("few")
def test_the_log_of_a_crashed_editor_makes_even_the_same_run_be_written_again(target: Path) -> None:
    publish(world(), target)
    _crashed_editor(target, "WAL")
    assert publish(world(), target).replaced
    layers.check(target, world())


@pytest.mark.usefixtures("few")
def test_leftovers_of_killed_runs_are_cleared_and_nothing_else(target: Path) -> None:
    (target.parent / "versions").mkdir(parents=True)
    dead = [".monitor.tmp-123.gpkg", ".monitor.tmp-123.gpkg-journal", "versions/.monitor-old.tmp-99.gpkg"]
    alive = [".monitor.tmp-mine.gpkg", ".other.tmp-123.gpkg", "monitor.tmp-123.gpkg", ".monitor.tmp-1.gpkg.bak"]
    for name in dead + alive:
        (target.parent / name).write_bytes(b"x")
    publish(world(), target)
    assert [name for name in dead + alive if (target.parent / name).exists()] == alive


@pytest.mark.usefixtures("few")
def test_a_second_publisher_waits_and_is_told_who_is_at_work(target: Path) -> None:
    target.parent.mkdir(parents=True)
    with swap.locked(target.parent, 0), pytest.raises(PublicationError, match=f"process {os.getpid()} is publishing"):
        publish(world(), target, wait_s=0.1)
    started, late = threading.Event(), []
    with swap.locked(target.parent, 0):
        thread = threading.Thread(target=lambda: (started.set(), late.append(publish(world(), target, wait_s=30.0))))
        thread.start()
        started.wait()
        assert late == []
    thread.join()
    assert late[0].replaced


# --- a process killed at any instant


_MOMENTS = ("open", "os.rename", "os.remove", "os.link", "os.chmod", "os.mkdir", "sqlite3.connect", "fcntl.flock")


def _die_at(n: int) -> None:
    """Kill this process at its n-th step that touches the world."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == n:
            os.kill(os.getpid(), signal.SIGKILL)

    written = gdal.write

    def stepping(given: pa.Table, path: Path, table: Table, *, title: str, description: str) -> None:
        step()
        written(given, path, table, title=title, description=description)

    gdal.write = stepping
    sys.addaudithook(lambda event, _: step() if event in _MOMENTS else None)


def die_everywhere(folder: Path) -> None:
    """Publish the next answer in copies of ``folder/start``, killed one step later each time, until it ends."""
    new = world("new", seed=1, n=5)
    for n in itertools.count(1):
        place = folder / str(n)
        shutil.copytree(folder / "start", place)
        if (child := os.fork()) == 0:
            _die_at(n)
            publish(new, place / "monitor.gpkg", keep=1)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            break


@pytest.mark.usefixtures("few")
def test_a_kill_at_any_step_leaves_the_old_or_the_new_file_whole_and_the_next_run_clears_up(tmp_path: Path) -> None:
    old, new, third = world("old", n=5), world("new", seed=1, n=5), world("third", seed=2, n=5)
    publish(world("first", seed=3, n=5), tmp_path / "start" / "monitor.gpkg", keep=1)
    publish(old, tmp_path / "start" / "monitor.gpkg", keep=1)
    code = "import pathlib, sys, test_layers as t; t.declare_few(); t.die_everywhere(pathlib.Path(sys.argv[1]))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env={**os.environ, "PYTHONPATH": path})  # noqa: S603 - our own code
    found = []
    for place in sorted(tmp_path.glob("[0-9]*"), key=lambda path: int(path.name)):
        target = place / "monitor.gpkg"
        run = layers.read_run(target)
        assert run is not None
        found.append(run["run_id"])
        layers.check(target, {"old": old, "new": new}[run["run_id"]])
        assert not any(target.with_name(target.name + suffix).exists() for suffix in ("-wal", "-journal", "-shm"))
        publish(third, target, keep=1)
        layers.check(target, third)
        assert hidden(place) == []
        kept = [layers.read_run(path) for path in (place / "versions").iterdir()]
        assert [version["run_id"] for version in kept if version] == [run["run_id"]]
    assert len(found) > 20
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


@pytest.mark.usefixtures("few")
def test_a_full_disk_leaves_the_old_file_and_the_next_run_succeeds(tmp_path: Path) -> None:
    """The system refuses to let any file grow beyond a size, which is set anew each time."""
    code = (
        "import json, pathlib, resource, sys, test_layers as t\n"
        "t.declare_few()\n"
        "target = pathlib.Path(sys.argv[1]) / 'monitor.gpkg'\n"
        "t.publish(t.world('old', n=5), target)\n"
        "before, new, said = target.read_bytes(), t.world('new', seed=1, n=5), []\n"
        "for size in range(4096, len(before), len(before) // 12):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "    try: t.publish(new, target)\n"
        "    except t.PublicationError: said.append(target.read_bytes() == before and t.hidden(target.parent) == [])\n"
        "    else: said.append('published')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "t.publish(new, target); t.layers.check(target, new)\n"
        "print(json.dumps(said))\n"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    full = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, tmp_path], check=True, capture_output=True, env={**os.environ, "PYTHONPATH": path}
    )
    said = json.loads(full.stdout)
    assert len(said) >= 10
    assert set(said) == {True}


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
