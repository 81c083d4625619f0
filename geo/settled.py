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
from geo.columns import among
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


def settled(
    answer: Assessment,
    placed: pd.DataFrame,
    item: pd.Series,
    gone: Gone,
    policy: Policy,
    since: datetime,
    named: AbstractSet[int],
) -> frozenset[str]:
    """Return the names of the reports that are settled.

    Parameters
    ----------
    answer
        What is said of them.
    placed
        The same reports as ``geo.assess.place`` returns them.
    item
        A number for each of them that it shares with those of which it contradicts one.
    gone
        What of the answer is past at ``since`` (``geo.past``).
    policy
        The policy in force.
    since
        Where the past ends, aware UTC. What comes in later must have begun no earlier for this to hold.
    named
        First numbers of the items that a person's command names: these are never settled.
    """
    if not len(placed):
        return frozenset()
    told = answer.tables["reports"].set_index("report_id")
    names = placed["report_id"]
    violation, incident = (names.map(told[column]) for column in ("violation_id", "incident_id"))
    over = incident.isin(gone.incidents.index) | violation.isin(gone.violations.index) | names.isin(gone.reports.index)
    late = nearness.micros(placed["observed_to"]) + reach_us(policy) >= nearness.instant(since)
    open_ = ~over.to_numpy(bool) | late | placed["first_no"].isin(list(named)).to_numpy(bool)
    found = reach.survey([(placed, policy)], _NOTHING)
    together = _together(found, (violation, incident, item), _beside(placed, incident, policy))
    kept = np.bincount(together, weights=open_) > 0
    open_ = kept[together]
    open_ |= _warm(placed, open_, policy)
    return frozenset(names[~open_])


_NOTHING = pd.DataFrame({name: pd.Series(dtype="float64") for name in ("lon", "lat", "uncertainty_m")}).assign(
    observed_from=pd.Series(dtype="datetime64[us, UTC]"), observed_to=pd.Series(dtype="datetime64[us, UTC]")
)


def reach_us(policy: Policy) -> int:
    """Return a pause over which nothing reaches, whatever comes of it: µs."""
    hours = policy.grouping.link_gap_h + policy.heat.before_h + policy.heat.after_h
    return int((hours + policy.corroboration.agree_min / 60) * HOUR_US)


def _together(found: reach.Reach, shared: tuple[pd.Series, ...], pairs: Ints) -> Ints:
    """Return for each report a number that it shares with all that it may meet, also through others.

    ``shared`` are what those have in common that stay together, ``pairs`` others that do.
    """
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
    codes = pd.factorize(key)[0]
    rows = np.flatnonzero(codes >= 0)
    _, first, which = np.unique(codes[rows], return_index=True, return_inverse=True)
    return np.column_stack([rows, rows[first[which]]]).astype(np.int64)


def _warm(placed: pd.DataFrame, open_: Bools, policy: Policy) -> Bools:
    """Return which reports of heat may lie in the time of anything open: no cluster tells what they are seen with."""
    heat = (placed["family"] == "heat").to_numpy(bool)
    begun = nearness.micros(placed["observed_from"])[open_ & ~heat]
    earliest = int(begun.min()) if len(begun) else np.iinfo(np.int64).max
    return heat & (nearness.micros(placed["observed_to"]) + reach_us(policy) >= earliest)


def rows(answer: Assessment, names: AbstractSet[str]) -> dict[str, pd.DataFrame]:
    """Return what is said of the reports of these names, by layer."""
    reports = answer.tables["reports"]
    mine = reports[among(reports["report_id"], names)]
    loose = mine[mine["incident_id"].isna()]
    some = answer.only(
        set(mine["incident_id"].dropna().unique()),
        set(loose["violation_id"].dropna()),
        set(loose.loc[loose["violation_id"].isna(), "report_id"]),
    )
    return {name: some.tables[name] for name in ROWS}


def former(answer: Assessment, names: AbstractSet[str]) -> Former:
    """Return where the incidents of these names were and when they ended; those of any other state are left out."""
    steps, points, violations = (answer.tables[name] for name in ("transitions", "incident_points", "violations"))
    ended = steps[(steps["kind"] == "ended") & steps["incident_id"].isin(names)].groupby("incident_id")["at"].max()
    last = points.set_index("incident_id")["last_observed"]
    mine = violations[violations["qualifying"].astype(bool) & ~violations["attached"].astype(bool)]
    mine = mine[mine["incident_id"].isin(ended.index)]
    shapes = mine["geometry"].to_numpy(object)
    places = pd.DataFrame({"name": mine["incident_id"], "lon": shapely.get_x(shapes), "lat": shapely.get_y(shapes)})
    places = places.drop_duplicates()
    return Former(
        places["name"].to_numpy(object),
        places["lon"].to_numpy(np.float64),
        places["lat"].to_numpy(np.float64),
        nearness.micros(ended.reindex(places["name"])),
        nearness.micros(last.reindex(places["name"])),
    )
