"""What is in the project that a double click opens?"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from geo.crs import WGS84
from pipelines.cartography import density, layout, reference, relations, styles, themes
from pipelines.cartography.nodes import REFRESH_MS, node, option, write
from pipelines.cartography.sheet import said
from pipelines.cartography.views import DECISIONS, REFERENCE, SPANS, TABLES, View, views

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from pipelines.cartography.relations import Relation
    from pipelines.cartography.sheet import Box, Region, Sheet
    from pipelines.intensity import Bands

_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"


def text(sheet: Sheet) -> str:
    """Return the project's text: the same facts give the same text."""
    layers = views(sheet)
    known = relations.relations(layers)
    sources = {view.key: _source(view, sheet) for view in layers}
    metric = reference.code(sheet.box)
    box = reference.projected(sheet.box, metric)
    return write(
        node(
            "qgis",
            node("homePath", path=""),
            node("title", text=sheet.heading),
            node("autotransaction", active=0),
            node("evaluateDefaultValues", active=0),
            node("trust", active=0),
            node("projectCrs", reference.system(metric)),
            _tree(layers, sources, sheet.bands),
            node("snapping-settings", enabled=0),
            relations.written(known),
            _canvas(box, metric),
            node(
                "projectlayers",
                *(_layer(view, sources[view.key], known, sheet.box) for view in layers),
                *density.layers(sheet.bands),
            ),
            node("layerorder", *(node("layer", id=key) for key in _drawn(layers, sheet.bands))),
            _properties(sheet),
            themes.written(_drawn(layers, sheet.bands)),
            node("transformContext"),
            _about(sheet),
            layout.layouts(sheet, layers, sources),
            _bookmarks(sheet.regions),
            node("ProjectViewSettings", _view(box, metric), UseProjectScales=0, rotation=0),
            _times(sheet),
            projectname=sheet.heading,
            version=styles.VERSION,
            saveDateTime="",
            saveUser="",
            saveUserFull="",
        )
    )


def _source(view: View, sheet: Sheet) -> str:
    file = sheet.commands if view.table == "commands" else sheet.file
    return f"./{file}|layername={view.table}"


def _drawn(layers: Sequence[View], bands: Bands | None) -> list[str]:
    """Return the names of what is drawn, the topmost first; rasters lie right above the ground."""
    drawn = [view for view in layers if view.renderer is not None]
    above, ground = ([view.key for view in drawn if (view.group == REFERENCE) == below] for below in (False, True))
    return [*above, *density.keys(bands), *ground]


def _tree(layers: Sequence[View], sources: dict[str, str], bands: Bands | None) -> ET.Element:
    """Return the layers as the panel shows them; of the spans along the line one can be chosen."""
    groups: list[ET.Element] = []
    for title, members in groupby(layers, key=lambda view: view.group):
        if title == REFERENCE:
            groups += density.branch(bands)
        branch = _group(title, [_leaf(view, sources[view.key]) for view in members])
        if title == SPANS and groups:
            branch.set("mutually-exclusive", "1")
            branch.set("mutually-exclusive-child", "0")
            groups[-1].append(branch)
        else:
            groups.append(branch)
    return node(
        "layer-tree-group", node("customproperties", option(None, {})), *groups, node("custom-order", enabled=0)
    )


def _group(title: str, members: list[ET.Element]) -> ET.Element:
    folded = title in {DECISIONS, TABLES}
    hidden = title == TABLES or all(member.get("checked") == "Qt::Unchecked" for member in members)
    return node(
        "layer-tree-group", node("customproperties", option(None, {})), *members, name=title,
        checked="Qt::Unchecked" if hidden else "Qt::Checked", expanded=int(not folded and not hidden),
    )  # fmt: skip


def _leaf(view: View, source: str) -> ET.Element:
    return node(
        "layer-tree-layer", node("customproperties", option(None, {})), id=view.key, name=view.title, source=source,
        providerKey="ogr", checked="Qt::Checked" if view.shown else "Qt::Unchecked",
        expanded=int(view.expanded and view.renderer is not None), legend_exp="", legend_split_behavior=0,
        patch_size="-1,-1",
    )  # fmt: skip


def _layer(view: View, source: str, known: Sequence[Relation], box: Box) -> ET.Element:
    """Return a layer; both settings of refreshing are needed, the one for QGIS up to 3.32, the other from then on."""
    table = styles.declared(view)
    kind = {None: "No geometry", "Point": "Point", "MultiPolygon": "Polygon"}.get(table.geometry, "Line")
    shape = [node("extent", *reference.extent(box)), node("srs", reference.system(WGS84))] if table.geometry else []
    parts = styles.parts(view, relations.lists(view, known), relations.references(view, known))
    return node(
        "maplayer",
        node("id", text=view.key),
        node("datasource", text=source),
        node("layername", text=view.title),
        *shape,
        node("provider", encoding="UTF-8", text="ogr"),
        node("map-layer-style-manager", node("map-layer-style", name="default"), current="default"),
        *parts,
        type="vector",
        geometry=kind,
        wkbType=table.geometry or "NoGeometry",
        autoRefreshEnabled=1,
        autoRefreshMode="ReloadData",
        autoRefreshTime=REFRESH_MS,
        **styles.attributes(view),
    )


