"""Where is the real data? Never part of the project: tests that use it are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines import intake
from pipelines.edge import utc_now
from pipelines.settings import find_theatre, read_folder, replace_baseline, replace_regions
from pipelines.workspace import Workspace

FOLDER = Path(os.environ.get("CEASEWATCH_REALDATA", Path(__file__).parents[2] / "shared" / "realdata"))


def need(name: str) -> Path:
    """Return the path of a real file, or skip the test that asked for it."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data not here: {name}")
    return path


def minsk(place: Path) -> tuple[Workspace, intake.Ingested]:
    """Return a replay of Minsk II along the real line, with the real events, each known when its day was over."""
    line, oblasts = need("minsk_2014_2022/contact_line.geojson"), need("oblasts.geojson")
    events = need("minsk_2014_2022/ucdp_ged_ukraine_2014_2021.csv")
    files = replace_baseline(read_folder(find_theatre("minsk-2015")), line.read_bytes(), line.name)
    files = replace_regions(files, oblasts.read_bytes(), oblasts.name)
    workspace = Workspace.create(place, files, "minsk-2015", replay=True, at=utc_now())
    return workspace, intake.ingest(workspace, events, source_id="ucdp", known="observed", clock=utc_now)
