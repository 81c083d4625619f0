"""Does what we ship work where there is no checkout?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds nothing but the unpacked wheel."""
    place = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--quiet",
        "-w",
        str(place),
        ".",
    ]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line from the wheel alone, far from the checkout."""
    code = "import sys; from pipelines.cli import main; sys.exit(main())"
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *words], cwd=site.parent, env=env, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_the_two_packages_and_the_theatres_and_nothing_else(installed: Path) -> None:
    top = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert top == {"geo", "pipelines"}
    assert {path.name for path in (installed / "pipelines" / "theatres").iterdir()} == {"ukraine-2026", "minsk-2015"}


def test_a_theatre_is_watched_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports.csv"
    reports.write_text("observed_from,lon,lat,origin\n2026-06-02T10:00Z,37.6,47.9,a\n2026-06-02T10:05Z,37.6,47.9,b\n")
    place = str(tmp_path / "w")
    for words in (["init", place, "--theatre", "ukraine-2026"], ["ingest", place, str(reports)]):
        done = run(installed, *words)
        assert done.returncode == 0, done.stderr
    done = run(installed, "run", place, "--plain", "--as-of", "2026-06-02T12:00Z", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["counts"]["incidents"] == 1
    assert (tmp_path / "w" / "published" / "monitor.gpkg").exists()
