"""How does a ladder timeline read as a story?

::

    story = Story(policy())
    story.fire("0h").fire("25h", by="media").look("30h")
    story.expect(1, eligible="0h", effective="0h").expect(2, eligible="25h", effective="25h")

Times are hours after the start (``25h``, ``23:59``); every shot lands near the same place unless said otherwise.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from builders import START, coverage, report, reports, theatre, versions

from geo.assess import Assessment, assess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from geo.policy import Policy


def clock(text: str) -> datetime:
    """Return ``25h``, ``25h30`` or ``71:59`` after the start."""
    hours, _, minutes = text.replace("h", ":").partition(":")
    return START + timedelta(hours=int(hours), minutes=int(minutes or 0))


class Story:
    """A breach told shot by shot."""

    def __init__(self, policy: Policy, *, windows: Sequence[tuple[float, float | None]] = ((0.0, None),)) -> None:
        self.policy = policy
        self.theatre = theatre(windows=windows)
        self.rows: list[dict[str, Any]] = []
        self.watched: list[dict[str, Any]] = []
        self.seen: Assessment | None = None

    def fire(self, *at: str, by: str = "mission", km: float = 100.0, off: float = 1.0, **fields: Any) -> Self:  # noqa: ANN401
        """Report one shot at each of these times; the shots of one story count one by one."""
        for moment in at:
            self.rows.append(report(clock(moment), (km, off), source=by, **fields))
        return self

    def shell(self, begin: int, end: int, every: int = 3, **fields: Any) -> Self:  # noqa: ANN401
        """Report a shot every few hours, by the mission and a medium in turn."""
        for n, hour in enumerate(range(begin, end + 1, every)):
            by = fields.get("by") or ("mission", "media")[n % 2]
            self.fire(f"{hour}h", **{**fields, "by": by})
        return self

    def watch(self, begin: str, end: str, *, sees: bool = True, km: float = 100.0) -> Self:
        """Declare that somebody could see a place, or that nobody could."""
        span = {"observed_from": clock(begin), "observed_to": clock(end)}
        self.watched.append({**span, "sees": sees, "km": (km, 1.0)})
        return self

    def look(self, at: str) -> Self:
        """Ask for the answer at a moment."""
        stored = reports(self.rows)
        self.seen = assess(stored, coverage(self.watched), self.theatre, versions(self.policy), clock(at))
        return self

    def incident(self, n: int = 0) -> pd.Series:
        """Return the n-th incident as published."""
        assert self.seen is not None
        return self.seen.tables["incidents"].iloc[n]

    def steps(self, n: int = 0, scenario: str = "any") -> list[tuple[str, int, float]]:
        """Return the n-th incident's steps as (kind, tier, hours after the start)."""
        assert self.seen is not None
        table = self.seen.tables["transitions"]
        mine = table.loc[(table["incident_id"] == self.incident(n)["incident_id"]) & (table["scenario"] == scenario)]
        hours = (mine["at"] - pd.Timestamp(START)).dt.total_seconds() / 3600
        return list(zip(mine["kind"], mine["tier_to"].astype(int), hours.round(4), strict=True))

    def reached(self, kind: str, tier: int, n: int = 0) -> float | None:
        """Return the hour at which a tier became eligible or effective; ``None`` if it did not."""
        return next((hour for what, to, hour in self.steps(n) if (what, to) == (kind, tier)), None)

    def known(self, kind: str, tier: int, scenario: str = "any") -> float:
        """Return the hour at which a step of the first incident was known."""
        assert self.seen is not None
        table = self.seen.tables["transitions"]
        mine = table.loc[(table["incident_id"] == self.incident()["incident_id"]) & (table["scenario"] == scenario)]
        (moment,) = mine.loc[(mine["kind"] == kind) & (mine["tier_to"] == tier), "known_at"]
        return float((moment - pd.Timestamp(START)).total_seconds() / 3600)
