"""Which tables without places does a publication hold: steps, reasons, what became of names, who decided what?"""

from __future__ import annotations

from typing import Final

from geo.columns import Table
from geo.columns import column as _c
from geo.terms import (
    ANSWERS,
    COMMANDS,
    LINEAGE,
    NOTICES,
    PERSISTENCE,
    RASTERS,
    SIDES,
    SPANS,
    STATISTICS,
    STEPS,
    TIERS,
    WATCHED,
)

GROWN = (
    _c("growth", "text", "extent, depth and rate in the first window, and what they have come to"),
    _c("extent_first_m", "real", "chainage span of what may lie in the first window, metres"),
    _c("extent_m", "real", "chainage span of all that counts, metres"),
    _c("depth_first_m", "real", "largest distance from the baseline in the first window, metres"),
    _c("depth_m", "real", "largest distance of all that counts, metres"),
    _c("rate_first_n", "int", "violations that may lie in the first window"),
    _c("rate_n", "int", "most violations begun within any 24 hours"),
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

COUNTS: Final = Table(
    "counts",
    None,
    "what began on one UTC day, on one segment, side and zone",
    (
        _c("day", "date", "UTC day"),
        _c("segment_id", "text", "segment; empty: none leads"),
        _c("side", "text", "side of the baseline; none beyond its ends", SIDES),
        _c("zone_id", "text", "strictest zone; empty: none, or none leads"),
        _c("violations", "int", "qualifying violations"),
        _c("not_qualifying", "int", "others, such as those only alleged"),
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
        *GROWN,
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
        _c("span", "text", "the last 24 hours, 72 hours or 7 days", [short for short, _ in SPANS]),
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
        _c("quarantine_id", "text", "its name, for `ceasewatch quarantine`: Q-n"),
        _c("released_no", "int", "ledger number of a person's order that released it; missing: it waits"),
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
        _c("party_left", "text", "party on the left of the baseline, where offsets are positive"),
        _c("party_right", "text", "party on its right"),
        _c("window_from", "time", "what was over before this instant stands in the files of past/; empty: all is here"),
        _c("past_year", "int", "of a file of past/: the UTC year in which what it holds was over; empty: the map"),
    ),
)

COMMANDS_TABLE: Final = Table(
    "commands",
    None,
    "a command of a person",
    (
        _c("command", "text", f"one of {', '.join(COMMANDS)}"),
        _c("target", "text", "V-n, B-n or R-n; for release also D-n"),
        _c("value", "text", "party, tier, status, time or other incident, as the command needs"),
        _c("violations", "text", "V-n, V-m, …: of a split or a fix"),
        _c("reviewer", "text", "who decided"),
        _c("reason", "text", "why"),
        _c("at", "text", "when, with the offset from UTC: 2026-03-01T12:00Z"),
        _c("expires", "text", "until when, likewise; empty: without end"),
    ),
)
"""What people fill in ``reviews.gpkg``: read, never published."""
