"""How does a user bring reports in?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from pipelines.cli.common import QUARANTINED, Command, put, say

if TYPE_CHECKING:
    from pipelines.feeds.inbox import Found
    from pipelines.feeds.rounds import Asked
    from pipelines.intake import Ingested
    from pipelines.ledger import Known
    from pipelines.workspace import Workspace


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE…]")
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
    """Bring each FILE into the ledger of WORKSPACE; without FILE, what lies in its inbox and what its feeds have.

    Its bytes are kept before it is read. Every row is accounted for; rows that cannot be trusted are quarantined with
    the reason, and the exit code is 3. The inbox has a folder for each source, such as inbox/csv/: a file is taken
    when it rests, and then removed; one that cannot be read goes to inbox/_refused/ with the reason.

    \b
    Example:
      ceasewatch ingest watch reports.csv --source csv
    """  # noqa: D301
    from pipelines.edge import utc_now
    from pipelines.intake import ingest as bring
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    if not files:
        if source is not None:
            msg = "--source goes with FILE; in the inbox the folder is the source"
            raise click.UsageError(msg)
        empty(ctx, place, cast("Known", known_at or "recorded"), as_json=as_json)
        return
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


def empty(ctx: click.Context, place: Workspace, known: Known, *, as_json: bool) -> None:
    """Take what lies in the inbox, ask the feeds, and say what became of each."""
    from pipelines.edge import utc_now
    from pipelines.feeds.inbox import take
    from pipelines.feeds.rounds import go_round
    from pipelines.feeds.turn import turn
    from pipelines.workspace import WAIT_S

    found, asked = [], []
    with turn(place, wait_s=WAIT_S):
        for one in take(place, utc_now, known=known):
            found.append(one)
            if not as_json:
                tell_found(one)
        for feed in go_round(place, utc_now):
            asked.append(feed)
            if not as_json:
                tell_asked(feed)
    if as_json:
        put({"inbox": [one.as_dict() for one in found], "feeds": [feed.as_dict() for feed in asked]})
    elif not found and not asked:
        click.echo(f"{place.path / 'inbox'}: nothing lies there; put files into the folder of their source.")
    done = [*(one.done for one in found), *(feed.done for feed in asked)]
    amiss = any(one.fate == "refused" for one in found) or any(feed.health.heard == "failed" for feed in asked)
    if amiss or any(one.batch.quarantined for one in done if one):
        ctx.exit(QUARANTINED)


def tell_found(found: Found) -> None:
    """Print what became of one thing in the inbox."""
    if found.done is not None:
        tell(found.done)
    elif found.fate == "refused":
        click.echo(f"{found.name}: refused, and moved to inbox/_refused/: {found.reason}")
    else:
        click.echo(f"{found.name}: left: {found.reason}")


def tell_asked(asked: Asked) -> None:
    """Print what came of asking a feed."""
    health = asked.health
    if asked.done is not None:
        tell(asked.done)
    click.echo(f"feed {health.feed}: {health.heard}" + (f": {health.reason}" if health.reason else ""))
    if health.stale:
        click.echo(f"  stale: nothing new since {health.since:%Y-%m-%d %H:%MZ}")


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
