"""How does Prefect step through a history?"""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations
from typing import Annotated

from prefect import flow, runtime
from pydantic import AwareDatetime, Field

from pipelines import backtest as plainly
from pipelines.backtest import Plan, Result
from pipelines.edge import utc_now
from pipelines.feeds.turn import TURN_S, turn
from pipelines.flows import orphans, tasks
from pipelines.flows.monitor import here, planned
from pipelines.outcome import stamp
from pipelines.workspace import Workspace


def _run_name() -> str:
    asked = runtime.flow_run.parameters
    return f"backtest of {asked.get('region') or 'whole'}, {stamp(asked.get('begin'))} to {stamp(asked.get('end'))}"


@flow(name="backtest", flow_run_name=_run_name, validate_parameters=True)
def backtest(  # noqa: PLR0913, PLR0917 -- one for each option of the command
    workspace: Path,
    begin: AwareDatetime,
    end: AwareDatetime,
    every: timedelta,
    out: Path,
    region: str | None = None,
    hindsight: bool = False,  # noqa: FBT001, FBT002 -- a parameter of a deployment
    periods: Path | None = None,
) -> Result:
    """Say what would have been said at every step from ``begin`` to ``end``; as the command."""
    orphans.claim()
    plan = Plan(begin.astimezone(UTC), end.astimezone(UTC), every, region, hindsight)
    return _step(Workspace.open(workspace), plan, out, periods)


@flow(name="nightly-backtest", flow_run_name="nightly backtest, {days} days", validate_parameters=True)
def nightly(
    workspace: Path, days: Annotated[int, Field(ge=1)] = 7, every_h: Annotated[float, Field(gt=0)] = 6.0
) -> Result:
    """Say what would have been said over the last days, up to the time for which this run was scheduled.

    Parameters
    ----------
    workspace
        Folder of the workspace; the files go to ``backtest/`` in it.
    days
        How far back.
    every_h
        From one step to the next, hours.
    """
    orphans.claim()
    place, end = Workspace.open(workspace), planned()
    plan = Plan((end - timedelta(days=days)).astimezone(UTC), end.astimezone(UTC), timedelta(hours=every_h))
    with turn(place, wait_s=TURN_S):
        return _step(place, plan, place.path / "backtest", None)


def _step(place: Workspace, plan: Plan, out: Path, periods: Path | None) -> Result:
    named = None if periods is None else plainly.read_periods(periods)
    past = tasks.remember_history(place, plan, at=utc_now())
    result = tasks.step_through(past, plan, named)
    tasks.write_backtest(result, out)
    tasks.tell_backtest(result)
    return result


def backtest_here(workspace: Path, plan: Plan, *, out: Path, periods: Path | None) -> Result:
    """Run the flow once, in this process; it raises what ``monitor_here`` raises."""
    span = plan.begin, plan.end, plan.every
    return here(lambda: backtest(workspace, *span, out, plan.region, plan.hindsight, periods))
