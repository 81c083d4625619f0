"""Which commands are disturbed, before which of their system calls, and what is found?

Run as a program of its own, so that each trial can be a copy of a small process that has loaded everything:
``python tests/disturbed.py WHAT FOLDER MOST`` prints what came of it.
"""

from __future__ import annotations

import errno
import json
import random
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import loops  # noqa: F401 -- takes the compiled loops from where they lie
from commandline import ceasewatch
from publishable import declare_few, world
from trials import MAP, NEEDS_ROOM, Task, Verdict, draft, failing, killing, spread, trial, undisturbed

from pipelines import audit, edge, layers, watch
from pipelines.cli.common import judge
from pipelines.layers import rows as prepared
from pipelines.layers import write
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

AT, AS_OF = 44.0, 43.0  # hours: the moment at which all commands are given, and what the answer is about
ERRORS = tuple((error, once) for error in (errno.ENOSPC, errno.EIO) for once in (True, False))


def commands(folder: Path) -> tuple[Task, Task]:
    """Return ``ceasewatch ingest`` and ``ceasewatch run``: a workspace with a map takes in more, then maps it anew."""
    _remember_answers()
    audit._PAUSES_S = ()  # type: ignore[misc]  # noqa: SLF001 -- nobody else is at work
    edge.utc_now = cells.Clock(AT)  # type: ignore[assignment]
    start = folder / "ingest"
    place = cells.workspace(start)
    cells.bring(place, cells.shelling(folder / "mission.csv", hours=9.0), cells.Clock(40))
    cells.run(place, cells.Clock(40))
    place.target(None).with_name("reviews.gpkg").unlink()  # so that one is made again
    rows = [cells.row(f"s{n}", 1.0 + 3.0 * n) for n in range(2, 11)]  # two are known, one of them is told otherwise
    rows[0] |= {"lat": "48.02"}
    rows += [cells.row("s1", 4.0) | {"act": "retraction"}, cells.row("bad", 5.0) | {"lon": "east"}]
    more = cells.write(folder / "more.csv", rows)
    ingest = undisturbed("ingest", start, _saying("ingest", more, "--source", "mission"), _audited)
    run = _saying("run", "--plain", "--as-of", cells.at(AS_OF).isoformat())
    return ingest, undisturbed("run", folder / "ingest-done", run, _audited)


def _saying(command: str, *words: object) -> Callable[[Path], tuple[int, str]]:
    def do(place: Path) -> tuple[int, str]:
        done = ceasewatch(command, place, *words)
        return done.exit_code, done.stderr

    return do


def _audited(place: Path) -> Sequence[str]:
    return audit.audit(Workspace.open(place)).problems


def _remember_answers() -> None:
    """Compute nothing twice that is a pure function of what the ledger holds; what a key does not tell is computed."""
    known: dict[object, tuple[object, object]] = {}

    def remembered(place: object, name: str, key: Callable[..., object]) -> None:
        plain = getattr(place, name)

        def asked(*words: object, **more: object) -> object:
            what = (name, key(*words))
            if what not in known:
                known[what] = plain(*words, **more), words  # which are then not forgotten, nor their ids used again
            return known[what][0]

        setattr(place, name, asked)

    def memory(known: object) -> object:
        hashes = known.settings.theatre_hash, known.settings.policy_hashes, known.command_hashes
        return (*hashes, tuple(known.reports["ledger_no"]), tuple(known.reports["revision"]))

    def recalled(all_of_it: object, *_: object) -> object:
        then = all_of_it.then
        return all_of_it.run_id, all_of_it.earlier and all_of_it.earlier.run_id, then is not None and memory(then)

    remembered(watch, "judge", lambda known, as_of: (memory(known), as_of))
    for name in ("compare", "compose", "companions"):
        remembered(watch, name, recalled)
    remembered(layers, "_look", lambda target, rows, *_: (target.name, rows["run"]["run_id"][0].as_py()))
    remembered(layers._rows, "prepare", id)  # noqa: SLF001 -- the answers are kept


def publishing(folder: Path, publish: Callable[..., object] = layers.publish) -> Task:
    """Return the publication of a new map with four tables and what stands beside it, over an old one."""
    declare_few()
    _remember_answers()
    old, new = world("old", n=5), world("new", seed=1, n=5)
    start = folder / "publish"
    for given in (world("first", seed=2, n=5), old):
        beside = {"page.html": b"old", "gone": b"x"}
        layers.publish(given, start / MAP, keep=1, run_id=_name(given), companions=beside.copy)

    def do(place: Path) -> tuple[int, str]:
        beside = {"page.html": b"new" * 9999, "cap/message.xml": b"<alert/>", "gone": None}
        try:
            publish(new, place / MAP, keep=1, run_id=_name(new), companions=beside.copy)
        except Exception as fault:  # noqa: BLE001 -- as the edge does
            code, sentence = judge(fault)
            return code, f"Error: {sentence}"
        return 0, ""

    return undisturbed("publish", start, do, lambda _: ())


