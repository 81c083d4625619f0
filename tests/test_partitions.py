"""Engines for more rows than a map takes read the exported months as they are."""

from __future__ import annotations

import itertools
import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import situation
from commandline import ceasewatch

from geo.errors import PolicyError
from pipelines import gdal, layers, partitions

if TYPE_CHECKING:
    from pathlib import Path

LATER = pd.Timedelta(days=40)
BEGINS = {"reports": "observed_from", "violations": "observed_from", "incidents": "first_observed"}


def _shifted(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return rows of which every second one began in another month, and the first report has no place."""
    second = pd.Series(range(len(frame)), frame.index) % 2 == 1
    return frame.assign(**{column: frame[column].where(~second, frame[column] + LATER)})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = dict(situation.burnt())
    told |= {name: _shifted(told[name], column) for name, column in BEGINS.items()}
    told["reports"].loc[0, "geometry"] = None
    file = tmp_path_factory.mktemp("published") / "monitor.gpkg"
    layers.publish(told, file, keep=1, run_id=str(told["run"]["run_id"].iloc[0]))
    return file


@pytest.fixture(scope="module")
def months(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "months"
    partitions.write(published, folder, _run(published))
    return folder


def _run(published: Path) -> dict[str, Any]:
    run = layers.read_run(published)
    assert run is not None
    return run


def _wanted(published: Path, name: str) -> pd.DataFrame:
    """Return names, begins and months of the published rows, in order of name."""
    key = f"{name.removesuffix('s')}_id"
    rows = layers.read_table(published, name)
    told = pd.DataFrame({"name": rows[key], "begin": rows[BEGINS[name]]}).sort_values("name", ignore_index=True)
    return told.assign(year=told["begin"].dt.year, month=told["begin"].dt.month)


@pytest.mark.parametrize("name", list(BEGINS))
def test_pandas_and_geopandas_read_a_layer_as_it_was_published(published: Path, months: Path, name: str) -> None:
    wanted, key = _wanted(published, name), f"{name.removesuffix('s')}_id"
    assert wanted["month"].nunique() == 2
    plain = pd.read_parquet(months / name).sort_values(key, ignore_index=True)
    assert plain[key].tolist() == wanted["name"].tolist()
    assert (plain[BEGINS[name]] == wanted["begin"]).all()
    assert (plain["month"].astype(int) == wanted["month"]).all()
    placed = gpd.read_parquet(months / name).sort_values(key, ignore_index=True)
    rows = layers.read_table(published, name).sort_values(key, ignore_index=True)
    assert placed.crs.equals("OGC:CRS84")
    assert placed.geometry.to_wkb().tolist() == rows.geometry.to_wkb().tolist()


def test_geopandas_reads_a_box_of_it(published: Path, months: Path) -> None:
    rows = layers.read_table(published, "violations")
    west, south, east, north = rows.geometry.iloc[[0]].total_bounds
    found = gpd.read_parquet(months / "violations", bbox=(west - 1e-6, south - 1e-6, east + 1e-6, north + 1e-6))
    assert 0 < len(found) < len(rows)
    assert rows["violation_id"].iloc[0] in set(found["violation_id"])


def test_duckdb_reads_months_and_boxes(published: Path, months: Path) -> None:
    wanted = _wanted(published, "reports")
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        source = f"read_parquet('{months}/reports/**/*.parquet', hive_partitioning = true)"
        found = db.sql(f"SELECT year, month, count(*) FROM {source} GROUP BY ALL ORDER BY ALL").fetchall()  # noqa: S608
        told = [(int(year), int(month), count) for year, month, count in found]
        assert told == [(*key, len(some)) for key, some in wanted.groupby(["year", "month"])]
        box = f"SELECT report_id FROM {source} WHERE month = 2 AND bbox.xmin > 30 AND bbox.ymax < 60"  # noqa: S608
        assert {name for (name,) in db.sql(box).fetchall()} < set(wanted.loc[wanted["month"] == 2, "name"])
        [(seen,)] = db.sql(f"SELECT min(observed_from) FROM {source}").fetchall()  # noqa: S608
        assert pd.Timestamp(seen) == wanted["begin"].min()


def test_sedonadb_reads_months_and_shapes_even_where_a_month_has_only_one(published: Path, months: Path) -> None:
    sedonadb = pytest.importorskip("sedonadb")
    wanted = _wanted(published, "incidents")
    assert wanted["month"].value_counts().min() == 1
    db = sedonadb.connect()
    db.read_parquet(f"{months}/incidents/").to_view("incidents")
    found = pa.table(db.sql("SELECT incident_id, month, ST_AsBinary(geometry) AS shape FROM incidents")).to_pydict()
    rows = layers.read_table(published, "incidents").set_index("incident_id")
    assert dict(zip(found["incident_id"], found["shape"], strict=True)) == rows.geometry.to_wkb().to_dict()
    told = dict(zip(found["incident_id"], map(int, found["month"]), strict=True))
    assert told == dict(zip(wanted["name"], wanted["month"], strict=True))


def test_every_file_says_what_it_holds_and_which_run_it_is_of(published: Path, months: Path) -> None:
    files = sorted(months.rglob("*.parquet"))
    assert {path.relative_to(months).parts[0] for path in files} == set(BEGINS)
    for path in files:
        metadata = pq.read_schema(path).metadata
        geo, run = json.loads(metadata[b"geo"]), json.loads(metadata[partitions.RUN.encode()])
        assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
        assert geo["columns"]["geometry"]["bbox"] == gpd.read_parquet(path).total_bounds.tolist()
        assert run["run_id"] == _run(published)["run_id"]


def test_the_same_publication_gives_the_same_bytes_in_a_folder_of_its_own(
    published: Path, months: Path, tmp_path: Path
) -> None:
    partitions.write(published, tmp_path / "again", _run(published))
    for path in sorted(months.rglob("*.parquet")):
        assert (tmp_path / "again" / path.relative_to(months)).read_bytes() == path.read_bytes()
    with pytest.raises(PolicyError, match="is there already"):
        partitions.write(published, months, _run(published))
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_what_a_run_replaces_meanwhile_is_taken_anew_whole(
    published: Path, months: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, told = tmp_path / "monitor.gpkg", dict(situation.burnt())
    told["reports"] = told["reports"].assign(observed_from=told["reports"]["observed_from"] - LATER)
    layers.publish(told | {"run": told["run"].assign(run_id="former")}, file, keep=1, run_id="former")
    former, read, left = _run(file), gdal.read, [published, published]

    def replaced(path: Path, name: str) -> pa.Table:
        if name == "violations" and left:  # the run before had other months, of which none may stay
            swap = tmp_path / "next.gpkg"
            shutil.copy(left.pop(), swap)
            swap.replace(path)
        return read(path, name)

    monkeypatch.setattr(gdal, "read", replaced)
    partitions.write(file, tmp_path / "taken", former)
    assert _contents(tmp_path / "taken") == _contents(months)
    ids = itertools.count()
    monkeypatch.setattr(layers, "read_run", lambda _: {"run_id": next(ids)})
    with pytest.raises(PolicyError, match="replaced faster than it can be read"):
        partitions.write(file, tmp_path / "never", former)
    assert not (tmp_path / "never").exists()


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_an_empty_folder_may_be_named_by_a_link(published: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    assert partitions.write(published, tmp_path / "link", _run(published))["incidents"] > 0
    assert (tmp_path / "link" / "incidents").is_dir()


def test_the_command_wants_a_folder(tmp_path: Path) -> None:
    refused = ceasewatch("export", tmp_path, "--to", "geoparquet")
    assert refused.exit_code == 2
