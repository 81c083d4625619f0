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

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo.copies import RELIABILITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.groups import Groups

    Ints = NDArray[np.int64]

COUNTS: Final = ("count_low", "count_best", "count_high")
PEOPLE: Final = ("killed", "injured")
_LEAST, _MOST = (int(end) for end in (np.iinfo(np.int64).min, np.iinfo(np.int64).max))  # no bound


def merged(spoken: pd.DataFrame, groups: Groups) -> dict[str, pd.arrays.IntegerArray]:
    """Return by group of reports: ``COUNTS``; for ``PEOPLE`` the largest figure, and the least as that with ``_low``.

    ``spoken`` are the reports that describe the violations, in order of content.
    """
    people = {name: _most(groups, spoken[name]) for name in PEOPLE}
    people |= {f"{name}_low": _least(groups, spoken[name]) for name in PEOPLE}
    return {name: _figures(values) for name, values in {**people, **_counts(groups, spoken)}.items()}


def _figures(values: Ints) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values, (values == _LEAST) | (values == _MOST))


def _least(groups: Groups, column: pd.Series) -> Ints:
    return groups.least(column.to_numpy(np.int64, na_value=_MOST))


def _most(groups: Groups, column: pd.Series) -> Ints:
    return ~groups.least(~column.to_numpy(np.int64, na_value=_LEAST))  # ~x falls as x rises, and overflows nowhere


def _counts(groups: Groups, spoken: pd.DataFrame) -> dict[str, Ints]:
    low, high = spoken["count_low"], spoken["count_high"]
    lowest, highest = _most(groups, low), _least(groups, high)
    clash = lowest > highest
    open_above = groups.some((low.notna() & high.isna()).to_numpy(bool))
    lowest = np.where(clash, _least(groups, low), lowest)
    highest = np.where(clash, np.where(open_above, _MOST, _most(groups, high)), highest)
    return {"count_low": lowest, "count_best": _best(groups, spoken, lowest, highest), "count_high": highest}


def _best(groups: Groups, spoken: pd.DataFrame, low: Ints, high: Ints) -> Ints:
    best = np.full(len(groups), _MOST)
    said = spoken["count_best"].to_numpy(np.int64, na_value=_MOST)
    fits = np.flatnonzero((said != _MOST) & (said >= low[groups.of]) & (said <= high[groups.of]))
    stated = spoken.iloc[fits]
    own = groups.of[fits]
    reliability = np.array([RELIABILITY[each] for each in stated["reliability"].tolist()], np.int64)
    width = (stated["count_high"] - stated["count_low"]).to_numpy(np.float64, na_value=np.inf)
    order = np.lexsort((stated["uncertainty_m"].to_numpy(), width, reliability, own))
    lead = order[np.flatnonzero(np.diff(own[order], prepend=-1))]
    best[own[lead]] = said[fits][lead]
    return best
