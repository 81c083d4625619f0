"""Which rows of one layer belong to a row of another?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.cartography.forms import Listed
from pipelines.cartography.nodes import node

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from pipelines.cartography.views import View


@dataclass(frozen=True)
class Relation:
    """Rows of ``many`` (a layer's key) that belong to one row of ``one``, by columns of the same names."""

    one: str
    many: str
    columns: tuple[str, ...]
    title: str

    @property
    def id(self) -> str:
        """Its name in the project."""
        return f"{self.one}__{self.many}"


_INCIDENT: Final = ("incident_id",)
_STEP: Final = ("incident_id", "scenario", "seq")
_VIOLATION: Final = ("violation_id",)
_REPORT: Final = ("report_id",)
_SEGMENT: Final = ("segment_id",)
_ALL: Final = (
    *(
        relation
        for incidents in ("monitor_incident_points", "monitor_incidents")
        for relation in (
            Relation(incidents, "monitor_transitions_table", _INCIDENT, "Steps"),
            Relation(incidents, "monitor_violations", _INCIDENT, "Violations"),
            Relation(incidents, "monitor_scenarios_table", _INCIDENT, "Scenarios"),
            Relation(incidents, "monitor_reviews", _INCIDENT, "Commands"),
            Relation(incidents, "monitor_incident_days", _INCIDENT, "Days"),
        )
    ),
    Relation("monitor_violations", "monitor_reports_then", _VIOLATION, "Reports"),
    Relation("monitor_violations", "monitor_reviews", _VIOLATION, "Commands"),
    Relation("monitor_violations_then", "monitor_reports_then", _VIOLATION, "Reports"),
    Relation("monitor_transitions_table", "monitor_evidence_table", _STEP, "Evidence"),
    Relation("monitor_reports_then", "monitor_evidence_table", _REPORT, "Steps that it carries"),
    *(
        Relation(f"monitor_segments_{short}", f"monitor_{name}_table", _SEGMENT, title)
        for short in ("24h", "72h", "7d")
        for name, title in (("coverage", "Coverage"), ("counts", "Counts by day"))
    ),
)


def relations(views: Sequence[View]) -> tuple[Relation, ...]:
    """Return the relations between the layers that there are."""
    keys = {view.key for view in views}
    return tuple(relation for relation in _ALL if {relation.one, relation.many} <= keys)


def lists(view: View, known: Sequence[Relation]) -> list[Listed]:
    """Return what the form of a layer shows of others."""
    return [Listed(relation.id, relation.title) for relation in known if relation.one == view.key]


def references(view: View, known: Sequence[Relation]) -> dict[str, str]:
    """Return the columns of a layer that open a row of another, with the relation by which."""
    found = {
        relation.columns[0]: relation.id
        for relation in known
        if relation.many == view.key and len(relation.columns) == 1
    }
    return dict(sorted(found.items()))


def written(known: Sequence[Relation]) -> ET.Element:
    """Return the relations as a project holds them."""
    return node(
        "relations",
        *(
            node(
                "relation",
                *(node("fieldRef", referencingField=name, referencedField=name) for name in relation.columns),
                id=relation.id,
                name=relation.title,
                referencedLayer=relation.one,
                referencingLayer=relation.many,
                strength="Association",
            )
            for relation in known
        ),
    )
