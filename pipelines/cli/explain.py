"""How does a user ask why?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Command, Moment, put

if TYPE_CHECKING:
    from datetime import datetime


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--as-of", type=Moment(), help="The moment spoken of; default: that of the last publication.")
@click.option("--known-at", type=Moment(), help="Only what was known by then; default: as the last publication.")
@click.option("--markdown", is_flag=True, help="Print the dossier as Markdown.")
@click.option("--all", "every", is_flag=True, help="List all reports of each step.")
def explain(
    workspace: Path,
    name: str,
    as_of: datetime | None,
    known_at: datetime | None,
    markdown: bool,  # noqa: FBT001
    every: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Say why an incident (B-n) is at its tier, with its sources.

    Candidates (C-n), violations (V-n), reports (R-n) and decisions of people (D-n) can be asked for too; of a name that
    was published once and is no more, it says what became of it.

    \b
    Example:
      ceasewatch explain watch B-104
    """  # noqa: D301
    from pipelines.edge import utc_now
    from pipelines.explain import explain as reason
    from pipelines.explain.dossier import dossier
    from pipelines.explain.text import tell
    from pipelines.workspace import Workspace

    told = reason(Workspace.open(workspace), name, as_of=as_of, known_at=known_at, at=utc_now())
    if as_json:
        put(told)
    elif markdown:
        click.echo(dossier(told))
    else:
        click.echo(tell(told, every=every))
