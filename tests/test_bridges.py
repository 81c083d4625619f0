"""Since when is it known that violations are one breach? Three ways to find out, one answer."""

from __future__ import annotations

from random import Random

import builders
import numpy as np
import pytest

from geo import bridges, crs
from geo.bridges import Placed, Reach, Web, linked
from geo.course import Violation
from geo.nearness import HOUR_US

REACH = Reach.of(builders.policy().grouping)


def placed(row: int, hour: float, km: float, known_h: float, inside: int = 1) -> Placed:
    """Return an instant on the line."""
    at, (lon, lat) = round(hour * HOUR_US), builders.place(100.0 + km, 1.0)
    of = Violation(at, at, 0.0, 0.0, None, frozenset(), {}, round(known_h * HOUR_US), f"{row:03}", row)
    x, y, z = crs.ecef(lon, lat).tolist()
    return Placed(of, lon, lat, inside, (x, y, z))


def naive(every: dict[int, Placed], needs: list[int], known_at: int) -> int | None:
    """Return the first moment at which walking from one to the next reaches all of them."""
    for moment in sorted({known_at, *(one.violation.known_at for one in every.values())}):
        if moment >= known_at:
            known = {row for row, one in every.items() if one.violation.known_at <= moment}
            seen = [needs[0]]
            for row in seen:  # grows while it is walked
                seen.extend(r for r in known - set(seen) if linked(every[row], every[r], REACH))
            if set(needs) <= set(seen):
                return moment
    return None


@pytest.mark.parametrize("seed", range(3))
def test_what_hangs_together_is_known_from_the_same_moment_however_it_is_looked_up(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck = Random(seed)  # noqa: S311 -- it guards nothing
    answers = set()
    for _ in range(40):
        every = {
            row: placed(row, luck.uniform(0, 72), luck.uniform(0, 30), luck.randrange(100), luck.choice([1, 1, 3, 2]))
            for row in range(luck.randint(2, 14))
        }
        needs = luck.sample(sorted(every), 2)
        known_at = max(every[row].violation.known_at for row in needs)
        expected = naive(every, needs, known_at)
        answers.add(None if expected is None else expected > known_at)
        assert Web(every, REACH).known_together(needs, known_at) == expected
        with monkeypatch.context() as few:
            few.setattr(bridges, "FEW", 0)
            assert Web(every, REACH).known_together(needs, known_at) == expected, "by the least tree"
            few.setattr(bridges.nearness, "crowded", lambda *_: True)
            assert Web(every, REACH).known_together(needs, known_at) == expected, "by searching moments"
    assert answers == {None, False, True}, "not every kind of answer was asked for"


def test_an_incident_falls_apart_without_what_alone_joins_it() -> None:
    row = {n: placed(n, 0.0, 6.0 * n, 0.0) for n in range(4)}
    assert sorted(map(sorted, Web(row, REACH).parts(1))) == [[0], [2, 3]]
    assert Web(row, REACH).parts(3) == [{0, 1, 2}]
    assert Web({n: row[n] for n in range(3)}, REACH).parts(1) == [{0}, {2}]
    assert Web({n: row[n] for n in range(2)}, REACH).parts(1) == [{0}]
    assert Web({0: row[0]}, REACH).parts(0) == []


@pytest.mark.parametrize(("link_m", "by_m"), [(10_000.0, 1e-5), (0.5, 2e-7)])
def test_links_are_those_of_grouping_to_the_last_millimetre(link_m: float, by_m: float) -> None:
    lon, lat = builders.place(100.0, 1.0)
    one, reach = placed(0, 0.0, 0.0, 0.0), Reach.of(builders.policy(**{"grouping.link_m": link_m}).grouping)
    for metres, near in ((link_m - by_m, True), (link_m + by_m, False)):
        far = [float(x[0]) for x in crs.forward(*(np.array([v]) for v in (lon, lat, 40.0, metres)))[:2]]
        x, y, z = crs.ecef(*far).tolist()
        assert linked(one, Placed(one.violation, *far, 1, (x, y, z)), reach) is near


@pytest.mark.parametrize(("pause_h", "inside", "near"), [(24.0, 1, True), (24.0001, 1, False), (1.0, 2, False)])
def test_links_end_with_the_gap_and_at_the_edge_of_a_window(pause_h: float, inside: int, near: bool) -> None:  # noqa: FBT001 -- a table's column
    every = {0: placed(0, 0.0, 0.0, 0.0), 1: placed(1, pause_h, 1.0, 0.0, inside)}
    assert linked(every[0], every[1], REACH) is near
    assert (Web(every, REACH).links[0] == {1}) is near
