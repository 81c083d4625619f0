"""What does a run publish, column by column?

The layers are declared here, once, in drawing order. The writer, the checks and the data dictionary in the README come
from this declaration. Names and order are a contract with analysts' own projects: a change means a new file name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo.books import QUARANTINE, RUN
from geo.columns import PANDAS, Column, Geometry, Kind, Table, conform, empty
from geo.columns import column as _c

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PANDAS", "QUARANTINE", "RUN", "Column", "Geometry", "Kind", "Table", "conform", "empty"]

STATUSES: Final = ("alleged", "corroborated", "confirmed", "contested", "refuted", "exempt")
STATES: Final = ("candidate", "active", "quiet", "ended")
ENDS: Final = ("ceased", "assumed", "unresolved", "lapsed", "decided")
TIERS: Final = (0, 1, 2, 3)
TIER_LABELS: Final = ("watch", "warning", "coalition", "co-ordinated")
PERSISTENCE: Final = ("persists", "ceased", "indeterminate")
SIDES: Final = ("left", "right", "none")
DOMAINS: Final = ("land", "air", "sea")
STEPS: Final = ("opened", "eligible", "effective", "declared", "ended", "corrected", "merged")
LINEAGE: Final = ("merge", "split", "recurrence", "retraction", "correction")
MEANS: Final = ("eye", "ear", "imagery", "sensor", "statement")
RELIABILITIES: Final = ("A", "B", "C", "D", "E", "F")
CREDIBILITIES: Final = (1, 2, 3, 4, 5, 6)
RASTERS: Final = ("population", "land_cover")
STATISTICS: Final = ("cell", "sum", "mean", "majority")
COMMANDS: Final = (
    "confirm", "refute", "attribute", "exempt", "merge", "split", "move", "set_t0", "declare", "end", "reopen", "fix",
    "release",
)  # fmt: skip
ANSWERS: Final = ("applied", "waits", "over", "rejected")
WATCHED: Final = ("declared", "assumed", "partly", "unseen")
NOTICES: Final = ("opened", "withdrawn", "renamed", "tier", "t0", "end", "persistence", "extent", "due")

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

_GROWN = (
    _c("growth", "text", "extent, depth and rate in the first window, and what they have come to"),
    _c("extent_first_m", "real", "chainage span of what may lie in the first window, metres"),
    _c("extent_m", "real", "chainage span of all that counts, metres"),
    _c("depth_first_m", "real", "largest distance from the baseline in the first window, metres"),
    _c("depth_m", "real", "largest distance of all that counts, metres"),
    _c("rate_first_n", "int", "violations that may lie in the first window"),
    _c("rate_n", "int", "most violations begun within any 24 hours"),
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
    *(column for column in _GROWN if column.name != "extent_m"),
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


_SPANS: Final = (("24h", "24 hours"), ("72h", "72 hours"), ("7d", "7 days"))


def _recent(what: str) -> tuple[Column, ...]:
    return tuple(
        column
        for short, words in _SPANS
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
        *_watched(_SPANS),
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
SCENARIOS: Final = Table(
    "scenarios",
    None,
    "what one reading of who fired makes of an incident",
    (
        _c("incident_id", "text", "incident"),
        _c("scenario", "text", "whose violations count: any, a party, or a party and unknown"),
        _c("qualifying", "int", "violations that count in it"),
        _c("tier_eligible", "int", "highest tier whose rule is met; 0 after the end", TIERS),
        _c("tier_effective", "int", "highest tier whose delay has passed too; 0 after the end", TIERS),
        _c("tier_peak", "int", "highest tier ever eligible", TIERS),
        _c("t0_from", "time", "earliest begin among these: due times count from here"),
        _c("t0_to", "time", "earliest end among these: eligibility counts from here"),
        _c("next_due", "time", "next instant at which something is due; empty for any where both fired"),
        _c("next_due_what", "text", "what is due then"),
        _c("persistence", "text", "whether hostilities went on beyond the first window", PERSISTENCE),
        _c("persistence_why", "text", "that in a sentence, with its hours"),
        *_GROWN,
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
COVERAGE: Final = Table(
    "coverage",
    None,
    "how a segment's ground was watched, on one side or both, in a span that ends at as_of",
    (
        _c("segment_id", "text", "segment"),
        _c("side", "text", "side of the baseline", ("left", "right", "both")),
        _c("span", "text", "the last 24 hours, 72 hours or 7 days", [short for short, _ in _SPANS]),
        _c("covered_h", "real", "hours in which somebody declared to see its ground, counted once; a mean over it"),
        _c("unseen_h", "real", "hours in which it was declared unseen and nobody declared to see it; a mean over it"),
        _c("undeclared_h", "real", "the hours that are left: what was quiet then is only assumed to have been"),
        _c(
            "coverage",
            "text",
            "declared: all of it covered; assumed: nothing declared; unseen: nothing covered, some declared unseen",
            WATCHED,
        ),
        _c("violations", "int", "qualifying violations begun in the span; with side both, also those on neither"),
        _c("violations_watched", "int", "of these, begun at a place and time that somebody declared to see"),
        _c("per_covered_h", "real", "of these by covered hour; empty: nothing was covered"),
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
REVIEWS: Final = Table(
    "reviews",
    None,
    "a command of a person, with what became of it",
    (
        _c("review_id", "text", "D-n, after its ledger number"),
        _c("ledger_no", "int", "its ledger number"),
        _c("command", "text", f"what is asked for: {', '.join(COMMANDS)}; anything else is rejected"),
        _c("target", "text", "what it is about, by name: V-n, B-n, R-n, or D-n for an earlier command"),
        _c("value", "text", "party, tier, status, time or other incident, as the command needs"),
        _c("violations", "text", "violations that a split makes a part of their own, or a fix holds together"),
        _c("reviewer", "text", "the person who decided"),
        _c("reason", "text", "why"),
        _c("at", "time", "when it was decided: it speaks from then on"),
        _c("expires", "time", "until when it speaks, exclusive; empty: without end"),
        _c("known_at", "time", "when it was known"),
        _c(
            "answer",
            "text",
            "what became of it at as_of; waits: for its time or a second person; over: expired, released or overruled",
            ANSWERS,
        ),
        _c("why", "text", "why it was not applied, and where the rules by themselves would say otherwise"),
        _c("violation_id", "text", "violation that its target is, or is part of, now"),
        _c("incident_id", "text", "incident or candidate that it bears on now"),
    ),
)

TABLES: Final[tuple[Table, ...]] = (
    INCIDENT_POINTS, VIOLATIONS, REPORTS, SEGMENTS, FRONT_LINE, INCIDENTS, INCIDENT_DAYS, ZONES, REGIONS,
    TRANSITIONS, EVIDENCE, LINEAGE_TABLE, NOTICES_TABLE, QUARANTINE, RUN, EXPOSURE, COVERAGE, SCENARIOS, REVIEWS,
)  # fmt: skip
BY_NAME: Final[dict[str, Table]] = {table.name: table for table in TABLES}
