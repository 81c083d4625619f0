# ruff: noqa: S608 -- the tests' own statements and programs
"""Does the ledger stay whole under kills, second writers, wrong hands and a full transaction log?

The standard library's ``sqlite3`` plays the wrong hands, and only ever opens a ledger that is closed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from ledger_world import HOUR, MISSION, T0, World, reading, row, sha256

from pipelines.ledger import Ledger, LedgerBusy, raw_path
from pipelines.ledger.schema import COLUMNS, statements

TABLES = ("ledger", "batch", "entry", "quarantine", "document")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a closed ledger in which every table has rows."""
    folder = tmp_path_factory.mktemp("closed")
    world = World(folder)
    said = {"weapon": "mortar", "direction": "east", "party_claimed": "east", "origin": "x", "text": "t", "url": "u"}
    said |= {"footprint": "pixel 37.5 48.1 375.0 375.0", "means": "ear", "credibility": 3}
    counts = {"count_low": 1, "count_best": 2, "count_high": 3, "killed": 4, "injured": 5}
    world.ledger.put_document("theatre", b"one", T0)
    world.take(row("a", reported_at=T0, **said, **counts), row("b"), row(kind="heartbeat"), refused=[b"bad", b"worse"])
    world.take(row("a", lat=48.2, reported_at=T0, **said, **counts), refused=[b"bad again"])
    world.ledger.put_publication(b"map", T0 + 3 * HOUR)
    world.close()
    return folder


@pytest.fixture
def copy(closed: Path, tmp_path: Path) -> Path:
    shutil.copytree(closed, tmp_path / "copy")
    return tmp_path / "copy"


def problems(folder: Path) -> list[str]:
    with Ledger.open(folder / "ledger.sqlite") as ledger:
        return ledger.verify(folder / "raw")


def wrong_hands(folder: Path, *sql: str) -> None:
    """Do what the triggers forbid, and leave no trace of it in the schema."""
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        database.execute("PRAGMA ignore_check_constraints = ON")
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        for statement in sql:
            assert database.execute(statement).rowcount >= 1
        for _, text in triggers:
            database.execute(text)


READ_IN_LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from pipelines.ledger import Ledger
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (2 << 30), -1))
with Ledger.open(Path(sys.argv[1])) as ledger:
    print(len(ledger.reports()), ledger.verify(Path(sys.argv[2])))
