"""Which reports carry each violation?

Those that tell of it; what the public sent carries one only where nobody else tells of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def carrying(reports: pd.DataFrame, violation_ids: pd.Series) -> tuple[Ints, Ints]:
    """Return the positions of the reports that carry these violations, and of its violation for each.

    Parameters
    ----------
    reports
        With ``violation_id`` (missing: of none) and ``trust``.
    violation_ids
        The names of the violations, each once.
    """
    place = pd.Index(violation_ids).get_indexer(pd.Index(reports["violation_id"])).astype(np.int64)
    public = (reports["trust"] == "public").to_numpy(bool)
    backed = np.bincount(place[(place >= 0) & ~public], minlength=len(violation_ids) + 1) > 0  # the last: none of them
    kept = np.flatnonzero((place >= 0) & ~(public & backed[place]))
    return kept, place[kept]
