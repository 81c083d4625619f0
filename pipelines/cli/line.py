"""How does a user say where the line runs now?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.common import QUARANTINED, Command, Moment, put

if TYPE_CHECKING:
    from pipelines.lines import Brought


class Day(Moment):
    """A day (from 00:00 UTC), or a moment with its offset from UTC; its value is aware UTC."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 -- click's own signature
        """Return the moment, or refuse the text with a sentence that says what to write."""
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            return super().convert(value, param, ctx)


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--date", "valid_from", type=Day(), help="From when it ran like that; default: the day in FILE's name.")
@click.option("--source", required=True, metavar="NAME", help="Who drew it.")
@click.option("--known-at", type=click.Choice(["observed"]), help="In a replay workspace: known from its date on.")
@click.pass_context
def line(
    ctx: click.Context,
    workspace: Path,
    file: Path,
    valid_from: datetime | None,
    source: str,
    known_at: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Say where the line ran on a day: FILE is GeoJSON, KML or GeoPackage.

    Each report is measured from the newest line not after it, beside the baseline, which stays as it is. A file without
    a usable line is recorded with the reason, the last good line goes on being used, and the exit code is 3.

    \b
    Example:
      ceasewatch line watch front_20260602.geojson --source survey
    """  # noqa: D301
    from pipelines.edge import utc_now
    from pipelines.lines import bring
    from pipelines.workspace import Workspace

    done = bring(
        Workspace.open(workspace),
        file,
        valid_from=valid_from,
        source=source,
        observed=known_at is not None,
        clock=utc_now,
    )
    if as_json:
        put(done.as_dict())
    else:
        tell(done)
    if done.entry.line.unusable is not None:
        ctx.exit(QUARANTINED)


def tell(done: Brought) -> None:
    """Print what became of the line, and which one is used."""
    told, drawn = done.as_dict(), done.entry.line
    if done.repeated:
        click.echo(f"{told['file']}: the same came before; nothing was added. Then:")
    if drawn.unusable is not None:
        click.echo(f"{told['file']}: no usable line of {drawn.name}: {drawn.unusable}.")
        instead = f"the line of {done.used.name}" if done.used else "nothing: no line is known, only the baseline"
        click.echo(f"  It is recorded with this reason. Used in its place: {instead}.")
        return
    click.echo(f"{told['file']}: the line of {drawn.name}; parts: {told['parts']:,}, vertices: {told['vertices']:,}.")
    for note in done.notes:
        click.echo(f"  Note: {note}.")
