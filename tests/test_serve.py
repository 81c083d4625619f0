"""Does a workspace look after itself: with a real server, its schedules, and what a killed process left behind?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand

from __future__ import annotations

import inspect
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cells
import httpx
import pytest
import yaml
from commandline import ceasewatch

from geo.policy import Readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.workspace import Workspace

ROOT = Path(__file__).parent.parent
PATIENCE_S = 120.0  # a busy machine; a quiet one needs a quarter


# --- The list ---


def listed() -> tuple[Any, ...]:
    """Return the deployments, as they are served by default."""
    from pipelines.flows.deployments import Times, deployments

    return deployments("/somewhere/watch", Times(backups="/elsewhere"))


def test_every_deployments_parameters_fit_its_flow_and_leave_to_a_person_only_what_has_no_schedule() -> None:
    for planned in listed():
        needed = inspect.signature(planned.flow.fn).parameters
        assert planned.parameters.keys() <= needed.keys()
        if planned.schedule is not None:
            planned.flow.validate_parameters(planned.parameters)
            inspect.signature(planned.flow.fn).bind(**planned.parameters)
    (asked,) = [planned for planned in listed() if planned.schedule is None]
    asked.flow.validate_parameters({**asked.parameters, "region": "west", "as_of": "2026-06-02T00:00Z"})


def test_every_parameter_of_a_form_says_what_it_is() -> None:
    from pipelines.flows.deployments import told

    for planned in listed():
        assert told(planned.flow).keys() == inspect.signature(planned.flow.fn).parameters.keys()


def test_the_file_for_work_pools_holds_the_same_list() -> None:
    from pipelines.flows.deployments import YAML, as_yaml

    text = (ROOT / YAML).read_text(encoding="utf-8")
    assert text == as_yaml()
    listing = yaml.safe_load(text)["deployments"]
    assert [one["schedules"] for one in listing] == [[one.schedule] if one.schedule else [] for one in listed()]
    for one, planned in zip(listing, listed(), strict=True):
        path, name = one["entrypoint"].split(":")
        assert (ROOT / path).is_file()
        assert planned.flow.fn.__name__ == name
        assert one["parameters"].keys() == planned.parameters.keys()
        assert all(
            planned.parameters[key] == value for key, value in one["parameters"].items() if "$" not in str(value)
        )


def test_what_is_served_runs_one_at_a_time_offers_regions_and_times_and_never_another_workspace(tmp_path: Path) -> None:
    from pipelines.flows.deployments import Times, served
    from pipelines.workspace import name_of

    made = {one.flow_name: one for one in served(tmp_path / "watch", Times(timedelta(hours=1)), ["east", "west"])}
    assert set(made) == {"ingestion", "nightly-backtest", "region"}  # no copies, where no folder is named for them
    assert all(one.concurrency_limit == 1 for one in made.values())
    form = made["region"]._parameter_openapi_schema  # noqa: SLF001 -- what the form is made from has no other door
    assert form.properties["region"]["enum"] == ["east", "west"]
    assert form.properties["workspace"]["enum"] == [str(tmp_path / "watch")]
    assert form.properties["as_of"]["anyOf"][0]["format"] == "date-time"
    assert form.required == ["workspace", "region"]
    chosen = {name: form.properties[name]["anyOf"][0].get("enum") for name in Readings.model_fields}
    assert chosen == {
        "open_reading": ["any", "repeated"],
        "open_n": None,
        "persist_reading": ["literal", "window"],
        "broad_reading": ["earliest", "deadline"],
    }
    assert form.properties["known_at"]["description"].startswith("The moment of knowledge, with its offset from UTC; ")
    assert all("description" in each for each in form.properties.values())
    schedule = made["ingestion"].schedules[0].schedule  # type: ignore[index]
    assert schedule.interval == timedelta(hours=1)  # type: ignore[union-attr]
    assert schedule.anchor_date.isoformat() == "2026-01-01T00:00:00+00:00"  # type: ignore[union-attr]
    assert name_of(tmp_path / "a" / "watch") != name_of(tmp_path / "b" / "watch")
    assert name_of(tmp_path / "a b&c/").startswith("a-b-c-")


# --- The command ---


@pytest.mark.usefixtures("prefect")
def test_serving_needs_a_server_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.flows import serving

    place = cells.workspace(tmp_path / "ws")
    monkeypatch.setattr(serving, "server", lambda: None)
    result = ceasewatch("serve", place.path)
    assert result.exit_code == 2
    assert "`prefect server start`, and name it: export PREFECT_API_URL=" in result.stderr
    assert ceasewatch("serve", place.path, "--nightly", "25:00").exit_code == 2
    assert "write it as 6h" in ceasewatch("serve", place.path, "--every", "often").stderr


@pytest.mark.usefixtures("prefect")
def test_what_a_killed_process_left_behind_is_marked_as_crashed_and_nothing_else(tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Completed, Pending, Running, Scheduled

    from pipelines.flows.deployments import Times, served
    from pipelines.flows.serving import alone
    from pipelines.ledger import LedgerBusy

    mine, other = cells.workspace(tmp_path / "ws"), tmp_path / "other"
    ours, theirs = (served(path, Times(), ["west"])[0].apply() for path in (mine.path, other))
    with get_client(sync_client=True) as client:
        states = (Running(), Pending(), Completed(), Scheduled())
        runs = [client.create_flow_run_from_deployment(ours, state=state) for state in states]  # type: ignore[arg-type]
        apart = client.create_flow_run_from_deployment(theirs, state=Running())  # type: ignore[arg-type]
        with alone(mine) as crashed:
            assert {run.id for run in crashed} == {run.id for run in runs[:2]}
            with pytest.raises(LedgerBusy, match="is serving its schedules"), alone(mine):
                pass
        found = [client.read_flow_run(run.id).state_type for run in (*runs, apart)]
    assert [state.value for state in found if state] == ["CRASHED", "CRASHED", "COMPLETED", "SCHEDULED", "RUNNING"]


@pytest.mark.usefixtures("prefect")
def test_a_deployment_that_is_not_asked_for_any_more_goes_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import prefect.runner
    from prefect.client.orchestration import get_client

    from pipelines.flows import serving
    from pipelines.flows.deployments import Times, served
    from pipelines.workspace import name_of

    async def start(*_: object) -> None:
        """Return at once, as if told to end."""

    monkeypatch.setattr(prefect.runner.Runner, "start", start)
    mine, other = cells.workspace(tmp_path / "ws"), tmp_path / "other"
    for one in (*served(mine.path, Times(backups="/copies"), []), *served(other, Times(backups="/copies"), [])):
        one.apply()
    before = signal.getsignal(signal.SIGTERM)
    try:
        serving.serve(mine, Times())
    finally:
        signal.signal(signal.SIGTERM, before)
    with get_client(sync_client=True) as client:
        found = [(one.name, one.entrypoint.rpartition(".")[2]) for one in client.read_deployments() if one.entrypoint]
    assert sorted(flow for name, flow in found if name == name_of(mine.path)) == ["ingestion", "nightly", "region"]
    assert len([name for name, _ in found if name == name_of(other)]) == 4


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize("ours", [False, True])
def test_a_server_that_goes_away_is_waited_for_and_a_fault_of_our_own_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ours: bool
) -> None:
    import prefect.runner
    from prefect.client.orchestration import PrefectClient

    from pipelines.flows import serving
    from pipelines.flows.deployments import Times

    ends: list[Exception | None] = [
        ExceptionGroup("in a TaskGroup", [RuntimeError("Service exceeded error threshold.")]),
        httpx.ConnectError("All connection attempts failed"),
        ValueError("ours") if ours else None,
    ]
    health: list[Exception | None] = [httpx.ConnectError(""), httpx.ReadTimeout(""), None, None]

    class Runner(prefect.runner.Runner):
        async def start(self, *_: object, **_more: object) -> None:
            assert len(self._deployment_registry.get_deployment_ids()) == 3
            if fault := ends.pop(0):
                raise fault

    async def answer(_: PrefectClient) -> Exception | None:
        return health.pop(0)

    monkeypatch.setattr(serving, "Runner", Runner)
    monkeypatch.setattr(serving, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(PrefectClient, "api_healthcheck", answer)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(ValueError, match="ours") if ours else nullcontext():
            serving.serve(cells.workspace(tmp_path / "ws"), Times())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (ends, health) == ([], [])


# --- A real server ---


@contextmanager
def started(folder: Path, environment: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module in a process of its own, and end it."""
    with (folder / f"{words[1]}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=dict(environment), stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(what: str, look: Any, log: Path) -> Any:  # noqa: ANN401 -- whatever is looked for
    """Look again and again until something is there; returns it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            found = look()
        except httpx.TransportError:
            found = None
        if found:
            return found
        time.sleep(0.2)
    pytest.fail(f"{what} did not come about; the log ends with\n{log.read_text(errors='replace')[-3000:]}")


def settings(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of a server of one's own, and of those who use it."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace with a file in its inbox."""
    made = cells.workspace(tmp_path / "ws")
    declared = made.theatre / "theatre.toml"
    declared.write_text(declared.read_text().replace("settle_s = 5", "settle_s = 0.1"))
    cells.shelling(made.path / "inbox" / "mission" / "today.csv")
    return made


@contextmanager
def real_server(folder: Path) -> Iterator[tuple[dict[str, str], httpx.Client]]:
    """Run a server, and return the environment of those who use it, and a way to ask it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = settings(folder, port)
    api = httpx.Client(base_url=environment["PREFECT_API_URL"], timeout=30, trust_env=False)
    server = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    with api, started(folder, environment, *server):
        wait_for("the server", lambda: api.get("/health").is_success, folder / "server.log")
        yield environment, api


def find(api: httpx.Client, what: str, flow: str) -> list[dict[str, Any]]:
    """Return the deployments or runs of a flow."""
    said = api.post(f"/{what}/filter", json={"flows": {"name": {"any_": [flow]}}})
    return said.json() if said.is_success else []  # a busy server asks to come again


def runs(api: httpx.Client, flow: str) -> list[dict[str, Any]]:
    """Return the runs of a flow that ended well; none may end otherwise."""
    found = find(api, "flow_runs", flow)
    assert not [run for run in found if run["state_type"] in {"FAILED", "CRASHED"}], found
    return [run for run in found if run["state_type"] == "COMPLETED"]


def ask(api: httpx.Client, deployment: dict[str, Any], region: str) -> httpx.Response | None:
    """Ask for a region as the form does."""
    said = api.post(f"/deployments/{deployment['id']}/create_flow_run", json={"parameters": {"region": region}})
    return None if said.is_server_error else said


def test_a_real_server_makes_a_scheduled_run_and_one_of_a_region_and_both_end_well(
    tmp_path: Path, place: Workspace
) -> None:
    serve, log = ("pipelines", "serve", str(place.path), "--every", "20s"), tmp_path / "serve.log"
    with real_server(tmp_path) as (environment, api), started(tmp_path, environment, *serve) as kept:
        (asked,) = wait_for("a deployment", lambda: find(api, "deployments", "region"), log)
        for region, taken in (("nowhere", False), ("west", True)):
            said = wait_for(region, lambda region=region: ask(api, asked, region), log)  # type: ignore[misc]
            assert said.is_success == taken
            assert said.is_client_error != taken
        wait_for("the run of a region", lambda: runs(api, "region"), log)
        scheduled = wait_for("a scheduled run", lambda: runs(api, "ingestion"), log)[0]
    assert scheduled["auto_scheduled"]
    assert kept.returncode == 0
    assert "stage=inbox seconds=" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert place.target(None).is_file()
    assert place.target("west").is_file()
    assert list((place.path / "inbox" / "mission").iterdir()) == []
    with place.ledger() as ledger:
        assert len(ledger.reports()) == 11


@pytest.mark.slow
def test_a_worker_makes_a_scheduled_run_and_one_of_a_region_by_the_file_for_work_pools(
    tmp_path: Path, place: Workspace
) -> None:
    from pipelines.flows.deployments import YAML

    often = (ROOT / YAML).read_text(encoding="utf-8").replace("interval: 900.0", "interval: 20.0")
    (tmp_path / YAML).write_text(often, encoding="utf-8")
    ours = {"CEASEWATCH_HOME": ROOT, "CEASEWATCH_WORKSPACE": place.path, "CEASEWATCH_BACKUPS": tmp_path / "copies"}
    with real_server(tmp_path) as (theirs, api):
        environment = {
            **theirs,
            **{name: str(path) for name, path in ours.items()},
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        assert api.post("/work_pools/", json={"name": "local", "type": "process"}).is_success
        deploy = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", tmp_path / YAML]
        subprocess.run(deploy, cwd=ROOT, env=environment, check=True, capture_output=True)
        with started(tmp_path, environment, "prefect", "worker", "start", "--pool", "local"):
            log = tmp_path / "worker.log"
            (asked,) = find(api, "deployments", "region")
            assert wait_for("the form", lambda: ask(api, asked, "west"), log).is_success
            wait_for("the run of a region", lambda: runs(api, "region"), log)
            scheduled = wait_for("a scheduled run", lambda: runs(api, "ingestion"), log)[0]
    assert scheduled["auto_scheduled"]
    assert place.target(None).is_file()
    assert place.target("west").is_file()
