"""Which reports can bear no more on anything that a run would look at, if nothing comes in that is as old as they are?

What they are part of is over and published in the files of the past. A later run leaves them out, and gives what it
would give with them: reports that may ever meet (``geo.reach``) are settled together or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import linking, nearness, reach
from geo.incidents import Former
from geo.nearness import HOUR_US, Things
from geo.said import ROWS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from numpy.typing import NDArray

    from geo.assess import Assessment
    from geo.past import Gone
    from geo.policy import Policy

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]


def together(answer: Assessment, item: pd.Series, policy: Policy) -> Ints:
    """Return for each report a number that it shares with all that it may ever meet, also through others.

    Parameters
    ----------
    answer
        What is said of them: whole, and of nothing that was said before (``geo.said``).
    item
        A number for each report of the answer that it shares with those of which it contradicts one.
    policy
        The policy in force.
    """
    placed, told = answer.placed, answer.tables["reports"]
    if not len(placed):
        return np.empty(0, np.int64)
    found = reach.survey([(placed, policy)], _NOTHING)
    incident = told["incident_id"]
    return _together(found, (told["violation_id"], incident, item), _beside(placed, incident, policy))


def settled(
    answer: Assessment, homes: Ints, gone: Gone, policy: Policy, since: datetime, named: AbstractSet[int]
) -> Bools:
    """Return which of the reports are settled, in their order.

    Parameters
    ----------
    answer, policy
        What ``together`` was asked about.
    homes
        What it said.
    gone
        What of the answer is past at ``since`` (``geo.past``).
    since
        Where the past ends, aware UTC. What comes in later must have begun no earlier for this to hold.
    named
        First numbers of the items that a person's command names: these are never settled.
    """
    placed = answer.placed
    if not len(placed):
        return np.empty(0, bool)
    late = nearness.micros(placed["observed_to"]) + reach_us(policy) >= nearness.instant(since)
    open_ = ~over(answer, gone) | late | placed["first_no"].isin(list(named)).to_numpy(bool)
    open_ = (np.bincount(homes, weights=open_) > 0)[homes]
    return ~(open_ | _warm(placed, open_, policy))


def over(answer: Assessment, gone: Gone) -> Bools:
    """Return which of the reports are part of what is past, in their order."""
    reports, found = answer.tables["reports"], np.zeros(len(answer.tables["reports"]), bool)
    for column, years in zip(("incident_id", "violation_id", "report_id"), gone, strict=True):
        if len(years):
            found |= reports[column].isin(years.index.to_numpy(object)).to_numpy(bool)
    return found


_NAMES = ["report_id", "violation_id", "incident_id"]
_NOTHING = pd.DataFrame({name: pd.Series(dtype="float64") for name in ("lon", "lat", "uncertainty_m")}).assign(
    observed_from=pd.Series(dtype="datetime64[us, UTC]"), observed_to=pd.Series(dtype="datetime64[us, UTC]")
)


def reach_us(policy: Policy) -> int:
    """Return a pause over which nothing reaches, whatever comes of it: µs.

    What comes in may place a violation that an earlier report dates, by an interval that is not coarse.
    """
    hours = policy.grouping.link_gap_h + policy.heat.before_h + policy.heat.after_h
    dated_h = policy.corroboration.coarse_h + policy.corroboration.agree_min / 60
    return int((hours + dated_h) * HOUR_US)


def _together(found: reach.Reach, shared: tuple[pd.Series, ...], pairs: Ints) -> Ints:
    """Return ``together``: ``shared`` are what those have in common that stay together, ``pairs`` others that do."""
    n = len(found.cluster)
    first = {cluster: int(rows[0]) for cluster, rows in found.members.items()}
    near = [(row, first[cluster]) for row, homes in found.homes.items() for cluster in homes]
    edges = [np.array(near, np.int64).reshape(-1, 2), pairs]
    edges += [_chained(key) for key in (pd.Series(found.cluster).mask(found.cluster < 0), *shared)]
    left, right = np.concatenate(edges).T
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _beside(placed: pd.DataFrame, incident: pd.Series, policy: Policy) -> Ints:
    """Return pairs of coarse reports that are one candidate where no incident holds one of them.

    That incident may be taken back; one that is settled is not, so that two which are held need no pair.
    """
    coarse = (placed["coarse"] & placed["lon"].notna() & placed["lat"].notna()).to_numpy(bool)
    held = incident.str.startswith("B-", na=False).to_numpy(bool)
    free, bound = np.flatnonzero(coarse & ~held), np.flatnonzero(coarse & held)
    there, within = Things.of(placed.iloc[free]), (policy.grouping.link_m, policy.grouping.link_gap_h * HOUR_US)
    group = np.full(len(placed), -1)
    group[free] = linking.components(there, np.ones(len(free), np.int64), *within)
    near = nearness.between(Things.of(placed.iloc[bound]), there, *within)
    alone = _chained(pd.Series(group).mask(group < 0))
    return np.concatenate([alone, np.column_stack([bound[near.left], free[near.right]])])


def _chained(key: pd.Series) -> Ints:
    """Return pairs of positions that hang together those with the same key; what has none is in no pair."""
    codes = pd.factorize(key)[0]  # in order of the first of each
    rows = np.flatnonzero(codes >= 0)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))
    return np.column_stack([rows, first[codes[rows]]]).astype(np.int64)


def _warm(placed: pd.DataFrame, open_: Bools, policy: Policy) -> Bools:
    """Return which reports of heat may lie in the time of anything open: no cluster tells what they are seen with."""
    heat = (placed["family"] == "heat").to_numpy(bool)
    begun = nearness.micros(placed["observed_from"])[open_ & ~heat]
    earliest = int(begun.min()) if len(begun) else np.iinfo(np.int64).max
    return heat & (nearness.micros(placed["observed_to"]) + reach_us(policy) >= earliest)


def named(answer: Assessment, some: Bools) -> tuple[set[str], set[str], set[str]]:
    """Return the incidents and candidates of some reports, their violations in none, and those in no violation."""
    mine = answer.tables["reports"].loc[some, _NAMES]
    loose = mine[mine["incident_id"].isna()]
    alone = loose.loc[loose["violation_id"].isna(), "report_id"]
    incidents, violations = mine["incident_id"].dropna(), loose["violation_id"].dropna()
    return set(incidents.unique()), set(violations.unique()), set(alone.to_numpy(object))


def rows(answer: Assessment, some: Bools) -> dict[str, pd.DataFrame]:
    """Return what is said of some of the reports, by layer."""
    cut = answer.only(*named(answer, some))
    return {name: cut.tables[name] for name in ROWS}


def former(answer: Assessment, some: Bools) -> Former:
    """Return where the incidents of some of the reports were and when they ended, of those that have."""
    steps, points, violations = (answer.tables[name] for name in ("transitions", "incident_points", "violations"))
    names = answer.tables["reports"]["incident_id"][some].dropna().unique()
    ended = steps[(steps["kind"] == "ended") & steps["incident_id"].isin(names)].groupby("incident_id")["at"].max()
    last = points.set_index("incident_id")["last_observed"].reindex(ended.index)
    code, each = pd.factorize(violations["incident_id"])
    which = np.append(ended.index.get_indexer(each), -1)[code]  # the last is that of -1: in none
    counts = violations["qualifying"].astype(bool) & ~violations["attached"].astype(bool)
    mine = np.flatnonzero(counts.to_numpy(bool) & (which >= 0))
    shapes = violations["geometry"].to_numpy(object)[mine]
    places = pd.DataFrame({"which": which[mine], "lon": shapely.get_x(shapes), "lat": shapely.get_y(shapes)})
    places = places.drop_duplicates()
    at = places["which"].to_numpy()
    return Former(
        ended.index.to_numpy(object)[at],  # each name is one object, however many places bear it
        places["lon"].to_numpy(np.float64),
        places["lat"].to_numpy(np.float64),
        nearness.micros(ended)[at],
        nearness.micros(last)[at],
    )
