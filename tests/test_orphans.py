"""Is what a killed run left with Prefect put in order by the next, and everything else left alone?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
SLEEP = "import time; time.sleep(120)"
SERVER = "prefect.server.api.server:create_app"
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="tells processes apart by /proc")


@pytest.fixture
def start() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Collect processes that end with the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def sleeper(started: list[subprocess.Popen[bytes]], *words: str, **more: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", SLEEP, *words], env={**os.environ, **more})
    started.append(process)
    return process


def dead() -> str:
    """Return the mark of a process that is gone."""
    from pipelines.flows import orphans

    process = subprocess.Popen([sys.executable, "-c", SLEEP])
    marked = orphans.mark(process.pid)
    process.kill()
    process.wait()
    assert marked is not None
    return marked


def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    from pipelines.flows import orphans

    own = orphans.mark(os.getpid())
    assert own is not None
    boot, container, process, start = own.split(":")
    assert not orphans.is_gone(own)
    assert orphans.is_gone(dead())
    assert orphans.is_gone(f"{boot}:{container}:{process}:{int(start) + 1}")
    assert not orphans.is_gone(f"another-boot:{container}:{process}:{int(start) + 1}")
    assert not orphans.is_gone(f"{boot}:{int(container) + 1}:{process}:{int(start) + 1}")
    for unread in ("", "hand-made", "a:b:c:d:e", f"{boot}:{container}:x:1"):
        assert not orphans.is_gone(unread)


def test_a_process_that_may_not_be_seen_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.flows import orphans

    def forbid(*_: int) -> None:
        raise PermissionError

    marked = dead()
    monkeypatch.setattr(os, "kill", forbid)
    assert not orphans.is_gone(marked)


def test_only_an_embedded_server_whose_process_is_gone_is_ended(start: list[subprocess.Popen[bytes]]) -> None:
    from pipelines.flows import orphans

    gone, own = {"CEASEWATCH_EMBEDDED_FOR": dead()}, orphans.mark(os.getpid())
    left = sleeper(start, SERVER, **gone)
    others = [
        sleeper(start, SERVER, CEASEWATCH_EMBEDDED_FOR=str(own)),
        sleeper(start, SERVER, CEASEWATCH_EMBEDDED_FOR="another-boot:1:1:1"),
        sleeper(start, SERVER),
        sleeper(start, "something.else", **gone),
    ]
    time.sleep(0.2)  # until each has begun with its own words
    ended = orphans.end_servers()
    assert left.pid in ended
    assert not {other.pid for other in others} & set(ended)
    assert left.wait(timeout=30) == -signal.SIGTERM
    assert [other.poll() for other in others] == [None] * len(others)


@pytest.mark.usefixtures("prefect")
def test_only_a_run_whose_process_is_gone_is_marked_as_crashed() -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from pipelines.flows import orphans

    @flow
    def claimed() -> None:
        orphans.claim()

    with get_client(sync_client=True) as client:
        runs = {name: client.create_flow_run(claimed, state=Running()) for name in ("gone", "going", "unmarked")}
        client.update_flow_run_labels(runs["gone"].id, {"ceasewatch.process": dead()})
        client.update_flow_run_labels(runs["going"].id, {"ceasewatch.process": str(orphans.mark(os.getpid()))})
        claimed()
        client.update_flow_run_labels(runs["unmarked"].id, {"ceasewatch.process": "hand-made"})
        assert [run.id for run in orphans.crash_runs()] == [runs["gone"].id]
        states = {name: client.read_flow_run(run.id).state for name, run in runs.items()}
        assert {name: state.type.value for name, state in states.items() if state} == {
            "gone": "CRASHED", "going": "RUNNING", "unmarked": "RUNNING",
        }  # fmt: skip
        own = [
            run for run in client.read_flow_runs() if run.labels.get("ceasewatch.process") == orphans.mark(os.getpid())
        ]
        assert {run.id for run in own} > {runs["going"].id}
        for name in ("going", "unmarked"):
            client.delete_flow_run(runs[name].id)


@pytest.mark.usefixtures("prefect")
def test_a_scheduled_run_carries_the_mark_of_its_process_and_finds_those_that_were_killed(tmp_path: Path) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import StateType
    from prefect.states import Running

    from pipelines.flows import orphans
    from pipelines.flows.ingestion import ingestion

    place = cells.workspace(tmp_path / "ws")
    with get_client(sync_client=True) as client:
        gone = client.create_flow_run(flow(lambda: None, name="gone"), state=Running())
        client.update_flow_run_labels(gone.id, {"ceasewatch.process": dead()})
        orphans.clear.cache_clear()
        run = ingestion(place.path, return_state=True).state_details.flow_run_id
        found = client.read_flow_run(gone.id).state_type, client.read_flow_run(run).labels["ceasewatch.process"]
    assert found == (StateType.CRASHED, orphans.mark(os.getpid()))


def test_a_server_that_does_not_answer_is_named_with_what_to_do_by_the_command_itself(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    away = {**plain, "PREFECT_API_URL": "http://127.0.0.1:9/api", "PREFECT_CLIENT_MAX_RETRIES": "0"}
    words = [sys.executable, "-m", "pipelines", "run", place.path]
    done = subprocess.run(words, env={**away, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert (done.returncode, "run with --plain" in done.stderr) == (2, True), done.stderr


def servers(home: Path) -> set[int]:
    """Return the embedded servers of one home of Prefect."""
    found, wanted = set(), f"PREFECT_HOME={home}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if SERVER.encode() in (folder / "cmdline").read_bytes() and wanted in (folder / "environ").read_bytes():
                found.add(int(folder.name))
    return found


@pytest.mark.slow
def test_the_server_of_a_run_that_was_killed_is_ended_by_the_next_and_its_run_has_crashed(tmp_path: Path) -> None:
    place, home = cells.shelled(tmp_path), tmp_path / "home"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own = {**plain, "PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "pipelines", "run", place.path]
    with subprocess.Popen(words, env=own, stderr=subprocess.PIPE, text=True) as killed:
        assert killed.stderr is not None
        next(line for line in killed.stderr if "stage=assess" in line or "assess-theatre" in line)
        killed.kill()
    assert len(servers(home)) == 1
    done = subprocess.run(words, env=own, capture_output=True, text=True, check=True)
    assert "ended 1 embedded servers" in done.stderr
    assert "marked 1 runs as crashed" in done.stderr
    assert servers(home) == set()
