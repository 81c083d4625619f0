"""What lies in the folder that may leave the cell, and what in the one that may not?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import cells
import geopandas as gpd
import numpy as np
import pytest
import rasterio
from cells import Clock, at
from commandline import ceasewatch

from geo import tables
from geo.errors import PolicyError
from pipelines import intensity, publications
from pipelines.audit import audit
from pipelines.layers import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.outcome import Outcome
    from pipelines.workspace import Workspace


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return cells.shelled(tmp_path_factory.mktemp("cell"))


@pytest.fixture(scope="module")
def inside(place: Workspace) -> Outcome:
    return cells.run(place, Clock(60), as_of=36)


@pytest.fixture(scope="module")
def outside(place: Workspace, inside: Outcome) -> Outcome:
    assert inside.written
    return cells.run(place, Clock(60), as_of=36, profile="shared")


def test_what_may_leave_lies_in_a_folder_of_its_own(place: Workspace, inside: Outcome, outside: Outcome) -> None:
    assert (inside.file, outside.file) == (
        place.path / "published" / "monitor.gpkg",
        place.path / "shared" / "monitor.gpkg",
    )
    assert inside.run_id != outside.run_id
    beside = {path.name for path in outside.file.parent.iterdir() if path.is_file() and not path.name.startswith(".")}
    assert beside == {"monitor.gpkg", "monitor.qgz"}


def test_no_place_of_impact_leaves_and_every_incident_does(inside: Outcome, outside: Outcome) -> None:
    for name in ("reports", "violations", "evidence"):
        assert len(read_table(inside.file, name))
        assert read_table(outside.file, name).empty
    ours, theirs = (read_table(outcome.file, "incidents") for outcome in (inside, outside))
    columns = ["incident_id", "state", "tier_eligible", "tier_effective", "violations", "segments"]
    assert ours[columns].equals(theirs[columns])
    points = read_table(inside.file, "violations").geometry
    bytes_ = [point.wkb[5:] for point in points]
    for file in outside.file.parent.iterdir():
        assert not any(each in file.read_bytes() for each in bytes_) if file.is_file() else True


def test_exports_of_what_may_leave_hold_no_place_of_impact(
    place: Workspace, inside: Outcome, outside: Outcome, tmp_path: Path
) -> None:
    assert outside.written
    for profile in ("internal", "shared"):
        done = ceasewatch("export", place.path, "--to", "geoparquet", "--profile", profile, "--out", tmp_path / profile)
        assert done.exit_code == 0
    assert {path.name for path in (tmp_path / "internal").iterdir()} == {"reports", "violations", "incidents"}
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {"incidents"}
    points = [point.wkb[5:] for point in read_table(inside.file, "violations").geometry]
    held = gpd.read_parquet(tmp_path / "shared" / "incidents")
    assert not any(point in shape for point in points for shape in held.geometry.dropna().to_wkb())
    listed = ceasewatch("export", place.path, "--to", "acled-csv", "--profile", "shared").stdout
    assert len(listed.splitlines()) == 1


def test_what_leaves_hides_no_damage_to_what_stays(place: Workspace, inside: Outcome, outside: Outcome) -> None:
    """``verify`` looks at the last publication of each of the two."""
    assert outside.file != inside.file
    assert audit(place).problems == ()
    whole, mode = inside.file.read_bytes(), inside.file.stat().st_mode
    inside.file.chmod(0o644)
    inside.file.write_bytes(whole + b"x")
    (problem,) = audit(place).problems
    inside.file.write_bytes(whole)
    inside.file.chmod(mode)
    assert "is not the file that was published last" in problem


def test_it_is_refused_while_it_is_fresh(place: Workspace) -> None:
    with pytest.raises(PolicyError, match=r"at least 6 h old .* ask for 2026-06-04T06:00Z or earlier"):
        cells.run(place, Clock(60), as_of=55, profile="shared")
    with pytest.raises(PolicyError, match="a multiple of 1 h"):
        cells.run(place, Clock(60), as_of=30.25, profile="shared")


def test_what_stays_and_what_leaves_never_share_a_folder(place: Workspace, inside: Outcome, outside: Outcome) -> None:
    for folder, profile in ((inside.file.parent, "shared"), (outside.file.parent, "internal")):
        with pytest.raises(PolicyError, match="give --out a folder of its own"):
            cells.run(place, Clock(60), as_of=36, out=folder, profile=profile)  # type: ignore[arg-type]


def test_nothing_leaves_from_a_folder_with_files_of_the_past(place: Workspace, inside: Outcome, tmp_path: Path) -> None:
    """A run that was killed before it wrote its map leaves them alone there."""
    (tmp_path / "past").mkdir()
    shutil.copy(inside.file, tmp_path / "past" / "2026.gpkg")
    with pytest.raises(
        PolicyError, match=r"2026\.gpkg is of a run that stays in the cell: give --out a folder of its own"
    ):
        cells.run(place, Clock(60), as_of=36, out=tmp_path, profile="shared")


def test_the_command_takes_the_latest_moment_that_may_leave(place: Workspace) -> None:
    done = ceasewatch("run", place.path, "--profile", "shared", "--plain")
    assert done.exit_code == 0, done.stderr
    told = read_table(place.path / "shared" / "monitor.gpkg", "run").iloc[0]
    with place.ledger() as ledger:
        last = publications.history(ledger)[-1]
    assert (last.profile, last.as_of) == ("shared", told["as_of"])
    assert last.recorded_at is not None
    assert (last.recorded_at - last.as_of).total_seconds() >= 6 * 3600


def test_the_raster_of_intensity_belongs_to_the_run(inside: Outcome) -> None:
    with rasterio.open(inside.file.parent / intensity.FILE) as source:
        tags, density = source.tags(), source.read()
    assert (tags["run_id"], tags["as_of"]) == (inside.run_id, at(36).isoformat())
    violations = read_table(inside.file, "violations")
    assert float(np.nansum(density[3])) * 30 == pytest.approx(violations["status"].map(
        {"alleged": 0.5, "contested": 0.5, "corroborated": 1, "confirmed": 1}).fillna(0).sum(), rel=1e-3)  # fmt: skip
    assert tables.BY_NAME["violations"].geometry == "Point"
