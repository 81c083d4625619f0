"""Does the house stand as it was drawn? The contracts hold, and each of them can be broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Hold the code in a folder against the contracts of its pyproject.toml."""
    code = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a copy of the code that may be broken."""
    for package in ("geo", "pipelines"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept(house: Path) -> None:
    done = lint(house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("geo/heat.py", '"""A noun without a place."""', "geo reads left to right"),
        ("geo/matching.py", "from geo import incidents", "geo reads left to right"),
        ("geo/matching.py", "import prefect", "geo knows no orchestrator"),
        ("pipelines/watch.py", "import prefect", "prefect lives in pipelines.flows only"),
        ("pipelines/workspace.py", "from pipelines import watch", "pipelines reads left to right"),
    ],
)
def test_a_contract_broken_on_purpose_is_found(house: Path, module: str, line: str, contract: str) -> None:
    with (house / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = lint(house)
    assert done.returncode != 0
    assert any(contract in said and ("BROKEN" in said or "not" in said) for said in done.stdout.splitlines()), (
        done.stdout
    )


def test_the_computation_runs_without_prefect() -> None:
    code = "import geo.assess, sys; assert 'prefect' not in sys.modules; assert 'pyogrio' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_file_says_where_packages_come_from_or_where_it_was_made() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not listed:
        pytest.skip("no checkout")
    words = ["python" + "hosted", "pypi" + ".org", "/" + "work/", "/" + "root/"]
    for name in listed:
        path = ROOT / name
        if path.is_file() and path.suffix != ".png":
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [word for word in words if word in text], name
