"""What can be published, and what can go wrong with it? Tables from the declaration, and kinds of damage."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import tables
from pipelines import layers
from pipelines.layers import swap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geo.tables import Column, Table

AS_OF = pd.Timestamp("2026-03-01T06:00:00.250Z")
TEXTS = (
    "обстріл",
    "a'; DROP TABLE reports; --",
    "<b>shell</b>",
    '"quoted", comma',
    "two\nlines",
    "北",
    "🟥",
    "NULL",
    "e\u0301",
)


def _values(column: Column, rng: np.random.Generator, n: int) -> list[Any]:
    """Return n values of a column, each third one missing."""
    instants = AS_OF + pd.to_timedelta(rng.integers(-(10**12), 10**12, n), unit="us")
    made: dict[str, Callable[[], Any]] = {
        "text": lambda: [f"{column.name} {i} {TEXTS[i % len(TEXTS)]}" for i in rng.integers(0, 10**6, n)],
        "int": lambda: rng.integers(-5, 2**53, n).tolist(),
        "real": lambda: rng.normal(0, 1e5, n).tolist(),
        "bool": lambda: rng.choice([True, False], n).tolist(),
        "time": instants.tolist,
        "date": lambda: [f"{instant:%Y-%m-%d}" for instant in instants],
    }
    values = [column.allowed[i % len(column.allowed)] for i in range(n)] if column.allowed else made[column.kind]()
    return [None if rng.random() < 1 / 3 else value for value in values]


def _shapes(table: Table, rng: np.random.Generator, n: int) -> list[Any]:
    places = shapely.points(rng.uniform(22, 40, n), rng.uniform(44, 52, n))
    if table.geometry == "Point":
        shapes = places
    elif table.geometry == "MultiPolygon":
        shapes = shapely.buffer(places, 0.2, quad_segs=2)
    else:
        shapes = shapely.boundary(shapely.buffer(places, 0.2, quad_segs=2))
    return [None if rng.random() < 1 / 5 else shape for shape in shapes]


def _table(table: Table, rng: np.random.Generator, n: int) -> pd.DataFrame:
    columns = {c.name: pd.Series(_values(c, rng, n), dtype=tables.PANDAS[c.kind]) for c in table.columns}
    frame = pd.DataFrame(columns)
    return gpd.GeoDataFrame(frame, geometry=_shapes(table, rng, n), crs=4326) if table.geometry else frame


def world(run_id: str = "run-1", seed: int = 0, n: int = 30) -> dict[str, pd.DataFrame]:
    """Return random tables as declared, with unusual texts and something missing in every column."""
    rng = np.random.default_rng(seed)
    made = {table.name: _table(table, rng, n) for table in tables.TABLES}
    made["run"] = made["run"].head(1).assign(run_id=run_id, as_of=AS_OF)
    return made


def publish(frames: Mapping[str, pd.DataFrame], target: Path, keep: int = 3, **more: float) -> layers.Published:
    """Publish under the id that the tables give."""
    return layers.publish(frames, target, keep=keep, run_id=str(frames["run"]["run_id"].iloc[0]), **more)


def hidden(folder: Path) -> list[str]:
    """Return the names of leftovers anywhere below ``folder``."""
    return sorted(path.name for path in folder.rglob(".*") if path.name != swap.LOCK)


def declare_few() -> None:
    """Leave four tables in the declaration: enough where only the exchange of files is at stake."""
    tables.TABLES = (tables.VIOLATIONS, tables.REPORTS, tables.EVIDENCE, tables.RUN)  # type: ignore[misc]
    tables.BY_NAME = {table.name: table for table in tables.TABLES}  # type: ignore[misc]


def sql(*statements: str) -> Callable[[Path], object]:
    """Return a change of a file by SQL."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as file:
            file.create_function("ST_IsEmpty", 1, lambda _: 0)
            for name in ("MinX", "MaxX", "MinY", "MaxY"):
                file.create_function(f"ST_{name}", 1, lambda _: 0)
            for statement in statements:
                file.execute(statement)
            file.commit()

    return damage


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "half the file": (lambda path: os.truncate(path, path.stat().st_size // 2), "integrity|cannot be read"),
    "no file": (lambda path: path.write_bytes(b""), "header"),
    "lost rows": (sql("DELETE FROM evidence WHERE fid % 3 = 0"), "evidence has 20 rows, not 30"),
    "a lie about the count": (
        sql("UPDATE gpkg_ogr_contents SET feature_count = 0 WHERE table_name = 'reports'"),
        "reports has 0 counted rows, not 30",
    ),
    "no count": (sql("DELETE FROM gpkg_ogr_contents WHERE table_name = 'run'"), "run has None counted rows"),
    "a swapped column": (
        sql(
            "ALTER TABLE notices RENAME COLUMN said TO x",
            "ALTER TABLE notices RENAME COLUMN says TO said",
            "ALTER TABLE notices RENAME COLUMN x TO says",
        ),
        "columns of notices are",
    ),
    "a changed value": (
        sql("UPDATE transitions SET rule = 'x' WHERE fid = 3"),
        "transitions is read with other values in rule",
    ),
    "a moved point": (
        sql("UPDATE reports SET geom = (SELECT geom FROM violations WHERE geom NOT NULL LIMIT 1) WHERE fid = 3"),
        "reports is read with other values in geometry",
    ),
    "a gap in the index": (
        sql("DELETE FROM rtree_violations_geom WHERE id % 2"),
        "the spatial index of violations holds",
    ),
    "no index": (
        sql("DROP INDEX index_violations_incident_id"),
        "the indexes of violations are ",
    ),
    "no trigger": (sql("DROP TRIGGER rtree_zones_geom_delete"), "zones has lost rtree_zones_geom_delete"),
    "no extent": (sql("UPDATE gpkg_contents SET min_x = NULL WHERE table_name = 'regions'"), "the extent of regions"),
    "a lost layer": (sql("DROP TABLE lineage", "DELETE FROM gpkg_contents WHERE table_name = 'lineage'"), "contents"),
    "a layer too many": (
        sql("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('gpkg_extensions', 'attributes')"),
        "contents",
    ),
    "no meaning": (sql("DELETE FROM gpkg_data_columns WHERE table_name = 'run'"), "not described as declared"),
    "another style": (sql("UPDATE layer_styles SET styleQML = '' WHERE id = 8"), "default styles are not those meant"),
    "no project": (sql("DELETE FROM qgis_projects"), "its project is not the one meant"),
    "another origin": (sql("UPDATE gpkg_metadata SET metadata = '{}'"), "its provenance is not the one meant"),
    "a write-ahead log": (sql("PRAGMA journal_mode = WAL"), "write-ahead log"),
    "another program's id": (sql("PRAGMA application_id = 7"), "application_id is 7"),
    "another version": (sql("PRAGMA user_version = 10400"), "user_version is 10400"),
    "a journal": (lambda path: path.with_name(path.name + "-journal").write_bytes(b"x"), "-journal lies beside it"),
}
