"""Which steps of a run does Prefect see?

Each is a step of ``pipelines.watch`` with a name. Frames pass between them, so nothing is cached; only the steps that
touch the world are tried again, and never where a person has to mend something first.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE

from geo.errors import CeasewatchError
from pipelines import backtest as backtests
from pipelines import outcome as outcomes
from pipelines import recall as recalls
from pipelines import reviews, watch
from pipelines.feeds import inbox, rounds
from pipelines.ledger import LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    import pandas as pd
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

    from pipelines.backtest import Past, Plan, Result
    from pipelines.outcome import Outcome
    from pipelines.workspace import Clock, Workspace

P = ParamSpec("P")
R = TypeVar("R")

RETRIES: Final = 2
RETRY_AFTER_S: Final = 3.0


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Tell whether trying again can help: not where settings or data are wrong, but where the ledger was busy."""
    fault = state.data
    return isinstance(fault, LedgerBusy) or not isinstance(fault, CeasewatchError)


def _thinks(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    return task(name=name, task_run_name=name, cache_policy=NO_CACHE)


def _acts(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    return task(
        name=name,
        task_run_name=name,
        cache_policy=NO_CACHE,
        retries=RETRIES,
        retry_delay_seconds=RETRY_AFTER_S,
        retry_condition_fn=worth_retrying,
    )


@_acts("remember-settings")
def remember(workspace: Workspace, clock: Clock) -> tuple[str, ...]:
    """Record what stands in the workspace's theatre folder where it was edited."""
    return workspace.remember(clock)


@_acts("heed-reviews")
def heed(workspace: Workspace, clock: Clock, region: str | None) -> None:
    """Record what people decided in the workspace's own GeoPackages; let one lie beside the scope's map."""
    reviews.heed(workspace, clock)
    reviews.offer(workspace, region)


take_inbox = _acts("take-inbox")(inbox.empty)
ask_feeds = _acts("ask-feeds")(rounds.ask_all)
recall = _acts("recall-ledger")(recalls.recall)
judge = _thinks("assess-theatre")(watch.judge)
compare = _thinks("compare-with-last-publication")(watch.compare)
compose = _thinks("compose-layers")(watch.compose)
publish = _acts("publish-geopackage")(watch.publish)
report = _thinks("report-outcome")(watch.report)
record = _acts("record-publication")(watch.record)
settle = _acts("settle-the-past")(watch.settle)

remember_history = _acts("remember-history")(backtests.remember)
write_backtest = _acts("write-backtest")(backtests.record)


@_thinks("step-through-history")
def step_through(past: Past, plan: Plan, periods: pd.DataFrame | None) -> Result:
    """Step through a history beside a progress artifact that says how far it has come."""
    scope = f"backtest-{plan.region or 'whole'}-progress"
    words = "Steps of the backtest that are done"
    bar = cast("UUID", create_progress_artifact(0.0, key=artifact_key(scope), description=words))

    def tell(at: datetime, done: int, of: int) -> None:
        backtests.say(at, done, of)
        update_progress_artifact(bar, progress=100.0 * done / of)

    result = backtests.run(past, plan, periods, tell)
    update_progress_artifact(bar, progress=100.0)
    return result


@_acts("tell-backtest")
def tell_backtest(result: Result) -> None:
    """Leave the account as a Markdown artifact."""
    create_markdown_artifact(
        key=artifact_key(f"backtest-{result.summary['scope']}"),
        markdown=backtests.markdown(result.summary),
        description=f"Backtest: {result.summary['scope']}",
    )


@_acts("announce-changes")
def announce(outcome: Outcome) -> None:
    """Leave a Markdown artifact that says what changed and where the map is; those of one scope make a history."""
    beside = (("the map", f"{outcome.file.stem}.qgz"), ("the page", "sitrep.html"))
    there = [(what, outcome.file.with_name(name)) for what, name in beside if outcome.file.with_name(name).exists()]
    links = ", ".join(f"[{what}]({path.absolute().as_uri()})" for what, path in there)
    create_markdown_artifact(
        key=artifact_key(outcome.scope),
        markdown=f"{outcomes.markdown(outcome)}\n\nOpen {links}" if links else outcomes.markdown(outcome),
        description=f"What changed: {outcome.scope} at {outcomes.stamp(outcome.as_of)}",
    )


def artifact_key(scope: str) -> str:
    """Return the artifact's key: Prefect takes lower-case letters, digits and dashes.

    A scope that has other signs is told from its likes by the begin of its hash.
    """
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in scope.lower())
    if kept == scope.lower():
        return f"ceasewatch-{kept}"
    return f"ceasewatch-{kept.strip('-') or 'region'}-{hashlib.sha256(scope.encode()).hexdigest()[:8]}"
