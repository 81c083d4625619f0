"""How does somebody ask for one region in Prefect's own pages?"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations

from prefect import flow
from pydantic import AwareDatetime  # noqa: TC002 -- likewise

from pipelines.feeds.turn import TURN_S, turn
from pipelines.flows import orphans
from pipelines.flows.monitor import answer, planned
from pipelines.outcome import Outcome  # noqa: TC001 -- likewise
from pipelines.publications import Profile, Question
from pipelines.recall import latest
from pipelines.workspace import Workspace


@flow(name="region", flow_run_name="{region}", validate_parameters=True)
def region(
    workspace: Path,
    region: str,
    as_of: AwareDatetime | None = None,
    known_at: AwareDatetime | None = None,
    profile: Profile = "internal",
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
    """
    orphans.claim()
    orphans.clear()
    place = Workspace.open(workspace)
    with turn(place, wait_s=TURN_S):
        moment = as_of or known_at or latest(place, profile, planned())
        knowledge = known_at.astimezone(UTC) if known_at else None
        return answer(place, Question(moment.astimezone(UTC), knowledge, region, profile=profile), None)
