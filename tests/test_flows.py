"""Does Prefect run the same computation, and say what changed?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import cells
import pytest

from geo.errors import PolicyError
from pipelines.ledger import LedgerBusy

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pipelines.outcome import Outcome
    from pipelines.workspace import Workspace


pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a replay workspace that learnt of a shelling from hour 1 to hour 31 as it was reported."""
    folder = tmp_path_factory.mktemp("flows")
    made = cells.workspace(folder / "ws", replay=True)
    cells.bring(made, cells.shelling(folder / "mission.csv"), cells.Clock(), known="reported")
    return made


def flow(place: Workspace, out: Path, *, region: str | None = None, as_of: datetime | None = None) -> Outcome:
    """Run the flow with the knowledge of hour 36, into a folder of its own."""
    from pipelines.flows.monitor import monitor_here

    return monitor_here(place.path, region=region, as_of=as_of, known_at=cells.at(36), out=out)


def test_a_flow_run_publishes_what_the_plain_call_publishes_byte_for_byte(place: Workspace, tmp_path: Path) -> None:
    from pipelines.edge import version
    from pipelines.publications import Question
    from pipelines.watch import watch

    for region in (None, "west"):
        ran = flow(place, tmp_path / "flow", region=region)
        plain = watch(
            place,
            Question(cells.at(36), cells.at(36), region),
            out=tmp_path / "plain",
            version=version(),
            clock=cells.Clock(99),
        )
        assert ran.run_id == plain.run_id
        assert ran.file.read_bytes() == plain.file.read_bytes()
        assert ran.as_dict()["incidents"] == plain.as_dict()["incidents"]


def test_a_backtest_flow_writes_what_the_plain_one_writes_byte_for_byte(place: Workspace, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    from pipelines.backtest import Plan, backtest
    from pipelines.flows.backtest import backtest_here

    plan = Plan(cells.at(0), cells.at(36), timedelta(hours=12))
    backtest_here(place.path, plan, out=tmp_path / "flow", periods=None)
    backtest(place, plan, out=tmp_path / "plain", periods=None, clock=cells.Clock(99))
    names = sorted(path.name for path in (tmp_path / "plain").iterdir())
    assert names == ["incidents.csv", "lineage.csv", "revisions.csv", "steps.csv", "summary.json"]
    assert all((tmp_path / "flow" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes() for name in names)
    with get_client(sync_client=True) as client:
        key = ArtifactFilter(key=ArtifactFilterKey(any_=["ceasewatch-backtest-whole-progress"]))
        assert [bar.data for bar in client.read_artifacts(artifact_filter=key)] == [100.0]


def test_a_run_leaves_an_account_of_what_changed_for_its_scope(place: Workspace, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    outcome = flow(place, tmp_path, region="west")
    with get_client(sync_client=True) as client:
        key = ArtifactFilter(key=ArtifactFilterKey(any_=["ceasewatch-west"]))
        found = client.read_artifacts(artifact_filter=key)
    assert found
    text = str(found[-1].data)
    assert outcome.incidents["incident_id"].iloc[0] in text
    for word in (
        "Illustrative, without legal meaning",
        "replay",
        "**New** (1)",
        "**Escalated**",
        "**Ended**",
        "Notices",
    ):
        assert word in text
    assert "Refused rows" in text


def test_a_run_is_named_after_what_it_was_asked_and_has_tasks_that_mean_something(
    place: Workspace, tmp_path: Path
) -> None:
    from prefect.client.orchestration import get_client

    flow(place, tmp_path, region="east", as_of=cells.at(12))
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs() if run.name == "east at 2026-06-02T12:00:00Z"]
        assert len(runs) == 1
    assert runs[0].state is not None
    assert runs[0].state.is_completed()


def test_no_task_caches_or_bears_a_tag_and_only_those_that_touch_the_world_are_tried_again() -> None:
    from prefect import Task
    from prefect.cache_policies import NO_CACHE

    from pipelines.flows import tasks

    found = {name: one for name, one in vars(tasks).items() if isinstance(one, Task)}
    assert 5 <= len(found) <= 30
    assert all(one.cache_policy == NO_CACHE and not one.tags for one in found.values())
    tried_again = {name for name, one in found.items() if one.retries}
    of_arrivals = {"take_inbox", "ask_feeds"}
    of_backtests = {"remember_history", "write_backtest", "tell_backtest"}
    of_a_run = {"remember", "heed", "recall", "publish", "record", "settle", "announce"}
    assert tried_again == of_a_run | of_arrivals | of_backtests


def test_trying_again_is_for_a_busy_ledger_and_never_for_wrong_settings() -> None:
    from prefect.states import Failed

    from pipelines.flows.tasks import worth_retrying

    def decide(fault: Exception) -> bool:
        return worth_retrying(None, None, Failed(data=fault))  # type: ignore[arg-type]

    assert decide(LedgerBusy("someone writes"))
    assert decide(OSError("the network is away"))
    assert not decide(PolicyError("wrong"))


def test_a_question_that_cannot_be_answered_fails_with_its_own_sentence(place: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="region 'nowhere' is not in this theatre"):
        flow(place, tmp_path, region="nowhere")
    assert list(tmp_path.iterdir()) == []


def test_parameters_are_validated_before_any_work(place: Workspace, tmp_path: Path) -> None:
    from prefect.exceptions import ParameterTypeError

    with pytest.raises(ParameterTypeError, match="timezone"):
        flow(place, tmp_path, as_of=cells.at(3).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("scope", "key"), [("whole", "ceasewatch-whole"), ("UA-14", "ceasewatch-ua-14"), ("Донецьк", "ceasewatch-region-")]
)
def test_an_artifact_has_a_key_of_its_own_that_prefect_takes(scope: str, key: str) -> None:
    from pipelines.flows.tasks import artifact_key

    assert artifact_key(scope).startswith(key)
    assert re.fullmatch(r"[a-z0-9-]+", artifact_key(scope))
    assert artifact_key(scope + "!") != artifact_key(scope)


def test_a_server_that_does_not_answer_is_named_with_what_to_do(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.flows import monitor

    def away(*_: object, **__: object) -> None:
        msg = "Failed to reach API at http://127.0.0.1:9/api/"
        raise RuntimeError(msg)

    monkeypatch.setattr(monitor, "monitor", away)
    with pytest.raises(PolicyError, match=r"no Prefect server answers .*127\.0\.0\.1:9.* --plain"):
        flow(place, tmp_path)


def test_a_password_in_the_address_of_a_server_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from pipelines.flows import monitor

    address = "http://me:hush@127.0.0.1:9/api"

    def away(*_: object) -> None:
        msg = f"Failed to reach API at {address}/"
        raise RuntimeError(msg)

    monkeypatch.setattr(monitor.orphans, "clear", away)
    with (
        temporary_settings({PREFECT_API_URL: address}),
        pytest.raises(PolicyError, match=r"127\.0\.0\.1:9/api") as told,
    ):
        monitor.here(lambda: None)
    assert "hush" not in str(told.value)


def test_the_users_own_settings_of_prefect_win() -> None:
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    code = (
        "import os; os.environ['PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS'] = '7'; import pipelines.flows;"
        "print(os.environ['PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS'])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.strip() == b"7"
