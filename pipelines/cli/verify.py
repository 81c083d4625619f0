"""How does a user find out whether a workspace is whole?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.common import OURS, Command, put, say


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.pass_context
def verify(ctx: click.Context, workspace: Path, as_json: bool) -> None:  # noqa: FBT001
    """Compute the hash chain, counts and raw files of WORKSPACE anew, and compare the last publications.

    The exit code is 1 when something is wrong.

    \b
    Example:
      ceasewatch verify watch
    """  # noqa: D301
    from pipelines.audit import audit
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    say("Reading the whole ledger anew")
    found = audit(place)
    if as_json:
        put({"whole": not found.problems, **asdict(found)})
    else:
        held = f"{found.counts['rows']:,} rows, {found.head.ledger_no:,} entries, {found.publications:,} publications"
        click.echo(f"{workspace}: {held}")
        click.echo(f"  head of the chain: {found.head.hash}")
        for sentence in (*found.erased, *found.problems):
            click.echo(f"  {sentence}")
        click.echo(f"  {len(found.problems)} problems" if found.problems else "  All is whole.")
    if found.problems:
        ctx.exit(OURS)
