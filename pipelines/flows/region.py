"""How does somebody ask for one region in Prefect's own pages?"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations

from prefect import flow
from pydantic import AwareDatetime  # noqa: TC002 -- likewise

from geo.policy import BroadReading, OpenReading, PersistReading, Readings
from pipelines.feeds.turn import TURN_S, turn
from pipelines.flows import orphans
from pipelines.flows.monitor import answer, planned
from pipelines.outcome import Outcome  # noqa: TC001 -- likewise
from pipelines.publications import Profile, Question
from pipelines.recall import latest
from pipelines.workspace import Workspace


@flow(name="region", flow_run_name="{region}", validate_parameters=True)
def region(  # noqa: PLR0913, PLR0917 -- one for each field of the form
    workspace: Path,
    region: str,
    as_of: AwareDatetime | None = None,
    known_at: AwareDatetime | None = None,
    profile: Profile = "internal",
    open_reading: OpenReading | None = None,
    open_n: int | None = None,
    persist_reading: PersistReading | None = None,
    broad_reading: BroadReading | None = None,
) -> Outcome:
    """Publish what one region looks like at a moment, with what was known then.

    Parameters
    ----------
    workspace
        Folder of the workspace.
    region
        Region that the answer is cut to.
    as_of
        The moment that the answer is about, with its offset from UTC; default: ``known_at``, else the present.
    known_at
        The moment of knowledge, with its offset from UTC; default: all that is known.
    profile
        ``shared``: only what may leave the cell, as late as the policy asks for.
    open_reading
        What opens a breach, if that is not read as the policy says: any violation, or only one that is ``repeated``.
        With any reading that is not the policy's the answer stands in ``otherwise/`` and is no publication.
    open_n
        Which violation opens it where that is ``repeated``.
    persist_reading
        When hostilities persist, if not as the policy says: a violation at or after the first 24 hours, or also one in
        the ``window`` before.
    broad_reading
        When the co-ordinated response takes effect, if not as the policy says: at the ``earliest`` from 72 hours on at
        which hostilities are going on, or when eligible, with 72 hours as the ``deadline``.
    """
    orphans.claim()
    orphans.clear()
    place = Workspace.open(workspace)
    with turn(place, wait_s=TURN_S):
        moment = as_of or known_at or latest(place, profile, planned())
        knowledge = known_at.astimezone(UTC) if known_at else None
        readings = Readings(
            open_reading=open_reading, open_n=open_n, persist_reading=persist_reading, broad_reading=broad_reading
        )
        asked = Question(moment.astimezone(UTC), knowledge, region, profile=profile, readings=readings)
        return answer(place, asked, None)
