"""How does a user let a workspace look after itself?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.backtest import Span
from pipelines.cli.common import Command, put, say, table

if TYPE_CHECKING:
    from datetime import timedelta


class Hour(click.ParamType[tuple[int, int]]):
    """An hour and minute of the day, UTC, such as 03:10."""

    name = "hour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401 -- click's own signature
        """Return hour and minute, or refuse the text with a sentence that says what to write."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", value)
        if found is None:
            self.fail(f"{value!r} is no hour of the day; write it as 03:10", param, ctx)
        return int(found.group(1)), int(found.group(2))


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--every", type=Span(), default="15m", show_default=True, help="From one ingestion and run to the next.")
@click.option(
    "--nightly", type=Hour(), default="03:10", show_default=True, help="When the backtest and the copy run, UTC."
)
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="How far back it goes.")
@click.option("--backups", type=click.Path(file_okay=False, path_type=Path), help="Folder for a copy each night.")
@click.option("--keep", type=click.IntRange(min=1), default=7, show_default=True, help="How many copies are kept.")
def serve(
    workspace: Path,
    every: timedelta,
    nightly: tuple[int, int],
    days: int,
    backups: Path | None,
    keep: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Keep the schedules of WORKSPACE until told to end: ingestion and run, a backtest each night, regions on request.

    It needs a Prefect server at PREFECT_API_URL, where runs can be seen, and regions asked for in a form.

    \b
    Example:
      ceasewatch serve watch --every 15m --backups /media/disk/copies
    """  # noqa: D301
    from pipelines.flows.deployments import Times, deployments
    from pipelines.flows.serving import alone, require_server
    from pipelines.flows.serving import serve as attend
    from pipelines.workspace import Workspace, name_of

    place, copies = Workspace.open(workspace), None if backups is None else str(backups.resolve())
    times = Times(every, *nightly, days, copies, keep)
    address = require_server()
    planned = [(f"{one.flow.name}/{name_of(place.path)}", one.when) for one in deployments(str(place.path), times)]
    with alone(place) as crashed:
        for run in crashed:
            say(f"Marked as crashed, since its process is gone: {run.name}")
        if as_json:
            put({"server": address, "deployments": dict(planned), "crashed": [str(run.id) for run in crashed]})
        else:
            click.echo(f"{place.path}: served with the Prefect server at {address}; end it with Ctrl-C")
            click.echo(table(["deployment", "when"], planned))
        attend(place, times)
