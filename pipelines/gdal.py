"""What is GDAL allowed to do here?

Read and write GeoPackages, nothing else. GDAL tells formats by content, so that a file of any name can make it read
other files or reach the network; every driver but one is therefore left out before GDAL starts. No other module imports
pyogrio.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from geo.crs import WGS84

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from geo.tables import Table

ALLOWED: Final = frozenset({"GPKG"})

SKIPPED: Final = (
    "ADBC", "AIVector", "AmigoCloud", "AVCBin", "AVCE00", "Carto", "CSV", "CSW", "DGN", "DXF", "EDIGEO", "EEDA",
    "Elasticsearch", "ESRI Shapefile", "ESRIJSON", "FlatGeobuf", "GDALG", "GeoJSON", "GeoJSONSeq", "GeoRSS", "GML",
    "GPSBabel", "GPX", "GTFS", "HTTP", "Idrisi", "JML", "JSONFG", "KML", "LIBKML", "LVBAG", "MapInfo File", "MapML",
    "MBTiles", "MEM", "MiraMonVector", "MVT", "NGW", "OAPIF", "ODS", "OGCAPI", "OGR_GMT", "OGR_PDS", "OGR_VRT",
    "OpenFileGDB", "OSM", "PCIDSK", "PDF", "PDS4", "PGDUMP", "PLSCENES", "PMTiles", "S57", "Selafin", "SQLite", "SXF",
    "TopoJSON", "VDV", "VFK", "VICAR", "WAsP", "WFS", "XLSX",
)  # fmt: skip

_OPTIONS: Final = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    # Only new files are written, and whoever publishes one makes it durable once, at the end.
    "OGR_SQLITE_SYNCHRONOUS": "OFF",
}
_DATASET: Final = {"VERSION": "1.3"}
_LAYER: Final = {
    "FID": "fid",
    "GEOMETRY_NAME": "geom",
    "SPATIAL_INDEX": "YES",
    "DATETIME_PRECISION": "MILLISECOND",
}
_CACHE: Final = {"OGR_SQLITE_CACHE": "64"}
"""MB while a map is written: a spatial index is filled out of order, and what does not fit is written over and over."""
_ONE_AT_A_TIME: Final = threading.Lock()


def _load() -> Any:  # noqa: ANN401 - pyogrio ships no types
    """Import pyogrio with the drivers left out.

    The variable is put back at once: another library in this process may carry a GDAL of its own.
    """
    before = os.environ.get("GDAL_SKIP")
    os.environ["GDAL_SKIP"] = ",".join(SKIPPED)
    try:
        import pyogrio  # noqa: PLC0415 - the drivers must have been chosen before the first import
        import pyogrio.raw  # noqa: PLC0415
    finally:
        if before is None:
            del os.environ["GDAL_SKIP"]
        else:
            os.environ["GDAL_SKIP"] = before
    return pyogrio


def _refuse_others(drivers: set[str]) -> None:
    """Raise if GDAL started with other drivers than the allowed ones."""
    if extra := sorted(drivers - ALLOWED):
        message = (
            f"GDAL was started with drivers that are not allowed: {', '.join(extra)}. Either pyogrio was imported "
            "before pipelines.gdal, or this GDAL knows formats that pipelines.gdal.SKIPPED does not name yet."
        )
        raise RuntimeError(message)
    if missing := sorted(ALLOWED - drivers):
        message = f"GDAL cannot do without: {', '.join(missing)}. Install a pyogrio that has it."
        raise RuntimeError(message)


_pyogrio = _load()
_refuse_others(set(_pyogrio.list_drivers()))
_pyogrio.set_gdal_config_options(_OPTIONS)


@contextmanager
def dated(instant: str) -> Iterator[None]:
    """Let GDAL write ``instant`` (``YYYY-MM-DDTHH:MM:SS.sssZ``) wherever it would write the present time.

    It may keep more of the file in memory meanwhile. GDAL holds both for the whole process, so that only one thread at
    a time is let in.
    """
    with _ONE_AT_A_TIME:
        _pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": instant, **_CACHE})
        try:
            yield
        finally:
            _pyogrio.set_gdal_config_options(dict.fromkeys(("OGR_CURRENT_DATE", *_CACHE)))


def write(rows: pa.Table | pa.RecordBatchReader, path: Path, table: Table, *, title: str, description: str) -> None:
    """Add a layer to a GeoPackage 1.3, which is made if it does not exist.

    Parameters
    ----------
    rows
        Columns in the order in which they shall stand; for a table with places also ``geometry``, WKB in WGS 84
        degrees (longitude first) or missing. Times must be UTC.
    path, table
        The file and the new layer.
    title, description
        For people. The title must be unique in the file.
    """
    place = {"geometry_name": "geometry", "geometry_type": table.geometry, "crs": WGS84} if table.geometry else {}
    _pyogrio.raw.write_arrow(
        rows,
        str(path),
        layer=table.name,
        driver="GPKG",
        append=path.exists(),
        dataset_options=_DATASET,
        layer_options={**_LAYER, "IDENTIFIER": title, "DESCRIPTION": description},
        **place,
    )


@contextmanager
def opened(path: Path, layer: str, at_once: int) -> Iterator[pa.RecordBatchReader]:
    """Give what ``read`` returns so many rows at a time, each batch when it is asked for."""
    with _pyogrio.raw.open_arrow(str(path), layer=layer, use_pyarrow=True, batch_size=at_once) as (_, reader):
        yield reader


def read(path: Path, layer: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a layer's rows in the order of their ``fid``; the geometry, if any, last, as WKB in ``geom``.

    Parameters
    ----------
    path, layer
        A GeoPackage and one of its layers.
    columns
        Only these columns, without the geometry; all of them by default.
    """
    _, rows = _pyogrio.raw.read_arrow(str(path), layer=layer, columns=columns, read_geometry=columns is None)
    return rows
