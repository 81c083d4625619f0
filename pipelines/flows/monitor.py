"""How does Prefect watch a theatre or a region?"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 -- Prefect validates parameters by these annotations
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations
from typing import Final, TypeVar

import httpx
from prefect import flow, runtime
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, get_current_settings, temporary_settings
from pydantic import AwareDatetime  # noqa: TC002 -- likewise

from geo.errors import PolicyError
from geo.policy import AS_IT_SAYS, Readings
from pipelines import reuse, watch, yearly
from pipelines.edge import utc_now, version
from pipelines.flows import orphans, tasks
from pipelines.imprint import WHOLE
from pipelines.outcome import Outcome, stamp
from pipelines.publications import Profile, Question
from pipelines.recall import latest
from pipelines.workspace import Workspace

R = TypeVar("R")
_UNREACHABLE: Final = ("Failed to reach API", "Timed out while attempting to connect")


def _run_name() -> str:
    asked = runtime.flow_run.parameters
    moment = asked.get("as_of") or asked.get("known_at")
    return f"{asked.get('region') or WHOLE} at {stamp(moment) or 'the present'}"


@flow(name="monitor", flow_run_name=_run_name, validate_parameters=True)
def monitor(
    workspace: Path,
    region: str | None = None,
    as_of: AwareDatetime | None = None,
    known_at: AwareDatetime | None = None,
    out: Path | None = None,
    profile: Profile = "internal",
    readings: Readings = AS_IT_SAYS,
) -> Outcome:
    """Publish what the theatre looks like at a moment, with what was known then.

    Parameters
    ----------
    workspace
        Folder of the workspace.
    region
        Region that the answer is cut to; without one, the whole theatre.
    as_of
        The moment that the answer is about, with its offset from UTC; default: ``known_at``, else the time for which
        this run was scheduled.
    known_at
        The moment of knowledge, with its offset from UTC; default: all that is known.
    out
        Folder to publish into; default: the workspace's own place for the scope, or beside it where what stands there
        speaks of a later moment.
    profile
        ``shared``: only what may leave the cell, as late as the policy asks for.
    readings
        How the plan is read where that is not left to the policy.
    """
    orphans.claim()
    place = Workspace.open(workspace)
    moment = as_of or known_at or latest(place, profile, planned())
    asked = is_scheduled() and as_of is None and known_at is None
    knowledge = known_at.astimezone(UTC) if known_at else None
    return answer(place, Question(moment.astimezone(UTC), knowledge, region, asked, profile, readings), out)


def answer(place: Workspace, question: Question, out: Path | None) -> Outcome:
    """Publish the answer to a question, step by step, within a flow run."""
    tasks.remember(place, utc_now)
    tasks.heed(place, utc_now, question.region)
    anew = watch.elsewhere(question, out)
    recalled = tasks.recall(place, question, version=version(), at=utc_now(), anew=anew)
    whole = tasks.judge(recalled.now, question.as_of)
    if reuse.is_off(recalled.kept, whole):
        recalled = tasks.recall(place, question, version=version(), at=utc_now(), anew=True)
        whole = tasks.judge(recalled.now, question.as_of)
    late = tasks.compare(recalled, whole)
    recalled = yearly.lean(recalled)
    content = tasks.compose(recalled, whole, late)
    published = tasks.publish(place, recalled, content, watch.target(place, recalled, out))
    outcome = tasks.report(recalled, content, published, watch.silent(place, question, utc_now()))
    del content  # what is left to do takes room
    tasks.record(place, recalled, outcome, late, published, clock=utc_now)
    tasks.settle(place, recalled, whole, published)
    tasks.announce(outcome)
    return outcome


def monitor_here(
    workspace: Path,
    *,
    region: str | None,
    as_of: datetime | None,
    known_at: datetime | None,
    out: Path | None,
    profile: Profile = "internal",
    readings: Readings = AS_IT_SAYS,
) -> Outcome:
    """Run the flow once, in this process.

    Heartbeats tell a server that a scheduled run is alive; here they would only add a second to each run.

    Raises
    ------
    PolicyError
        If no Prefect server answers, or the run itself refuses what it was asked.
    """
    return here(
        lambda: monitor(
            workspace, region=region, as_of=as_of, known_at=known_at, out=out, profile=profile, readings=readings
        )
    )


def here(run: Callable[[], R]) -> R:
    """Run a flow once, in this process, after putting in order what killed runs have left with Prefect.

    Raises
    ------
    PolicyError
        If no Prefect server answers, or the run itself refuses what it was asked.
    """
    orphans.sign()
    try:
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            orphans.clear()
            return run()
    except RuntimeError as fault:
        if not str(fault).startswith(_UNREACHABLE):
            raise
        way = "start it, or unset PREFECT_API_URL" if server() else "try again when the machine is less busy"
        said = str(fault).replace(get_current_settings().api.url or "", server() or "")
        msg = f"no Prefect server answers ({said}); {way}, or run with --plain"
        raise PolicyError(msg) from fault


def server() -> str | None:
    """Return the address of the user's own Prefect server to be shown: without a name and password that stand in it.

    ``None``: the embedded one will be started.
    """
    address = get_current_settings().api.url
    return None if address is None else str(httpx.URL(address).copy_with(userinfo=b""))


def planned() -> datetime:
    """Return the time for which this flow run was scheduled, aware UTC, in whole seconds; else the present."""
    told = runtime.flow_run.scheduled_start_time or utc_now()
    # Prefect's moments are of a class of its own, which cannot be reckoned with like others.
    return datetime.fromtimestamp(int(told.timestamp()), UTC)


def is_scheduled() -> bool:
    """Tell whether a schedule asked for this flow run, and no person."""
    return "auto-scheduled" in runtime.flow_run.tags
