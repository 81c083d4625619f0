"""What does a run publish, column by column?

The layers are declared here, once, in drawing order. The writer, the checks and the data dictionary in the README come
from this declaration. Names and order are a contract with analysts' own projects: a change means a new file name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo.books import (
    COUNTS,
    COVERAGE,
    EVIDENCE,
    EXPOSURE,
    GROWN,
    LINEAGE_TABLE,
    NOTICES_TABLE,
    QUARANTINE,
    REVIEWS,
    RUN,
    SCENARIOS,
    TRANSITIONS,
)
from geo.columns import PANDAS, Column, Geometry, Kind, Table, conform, empty
from geo.columns import column as _c
from geo.terms import (
    COURSES,
    CREDIBILITIES,
    DOMAINS,
    ENDS,
    MEANS,
    PERSISTENCE,
    RELIABILITIES,
    SIDES,
    SPANS,
    STATES,
    STATUSES,
    TIER_LABELS,
    TIERS,
    WATCHED,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "COUNTS", "COVERAGE", "EVIDENCE", "EXPOSURE", "LINEAGE_TABLE", "NOTICES_TABLE", "PANDAS", "QUARANTINE", "REVIEWS",
    "RUN", "SCENARIOS", "TRANSITIONS", "Column", "Geometry", "Kind", "Table", "conform", "empty",
]  # fmt: skip


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
        _c("means", "text", "how it was observed, as its row or its source says", MEANS),
        _c("reliability", "text", "reliability of its source, declared in the theatre; F: not judged", RELIABILITIES),
        _c("credibility", "int", "how credible a source that may rate calls it; 6: not judged", CREDIBILITIES),
        _c("copy_of", "text", "report that it only repeats: it has no voice of its own"),
        _c(
            "same_point_days",
            "int",
            "days (in the map's window) on which its source used exactly this point, if many; empty: not many",
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
        _c("count_low", "int", "least number, merged over its reports, never added up; empty: no bound"),
        _c("count_best", "int", "number by the most reliable source whose figure fits these bounds"),
        _c("count_high", "int", "largest number; empty: no bound"),
        _c("killed_low", "int", "killed, the least figure of any report that describes it; empty: not stated"),
        _c("killed", "int", "killed, the largest figure"),
        _c("injured_low", "int", "injured, the least figure"),
        _c("injured", "int", "injured, the largest figure"),
        _c("exemption", "text", "id of the exemption that covers it"),
        _c("note", "text", "what else is to be known, such as an exemption that it only touches"),
    ),
)

_WHERE: Final = (("land", "on land"), ("air", "in the air"), ("sea", "at sea"))

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
    _c("responses", "int", "declared response fire among its violations: it counts in its own party's scenarios alone"),
    _c("persistence_why", "text", "the verdict on persistence in a sentence, with its hours"),
    *(column for column in GROWN if column.name != "extent_m"),
    _c("t0_set_by", "text", "command (D-n) by which a person set T0; empty: the observations give it"),
    *(_c(f"violations_{domain}", "int", f"violations {where}, attached ones included") for domain, where in _WHERE),
    _c("count_low", "int", "least number of single explosions, shots or crossings: the violations' figures added up"),
    _c("count_best", "int", "likeliest number, added up over the violations that have one"),
    _c("count_high", "int", "largest number; empty where any violation has no bound"),
    _c("killed_low", "int", "killed, the least figure of any report of each violation, added up; empty: not stated"),
    _c("injured_low", "int", "injured, likewise"),
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
    return tuple(
        column
        for short, words in SPANS
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


def _watched(spans: Iterable[tuple[str, str]]) -> tuple[Column, ...]:
    return tuple(
        column
        for short, words in spans
        for column in (
            _c(f"covered_h_{short}", "real", f"hours of the last {words} in which its ground was declared seen"),
            _c(f"unseen_h_{short}", "real", "hours of these in which it was declared unseen and nobody saw it"),
            _c(
                f"per_covered_h_{short}",
                "real",
                "qualifying violations in sight by covered hour; empty: none",
            ),
            _c(f"coverage_{short}", "text", f"what was declared of these {words}; see table coverage", WATCHED),
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
        *_watched(SPANS),
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

SIDES_LAYER: Final = Table(
    "sides",
    "Point",
    "a place where the name of a side stands, at some scales: a text of usual size lies wholly on that side",
    (
        _c("side", "text", "side of the baseline", SIDES[:2]),
        _c("name", "text", "party on that side"),
        _c("towards", "text", "direction in which the text lies, seen from the place", COURSES),
        _c("scale_from", "int", "it is for scales from 1 to this on, inclusive"),
        _c("scale_to", "int", "it is for scales up to 1 to this, exclusive"),
        _c("chainage_m", "real", "where along the baseline it is, metres"),
        _c("distance_m", "real", "geodesic metres from the baseline"),
    ),
)

TABLES: Final[tuple[Table, ...]] = (
    INCIDENT_POINTS, VIOLATIONS, REPORTS, SIDES_LAYER, SEGMENTS, FRONT_LINE, INCIDENTS, INCIDENT_DAYS, ZONES, REGIONS,
    TRANSITIONS, EVIDENCE, LINEAGE_TABLE, NOTICES_TABLE, QUARANTINE, RUN, EXPOSURE, COVERAGE, SCENARIOS, REVIEWS,
    COUNTS,
)  # fmt: skip
BY_NAME: Final[dict[str, Table]] = {table.name: table for table in TABLES}
