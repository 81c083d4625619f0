"""Does a file use one id for several events?

What a file says twice of one id is one item said anew: a correction, or a contradiction where the source has no
authority. Where no moment is common to all that is said of an id, it may as well be several events. A person may know,
so the file's notes name it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipelines.sources.reading import shown

if TYPE_CHECKING:
    from geo.theatre import Source
    from pipelines.sources.reading import Reading

_NAMED: Final = 5


def noted(reading: Reading, source: Source) -> Reading:
    """Return a reading with a note of the ids that name observations which have no moment in common."""
    said = reading.intake.loc[
        reading.intake["kind"] == "report", ["source_ref", "observed_from", "observed_to", "row_no"]
    ]
    said = said[said["source_ref"].notna() & said["source_ref"].duplicated(keep=False)]
    each = said.groupby("source_ref", sort=False)
    apart = each["observed_from"].transform("max") > each["observed_to"].transform("min")
    if not apart.any():
        return reading
    rows = said[apart].groupby("source_ref", sort=False)["row_no"].agg(list)
    few = "; ".join(
        f"{shown(str(ref))} in rows {', '.join(map(str, numbers[:_NAMED]))}"
        for ref, numbers in rows.head(_NAMED).items()
    )
    becomes = "of which the last statement stands" if source.authoritative else "whose statements dispute each other"
    note = (
        f"Ids that name observations with no moment in common ({len(rows):,}: {few}) are taken for one item each, "
        f"{becomes}. If they are several events, give each an id of its own."
    )
    return replace(reading, notes=(*reading.notes, note))