"""


def test_a_large_file_is_read_in_no_more_memory_than_its_rows_take(copy: Path) -> None:
    """The driver sets memory aside for as many rows as it is told may come, and dies where there is none."""
    file = copy / "ledger.sqlite"
    os.truncate(file, 1 << 30)
    asked = [sys.executable, "-c", READ_IN_LITTLE_ROOM, str(file), str(copy / "raw")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "2 []\n"), done.stderr


# ---- what the database refuses by itself ----


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_ever_changed_or_deleted(copy: Path, table: str) -> None:
    column = next(iter(COLUMNS[table]))
    with closing(sqlite3.connect(copy / "ledger.sqlite", isolation_level=None)) as database:
        for sql in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                database.execute(sql)
    assert problems(copy) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"rows": 2}, "CHECK"),
        ({"rows_duplicate": -1, "rows": -1}, "CHECK"),
        ({"rows": 1, "rows_quarantined": 1}, "counts differ"),
        ({"rows": 1, "rows_new": 1, "last_no": 7}, "counts differ"),
        ({"batch_no": 9}, "batch number"),
        ({"first_no": 8, "last_no": 7}, "ledger numbers"),
        ({"recorded_at": 5}, "backwards"),
        ({"previous": "0" * 64}, "chain"),
        ({"kind": "document", "last_no": 7}, "counts differ"),
    ],
)
def test_the_database_compares_the_counts_with_the_rows(
    copy: Path, changes: dict[str, object], why: str | None
) -> None:
    with closing(sqlite3.connect(copy / "ledger.sqlite", isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        last = dict(database.execute("SELECT * FROM batch ORDER BY batch_no DESC LIMIT 1").fetchone())
        empty = {name: 0 if name.startswith("rows") else value for name, value in last.items()}
        fit = {
            "batch_no": last["batch_no"] + 1, "kind": "ingest", "first_no": last["last_no"] + 1,
            "last_no": last["last_no"], "previous": last["hash"], "rows": 1, "rows_duplicate": 1,
        }  # fmt: skip
        values = {**empty, **fit, **({"rows_duplicate": 0} if changes.get("rows") == 1 else {}), **changes}
        sql = f"INSERT INTO batch ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
        if why is None:
            database.execute(sql, list(values.values()))
            return
        with pytest.raises(sqlite3.IntegrityError, match=why):
            database.execute(sql, list(values.values()))


def test_ledger_numbers_leave_no_gap(copy: Path) -> None:
    with closing(sqlite3.connect(copy / "ledger.sqlite", isolation_level=None)) as database:
        for number in (1, 6, 8):
            with pytest.raises(sqlite3.IntegrityError, match="out of sequence"):
                database.execute("INSERT INTO document VALUES (?, 5, 'x', 'x', x'00')", [number])


# ---- tampering ----


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in TABLES for column in COLUMNS[table]])
def test_a_change_of_any_stored_value_is_found(copy: Path, table: str, column: str) -> None:
    other = {
        "INTEGER": f"{column} + 1000",
        "REAL": f"{column} + 1e-9",
        "TEXT": f"{column} || 'x'",
        "BLOB": f"CAST(randomblob(length({column})) AS BLOB)",
    }[COLUMNS[table][column].split()[0]]
    if column in {"replay", "revision", "subject_no", "first_no", "stands_no"}:
        other = f"{column} - 1"
    wrong_hands(
        copy,
        f"UPDATE {table} SET {column} = {other} WHERE rowid = "
        f"(SELECT max(rowid) FROM {table} WHERE {column} IS NOT NULL)",
    )
    assert problems(copy) != []


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM entry WHERE ledger_no = 2",
        "DELETE FROM quarantine WHERE quarantine_no = 2",
        "DELETE FROM batch WHERE batch_no = 2",
        "DELETE FROM document WHERE ledger_no = 1",
        "UPDATE entry SET text = NULL WHERE ledger_no = 2",
        "UPDATE entry SET text = '' WHERE ledger_no = 3",
        "INSERT INTO document VALUES (7, 5, 'theatre', 'x', x'00')",
        "INSERT INTO quarantine VALUES (4, 9, 1, 'x', 'x', 'x', NULL)",
    ],
)
def test_rows_taken_out_put_in_or_emptied_are_found(copy: Path, sql: str) -> None:
    wrong_hands(copy, sql)
    assert problems(copy) != []


def test_a_rule_taken_out_or_put_in_is_found(copy: Path) -> None:
    with closing(sqlite3.connect(copy / "ledger.sqlite", isolation_level=None)) as database:
        database.execute("DROP TRIGGER entry_update")
        database.execute("CREATE TABLE note (x)")
    assert [text.split(":")[0] for text in problems(copy)] == [
        "a rule of the ledger is gone or changed",
        "the ledger holds something that is not its own",
    ]


def test_a_damaged_page_or_raw_file_is_found(copy: Path) -> None:
    raw_path(copy / "raw", sha256(b"file 1")).write_bytes(b"other")
    raw_path(copy / "raw", sha256(b"file 2")).unlink()
    found = problems(copy)
    assert len(found) == 2
    assert "is damaged" in found[0]
    assert "is missing" in found[1]


def test_the_file_opens_without_any_of_our_code(copy: Path) -> None:
    with closing(sqlite3.connect(copy / "ledger.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {text for (text,) in database.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    assert found == set(statements())


# ---- one writer ----


def test_a_second_writer_is_told_who_holds_the_ledger(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(LedgerBusy, match=f"process {os.getpid()} on .* since 20"):
        Ledger.open(world.path, write=True)
    with pytest.raises(LedgerBusy, match=r"waited 0\.2 s"):
        Ledger.open(world.path, write=True, wait_s=0.2)
    world.close()
    Ledger.open(world.path, write=True).close()


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    timer = threading.Timer(0.3, world.close)
    timer.start()
    with Ledger.open(world.path, write=True, wait_s=30.0) as ledger:
        assert ledger.head().ledger_no == 0
    timer.join()


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    World(tmp_path).close()
    lock = tmp_path / "ledger.sqlite.lock"
    code = (
        "import fcntl, json, os, sys, time\n"
        f"f = open({str(lock)!r}, 'r+'); fcntl.flock(f, fcntl.LOCK_EX)\n"
        "json.dump({'pid': os.getpid(), 'host': 'elsewhere', 'since': 'noon'}, f); f.flush()\n"
        "print('held', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LedgerBusy, match=f"process {child.pid} on elsewhere since noon"):
            Ledger.open(tmp_path / "ledger.sqlite", write=True)
        child.kill()
    Ledger.open(tmp_path / "ledger.sqlite", write=True).close()


def test_a_forgotten_ledger_gives_its_lock_back(tmp_path: Path) -> None:
    Ledger.create(tmp_path / "l", replay=False, recorded_at=T0)
    Ledger.open(tmp_path / "l", write=True)
    with (tmp_path / "l.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


# ---- kills ----

CHILD = """
import os, signal, sys
sys.path[:0] = json.loads(sys.argv[1])
from ledger_world import MISSION, T0, reading, row, sha256
from pipelines.ledger import Ledger
from pipelines.ledger.store import Store
folder, point = sys.argv[2], int(sys.argv[3])
calls = 0
def counted(name):
    plain = getattr(Store, name)
    def call(self, what, *rest):
        global calls
        if name == "insert" or what in ("BEGIN IMMEDIATE", "COMMIT"):
            calls += 1
            if calls == point: os.kill(os.getpid(), signal.SIGKILL)
        return plain(self, what, *rest)
    setattr(Store, name, call)
