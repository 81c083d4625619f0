"""Does each stage say in one line what it did, and how long it took?"""

from __future__ import annotations

import ctypes
import gc
import logging
import re
import resource
from pathlib import Path

import cells
import pytest
from commandline import ceasewatch

from pipelines.stages import SELDOM, stage


def test_a_stage_tells_its_counts_its_seconds_and_its_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    @stage("halve", lambda found: {"rows": len(found)})
    def halve(rows: list[int], *, by: int = 2) -> list[int]:
        return rows[:: len(rows) // (len(rows) // by)]

    assert halve([1, 2, 3, 4], by=2) == [1, 3]
    with pytest.raises(ZeroDivisionError):
        halve([])
    done, failed = caplog.records
    assert re.fullmatch(r"stage=halve seconds=\d+\.\d+ rows=2", done.getMessage())
    assert re.fullmatch(r"stage=halve seconds=\d+\.\d+ failed=ZeroDivisionError", failed.getMessage())
    assert done.stage["rows"] == 2  # type: ignore[attr-defined]
    assert (done.levelno, failed.levelno) == (logging.INFO, logging.WARNING)


def test_python_looks_for_cycles_seldom_while_a_stage_runs_and_as_before_once_it_is_over() -> None:
    before, meanwhile = gc.get_threshold(), []

    @stage("fail")
    def fail() -> None:
        meanwhile.append(gc.get_threshold())
        raise ZeroDivisionError

    try:
        for first in (700, 10**7, 0):  # whoever wants it more seldom still, or never, keeps that
            gc.set_threshold(first, *before[1:])
            with pytest.raises(ZeroDivisionError):
                fail()
            assert gc.get_threshold() == (first, *before[1:])
    finally:
        gc.set_threshold(*before)
    assert [each[0] for each in meanwhile] == [SELDOM, 10**7, 0]


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc gives memory back when asked")
def test_what_a_stage_needs_no_more_is_given_back() -> None:
    held: list[bytes] = []

    @stage("waste")
    def waste() -> int:
        pieces = [bytes(4096) for _ in range(25_000)]
        held.append(bytes(4096))  # the last of all lies above them, so that they are not given back by themselves
        del pieces
        return resident()

    assert waste() - resident() > 60 * 2**20


def resident() -> int:
    """Return how many bytes of memory this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_each_stage_of_a_run_has_its_line_which_the_screen_shows_only_to_those_who_look_into_the_program(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = cells.shelled(tmp_path)
    caplog.set_level(logging.INFO)
    words = ("run", place.path, "--as-of", "2026-06-03T12:00Z", "--plain", "--out", tmp_path / "out")
    assert "stage=" not in ceasewatch(*words).stderr
    told = [record.stage for record in caplog.records if hasattr(record, "stage")]
    assert [each["stage"] for each in told] == ["recall", "assess", "compare", "compose", "publish", "record"]
    assert (told[1]["reports"], told[1]["incidents"]) == (11, 1)
    assert "stage=assess seconds=" in ceasewatch(*words, "--debug").stderr
