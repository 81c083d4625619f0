"""Which reports can bear on each other's incidents, and which never can?

A bound, not a verdict: reports of different clusters are so far apart in space or time that no violation and no
incident ever holds both, whatever becomes known and whichever of the policies is in force. What is too coarse to link
anything is in no cluster; it can attach to an incident of any cluster in its reach.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import linking, nearness
from geo.agreement import MINUTE_US
from geo.incidents import FOREVER
from geo.nearness import HOUR_US, Things
from geo.violations import datable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from geo.policy import Policy

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

_PLACE: Final = ["lon", "lat", "uncertainty_m"]


@dataclass(frozen=True, eq=False)
class Reach:
    """Clusters of reports; rows are positions in the frame that was surveyed.

    ``cluster`` is the cluster of each row, -1 for none; ``members`` the rows of each cluster that can hold an incident;
    ``around`` the loose rows in reach of a cluster, ``homes`` the clusters in reach of a loose row, and ``watched``
    those in reach of a row of the coverage. What is loose under one policy may be in a cluster by another.
    """

    cluster: Ints
    members: dict[int, Ints]
    around: dict[int, set[int]]
    homes: dict[int, set[int]]
    watched: dict[int, set[int]]

    def touched(self, rows: Iterable[int]) -> set[int]:
        """Return the clusters that can hold an incident and that one of the rows bears on."""
        found: set[int] = set()
        for row in rows:
            found |= {int(self.cluster[row])} | self.homes.get(row, set())
        return found & self.members.keys()

    def loose(self, clusters: Iterable[int], visible: Bools) -> set[int]:
        """Return the loose rows in reach of any of the clusters, of those that are visible."""
        return {row for cluster in clusters for row in self.around.get(cluster, set()) if visible[row]}


def survey(versions: Sequence[tuple[pd.DataFrame, Policy]], coverage: pd.DataFrame) -> Reach:
    """Return which reports are in reach of each other by any of the versions.

    Parameters
    ----------
    versions
        The same reports, placed by each theatre and policy that ever held, each with the policy.
    coverage
        ``geo.reports.COVERAGE``.
    """
    n = len(versions[0][0])
    core, seed, loose = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    lefts, rights = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for placed, policy in versions:
        counts = _may_count(placed)
        coarse = placed["coarse"].to_numpy(bool)
        core |= counts & ~coarse
        loose |= counts & coarse
        seed |= counts & ~coarse & (placed["trust"] != "public").to_numpy(bool)
        left, right = _linked(placed, np.flatnonzero(counts & ~coarse), policy)
        lefts.append(left)
        rights.append(right)
    left, right = np.concatenate(lefts), np.concatenate(rights)
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(n, n))
    label = connected_components(graph, directed=False)[1].astype(np.int64)
    cluster = np.where(core, label, -1)
    able = set(label[seed].tolist())
    members = {c: rows for c, rows in _by_value(cluster).items() if c in able}
    around, homes = _attachable(versions, np.flatnonzero(loose), cluster, members)
    return Reach(cluster, members, around, homes, _watched(versions, cluster, members, coverage))


def _may_count(placed: pd.DataFrame) -> Bools:
    """Return which reports may be part of a violation, wherever exactly they lie."""
    located = placed["lon"].notna() & placed["lat"].notna()
    stated = placed["prohibited"].isin(["everywhere", "in_zone"])
    return (located & stated & (placed["touched"] != 0)).to_numpy(bool)


def _linked(placed: pd.DataFrame, rows: Ints, policy: Policy) -> tuple[Ints, Ints]:
    """Return pairs by which all rows hang together that may agree, or whose violations may be linked."""
    if not len(rows):
        return rows, rows
    here = placed.iloc[rows]
    # Two footprints that agree lie no farther apart than this, centre from centre.
    agree_m = policy.corroboration.agree_m + 2 * float(here["uncertainty_m"].max())
    reach_m = max(policy.grouping.link_m, agree_m)
    label = linking.components(
        datable(here, policy.corroboration), np.ones(len(rows), np.int64), reach_m, _reach_us(policy)
    )
    code = pd.factorize(label)[0]  # in order of the first of each
    return rows, rows[np.flatnonzero(np.diff(np.maximum.accumulate(code), prepend=-1))[code]]


def _reach_m(policy: Policy) -> float:
    return max(policy.grouping.link_m, policy.corroboration.agree_m)


def _reach_us(policy: Policy) -> float:
    return max(policy.grouping.link_gap_h * HOUR_US, policy.corroboration.agree_min * MINUTE_US)


def _by_value(cluster: Ints) -> dict[int, Ints]:
    order = np.argsort(cluster, kind="stable")
    values, starts = np.unique(cluster[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, starts[1:]), strict=True))


def _attachable(
    versions: Sequence[tuple[pd.DataFrame, Policy]], loose: Ints, cluster: Ints, members: dict[int, Ints]
) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    around: dict[int, set[int]] = defaultdict(set)
    homes: dict[int, set[int]] = defaultdict(set)
    able = np.flatnonzero(np.isin(cluster, list(members)))
    for placed, policy in versions:
        wide, there = placed.iloc[loose], placed.iloc[able]
        discs, dated = Things.of(wide, wide["uncertainty_m"].to_numpy()), datable(there, policy.corroboration)
        near = nearness.between(discs, dated, _reach_m(policy), _reach_us(policy))
        pairs = np.unique(np.column_stack([loose[near.left], cluster[able[near.right]]]), axis=0)
        for row, c in pairs.tolist():
            around[c].add(row)
            homes[row].add(c)
    return dict(around), dict(homes)


def _watched(
    versions: Sequence[tuple[pd.DataFrame, Policy]], cluster: Ints, members: dict[int, Ints], coverage: pd.DataFrame
) -> dict[int, set[int]]:
    """Return the clusters that lie in reach of each row of the coverage, while they last and until they have ended."""
    found: dict[int, set[int]] = defaultdict(set)
    discs = coverage[_PLACE].dropna().drop_duplicates()
    which = coverage[_PLACE].merge(discs.reset_index(drop=True).reset_index(names="disc"), on=_PLACE, how="left")
    which["disc"] = which["disc"].fillna(-1).astype("int64")  # a ground that is no disc may be anywhere
    rows_of = _by_value(which["disc"].to_numpy(np.int64)) if len(which) else {}
    begin, end = (nearness.micros(coverage[name]) for name in ("observed_from", "observed_to"))
    for placed, policy in versions:
        spans = _spans(placed, members, _reach_us(policy))
        anywhere = [(-1, c) for c in members] if -1 in rows_of else []
        for disc, c in [*anywhere, *_beside(discs, placed, cluster, members, policy)]:
            first, last = spans[c]
            for row in rows_of.get(disc, ()):
                if begin[row] <= last and end[row] >= first:
                    found[int(row)].add(c)
    return dict(found)


def _spans(placed: pd.DataFrame, members: dict[int, Ints], after_us: float) -> dict[int, tuple[int, float]]:
    begin, end = (nearness.micros(placed[name]) for name in ("observed_from", "observed_to"))
    return {c: (int(begin[rows].min()), float(end[rows].max()) + after_us) for c, rows in members.items()}


def _beside(
    discs: pd.DataFrame, placed: pd.DataFrame, cluster: Ints, members: dict[int, Ints], policy: Policy
) -> list[tuple[int, int]]:
    able = np.flatnonzero(np.isin(cluster, list(members)))
    there = Things.of(placed.iloc[able])
    lon, lat, radius = (discs[name].to_numpy(float) for name in _PLACE)
    now = np.zeros(len(discs), np.int64)
    near = nearness.between(Things(lon, lat, radius, now, now), there, _reach_m(policy), FOREVER)
    pairs: list[tuple[int, int]] = np.unique(np.column_stack([near.left, cluster[able[near.right]]]), axis=0).tolist()
    return pairs