counted("query"); counted("insert")
with Ledger.open(folder + "/ledger.sqlite", write=True) as ledger:
    for number in (2, 3):
        rows = [row(f"{number}-{n}", text="x" * 200) for n in range(400)]
        ledger.append(reading(rows, [b"bad"]), source=MISSION, file_name=f"{number}", sha256=sha256(b"%d" % number),
                      recorded_at=T0)
        print(number, flush=True)
"""


@pytest.mark.slow  # every run kills before samples of all calls, in test_disturbed
def test_a_kill_at_any_step_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    World(undisturbed).close()
    run(undisturbed, 0, expect=0)
    with Ledger.open(undisturbed / "ledger.sqlite") as ledger:
        head = ledger.head()
    # BEGIN, entries, quarantine, header, COMMIT: the second batch dies at each
    for point in range(6, 11):
        folder = tmp_path / str(point)
        folder.mkdir()
        World(folder).close()
        acknowledged = run(folder, point, expect=-signal.SIGKILL)
        with Ledger.open(folder / "ledger.sqlite") as ledger:
            assert ledger.verify(folder / "raw") == missing(ledger)
            assert acknowledged == ["2"]
            assert ledger.counts()["new"] == 400
        run(folder, 0, expect=0)
        with Ledger.open(folder / "ledger.sqlite") as ledger:
            assert ledger.head() == head
            assert ledger.counts()["rows"] == 802


def missing(ledger: Ledger) -> list[str]:
    """Return what verify says of batches whose raw bytes this test never kept."""
    files = range(2, 2 + ledger.counts()["rows"] // 401)
    return [f"batch {n - 1}: its raw file {sha256(b'%d' % n)} ({n}) is missing" for n in files]


def run(folder: Path, point: int, *, expect: int) -> list[str]:
    paths = json.dumps([str(Path(__file__).parent), str(Path(__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", "import json\n" + CHILD, paths, str(folder), str(point)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == expect, done.stderr
    return done.stdout.split()


def test_a_failed_append_leaves_no_trace_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    world.take(row("a"))
    head = world.ledger.head()
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.ledger.chain.body", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            world.take(row("b"), refused=[b"bad"])
    assert world.ledger.head() == head
    assert world.take(row("b")).first_no == 2
    assert world.ledger.verify(world.raw) == []
    world.close()


def test_an_empty_file_is_a_batch_of_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    batch = world.ledger.append(reading([]), source=MISSION, file_name="e", sha256=sha256(b""), recorded_at=T0)
    assert (batch.rows, batch.first_no, batch.last_no) == (0, 1, 0)
    assert world.ledger.head().ledger_no == 0
    world.close()
