"""How fast do all breaches climb the ladder, with everything that is said of them?

Run ``poe bench-ladder`` (100,000 small breaches, 600 big ones) or ``poe bench-ladder 10000 60``. Each world is measured
in a process of its own, by the processors' clock: ``geo.breaches.escalate``, five scenarios, from the tables of reports
and violations to steps with their evidence, pivotal reports and due dates. It runs twice: whole, and once more with a
clock around its parts, which costs a little itself.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from timing import peak, say, timed

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, BIG = 100_000, 600
MEAN_N, MOST_N, BIG_N = 3, 10, 40
BEGIN = datetime(2026, 7, 1, tzinfo=UTC)
PARTS = {
    "reading the reports": ("geo.evidence", "read"),
    "the ladder": ("geo.escalation", "climb"),
    "pivotal reports": ("geo.evidence", "pivotal"),
    "known together": ("geo.bridges", "Web.known_together"),
}


def measure(kind: str, n: int) -> None:
    """Print one row: how many, seconds of processors of the whole and of its parts, and the peak of memory."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from builders import coverage  # noqa: PLC0415 -- the parent process needs none of it
    from many_breaches import many  # noqa: PLC0415

    from geo import breaches, hearing, reviews  # noqa: PLC0415
    from geo.decisions import Decisions  # noqa: PLC0415
    from geo.policy import PolicyVersion  # noqa: PLC0415
    from pipelines.settings import find_theatre, load_policy, load_theatre, read_folder  # noqa: PLC0415

    files = read_folder(find_theatre("ukraine-2026"))
    theatre, policy = load_theatre(files, "ukraine-2026"), load_policy(files, "ukraine-2026")
    rng = np.random.default_rng(1)
    sizes = np.full(n, BIG_N) if kind == "big" else np.minimum(rng.geometric(1 / MEAN_N, n), MOST_N)
    voices = rng.integers(1, 7, sizes.sum()) if kind == "big" else rng.choice([1, 1, 2], sizes.sum())
    world = many(sizes, voices, BEGIN, theatre, policy)
    docket = hearing.hear(reviews.none(), theatre, world.as_of)
    decided = Decisions(docket, world.reports, world.grouping.violations, policy)
    policies = (PolicyVersion(policy=policy),)

    def work() -> list[Any]:
        return breaches.escalate(*world[:2], coverage(), theatre, policies, world.as_of, decided)

    before = peak()
    found, _, whole = timed(work)
    highest = peak()
    assert len(found) == n, f"{len(found)} breaches were made of {n}"
    tiers = np.bincount([breach.peak("eligible") for breach in found], minlength=4).tolist()
    del found
    gc.collect()
    spent = clocked(work)
    rest = whole - sum(spent.values())
    cells = " | ".join(f"{seconds:.1f}" for seconds in (whole, *spent.values(), rest))
    counted = f"{n:,} | {len(world.grouping.violations):,} | {len(world.reports):,} | {tiers[1:]}"
    say(f"| {kind} | {counted} | {cells} | {1e6 * whole / n:,.0f} | {highest:,.0f} ({before:,.0f}) |")


def clocked(work: Callable[[], Any]) -> dict[str, float]:
    """Return the seconds of processors in each part; what one part spends inside another counts to the outer one."""
    spent = dict.fromkeys(PARTS, 0.0)
    inside: list[str] = []

    def clock(part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 -- whatever the part takes
            if inside:
                return call(*given, **named)
            inside.append(part)
            begin = time.process_time()
            try:
                return call(*given, **named)
            finally:
                spent[part] += time.process_time() - begin
                inside.pop()

        return timed

    for part, (module, path) in PARTS.items():
        *outer, name = path.split(".")
        home = getattr(sys.modules[module], outer[0]) if outer else sys.modules[module]
        setattr(home, name, clock(part, getattr(home, name)))
    work()
    return spent


def main(arguments: list[str]) -> None:
    """Print the table, one process a world."""
    if arguments[:1] == ["--one"]:
        measure(arguments[1], int(arguments[2]))
        return
    small, big = [*arguments, *map(str, (SMALL, BIG)[len(arguments) :])]
    head = [
        "breaches",
        "",
        "violations",
        "reports",
        "tiers 1, 2, 3",
        "seconds",
        *PARTS,
        "the rest",
        "µs each",
        "MB (before)",
    ]
    say(f"| {' | '.join(head)} |\n|:--|{'--:|' * (len(head) - 1)}")
    for kind, n in (("small", small), ("big", big)):
        subprocess.run([sys.executable, __file__, "--one", kind, n], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
