"""Is acknowledged work on the disk after the power was lost, whatever kind of disk it is?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import calls
import power
import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not calls.available(), reason="system calls cannot be held here")


def tried(variant: str, folder: Path, every: int) -> dict[str, Any]:
    """Return what was lost in a process of its own."""
    words = [sys.executable, str(HERE / "losses.py"), variant, str(folder), str(every)]
    environment = {**os.environ, "CEASEWATCH_JAIL": "off", "PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    counts = {name: value for name, value in told.items() if name != "lost"}
    sys.stdout.write(f"loss of power, {variant}: {counts}, {len(told['lost'])} lost\n")
    return told


def test_a_loss_of_power_takes_nothing_acknowledged(tmp_path: Path) -> None:
    told = tried("whole", tmp_path, 28)
    assert told["lost"] == []
    assert told["states"] >= 100


@pytest.mark.slow
def test_no_loss_of_power_takes_anything_acknowledged(tmp_path: Path) -> None:
    told = tried("whole", tmp_path, 1)
    assert told["lost"] == []
    assert told["states"] >= 2500
    assert told["again"] > 0


@pytest.mark.slow
def test_a_ledger_that_syncs_less_loses_batches(tmp_path: Path) -> None:
    told = tried("normal", tmp_path, 19)
    assert any("batch 0" in one for one in told["lost"])


@pytest.mark.slow
def test_a_map_whose_folder_is_not_synced_is_gone(tmp_path: Path) -> None:
    told = tried("folders", tmp_path, 3)
    assert any("map 0" in one for one in told["lost"])
    assert not any("batch" in one for one in told["lost"])


def test_a_disk_keeps_what_was_synced_and_of_the_rest_what_it_likes(tmp_path: Path) -> None:
    def work() -> None:
        with (tmp_path / "disk" / "a.new").open("wb", buffering=0) as file:
            file.write(b"synced")
            os.fsync(file.fileno())
            file.write(b", not synced")
        (tmp_path / "disk" / "a.new").rename(tmp_path / "disk" / "a")

    (tmp_path / "disk").mkdir()
    found: dict[str, list[dict[str, bytes | None]]] = {model: [] for model in power.MODELS}

    def see(_: calls.Call, disk: power.Disk) -> None:
        for model, states in found.items():
            states.append({str(path): data for path, data in disk.after(model, 1)})

    power.record(work, tmp_path / "disk", see)
    assert [list(states[-1].items()) for states in found.values()] == [
        [("a", b"synced, not synced")],
        [],
        [("a.new", b"synced")],
        [("a", b"synced")],
        [("a", found["torn"][-1]["a"])],
    ]
    assert found["torn"][-1]["a"] in {b"synced", b"synced, not synced"}
