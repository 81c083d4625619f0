"""How does a user look after the rows that were refused?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pipelines.cli.common import QUARANTINED, SHOWN, Command, put, table
from pipelines.edge import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.ledger import Known
    from pipelines.quarantine import Caught, Released

_KINDS = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")


class Change(click.ParamType[tuple[str, str]]):
    """A column and its value, as COLUMN=VALUE."""

    name = "column=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401 -- click's own signature
        """Return column, in lower case, and value."""
        column, sign, text = str(value).partition("=")
        if not sign or not column.strip():
            self.fail(f"{value!r} is no change; write it as COLUMN=VALUE, such as lat=47.9041", param, ctx)
        return column.strip().lower(), text


@click.group()
@click.argument("workspace", type=click.Path(path_type=Path))
@click.pass_context
def quarantine(ctx: click.Context, workspace: Path) -> None:
    """Look after the rows of WORKSPACE that were refused: list them, show one, let it in as a person mended it.

    \b
    Example:
      ceasewatch quarantine watch list
      ceasewatch quarantine watch show Q-17
      ceasewatch quarantine watch release Q-17 --set lat=47.9041 --who "First Reviewer" --why "asked the patrol"
    """  # noqa: D301
    ctx.obj = workspace


@quarantine.command("list", cls=Command)
@click.option("--source", metavar="ID", help="Only rows of this source.")
@click.option("--all", "everything", is_flag=True, help="Also rows that have been released.")
@click.pass_obj
def list_rows(workspace: Path, source: str | None, everything: bool, as_json: bool) -> None:  # noqa: FBT001
    """List the rows that wait, with the reason."""
    from pipelines import quarantine as rows
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    found = rows.every(place) if everything else rows.waiting(place)
    found = found if source is None else found[found["source"] == source]
    told = found.astype("object").where(found.notna(), None).to_dict("records")
    if as_json:
        put({"rows": told})
        return
    columns = ("quarantine_id", "source", "file", "batch_no", "row_no", "reason_code", "released_no", "reason")
    cells = [[plain(str(value)) if (value := row[name]) is not None else "" for name in columns] for row in told]
    names = ["row", "source", "file", "batch", "row of it", "code", "released by", "reason"]
    shown = cells if everything else [cell[:6] + cell[7:] for cell in cells]
    click.echo(table(names if everything else names[:6] + names[7:], shown[: 4 * SHOWN]))
    more = f" (the first {4 * SHOWN} are shown; --json gives all)" if len(told) > 4 * SHOWN else ""
    click.echo(f"{len(told):,} rows{more}")


@quarantine.command(cls=Command)
@click.argument("row", metavar="Q-N")
@click.pass_obj
def show(workspace: Path, row: str, as_json: bool) -> None:  # noqa: FBT001
    """Show one row with its own text. Whatever could steer the screen is written out as its escape."""
    from dataclasses import asdict

    from pipelines import quarantine as rows
    from pipelines.workspace import Workspace

    found = rows.show(Workspace.open(workspace), rows.number(row))
    raw = None if found.raw is None else found.raw.decode(errors="backslashreplace")
    if as_json:
        put({**asdict(found), "raw": raw})
        return
    came = f"row {found.row_no} of {found.file_name}, source {found.source}, batch {found.batch_no}"
    click.echo(f"Q-{found.quarantine_no}: {plain(came)}")
    click.echo(f"  {plain(found.reason_code)}: {plain(found.reason)}")
    said = ["(its text was erased on order)"] if raw is None else [raw]
    if raw is not None and found.reason_code in rows.UNDERSTOOD:
        said = raw.splitlines()
    click.echo("\n".join(f"    {plain(line)}" for line in said))
    if found.released_no is not None:
        click.echo(f"  Released by order {found.released_no}.")


@quarantine.command(cls=Command)
@click.argument("row", metavar="Q-N")
@click.option("--set", "changes", type=Change(), multiple=True, help="A column's mended value; may be given again.")
@click.option("--row", "text", metavar="TEXT", help="The whole mended row, in the form of its file.")
@click.option("--who", required=True, help="Who decides.")
@click.option("--why", required=True, help="Why.")
@click.option("--known-at", type=click.Choice(["observed", "reported"]), help="In a replay workspace; see ingest.")
@click.pass_obj
def release(  # noqa: PLR0913, PLR0917 -- one argument an option
    workspace: Path,
    row: str,
    changes: tuple[tuple[str, str], ...],
    text: str | None,
    who: str,
    why: str,
    known_at: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Let in a row as mended: it becomes a report of its source, from now on, after the same checks as any other."""
    from pipelines import quarantine as rows
    from pipelines.edge import utc_now
    from pipelines.workspace import Workspace

    done = rows.release(
        Workspace.open(workspace),
        rows.number(row),
        rows.Person(who, why),
        row=text,
        changes=dict(changes),
        known=cast("Known", known_at or "recorded"),
        clock=utc_now,
    )
    tell(done, as_json=as_json)
    if not as_json:
        click.echo(f"  Kept as {done.sha256}")


@quarantine.command(cls=Command)
@click.option("--source", required=True, metavar="ID", help="Whose rows.")
@click.option("--who", required=True, help="Who decides.")
@click.option("--why", required=True, help="Why.")
@click.pass_context
def deferred(ctx: click.Context, source: str, who: str, why: str, as_json: bool) -> None:  # noqa: FBT001
    """Let in, as they came, the rows of a source that were beyond its cap (per_hour in theatre.toml).

    The exit code is 3 if any of them still waits.
    """
    from pipelines import quarantine as rows
    from pipelines.edge import utc_now
    from pipelines.workspace import Workspace

    done = rows.release_deferred(Workspace.open(ctx.obj), source, rows.Person(who, why), utc_now)
    if as_json:
        late, left = [f"Q-{number}" for number in done.overtaken], [one.as_dict() for one in done.left]
        put({"released": [one.as_dict() for one in done.released], "overtaken": late, "left": left})
    else:
        tell_deferred(done, source)
    if done.overtaken or done.left:
        ctx.exit(QUARANTINED)


def tell_deferred(done: Caught, source: str) -> None:
    """Print what became of deferred rows."""
    for one in done.released:
        tell(one, as_json=False)
    if not done.released:
        click.echo(f"No row of {source!r} could be released.")
    if done.overtaken:
        late = _named([f"Q-{number}" for number in done.overtaken])
        click.echo(f"  {late}: their source has said more since; release them one by one, or not.")
    for left in done.left[:SHOWN]:
        click.echo(f"  {_named(left.as_dict()['rows'])}: left: {plain(left.reason)}")
    if len(done.left) > SHOWN:
        click.echo(f"  … and {len(done.left) - SHOWN:,} more left (--json gives all)")


def tell(done: Released, *, as_json: bool) -> None:
    """Print what became of released rows."""
    told = done.as_dict()
    if as_json:
        put(told)
        return
    counts = " + ".join(f"{told[kind]:,} {kind}" for kind in _KINDS if told[kind])
    click.echo(f"Released {_named(told['released'])}: {counts}, in batch {told['batch_no']}")


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
