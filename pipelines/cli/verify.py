"""How does a user find out whether a workspace is whole?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.common import OURS, Command, put, say


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--against", multiple=True, metavar="HEAD", help="A head that was printed or published before.")
@click.pass_context
def verify(ctx: click.Context, workspace: Path, against: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Compute the hash chain, counts and raw files of WORKSPACE anew, and compare the last publications.

    The exit code is 1 when something is wrong. Only a head kept elsewhere (ingest, run and verify print it; the table
    `run` of every map has it as ledger_head) tells whether the past was rewritten as a whole, or cut off at its end.

    \b
    Example:
      ceasewatch verify watch
      ceasewatch verify watch --against 5f1d…c9
    """  # noqa: D301
    from pipelines.audit import audit
    from pipelines.workspace import Workspace

    for head in against:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", head.strip()):
            msg = f"--against {head}: a head has 64 hex digits; give all of it, as ingest, run and verify print it"
            raise click.UsageError(msg)
    place = Workspace.open(workspace)
    say("Reading the whole ledger anew")
    found = audit(place, against)
    if as_json:
        put({"whole": not found.problems, **asdict(found)})
    else:
        held = f"{found.counts['rows']:,} rows, {found.head.ledger_no:,} entries, {found.publications:,} publications"
        click.echo(f"{workspace}: {held}")
        click.echo(f"  head of the chain: {found.head.hash}")
        stood = [head for head in against if not any(head.strip().lower() in problem for problem in found.problems)]
        for head in stood:
            click.echo(f"  it stood at {head}, and what had been recorded by then is as it was")
        for sentence in (*found.erased, *found.problems):
            click.echo(f"  {sentence}")
        click.echo(f"  {len(found.problems)} problems" if found.problems else "  All is whole.")
    if found.problems:
        ctx.exit(OURS)
