"""How does a run's answer become one GeoPackage?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo import tables
from pipelines import gdal
from pipelines.layers import schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa


def build(path: Path, rows: Mapping[str, pa.Table], instant: str) -> None:
    """Write every declared layer, in drawing order, and what the columns mean.

    Parameters
    ----------
    path
        A file that does not exist yet.
    rows
        Rows of every declared table, as ``rows.prepare`` gives them.
    instant
        What the file gives as the time of its last change. The same rows and instant give the same bytes.
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
