"""How does Prefect step through a history?"""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations

from prefect import flow, runtime
from pydantic import AwareDatetime  # noqa: TC002 -- likewise

from pipelines import backtest as plainly
from pipelines.backtest import Plan, Result
from pipelines.edge import utc_now
from pipelines.flows import tasks
from pipelines.flows.monitor import here
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
    plan = Plan(begin.astimezone(UTC), end.astimezone(UTC), every, region, hindsight)
    named = None if periods is None else plainly.read_periods(periods)
    past = tasks.remember_history(Workspace.open(workspace), plan, at=utc_now())
    result = tasks.step_through(past, plan, named)
    tasks.write_backtest(result, out)
    tasks.tell_backtest(result)
    return result


def backtest_here(workspace: Path, plan: Plan, *, out: Path, periods: Path | None) -> Result:
    """Run the flow once, in this process; it raises what ``monitor_here`` raises."""
    span = plan.begin, plan.end, plan.every
    return here(lambda: backtest(workspace, *span, out, plan.region, plan.hindsight, periods))
