"""How does a test get as many breaches as it likes? Their reports and violations as tables, without reading a report.

Breaches lie on places 0.5° apart and begin ten days or more after each other, so that no two of them are linked; within
one, each violation begins at most 20 hours after the one before and lies within 4 km of the middle, so that all are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from geo import incidents
from geo.copies import NOBODY, Sign

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.incidents import Grouping
    from geo.policy import Policy
    from geo.theatre import Theatre

    Ints = NDArray[np.int64]

COLUMNS, PLACES = 50, 1_000
STEP_H, APART_H, NEAR_DEG = 20.0, 24.0 * 10, 0.02
HOUR_US = 3600 * 10**6
VOICES = (
    ("mission", "mission", "osce", "mission"), ("ngo", "vetted", "ngo", "ngo"), ("news-a", "media", "a", "a"),
    ("news-b", "media", "b", "b"), ("eye", "satellite", "eye", "eye"), ("word", "party", "word", "party:X"),
)  # fmt: skip
WEAPONS = ((None, None), ("mortar 82", "mortar"), ("howitzer 152", "artillery"), ("fpv", "drone"))


class Many(NamedTuple):
    """What ``geo.breaches.escalate`` asks for."""

    grouping: Grouping
    reports: pd.DataFrame
    as_of: datetime


def many(sizes: Ints, voices: Ints, begin: datetime, theatre: Theatre, policy: Policy, seed: int = 1) -> Many:
    """Return breaches of so many violations each, that begin from ``begin`` on.

    ``voices`` has the number of reports of every violation, in order of the breaches: one to six, each of another
    source.
    """
    rng = np.random.default_rng(seed)
    violations = _violations(sizes, voices, begin, [party.id for party in theatre.parties], rng)
    open_ended = sum(1 << bit for bit, window in enumerate(theatre.windows) if window.end is None)
    violations = violations.assign(inside=open_ended, touched=open_ended)
    reports = _reports(violations, voices, rng)
    origins = zip(reports["origin"], reports["voice"], reports["trust"], strict=True)
    told = pd.Series(list(origins), dtype=object).groupby(np.repeat(np.arange(len(violations)), voices)).agg(frozenset)
    last = violations["observed_to"].max()
    as_of = last.to_pydatetime().astimezone(UTC) + timedelta(hours=1)
    return Many(incidents.group(violations.assign(origin_set=told), policy), reports, as_of)


def _violations(
    sizes: Ints, voices: Ints, begin: datetime, parties: list[str], rng: np.random.Generator
) -> pd.DataFrame:
    n, breach = int(sizes.sum()), np.repeat(np.arange(len(sizes)), sizes)
    first = np.append(0, np.cumsum(sizes)[:-1])
    pause = rng.uniform(0.1, STEP_H, n)
    pause[first] = 0.0
    along = np.cumsum(pause)
    longest = max(APART_H, STEP_H * int(sizes.max()) + 48.0)
    start = (along - along[first][breach] + breach // PLACES * longest) * HOUR_US
    start = start.astype(np.int64) + int(begin.timestamp()) * 10**6
    place = breach % PLACES
    depth = np.abs(rng.normal(0, 8_000, n))
    numbers = np.arange(1, n + 1)
    return pd.DataFrame(
        {
            "violation_id": [f"V-{k}" for k in numbers.tolist()],
            "observed_from": _times(start),
            "observed_to": _times(start + rng.integers(0, HOUR_US, n)),
            "qualified_at": _times(start + rng.integers(HOUR_US, 30 * HOUR_US, n)),
            "lon": 20.0 + 0.5 * (place % COLUMNS) + rng.uniform(-NEAR_DEG, NEAR_DEG, n),
            "lat": 45.0 + 0.5 * (place // COLUMNS) + rng.uniform(-NEAR_DEG, NEAR_DEG, n),
            "uncertainty_m": 100.0,
            "chainage_m": 1_000.0 * place + rng.uniform(0, 70_000, n) * rng.choice([0.2, 1.0], n),
            "distance_m": depth,
            "weapon_class": pd.array([WEAPONS[k][1] for k in rng.integers(0, len(WEAPONS), n)], dtype="str"),
            "party_claimed": rng.choice(np.array([None, *parties[:1], *parties[:2]], object), n),
            "content": [f"{k:016x}" for k in rng.permutation(n).tolist()],
            "status": pd.array(np.where(voices > 1, "corroborated", "confirmed"), dtype="str"),
            "qualifying": True,
            "public_only": False,
            "coarse": False,
            "number": numbers,
            "anchor": pd.array(numbers, dtype="Int64"),
        }
    )


def _reports(violations: pd.DataFrame, voices: Ints, rng: np.random.Generator) -> pd.DataFrame:
    row = np.repeat(np.arange(len(violations)), voices)
    kept = ["violation_id", "lon", "lat", "inside", "observed_from", "chainage_m", "distance_m", "party_claimed"]
    told = violations[kept].iloc[row].reset_index(drop=True)
    nth = np.arange(len(row)) - np.append(0, np.cumsum(voices)[:-1])[row]
    who = [VOICES[k] for k in ((nth + row) % len(VOICES)).tolist()]
    weapon = [WEAPONS[k] for k in rng.integers(0, len(WEAPONS), len(row)).tolist()]
    numbers = np.arange(1, len(row) + 1)
    content = [f"{k:016x}" for k in rng.permutation(len(row)).tolist()]
    told["uncertainty_m"] = rng.choice([100.0, 250.0, 900.0], len(row))
    told["observed_to"] = violations["observed_to"].to_numpy()[row]
    known = violations["qualified_at"].to_numpy()[row]
    return told.assign(
        **{name: [each[k] for each in who] for k, name in enumerate(("source", "trust", "origin", "voice"))},
        weapon=[each[0] for each in weapon],
        weapon_class=[each[1] for each in weapon],
        report_id=[f"R-{k}" for k in numbers.tolist()],
        first_no=numbers, stands_no=numbers, content=content, known_at=known,
        response=None, disputed=False, reliability="B", credibility=2, means=None,
        act="strike", family="any", domain="land",
        sign=_signs(who, content, np.bincount(row)[row] > 1),
        rulings=[()] * len(row),
    )  # fmt: skip


def _signs(who: list[tuple[str, ...]], content: list[str], several: NDArray[np.bool_]) -> list[Any]:
    plain = (None, None, None, None)
    return [
        Sign(each[0], each[2], frozenset(), *plain, (NOBODY, 0, True, said, each[0], 0)) if many else None
        for each, said, many in zip(who, content, several.tolist(), strict=True)
    ]


def _times(micros: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(micros.astype("datetime64[us]")).tz_localize(UTC)
