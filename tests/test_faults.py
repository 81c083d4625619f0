"""Does the command line say what is wrong with the machine, lose nothing, and go on when it is mended?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

from pipelines.audit import audit
from pipelines.layers.fault import PublicationError, unwritten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.workspace import Workspace

ROWS = 300


@contextmanager
def mounted(at: Path, kib: int) -> Iterator[Path]:
    """Mount a small file system in memory, where the test may."""
    at.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(at)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("nothing mounts here")
    if done.returncode:
        pytest.skip("may not mount a file system here")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def flood(path: Path) -> Path:
    return cells.write(path, [cells.row(f"z{n}", 1.0 + n / 100) for n in range(ROWS)])


def bring(place: Workspace, file: Path) -> tuple[int, str]:
    result = ceasewatch("ingest", place.path, file, "--source", "mission")
    assert "Traceback" not in result.stderr
    return result.exit_code, result.stderr


def fill(folder: Path, left_kib: int) -> Path:
    """Fill a file system up to so many KiB."""
    filler, free = folder / "filler", os.statvfs(folder)
    filler.write_bytes(b"\0" * max(free.f_bavail * free.f_frsize - left_kib * 1024, 0))
    return filler


def full(tmp_path: Path, left_kib: int) -> bool:
    """Take a file in with so little space left, then make room and take it in again; return whether it fitted."""
    with mounted(tmp_path / f"disk{left_kib}", 4096) as disk:
        place = cells.workspace(disk / "ws")
        filler = fill(disk, left_kib)
        code, said = bring(place, flood(tmp_path / "flood.csv"))
        assert code in {0, 2}
        assert code == 0 or "o space" in said, said
        filler.unlink()
        found = audit(place)
        assert found.problems == ()
        assert found.counts["rows"] == (ROWS if code == 0 else 0)
        assert bring(place, tmp_path / "flood.csv")[0] == 0
        with place.ledger() as ledger:
            assert len(ledger.reports()) == ROWS
        assert audit(place).problems == ()
        return code == 0


def test_a_full_disk_loses_nothing_and_is_said(tmp_path: Path) -> None:
    assert [full(tmp_path, left) for left in (8, 120, 2000)] == [False, False, True]


@pytest.mark.slow
def test_a_full_disk_of_forty_sizes_loses_nothing_and_is_said(tmp_path: Path) -> None:
    fitted = [full(tmp_path, 4 + 12 * n) for n in range(40)]
    assert 0 < sum(fitted) < len(fitted)


def unmapped(tmp_path: Path, left_kib: int) -> bool:
    """Map a theatre with so little space left, then make room and map it again; return whether the map fitted."""
    with mounted(tmp_path / f"map{left_kib}", 8192) as disk:
        place = cells.shelled(disk)
        before = cells.run(place, cells.Clock(40)).file.read_bytes()
        filler = fill(disk, left_kib)
        words = ("run", place.path, "--plain", "--as-of", cells.at(41).isoformat())
        first = ceasewatch(*words)
        assert first.exit_code in {0, 2}
        assert first.exit_code == 0 or "space" in first.stderr, first.stderr
        if first.exit_code:
            assert place.target(None).read_bytes() == before
        filler.unlink()  # where there is no room at all, not even the ledger opens
        assert audit(place).problems == ()
        assert ceasewatch(*words).exit_code == 0
        assert audit(place).problems == ()
        left = [path.name for path in place.path.rglob(".*") if ".tmp" in path.name]
        assert left == []
        return first.exit_code == 0


def test_a_map_for_which_there_is_no_room_is_said_and_the_old_one_stands(tmp_path: Path) -> None:
    assert unmapped(tmp_path, 300) is False


@pytest.mark.slow
def test_twenty_sizes_of_room_for_a_map_lose_nothing(tmp_path: Path) -> None:
    fitted = [unmapped(tmp_path, 20 + 100 * n) for n in range(20)]
    assert 0 < sum(fitted) < len(fitted)


def test_a_folder_that_may_not_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    file = flood(tmp_path / "mission.csv")
    with mounted(tmp_path / "disk", 4096) as disk:
        place = cells.workspace(disk / "ws")
        cells.bring(place, file, cells.Clock(40))
        for left in place.path.glob("ledger.sqlite-*"):
            assert not left.name.endswith("-wal") or left.stat().st_size == 0
            left.unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert told(ceasewatch("verify", place.path, "--json"))["whole"] is True
        assert ceasewatch("quarantine", place.path, "list").exit_code == 0
        assert ceasewatch("ingest", place.path, file, "--source", "media", "--dry-run").exit_code == 0
        assert ceasewatch("backup", place.path, tmp_path / "copy").exit_code == 0
        for command in (("ingest", place.path, file, "--source", "media"), ("run", place.path, "--plain")):
            result = ceasewatch(*command)
            assert (result.exit_code, "Read-only file system" in result.stderr) == (2, True)


@pytest.mark.parametrize("unheard", ["stdout", "stderr"])
def test_a_command_whose_reader_goes_away_ends_without_a_word_and_leaves_nothing_half_done(
    unheard: str, tmp_path: Path
) -> None:
    place = cells.shelled(tmp_path)
    reads, writes = os.pipe()
    os.close(reads)
    streams: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, unheard: writes}
    words = [sys.executable, "-m", "pipelines", "run", str(place.path), "--plain", "--as-of", "2026-06-03T12:00Z"]
    done = subprocess.run(words, **streams, check=False)  # type: ignore[call-overload]  # whatever streams there are
    os.close(writes)
    said = (done.stdout or b"") + (done.stderr or b"")
    assert (done.returncode, b"fault" in said, b"BrokenPipe" in said) == (141, False, False)
    assert audit(place).problems == ()


def test_a_stopped_command_says_so_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    program = (
        "import sys, time, pipelines.cli as cli, pipelines.ledger.append as append\n"
        "def slow(*args, **more):\n"
        "    print('inside', flush=True); time.sleep(60)\n"
        "append._write = slow\n"
        "cli.main(sys.argv[1:])\n"
    )
    words = ["ingest", str(place.path), str(flood(tmp_path / "mission.csv"))]
    child = subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"inside\n"
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=60)
    assert (child.returncode, b"Stopped. What was recorded before stays" in said) == (143, True)
    assert audit(place).counts["rows"] == 0
    assert bring(place, tmp_path / "mission.csv")[0] == 0
    assert audit(place).counts["rows"] == ROWS


def test_a_second_writer_waits_and_then_is_told_who_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cells.workspace(tmp_path / "ws")
    monkeypatch.setattr("pipelines.workspace.Workspace.ledger.__kwdefaults__", {"write": False, "wait_s": 0.1})
    with place.ledger(write=True):
        code, said = bring(place, flood(tmp_path / "mission.csv"))
    assert code == 2
    assert f"process {os.getpid()}" in said
    assert "Try again when it has ended" in said


def test_a_clock_that_was_set_back_neither_stops_nor_reorders_anything(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv", hours=9.0), cells.Clock(40))
    cells.bring(place, cells.shelling(tmp_path / "mission.csv", hours=9.0, ref="t"), cells.Clock(16))
    with place.ledger() as ledger:
        assert ledger.reports()["recorded_at"].unique().tolist() == [cells.at(40)]
    assert audit(place).problems == ()


def test_what_a_library_says_of_a_map_is_shortened_and_a_full_disk_is_nobodys_fault() -> None:
    target = Path("map.gpkg")
    told_full = unwritten(target, RuntimeError("CREATE TABLE … failed: database or disk is full"))
    assert isinstance(told_full, OSError)
    assert "no space is left" in str(told_full)
    told_long = unwritten(target, RuntimeError("x" * 9000 + "the reason"))
    assert isinstance(told_long, PublicationError)
    assert len(str(told_long)) < 500
    assert "the reason" in str(told_long)
