"""How long does it take to publish 1,000,000 reports, beside writing the bare points with pyogrio and Arrow?

Run ``poe bench-publish`` or ``poe bench-publish 100000``. A simulated answer is published through the project's own
writer and checks, with all its layers, styles, index, project and hashes; its reports are repeated, under names of
their own, until there are so many, so that every column holds what it would. *Bare* is the same points with their first
``FEW`` columns, *alike* with all of them, both written by pyogrio with Arrow and a spatial index, neither read back nor
hashed. Each is measured in processes of its own, in ``ROUNDS`` rounds, and the least counts, since a machine may be
busy. *To bare* is the ratio, by the clock and of processors.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from timing import peak, say, timed

if TYPE_CHECKING:
    import pandas as pd

REPORTS: Final = 1_000_000
SIMULATED: Final = 2000
FEW: Final = 15
ROUNDS: Final = 3
NAME: Final = "ukraine-2026"
BEGIN, DAYS = datetime(2026, 6, 1, tzinfo=UTC), 30
KINDS: Final = {
    "bare": f"the points and {FEW} columns, pyogrio with Arrow",
    "alike": "the points and all their columns, pyogrio with Arrow",
    "publish": "the publication",
}


def answer(simulated: int) -> dict[str, pd.DataFrame]:
    """Return what a run over simulated reports would publish."""
    from pipelines import intake, simulator, watch  # noqa: PLC0415 -- the parent process needs none of it
    from pipelines.edge import utc_now  # noqa: PLC0415
    from pipelines.publications import Question  # noqa: PLC0415
    from pipelines.recall import recall  # noqa: PLC0415
    from pipelines.settings import find_theatre, read_folder  # noqa: PLC0415
    from pipelines.workspace import Workspace  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        place = Workspace.create(Path(folder) / "w", read_folder(find_theatre(NAME)), NAME, replay=True, at=utc_now())
        with place.ledger() as ledger:
            settings = place.settings(ledger)
        told = simulator.simulate(settings.theatre, settings.policies[-1].policy, seed=1, days=DAYS, reports=simulated)
        for file in simulator.write(told, Path(folder) / "in"):
            if file.suffix == ".csv":
                intake.ingest(place, file, source_id=None, known="reported", clock=utc_now)
        recalled = recall(place, Question(BEGIN + timedelta(days=DAYS)), version="benchmark", at=utc_now())
        whole = watch.judge(recalled.now, recalled.question.as_of)
        return watch.compose(recalled, whole, watch.compare(recalled, whole)).layers


def repeated(reports: pd.DataFrame, wanted: int) -> pd.DataFrame:
    """Return so many reports, each under a name and a number of its own."""
    import numpy as np  # noqa: PLC0415

    from geo import tables  # noqa: PLC0415

    rows = np.arange(wanted)
    many = reports.take(rows % len(reports)).reset_index(drop=True)
    names = "R-" + (rows + 1).astype(str).astype(object)
    return tables.conform(many.assign(report_id=names, ledger_no=rows + 1), tables.REPORTS)


def measure(kind: str, wanted: int, simulated: int) -> dict[str, Any]:
    """Return seconds by the clock and of processors, and the peak memory, of one kind of writing."""
    content = answer(simulated)
    content["reports"] = repeated(content["reports"], wanted)
    with tempfile.TemporaryDirectory() as folder:
        work = _publish if kind == "publish" else _bare
        _, wall, busy = timed(lambda: work(content, Path(folder) / "monitor.gpkg", kind))
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return {"wall": wall, "busy": busy, "peak": peak(), "size": size / 1e6, "columns": _columns(content, kind)}


def _columns(content: dict[str, pd.DataFrame], kind: str) -> int:
    return FEW if kind == "bare" else content["reports"].shape[1] - 1


def _publish(content: dict[str, pd.DataFrame], file: Path, _: str) -> None:
    from pipelines import layers  # noqa: PLC0415

    layers.publish(content, file, keep=1, run_id=str(content["run"]["run_id"].iloc[0]))


def _bare(content: dict[str, pd.DataFrame], file: Path, kind: str) -> None:
    from geo.crs import WGS84  # noqa: PLC0415
    from pipelines import gdal  # noqa: F401, PLC0415 -- chooses GDAL's drivers before anything loads it

    pyogrio = importlib.import_module("pyogrio")
    reports = content["reports"]
    few = reports if kind == "alike" else reports[[*reports.columns[:FEW], "geometry"]]
    pyogrio.write_dataframe(few.set_crs(WGS84), file, layer="reports", driver="GPKG", use_arrow=True)


def main(arguments: list[str]) -> None:
    """Print the table, one process a row."""
    if arguments[:1] == ["--one"]:
        say(json.dumps(measure(arguments[1], int(arguments[2]), int(arguments[3]))))
        return
    sizes = [*arguments, *(str(REPORTS), str(SIMULATED))[len(arguments) :]]
    found = [{kind: _apart(kind, sizes) for kind in KINDS} for _ in range(ROUNDS)]
    least = {kind: {what: min(one[kind][what] for one in found) for what in found[0][kind]} for kind in KINDS}
    say("| what | columns | seconds | to bare | of processors | to bare | MB | peak memory, MB |\n|:--|" + "--:|" * 7)
    for kind, what in KINDS.items():
        one, bare = least[kind], least["bare"]
        ratios = " | ".join(f"{one[clock]:.1f} | {one[clock] / bare[clock]:.2f}" for clock in ("wall", "busy"))
        say(f"| {what} | {one['columns']} | {ratios} | {one['size']:,.0f} | {one['peak']:,.0f} |")


def _apart(kind: str, sizes: list[str]) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--one", kind, *sizes]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return said


if __name__ == "__main__":
    main(sys.argv[1:])
