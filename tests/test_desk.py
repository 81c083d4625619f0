"""Does a decision that its editor saved survive the death of the editor, of the run that reads it, and of both?"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import pytest
from cells import Clock

from pipelines import commands, reviews
from pipelines.audit import audit
from pipelines.layers import read_table
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
PAUSE_S = 0.1  # of an editor between two decisions
BEYOND = 1.5  # how many times as long as a run takes it may live
ANEW = 10  # rounds after which it is asked anew how long that is
NAMES = ("one", "two")


def edit(file: Path, said: Path, tag: str) -> NoReturn:
    """Save one decision after the other, and note each once it is saved, until somebody kills this process."""
    with closing(sqlite3.connect(file, timeout=30.0, isolation_level=None)) as opened, said.open("a") as notes:
        opened.execute("PRAGMA journal_mode = WAL")
        for n in range(10**6):
            values = ("confirm", "V-4", "First Reviewer", f"{tag} {n}", cells.at(30).isoformat())
            opened.execute(
                "INSERT INTO commands (command, target, reviewer, reason, at) VALUES (?, ?, ?, ?, ?)", values
            )
            notes.write(f"{tag} {n}\n")
            notes.flush()
            time.sleep(PAUSE_S)
    raise AssertionError


def forked(work: Callable[[], object]) -> int:
    """Do work in a process of its own and return its number."""
    if (child := os.fork()) == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 -- a copy of this process must never go on as one
            os._exit(1)
        os._exit(0)
    return child


def kill(child: int) -> bool:
    """End a process, and tell whether it had ended by itself; then it must have ended well."""
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


def die_often(place: Path, rounds: int) -> int:
    """Let two people edit while runs publish, and kill all three at random moments, the run last or first.

    Return how many of these runs had ended by themselves. The more was decided the longer a run takes, so that every
    ``ANEW`` rounds one that nobody kills is timed.
    """
    chance = random.Random(1)  # noqa: S311 -- a test's moments
    workspace = Workspace.open(place)
    desks = (place / "reviews.gpkg", workspace.target(None).with_name("reviews.gpkg"))
    cells.run(workspace, Clock(44))  # what is loaded here is loaded in every copy of this process
    ended, longest = 0, 0.0
    for n in range(rounds):
        if n % ANEW == 0:
            begun = time.monotonic()
            cells.run(workspace, Clock(45 + (n - 0.5) / 100))
            longest = BEYOND * (time.monotonic() - begun)
        notes = [place.parent / name for name in NAMES]
        editors = [
            forked(partial(edit, desk, note, f"{note.name} {n}")) for desk, note in zip(desks, notes, strict=True)
        ]
        time.sleep(chance.uniform(0.0, 0.2))
        run = forked(partial(cells.run, workspace, Clock(45 + n / 100)))
        time.sleep(chance.uniform(0.0, longest))
        done = {child: kill(child) for child in chance.sample([*editors, run], 3)}
        ended += done[run]
    return ended


def survive(folder: Path, rounds: int) -> int:
    """Ask whether nothing was lost; return how many of the runs that were to be killed ended before."""
    place = cells.shelled(folder)
    cells.run(place, Clock(40))
    reviews.offer(place, None)
    code = "import pathlib, sys, test_desk as t; print(t.die_often(pathlib.Path(sys.argv[1]), int(sys.argv[2])))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    deaths = subprocess.run(
        [sys.executable, "-c", code, place.path, str(rounds)],
        check=True, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE,
    )  # fmt: skip
    done = cells.run(place, Clock(60))
    saved = [line for name in NAMES for line in (folder / name).read_text().splitlines()]
    with place.ledger() as ledger:
        heard = [entry.row["reason"] for _, entry in commands.entries(ledger)]
    assert len(saved) >= rounds
    assert len(set(heard)) == len(heard)
    assert set(saved) <= set(heard)
    assert set(read_table(done.file, "reviews")["reason"]) == set(heard)
    assert audit(place).problems == ()
    return int(deaths.stdout)


@pytest.mark.slow
def test_a_hundred_deaths_lose_no_saved_decision_and_hear_none_twice(tmp_path: Path) -> None:
    assert 10 < survive(tmp_path, 100) < 100
