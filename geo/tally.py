"""How many violations began on each UTC day, on each segment, side and zone?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo import tables

if TYPE_CHECKING:
    import pandas as pd

_BY: Final = ["day", "segment_id", "side", "zone_id"]


def count(violations: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``counts``, in order of day, segment, side and zone; what has no segment or zone comes last.

    Parameters
    ----------
    violations
        With ``observed_from`` (aware UTC), ``segment_id``, ``side``, ``zone_id`` and ``qualifying``.
    """
    counted = violations["qualifying"].astype(bool)
    rows = violations.assign(
        day=violations["observed_from"].dt.strftime("%Y-%m-%d"), violations=counted, not_qualifying=~counted
    )
    found = rows.groupby(_BY, dropna=False)[["violations", "not_qualifying"]].sum().reset_index()
    return tables.conform(found.sort_values(_BY, ignore_index=True), tables.COUNTS)
