"""Is a stranger's file read behind walls that hold, and is nothing lost when it breaks its reader?"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import pandas as pd
import psutil
import pyarrow as pa
import pytest
import readings
import traps
from commandline import ceasewatch

from geo.errors import InputError, PolicyError
from geo.theatre import Dialect
from pipelines import sources
from pipelines.jail import door, guard, kernel, wire
from pipelines.jail.guard import Guard
from pipelines.jail.limits import CPU_S, MEMORY, MIB, MOST_UNPACKED, ORDINARY, WALL_S, Limits, limits, weight
from pipelines.sources import archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.jail.guard import Ended
    from pipelines.sources import Reading

needs_walls = pytest.mark.skipif(not kernel.available(), reason="this system has no wall to show")
_NO_FILTER = ("_FILTER: Final = 2", "_FILTER: Final = 99")
SHORT = Limits(cpu_s=1, wall_s=2, memory=MEMORY, answer=MIB)
ROOTS = (guard.ROOT, Path(__file__).parent)


def walled(data: bytes, form: str = "csv") -> Reading:
    return door.read(data, traps.source(form), readings.THEATRE, readings.POLICY, "file.csv")


@needs_walls
def test_what_may_not_be_kept_is_emptied_behind_the_walls(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = replace(readings.source(), dialect=Dialect(drop=("e-mail",)))
    table = b"observed_from,lon,lat,E-Mail\n2026-02-03T14:05Z,37.5,48.1,secret@example.org\n"
    asked = writer, readings.THEATRE, readings.POLICY, "file.csv"
    kept = door.admit(table, *asked)
    assert kept == sources.admit(table, writer, "file.csv")
    assert b"secret" not in kept
    monkeypatch.setattr(sources, "admit", lambda *_: pytest.fail("it was read in this process"))
    with pytest.raises(InputError, match=r"file\.csv: the header lacks observed_from"):
        door.admit(b"E-Mail,lon,lat\nsecret@example.org,37.5,48.1\n", *asked)
    monkeypatch.setattr(door, "limits", lambda _: Limits(cpu_s=1, wall_s=9, memory=MIB, answer=8))
    with pytest.raises(InputError, match="nobody can say what of it may be kept, so nothing is"):
        door.admit(table, *asked)


@pytest.fixture(scope="module", params=[*kernel.WALLS, "none"])
def naive(request: pytest.FixtureRequest) -> Iterator[tuple[str, Guard]]:
    """Return a guard whose reader trusts its file, behind one wall alone, or behind none."""
    wall = request.param
    if wall != "none" and wall not in kernel.available():
        pytest.skip(f"this system has no {wall}")
    held = Guard("naive_task", [wall], ROOTS)
    yield wall, held
    held.close()


def said(held: Guard, what: str, trap: traps.Trap, data: bytes = b"", most: Limits = SHORT) -> Ended:
    return held.ask((what, str(trap.folder), trap.port), data, most)


@pytest.mark.parametrize("what", ["open", "list", "write", "remove", "connect", "program"])
def test_each_wall_alone_keeps_files_and_network_shut(naive: tuple[str, Guard], what: str, tmp_path: Path) -> None:
    wall, held = naive
    with traps.trap(tmp_path) as trap:
        ended = said(held, what, trap)
        answer = ended.answer.decode()
        sprung = trap.sprung() or traps.MARK in answer or "canary" in answer.split("failed")[0]
        assert sprung == (wall == "none"), answer


def test_each_wall_alone_stops_what_gdal_would_follow(naive: tuple[str, Guard], tmp_path: Path) -> None:
    wall, held = naive
    with traps.trap(tmp_path) as trap:
        sprung = []
        for name, data in traps.lures(trap).items():
            before = trap.hits
            ended = said(held, "gdal", trap, data)
            if traps.MARK in ended.answer.decode() or trap.hits > before:
                sprung.append(name)
    assert bool(sprung) == (wall == "none"), sprung


def test_behind_seccomp_alone_a_thread_can_be_started_and_a_process_not(
    naive: tuple[str, Guard], tmp_path: Path
) -> None:
    wall, held = naive
    with traps.trap(tmp_path) as trap:
        assert b"worked" in said(held, "thread", trap).answer
        assert (b"forked" in said(held, "fork", trap).answer) == (wall != kernel.SECCOMP)


@needs_walls
def test_what_fails_before_the_file_is_looked_at_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Guard("naive_task", kernel.WALLS, ROOTS)
    beyond = replace(SHORT, memory=2**70)
    with contextlib.closing(held), traps.trap(tmp_path) as trap:
        for what, most, why in (("unsettled", SHORT, "LookupError"), ("open", beyond, "OverflowError")):
            ended = said(held, what, trap, most=most)
            monkeypatch.setattr(Guard, "ask", lambda *_, ended=ended: ended)
            with pytest.raises(InputError, match=why) as caught:
                walled(b"x")
            assert caught.value.code == "reader_killed"
            monkeypatch.undo()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has the walls")
@pytest.mark.parametrize("wall", kernel.WALLS)
def test_a_wall_that_the_system_refuses_is_not_counted_on(wall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may refuse what its kernel has: here the kernel is asked for something that there is not."""
    refused = {kernel.LANDLOCK: ("_RESTRICT_SELF = 444, 446", "_RESTRICT_SELF = 444, 9999"), kernel.SECCOMP: _NO_FILTER}
    before, after = refused[wall]
    code = Path(kernel.__file__).read_text(encoding="utf-8")
    assert before in code
    monkeypatch.setattr(
        kernel, "_PROBE", f"__name__ = 'kernel'; exec({code.replace(before, after)!r}); probe()  # the way it is not"
    )
    kernel.available.cache_clear()
    standing = kernel.available()
    monkeypatch.undo()
    kernel.available.cache_clear()
    assert standing == tuple(each for each in kernel.available() if each != wall)


