"""Which steps of a run does Prefect see?

Each is a step of ``pipelines.watch`` with a name. Frames pass between them, so nothing is cached; only the steps that
touch the world are tried again, and never where a person has to mend something first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from geo.errors import CeasewatchError
from pipelines import outcome as outcomes
from pipelines import recall as recalls
from pipelines import watch
from pipelines.ledger import LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Callable

    from prefect import Task
    from prefect.client.schemas.objects import TaskRun
    from prefect.states import State

RETRIES: Final = 2
RETRY_AFTER_S: Final = 3.0


def worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Tell whether trying again can help: not where settings or data are wrong, but where the ledger was busy."""
    fault = state.result(raise_on_failure=False)
    return isinstance(fault, LedgerBusy) or not isinstance(fault, CeasewatchError)


def _step(name: str, of: Callable[..., Any], *, touches: bool = False) -> Task[..., Any]:
    made = task(of, name=name, task_run_name=name, cache_policy=NO_CACHE)
    if not touches:
        return made
    return made.with_options(retries=RETRIES, retry_delay_seconds=RETRY_AFTER_S, retry_condition_fn=worth_retrying)


def _announce(outcome: outcomes.Outcome) -> None:
    create_markdown_artifact(
        key=artifact_key(outcome.scope),
        markdown=outcomes.markdown(outcome),
        description=f"What changed: {outcome.scope} at {outcomes.stamp(outcome.as_of)}",
    )


def artifact_key(scope: str) -> str:
    """Return the artifact's key: Prefect takes lower-case letters, digits and dashes."""
    kept = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in scope.lower())
    return f"ceasewatch-{kept.strip('-') or 'region'}"


remember = _step("remember-settings", lambda workspace, clock: workspace.remember(clock), touches=True)
recall = _step("recall-ledger", recalls.recall, touches=True)
judge = _step("assess-theatre", watch.judge)
compare = _step("compare-with-last-publication", watch.compare)
compose = _step("compose-layers", watch.compose)
publish = _step("publish-geopackage", watch.publish, touches=True)
report = _step("report-outcome", watch.report)
record = _step("record-publication", watch.record, touches=True)
announce = _step("announce-changes", _announce)
