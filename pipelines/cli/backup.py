"""How does a user make a copy that can be trusted?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.common import Command, put


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("to", type=click.Path(path_type=Path), metavar="TO")
def backup(workspace: Path, to: Path, as_json: bool) -> None:  # noqa: FBT001
    """Copy WORKSPACE to the new folder TO, consistent while runs go on, and verify the copy.

    The copy is a workspace: to restore, put it where the old one was, or use it where it is. Maps and the inbox are
    left out; the next run makes the maps.

    \b
    Example:
      ceasewatch backup watch /media/disk/watch-0611
    """  # noqa: D301
    from pipelines.backup import backup as copy
    from pipelines.workspace import Workspace

    done = copy(Workspace.open(workspace), to)
    if as_json:
        put({"path": str(done.path), "head": done.head.hash, "rows": done.rows, "files": done.files})
    else:
        click.echo(f"{done.path}: {done.rows:,} rows, {done.head.ledger_no:,} entries, {done.files:,} files; all whole")
        click.echo(f"  head of the chain: {done.head.hash}")
