"""Which item is each entry about, and which entries need a reader look at?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.ledger.store import Store

NEVER: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, eq=False)
class Some:
    """Entries by ledger number: those in ``numbers`` (ascending), and all after ``after``."""

    numbers: NDArray[np.int64]
    after: int

    def holds(self, numbers: pd.Series) -> NDArray[np.bool_]:
        """Return which of the numbers are among them."""
        return (numbers > self.after).to_numpy(bool) | numbers.isin(self.numbers).to_numpy(bool)


def read(store: Store, after: int) -> pd.DataFrame:
    """Return ``ledger_no``, ``subject_no``, ``observed_from`` and ``observed_to`` of the entries after a number.

    Times are µs since 1970 UTC, ``NEVER`` where an entry states none; in order of ``ledger_no``.
    """
    found = store.query(
        "SELECT ledger_no, subject_no, observed_from, observed_to FROM entry WHERE ledger_no > ? ORDER BY ledger_no",
        [after],
    )
    told = {name: found[name].to_pandas() for name in found.column_names}
    return pd.DataFrame({name: column.fillna(NEVER).astype("int64") for name, column in told.items()})
