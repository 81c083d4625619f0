"""How many violations began on each UTC day, on each segment, side and zone?"""

from __future__ import annotations

from typing import Final

import pandas as pd

from geo import tables

_BY: Final = ["day", "segment_id", "side", "zone_id"]
NEEDED: Final = ["observed_from", "qualifying", *_BY[1:]]
"""Of a violation."""


def count(violations: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``counts``, in order of day, segment, side and zone; what has no segment or zone comes last.

    Parameters
    ----------
    violations
        ``NEEDED``; ``observed_from`` is aware UTC.
    """
    counted = violations["qualifying"].astype(bool)
    code, days = pd.factorize(violations["observed_from"].dt.floor("D"))
    day = pd.Series(days.strftime("%Y-%m-%d").to_numpy()[code], violations.index, dtype="str")
    rows = violations[_BY[1:]].assign(day=day, violations=counted, not_qualifying=~counted)
    found = rows.groupby(_BY, dropna=False)[["violations", "not_qualifying"]].sum().reset_index()
    return tables.conform(found.sort_values(_BY, ignore_index=True), tables.COUNTS)
