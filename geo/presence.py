"""What may be said of a weapon that merely stands somewhere?

That it stands in a segment, in a zone, on a day: enough to hold its party to the agreement, too little to aim. The rule
is applied before anything is put together, so that nothing which is computed or published later can tell more.

RULE 1  Place: the middle of the likeliest segment, on the line, with half the segment as radius. Chainage, offset,
        distance, side and region are those of that point; shares, and all zones but the named one, are dropped.
RULE 2  Where no segment leads, or the report was coarse in place, it has no place at all.
RULE 3  Time: the UTC days that the observation touches, from 00:00:00 to 23:59:59; the source's own time: its UTC day.
        Whether a ceasefire was in force is judged by these.
RULE 4  Words: text, url, direction and footprint are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo.matching import regions_at
from geo.reports import window_masks

if TYPE_CHECKING:
    from geo.policy import Policy
    from geo.theatre import Theatre

FAMILY: Final = "presence"
LAST: Final = pd.Timedelta(days=1) - pd.Timedelta(seconds=1)
_WORDS: Final = ("text", "url", "direction", "footprint", "between")
_SHARES: Final = ("segment_share", "zone_share", "side_share", "region_share")


def veil(reports: pd.DataFrame, theatre: Theatre, policy: Policy) -> pd.DataFrame:
    """Return matched reports in which no presence is told closer than by segment, zone and UTC day.

    Adds ``withheld`` (whether a report is such a one) and ``cell`` (its segment and zone, by which alone it agrees with
    another; missing for all others). Two presences of one segment, zone and day differ in nothing that is about place
    or time. All other rows stay as they are.
    """
    withheld = reports["family"].eq(FAMILY)
    out = reports.assign(withheld=withheld, cell=pd.Series(None, reports.index, dtype="str"))
    if not withheld.any():
        return out
    some = out.loc[withheld]
    veiled = _dated(_placed(_silent(some), theatre, policy), theatre)
    length_h = (veiled["observed_to"] - veiled["observed_from"]).dt.total_seconds() / 3600
    rules = policy.corroboration
    veiled["coarse"] = (veiled["uncertainty_m"] > rules.coarse_m) | (length_h > rules.coarse_h)
    whole = pd.concat([out.loc[~withheld], veiled[out.columns].astype(out.dtypes)])
    return whole.reindex(out.index)


def _silent(some: pd.DataFrame) -> pd.DataFrame:
    nothing = {name: pd.Series(None, some.index, dtype="str") for name in _WORDS if name in some}
    return some.assign(**nothing, **dict.fromkeys(_SHARES, np.nan), zones=some["zone_id"])


def _placed(some: pd.DataFrame, theatre: Theatre, policy: Policy) -> pd.DataFrame:
    known = some["segment_id"].notna() & ~(some["uncertainty_m"] > policy.corroboration.coarse_m)
    named = {name: some[name].where(known, None) for name in ("segment_id", "zone_id", "zones")}
    cell = "in " + named["zone_id"].fillna("no zone") + " at " + named["segment_id"].fillna("no segment")
    nought = pd.Series(0.0, some.index).where(known)
    middle = _middles(named["segment_id"], theatre)
    told = {**named, **middle, "offset_m": nought, "distance_m": nought, "in_zone": some["in_zone"] & known}
    return some.assign(**told, side="none", cell=cell.astype("str"))


def _middles(segment_id: pd.Series, theatre: Theatre) -> dict[str, pd.Series]:
    """Return where the middles of segments are; missing where there is no segment."""
    base = theatre.baselines[0]
    table = base.segments.set_index("segment_id")
    chainage = (table["chainage_from_m"] + table["chainage_to_m"]) / 2
    half = (table["chainage_to_m"] - table["chainage_from_m"]) / 2
    lon, lat = base.at(chainage, np.zeros(len(table)))
    region = regions_at(lon, lat, theatre.regions).to_numpy()
    columns = {"lon": lon, "lat": lat, "uncertainty_m": half, "chainage_m": chainage, "region_id": region}
    middles = pd.DataFrame(columns, index=table.index)
    return {str(name): column.set_axis(segment_id.index) for name, column in middles.reindex(segment_id).items()}


def _dated(some: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    whole = some.assign(
        observed_from=some["observed_from"].dt.floor("D"),
        observed_to=some["observed_to"].dt.floor("D") + LAST,
        reported_at=some["reported_at"].dt.floor("D"),
    )
    inside, touched = window_masks(whole, theatre.windows)
    return whole.assign(inside=inside, touched=touched)
