"""How does Prefect take in what came, and then watch?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations

from prefect import flow

from pipelines.edge import utc_now, whole_second
from pipelines.feeds.turn import TURN_S, turn
from pipelines.flows import events, orphans, tasks
from pipelines.flows.monitor import answer, is_scheduled, planned
from pipelines.outcome import Outcome, stamp
from pipelines.publications import Question
from pipelines.workspace import Workspace


def _run_name() -> str:
    return f"ingestion for {stamp(planned())}"


@flow(name="ingestion", flow_run_name=_run_name, validate_parameters=True)
def ingestion(workspace: Path, every_s: float | None = None) -> Outcome:
    """Take in what lies in the inbox and what the feeds have, and publish what the theatre then looks like.

    Parameters
    ----------
    workspace
        Folder of the workspace.
    every_s
        From one run to the next, seconds. A run that starts so late after its time catches up: it is about that time.
        Left out, or in time: it is about the present, once everything is taken in.
    """
    orphans.claim()
    orphans.clear()
    place = Workspace.open(workspace)
    with turn(place, wait_s=TURN_S):
        tasks.take_inbox(place, utc_now)
        events.tell_feeds(place, tasks.ask_feeds(place, utc_now))
        tasks.heed(place, utc_now, None)  # what people decided by now is no hindsight either
        about = moment(planned(), utc_now(), None if every_s is None else timedelta(seconds=every_s))
        outcome = answer(place, Question(about, scheduled=is_scheduled()), None)
    events.tell(outcome)
    return outcome


def moment(due: datetime, now: datetime, every: timedelta | None) -> datetime:
    """Return the moment that a run is about, aware UTC, in whole seconds."""
    if every is not None and now - due >= every:
        return due.astimezone(UTC)
    return whole_second(now)
