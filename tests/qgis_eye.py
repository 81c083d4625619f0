"""Look at a project, or at a bare GeoPackage, with real QGIS: ``/usr/bin/python3 qgis_eye.py TARGET OUT ASKED.json``.

ASKED is a list of pictures: {"name", "theme" or "layers", "box": [west, south, east, north], "frame", "layout",
"written"}, and of rows to add: {"write": layer, "row": values}. One JSON object is printed: what QGIS says of the
project, of each picture how much of it is drawn and is dark, and what is written where if that is asked. Runs under
the system's own Python, which has PyQGIS, and so imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDateTimeRange,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsMapLayerType,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsProviderRegistry,
    QgsProviderSublayerDetails,
    QgsRectangle,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtCore import QDateTime, QSize, Qt
from qgis.PyQt.QtGui import QColor, QImage

DPI = 96


def opened(target):
    """Open a project, or every layer of a GeoPackage with its default style, as a double click does."""
    project = QgsProject.instance()
    if target.endswith(".qgz") or target.startswith("geopackage:"):
        return project.read(target)
    options = QgsProviderSublayerDetails.LayerOptions(project.transformContext())
    options.loadDefaultStyle = True
    for found in reversed(QgsProviderRegistry.instance().querySublayers(target)):  # the first is to lie on top
        project.addMapLayer(found.toLayer(options))
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    return True


def layers(asked):
    """Return the layers of a theme, or those named, or those shown, the topmost first."""
    project = QgsProject.instance()
    if "theme" in asked:
        return project.mapThemeCollection().mapThemeVisibleLayers(asked["theme"])
    if "layers" in asked:
        return [project.mapLayer(key) for key in asked["layers"]]
    root = project.layerTreeRoot()
    return [found for found in root.layerOrder() if found.isSpatial() and root.findLayer(found).isVisible()]


def draw(asked, out):
    """Draw one picture; return how many of its pixels are not white."""
    project = QgsProject.instance()
    path = str(out / (asked["name"] + ".png"))
    if "layout" in asked:
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = asked.get("dpi", DPI)
        QgsLayoutExporter(project.layoutManager().layoutByName(asked["layout"])).exportToImage(path, settings)
        return drawn(QImage(path))
    settings = QgsMapSettings()
    settings.setLayers(layers(asked))
    settings.setOutputSize(QSize(*asked.get("size", (900, 700))))
    settings.setOutputDpi(asked.get("dpi", DPI))
    settings.setBackgroundColor(QColor("white"))
    settings.setDestinationCrs(project.crs())
    settings.setLabelingEngineSettings(project.labelingEngineSettings())
    settings.setTransformContext(project.transformContext())
    if "box" in asked:
        across = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), project.crs(), project)
        settings.setExtent(across.transformBoundingBox(QgsRectangle(*asked["box"])))
    else:
        view = project.viewSettings().defaultViewExtent()
        settings.setExtent(settings.fullExtent() if view.isNull() else view)
    context = QgsExpressionContext()
    context.appendScope(QgsExpressionContextUtils.globalScope())
    context.appendScope(QgsExpressionContextUtils.projectScope(project))
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    if "frame" in asked:
        settings.setIsTemporal(True)
        settings.setTemporalRange(QgsDateTimeRange(*(QDateTime.fromString(at, Qt.ISODate) for at in asked["frame"])))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(path)
    if "written" in asked:
        asked["written"] = written(job.takeLabelingResults(), settings.destinationCrs())
    asked["dark"] = dark(image)
    return drawn(image)


def written(found, crs):
    """Return what is written on a picture: layer, text, and the four corners of each text in degrees."""
    back = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance())
    return [
        [each.layerID, each.labelText, [[at.x(), at.y()] for at in map(back.transform, each.cornerPoints)]]
        for each in found.allLabels()
    ]


def tip(layer):
    """Return what the layer says where the pointer rests on its first row; empty where it says nothing."""
    row = next(layer.getFeatures(), None)
    if row is None or not layer.mapTipTemplate():
        return ""
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setFeature(row)
    return QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context)


def fill(layer, values):
    """Add a row as a form would: what is not given begins with its default; return what was stored, or why not."""
    row = QgsVectorLayerUtils.createFeature(layer, context=layer.createExpressionContext())
    for name, value in values.items():
        row[name] = value
    if not layer.startEditing() or not layer.addFeature(row) or not layer.commitChanges():
        return layer.commitErrors()
    return {field.name(): str(row[field.name()]) for field in layer.fields() if field.name() != "fid"}


def drawn(image):
    """Return the share of an image's pixels that are not white, looking at each fifth in both directions."""
    plain = [image.pixelColor(x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 5)]
    return round(sum(colour != QColor("white") for colour in plain) / max(1, len(plain)), 4)


def dark(image):
    """Return the share of an image's pixels that are darker than middle grey, of the same ones."""
    plain = [image.pixelColor(x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 5)]
    return round(sum(colour.lightness() < 128 for colour in plain) / max(1, len(plain)), 4)


def main() -> None:
    """Answer what is asked."""
    target, out, asked = sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
    rows = {each["write"]: each["row"] for each in asked if "write" in each}
    asked = [each for each in asked if "write" not in each]
    app = QgsApplication([], True)
    app.initQgis()
    ok = opened(target)
    project = QgsProject.instance()
    known = [each for each in project.mapLayers().values() if each.type() == QgsMapLayerType.VectorLayer]
    rasters = [each for each in project.mapLayers().values() if each.type() == QgsMapLayerType.RasterLayer]
    said = {
        "qgis": Qgis.QGIS_VERSION,
        "ok": ok,
        "title": project.title(),
        "crs": project.crs().authid(),
        "layers": {
            each.id(): {
                "name": each.name(), "valid": each.isValid(), "rows": each.featureCount(), "read_only": each.readOnly(),
                "temporal": each.temporalProperties().isActive(), "tip": tip(each), "file": each.source(),
                "aliases": {field.name(): field.alias() for field in each.fields()},
            }
            for each in known
        },
        "rasters": {
            each.id(): {"valid": each.isValid(), "crs": each.crs().isValid(), "band": each.renderer().usesBands()}
            for each in rasters
        },
        "relations": {name: found.isValid() for name, found in project.relationManager().relations().items()},
        "themes": project.mapThemeCollection().mapThemes(),
        "layouts": [found.name() for found in project.layoutManager().printLayouts()],
        "bookmarks": [found.name() for found in project.bookmarkManager().bookmarks()],
        "added": {key: fill(project.mapLayer(key), row) for key, row in rows.items()},
        "pictures": {each["name"]: draw(each, out) for each in asked},
        "dark": {each["name"]: each["dark"] for each in asked if "dark" in each},
        "texts": {each["name"]: each["written"] for each in asked if "written" in each},
    }  # fmt: skip
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)  # QGIS 3.22 may crash while it tidies up


main()
