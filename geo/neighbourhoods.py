"""In whose reach did people decide anything?

Two reports are neighbours where their violations may be linked, or they may be one violation, whatever else is known;
where they stand in one incident; and where one command names both; and neighbours of neighbours likewise. What people
decide can bear only on the incidents of the neighbourhoods in which it names a report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import linking
from geo.agreement import MINUTE_US
from geo.nearness import HOUR_US, micros
from geo.violations import are_material, datable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.reviews import Docket

    Ints = NDArray[np.int64]


def _nothing() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Around:
    """The neighbourhoods in which people decided anything, each by a number.

    ``rows`` are the positions of their reports, ``number`` the neighbourhood of each. ``of`` is that of each incident
    in one of them, and ``decided`` when the commands were known that name any of its reports (µs since 1970 UTC).
    """

    rows: Ints = field(default_factory=_nothing)
    number: Ints = field(default_factory=_nothing)
    of: dict[str, int] = field(default_factory=dict)
    decided: dict[int, list[int]] = field(default_factory=dict)


def around(docket: Docket, reports: pd.DataFrame, violations: pd.DataFrame, policy: Policy) -> Around:
    """Return the neighbourhoods in which people decided anything, whatever became of their commands."""
    said = _named(docket)
    if not said:
        return Around()
    rows = np.flatnonzero(are_material(reports) & ~reports["coarse"].to_numpy(bool))
    place = {first: n for n, first in enumerate(reports["first_no"].to_numpy()[rows].tolist())}
    named = [(known, sorted(place[item] for item in items if item in place)) for known, items in said]
    homes = _homes(reports["violation_id"].iloc[rows], violations)
    number = _joined(
        [_near(reports.iloc[rows], policy), pd.factorize(homes)[0]], [some for _, some in named], homes.notna()
    )
    decided: dict[int, list[int]] = {}
    for known, some in named:
        if some:
            decided.setdefault(int(number[some[0]]), []).append(known)
    kept = np.isin(number, list(decided))
    mine = homes.loc[kept & homes.notna()]
    of = dict(zip(mine, number[mine.index].tolist(), strict=True))
    return Around(rows[kept], number[kept], of, decided)


def _homes(names: pd.Series, violations: pd.DataFrame) -> pd.Series:
    """Return the incident of which each report's violation is a part; missing where it is of none."""
    linked = violations.loc[~violations["attached"] & violations["incident_id"].str.startswith("B-", na=False)]
    found: pd.Series = names.map(dict(zip(linked["violation_id"], linked["incident_id"], strict=True)))
    return found.reset_index(drop=True)


def _near(reports: pd.DataFrame, policy: Policy) -> Ints:
    """Return a number that each report shares with those in its reach, whatever else is known."""
    rules, links = policy.corroboration, policy.grouping
    reach_m = max(links.link_m, rules.agree_m + 2 * rules.coarse_m)
    reach_us = max(links.link_gap_h * HOUR_US, rules.agree_min * MINUTE_US)
    return linking.components(datable(reports, rules), np.ones(len(reports), np.int64), reach_m, reach_us)


def _joined(numbers: list[Ints], groups: list[list[int]], told: pd.Series) -> Ints:
    """Return a number for each report that it shares with all it is joined to by a number, or by a group."""
    near, home = numbers
    n, inside = len(near), np.flatnonzero(told)
    left, right = [np.arange(n), inside], [n + near, 2 * n + home[inside]]
    for some in groups:
        left.append(np.full(len(some), some[0] if some else 0))
        right.append(np.array(some, np.int64))
    ends = np.concatenate(left), np.concatenate(right)
    graph = coo_array((np.ones(len(ends[0]), bool), ends), shape=(3 * n, 3 * n))
    return connected_components(graph, directed=False)[1][:n].astype(np.int64)


def _named(docket: Docket) -> list[tuple[int, frozenset[int]]]:
    """Return of every command ever given when it was known (µs), and the first numbers of the items it names.

    A release of a command names what that names.
    """
    frame = docket.heard[0]
    items = [frozenset(dict(each).values()) for each in frame["subjects"]]
    of = dict(zip((f"D-{no}" for no in frame["ledger_no"]), items, strict=True))
    targets = frame["target"].fillna("").str.strip().str.upper()
    named = [some | of.get(target, frozenset()) for some, target in zip(items, targets, strict=True)]
    return list(zip(micros(frame["known_at"]).tolist(), named, strict=True))
