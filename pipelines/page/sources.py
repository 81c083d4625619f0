"""Who reported, how much, and when last?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from pipelines.page.words import moment

if TYPE_CHECKING:
    from collections.abc import Mapping


class Voice(NamedTuple):
    """A source that was heard: its active reports, those of the last 24 hours, and the last observation."""

    source: str
    reports: int
    today: int
    last: str


def voices(content: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> list[Voice]:
    """Return the sources, those with most reports first."""
    reports = content["reports"]
    recent = reports["observed_from"] > as_of - pd.Timedelta(days=1)
    told = reports.assign(recent=recent).groupby("source")
    found = [
        Voice(str(name), len(each), int(each["recent"].sum()), moment(each["observed_to"].max())) for name, each in told
    ]
    return sorted(found, key=lambda one: (-one.reports, one.source))