@needs_walls
def test_the_warden_has_one_thread_when_it_is_warm() -> None:
    assert len(walled(readings.table([readings.GOOD])).intake) == 1
    assert [warden.num_threads() for warden in wardens()] == [1]


def wardens() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "pipelines.jail.reports" in child.cmdline()]


@needs_walls
def test_memory_time_and_answer_have_limits(tmp_path: Path) -> None:
    held = Guard("naive_task", kernel.WALLS, ROOTS)
    with contextlib.closing(held), traps.trap(tmp_path) as trap:
        assert b"MemoryError" in said(held, "memory", trap).answer or said(held, "memory", trap).code
        assert said(held, "spin", trap).code < 0
        assert said(held, "sleep", trap).timed_out
        assert said(held, "flood", trap).overflown
        assert said(held, "crash", trap).code < 0
        assert b"Permission" in said(held, "signal", trap).answer
        names = said(held, "secrets", trap).answer.decode()
        assert "PATH" not in names
        assert "HOME" not in names


@needs_walls
@pytest.mark.parametrize("form", ["csv", "geojson", "ucdp", "firms"])
def test_what_is_read_behind_the_walls_is_what_would_be_read_before_them(form: str) -> None:
    data, reference = traps.mixed(form), sources.read
    behind = walled(data, form)
    before = reference(data, traps.source(form), readings.THEATRE, readings.POLICY, "file.csv")
    assert len(before.intake)
    assert len(before.refused)
    pd.testing.assert_frame_equal(behind.intake, before.intake)
    pd.testing.assert_frame_equal(behind.refused, before.refused)
    assert behind.notes == before.notes


@needs_walls
def test_faults_of_a_file_keep_their_code_and_sentence() -> None:
    with pytest.raises(InputError, match=r"file\.csv: the header lacks lat") as caught:
        walled(b"observed_from,lon\n")
    assert caught.value.code == "header"
    with pytest.raises(PolicyError, match="nothing reads the format 'x'"):
        walled(b"a", "x")


