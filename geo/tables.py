"""What does a run publish, column by column?

The layers are declared here, once, in drawing order. The writer, the checks and the data dictionary in the README come
from this declaration. Names and order are a contract with analysts' own projects: a change means a new file name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["text", "int", "real", "bool", "time", "date"]
Geometry = Literal["Point", "LineString", "MultiLineString", "MultiPolygon"]

PANDAS: Final[dict[Kind, str]] = {
    "text": "str",
    "int": "Int64",
    "real": "float64",
    "bool": "boolean",
    "time": "datetime64[us, UTC]",
    "date": "str",
}

STATUSES: Final = ("alleged", "corroborated", "confirmed", "contested", "refuted", "exempt")
STATES: Final = ("candidate", "active", "quiet", "ended")
ENDS: Final = ("ceased", "assumed", "unresolved", "lapsed")
TIERS: Final = (0, 1, 2, 3)
TIER_LABELS: Final = ("watch", "warning", "coalition", "co-ordinated")
PERSISTENCE: Final = ("persists", "ceased", "indeterminate")
SIDES: Final = ("left", "right", "none")
DOMAINS: Final = ("land", "air", "sea")
STEPS: Final = ("opened", "eligible", "effective", "declared", "ended", "corrected", "merged")
LINEAGE: Final = ("merge", "split", "recurrence", "retraction", "correction")
RASTERS: Final = ("population", "land_cover")
STATISTICS: Final = ("cell", "sum", "mean", "majority")
NOTICES: Final = ("opened", "withdrawn", "renamed", "tier", "t0", "end", "persistence", "extent", "due")


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, meaning and, where it is a closed list, the allowed values."""

    name: str
    kind: Kind
    doc: str
    allowed: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Table:
    """One layer or table of the GeoPackage; ``geometry`` is ``None`` for a table without places."""

    name: str
    geometry: Geometry | None
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in their published order, without the geometry."""
        return [column.name for column in self.columns]


def _c(name: str, kind: Kind, doc: str, allowed: Iterable[str | int] = ()) -> Column:
    return Column(name, kind, doc, tuple(allowed))


_SEEN = (
    _c("observed_from", "time", "begin of the observation; it happened at or after this instant"),
    _c("observed_to", "time", "end of the observation; it happened at or before this instant"),
)
_ACT = (
    _c("act", "text", "kind of act, as listed in the policy"),
    _c("domain", "text", "where it took place", DOMAINS),
    _c("weapon", "text", "weapon system, as reported"),
)
_NAMED = _c(
    "place_name",
    "text",
    "where its footprint lies, by the nearest known place; as shipped from GeoNames, geonames.org, CC BY 4.0",
)
_PLACE = (
    _c("uncertainty_m", "real", "radius of the disc that holds the footprint, metres"),
    _c("segment_id", "text", "likeliest baseline segment, if it leads"),
    _c("segment_share", "real", "share of the footprint nearest to that segment, 0 to 1"),
    _c("chainage_m", "real", "geodesic metres along the baseline to the foot of the perpendicular"),
    _c(
        "offset_m",
        "real",
        "signed geodesic metres from the baseline, positive on the left party's side; empty beyond the ends",
    ),
    _c("distance_m", "real", "geodesic metres from the baseline"),
    _c("side", "text", "side of the baseline; none beyond its ends", SIDES),
    _c("zone_id", "text", "strictest zone that applies to weapon, party and date at its likeliest place, if it leads"),
    _c("zone_share", "real", "share of the footprint whose strictest zone that is, 0 to 1"),
    _c("region_id", "text", "region that contains the point"),
)

_FOOTPRINT = (
    _c("zones", "text", "all zones that bind the report and hold its likeliest place, joined by +, strictest first"),
    _c("side_share", "real", "share of the footprint on that side, 0 to 1"),
    _c("region_share", "real", "share of the footprint in that region, 0 to 1"),
    _c("ambiguous", "bool", "whether no segment, or no zone, leads by the policy's margin; that one is then not named"),
    _c("between", "text", "what an ambiguous report lies between, with shares, largest first"),
    _c("withheld", "bool", "a presence: told by segment, zone and UTC day alone; the point is the segment's middle"),
)

REPORTS: Final = Table(
    "reports",
    "Point",
    "an active report",
    (
        _c("report_id", "text", "R-n, after the ledger number of the item's first revision"),
        _c("ledger_no", "int", "ledger number of the active revision"),
        _c("source", "text", "source that sent it, as declared in the theatre"),
        _c("source_ref", "text", "the source's own id of the item"),
        _c("revision", "int", "1 for the first statement, then counting"),
        *_SEEN,
        _c("reported_at", "time", "the source's own time of the statement"),
        _c("recorded_at", "time", "when the ledger took it"),
        *_ACT,
        _c("direction", "text", "direction of fire, as reported"),
        _c("count_low", "int", "least number of single explosions, shots or crossings"),
        _c("count_best", "int", "likeliest number"),
        _c("count_high", "int", "largest number"),
        _c("party_claimed", "text", "party that the source holds responsible: a claim, not a finding"),
        *_PLACE,
        _c("violation_id", "text", "violation that it is part of"),
        _c("incident_id", "text", "incident or candidate that its violation belongs or is attached to"),
        _c("text", "text", "what the source wrote"),
        _c("url", "text", "where it can be read"),
        _c(
            "line_offset_m",
            "real",
            "signed geodesic metres from the current line, positive on the left party's side; empty without a side",
        ),
        _c("line_distance_m", "real", "geodesic metres from the current line; empty where none was known"),
        _c("line_valid_from", "time", "date of that line: the newest usable one not after the observation"),
        _c("line_age_h", "real", "hours between that date and the begin of the observation"),
        *_FOOTPRINT,
        _NAMED,
        _c(
            "explained",
            "bool",
            "whether a permanent source of heat lies in the footprint of this heat; empty: no heat, or not asked",
        ),
    ),
)

VIOLATIONS: Final = Table(
    "violations",
    "Point",
    "a prohibited act at one place and time, put together from its reports",
    (
        _c("violation_id", "text", "V-n, after the lowest ledger number among its reports"),
        _c("status", "text", "how well it is established", STATUSES),
        _c("qualifying", "bool", "whether it counts for incidents and tiers"),
        _c("why_not", "text", "what keeps it from qualifying, empty if it does"),
        _c("origins", "int", "independent origins, public ones not counted"),
        _c("reports", "int", "reports, public ones included"),
        *_SEEN,
        *_ACT,
        _c("party_claimed", "text", "parties that its reports hold responsible, joined by +"),
        *_PLACE,
        _c(
            "heat_consistent",
            "bool",
            "whether satellite heat that no permanent source explains was seen at that place and time",
        ),
        _c("incident_id", "text", "incident or candidate"),
        _c("attached", "bool", "whether it is only attached, without counting"),
        *_FOOTPRINT,
        _NAMED,
    ),
)

_INCIDENT = (
    _c("incident_id", "text", "B-n for an incident, C-n for a candidate"),
    _c("name", "text", "place (as place_name, else along the line) and day of its first violation"),
    _c("state", "text", "state at as_of", STATES),
    _c("end", "text", "how it ended, empty while it has not", ENDS),
    _c("tier_eligible", "int", "highest tier whose rule is met; 0 after the end", TIERS),
    _c("tier_effective", "int", "highest tier whose delay has passed too; 0 after the end", TIERS),
    _c("tier_declared", "int", "highest tier that people declared; empty: none", TIERS),
    _c("tier_peak", "int", "highest tier ever eligible", TIERS),
    _c("tier_label", "text", "name of the eligible tier", TIER_LABELS),
    _c("t0_from", "time", "earliest begin among qualifying observations: due times count from here"),
    _c("t0_to", "time", "earliest end among qualifying observations: eligibility counts from here"),
    _c("t0_known_at", "time", "when that was known"),
    _c("first_observed", "time", "begin of its first observation"),
    _c("last_observed", "time", "end of its last qualifying observation"),
    _c("next_due", "time", "next instant at which something is due"),
    _c("next_due_what", "text", "what is due then"),
    _c(
        "persistence",
        "text",
        "whether hostilities went on beyond the first window; empty before it has passed",
        PERSISTENCE,
    ),
    _c("expansion", "text", "measured growth behind tier 3, empty without"),
    _c("violations", "int", "violations, attached ones included"),
    _c("qualifying", "int", "violations that count"),
    _c("reports", "int", "reports, public ones included"),
    _c("origins", "int", "independent origins among its qualifying violations"),
    _c("reports_public", "int", "reports of public sources: attached, never counted"),
    _c("parties", "text", "parties that reports of qualifying violations hold responsible"),
    _c("deepest_zone", "text", "zone of its violation farthest from the baseline"),
    _c("chainage_from_m", "real", "least chainage of its qualifying violations, metres"),
    _c("chainage_to_m", "real", "largest chainage, metres"),
    _c("extent_m", "real", "chainage span, metres"),
    _c("segments", "text", "segments that it touches"),
    _c("regions", "text", "regions that it touches"),
    _c("weapons", "text", "weapon classes used"),
    _c("killed", "int", "killed, the largest figure of any report of each violation, added up; empty: not stated"),
    _c("injured", "int", "injured, likewise"),
    _c("weak_link", "bool", "whether one link alone holds two parts of it together"),
    _c("recurrence_of", "text", "the latest ended incident at the same place"),
    _c("gap_covered", "bool", "whether the pause since that one was watched"),
    _c(
        "people",
        "real",
        "people who live in the known part of the footprint, by the theatre's raster; empty: not known",
    ),
    _c("people_known_share", "real", "share of the footprint for which that raster has a value, 0 to 1"),
)

INCIDENT_POINTS: Final = Table("incident_points", "Point", "an incident or candidate, for small scales", _INCIDENT)
INCIDENTS: Final = Table("incidents", "MultiPolygon", "an incident or candidate: its footprint", _INCIDENT)

INCIDENT_DAYS: Final = Table(
    "incident_days",
    "MultiPolygon",
    "an incident on one UTC day; the footprint is the one so far",
    (
        _c("incident_id", "text", "incident"),
        _c("day", "date", "UTC day"),
        _c("valid_from", "time", "begin of that day"),
        _c("valid_to", "time", "last second of that day"),
        _c("violations", "int", "qualifying violations begun that day"),
        _c("reports", "int", "reports of these"),
        _c("tier_effective", "int", "tier in effect at the end of the day, or at as_of", TIERS),
    ),
)


def _recent(what: str) -> tuple[Column, ...]:
    spans = (("24h", "24 hours"), ("72h", "72 hours"), ("7d", "7 days"))
    return tuple(
        column
        for short, words in spans
        for column in (
            _c(f"violations_{short}", "int", f"qualifying violations in {what} begun in the last {words}"),
            _c(
                f"tier_{short}",
                "int",
                f"highest tier that an incident touching {what} had eligible in the last {words}",
                TIERS,
            ),
        )
    )


SEGMENTS: Final = Table(
    "segments",
    "LineString",
    "a permanent piece of the baseline",
    (
        _c("segment_id", "text", "permanent id"),
        _c("part", "int", "part of the baseline, from 1"),
        _c("chainage_from_m", "real", "chainage of its start, metres"),
        _c("chainage_to_m", "real", "chainage of its end, metres"),
        *_recent("this segment"),
    ),
)
FRONT_LINE: Final = Table(
    "front_line",
    "MultiLineString",
    "the current line, or the baseline where none is known",
    (
        _c("valid_from", "time", "date of the line"),
        _c("source", "text", "where it comes from"),
        _c("age_h", "real", "hours between that date and as_of"),
        _c("note", "text", "why newer lines were not used, and where it has no sides; empty: nothing to say"),
    ),
)
ZONES: Final = Table(
    "zones",
    "MultiPolygon",
    "ground where something is forbidden; drawn, while membership is decided by geodesic distance",
    (
        _c("zone_id", "text", "id"),
        _c("kind", "text", "depth band or polygon", ("band", "polygon")),
        _c("side", "text", "side of the baseline", ("left", "right", "both")),
        _c("depth_m", "real", "depth of a band, metres"),
        _c("weapons", "text", "weapon classes that it forbids; empty: all"),
        _c("party", "text", "party that it binds; empty: both"),
        _c("rule", "text", "what it forbids, in words"),
        _c("valid_from", "time", "begin of validity, inclusive; empty: always"),
        _c("valid_to", "time", "end of validity, exclusive; empty: open"),
    ),
)
REGIONS: Final = Table(
    "regions",
    "MultiPolygon",
    "an area for which a run of its own can be asked",
    (
        _c("region_id", "text", "id"),
        _c("name", "text", "name"),
        *_recent("this region"),
    ),
)
TRANSITIONS: Final = Table(
    "transitions",
    None,
    "a step of an incident",
    (
        _c("incident_id", "text", "incident"),
        _c("scenario", "text", "whose violations count: any, a party, or a party and unknown"),
        _c("seq", "int", "order within incident and scenario, from 1"),
        _c("kind", "text", "kind of step", STEPS),
        _c("tier_from", "int", "tier before", TIERS),
        _c("tier_to", "int", "tier after", TIERS),
        _c("at", "time", "when it became so"),
        _c("known_at", "time", "when that could be known"),
        _c("rule", "text", "name of the rule"),
        _c("reason", "text", "the rule in a sentence, with its figures"),
        _c("policy_version", "text", "version of the policy that decided"),
    ),
)
EVIDENCE: Final = Table(
    "evidence",
    None,
    "a report that carries a step: without all of them the step is gone",
    (
        _c("incident_id", "text", "incident"),
        _c("scenario", "text", "scenario of the step"),
        _c("seq", "int", "the step"),
        _c("report_id", "text", "report"),
        _c(
            "pivotal",
            "bool",
            "whether the others that carry the incident would not take this step (no tier: false); empty: not examined",
        ),
    ),
)
EXPOSURE: Final = Table(
    "exposure",
    None,
    "what a raster of the theatre says under an incident's footprint, or at a report's place",
    (
        _c("incident_id", "text", "incident or candidate; empty: it is about a report"),
        _c("report_id", "text", "report; empty: it is about an incident"),
        _c("raster_id", "text", "raster, as declared in the theatre"),
        _c("kind", "text", "what it tells", RASTERS),
        _c("unit", "text", "unit of its values"),
        _c("statistic", "text", "the cell at the point; or of the footprint's cells", STATISTICS),
        _c("value", "real", "what it says; of a partly unknown footprint, what is known of it; empty: nothing known"),
        _c("known_share", "real", "share of that ground for which the raster has a value, 0 to 1"),
    ),
)
LINEAGE_TABLE: Final = Table(
    "lineage",
    None,
    "what became of a name",
    (
        _c("kind", "text", "what happened", LINEAGE),
        _c("from_id", "text", "name before"),
        _c("to_id", "text", "name after; empty: withdrawn"),
        _c("at", "time", "when it happened"),
        _c("known_at", "time", "when it was known; empty: no report's news, but that of the rules"),
        _c("reason", "text", "why, with the reports that did it"),
    ),
)
NOTICES_TABLE: Final = Table(
    "notices",
    None,
    "what late news changed in an answer that had been published",
    (
        _c("incident_id", "text", "incident, by its present name"),
        _c("kind", "text", "what changed", NOTICES),
        _c("said", "text", "what the earlier publication said"),
        _c("says", "text", "what is known now of that same moment"),
        _c("as_of", "time", "the moment that both speak of"),
        _c("known_at", "time", "the knowledge that the earlier publication rested on"),
        _c("since", "time", "the moment from which the two differ"),
        _c("news", "text", "what kinds of news bear on it, joined by commas"),
        _c("reports", "text", "the reports that are that news, joined by commas"),
    ),
)
QUARANTINE: Final = Table(
    "quarantine",
    None,
    "a refused row, without its raw text",
    (
        _c("batch_no", "int", "batch that brought it"),
        _c("source", "text", "source"),
        _c("file", "text", "file name"),
        _c("row_no", "int", "number of the record in the file, from 1"),
        _c("reason_code", "text", "reason, for machines"),
        _c("reason", "text", "reason, for people"),
    ),
)
RUN: Final = Table(
    "run",
    None,
    "this run",
    (
        _c("run_id", "text", "key of this publication: a hash of everything that it depends on"),
        _c("theatre", "text", "theatre"),
        _c("title", "text", "its title"),
        _c("standing", "text", "operational, or illustrative: without legal meaning", ("operational", "illustrative")),
        _c("scope", "text", "whole, or the region of a region run"),
        _c("as_of", "time", "the moment that the answer is about"),
        _c("known_at", "time", "the moment of knowledge; empty: all that was known"),
        _c("hindsight", "bool", "whether later knowledge than as_of was used"),
        _c("replay", "bool", "whether history was imported with the knowledge time of its sources"),
        _c("ledger_no", "int", "last ledger number that was known"),
        _c("ledger_head", "text", "head of the ledger's hash chain"),
        _c("theatre_hash", "text", "SHA-256 of the theatre"),
        _c("policy_version", "text", "policy in force at as_of"),
        _c("policy_hash", "text", "SHA-256 of the policy"),
        _c("version", "text", "version of Ceasewatch"),
        _c("rows", "int", "rows read"),
        _c("rows_new", "int", "of these new reports"),
        _c("rows_revision", "int", "revisions"),
        _c("rows_duplicate", "int", "duplicates"),
        _c("rows_conflict", "int", "conflicts"),
        _c("rows_retraction", "int", "retractions"),
        _c("rows_heartbeat", "int", "heartbeats"),
        _c("rows_quarantined", "int", "quarantined"),
        _c("reports", "int", "active reports"),
        _c("reports_in_window", "int", "of these with an observation surely inside a ceasefire window"),
        _c("violations", "int", "violations"),
        _c("incidents", "int", "incidents, candidates not counted"),
        _c("candidates", "int", "candidates"),
    ),
)

TABLES: Final[tuple[Table, ...]] = (
    INCIDENT_POINTS, VIOLATIONS, REPORTS, SEGMENTS, FRONT_LINE, INCIDENTS, INCIDENT_DAYS, ZONES, REGIONS,
    TRANSITIONS, EVIDENCE, LINEAGE_TABLE, NOTICES_TABLE, QUARANTINE, RUN, EXPOSURE,
)  # fmt: skip
BY_NAME: Final[dict[str, Table]] = {table.name: table for table in TABLES}


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``frame`` with exactly the declared columns, in order and typed, and ``geometry`` last where declared.

    Raises
    ------
    KeyError
        If a declared column is missing: a stage forgot it, which is our fault.
    """
    names = [*table.names, "geometry"] if table.geometry else table.names
    nothing = [c.name for c in table.columns if c.kind == "time" and frame[c.name].isna().all()]
    typed = {column.name: PANDAS[column.kind] for column in table.columns}
    # A column without a single time has no zone yet; one that has times must bring its own.
    blank = {name: pd.Series(pd.NaT, frame.index, dtype=PANDAS["time"]) for name in nothing}
    return frame[names].assign(**blank).astype(typed)


def empty(table: Table) -> pd.DataFrame:
    """Return a frame without rows that has the declared columns (no geometry column)."""
    return pd.DataFrame({c.name: pd.Series(dtype=PANDAS[c.kind]) for c in table.columns})
