"""What does a run say of itself: its cut-offs, what it rests on, and how much is in it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from geo import tables
from pipelines import reuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipelines.recall import Recalled
    from pipelines.workspace import Settings

WHOLE: Final = "whole"


def imprint(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the table ``run`` of a map; ``content`` are its other layers by name."""
    question, theatre, settings = recalled.question, recalled.now.settings.theatre, recalled.now.settings
    states, since = content["incidents"]["state"], reuse.window_from(settings, question)
    row = {
        "run_id": recalled.run_id,
        "theatre": theatre.id,
        "title": theatre.title,
        "standing": theatre.status,
        "scope": question.region or WHOLE,
        "as_of": pd.Timestamp(question.as_of),
        "known_at": pd.NaT if question.known_at is None else pd.Timestamp(question.known_at),
        "hindsight": recalled.hindsight,
        "replay": recalled.replay,
        "ledger_no": recalled.head.inputs_no,
        "ledger_head": recalled.head.inputs_hash,
        "theatre_hash": settings.theatre_hash,
        "policy_version": recalled.policy.version,
        "policy_hash": _policy_hash(settings, question.as_of),
        "version": recalled.version,
        **_row_counts(recalled.counts),
        "reports": len(content["reports"]),
        "reports_in_window": in_window(content["reports"], recalled.now.settings),
        "violations": len(content["violations"]),
        "incidents": int((states != "candidate").sum()),
        "candidates": int((states == "candidate").sum()),
        "party_left": theatre.parties[0].name,
        "party_right": theatre.parties[1].name,
        "window_from": pd.NaT if since is None else pd.Timestamp(since),
        "past_year": None,
    }
    return tables.conform(pd.DataFrame([row]), tables.RUN)


def _row_counts(counts: Mapping[str, int]) -> dict[str, int]:
    kinds = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
    return {"rows": counts["rows"], **{f"rows_{kind}": counts[kind] for kind in kinds}}


def _policy_hash(settings: Settings, as_of: datetime) -> str:
    begun = [
        found
        for found, version in zip(settings.policy_hashes, settings.policies, strict=True)
        if version.in_force_from is None or version.in_force_from <= as_of
    ]
    return begun[-1]


def in_window(reports: pd.DataFrame, settings: Settings) -> int:
    """Return how many of the reports lie surely inside a ceasefire window."""
    inside = pd.Series(data=False, index=reports.index)
    for window in settings.theatre.windows:
        ends = pd.Series(data=True, index=reports.index) if window.end is None else reports["observed_to"] < window.end
        inside |= (reports["observed_from"] >= window.start) & ends
    return int(inside.sum())
