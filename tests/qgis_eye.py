"""Look at a project, or at a bare GeoPackage, with real QGIS: ``/usr/bin/python3 qgis_eye.py TARGET OUT ASKED.json``.

ASKED is a list of pictures: {"name", "theme" or "layers", "box": [west, south, east, north], "frame", "layout"}. One
JSON object is printed: what QGIS says of the project, and of each picture how much of it is drawn. Runs under the
system's own Python, which has PyQGIS, and so imports nothing of ours.
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
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsProviderRegistry,
    QgsProviderSublayerDetails,
    QgsRectangle,
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
    return drawn(image)


def drawn(image):
    """Return the share of an image's pixels that are not white, looking at each fifth in both directions."""
    plain = [image.pixelColor(x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 5)]
    return round(sum(colour != QColor("white") for colour in plain) / max(1, len(plain)), 4)


def main() -> None:
    """Answer what is asked."""
    target, out, asked = sys.argv[1], Path(sys.argv[2]), json.loads(Path(sys.argv[3]).read_text())
    app = QgsApplication([], True)
    app.initQgis()
    ok = opened(target)
    project = QgsProject.instance()
    known = project.mapLayers().values()
    said = {
        "qgis": Qgis.QGIS_VERSION,
        "ok": ok,
        "title": project.title(),
        "crs": project.crs().authid(),
        "layers": {
            each.id(): {
                "name": each.name(), "valid": each.isValid(), "rows": each.featureCount(), "read_only": each.readOnly(),
                "temporal": each.temporalProperties().isActive(), "tip": each.mapTipTemplate(),
                "aliases": {field.name(): field.alias() for field in each.fields()},
            }
            for each in known
        },
        "relations": {name: found.isValid() for name, found in project.relationManager().relations().items()},
        "themes": project.mapThemeCollection().mapThemes(),
        "layouts": [found.name() for found in project.layoutManager().printLayouts()],
        "bookmarks": [found.name() for found in project.bookmarkManager().bookmarks()],
        "pictures": {each["name"]: draw(each, out) for each in asked},
    }  # fmt: skip
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
    os._exit(0)  # QGIS 3.22 may crash while it tidies up


main()
