"""Which layers does the map have, from top to bottom, and how does each look?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from geo import tables
from geo.books import COMMANDS_TABLE
from pipelines.cartography import areas, labels, lines, points, renderers

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.cartography.sheet import Sheet

NOW: Final = "Situation now"
SPANS: Final = "What happened along the line"
HISTORY: Final = "History"
LINE: Final = "The line"
REFERENCE: Final = "Reference"
DECISIONS: Final = "Decisions"
TABLES: Final = "Tables"


@dataclass(frozen=True)
class View:
    """One layer of the map.

    ``key`` is its id, of more than ten characters: QGIS renames shorter ones, and whatever refers to them is lost.
    ``renderer`` is ``None`` for a table. ``times`` are the columns between which it shows in the time slider.
    ``shown``: drawn when the map opens.
    """

    key: str
    table: str
    title: str
    group: str
    renderer: ET.Element | None = None
    labels: ET.Element | None = None
    times: tuple[str, str] | None = None
    shown: bool = True
    expanded: bool = True


def views(sheet: Sheet) -> tuple[View, ...]:
    """Return the layers of the map, the topmost first, as far as their tables are declared."""
    made = (*_now(sheet), *_history(sheet), *_line(sheet), *_reference(), *_decisions(sheet), *_tables())
    return tuple(view for view in made if view.table in {*tables.BY_NAME, COMMANDS_TABLE.name})


def _now(sheet: Sheet) -> tuple[View, ...]:
    return (
        View("monitor_incident_points", "incident_points", "Incidents", NOW, points.incidents(sheet),
             points.names(sheet)),
        View("monitor_violations", "violations", "Violations", NOW, points.violations(sheet), points.violation_names()),
        View("monitor_incidents", "incidents", "Footprints of incidents", NOW, areas.footprints(sheet),
             labels.kept_free(), expanded=False),
    )  # fmt: skip


def _history(sheet: Sheet) -> tuple[View, ...]:
    seen = ("observed_from", "observed_to")
    return (
        View("monitor_incident_days", "incident_days", "Incidents, day by day", HISTORY, areas.days(),
             areas.day_names(), times=("valid_from", "valid_to"), shown=False),
        View("monitor_violations_then", "violations", "Violations, by time", HISTORY, points.violations(sheet),
             times=seen, shown=False),
        View("monitor_reports_then", "reports", "Reports, by time", HISTORY, points.reports(), times=seen, shown=False),
    )  # fmt: skip


def _line(sheet: Sheet) -> tuple[View, ...]:
    spans = [("24h", "last 24 hours"), ("72h", "last 72 hours"), ("7d", "last 7 days")]
    return (
        View("monitor_front_line", "front_line", "Front line", LINE, lines.front(), lines.front_name()),
        View("monitor_side_names", "sides", "Names of the sides", LINE, renderers.nothing(), lines.side_names(),
             expanded=False),
        View("monitor_segments_posts", "segments", "Kilometres", LINE, lines.posts(), lines.kilometres(sheet),
             expanded=False),
        *(
            View(f"monitor_segments_{short}", "segments", f"Segments, {words}", SPANS, lines.segments(short),
                 shown=short == "24h", expanded=short == "24h")
            for short, words in spans
        ),
        View("monitor_segments_seen", "segments", "Who could see, last 24 hours", SPANS, lines.coverage(), shown=False,
             expanded=False),
    )  # fmt: skip


def _reference() -> tuple[View, ...]:
    return (
        View("monitor_zones", "zones", "Zones", REFERENCE, areas.zones(), areas.zone_names(), expanded=False),
        View("monitor_regions", "regions", "Regions", REFERENCE, areas.regions(), areas.region_names(), expanded=False),
    )


def _decisions(sheet: Sheet) -> tuple[View, ...]:
    write = View("monitor_commands", "commands", "Commands: write here", DECISIONS)
    answers = View("monitor_reviews", "reviews", "Answers to commands", DECISIONS)
    return (write, answers) if sheet.commands else (answers,)


def _tables() -> tuple[View, ...]:
    """Return every table without places, whatever is declared; this run first."""
    titles = {"run": "This run", "counts": "Counts by day", "notices": "Notices: what late news changed"}
    plain = [table.name for table in tables.TABLES if table.geometry is None and table.name != "reviews"]
    return tuple(
        View(f"monitor_{name}_table", name, titles.get(name, name.capitalize()), TABLES, shown=False)
        for name in sorted(plain, key=lambda name: (name != "run", plain.index(name)))
    )


def alone(sheet: Sheet) -> dict[str, View]:
    """Return how each declared table looks where it is opened by itself, on top of or under any other."""
    drawn = (*_reference(), *_line(sheet), *_history(sheet), *_now(sheet))
    made = {
        **{view.table: view for view in drawn if view.key in _AS_IN_THE_MAP},
        "incident_days": View("", "incident_days", "", "", areas.day_outlines(), times=("valid_from", "valid_to")),
        "regions": View("", "regions", "", "", areas.borders(), areas.region_names()),
    }
    return {table.name: made.get(table.name, View("", table.name, "", "")) for table in tables.TABLES}


_AS_IN_THE_MAP: Final = frozenset(
    {"monitor_incident_points", "monitor_violations", "monitor_reports_then", "monitor_segments_24h",
     "monitor_front_line", "monitor_side_names", "monitor_incidents", "monitor_zones"}
)  # fmt: skip
