"""By which reports does each step of each incident stand?"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo import tables
from geo.carrying import carrying
from geo.violations import CONTENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.breaches import Breach

    Ints = NDArray[np.int64]

_EXAMINED = ("eligible", "effective")  # what people declared is no matter of what would be without a report
_NEEDED = ["report_id", "violation_id", "trust", "content", "source", "first_no"]


def table(breaches: list[Breach], reports: pd.DataFrame, violations: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``evidence``: of each step, in order, the reports of its violations, each in order of content.

    Parameters
    ----------
    breaches
        Whose steps name their violations by row.
    reports
        With their violation, as ``geo.carrying`` takes them, and the columns of ``geo.violations.CONTENT``.
    violations
        With ``violation_id``.
    """
    kept, row = carrying(reports, violations["violation_id"])
    told = reports[_NEEDED].iloc[kept].assign(row=row).sort_values(CONTENT)
    row = told["row"].to_numpy()
    order = np.argsort(row, kind="stable")
    edges = np.searchsorted(row[order], np.arange(len(violations) + 1))
    reports_of = told["report_id"].array.take(order)
    climbs = [(breach.name, scenario, climb) for breach in breaches for scenario, climb in breach.climbs.items()]
    steps = [(n, step) for _, _, climb in climbs for n, step in enumerate(climb.steps)]
    carriers = np.fromiter(chain.from_iterable(step.carriers for _, step in steps), np.int64)
    size = np.diff(edges)[carriers]
    of = np.repeat(np.repeat(np.arange(len(steps)), [len(step.carriers) for _, step in steps]), size)
    which = _ranges(edges[carriers], size)
    climb_of = np.repeat(np.arange(len(climbs)), [len(climb.steps) for _, _, climb in climbs])[of]
    frame = pd.DataFrame(
        {
            "incident_id": pd.array([name for name, _, _ in climbs], dtype="str").take(climb_of),
            "scenario": pd.array([scenario for _, scenario, _ in climbs], dtype="str").take(climb_of),
            "seq": np.array([n + 1 for n, _ in steps], np.int64)[of],
            "report_id": reports_of.take(which),
            "pivotal": _pivotal(breaches, pd.Index(reports_of), of, which),
        }
    )
    return tables.conform(frame, tables.EVIDENCE)


def _ranges(start: Ints, size: Ints) -> Ints:
    """Return ``start``, ``start + 1``, … for each, as many as ``size`` says, one after the other."""
    return np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum())


def _pivotal(breaches: list[Breach], reports: pd.Index, of: Ints, which: Ints) -> pd.arrays.BooleanArray:
    """Return which are pivotal, missing where nobody looked; ``of`` gives the step, ``which`` the report."""
    unknown: list[bool] = []
    lone: list[tuple[int, str]] = []
    for climb in (climb for breach in breaches for climb in breach.climbs.values()):
        for n, step in enumerate(climb.steps):
            names = () if climb.pivotal is None else climb.pivotal.get(n, ())
            lone.extend((len(unknown), name) for name in names)
            unknown.append(step.tier_to > 0 and (climb.pivotal is None or step.kind not in _EXAMINED))
    at = reports.get_indexer(pd.Index([name for _, name in lone], dtype="str"))
    key = [step * len(reports) + report for (step, _), report in zip(lone, at, strict=True)]
    return pd.arrays.BooleanArray(np.isin(of * len(reports) + which, key), np.array(unknown, bool)[of])
