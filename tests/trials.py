"""What must hold when a command is disturbed before any of its system calls, and does it?

A trial starts from a copy of a workspace, does ``ceasewatch ingest`` or ``ceasewatch run`` in a copy of this process,
disturbs it, looks at what is left, and gives the same command again. Nothing may be lost, doubled or half done; a
command that says that it is done has done all; and the second time leaves what an undisturbed command leaves, byte for
byte, without a trace of the first.
"""

from __future__ import annotations

import errno
import gc
import hashlib
import itertools
import os
import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import calls
from calls import Call, Kill

from pipelines import hashes
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DONE = (0, 3)
MAP = Path("published", "monitor.gpkg")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
WHOLE_DISK = ("fsync", "fdatasync")
NEEDS_ROOM = frozenset(
    {"write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fallocate", "openat", "creat", "mkdir"}
    | {"mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", *WHOLE_DISK}
)
APART = {".publish.lock", hashes.FILE}


@dataclass(frozen=True)
class State:
    """What a folder holds: the head of its ledger's chain, and the hash of every file but the ledger's and locks.

    What is remembered of other files (``pipelines.hashes``) says which file of the disk each is: never the same twice.
    """

    head: str
    files: dict[str, str]

    def map(self) -> str:
        """Return the hash of the published map."""
        return self.files.get(MAP.as_posix(), "")


@dataclass(frozen=True)
class Task:
    """A command: the folder that it starts from, what it does there, and the states before and after it.

    ``do`` returns an exit code and what was said; ``verify`` what is wrong with a folder; ``calls`` are the system
    calls of it that change something, as name and paths.
    """

    name: str
    start: Path
    do: Callable[[Path], tuple[int, str]]
    verify: Callable[[Path], Sequence[str]]
    before: State
    after: State
    calls: tuple[tuple[str, ...], ...]


@dataclass
class Verdict:
    """What came of trials: how many, everything that did not hold, and what commands said of themselves."""

    trials: int = 0
    faults: list[str] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)


def state(place: Path) -> State:
    """Return what a folder holds."""
    if not (place / "ledger.sqlite").exists():
        return State("", dict(_files(place)))
    with Workspace.open(place).ledger() as ledger:
        head = ledger.head().hash
    return State(head, dict(_files(place)))


