"""Where was a report like this one placed before?

A report's place depends on nothing but itself, the theatre and the rules of matching. Who asks about many moments keeps
what was found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from geo.matching import match

if TYPE_CHECKING:
    from geo.policy import Matching
    from geo.theatre import Theatre

_ASKED: Final = ("lon", "lat", "uncertainty_m", "observed_from", "weapon_class", "party_claimed", "footprint")


class Placer:
    """Places reports as ``match`` does, each only once for one theatre and the same rules."""

    def __init__(self) -> None:
        self._kept: list[tuple[Theatre, Matching, pd.DataFrame]] = []

    def __call__(self, reports: pd.DataFrame, theatre: Theatre, rules: Matching) -> pd.DataFrame:
        """Return what ``geo.matching.match`` returns."""
        asked = [name for name in _ASKED if name in reports]
        key = pd.util.hash_pandas_object(reports[asked], index=False).to_numpy()
        known = next((table for t, r, table in self._kept if t is theatre and r == rules), None)
        new = ~pd.Series(key).duplicated().to_numpy() if known is None else ~pd.Index(key).isin(known.index)
        if new.any():
            found = match(reports.loc[new], theatre, rules)
            fresh = found[[name for name in found if name not in reports]].set_axis(key[new])
            fresh = fresh[~fresh.index.duplicated()]
            known = fresh if known is None else pd.concat([known, fresh])
            self._kept = [kept for kept in self._kept if not (kept[0] is theatre and kept[1] == rules)]
            self._kept.append((theatre, rules, known))
        if known is None:
            return match(reports, theatre, rules)
        told = known.loc[key].set_axis(reports.index)
        return reports.assign(**{str(name): told[name] for name in told})