def _canvas(box: Box, metric: str) -> ET.Element:
    return node(
        "mapcanvas", node("units", text="meters"), node("extent", *reference.extent(box)), node("rotation", text="0"),
        node("destinationsrs", reference.system(metric)), node("rendermaptile", text="0"), name="theMapCanvas",
        annotationsVisible=1,
    )  # fmt: skip


def _view(box: Box, metric: str) -> ET.Element:
    return node(
        "DefaultViewExtent", reference.system(metric), xmin=box.west, ymin=box.south, xmax=box.east, ymax=box.north
    )


def _properties(sheet: Sheet) -> ET.Element:
    told = _told(sheet)
    return node(
        "properties",
        node("Gui", *(_whole(f"CanvasColor{part}Part", 255) for part in ("Red", "Green", "Blue"))),
        node("Measure", _word("Ellipsoid", "EPSG:7030")),
        node("Measurement", _word("AreaUnits", "km2"), _word("DistanceUnits", "km")),
        node("PAL", _whole("PlacementEngineVersion", 1), _truth("ShowingPartialsLabels"), _truth("ShowingAllLabels")),
        node("Paths", _truth("Absolute")),
        node("SpatialRefSys", _whole("ProjectionsEnabled", 1)),
        node(
            "TemporalControllerWidget",
            _word("StartDateTime", f"{sheet.begin:{_STAMP}}"),
            _word("EndDateTime", f"{sheet.end:{_STAMP}}"),
            _whole("NavigationMode", 0),
        ),
        node("Variables", _words("variableNames", list(told)), _words("variableValues", list(told.values()))),
    )


def _told(sheet: Sheet) -> dict[str, str]:
    """Return what the printed page says, by variable: values are shown, and never computed."""
    known = "all that was known" if sheet.known_at is None else f"known by {said(sheet.known_at)}"
    moment = [f"As of {said(sheet.as_of)}", known, "" if sheet.scope == "whole" else f"region {sheet.scope}"]
    moment += ["with hindsight" if sheet.hindsight else "", "replay" if sheet.replay else ""]
    facts = [
        f"Run {sheet.run_id} · Ceasewatch {sheet.version} · policy {sheet.policy} · ledger {sheet.head}",
        (
            "Eligible means that the rule of a tier is met; it declares nothing. Distances are geodesic, times UTC. "
            "No report is not quiet: where nobody declared to watch, quiet is only assumed."
        ),
    ]
    return {
        "monitor_title": sheet.title,
        "monitor_moment": " · ".join(part for part in moment if part),
        "monitor_notice": sheet.notice,
        "monitor_facts": "\n".join(facts),
    }


def _word(tag: str, value: str) -> ET.Element:
    return node(tag, type="QString", text=value)


def _words(tag: str, values: list[str]) -> ET.Element:
    return node(tag, *(node("value", text=value) for value in values), type="QStringList")


def _whole(tag: str, value: int) -> ET.Element:
    return node(tag, type="int", text=str(value))


def _truth(tag: str) -> ET.Element:
    return node(tag, type="bool", text="false")


def _about(sheet: Sheet) -> ET.Element:
    return node(
        "projectMetadata", node("identifier", text=sheet.run_id), node("type", text="project"),
        node("title", text=sheet.heading), node("author", text=f"Ceasewatch {sheet.version}"),
        node("creation", text=f"{sheet.as_of:%Y-%m-%dT%H:%M:%S}"),
    )  # fmt: skip


def _bookmarks(regions: Sequence[Region]) -> ET.Element:
    return node("Bookmarks", *(_bookmark(region) for region in regions))


def _bookmark(region: Region) -> ET.Element:
    box = region.box
    corners = ((box.west, box.south), (box.east, box.south), (box.east, box.north), (box.west, box.north))
    ring = ", ".join(f"{x:.9g} {y:.9g}" for x, y in (*corners, corners[0]))
    return node(
        "Bookmark", reference.system(WGS84), id=f"region_{region.id}", name=region.name, group="Regions",
        extent=f"POLYGON(({ring}))",
    )  # fmt: skip


def _times(sheet: Sheet) -> ET.Element:
    span = node(
        "TemporalRange", node("start", text=f"{sheet.begin:{_STAMP}}"), node("end", text=f"{sheet.end:{_STAMP}}")
    )
    return node("ProjectTimeSettings", span, timeStep=1, timeStepUnit="d", frameRate=1, cumulativeTemporalRange=0)
