"""What does a layer look and behave like, whether a project opens it or somebody the bare file?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo import tables
from geo.books import COMMANDS_TABLE
from pipelines.cartography import forms, tips
from pipelines.cartography.nodes import node, write
from pipelines.cartography.views import alone

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping, Sequence

    from geo.tables import Table
    from pipelines.cartography.forms import Listed
    from pipelines.cartography.sheet import Sheet
    from pipelines.cartography.views import View

VERSION: Final = "3.22.0"  # the oldest QGIS that these files are written for
_RANGE_BY_FIELDS: Final = 2


def declared(view: View) -> Table:
    """Return the declaration of a view's table."""
    return COMMANDS_TABLE if view.table == COMMANDS_TABLE.name else tables.BY_NAME[view.table]


def attributes(view: View) -> dict[str, object]:
    """Return what QGIS keeps as attributes of a layer: read-only, labels."""
    return {
        "styleCategories": "AllStyleCategories",
        "readOnly": int(view.table != COMMANDS_TABLE.name),
        "hasScaleBasedVisibilityFlag": 0,
        "labelsEnabled": int(view.labels is not None),
        "simplifyDrawingHints": 1,
        "simplifyDrawingTol": 1,
        "simplifyMaxScale": 1,
        "simplifyLocal": 1,
    }


def parts(view: View, lists: Sequence[Listed] = (), references: Mapping[str, str] | None = None) -> list[ET.Element]:
    """Return everything that a style holds.

    Parameters
    ----------
    view
        The layer.
    lists, references
        Related rows that the form shows, and columns that open another layer's row: in a project only.
    """
    table = declared(view)
    made = [node("flags", *(node(name, text="1") for name in ("Identifiable", "Removable", "Searchable")))]
    made.append(_temporal(view))
    if view.renderer is not None:
        made.append(view.renderer)
    if view.labels is not None:
        made.append(view.labels)
    made += [node("blendMode", text="0"), node("featureBlendMode", text="0"), node("layerOpacity", text="1")]
    made += forms.fields(table, references) + forms.editing(table) + forms.form(table, lists)
    made.append(node("previewExpression", text=tips.name(view.table)))
    if hint := tips.tip(view.table) if table.geometry else "":
        made.append(node("mapTip", text=hint))
    return made


def _temporal(view: View) -> ET.Element:
    begin, end = view.times or ("", "")
    return node(
        "temporal", node("fixedRange", node("start"), node("end")), enabled=int(view.times is not None),
        mode=_RANGE_BY_FIELDS, startField=begin, endField=end, fixedDuration=0, durationUnit="min", durationField="",
        accumulate=0, limitMode=0, startExpression="", endExpression="",
    )  # fmt: skip


def defaults(sheet: Sheet) -> dict[str, str]:
    """Return the style (QML) with which each declared table opens by itself."""
    return {
        name: write(node("qgis", *parts(view), version=VERSION, **attributes(view)))
        for name, view in alone(sheet).items()
    }
