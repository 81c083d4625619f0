"""Is compiled code kept, and is a damaged cache only a loss of time?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import geo
from pipelines import compiled

ASK = """
import sys
from pipelines import compiled
getattr(compiled, sys.argv[1])()
from geo import descents
loops = [loop for loop in descents._MADE if loop.signatures]
print(sum(bool(loop.stats.cache_hits) for loop in loops), "of", len(loops))
"""
LOOPS = 13


def ask(home: Path, what: str = "prepare") -> str:
    """Return what a process of its own says: which loops came from the cache, and which are ready."""
    environment = {"XDG_CACHE_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, what], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose cache holds the kernels."""
    path = tmp_path_factory.mktemp("home")
    assert ask(path) == f"0 of {LOOPS}"
    return path


@pytest.mark.slow
def test_a_second_process_takes_the_kernels_from_the_cache(home: Path) -> None:
    assert ask(home, "keep") == ask(home) == f"{LOOPS} of {LOOPS}"


@pytest.mark.slow
def test_a_damaged_cache_is_replaced(home: Path) -> None:
    kept = sorted((home / "ceasewatch" / "compiled").rglob("*.nb?"))
    assert kept
    for file in kept:
        file.write_bytes(file.read_bytes()[:100])
    assert ask(home, "keep").endswith(" of 0")
    assert ask(home) == f"0 of {LOOPS}"
    assert ask(home, "keep") == f"{LOOPS} of {LOOPS}"


@pytest.mark.slow
def test_a_home_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    blocked = tmp_path / "ceasewatch"
    blocked.write_text("a file where the folder should be")
    assert ask(tmp_path) == "0 of 0"


def test_what_was_never_prepared_is_not_compiled_before_it_is_needed(tmp_path: Path) -> None:
    assert ask(tmp_path, "keep") == "0 of 0"


def test_every_source_of_compiled_loops_has_a_say_in_the_name_of_the_cache() -> None:
    from_descents = {
        path.stem for path in Path(geo.__file__).parent.glob("*.py") if "geo.descents import" in path.read_text()
    }
    assert {"arcs", "descents", *from_descents} == set(compiled.SOURCES)


def test_the_name_of_the_cache_changes_with_the_formulas() -> None:
    assert compiled.digest([b"a + b", b"c"]) == compiled.digest([b"a + b", b"c"])
    assert compiled.digest([b"a + b", b"c"]) != compiled.digest([b"b + a", b"c"])
