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

    def whole(self) -> float:
        """Return the seconds from the files to the map, with what lies between stages."""
        return self.seconds["ingest"] + self.seconds["watch"]


def tell(reports: int, days: int, folder: Path) -> None:
    """Write the files of a simulated ceasefire of so many days, of which so many reports tell."""
    from pipelines import simulator  # noqa: PLC0415 -- the parent process needs none of it
    from pipelines.settings import find_theatre, load_policy, load_theatre, read_folder  # noqa: PLC0415

    files = read_folder(find_theatre(NAME))
    theatre, policy = load_theatre(files, NAME), load_policy(files, NAME)
    simulator.write(simulator.simulate(theatre, policy, seed=SEED, days=days, reports=reports), folder)


def measure(told: Path, days: int, folder: Path) -> Clock:
    """Return what each stage took for the files in ``told``; the map is in ``folder`` then."""
    from pipelines import intake, watch  # noqa: PLC0415 -- the parent process needs none of it
    from pipelines.edge import utc_now  # noqa: PLC0415
    from pipelines.publications import Question  # noqa: PLC0415
    from pipelines.settings import find_theatre, read_folder  # noqa: PLC0415
    from pipelines.workspace import Workspace  # noqa: PLC0415

    clock = Clock()
    with tempfile.TemporaryDirectory() as place_of, ExitStack() as parts:
        files = read_folder(find_theatre(NAME))
        place = Workspace.create(Path(place_of) / "w", files, NAME, replay=True, at=utc_now())
        with clock.running("ingest"):
            for ingest in intake.in_turn(
                place, sorted(told.glob("*.csv")), source_id=None, known="reported", clock=utc_now
            ):
                ingest()
        logger = logging.getLogger("pipelines")
        logger.setLevel(logging.INFO)
        logger.addHandler(clock)
        parts.callback(logger.removeHandler, clock)
        for stage, function in PARTS.items():
            parts.enter_context(clock.part(stage, function))
        question = Question(BEGIN + timedelta(days=days))
        with clock.running("watch"):
            watch.watch(place, question, out=folder, version="benchmark", clock=utc_now)
    if lost := [stage for stage in COLUMNS if stage not in clock.seconds]:
        msg = f"{', '.join(lost)}: nothing of that name ran; say in COLUMNS or PARTS what took its place"
        raise LookupError(msg)
    return clock


def row(clock: Clock) -> str:
    """Return one row of the table."""
    count, whole = clock.counts["reports"], clock.whole()
    cells = [f"{clock.seconds[stage]:.2f} s" for stage in COLUMNS]
    return f"| {count:,} | {' | '.join(cells)} | {whole:.1f} s, {count / whole:,.0f}/s | {peak():,.0f} MB |"


def one(reports: int) -> str:
    """Return the row of so many reports."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "in"
        tell(reports, DAYS, told)
        return row(measure(told, DAYS, Path(folder) / "out"))


def main(sizes: list[str]) -> None:
    """Print the table, one process a size."""
    if sizes[:1] == ["--one"]:
        say(one(int(sizes[1])))
        return
    say(f"| reports | {' | '.join(COLUMNS)} | all | peak memory |\n|--:|{'--:|' * (len(COLUMNS) + 2)}")
    for size in sizes or ["10000", "100000"]:
        subprocess.run([sys.executable, __file__, "--one", size], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
