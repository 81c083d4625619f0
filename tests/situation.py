"""What does a run hand to those who tell it: the page, the messages, the exports?"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import builders
import pandas as pd

from geo import tables
from geo.assess import assess
from pipelines import sides

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from geo.policy import Policy

HOUR = 60.0


def content(
    rows: Iterable[dict[str, Any]],
    hour: float = HOUR,
    *,
    watched: Iterable[dict[str, Any]] = (),
    policy: Policy | None = None,
    **run: Any,  # noqa: ANN401 -- any column of the table run
) -> dict[str, pd.DataFrame]:
    """Return every table of a run about an hour; what is not said of the run is plain."""
    policies = builders.versions(policy or builders.policy())
    as_of = builders.when(hour)
    answer = assess(builders.reports(rows), builders.coverage(watched), builders.theatre(), policies, as_of).tables
    rest = {table.name: tables.empty(table) for table in tables.TABLES if table.name not in answer}
    states = answer["incidents"]["state"]
    plain: dict[str, Any] = {
        "run_id": "run-1", "theatre": "test", "title": "A test", "standing": "operational", "scope": "whole",
        "as_of": pd.Timestamp(as_of), "known_at": pd.NaT, "hindsight": False, "replay": False, "ledger_no": 7,
        "ledger_head": "f" * 64, "theatre_hash": "a" * 64, "policy_version": "test-1", "policy_hash": "b" * 64,
        "version": "test", "party_left": "Left", "party_right": "Right",
        "reports": len(answer["reports"]), "reports_in_window": len(answer["reports"]),
        "violations": len(answer["violations"]), "incidents": int((states != "candidate").sum()),
        "candidates": int((states == "candidate").sum()),
    }  # fmt: skip
    counted = {name: 0 for name in tables.RUN.names if name not in plain}
    told = pd.DataFrame([{**plain, **counted, **run}])
    return {**answer, **rest, "run": tables.conform(told, tables.RUN), "sides": _named()}


@lru_cache(maxsize=1)
def _named() -> gpd.GeoDataFrame:
    """Return where the sides of the theatre are named."""
    return sides.layer(builders.theatre().baselines[0], ("Left", "Right"))


def burning() -> list[dict[str, Any]]:
    """Return reports of a breach that spreads for days, of one that has ended, and of one that has just begun."""
    spreading = [
        builders.report(float(h), (100.0 + 1.2 * h, 1.0), source=("mission", "vetted")[h % 2]) for h in range(1, 59, 3)
    ]
    over = [builders.report(h, (200.0, -3.0), source=by) for h, by in ((2.0, "mission"), (3.0, "vetted"))]
    return [*spreading, *over, builders.report(55.0, (40.0, 2.0))]


@lru_cache(maxsize=16)
def at(hour: float) -> dict[str, pd.DataFrame]:
    """Return what is said of these at an hour; nobody may change it."""
    return content(burning(), hour)


def burnt() -> dict[str, pd.DataFrame]:
    """Return what is said of them when all has been reported."""
    return at(HOUR)
