"""How does a user bring reports in?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from pipelines.cli.common import QUARANTINED, Command, put, say

if TYPE_CHECKING:
    from pipelines.intake import Ingested
    from pipelines.ledger import Known


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE…"
)
@click.option("--source", metavar="ID", help="Declared source; default: told by the file's name, then its extension.")
@click.option(
    "--known-at",
    type=click.Choice(["observed", "reported"]),
    help="In a replay workspace: each row was known when it was observed, or reported.",
)
@click.pass_context
def ingest(
    ctx: click.Context,
    workspace: Path,
    files: tuple[Path, ...],
    source: str | None,
    known_at: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Bring each FILE into the ledger of WORKSPACE.

    Its bytes are kept before it is read. Every row is accounted for; rows that cannot be trusted are quarantined with
    the reason, and the exit code is 3.

    \b
    Example:
      ceasewatch ingest watch reports.csv --source csv
    """  # noqa: D301
    from pipelines.jail.guard import prepare

    prepare()  # beside what is loaded next
    from pipelines.edge import utc_now
    from pipelines.intake import ingest as bring
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    done = []
    for file in files:
        say(f"{file.name}: reading")
        done.append(bring(place, file, source_id=source, known=cast("Known", known_at or "recorded"), clock=utc_now))
        if not as_json:
            tell(done[-1])
    if as_json:
        put({"files": [one.as_dict() for one in done]})
    if any(one.batch.quarantined for one in done):
        ctx.exit(QUARANTINED)


def tell(done: Ingested) -> None:
    """Print what became of a file."""
    for kind in done.versions:
        click.echo(f"The {kind} had been edited: its new version is recorded, and in force from now on.")
    if done.batch.repeated:
        click.echo(
            f"{done.file_name}: the same bytes came before, as batch {done.batch.batch_no}; nothing was added. Then:"
        )
    counts = {name: number for name, number in done.as_dict().items() if name in _KINDS and number}
    sums = " + ".join(f"{number:,} {name}" for name, number in counts.items()) or "no rows"
    click.echo(f"{done.file_name} ({done.source}): {done.batch.rows:,} rows = {sums}")
    for code, number, sentence, rows in done.reasons():
        listed = ", ".join(map(str, rows)) + (", …" if number > len(rows) else "")
        click.echo(f"  {code}: {number:,} ({'row' if number == 1 else 'rows'} {listed})")
        click.echo(f"    {sentence}")
    for note in done.notes:
        click.echo(f"  Note: {note}")
    if done.batch.quarantined:
        click.echo("  Mend these rows in the file and ingest it again: what is known already is counted as duplicate.")


_KINDS = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
