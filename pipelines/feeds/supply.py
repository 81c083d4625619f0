"""Which ways in does the theatre in force declare?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import settings
from pipelines.settings.files import THEATRE

if TYPE_CHECKING:
    from pipelines.settings import Supply
    from pipelines.workspace import Clock, Workspace


def supply(workspace: Workspace, clock: Clock) -> Supply:
    """Return what stands in the workspace's theatre folder, once it is in force.

    Raises
    ------
    PolicyError
        If the files are not sound.
    """
    workspace.remember(clock)
    return declared(workspace)


def declared(workspace: Workspace) -> Supply:
    """Return what stands in the workspace's theatre folder.

    Raises
    ------
    PolicyError
        If ``theatre.toml`` is not sound.
    """
    return settings.load_supply({THEATRE: (workspace.theatre / THEATRE).read_bytes()}, str(workspace.theatre))
