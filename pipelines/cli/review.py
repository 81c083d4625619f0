"""How does a person decide?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.common import QUARANTINED, Command, Moment, answers, put

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.reviews import Brought
    from pipelines.workspace import Workspace


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE.csv")
@click.option("--as-of", type=Moment(), help="The moment that the answers are for; default: now.")
@click.option("--known-at", type=click.Choice(["decided"]), help="In a replay workspace: known from their time on.")
@click.pass_context
def review(
    ctx: click.Context,
    workspace: Path,
    file: Path,
    as_of: datetime | None,
    known_at: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Record what people decided: FILE.csv has a command in each row.

    Its columns are command, target, value, violations, reviewer, reason, at, expires. Every row is recorded, and
    answered: applied, or rejected with the reason; the exit code is 3 when one was rejected.

    \b
    Example:
      ceasewatch review watch decisions.csv
    """  # noqa: D301
    from pipelines.edge import utc_now
    from pipelines.reviews import bring
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    done = bring(place, file, decided=known_at is not None, clock=utc_now)
    told = _answers(place, done, as_of or utc_now())
    if as_json:
        put({"file": done.file, "rows": len(done.numbers), "new": done.new, "answers": told})
    else:
        click.echo(f"{done.file}: {len(done.numbers):,} commands, {done.new:,} new")
        click.echo(answers(told))
    if any(row["answer"] == "rejected" for row in told):
        ctx.exit(QUARANTINED)


def _answers(place: Workspace, done: Brought, as_of: datetime) -> list[dict[str, Any]]:
    from pipelines.outcome import ANSWERED, records
    from pipelines.recall import memory
    from pipelines.watch import judge

    with place.ledger() as ledger:
        known = memory(place, ledger, None, None)
    table = judge(known, as_of).tables["reviews"]
    return records(table.loc[table["ledger_no"].isin(list(done.numbers)), list(ANSWERED)])
