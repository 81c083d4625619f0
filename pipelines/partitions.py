"""How do engines for more rows than a map takes read a publication?

As GeoParquet 1.1: a folder for each layer, cut by the month (UTC) in which each row begins, named as Hive names
partitions, ``reports/year=2026/month=06/part.parquet``. Shapes are WKB (WGS 84, longitude first) with their boxes
beside them in ``bbox``; times are UTC; every file says in its metadata which run it is of. The same publication gives
the same bytes.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geo import tables
from geo.errors import PolicyError
from pipelines import gdal, layers
from pipelines.layers.rows import boxes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BEGINS: Final[Mapping[str, str]] = {
    "reports": "observed_from",
    "violations": "observed_from",
    "incidents": "first_observed",
}
"""The layers that are written, and the column that says when a row begins."""
RUN: Final = "ceasewatch_run"
_NEVER: Final = "__HIVE_DEFAULT_PARTITION__"  # as Hive names what has no value
_EDGES: Final = ("xmin", "ymin", "xmax", "ymax")
_MONTHS: Final = 12


def write(file: Path, folder: Path, run: dict[str, Any]) -> dict[str, int]:
    """Write the layers of a publication into a new folder, whole or not at all; return the number of rows of each.

    Parameters
    ----------
    file
        A publication's GeoPackage.
    folder
        Must not exist, or be empty. A layer without rows leaves no files.
    run
        The publication's own row, as ``layers.read_run`` gives it; one that takes its place meanwhile is written.

    Raises
    ------
    PolicyError
        If there is something in the folder already, or the publication is replaced again and again.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = (
            f"{folder} is there already; give --out a folder that is new or empty, or old partitions mix with new ones"
        )
        raise PolicyError(msg)
    target = folder.resolve()
    draft = target.with_name(f".{target.name}.tmp-{os.getpid()}")

    def take(run: Mapping[str, Any]) -> dict[str, int]:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        return {name: _layer(gdal.read(file, name), name, draft / name, run) for name in BEGINS}

    try:
        counts = layers.of_one_run(file, run, take)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return counts


def _layer(rows: pa.Table, name: str, folder: Path, run: Mapping[str, Any]) -> int:
    for place, part in _months(rows, BEGINS[name]):
        path = folder / place / "part.parquet"
        path.parent.mkdir(parents=True)
        told = _told(part, name, run)
        # The least and the greatest WKB tell nothing, and SedonaDB takes a shape that is both for plain bytes.
        counted = [column for column in told.column_names if column not in {"bbox", "geometry"}]
        counted += [f"bbox.{edge}" for edge in _EDGES]
        pq.write_table(told, path, compression="zstd", write_statistics=counted)
    return int(rows.num_rows)


def _months(rows: pa.Table, begins: str) -> Iterator[tuple[str, pa.Table]]:
    """Yield each month's folder and its rows, in their order."""
    times = rows[begins]
    month = pc.add(pc.multiply(pc.year(times), _MONTHS), pc.subtract(pc.month(times), 1))
    for key in sorted(pc.unique(month.drop_null()).to_pylist()):
        yield f"year={key // _MONTHS:04d}/month={key % _MONTHS + 1:02d}", rows.filter(pc.equal(month, key))
    if month.null_count:
        yield f"year={_NEVER}/month={_NEVER}", rows.filter(pc.is_null(month))


def _told(rows: pa.Table, name: str, run: Mapping[str, Any]) -> pa.Table:
    """Return rows with the box of each shape, and with what GeoParquet says of them."""
    kind, shapes = tables.BY_NAME[name].geometry or "Point", rows["geom"]
    there = shapes.is_valid().to_numpy()
    bounds = np.zeros((len(there), len(_EDGES)))
    bounds[there] = boxes(shapes, kind)
    bbox = pa.StructArray.from_arrays([pa.array(edge) for edge in bounds.T], list(_EDGES), mask=pa.array(~there))
    geometry: dict[str, Any] = {
        "encoding": "WKB",  # without "crs" it is OGC:CRS84: WGS 84, longitude first
        "geometry_types": [kind] if there.any() else [],
        "orientation": "counterclockwise",
        "covering": {"bbox": {edge: ["bbox", edge] for edge in _EDGES}},
    }
    if there.any():
        geometry["bbox"] = [*bounds[there, :2].min(axis=0), *bounds[there, 2:].max(axis=0)]
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    made = rows.drop_columns("geom").append_column("bbox", bbox).append_column("geometry", shapes)
    about = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in run.items()}
    return made.replace_schema_metadata({"geo": json.dumps(geo), RUN: json.dumps(about)})
