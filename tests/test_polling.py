"""Does a program that looks at the map all the time ever see anything but one whole publication?"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from publishable import declare_few, publish, world

from pipelines import gdal, layers
from pipelines.layers import rows, write

HERE = Path(__file__).parent
KINDS = 5  # of maps, published in turn
BY_GDAL = 10  # every which read


def answer(n: int) -> dict[str, object]:
    """Return what the n-th publication says."""
    return world(f"run-{n}", seed=n % KINDS, n=20)


def told(n: int) -> tuple[str | None, ...]:
    """Return the reports of the n-th publication."""
    return tuple(rows.prepare(answer(n))["reports"]["report_id"].to_pylist())


def look(target: Path, n: int, whole: dict[int, tuple[str | None, ...]]) -> str | None:
    """Read the map as others do; return what is wrong with it."""
    try:
        if n % BY_GDAL == 0:
            ids = tuple(gdal.read(target, "reports")["report_id"].to_pylist())
            return None if ids in whole.values() else f"GDAL reads {len(ids)} reports of no publication"
        with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as file:
            ((run,),) = file.execute("SELECT run_id FROM run").fetchall()
            ids = tuple(one for (one,) in file.execute("SELECT report_id FROM reports ORDER BY fid"))
            evidence = file.execute("SELECT count(*) FROM evidence").fetchone()
        right = ids == whole[int(run.removeprefix("run-")) % KINDS] and evidence == (20,)
    except Exception as fault:  # noqa: BLE001 -- whatever it is, a reader would have met it
        return repr(fault)
    else:
        return None if right else f"{run} with {len(ids)} reports that are not its own, or {evidence} pieces"


def in_place(frames: dict[str, object], target: Path) -> None:
    """Write the map where it stands, as one would at first."""
    target.unlink()
    made = rows.prepare(frames)
    write.build(target, made, layers._look(target, made), layers._instant(made))  # noqa: SLF001 -- what is left out


def poll(folder: str, publications: str, reads: str, way: str) -> None:
    """Publish again and again while another process reads, and print how often it read, and what was wrong."""
    declare_few()
    target, most, each = Path(folder) / "monitor.gpkg", int(publications), int(reads) // int(publications)
    whole = {n: told(n) for n in range(KINDS)}
    publish(answer(0), target)
    if way == "in place":
        target.chmod(0o644)
    shared = mmap.mmap(-1, 8)  # how often it was read
    if (reader := os.fork()) == 0:
        with (Path(folder) / "wrong").open("w", buffering=1) as notes:
            for n in range(10**9):
                if wrong := look(target, n, whole):
                    notes.write(f"{wrong}\n")
                shared[:] = struct.pack("q", n + 1)
    for n in range(1, most + 1):
        publish(answer(n), target) if way == "whole" else in_place(answer(n), target)
        while struct.unpack("q", shared[:])[0] < n * each:
            time.sleep(0.001)
    os.kill(reader, signal.SIGKILL)
    os.waitpid(reader, 0)
    wrong = (Path(folder) / "wrong").read_text().splitlines()
    json.dump({"reads": struct.unpack("q", shared[:])[0], "wrong": wrong}, sys.stdout)


def polled(folder: Path, publications: int, reads: int, way: str = "whole") -> tuple[int, list[str]]:
    code = "import sys, test_polling as t; t.poll(*sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(publications), str(reads), way],
        env={**os.environ, "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    sys.stdout.write(f"{found['reads']} reads of {publications} publications, {len(found['wrong'])} wrong\n")
    return found["reads"], found["wrong"]


def test_a_reader_sees_whole_publications_only(tmp_path: Path) -> None:
    reads, wrong = polled(tmp_path, 10, 600)
    assert wrong == []
    assert reads >= 600


@pytest.mark.slow
def test_ten_thousand_reads_see_whole_publications_only(tmp_path: Path) -> None:
    reads, wrong = polled(tmp_path, 200, 10_000)
    assert wrong == []
    assert reads >= 10_000


def test_a_reader_of_a_map_that_is_written_in_place_sees_half_of_it(tmp_path: Path) -> None:
    _, wrong = polled(tmp_path, 3, 60, "in place")
    assert wrong
