"""Which few numbers say how things stand, against the day before?

Both days are told as they are known now: the day before is not what was said then. The news is a section of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from geo.terms import TIER_LABELS, TIERS
from pipelines.page import spells as _spells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.page.spells import Spell

DAY = pd.Timedelta(days=1)


class Figure(NamedTuple):
    """A number now and 24 hours earlier; ``tier`` ``None``: about no tier."""

    label: str
    now: int
    before: int
    tier: int | None = None

    @property
    def change(self) -> str:
        """The difference in words."""
        if self.now == self.before:
            return "as the day before"
        return f"{abs(self.now - self.before):,} {'more' if self.now > self.before else 'fewer'} than the day before"

    @property
    def arrow(self) -> str:
        """Which way it went, as a sign."""
        return "=" if self.now == self.before else ("▲" if self.now > self.before else "▼")


def headline(
    content: Mapping[str, pd.DataFrame], found: Mapping[str, list[Spell]], as_of: pd.Timestamp
) -> list[Figure]:
    """Return the numbers of the top: what goes on, by tier, and what happened in 24 hours, each against the day before.

    A number of incidents is that of ``as_of`` and of 24 hours earlier; a number of happenings that of the 24 hours
    before each.
    """
    now, before = (list(_spells.at(found, moment).values()) for moment in (as_of, as_of - DAY))
    tiers = [
        Figure(f"at tier {tier}, {TIER_LABELS[tier]}", now.count(tier), before.count(tier), tier)
        for tier in reversed(TIERS[1:])
    ]
    counted = content["violations"][content["violations"]["qualifying"].astype(bool)]
    begun = pd.Series([each[0].begin for each in found.values() if each], dtype="datetime64[us, UTC]")
    return [
        Figure("breaches going on", len(now), len(before)),
        *tiers,
        _happened("new breaches in 24 h", begun, as_of),
        _happened("violations in 24 h", counted["observed_from"], as_of),
    ]


def _happened(label: str, times: pd.Series[pd.Timestamp], as_of: pd.Timestamp) -> Figure:
    today = (times > as_of - DAY) & (times <= as_of)
    yesterday = (times > as_of - 2 * DAY) & (times <= as_of - DAY)
    return Figure(label, int(today.sum()), int(yesterday.sum()))
