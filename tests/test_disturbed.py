"""Is anything lost, doubled or half done when a command is killed, or its disk fails, at any of its system calls?

How many calls are tried is set on demand: ``pytest -m slow tests/test_disturbed.py``; CI tries a few.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import calls
import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not calls.available(), reason="system calls cannot be held here")


def tried(plan: str, what: str, folder: Path, most: int) -> dict[str, Any]:
    """Return what came of trials in a process of their own."""
    words = [sys.executable, str(HERE / "disturbed.py"), plan, what, str(folder), str(most)]
    environment = {**os.environ, "CEASEWATCH_JAIL": "off", "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    sys.stdout.write(f"{plan} of {what}: {told['trials']} trials of {told['calls']}, {told['seconds']} s\n")
    return told


def sound(told: dict[str, Any], trials: int) -> None:
    assert told["faults"] == []
    assert told["trials"] >= trials


@pytest.mark.parametrize(("what", "most", "trials"), [("commands", 4, 8), ("publishing", 52, 52)])
def test_a_kill_before_a_call_leaves_no_trace(tmp_path: Path, what: str, most: int, trials: int) -> None:
    sound(tried("kills", what, tmp_path, most), trials)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "most", "trials"), [("commands", 250, 300), ("publishing", 1000, 500)])
def test_a_kill_before_any_call_leaves_no_trace(tmp_path: Path, what: str, most: int, trials: int) -> None:
    sound(tried("kills", what, tmp_path, most), trials)


@pytest.mark.parametrize(("what", "most", "trials"), [("publishing", 4, 4)])
def test_three_kills_in_a_row_leave_no_trace(tmp_path: Path, what: str, most: int, trials: int) -> None:
    sound(tried("threes", what, tmp_path, most), trials)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "most", "trials"), [("commands", 50, 100), ("publishing", 100, 100)])
def test_a_hundred_times_three_kills_in_a_row_leave_no_trace(tmp_path: Path, what: str, most: int, trials: int) -> None:
    sound(tried("threes", what, tmp_path, most), trials)


def test_a_disk_that_is_full_or_fails_at_a_call_is_said_and_leaves_no_trace(tmp_path: Path) -> None:
    sound(tried("errors", "publishing", tmp_path, 9), 25)


@pytest.mark.slow
@pytest.mark.parametrize(("what", "most", "trials"), [("commands", 93, 600), ("publishing", 1000, 1300)])
def test_a_disk_that_is_full_or_fails_at_any_call_is_said_and_leaves_no_trace(
    tmp_path: Path, what: str, most: int, trials: int
) -> None:
    sound(tried("errors", what, tmp_path, most), trials)


def test_whoever_commits_row_by_row_and_writes_in_place_is_found_guilty(tmp_path: Path) -> None:
    told = tried("kills", "naive", tmp_path, 12)
    assert len(told["faults"]) >= told["trials"] / 2


def test_whoever_believes_what_was_written_is_found_guilty(tmp_path: Path) -> None:
    told = tried("lies", "careless", tmp_path, 24)
    assert any("ended with 0, but differs in ['published/monitor.gpkg']" in fault for fault in told["faults"])
