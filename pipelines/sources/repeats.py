"""Does a file use one id, or one point, for several events?

What a file says twice of one id is one item said anew: a correction, or a contradiction where the source has no
authority. Where no moment is common to all that is said of an id, it may as well be several events. And a point that is
used day after day may stand for a settlement or a district (``geo.points``). A person may know, so the file's notes
name them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pandas as pd

from pipelines.sources.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.policy import Policy
    from geo.theatre import Source
    from pipelines.sources.reading import Reading

_NAMED: Final = 5
_POINT: Final = ["lon", "lat"]


def noted(reading: Reading, source: Source, rules: Policy) -> Reading:
    """Return a reading with a note of ids without a common moment, and one of points that are used on many days."""
    reports = reading.intake.loc[reading.intake["kind"] == "report"]
    notes = (*_ids(reports, source), *_points(reports, source, rules))
    return replace(reading, notes=(*reading.notes, *notes)) if notes else reading


def _ids(reports: pd.DataFrame, source: Source) -> Iterator[str]:
    said = reports[["source_ref", "observed_from", "observed_to", "row_no"]]
    said = said[said["source_ref"].notna() & said["source_ref"].duplicated(keep=False)]
    each = said.groupby("source_ref", sort=False)
    apart = each["observed_from"].transform("max") > each["observed_to"].transform("min")
    if not apart.any():
        return
    rows = said[apart].groupby("source_ref", sort=False)["row_no"].agg(list)
    few = "; ".join(
        f"{shown(str(ref))} in rows {', '.join(map(str, numbers[:_NAMED]))}"
        for ref, numbers in rows.head(_NAMED).items()
    )
    becomes = "of which the last statement stands" if source.authoritative else "whose statements dispute each other"
    yield (
        f"Ids that name observations with no moment in common ({len(rows):,}: {few}) are taken for one item each, "
        f"{becomes}. If they are several events, give each an id of its own."
    )


def _points(reports: pd.DataFrame, source: Source, rules: Policy) -> Iterator[str]:
    most = rules.matching.same_point_days
    if not most or source.place_m:
        return
    forbidden = [name for name, act in rules.acts.items() if act.prohibited != "never"]
    said = reports[reports["lon"].notna() & reports["footprint"].isna() & reports["act"].isin(forbidden)]
    said = said[said.duplicated(_POINT, keep=False)]
    days = said.assign(day=said["observed_from"].dt.floor("D")).drop_duplicates([*_POINT, "day"]).groupby(_POINT).size()
    used = pd.DataFrame({"days": days, "rows": said.groupby(_POINT).size()})
    used = used[(days > most) & ~used.index.isin([(point.lon, point.lat) for point in source.points])]
    if used.empty:
        return
    few = "; ".join(
        f"lon {lon}, lat {lat} on {days:,} days in {rows:,} rows"
        for (lon, lat), days, rows in used.sort_values("rows", ascending=False, kind="stable").head(_NAMED).itertuples()
    )
    yield (
        f"Points that are used on many days ({len(used):,}: {few}) count as placed. Where one stands for a settlement "
        f"or a district, say so in theatre.toml, points of source {source.id}."
    )
