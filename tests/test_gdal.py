"""Is GDAL kept to GeoPackages?"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from geo.tables import Column, Table
from pipelines import gdal

ROOT = Path(__file__).parents[1]
NOTES = Table("notes", None, "a note", (Column("note", "text", "the note"),))


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)


def test_gdal_knows_nothing_but_geopackages() -> None:
    listed = _run("from pipelines import gdal; import pyogrio; print(sorted(pyogrio.list_drivers()))")
    assert listed.stdout.strip() == "['GPKG']"
    assert listed.stderr == ""


def test_a_pyogrio_that_was_imported_before_with_all_its_drivers_is_refused() -> None:
    late = _run("import pyogrio; import pipelines.gdal")
    assert late.returncode == 1
    assert "drivers that are not allowed" in late.stderr
    assert "OGR_VRT" in late.stderr


def test_the_choice_of_drivers_is_not_left_to_other_libraries() -> None:
    """Another library in this process may carry a GDAL of its own, and needs its drivers."""
    assert "GDAL_SKIP" not in os.environ
    kept = _run("import os; os.environ['GDAL_SKIP'] = 'X'; import pipelines.gdal; print(os.environ['GDAL_SKIP'])")
    assert kept.stdout.strip() == "X"


@pytest.mark.parametrize("name", ["report.gpkg", "report.geojson", "report.vrt", "report.csv"])
def test_a_file_that_points_to_another_file_is_not_followed(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\nsecret,1\n")
    (tmp_path / name).write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>CSV:{secret}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(RuntimeError):
        gdal.read(tmp_path / name, "secret")
    with pytest.raises(RuntimeError):
        gdal.read(secret, "secret")


def test_what_is_written_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "notes.gpkg"
    gdal.write(pa.table({"note": ["b", None, "a"]}), path, NOTES, title="Notes", description="")
    assert gdal.read(path, "notes")["note"].to_pylist() == ["b", None, "a"]


def test_the_given_instant_is_written_only_while_it_is_asked_for(tmp_path: Path) -> None:
    rows = pa.table({"note": ["a"]})
    with gdal.dated("2026-02-03T04:05:06.789Z"):
        gdal.write(rows, tmp_path / "dated.gpkg", NOTES, title="Notes", description="")
    gdal.write(rows, tmp_path / "now.gpkg", NOTES, title="Notes", description="")
    assert b"2026-02-03T04:05:06.789Z" in (tmp_path / "dated.gpkg").read_bytes()
    assert b"2026-02-03T04:05:06.789Z" not in (tmp_path / "now.gpkg").read_bytes()


def test_no_other_module_opens_files_through_gdal() -> None:
    for path in [*(ROOT / "geo").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
                loads = any(name.split(".")[0] in {"pyogrio", "fiona", "osgeo"} for name in names)
                assert not loads or path == ROOT / "pipelines" / "gdal.py", path
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"read_file", "to_file"}, f"{path}:{node.lineno}"