def _name(given: dict[str, pd.DataFrame]) -> str:
    return str(given["run"]["run_id"].iloc[0])


def naive(folder: Path) -> Task:
    """Return what one would write first: a row, a commit, the next row; and a map that is written where it stands."""
    start = folder / "naive"
    declare_few()
    refs, maps = ["a", "b", "c"], world("new", seed=1, n=5)
    layers.publish(world("old", n=5), start / MAP, keep=1, run_id="old")
    (start / MAP).chmod(0o644)

    def do(place: Path) -> tuple[int, str]:
        with closing(sqlite3.connect(place / "reports.sqlite")) as file:
            file.execute("CREATE TABLE IF NOT EXISTS reports (ref TEXT)")
            for ref in refs:
                file.execute("INSERT INTO reports VALUES (?)", [ref])
                file.commit()
        (place / MAP).unlink(missing_ok=True)
        made = prepared.prepare(maps)
        write.build(place / MAP, made, layers._look(place / MAP, made), layers._instant(made))  # noqa: SLF001 -- no door
        return 0, ""

    return undisturbed("naive", start, do, lambda _: ())


def careless(folder: Path) -> Task:
    """Return a publication that believes what GDAL says of it."""
    layers.prove = lambda *_: None
    return publishing(folder)


def kills(folder: Path, tasks: Iterable[Task], most: int) -> Verdict:
    """Kill each task before at most so many of its calls: first those that do more than fill a map not yet in place."""
    verdict = Verdict()
    for task in tasks:
        for at in _chosen(task, most):
            trial(task, folder, verdict, f"{task.name}, killed before call {at} {task.calls[at]}", killing(at))
    return verdict


def errors(folder: Path, tasks: Iterable[Task], most: int) -> Verdict:
    """Let at most so many calls of each task fail: for want of room and by a broken disk, each once and for good."""
    verdict = Verdict()
    for task in tasks:
        for at in _chosen(task, most):
            for error, once in ERRORS:
                if error == errno.ENOSPC and task.calls[at][0] not in NEEDS_ROOM:
                    continue
                where = f"{task.name}, {errno.errorcode[error]} {'once' if once else 'for good'}"
                trial(task, folder, verdict, f"{where}, call {at} {task.calls[at]}", failing(at, error, once=once))
    return verdict


def lies(folder: Path, tasks: Iterable[Task], most: int) -> Verdict:
    """Let a disk have no room once while a map is filled that is not yet in its place: what GDAL says nothing of."""
    verdict = Verdict()
    for task in tasks:
        for at in spread([at for at, call in enumerate(task.calls) if draft(call) and call[0] in NEEDS_ROOM], most):
            trial(task, folder, verdict, f"{task.name}, call {at}", failing(at, errno.ENOSPC, once=True))
    return verdict


def threes(folder: Path, tasks: Iterable[Task], most: int) -> Verdict:
    """Kill each task three times in a row, at random."""
    verdict, chance = Verdict(), random.Random(1)  # noqa: S311 -- a test's moments
    for task in tasks:
        for _ in range(most):
            at = [chance.choice(_chosen(task, 400)) for _ in range(3)]
            trial(task, folder, verdict, f"{task.name}, killed before {at}", *map(killing, at))
    return verdict


def _chosen(task: Task, most: int) -> list[int]:
    points = range(len(task.calls))
    telling = spread([at for at in points if not draft(task.calls[at])], most)
    filling = spread([at for at in points if draft(task.calls[at])], most - len(telling))
    return sorted([*telling, *filling])


TASKS = {
    "commands": commands,
    "publishing": lambda folder: [publishing(folder)],
    "naive": lambda folder: [naive(folder)],
    "careless": lambda folder: [careless(folder)],
}
PLANS = {"kills": kills, "errors": errors, "threes": threes, "lies": lies}


def main(plan: str, what: str, folder: str, most: str) -> None:
    """Try, and print what came of it."""
    begun, place = time.monotonic(), Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    tasks = list(TASKS[what](place))
    found = PLANS[plan](place, tasks, int(most))
    told = {"trials": found.trials, "faults": found.faults, "said": found.said, "recovered": len(found.known)}
    told |= {"calls": {task.name: len(task.calls) for task in tasks}, "seconds": round(time.monotonic() - begun)}
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
