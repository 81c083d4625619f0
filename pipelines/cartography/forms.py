"""How does a row look in a form: which field under which name, in which order, with which values to choose from?

Everything comes from the declaration of the columns; here stands only what belongs together on one tab.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from geo import terms
from geo.books import COMMANDS_TABLE
from pipelines.cartography.nodes import node, option
from pipelines.cartography.palette import SEVERE_FIRST

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping, Sequence

    from geo.tables import Column, Table

REQUIRED: Final = ("command", "target", "reviewer", "reason", "at")
_LONG: Final = frozenset({"text", "reason", "why", "why_not", "growth", "persistence_why", "expansion", "note", "rule"})
_DAYS: Final = "floor(epoch(now()) / 86400000)"
_NOW: Final = (  # a local clock has no way to write its offset in QGIS: the time in UTC is counted from 1970
    f"format_date(make_date(1970, 1, 1) + to_interval(to_string({_DAYS}) || ' days'), 'yyyy-MM-dd') || 'T' || "
    "lpad(floor(epoch(now()) % 86400000 / 3600000), 2, '0') || ':' || "
    "lpad(floor(epoch(now()) % 3600000 / 60000), 2, '0') || 'Z'"
)
_TABS: Final[dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "incidents": (
        ("Now", ("incident_id", "name", "state", "end", "tier_eligible", "tier_effective", "tier_declared", "tier_peak",
                 "next_due", "next_due_what", "t0_from", "t0_to", "first_observed", "last_observed")),
        ("Why", ("persistence", "persistence_why", "expansion", "growth", "t0_known_at", "t0_set_by", "weak_link",
                 "recurrence_of", "gap_covered", "responses")),
        ("What", ("violations", "qualifying", "reports", "origins", "reports_public", "parties", "weapons",
                  "count_low", "count_best", "count_high", "killed_low", "killed", "injured_low", "injured")),
        ("Where", ("deepest_zone", "chainage_from_m", "chainage_to_m", "extent_m", "segments", "regions", "people",
                   "people_known_share")),
    ),
    "violations": (
        ("What", ("violation_id", "status", "qualifying", "why_not", "note", "act", "domain", "weapon",
                  "party_claimed", "observed_from", "observed_to", "origins", "reports", "incident_id", "attached")),
        ("Where", ("place_name", "uncertainty_m", "segment_id", "chainage_m", "offset_m", "distance_m", "side",
                   "zone_id", "region_id")),
    ),
    "reports": (
        ("What", ("report_id", "source", "source_ref", "text", "url", "act", "weapon", "party_claimed",
                  "observed_from", "observed_to", "reported_at", "recorded_at", "violation_id", "incident_id")),
        ("Where", ("place_name", "uncertainty_m", "segment_id", "chainage_m", "offset_m", "distance_m", "side",
                   "zone_id", "region_id")),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """Rows of another layer that a form shows; ``relation`` is the id of the relation."""

    relation: str
    title: str


def fields(table: Table, references: Mapping[str, str] | None = None) -> list[ET.Element]:
    """Return what the columns are called and how each is shown.

    Parameters
    ----------
    table
        A declared table.
    references
        Of columns that name a row of another layer, the relation by which it is opened.
    """
    opened = references or {}
    shown = [_field("fid", "Hidden", {}), *(_field(c.name, *_widget(c, opened.get(c.name))) for c in table.columns)]
    named = [("fid", ""), *((column.name, column.title) for column in table.columns)]
    aliases = [node("alias", index=place, field=name, name=title) for place, (name, title) in enumerate(named)]
    return [node("fieldConfiguration", *shown), node("aliases", *aliases)]


def editing(table: Table) -> list[ET.Element]:
    """Return what a new row begins with and must have: for the table that people fill."""
    if table.name != COMMANDS_TABLE.name:
        return []
    defaults = [
        node("default", field=column.name, expression=_NOW if column.name == "at" else "", applyOnUpdate=0)
        for column in table.columns
    ]
    needed = [(column.name, column.name in REQUIRED) for column in table.columns]
    named = "regexp_match(\"target\", '^\\\\s*[BVRDbvrd]-[1-9][0-9]*\\\\s*$') > 0"
    return [
        node("defaults", *defaults),
        node("constraints", *(
            node("constraint", field=name, constraints=1 if must else 0, notnull_strength=2 if must else 0,
                 unique_strength=0, exp_strength=0)
            for name, must in needed
        )),
        node("constraintExpressions", node("constraint", field="target", exp=named, desc="a name such as B-7 or V-31")),
    ]  # fmt: skip


def form(table: Table, lists: Sequence[Listed] = ()) -> list[ET.Element]:
    """Return the form: a tab for what belongs together, one for the rest, and one for each list of related rows."""
    place = {column.name: number for number, column in enumerate(table.columns, start=1)}
    tabs = dict(_TABS.get("incidents" if table.name == "incident_points" else table.name, ()))
    known = {name: tuple(each for each in names if each in place) for name, names in tabs.items()}
    rest = tuple(name for name in place if not any(name in names for names in known.values()))
    if rest:
        known["More" if known else table.name.replace("_", " ").capitalize()] = rest
    made = [
        _tab(title, *(node("attributeEditorField", name=name, index=place[name], showLabel=1) for name in names))
        for title, names in known.items()
    ]
    made += [_tab(listed.title, _list(listed)) for listed in lists]
    return [node("editorlayout", text="tablayout"), node("attributeEditorForm", *made)]


def _tab(title: str, *children: ET.Element) -> ET.Element:
    return node(
        "attributeEditorContainer", *children, name=title, groupBox=0, showLabel=1, columnCount=1,
        visibilityExpressionEnabled=0, visibilityExpression="",
    )  # fmt: skip


def _list(listed: Listed) -> ET.Element:
    return node(
        "attributeEditorRelation", name=listed.relation, relation=listed.relation, nmRelationId="", showLabel=0,
        label=listed.title, forceSuppressFormPopup=0, relationWidgetTypeId="relation_editor",
    )  # fmt: skip


def _field(name: str, kind: str, settings: Mapping[str, object]) -> ET.Element:
    widget = node("editWidget", node("config", option(None, dict(settings))), type=kind)
    return node("field", widget, name=name, configurationFlags="None")


def _widget(column: Column, relation: str | None) -> tuple[str, dict[str, object]]:
    if relation is not None:
        return "RelationReference", {
            "Relation": relation, "AllowNULL": True, "ReadOnly": True, "ShowForm": False, "ShowOpenFormButton": True,
            "MapIdentification": False, "OrderByValue": False, "AllowAddFeatures": False,
        }  # fmt: skip
    if values := _values(column):
        return "ValueMap", {"map": [{words: str(value)} for words, value in values]}
    if column.kind == "time":
        return "DateTime", {
            "display_format": "yyyy-MM-dd HH:mm:ss", "field_format": "yyyy-MM-dd HH:mm:ss", "allow_null": True,
            "calendar_popup": True, "field_iso_format": False,
        }  # fmt: skip
    if column.kind == "bool":
        return "CheckBox", {"CheckedState": "", "UncheckedState": ""}
    # Never a spin box: QGIS rounds what it shows, and would save it so.
    return "TextEdit", {"IsMultiline": column.name in _LONG, "UseHtml": False}


def _values(column: Column) -> list[tuple[str, str | int]]:
    """Return the values to choose from, by name, the most severe first where they have an order."""
    if column.allowed == terms.TIERS:
        return [(mark.words, mark.tier) for mark in SEVERE_FIRST]
    if column.name == "command":
        return [(word.replace("_", " "), word) for word in terms.COMMANDS]
    return [(str(value), value) for value in column.allowed]
