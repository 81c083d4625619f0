"""What is left of acknowledged work after the power was lost, at any call and on any kind of disk?

Run as a program of its own: ``python tests/losses.py VARIANT FOLDER EVERY`` looks at every so many states and prints
what came of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cells
from power import MODELS, Disk, record
from publishable import declare_few, world

from pipelines import layers
from pipelines.layers import swap
from pipelines.ledger import store
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from calls import Call

ROUNDS = 3
FILLING = 4  # every which call is looked at while a map is filled that is not in its place yet
AGAIN = 100  # after every which state the work is done once more


def file(folder: Path, n: int) -> Path:
    """Return the file of a round."""
    return folder / f"{n}.csv"


def answer(n: int) -> dict[str, pd.DataFrame]:
    """Return what a round publishes."""
    return world(f"run-{n}", seed=n, n=5)


def work(place: Path, folder: Path, acknowledged: Path) -> None:
    """Take in a file and publish a map, again and again, and note each as soon as it is said to be done."""
    workspace, notes = Workspace.open(place), acknowledged.open("a", buffering=1)
    reader = workspace.ledger()  # while somebody reads, what was written stays in the log when its writer goes
    for n in range(ROUNDS):
        cells.bring(workspace, file(folder, n), cells.Clock(40 + n), source="mission")
        notes.write(f"ingested {n}\n")
        done = layers.publish(answer(n), workspace.target(None), keep=1, run_id=f"run-{n}")
        with workspace.ledger(write=True) as ledger:
            ledger.put_publication(json.dumps([n, done.sha256]).encode(), cells.at(40 + n))
        notes.write(f"published {n} {done.sha256}\n")
    reader.close()


def lost(place: Path, said: list[str], maps: dict[str, str]) -> Iterator[str]:
    """Yield what a workspace lacks of what was said to be done."""
    ingested = sum(line.startswith("ingested") for line in said)
    try:
        with Workspace.open(place).ledger(write=True) as ledger:
            files = set(ledger.reports()["source_ref"])
            recorded = [json.loads(each.body)[0] for each in ledger.publications()]
            wrong = ledger.verify(place / "raw")
    except Exception as fault:  # noqa: BLE001 -- whatever it is, the ledger is lost
        yield f"the ledger: {fault!r}"
        return
    yield from wrong
    for n in range(ingested):
        if not {f"{n}-{k}" for k in range(3)} <= files:
            yield f"batch {n}"
    target = place / "published" / "monitor.gpkg"
    stands = maps.get(hashlib.sha256(target.read_bytes()).hexdigest()) if target.exists() else "nothing"
    published = [line.split()[1] for line in said if line.startswith("published")]
    if stands is None:
        yield "the map is not whole"
    elif published and (stands == "nothing" or int(stands) < int(published[-1])):
        yield f"map {published[-1]}: {stands} stands there"
    if not set(map(int, published)) <= set(recorded):
        yield "the record of a map"


def again(place: Path, folder: Path) -> Iterator[str]:
    """Do the work once more and yield what is not as it would be without a loss."""
    for left in (place / "published").glob(".publish.lock"):
        left.unlink()
    work(place, folder, place.with_name("acks-again"))
    with Workspace.open(place).ledger() as ledger:
        if set(ledger.reports()["source_ref"]) != {f"{n}-{k}" for n in range(ROUNDS) for k in range(3)}:
            yield "the next time other reports stand there"
        yield from ledger.verify(place / "raw")
    left = [path.name for path in place.rglob(".*") if ".tmp" in path.name]
    if left:
        yield f"left lying: {left}"


def main(variant: str, folder: str, every: str) -> None:
    """Try, and print what came of it; the variant says what is left out."""
    begun, base = time.monotonic(), Path(folder)
    root = base / "disk"
    place = cells.workspace(root / "ws")
    for n in range(ROUNDS):
        cells.write(file(base, n), [cells.row(f"{n}-{k}", 1.0 + n + k) for k in range(3)])
    declare_few()
    _leave_out(variant)
    told = {"states": 0, "lost": [], "again": 0}
    maps = {swap.VERSIONS: ""}

    rehearsal = base / "rehearsal"
    shutil.copytree(place.path, rehearsal)
    work(rehearsal, base, base / "acks-rehearsal")
    for line in (base / "acks-rehearsal").read_text().splitlines():
        if line.startswith("published"):
            maps[line.split()[2]] = line.split()[1]

    def see(call: Call, disk: Disk) -> None:
        see.calls += 1
        notes = disk.names.get(str(root / "acks"))
        said = bytes(notes.live).decode().splitlines() if notes is not None else []
        if ".monitor.tmp-" in call.paths[0] and see.calls % FILLING:
            return
        for model in MODELS:
            see.states += 1
            if see.states % int(every):
                continue
            holds = dict(disk.after(model, see.calls))
            told["states"] += 1
            if (digest := _digest(holds, said)) in judged:
                continue
            judged.add(digest)
            _build(base / "state", holds)
            where = f"{model}, call {see.calls} {call.name} {call.paths[0][len(str(root)) :]}, {len(said)} said"
            found = list(lost(base / "state" / "ws", said, maps))
            if not found and len(judged) % AGAIN == 0:
                told["again"] += 1
                found = list(again(base / "state" / "ws", base))
            told["lost"] += [f"{where}: {one}" for one in found[:2]]

    see.calls, see.states, judged = 0, 0, set[str]()
    record(partial(work, place.path, base, root / "acks"), root, see)
    json.dump(
        told | {"distinct": len(judged), "calls": see.calls, "seconds": round(time.monotonic() - begun)},
        sys.stdout,
        indent=1,
    )


def _digest(holds: dict[Path, bytes | None], said: list[str]) -> str:
    found = hashlib.sha256(repr(said).encode())
    for path, data in holds.items():
        found.update(str(path).encode() + hashlib.sha256(data or b"").digest())
    return found.hexdigest()


def _build(to: Path, holds: dict[Path, bytes | None]) -> None:
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir()
    for path, data in holds.items():
        if data is None:
            (to / path).mkdir()
        else:
            (to / path).write_bytes(data)


def _leave_out(variant: str) -> None:
    if variant == "normal":
        plain = tuple(setting for setting in store._SETTINGS if "synchronous" not in setting)  # noqa: SLF001
        store._SETTINGS = (*plain, "synchronous=NORMAL")  # type: ignore[misc]  # noqa: SLF001
    elif variant == "folders":
        sync = swap.settle
        swap.settle = lambda path: None if path.is_dir() else sync(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
