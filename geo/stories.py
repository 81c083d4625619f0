"""What is there to tell of the incidents of one cluster of reports, undrawn?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geo import summary, tables
from geo.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from geo.assess import Standing
    from geo.policy import Publication
    from geo.theatre import Theatre

    Tables: TypeAlias = dict[str, pd.DataFrame]

_SAID: Final = replace(STEPS, columns=tuple(column for column in STEPS.columns if column.name != "as_of"))
_REPORT: Final = ["report_id", "stands_no", "disputed", "observed_from", "known_at", "violation_id", "incident_id"]
_VIOLATION: Final = ["violation_id", "qualifying", "incident_id"]
_STEP: Final = ["incident_id", "scenario", "kind", "tier_to", "at"]
_TITLES: Final = ("incident_points", "violations", "reports", "transitions")


@dataclass(frozen=True, eq=False)
class Story:
    """The incidents of a cluster, with their violations and steps, and all reports that are in it or attach to them.

    ``tables`` are frames by name, as far as notices and lineage read them.
    """

    tables: Tables

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Plain values of each incident, by name: the columns of ``geo.steps.STEPS`` but the moment."""
        plain = self.tables["incident_points"].astype(object)
        rows = plain.where(plain.notna(), None).to_dict("records")
        return {row["incident_id"]: {str(key): value for key, value in row.items()} for row in rows}

    @property
    def names(self) -> set[str]:
        """Names of its incidents."""
        return set(self.tables["incident_points"]["incident_id"])

    @property
    def pending(self) -> bool:
        """Whether time alone changes what is said: of an incident that has not ended, or whose persistence is open."""
        points = self.tables["incident_points"]
        return bool(((points["state"] != "ended") | points["persistence"].isna()).any())

    @staticmethod
    def joined(stories: Iterable[Story]) -> Tables:
        """Return several stories as one set of tables."""
        parts = [story.tables for story in stories]
        if not parts:
            return {title: frame.iloc[:0] for title, frame in _NOTHING.items()}
        whole = {title: pd.concat([part[title] for part in parts], ignore_index=True) for title in _TITLES}
        # What attaches to one of several clusters is told with each of them.
        whole["reports"] = whole["reports"].drop_duplicates("report_id", ignore_index=True)
        return whole


def told(found: Standing, theatre: Theatre, drawn: Publication, cluster: dict[int, int]) -> dict[int, Story]:
    """Return what was found, by cluster; ``cluster`` is that of each report's ledger number, -1 for none."""
    [violations] = summary.named([found.grouping.violations], theatre, drawn)
    reports = found.reports.assign(home=found.reports["ledger_no"].map(cluster))
    first = reports.dropna(subset=["violation_id"]).drop_duplicates("violation_id")
    linked = violations[violations["incident_id"].str.startswith("B-", na=False) & ~violations["attached"]]
    at_home = linked["violation_id"].map(dict(zip(first["violation_id"], first["home"], strict=True)))
    homes = dict(zip(linked["incident_id"], at_home, strict=True))
    rows = summary.incident_rows(found.breaches, violations, found.reports, theatre)
    opened = {breach.name: summary.stamp(breach.opened_known_at) for breach in found.breaches}
    rows = rows.assign(opened_known_at=pd.to_datetime(rows["incident_id"].map(opened), utc=True))
    in_incident = violations.set_index("violation_id")["incident_id"]
    reports = reports.assign(incident_id=reports["violation_id"].map(in_incident))
    told_of = {
        "incident_points": tables.conform(rows, _SAID),
        "violations": violations[_VIOLATION],
        "reports": reports[[*_REPORT, "home"]],
        "transitions": summary.moves(found.breaches)[_STEP],
    }
    at = {title: frame["incident_id"].map(homes) for title, frame in told_of.items()}
    out = {}
    for home in sorted({int(each) for each in reports["home"] if each >= 0}):
        mine = {title: frame[at[title] == home] for title, frame in told_of.items()}
        own = (at["reports"] == home) | (reports["home"] == home)
        mine["reports"] = told_of["reports"].loc[own, _REPORT]
        out[home] = Story(mine)
    return out


_NOTHING: Final[Tables] = {
    "incident_points": tables.empty(_SAID),
    "violations": tables.empty(tables.VIOLATIONS)[_VIOLATION],
    "transitions": tables.empty(tables.TRANSITIONS)[_STEP],
    "reports": pd.DataFrame(
        {
            "report_id": pd.Series(dtype="str"),
            "stands_no": pd.Series(dtype="int64"),
            "disputed": pd.Series(dtype="bool"),
            "observed_from": pd.Series(dtype="datetime64[us, UTC]"),
            "known_at": pd.Series(dtype="datetime64[us, UTC]"),
            "violation_id": pd.Series(dtype="str"),
            "incident_id": pd.Series(dtype="str"),
        }
    ),
}
