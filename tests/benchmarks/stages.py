"""How many reports a second does each stage take, and how much memory the whole?

Run ``poe bench`` (10,000 and 100,000 simulated reports) or ``poe bench 10000``. Every size runs in a process of its
own; the peak is that process's largest resident set. What is timed is one real ``watch`` over a real ledger: its stages
as ``pipelines.stages`` logs them, and of the stage *assess* the functions that ``PARTS`` names, where they stand.
"""

from __future__ import annotations

import functools
import importlib
import logging
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

from timing import peak, say

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED: Final = 1
DAYS: Final = 30
NAME: Final = "ukraine-2026"
BEGIN: Final = datetime(2026, 6, 1, tzinfo=UTC)
PARTS: Final = {
    "match": "geo.assess.place",
    "violations": "geo.verdicts.assemble",
    "group": "geo.incidents.group",
    "ladder": "geo.breaches.escalate",
    "layers": "geo.assess.summarise",
}
COLUMNS: Final = ("ingest", "recall", *PARTS, "compose", "publish", "record")


class Clock(logging.Handler):
    """Collects the seconds of every stage."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seconds: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take a stage's own line."""
        if (said := getattr(record, "stage", None)) is not None:
            self.add(said["stage"], said["seconds"])
            self.counts.update({name: said[name] for name in ("reports", "violations", "incidents") if name in said})

    def add(self, stage: str, seconds: float) -> None:
        """Count more time for a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Count what is done meanwhile."""
        begin = time.perf_counter()
        yield
        self.add(stage, time.perf_counter() - begin)

    @contextmanager
    def part(self, stage: str, place: str) -> Iterator[None]:
        """Count every call of the function at a place; one that is no longer there is an error."""
        module, name = place.rsplit(".", 1)
        home = importlib.import_module(module)
        work = getattr(home, name)

        @functools.wraps(work)
        def counted(*words: object, **more: object) -> object:
            with self.running(stage):
                return work(*words, **more)

        with mock.patch.object(home, name, counted):
            yield


def measure(n: int) -> Clock:
    """Return what each stage took for so many reports."""
    from pipelines import intake, simulator, watch  # noqa: PLC0415 -- the parent process needs none of it
    from pipelines.edge import utc_now  # noqa: PLC0415
    from pipelines.publications import Question  # noqa: PLC0415
    from pipelines.settings import find_theatre, read_folder  # noqa: PLC0415
    from pipelines.workspace import Workspace  # noqa: PLC0415

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as parts:
        files = read_folder(find_theatre(NAME))
        place = Workspace.create(Path(folder) / "w", files, NAME, replay=True, at=utc_now())
        with place.ledger() as ledger:
            settings = place.settings(ledger)
        told = simulator.simulate(settings.theatre, settings.policies[-1].policy, seed=SEED, days=DAYS, reports=n)
        for file in simulator.write(told, Path(folder) / "in"):
            if file.suffix == ".csv":
                with clock.running("ingest"):
                    intake.ingest(place, file, source_id=None, known="reported", clock=utc_now)
        logger = logging.getLogger("pipelines")
        logger.setLevel(logging.INFO)
        logger.addHandler(clock)
        parts.callback(logger.removeHandler, clock)
        for stage, function in PARTS.items():
            parts.enter_context(clock.part(stage, function))
        question = Question(BEGIN + timedelta(days=DAYS))
        watch.watch(place, question, out=Path(folder) / "out", version="benchmark", clock=utc_now)
    if lost := [stage for stage in COLUMNS if stage not in clock.seconds]:
        msg = f"{', '.join(lost)}: nothing of that name ran; say in COLUMNS or PARTS what took its place"
        raise LookupError(msg)
    return clock


def row(n: int) -> str:
    """Return one row of the table."""
    clock = measure(n)
    count = clock.counts["reports"]
    cells = [f"{clock.seconds[stage]:.2f} s" for stage in COLUMNS]
    whole = clock.seconds["assess"] + sum(clock.seconds[stage] for stage in COLUMNS if stage not in PARTS)
    return f"| {count:,} | {' | '.join(cells)} | {whole:.1f} s, {count / whole:,.0f}/s | {peak():,.0f} MB |"


def main(sizes: list[str]) -> None:
    """Print the table, one process a size."""
    if sizes[:1] == ["--one"]:
        say(row(int(sizes[1])))
        return
    say(f"| reports | {' | '.join(COLUMNS)} | all | peak memory |\n|--:|{'--:|' * (len(COLUMNS) + 2)}")
    for size in sizes or ["10000", "100000"]:
        subprocess.run([sys.executable, __file__, "--one", size], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
