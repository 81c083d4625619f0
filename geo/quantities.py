"""How many were there, by what several reports of one violation say?

Merged, never summed: each report speaks of the same thing. Copies do not enter (``geo.standing``).

RULE 1  Statements that can all be true narrow each other: low is the largest low, high the least high.
RULE 2  Where some low exceeds some high they contradict each other: then low is the least low and high the largest
        high, so that nobody's figure is left out; where somebody sets no upper bound ("more than 10"), neither do we.
RULE 3  Best is that of the most reliable source that states one within these bounds; of equals, of the one with the
        narrowest bounds, then the smallest footprint, then the least content. Nothing is ever averaged.
RULE 4  A number of people is exact as a source states it: the least and the largest figure are the bounds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from geo.copies import RELIABILITY

COUNTS: Final = ("count_low", "count_best", "count_high")
PEOPLE: Final = ("killed", "injured")


def merged(spoken: pd.DataFrame) -> pd.DataFrame:
    """Return one row per ``_group``: ``COUNTS``, and for ``PEOPLE`` the largest figure and that with ``_low``.

    ``spoken`` are the reports that describe the violations, in order of content.
    """
    groups = spoken.groupby("_group")
    people = {name: groups[name].max() for name in PEOPLE}
    people |= {f"{name}_low": groups[name].min() for name in PEOPLE}
    return pd.DataFrame(people).join(_counts(spoken))


def _counts(spoken: pd.DataFrame) -> pd.DataFrame:
    low, high = spoken["count_low"], spoken["count_high"]
    by = spoken["_group"]
    tightest = pd.DataFrame({"count_low": low.groupby(by).max(), "count_high": high.groupby(by).min()})
    clash = (tightest["count_low"] > tightest["count_high"]).fillna(value=False).astype(bool)
    open_above = (low.notna() & high.isna()).groupby(by).any()
    widest = pd.DataFrame(
        {"count_low": low.groupby(by).min(), "count_high": high.groupby(by).max().mask(open_above, pd.NA)}
    )
    bounds = tightest.where(~clash, widest)
    return bounds.assign(count_best=_best(spoken, bounds))[list(COUNTS)]


def _best(spoken: pd.DataFrame, bounds: pd.DataFrame) -> pd.Series:
    needed = ["_group", "reliability", "uncertainty_m", *COUNTS]
    stated = spoken.loc[spoken["count_best"].notna(), needed]
    own = bounds.reindex(stated["_group"]).set_axis(stated.index)
    fits = (stated["count_best"] >= own["count_low"]).fillna(value=True)
    fits &= (stated["count_best"] <= own["count_high"]).fillna(value=True)
    stated = stated.loc[fits.to_numpy(bool)]
    ordered = stated.assign(
        _reliability=stated["reliability"].map(RELIABILITY),
        _width=(stated["count_high"] - stated["count_low"]).astype("Float64").fillna(np.inf),
    ).sort_values(["_group", "_reliability", "_width", "uncertainty_m"], kind="stable")
    return ordered.drop_duplicates("_group").set_index("_group")["count_best"]
