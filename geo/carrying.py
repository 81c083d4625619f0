"""Which reports carry each violation?

Those that tell of it, in order of content; what the public sent carries one only where nobody else tells of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.violations import CONTENT

if TYPE_CHECKING:
    import pandas as pd


def carrying(reports: pd.DataFrame) -> pd.DataFrame:
    """Return the reports that carry a violation, in order of content.

    Parameters
    ----------
    reports
        With ``violation_id`` (missing: of none), ``trust`` and the columns of ``geo.violations.CONTENT``.
    """
    told = reports.loc[reports["violation_id"].notna()].sort_values(CONTENT)
    public = told["trust"].eq("public")
    if not public.any():
        return told
    alone = public.groupby(told["violation_id"]).transform("all")
    return told.loc[~public | alone]
