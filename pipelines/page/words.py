"""How does the page write a moment, a span of time and a text?"""

from __future__ import annotations

import pandas as pd

_MINUTES_A_DAY = 24 * 60


def moment(at: pd.Timestamp | None) -> str:
    """Return a moment as people write it, in UTC: "10 Jun 2026 21:00"; missing: nothing."""
    return "" if at is None or pd.isna(at) else f"{at.day} {at:%b %Y %H:%M}"


def span(length: pd.Timedelta) -> str:
    """Return a length of time to the minute, or the hour from two days on: "3 h 12 min"; the sign is left out."""
    minutes = int(abs(length.total_seconds()) // 60)
    days, rest = divmod(minutes, _MINUTES_A_DAY)
    if days >= 2:  # noqa: PLR2004 -- as people speak: 47 hours, two days
        return f"{days} d {rest // 60} h"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 -- minutes


def text(value: object) -> str:
    """Return a text of a table; missing: nothing."""
    return "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]
