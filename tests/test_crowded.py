"""Do eight processes at once lose nothing, and hear of no trouble that is none of theirs?

Three take files in, two map a region each, three read: the ledger is checked, the quarantine listed, the maps read.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cells
import pytest
from commandline import ceasewatch

from pipelines.audit import audit
from pipelines.layers import read_table
from pipelines.ledger import book, store
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
AS_OF = "2026-06-03T12:00Z"
ROWS = 3


def takes(place: Path, name: str, n: int) -> Iterator[tuple[int, str]]:
    """Bring a file of one's own; its reports are told once it is in."""
    refs = [f"{name}-{n}-{k}" for k in range(ROWS)]
    file = cells.write(place.with_name(f"{name}-{n}.csv"), [cells.row(ref, 1.0 + n % 30) for ref in refs])
    done = ceasewatch("ingest", place, file, "--source", name)
    yield done.exit_code, done.stderr if done.exit_code else " ".join(refs)


def maps(place: Path, name: str, _: int) -> Iterator[tuple[int, str]]:
    """Map a region."""
    done = ceasewatch("run", place, "--plain", "--region", name, "--as-of", AS_OF)
    yield done.exit_code, done.stderr if done.exit_code else ""


def reads(place: Path, name: str, _: int) -> Iterator[tuple[int, str]]:
    """Look at what there is."""
    if name == "map":
        for target in place.glob("published/regions/*/monitor.gpkg"):
            read_table(target, "reports")
            read_table(target, "run")
        yield 0, ""
        return
    words = {"verify": ["verify", place], "quarantine": ["quarantine", place, "list"]}[name]
    done = ceasewatch(*words)
    yield done.exit_code, done.stdout + done.stderr if done.exit_code else ""


PEOPLE: tuple[tuple[Callable[[Path, str, int], Iterator[tuple[int, str]]], str], ...] = (
    *((takes, name) for name in ("mission", "media", "csv")),
    *((maps, name) for name in ("west", "east")),
    *((reads, name) for name in ("verify", "quarantine", "map")),
)  # fmt: skip


class NoLock:
    """Lets everybody write at once."""

    def __init__(self, *_: object) -> None:
        """Lock nothing."""

    def release(self) -> None:
        """Unlock nothing."""


def crowd(folder: str, seconds: str, way: str) -> None:
    """Let all of them work, and print what each was told."""
    if way == "unlocked":
        book.WriterLock = NoLock  # type: ignore[assignment, misc]
        plain = tuple(setting for setting in store._SETTINGS if "busy" not in setting)  # noqa: SLF001 -- left out here
        store._SETTINGS = (*plain, "busy_timeout=0")  # type: ignore[misc]  # noqa: SLF001 -- likewise
    place = cells.shelled(Path(folder))
    for work, name in PEOPLE:
        list(work(place.path, name, 0))  # what is loaded here is loaded in every copy of this process
    until = time.monotonic() + float(seconds)
    children = {}
    for work, name in PEOPLE:
        if (child := os.fork()) == 0:
            _busy(work, name, place.path, until)
        children[child] = name
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    json.dump({name: _lines(place.path, name) for _, name in PEOPLE}, sys.stdout)


def _busy(work: Callable[..., Iterator[tuple[int, str]]], name: str, place: Path, until: float) -> None:
    signal.alarm(300)
    with place.with_name(f"{name}.said").open("w", buffering=1) as notes:
        for n in itertools.count(1):
            if time.monotonic() > until:
                os._exit(0)
            try:
                for code, said in work(place, name, n):
                    notes.write(json.dumps([code, said]) + "\n")
            except BaseException as fault:  # noqa: BLE001 -- a copy of this process must never go on as one
                notes.write(json.dumps([-1, repr(fault)]) + "\n")


def _lines(place: Path, name: str) -> list[Any]:
    return [json.loads(line) for line in place.with_name(f"{name}.said").read_text().splitlines()]


def heard(folder: Path, seconds: float, way: str = "locked") -> dict[str, list[tuple[int, str]]]:
    """Return what each process was told."""
    code = "import sys, loops, test_crowded as t; t.crowd(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(seconds), way],
        env={**os.environ, "CEASEWATCH_JAIL": "off", "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, list[tuple[int, str]]] = json.loads(done.stdout)
    sys.stdout.write(f"{ {name: len(lines) for name, lines in said.items()} } in {seconds} s\n")
    return said


def whole(folder: Path, said: dict[str, list[tuple[int, str]]]) -> None:
    """Ask whether nobody was told of trouble, and nothing was lost or doubled."""
    assert [line for lines in said.values() for line in lines if line[0]] == []
    place = Workspace.open(folder / "ws")
    acknowledged = [ref for name in ("mission", "media", "csv") for _, refs in said[name] for ref in refs.split()]
    with place.ledger() as ledger:
        stands = ledger.reports()["source_ref"].tolist()
    assert set(acknowledged) <= set(stands)
    assert len(stands) == len(set(stands))
    assert audit(place).problems == ()


def test_eight_processes_at_once_lose_nothing_and_hear_of_no_lock(tmp_path: Path) -> None:
    said = heard(tmp_path, 3.0)
    whole(tmp_path, said)
    assert all(said.values())


@pytest.mark.slow
def test_eight_processes_for_a_minute_lose_nothing_and_hear_of_no_lock(tmp_path: Path) -> None:
    said = heard(tmp_path, 60.0)
    whole(tmp_path, said)
    assert all(len(lines) > 1 for lines in said.values())


@pytest.mark.slow
def test_eight_processes_that_do_not_wait_for_each_other_hear_of_a_lock(tmp_path: Path) -> None:
    said = heard(tmp_path, 5.0, "unlocked")
    assert any("holds this file" in words for lines in said.values() for _, words in lines)