@needs_walls
def test_a_file_that_breaks_its_reader_is_one_refused_record(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = guard.Ended(bytearray(), overflown=False, timed_out=False, code=-11, cpu_s=0.1, peak=1)
    monkeypatch.setattr(Guard, "ask", lambda *_: ended)
    refused = walled(b"x" * 5_000).refused
    assert refused["reason_code"].tolist() == ["reader_died"]
    assert "SIGSEGV" in refused["reason"][0]
    assert len(refused["raw"][0]) == door.KEPT


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"code": -24}, "resource_limit"),
        ({"code": -9, "cpu_s": 11.0}, "resource_limit"),
        ({"code": 70}, "resource_limit"),
        ({"overflown": True}, "resource_limit"),
        ({"answer": bytearray(b"{}\n")}, "reader_died"),
        ({"answer": bytearray(b'{"notes": []}\nArrow')}, "reader_died"),
        ({"answer": bytearray(b'{"error": "KeyError", "code": "", "message": "x"}\n')}, "reader_died"),
        ({"code": 71}, "reader_died"),
    ],
)
def test_what_the_file_is_to_blame_for_is_kept_as_refused(
    how: dict[str, object], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = {"answer": bytearray(), "overflown": False, "timed_out": False, "code": 0, "cpu_s": 0.1, "peak": 1}
    monkeypatch.setattr(Guard, "ask", lambda *_: guard.Ended(**{**fine, **how}))  # type: ignore[arg-type]
    assert walled(b"x").refused["reason_code"].tolist() == [code]


@pytest.mark.parametrize(
    ("how", "code"),
    [({"timed_out": True}, "time_limit"), ({"code": -9}, "reader_killed"), ({"code": 72}, "reader_killed")],
)
def test_what_the_machine_may_be_to_blame_for_can_be_tried_again(
    how: dict[str, object], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = {"answer": bytearray(), "overflown": False, "timed_out": False, "code": 0, "cpu_s": 0.1, "peak": 1}
    monkeypatch.setattr(Guard, "ask", lambda *_: guard.Ended(**{**fine, **how}))  # type: ignore[arg-type]
    with pytest.raises(InputError) as caught:
        walled(b"x")
    assert caught.value.code == code


def test_without_any_wall_files_are_refused_unless_somebody_takes_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "available", lambda: ())
    with pytest.raises(PolicyError, match="CEASEWATCH_JAIL=off"):
        walled(readings.table([readings.GOOD]))
    monkeypatch.setenv(guard.SWITCH, "off")
    assert len(walled(readings.table([readings.GOOD])).intake) == 1


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LARGEST", 10)
    with pytest.raises(InputError, match="cut it into several") as caught:
        walled(b"x" * 11)
    assert caught.value.code == "file_size"


def test_a_large_file_may_cost_more_and_an_ordinary_one_not() -> None:
    assert limits(0) == limits(ORDINARY) or limits(0).answer < limits(ORDINARY).answer
    assert (limits(ORDINARY).cpu_s, limits(ORDINARY).wall_s, limits(ORDINARY).memory) == (CPU_S, WALL_S, MEMORY)
    large = limits(100 * MIB)
    assert large.cpu_s > CPU_S
    assert large.memory > MEMORY


def test_an_archive_may_cost_what_it_unpacks_to_and_a_small_one_no_more_than_a_table() -> None:
    zipped = archive.MAGIC + bytes(4 * MIB)
    assert limits(weight(zipped)).cpu_s > limits(weight(bytes(len(zipped)))).cpu_s == CPU_S
    assert replace(limits(weight(archive.MAGIC + bytes(MIB))), answer=0) == replace(limits(0), answer=0)
    assert weight(archive.MAGIC + bytes(40 * MIB)) == MOST_UNPACKED == archive.MOST_BYTES


def rewritten(tables: Iterator[pa.Table], options: pa.ipc.IpcWriteOptions | None = None) -> bytes:
    """Return an answer of those tables, written otherwise than a reader does."""
    out = io.BytesIO(b'{"notes": []}\n')
    out.seek(0, io.SEEK_END)
    for table in tables:
        with pa.ipc.new_stream(out, table.schema, options=options) as stream:
            stream.write_table(table)
    return out.getvalue()


def test_an_answer_that_unpacks_to_more_than_it_is_is_garbage() -> None:
    good = traps.answer(readings.reading(traps.mixed("csv")))
    stream = pa.BufferReader(good[good.index(b"\n") + 1 :])
    tables = [pa.ipc.open_stream(stream).read_all() for _ in range(2)]
    assert len(wire.get_reading(rewritten(iter(tables))).intake)
    for codec in ("lz4", "zstd"):
        packed = rewritten(iter(tables), pa.ipc.IpcWriteOptions(compression=codec))
        with pytest.raises(wire.GarbageError, match="other messages"):
            wire.get_reading(packed)


def test_an_answer_whose_columns_share_their_bytes_is_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    good = traps.answer(readings.reading(traps.mixed("csv")))
    batch = wire._batch  # noqa: SLF001 -- in its place stands one of which each row is the same bytes again
    monkeypatch.setattr(wire, "_batch", lambda *told: batch(*told).take(pa.array([0] * 1_000)))
    with pytest.raises(wire.GarbageError, match="lie over each other"):
        wire.get_reading(good)


def test_an_answer_that_no_reader_gives_is_garbage() -> None:
    good = traps.answer(readings.reading(traps.mixed("csv")))
    assert len(wire.get_reading(good).intake)
    for cut in range(0, len(good), max(1, len(good) // 60)):
        with pytest.raises(wire.GarbageError):
            wire.get_reading(good[:cut])
    reading = readings.reading(traps.mixed("csv"))
    for intake, refused in (
        (reading.intake.assign(row_no=1), reading.refused),
        (reading.intake.assign(kind="order"), reading.refused),
        (reading.intake.assign(row_no=-1).head(1), reading.refused),
        (reading.intake, reading.refused.assign(reason_code="<script>")),
    ):
        with pytest.raises(wire.GarbageError):
            wire.get_reading(traps.answer(sources.Reading(intake, refused)))


def test_a_message_from_behind_the_walls_cannot_paint_the_terminal() -> None:
    said_so = b'{"error": "InputError", "code": "json", "message": "\\u001b[2Jx\\u202ey"}\n'
    with pytest.raises(InputError) as caught:
        wire.get_reading(said_so)
    assert str(caught.value) == "\ufffd[2Jx\ufffdy"


@needs_walls
def test_a_warden_that_was_killed_is_replaced() -> None:
    data = readings.table([readings.GOOD])
    assert len(walled(data).intake) == 1
    (warden,) = wardens()
    warden.kill()
    assert len(walled(data).intake) == 1


@needs_walls
def test_several_threads_can_ask_at_once() -> None:
    data = readings.table([readings.GOOD])
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(walled(data).intake))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 4


@needs_walls
def test_a_file_that_takes_too_much_is_in_the_ledger_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = cells.workspace(tmp_path / "watch")
    good, bomb, other = (
        cells.shelling(tmp_path / f"{name}.csv", ref=name, hours=hours)
        for name, hours in (("mission", 3), ("satellite", 30), ("media", 3))
    )
    size = bomb.stat().st_size
    monkeypatch.setattr(door, "limits", lambda each: replace(limits(each), answer=10 if each == size else MIB))
    for file, exit_code in ((good, 0), (bomb, 3), (other, 0)):
        done = ceasewatch("ingest", place.path, file, "--json")
        assert done.exit_code == exit_code, done.output
        (told,) = json.loads(done.stdout)["files"]
        assert told["reasons"] == ({"resource_limit": 1} if file == bomb else {})
    monkeypatch.undo()
    again = json.loads(ceasewatch("ingest", place.path, bomb, "--json").stdout)["files"][0]
    assert (again["repeated"], again["new"]) == (False, 11)  # a reader that broke has not read it
    assert ceasewatch("verify", place.path).exit_code == 0
