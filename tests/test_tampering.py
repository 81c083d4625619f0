"""Can anybody change or cut the past without being found?

The standard library's ``sqlite3`` plays the forger, and only ever opens a ledger that is closed.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told
from ledger_world import HOUR, T0, World, row

from geo.errors import CeasewatchError
from pipelines.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path


def world(folder: Path, *, text: str = "t") -> Path:
    """Make a closed ledger in which every table has rows, and a few batches follow each other."""
    folder.mkdir(exist_ok=True)
    made = World(folder)
    made.ledger.put_document("theatre", b"one", T0)
    made.take(row("a", text=text, weapon="mortar", count_best=2), row("b"), row(kind="heartbeat"), refused=[b"bad"])
    made.take(row("a", lat=48.2), refused=[b"bad again"])
    made.ledger.put_publication(b"map", T0 + 3 * HOUR)
    made.take(row("c"), row("b", kind="retraction"))
    made.close()
    return folder


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world(tmp_path_factory.mktemp("closed"))


@pytest.fixture(scope="module")
def head(closed: Path) -> str:
    with Ledger.open(closed / "ledger.sqlite") as ledger:
        return ledger.head().hash


def found(folder: Path, head: str) -> bool:
    """Tell whether a check against an earlier head finds something; a fault without a sentence is none."""
    try:
        with Ledger.open(folder / "ledger.sqlite") as ledger:
            return bool(ledger.verify(folder / "raw") or ledger.missing([head]))
    except CeasewatchError:
        return True


def readable(file: Path) -> object:
    """Return all that can be read of a database; an object like no other if not all can."""
    try:
        with closing(sqlite3.connect(file)) as database:
            database.text_factory = bytes
            names = [name.decode() for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            about = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
            pragmas = [database.execute(f"PRAGMA {name}").fetchall() for name in ("user_version", "application_id")]
            rows = [database.execute(f"SELECT rowid, * FROM {name}").fetchall() for name in names]  # noqa: S608 -- the test's own
            return about, pragmas, rows
    except (sqlite3.Error, UnicodeDecodeError):
        return object()


def flips(closed: Path, head: str, folder: Path, seed: int, wanted: int) -> list[int]:
    """Flip single bits that change what can be read, one at a time; return those that were not found."""
    rng, whole = random.Random(seed), (closed / "ledger.sqlite").read_bytes()  # noqa: S311 -- which bytes are flipped is no secret
    shutil.copytree(closed, folder)
    file, before, missed, tried = folder / "ledger.sqlite", readable(closed / "ledger.sqlite"), [], 0
    while tried < wanted:
        at = rng.randrange(len(whole))
        spoiled = bytearray(whole)
        spoiled[at] ^= 1 << rng.randrange(8)
        for left in folder.glob("ledger.sqlite-*"):
            left.unlink()
        file.write_bytes(spoiled)
        if readable(file) == before:
            continue  # an unused byte of a page: nothing was changed
        tried += 1
        file.write_bytes(spoiled)
        if not found(folder, head):
            missed.append(at)
    return missed


def test_any_byte_that_is_flipped_is_found(closed: Path, head: str, tmp_path: Path) -> None:
    assert flips(closed, head, tmp_path / "copy", seed=1, wanted=60) == []


@pytest.mark.slow
def test_any_of_a_thousand_bytes_that_are_flipped_is_found(closed: Path, head: str, tmp_path: Path) -> None:
    assert flips(closed, head, tmp_path / "copy", seed=2, wanted=1000) == []


def cut(folder: Path, batches: int) -> None:
    """Remove the last batches with all that they wrote, and leave no trace."""
    with closing(sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        last = database.execute("SELECT max(batch_no) FROM batch").fetchone()[0] - batches
        for table in ("entry", "quarantine", "document", "batch"):
            database.execute(f"DELETE FROM {table} WHERE batch_no > ?", [last])  # noqa: S608 -- the test's own
        for _, text in triggers:
            database.execute(text)


@pytest.mark.parametrize("batches", [1, 2, 3, 4, 5])
def test_a_tail_that_was_cut_off_is_found_only_by_a_head_kept_elsewhere(
    closed: Path, head: str, tmp_path: Path, batches: int
) -> None:
    shutil.copytree(closed, tmp_path / "copy")
    cut(tmp_path / "copy", batches)
    with Ledger.open(tmp_path / "copy" / "ledger.sqlite") as ledger:
        assert ledger.verify(tmp_path / "copy" / "raw") == []
        assert [sentence.split(":")[0] for sentence in ledger.missing([head])] == [f"the chain never stood at {head}"]


def test_a_past_that_was_written_anew_as_a_whole_is_found_by_a_head(head: str, tmp_path: Path) -> None:
    other = world(tmp_path / "other", text="T")
    with Ledger.open(other / "ledger.sqlite") as ledger:
        assert ledger.verify(other / "raw") == []
        assert ledger.missing([head]) != []


def test_every_head_that_ever_stood_is_known(tmp_path: Path) -> None:
    made = World(tmp_path)
    heads = [made.ledger.head()]
    for n in range(3):
        made.take(row(str(n)))
        heads.append(made.ledger.head())
        made.ledger.put_publication(str(n).encode(), T0 + 9 * HOUR)
        heads.append(made.ledger.head())
    assert made.ledger.missing([text for head in heads for text in (head.hash, head.inputs_hash)]) == []
    made.close()


def test_text_of_a_quarantined_row_that_nobody_ordered_erased_is_missed(closed: Path, tmp_path: Path) -> None:
    shutil.copytree(closed, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "ledger.sqlite", isolation_level=None)) as database:
        guard = database.execute("SELECT sql FROM sqlite_master WHERE name = 'quarantine_update'").fetchone()[0]
        database.execute("DROP TRIGGER quarantine_update")
        database.execute("UPDATE quarantine SET raw = NULL WHERE quarantine_no = 1")
        database.execute(guard)
    with Ledger.open(tmp_path / "copy" / "ledger.sqlite") as ledger:
        assert ledger.verify(tmp_path / "copy" / "raw") == ["Q-1: its text is gone, and nobody ordered that"]


def test_the_head_is_printed_and_published_and_compared_with(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    brought = cells.bring(place, cells.shelling(tmp_path / "mission.csv"), cells.Clock(40))
    outcome = cells.run(place, cells.Clock(41))
    heads = ("--against", brought.head, "--against", outcome.head)
    kept = ceasewatch("verify", place.path, *heads)
    assert (kept.exit_code, f"it stood at {outcome.head}" in kept.stdout) == (0, True)
    cut(place.path, 2)
    lost = ceasewatch("verify", place.path, *heads, "--json")
    assert (lost.exit_code, len(told(lost)["problems"])) == (1, 2)


def test_a_damaged_ledger_is_said_and_not_called_a_fault_of_the_program(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), cells.Clock(40))
    file = place.path / "ledger.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:5000] + b"\x99" * 9000 + whole[14000:], b"not a ledger"):
        file.write_bytes(damage)
        for command in (("verify",), ("explain", "B-1")):
            result = ceasewatch(command[0], place.path, *command[1:])
            assert result.exit_code in {1, 2}
            assert "fault of Ceasewatch" not in result.stderr
            assert "Traceback" not in result.stderr
