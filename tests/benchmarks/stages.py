"""How many reports a second does each stage take, and how much memory the whole?

Run ``poe bench`` (10,000 and 100,000 simulated reports) or ``poe bench 10000``. Every size runs in a process of its
own; the peak is that process's largest resident set.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 1
DAYS = 30
STAGES = ("ingest", "match", "group", "assess", "publish")


def measure(n: int) -> tuple[int, dict[str, float], float]:
    """Return the number of reports, the seconds of each stage, and the peak memory in MB."""
    from geo import breaches, incidents, violations  # noqa: PLC0415 -- the parent process needs none of it
    from geo.assess import place, summarise  # noqa: PLC0415
    from geo.policy import in_force  # noqa: PLC0415
    from pipelines import edge, intake, simulator, watch  # noqa: PLC0415
    from pipelines.publications import Question  # noqa: PLC0415
    from pipelines.recall import recall  # noqa: PLC0415
    from pipelines.settings import find_theatre, read_folder  # noqa: PLC0415
    from pipelines.workspace import Workspace  # noqa: PLC0415

    seconds: dict[str, float] = {}

    @contextmanager
    def clocked(stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - begin

    with tempfile.TemporaryDirectory() as folder:
        files = read_folder(find_theatre("ukraine-2026"))
        workspace = Workspace.create(Path(folder) / "w", files, "ukraine-2026", replay=True, at=datetime.now(UTC))
        with workspace.ledger() as ledger:
            settings = workspace.settings(ledger)
        theatre, policy = settings.theatre, settings.policies[-1].policy
        simulation = simulator.simulate(theatre, policy, seed=SEED, days=DAYS, reports=n)
        for file in simulator.write(simulation, Path(folder) / "in"):
            if file.suffix == ".csv":
                with clocked("ingest"):
                    intake.ingest(workspace, file, source_id=None, known="reported", clock=edge.utc_now)
        as_of = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=DAYS)
        recalled = recall(workspace, Question(as_of, None, None), version="benchmark", at=edge.utc_now())
        memory, policies = recalled.now, recalled.now.settings.policies
        with clocked("match"):
            matched = place(memory.reports, theatre, policies, as_of)
        with clocked("group"):
            matched, found = violations.assemble(matched, in_force(policies, as_of))
            grouping = incidents.group(found, in_force(policies, as_of))
        with clocked("assess"):
            ladder = breaches.escalate(grouping, matched, memory.coverage, theatre, policies, as_of)
            answer = summarise(matched, grouping, ladder, memory.coverage, theatre, policies, as_of)
        with clocked("publish"):
            content = watch.compose(recalled, answer, watch.compare(recalled, answer))
            watch.publish(recalled, content, Path(folder) / "out" / "monitor.gpkg")
        return len(matched), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(n: int) -> str:
    """Return one row of the table."""
    count, seconds, peak = measure(n)
    cells = [f"{seconds[stage]:.2f} s, {count / seconds[stage]:,.0f}/s" for stage in STAGES]
    return f"| {count:,} | {' | '.join(cells)} | {sum(seconds.values()):.1f} s | {peak:,.0f} MB |"


def main(sizes: list[str]) -> None:
    """Print the table, one process a size."""
    if sizes[:1] == ["--one"]:
        sys.stdout.write(row(int(sizes[1])) + "\n")
        return
    sys.stdout.write(f"| reports | {' | '.join(STAGES)} | all | peak memory |\n|--:|{'--:|' * (len(STAGES) + 2)}\n")
    for size in sizes or ["10000", "100000"]:
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--one", size], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
