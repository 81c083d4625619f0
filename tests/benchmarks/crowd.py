"""What does it cost to put reports together: of a month of the line, a day in a town, one point, one place, one text?

Run ``poe bench-crowd`` (20,000 reports) or ``poe bench-crowd 100000``. Every row is measured in a process of its own:
seconds by the clock and of all processors once what is compiled is ready, and the peak memory of the whole process.
The tolerances are those of the shipped policy. Reports have the sizes, spans and mix of sources of a noisy month; at
one point, at places of their own within 100 m (both with one radius), and of one text, each has an origin of its own.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from timing import peak, say, timed

REPORTS = 20_000
WORLDS = ("month", "town", "point", "places", "text")
DAY_US = 24 * 3600 * 10**6
SHARES = (0.2, 0.2, 0.2, 0.1, 0.1, 0.06, 0.04, 0.04, 0.03, 0.03)  # of the voices; the first is the public's


def measure(what: str, n: int) -> None:
    """Print one row."""
    if what == "text":
        measure_copies(n)
        return
    from geo import agreement, crs  # noqa: PLC0415 -- the parent process needs none of it
    from geo.nearness import Things  # noqa: PLC0415
    from pipelines import compiled  # noqa: PLC0415
    from pipelines.settings import find_theatre, load_policy, read_folder  # noqa: PLC0415

    compiled.keep()
    rules = load_policy(read_folder(find_theatre("ukraine-2026")), "ukraine-2026").corroboration
    rng = np.random.default_rng(1)
    along, across = (rng.normal(0, 5_000, n), rng.normal(0, 5_000, n)) if what == "town" else (
        rng.uniform(-600_000, 600_000, n), rng.normal(0, 10_000, n)
    )  # fmt: skip
    lon, lat, _ = crs.forward(np.full(n, 36.0), np.full(n, 48.0), np.where(along < 0, 180.0, 0.0), np.abs(along))
    lon, lat, _ = crs.forward(lon, lat, np.full(n, 90.0), across)
    start = rng.integers(0, DAY_US if what == "town" else 30 * DAY_US, n)
    whole = rng.random(n) < 0.03  # known to the day only
    start = np.where(whole, start - start % DAY_US, start)
    end = start + np.where(whole, DAY_US - 1, rng.integers(DAY_US // 144, DAY_US // 48, n))
    voice = rng.choice(len(SHARES), n, p=SHARES)
    radius = np.exp(rng.normal(5.5, 0.8, n))
    alone = what in {"point", "places"}
    if alone:
        lon, lat, start, end, voice = np.full(n, 36.0), np.full(n, 48.0), start * 0, start * 0, np.arange(n)
        radius[:] = 500.0
    if what == "places":
        lon, lat, _ = crs.forward(lon, lat, rng.uniform(0, 360, n), rng.uniform(0, 100, n))
    said = agreement.Statements(
        Things(lon, lat, radius, start, end),
        family=np.zeros(n, np.int64) if alone else rng.choice([-1, -1, 0, 1, 2, 3, 4], n),
        cell=np.zeros(n, np.int64),
        voice=voice,
        origin=voice,
        public=(voice == 0) & (not alone),
    )
    minutes = int(rules.agree_min * agreement.MINUTE_US)
    label, wall, busy = timed(lambda: agreement.searched(said, float(rules.agree_m), minutes))
    say(f"| {n:,}, {what} | {len(np.unique(label)):,} | {wall:.1f} | {busy:.1f} | {peak():,.0f} |")


def measure_copies(n: int) -> None:
    """Print the row of reposts of one text."""
    from geo import agreement, copies, crs  # noqa: PLC0415 -- as above
    from geo.nearness import Things  # noqa: PLC0415

    none, rng = np.zeros(n, np.int64), np.random.default_rng(1)
    lon, lat, _ = crs.forward(np.full(n, 36.0), np.full(n, 48.0), rng.uniform(0, 360, n), rng.uniform(0, 500, n))
    things = Things(lon, lat, np.full(n, 500.0), none, none)
    said = agreement.Statements(things, none, none, np.arange(n), np.arange(n), none == 0)
    signs = [
        copies.Sign(f"s{k}", f"s{k}", frozenset(), "the same words", None, None, None, (copies.NOBODY, k))
        for k in range(n)
    ]
    leader, wall, busy = timed(lambda: copies.leaders(signs, agreement.Ground(said, 1000.0, agreement.MINUTE_US)))
    say(f"| {n:,}, text | {int((leader < 0).sum()):,} | {wall:.1f} | {busy:.1f} | {peak():,.0f} |")


def main(arguments: list[str]) -> None:
    """Print the table, one process a row."""
    if arguments and arguments[0] in WORLDS:
        measure(arguments[0], int(arguments[1]))
        return
    say("| reports | violations | seconds | of processors | peak memory, MB |\n|:--|--:|--:|--:|--:|")
    for what in WORLDS:
        subprocess.run([sys.executable, __file__, what, arguments[0] if arguments else str(REPORTS)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
