"""Whether pairs are listed or partners searched for, the same reports are put together."""

from __future__ import annotations

import loops  # noqa: F401 -- compiled loops are kept between tests
import numpy as np
import pytest

from geo import agreement, crowds, crs
from geo.agreement import Statements
from geo.nearness import Things

MINUTE = 60 * 10**6
REACH = 1000.0, 60 * MINUTE


def world(seed: int, least: int = 2, most: int = 60, voices_of: tuple[int, ...] = (2, 5, 12, 100)) -> Statements:
    """Return a small crowd: at few sites or on a grid (where many distances are nearly equal), or anywhere."""
    rng = np.random.default_rng(seed)
    n, km = int(rng.integers(least, most)), float(rng.choice([0.3, 2, 8]))
    kind = rng.integers(3)
    away = rng.normal(0, km * 1000, (n, 2))
    if kind == 0:
        away = away[rng.integers(0, min(n, 6), n)]
    elif kind == 1:
        away = np.round(away / 1000) * float(rng.choice([500, 1000, 1100]))
    if seed % 4 == 0:
        away[:, 1] += np.rint(rng.normal(0, 2, n)) * 5e-4 + rng.normal(0, 1e-6, n)  # where millimetres are rounded
    lon, lat, _ = crs.forward(np.full(n, 37.0), np.full(n, 48.0), np.zeros(n), away[:, 1])
    lon, lat, _ = crs.forward(lon, lat, np.full(n, 90.0), away[:, 0])
    start = rng.integers(0, 6, n) * int(rng.choice([1, 17 * MINUTE, 60 * MINUTE])) + rng.integers(0, 3, n) * MINUTE
    end = start + rng.choice([0, MINUTE, 60 * MINUTE, 1440 * MINUTE], n)
    radius = rng.choice([0.0, 50.0, 1000.0, 5000.0], n)
    voices = int(rng.choice(voices_of))
    return Statements(
        Things(lon, lat, radius, start, end),
        family=rng.integers(-1, crowds.KINDS + 3 if seed % 3 == 0 else 3, n),
        cell=rng.integers(0, rng.integers(1, 3), n),
        voice=rng.integers(0, voices, n),
        origin=rng.integers(0, voices, n),
        public=rng.random(n) < rng.choice([0, 0.3, 0.9]),
    )


def together(label: np.ndarray) -> list[int]:
    """Return for each the first of its group."""
    first: dict[int, int] = {}
    return [first.setdefault(each, place) for place, each in enumerate(label.tolist())]


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_the_next_partner_leads_to_the_groups_that_all_pairs_in_order_give(first: int) -> None:
    joined = 0
    for seed in range(first, first + 100):
        said = world(seed)
        listed, searched = (together(way(said, *REACH)) for way in (agreement.listed, agreement.searched))
        assert searched == listed, seed
        joined += len(listed) - len(set(listed))
    assert joined > 500


def test_voices_without_a_bit_of_their_own_are_told_apart_too() -> None:
    joined = 0
    for seed in range(12):
        said = world(seed, 150, 200, (80, 120))
        assert len(np.unique(said.voice)) > crowds.BITS
        listed, searched = (together(way(said, *REACH)) for way in (agreement.listed, agreement.searched))
        assert searched == listed, seed
        joined += len(listed) - len(set(listed))
    assert joined > 500


def test_a_crowd_of_own_origins_is_one_group() -> None:
    n = 1_000
    here, now = np.zeros(n), np.zeros(n, np.int64)
    near = np.linspace(0.0, 0.001, n)  # about 100 m
    for lon in (here, near):
        said = Statements(Things(lon, here, here, now, now), now, now, np.arange(n), np.arange(n), now == 0)
        assert together(agreement.searched(said, *REACH)) == [0] * n
