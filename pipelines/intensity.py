"""How does the intensity of violations become a raster that any GIS opens, with a style of its own?

A cloud-optimised GeoTIFF: one band a span, NaN where nobody could see, and in its tags what it says and of which run.
The same intensity and run give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.intensity import Intensity

FILE: Final = "intensity.tif"
STYLE: Final = "intensity.qml"
UNITS: Final = "violations per km² per day"
# Where one colour passes into the next, and how it looks; by multiplication, so that one shot and a battle both show.
RAMP: Final = (
    (0.0, "#fff7bc", 0), (0.001, "#fff7bc", 90), (0.01, "#fec44f", 150), (0.1, "#ec7014", 190), (1.0, "#8c2d04", 220),
)  # fmt: skip


class Bands(NamedTuple):
    """What a map has to know of the raster beside it: the hours that each band tells of, and its reference system."""

    spans_h: tuple[int, ...]
    wkt: str


def raster(found: Intensity, tags: Mapping[str, str]) -> bytes:
    """Return the GeoTIFF; ``tags`` say which run it is of."""
    import rasterio  # noqa: PLC0415 -- takes a while to load
    import rasterio.shutil  # noqa: PLC0415

    grid = found.grid
    step = grid.cell_m
    shape = {"count": len(found.spans_h), "width": grid.columns, "height": grid.rows}
    place = {
        "crs": grid.crs.to_wkt(),
        "transform": rasterio.Affine(step, 0, grid.west * step, 0, -step, grid.north * step),
    }
    with rasterio.MemoryFile() as draft, rasterio.MemoryFile(ext=".tif") as done:
        with draft.open(driver="GTiff", dtype="float32", nodata=float("nan"), **shape, **place) as file:
            file.write(found.density)
            file.update_tags(**tags, units=UNITS)
            spans = zip(found.spans_h, found.weight.tolist(), found.unplaced.tolist(), strict=True)
            for band, (hours, weight, unplaced) in enumerate(spans, start=1):
                file.set_band_description(band, span(hours))
                file.set_band_unit(band, UNITS)
                file.update_tags(band, hours=str(hours), weight=f"{weight:g}", unplaced=f"{unplaced:g}")
        options = {"compress": "DEFLATE", "predictor": "YES", "overview_resampling": "average"}
        rasterio.shutil.copy(draft.name, done.name, driver="COG", **options)
        return bytes(done.read())


def span(hours: int) -> str:
    """Return a span that ends at ``as_of`` in words."""
    return f"last {hours} h" if hours < 7 * 24 or hours % 24 else f"last {hours // 24} d"


def style() -> str:
    """Return how QGIS shows the raster by itself: its first band."""
    root = ET.Element("qgis", styleCategories="AllStyleCategories", version="3.22")
    root.append(pipe(1))
    ET.SubElement(root, "blendMode").text = "0"
    ET.indent(root)
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{ET.tostring(root, encoding='unicode')}\n"


def pipe(band: int) -> ET.Element:
    """Return how QGIS draws a band: always in the same colours, nothing where nothing was."""
    made = ET.Element("pipe")
    renderer = ET.SubElement(
        made, "rasterrenderer", type="singlebandpseudocolor", band=str(band), opacity="1", alphaBand="-1",
        classificationMin=f"{RAMP[0][0]:g}", classificationMax=f"{RAMP[-1][0]:g}", nodataColor="",
    )  # fmt: skip
    shader = ET.SubElement(
        ET.SubElement(renderer, "rastershader"), "colorrampshader", colorRampType="INTERPOLATED", clip="0"
    )
    shader.set("classificationMode", "1")
    for value, colour, alpha in RAMP:
        label = f"{value:g} {UNITS}" if value == RAMP[-1][0] else f"{value:g}"
        ET.SubElement(shader, "item", value=f"{value:g}", label=label, color=colour, alpha=str(alpha))
    for name in ("brightnesscontrast", "huesaturation", "rasterresampler"):
        ET.SubElement(made, name)
    return made
