"""How does Prefect keep copies of a workspace?"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 -- Prefect validates parameters by these annotations
from typing import Annotated

from prefect import flow
from prefect.logging import get_run_logger
from pydantic import Field

from pipelines.backup import made_since, rotate
from pipelines.edge import utc_now
from pipelines.feeds.turn import COPYING, TURN_S, turn
from pipelines.flows import orphans
from pipelines.flows.monitor import planned
from pipelines.workspace import Workspace


@flow(name="nightly-backup", flow_run_name="nightly backup", validate_parameters=True)
def backups(workspace: Path, folder: Path, keep: Annotated[int, Field(ge=1)] = 7) -> str:
    """Copy the workspace into a folder, verified, and remove the oldest of its copies there; once after it was due.

    Parameters
    ----------
    workspace
        Folder of the workspace; runs may go on meanwhile.
    folder
        Where the copies stand, best on another disk.
    keep
        How many are kept.
    """
    orphans.claim()
    place, due = Workspace.open(workspace), planned()
    with turn(place, COPYING, wait_s=TURN_S):
        # Runs that were missed would all copy the same present, and each push a night out that is not to be had again.
        made = made_since(place, folder, due, utc_now())
        if made is not None:
            get_run_logger().info("%s: made after this run was due; nothing is copied again", made)
            return str(made)
        done = rotate(place, folder, keep=keep, at=utc_now())
    get_run_logger().info("%s: %s rows, whole; head of the chain: %s", done.path, f"{done.rows:,}", done.head.hash)
    return str(done.path)
