"""Which reports made up each incident of an answer?

Violations are named after their reports, and take another name when the first of these is taken back; reports keep
theirs. So it is by its reports that an incident is followed from one answer to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

Members: TypeAlias = "dict[str, frozenset[str]]"


def members(answer: Mapping[str, pd.DataFrame]) -> Members:
    """Return by name the ``report_id`` of all reports of each incident's qualifying violations; candidates left out.

    Parameters
    ----------
    answer
        The layers ``violations`` (``violation_id``, ``qualifying``, ``incident_id``) and ``reports`` (``report_id``,
        ``violation_id``).
    """
    found, reports = answer["violations"], answer["reports"]
    linked = found[
        found["qualifying"].fillna(value=False).astype(bool) & found["incident_id"].str.startswith("B-", na=False)
    ]
    home = dict(zip(linked["violation_id"], linked["incident_id"], strict=True))
    named = reports.assign(home=reports["violation_id"].map(home)).dropna(subset=["home"])
    return {str(name): frozenset(ids) for name, ids in named.groupby("home")["report_id"]}