def _files(place: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(place.rglob("*")):
        if path.is_file() and not path.name.startswith("ledger.sqlite") and path.name not in APART:
            data = _desk(path) if path.name == "reviews.gpkg" else path.read_bytes()
            yield path.relative_to(place).as_posix(), hashlib.sha256(data).hexdigest()


def _desk(file: Path) -> bytes:
    """Return what a file for commands holds, without the moment at which it was made."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
        sound = opened.execute("PRAGMA integrity_check").fetchall()
        return "\n".join([str(sound), *(_TIME.sub("", line) for line in opened.iterdump())]).encode()


def _fingerprint(task: Task, place: Path) -> str:
    """Return a hash of every file: all that the next command can go by."""
    found = hashlib.sha256(task.name.encode())
    for path in sorted(place.rglob("*")):
        if path.is_file() and not path.name.endswith((".lock", "-shm")):
            stat = path.stat()
            found.update(f"{path.relative_to(place)} {stat.st_mode} {stat.st_nlink}".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def undisturbed(
    name: str, start: Path, do: Callable[[Path], tuple[int, str]], verify: Callable[[Path], Sequence[str]]
) -> Task:
    """Return a task that was done once without being disturbed; what it left is beside ``start``."""
    place, seen = start.with_name(f"{name}-done"), list[tuple[str, ...]]()
    shutil.copytree(start, place)
    assert do(place)[0] in DONE  # loads what a copy of this process then has
    shutil.rmtree(place)
    shutil.copytree(start, place)
    gc.collect()
    gc.freeze()  # such a copy touches, and so copies, less memory
    begun = Task(name, start, do, verify, state(start), state(start), ())
    code = calls.watched(
        partial(_ended, begun, place, None), place, lambda call: seen.append((call.name, *call.paths)) or 0
    )
    assert code in DONE, code
    assert not verify(place)
    return replace(begun, after=state(place), calls=tuple(seen))


def _ended(task: Task, place: Path, said: Path | None) -> None:
    code, words = task.do(place)
    if said is not None:
        said.write_text(words)
    os._exit(code)


def trial(task: Task, folder: Path, verdict: Verdict, where: str, *disturb: Callable[[Call], int]) -> None:
    """Disturb a command, more than once in a row where so many ways are given, and then give it undisturbed."""
    place = folder / "trial"
    shutil.copytree(task.start, place)
    verdict.trials += 1
    try:
        for decide in disturb:
            said = folder / "said"
            said.write_text("")
            code = calls.watched(partial(_ended, task, place, said), place, decide)
            verdict.faults += [f"{where}: {fault}" for fault in _wrong(task, place, code, said.read_text(), verdict)]
        if (left_so := _fingerprint(task, place)) in verdict.known:
            return  # what comes next was seen
        code, words = task.do(place)
        left = state(place)
        if code in DONE and left == task.after:
            verdict.known.add(left_so)
        else:
            verdict.faults.append(f"{where}: the next time ended with {code}: {words} {_difference(task.after, left)}")
    except Exception as fault:  # noqa: BLE001 -- whatever it is, it is what this trial found
        verdict.faults.append(f"{where}: {fault!r}")
    finally:
        shutil.rmtree(place)


def _wrong(task: Task, place: Path, code: int, said: str, verdict: Verdict) -> Iterator[str]:
    """Yield what does not hold of a workspace after a command that ended so."""
    left = state(place)
    if code in DONE:
        if left != task.after:
            yield f"ended with {code}, but {_difference(task.after, left)}"
        return
    if code > 0:
        words = said.strip().splitlines()[-1] if said.strip() else ""
        verdict.said[f"{code}: {words.replace(str(place), '')}"] += 1
        if code != 2 or "Error: " not in words or "Traceback" in said:
            yield f"ended with {code} and said: {said}"
    if left.head not in {task.before.head, task.after.head}:
        yield "the ledger is neither what it was nor what it shall be"
    if left.map() not in {task.before.map(), task.after.map()}:
        yield "the map is neither the old one nor the new one"
    found = task.verify(place)
    unrecorded = left.map() != task.before.map() and left.head == task.before.head
    if not all(unrecorded and "is not the file that was published last" in problem for problem in found):
        yield f"verify finds {found}"


def _difference(wanted: State, found: State) -> str:
    names = sorted(
        name for name in wanted.files.keys() | found.files if wanted.files.get(name) != found.files.get(name)
    )
    return f"differs in {names}{'' if wanted.head == found.head else ' and in the ledger'}"


def killing(at: int) -> Callable[[Call], int]:
    """Kill before the ``at``-th call, from 0 on."""
    count = itertools.count()

    def decide(_: Call) -> int:
        if next(count) == at:
            raise Kill
        return 0

    return decide


def failing(at: int, error: int, *, once: bool) -> Callable[[Call], int]:
    """Let the ``at``-th call fail, or it and all that come after it and can fail so."""
    count = itertools.count()

    def decide(call: Call) -> int:
        n = next(count)
        able = error != errno.ENOSPC or call.name in NEEDS_ROOM
        return error if able and (n == at if once else n >= at) else 0

    return decide


def spread(points: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the points, evenly."""
    return list(points) if len(points) <= most else [points[n * len(points) // most] for n in range(most)]


def draft(call: tuple[str, ...]) -> bool:
    """Tell whether a call only fills a map that is not in its place yet."""
    return call[0] in {"pwrite64", "openat", "unlink"} and ".monitor.tmp-" in call[1]
