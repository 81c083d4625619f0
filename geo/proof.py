"""By which reports does each step of each incident stand?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo import tables
from geo.carrying import carrying
from geo.violations import CONTENT, by_content

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.breaches import Breach
    from geo.escalation import Step

    Ints = NDArray[np.int64]
    Ints32 = NDArray[np.int32]  # there are many rows

NEEDED = ["report_id", "violation_id", "trust", *CONTENT]  # of a report
_EXAMINED = ("eligible", "effective")  # what people declared is no matter of what would be without a report


def table(breaches: list[Breach], reports: pd.DataFrame, violations: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``evidence``: of each step, in order, the reports of its violations, each in order of content.

    Parameters
    ----------
    breaches
        Whose steps name their violations by row.
    reports
        ``NEEDED``.
    violations
        With ``violation_id``.
    """
    kept, row = carrying(reports, violations["violation_id"])
    order = _order(reports, kept, row)
    edges = np.searchsorted(row[order], np.arange(len(violations) + 1))
    reports_of = pd.Index(reports["report_id"].array[kept[order]])
    climbs = [(breach.name, scenario, climb) for breach in breaches for scenario, climb in breach.climbs.items()]
    steps = [(n, step) for _, _, climb in climbs for n, step in enumerate(climb.steps)]
    carriers = _carriers([step for _, step in steps])
    size = np.diff(edges)[carriers]
    of = np.repeat(np.repeat(np.arange(len(steps), dtype=np.int32), [len(step.carriers) for _, step in steps]), size)
    which = _ranges(edges[carriers], size)
    climb_of = np.repeat(np.arange(len(climbs)), [len(climb.steps) for _, _, climb in climbs])
    frame = pd.DataFrame(
        {
            "incident_id": _looked_up([name for name, _, _ in climbs], climb_of, of),
            "scenario": _looked_up([scenario for _, scenario, _ in climbs], climb_of, of),
            "seq": np.array([n + 1 for n, _ in steps], np.int64)[of],
            "report_id": _named(which, reports_of),
            "pivotal": _pivotal(breaches, reports_of, of, which),
        }
    )
    return tables.conform(frame, tables.EVIDENCE)


def _order(reports: pd.DataFrame, kept: Ints, row: Ints) -> Ints:
    """Return the places of reports in order of violation, and of content where several tell of one."""
    some = np.flatnonzero(np.bincount(row)[row] > 1) if len(row) else row
    nth = np.zeros(len(row), np.int64)
    nth[some[by_content(reports[CONTENT].iloc[kept[some]])]] = np.arange(len(some))
    return np.lexsort((nth, row))


def _carriers(steps: list[Step]) -> Ints:
    """Return the violations of all steps, one after the other; most steps of an incident have the same ones."""
    rows = {id(step.carriers): step.carriers for step in steps}
    arrays = {key: np.array(each, np.int64) for key, each in rows.items()}
    return np.concatenate([np.empty(0, np.int64), *[arrays[id(step.carriers)] for step in steps]])


def _looked_up(names: list[str], climb_of: Ints, step_of: Ints32) -> pd.Categorical:
    """Return the name that each row has by its step's climb."""
    code, each = pd.factorize(pd.Series(names, dtype="str"), sort=True)
    return _named(code.astype(np.int32)[climb_of][step_of], each)


def _named(code: Ints32, names: pd.Index) -> pd.Categorical:
    """Return names by number; there is no category of which there is no row."""
    used = np.zeros(len(names), bool)
    used[code] = True
    return pd.Categorical.from_codes((np.cumsum(used, dtype=np.int32) - 1)[code], names[used])


def _ranges(start: Ints, size: Ints) -> Ints32:
    """Return ``start``, ``start + 1``, … for each, as many as ``size`` says, one after the other."""
    first = (start - (np.cumsum(size) - size)).astype(np.int32)
    return np.repeat(first, size) + np.arange(size.sum(), dtype=np.int32)


def _pivotal(breaches: list[Breach], reports: pd.Index, of: Ints32, which: Ints32) -> pd.arrays.BooleanArray:
    """Return which are pivotal, missing where nobody looked; ``of`` gives the step, ``which`` the report."""
    unknown: list[bool] = []
    lone: list[tuple[int, str]] = []
    for climb in (climb for breach in breaches for climb in breach.climbs.values()):
        for n, step in enumerate(climb.steps):
            names = () if climb.pivotal is None else climb.pivotal.get(n, ())
            lone.extend((len(unknown), name) for name in names)
            unknown.append(step.tier_to > 0 and (climb.pivotal is None or step.kind not in _EXAMINED))
    at = reports.get_indexer(pd.Index([name for _, name in lone], dtype="str")) if lone else np.empty(0, np.int64)
    edges = np.searchsorted(of, np.arange(len(unknown) + 1))  # rows come step by step
    pivotal = np.zeros(len(of), bool)
    for (place, _), report in zip(lone, at.tolist(), strict=True):
        mine = slice(edges[place], edges[place + 1])
        pivotal[mine] |= which[mine] == report
    return pd.arrays.BooleanArray(pivotal, np.array(unknown, bool)[of])
