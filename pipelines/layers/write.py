"""How does a run's answer become one GeoPackage?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo import tables
from pipelines import gdal
from pipelines.layers import looks, schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.cartography import Cartography


def build(path: Path, rows: Mapping[str, pa.Table], look: Cartography, instant: str) -> None:
    """Write every declared layer, in drawing order, what the columns mean, and how it all looks.

    Parameters
    ----------
    path
        A file that does not exist yet.
    rows
        Rows of every declared table, as ``rows.prepare`` gives them.
    look
        Styles and project.
    instant
        What the file gives as the time of its last change. The same rows, look and instant give the same bytes.
    """
    with gdal.dated(instant):
        for table in tables.TABLES:
            gdal.write(
                rows[table.name],
                path,
                table,
                title=schema.heading(table),
                description=schema.description(table),
            )
    schema.describe(path)
    looks.dress(path, rows, look, instant)
