"""What does a backtest write, column by column?

These tables are no layers: they stand beside each other as CSV, for a spreadsheet, pandas or QGIS.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from geo import tables, terms
from geo.tables import Column, Table

# Left out: what looks back over all earlier incidents, and what rasters say.
_LEFT_OUT: Final = {"recurrence_of", "gap_covered", "people", "people_known_share"}
GONE: Final = "gone"

_AS_OF: Final = Column("as_of", "time", "the step: the moment spoken of, and of knowledge")
_NAME: Final = Column("incident_id", "text", "incident, by the name that it bore then")


def _said(column: Column) -> Column:
    if column.name != "state":
        return column
    doc = "state at as_of; gone: no incident bears the name any more, and the rest of the row is what was said last"
    return replace(column, doc=doc, allowed=(*column.allowed, GONE))


STEPS: Final = Table(
    "steps",
    None,
    "an incident at a step: while it is going on, when something else is said of it than before, and when it is gone",
    (
        _AS_OF,
        *(_said(column) for column in tables.INCIDENTS.columns if column.name not in _LEFT_OUT),
        Column("opened_known_at", "time", "when it could be known that the breach is open (tier 1)"),
    ),
)
REVISIONS: Final = Table(
    "revisions",
    None,
    "what news that came between two steps changed in what had been said at the earlier one",
    (Column("learned_at", "time", "the step at which it was known"), *tables.NOTICES_TABLE.columns),
)
"""``as_of`` is the earlier step."""
INCIDENTS: Final = Table(
    "incidents",
    None,
    "a name that was ever said",
    (
        _NAME,
        Column("name", "text", "place and day, as said last"),
        Column("said_from", "time", "first step that said it"),
        Column("said_to", "time", "last step that said it"),
        Column("state", "text", "state as said last", (*terms.STATES, GONE)),
        Column("tier_peak", "int", "highest tier ever eligible, as said last", terms.TIERS),
        Column("t0_from", "time", "earliest begin among qualifying observations, as said last"),
        Column("last_observed", "time", "end of its last qualifying observation, as said last"),
        Column("first_t0_from", "time", "earliest begin, as said first"),
        Column("opened_known_at", "time", "when it could be known that it is open (tier 1), as said first"),
        Column("warned_after_h", "real", "hours from the first shot, as known last, until tier 1 could be known"),
        Column("revisions", "int", "how often something that had been said of it was revised"),
    ),
)
