"""How fast is a year of violations linked, beside scikit-learn's DBSCAN, and how fast does a breach climb the ladder?

Run ``poe bench-linking`` (1,000,000 violations, 100,000 incidents) or ``poe bench-linking 100000``. Every table is
measured in a process of its own, by the clock and of all processors, since a machine may be busy. Partitions are
compared before any time is believed: violations lie along a meridian, where the distance of two is the difference of
their chainages, so that DBSCAN with the greater of two scaled differences has exactly the same links.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from timing import peak, say, timed

if TYPE_CHECKING:
    from geo.nearness import Things

VIOLATIONS, INCIDENTS = 1_000_000, 100_000
LINE_M, DAY_US = 1_200_000.0, 24 * 3600 * 10**6
LINKS = ((10_000.0, 24.0), (2_000.0, 6.0))  # metres, hours; the first is the policy's


def things(lon: np.ndarray[Any, Any], lat: np.ndarray[Any, Any], when: np.ndarray[Any, Any]) -> Things:
    """Return instants at places."""
    from geo.nearness import Things  # noqa: PLC0415 -- the parent process needs none of it

    return Things(lon, lat, np.zeros(len(lon)), when, when)


def year(n: int, depth_m: float = 0.0) -> tuple[Things, np.ndarray[Any, Any]]:
    """Return violations over a year along a meridian, at random depths beside it; and their chainages, metres."""
    from geo import crs  # noqa: PLC0415

    rng = np.random.default_rng(1)
    chainage = rng.uniform(0, LINE_M, n)
    lon, lat, _ = crs.forward(np.full(n, 36.0), np.full(n, 44.0), np.zeros(n), chainage)
    if depth_m:
        lon, lat, _ = crs.forward(lon, lat, np.full(n, 90.0), rng.normal(0, depth_m, n))
    return things(lon, lat, rng.integers(0, 365 * DAY_US, n)), chainage


def day(n: int) -> Things:
    """Return as many in one day around one town."""
    from geo import crs  # noqa: PLC0415

    rng = np.random.default_rng(2)
    away = np.abs(rng.normal(0, 5_000, n))
    lon, lat, _ = crs.forward(np.full(n, 36.0), np.full(n, 48.0), rng.uniform(0, 360, n), away)
    return things(lon, lat, rng.integers(0, DAY_US, n))


def ours(of: Things, link_m: float, gap_h: float) -> np.ndarray[Any, Any]:
    """Return our components."""
    from geo import linking  # noqa: PLC0415

    return linking.components(of, np.ones(len(of), np.int64), link_m, gap_h * DAY_US / 24)


def theirs(of: Things, chainage: np.ndarray[Any, Any], link_m: float, gap_h: float) -> np.ndarray[Any, Any]:
    """Return DBSCAN's."""
    from sklearn.cluster import DBSCAN  # noqa: PLC0415

    scaled = np.column_stack([chainage / link_m, of.start / (gap_h * DAY_US / 24)])
    found: np.ndarray[Any, Any] = DBSCAN(eps=1.0, min_samples=1, metric="chebyshev").fit(scaled).labels_
    return found


def compare(n: int) -> None:
    """Print our time beside DBSCAN's, and beside hot spots."""
    from geo import linking  # noqa: PLC0415

    along, chainage = year(n)
    linking.FEW = 0  # type: ignore[misc]  # what is compiled is measured, however few there are
    _, start, busy = timed(lambda: ours(year(10)[0], *LINKS[0]), 1)
    say(f"Start-up, once: {start:.1f} s, {busy:.1f} s of processors.\n")
    say("| what | link | components | seconds | of processors | to ours |\n|:--|:--|--:|--:|--:|--:|")
    for link in LINKS:
        mine, wall, base = timed(lambda link=link: ours(along, *link), 2)  # type: ignore[misc]
        row(f"{n:,} over a year", link, mine, wall, base, base)
        peer, wall, used = timed(lambda link=link: theirs(along, chainage, *link), 1)  # type: ignore[misc]
        both = len(np.unique(np.stack([mine, peer]), axis=1)[0])
        assert both == len(np.unique(mine)) == len(np.unique(peer)), "the partitions differ"
        row("DBSCAN, the same partition", link, peer, wall, used, base)
        for what, of in ((f"{n:,} over a year, 10 km deep", year(n, 10_000)[0]), (f"{n:,} in one day", day(n))):
            found, wall, used = timed(lambda of=of, link=link: ours(of, *link), 2)  # type: ignore[misc]
            row(what, link, found, wall, used, base)
    say(f"\nPeak memory: {peak():,.0f} MB.\n")


def row(what: str, link: tuple[float, float], found: np.ndarray[Any, Any], *seconds: float) -> None:
    """Print one row; ``seconds`` by the clock, of processors, and ours of processors."""
    wall, busy, base = seconds
    name = f"{link[0] / 1000:g} km, {link[1]:g} h"
    say(f"| {what} | {name} | {len(np.unique(found)):,} | {wall:.2f} | {busy:.2f} | {busy / base:.1f} |")


def ladder(n: int) -> None:
    """Print how long it takes to put the ladder to so many incidents of one to five violations, in one scenario."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from geo import escalation, incidents  # noqa: PLC0415
    from geo.course import Course, Violation  # noqa: PLC0415
    from pipelines.settings import find_theatre, load_policy, read_folder  # noqa: PLC0415

    policy = load_policy(read_folder(find_theatre("ukraine-2026")), "ukraine-2026")
    rng = np.random.default_rng(3)
    begin = (datetime(2026, 6, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days * DAY_US
    cases = []
    for size in rng.integers(1, 6, n).tolist():
        starts = begin + np.cumsum(rng.integers(DAY_US // 100, DAY_US, size))
        course = [
            Violation(
                int(at), int(at) + 1, *rng.uniform(0, 50_000, 2).tolist(), None,
                frozenset({(f"o{k % 3}", f"o{k % 3}", "media")}), {}, int(at), f"{k}", k,
            )
            for k, at in enumerate(starts.tolist())
        ]  # fmt: skip
        over = course[-1].end + round(policy.grouping.link_gap_h * escalation.HOUR_US)
        cases.append((Course(course), incidents.End("ended", over, "assumed", over)))
    as_of = begin + 30 * DAY_US
    steps, wall, busy = timed(lambda: [escalation.climb(course, policy, as_of, end) for course, end in cases], 2)
    say("| what | steps | seconds | of processors |\n|:--|--:|--:|--:|")
    say(f"| the ladder of {n:,} incidents | {sum(map(len, steps)):,} | {wall:.2f} | {busy:.2f} |")


def main(arguments: list[str]) -> None:
    """Print the tables, one process each."""
    if arguments[:1] in (["compare"], ["ladder"]):
        {"compare": compare, "ladder": ladder}[arguments[0]](int(arguments[1]))
        return
    sizes = {"compare": arguments[0] if arguments else VIOLATIONS, "ladder": arguments[0] if arguments else INCIDENTS}
    for table, size in sizes.items():
        subprocess.run([sys.executable, __file__, table, str(size)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
