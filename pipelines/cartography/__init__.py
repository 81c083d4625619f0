"""How does a publication look in a GIS?

The styles of its layers and a finished QGIS project, written as text: nothing of QGIS is needed here. Reading order:
``nodes → palette → symbols → renderers, labels → sheet → reference → points, lines, areas → views → tips, forms →
styles → relations, density → themes → layout → project → archive``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.cartography import archive, project, styles
from pipelines.cartography import sheet as sheets

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from pipelines.intensity import Bands

__all__ = ["Cartography", "draw"]


@dataclass(frozen=True)
class Cartography:
    """The default style (QML) of every declared table, by name, and the project's text."""

    name: str
    styles: Mapping[str, str]
    project: str

    def packed(self) -> bytes:
        """Return the project as a file of its own (.qgz)."""
        return archive.pack(self.project, self.name)

    def embedded(self, instant: str) -> tuple[str, str, str]:
        """Return the project as a row of the GeoPackage's table ``qgis_projects``."""
        return archive.embed(self.project, self.name, instant)


def draw(rows: Mapping[str, pa.Table], file: str, commands: str | None, bands: Bands | None = None) -> Cartography:
    """Return how a publication looks: the same rows give the same texts.

    Parameters
    ----------
    rows
        Rows of every declared table, as they stand in the file.
    file
        Name of the GeoPackage, such as ``monitor.gpkg``; the project lies beside it and bears the same name.
    commands
        Path of the file for commands, relative to it; ``None``: there is none.
    bands
        Those of the raster of intensity beside it; ``None``: there is none.
    """
    sheet = sheets.of(rows, file, commands, bands)
    return Cartography(file.rsplit(".", 1)[0], styles.defaults(sheet), project.text(sheet))
