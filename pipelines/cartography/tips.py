"""What does the map say where the pointer rests, and how is a row called in a list?

Texts of reports are strangers' words: they are shown as they are, never taken for HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo import tables
from pipelines.cartography.palette import INK, SOFT_INK

if TYPE_CHECKING:
    from geo.tables import Column

_LONGEST: Final = 240  # signs of a text that a tip shows
_NAMES: Final = {
    "incident_points": "\"incident_id\" || ' · ' || coalesce(\"name\", '')",
    "incidents": "\"incident_id\" || ' · ' || coalesce(\"name\", '')",
    "violations": "\"violation_id\" || ' · ' || coalesce(\"status\", '') || ' · ' || coalesce(\"act\", '')",
    "reports": "\"report_id\" || ' · ' || coalesce(\"source\", '') || ' · ' || coalesce(\"act\", '')",
    "incident_days": "\"incident_id\" || ' on ' || coalesce(format_date(\"day\", 'd MMM yyyy', 'en'), '')",
    "segments": '"segment_id"',
    "front_line": "coalesce(\"source\", '')",
    "zones": '"zone_id"',
    "regions": 'coalesce("name", "region_id")',
    "transitions": '"incident_id" || \' · \' || "scenario" || \' · \' || "seq" || \' · \' || "kind"',
    "evidence": '"report_id" || \' for \' || "incident_id" || \' · \' || "scenario" || \' · \' || "seq"',
    "scenarios": '"incident_id" || \' · \' || "scenario"',
    "reviews": "\"review_id\" || ' · ' || coalesce(\"command\", '') || ' ' || coalesce(\"target\", '')",
    "run": '"title"',
    "commands": "coalesce(\"command\", '') || ' ' || coalesce(\"target\", '')",
}
_SHOWN: Final = {
    "incident_points": (
        "state", "end", "tier_eligible", "tier_effective", "tier_declared", "tier_peak", "t0_from", "t0_to",
        "next_due", "next_due_what", "persistence", "persistence_why", "growth", "expansion", "qualifying", "reports",
        "origins", "parties", "deepest_zone", "weapons", "killed", "injured", "weak_link",
    ),
    "violations": (
        "status", "qualifying", "why_not", "observed_from", "observed_to", "act", "weapon", "party_claimed", "origins",
        "reports", "place_name", "uncertainty_m", "zone_id", "segment_id", "distance_m", "incident_id", "note",
    ),
    "reports": (
        "source", "observed_from", "observed_to", "act", "weapon", "party_claimed", "count_best", "place_name",
        "uncertainty_m", "violation_id", "incident_id", "text",
    ),
    "incident_days": ("day", "violations", "reports", "tier_effective"),
    "segments": (
        "chainage_from_m", "chainage_to_m", "violations_24h", "tier_24h", "violations_72h", "tier_72h", "violations_7d",
        "tier_7d", "coverage_24h", "covered_h_24h", "unseen_h_24h", "per_covered_h_24h",
    ),
    "front_line": ("valid_from", "source", "age_h", "note"),
    "zones": ("rule", "kind", "side", "depth_m", "weapons", "party", "valid_from", "valid_to"),
    "regions": ("violations_24h", "tier_24h", "violations_72h", "tier_72h", "violations_7d", "tier_7d"),
}  # fmt: skip


def name(table: str) -> str:
    """Return the expression that names a row of a table."""
    return _NAMES.get(table, '"fid"')


def tip(table: str) -> str:
    """Return the HTML of a table's tips; empty for a table without places."""
    shown = _SHOWN.get("incident_points" if table == "incidents" else table, ())
    columns = {column.name: column for column in tables.BY_NAME[table].columns} if shown else {}
    if not shown:
        return ""
    lines = "".join(_line(columns[each]) for each in shown)
    return (
        f'<div style="font-family:sans-serif;color:{INK};width:330px"><b>[% {escaped(name(table))} %]</b>'
        f'<table cellspacing="2">{lines}</table></div>'
    )


def escaped(expression: str) -> str:
    """Return an expression whose value HTML shows as it is written."""
    return (
        f"replace(replace(replace(to_string({expression}), '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
        if expression
        else "''"
    )


def _line(column: Column) -> str:
    """Return a row of the tip; one without a value leaves no trace."""
    value = escaped(_said(column))
    head = f'<tr><td style="color:{SOFT_INK}">{column.title}</td><td>'
    return f"[% coalesce('{head}' || {value} || '</td></tr>', '') %]"


def _said(column: Column) -> str:
    quoted = f'"{column.name}"'
    if column.kind == "time":
        return f"format_date({quoted}, 'd MMM yyyy HH:mm', 'en')"
    if column.kind == "date":
        return f"format_date({quoted}, 'd MMM yyyy', 'en')"
    if column.kind == "bool":
        return f"if({quoted} IS NULL, NULL, if({quoted}, 'yes', 'no'))"
    if column.kind == "real":
        return f"round({quoted}, 1)"
    return f"left({quoted}, {_LONGEST})" if column.kind == "text" else quoted
