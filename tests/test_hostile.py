"""Does no file of an enemy's reach outside, break the house, or make a record vanish?"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING

import hostile
import pytest
import readings
import traps

from geo.errors import InputError
from pipelines import sources
from pipelines.jail import door, guard, kernel, reports
from pipelines.jail.guard import Guard
from pipelines.jail.limits import MEMORY, MIB, WALL_S, Limits, limits, weight
from pipelines.sources.reading import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hostile import Case

    from pipelines.sources import Reading

NAIVE = ("vrt", "gdalg", "words")


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[traps.Trap]:
    with traps.trap(tmp_path_factory.mktemp("hostile")) as laid:
        yield laid


@pytest.fixture(scope="module")
def cases(trap: traps.Trap) -> list[Case]:
    return hostile.cases(trap)


def unlike(case: Case, read: Callable[[Case], Reading]) -> str:
    """Return what is wrong with what became of a case; empty if nothing is."""
    where = f"{case.name} as {case.form}"
    try:
        reading = read(case)
    except InputError as error:
        fits = error.code in (case.codes or hostile.REFUSED) and case.taken is None
        return "" if fits else f"{where}: {error.code}: {error}"
    numbers = sorted([*reading.intake["row_no"], *reading.refused["row_no"]])
    if case.codes or numbers != list(range(1, len(numbers) + 1)) or traps.MARK in repr(reading.intake.to_dict()):
        return f"{where}: {len(reading.intake)} taken in, {reading.refused.to_dict('records')}"
    died = set(reading.refused["reason_code"]) & {"reader_died", "resource_limit"}
    if died or (case.taken is not None and len(reading.intake) != case.taken):
        return f"{where}: {len(reading.intake)} taken in, not {case.taken}; {reading.refused.to_dict('records')}"
    return ""


def test_there_are_enough_of_them(cases: list[Case]) -> None:
    assert len({(case.form, case.data) for case in cases}) >= 300


@pytest.mark.skipif(not kernel.available(), reason="this system has no wall to show")
@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_behind_the_walls_nothing_is_lost_and_nothing_reached(cases: list[Case], trap: traps.Trap, every: int) -> None:
    held = Guard("pipelines.jail.reports")
    peaks, spans = [], []

    def read(case: Case) -> Reading:
        most, start = limits(weight(case.data)), time.monotonic()
        context = Context(traps.source(case.form), readings.THEATRE, readings.POLICY, f"x.{case.form}")
        ended = held.ask(reports.Asked(context, admits=False), case.data, most)
        peaks.append(ended.peak)
        spans.append(time.monotonic() - start)
        return door.judge(ended, most, case.data, f"x.{case.form}")

    with contextlib.closing(held):
        assert [wrong for case in cases[::every] if (wrong := unlike(case, read))] == []
    assert max(peaks) < MEMORY
    assert max(spans) < WALL_S
    assert not trap.sprung()


def test_without_walls_the_readers_alone_reach_nothing(cases: list[Case], trap: traps.Trap) -> None:
    def read(case: Case) -> Reading:
        return sources.read(case.data, traps.source(case.form), readings.THEATRE, readings.POLICY, f"x.{case.form}")

    assert [wrong for case in cases if (wrong := unlike(case, read))] == []
    assert not trap.sprung()


@pytest.mark.skipif(not kernel.available(), reason="this system has no wall to show")
def test_the_walls_alone_stop_a_reader_that_trusts_every_file(cases: list[Case], trap: traps.Trap) -> None:
    """GDAL with all its drivers follows what points elsewhere where no wall stands: so this proves something."""
    bodies = {case.data for case in cases if case.name.startswith(NAIVE)}
    free, walled = (Guard("naive_task", walls, (guard.ROOT, Path(__file__).parent)) for walls in ((), kernel.WALLS))
    most = Limits(cpu_s=2, wall_s=5, memory=MEMORY, answer=MIB)
    with contextlib.closing(free), contextlib.closing(walled):
        for held, follows in ((walled, False), (free, True)):
            before = trap.hits
            told = b"".join(
                bytes(held.ask(("gdal", str(trap.folder), trap.port), body, most).answer) for body in bodies
            )
            assert (traps.MARK.encode() in told) == follows
            assert (trap.hits > before) == follows
    trap.hits = 0


def test_a_case_that_loses_a_record_would_be_seen(cases: list[Case]) -> None:
    def read(case: Case) -> Reading:
        reading = sources.read(case.data, traps.source(case.form), readings.THEATRE, readings.POLICY, "x")
        return dataclasses.replace(reading, intake=reading.intake.iloc[1:])

    honest = next(case for case in cases if case.taken == hostile.GOOD)
    assert unlike(honest, read)
