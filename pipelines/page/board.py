"""Which incidents stand at which tier, and what is due when?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from pipelines.outcome import rows
from pipelines.page.words import moment, span

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

SHOWN = 200
"""How many incidents the table lists; the map and the diagram have all."""
_STATES = {"candidate": "candidate", "active": "active", "quiet": "quiet", "ended": "ended"}


class Line(NamedTuple):
    """One incident as the table tells it; ``due`` is ISO 8601 text for machines, empty where nothing is due."""

    no: int
    id: str
    name: str
    tier: int
    effective: int
    declared: int | None
    peak: int
    state: str
    going: bool
    since: str
    last: str
    due: str
    due_at: str
    due_in: str
    due_what: str
    violations: int
    origins: int
    where: str
    why: str


def ordered(points: pd.DataFrame) -> pd.DataFrame:
    """Return incidents and candidates: what goes on first, then by tier, by what is due first, and by name."""
    over = points["state"] == "ended"
    tier = points["tier_eligible"].where(~over, points["tier_peak"]).astype(int)
    number = points["incident_id"].str.slice(2).astype(int)
    rank = pd.DataFrame(
        {"over": over, "c": points["state"] == "candidate", "tier": -tier, "due": points["next_due"], "number": number}
    )
    return points.loc[rank.sort_values(["over", "c", "tier", "due", "number"]).index].reset_index(drop=True)


def lines(points: pd.DataFrame, as_of: datetime) -> list[Line]:
    """Return every incident as a line; ``points`` in the order of ``ordered``."""
    return [_line(no, row, pd.Timestamp(as_of)) for no, row in enumerate(rows(points))]


def _line(no: int, row: dict[str, Any], as_of: pd.Timestamp) -> Line:
    due, going = row["next_due"], row["state"] not in {"ended", "candidate"}
    end = f" ({row['end']})" if row["end"] else ""
    return Line(
        no=no,
        id=row["incident_id"],
        name=row["name"] or "",
        tier=int(row["tier_eligible"] if row["state"] != "ended" else row["tier_peak"]),
        effective=int(row["tier_effective"]),
        declared=None if row["tier_declared"] is None else int(row["tier_declared"]),
        peak=int(row["tier_peak"]),
        state=_STATES[row["state"]] + end,
        going=going,
        since=moment(row["t0_from"] or row["first_observed"]),
        last=moment(row["last_observed"]),
        due=f"{due:%Y-%m-%dT%H:%M:%SZ}" if due is not None else "",
        due_at=moment(due),
        due_in="" if due is None else _distance(due - as_of),
        due_what=row["next_due_what"] or "",
        violations=int(row["qualifying"]),
        origins=int(row["origins"]),
        where=row["regions"] or "",
        why=row["persistence_why"] or "",
    )


def _distance(left: pd.Timedelta) -> str:
    return f"in {span(left)}" if left >= pd.Timedelta(0) else f"{span(left)} overdue"
