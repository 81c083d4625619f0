"""How does a user ask what would have been said over a stretch of history?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pipelines.cli import common
from pipelines.cli.common import Command, Moment, put, say

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.backtest import Plan, Result

_UNITS: Final = {"d": 24 * 3600, "h": 3600, "m": 60, "s": 1}  # seconds


class Span(click.ParamType[timedelta]):
    """A length of time such as 6h, 1d or 90m."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 -- click's own signature
        """Return the span, or refuse the text with a sentence that says what to write."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9]\d{0,5})([dhms])", value)
        if found is None:
            self.fail(f"{value!r} is no length of time; write it as 6h, 1d or 90m", param, ctx)
        return timedelta(seconds=int(found.group(1)) * _UNITS[found.group(2)])


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--from", "begin", type=Moment(), required=True, help="The first step.")
@click.option("--to", "end", type=Moment(), required=True, help="No step is later than this.")
@click.option("--every", type=Span(), default="6h", show_default=True, help="From one step to the next: 6h, 1d, 90m.")
@click.option("--region", metavar="ID", help="Only incidents that touch this region.")
@click.option("--hindsight", is_flag=True, help="Speak of each step with all that is known now.")
@click.option(
    "--periods",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with period, start_utc, end_utc: count what opened in each.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder; default: backtest in WORKSPACE.")
@click.option("--plain", is_flag=True, help="The same computation without Prefect.")
def backtest(  # noqa: PLR0913, PLR0917 -- one for each option
    workspace: Path,
    begin: datetime,
    end: datetime,
    every: timedelta,
    region: str | None,
    hindsight: bool,  # noqa: FBT001
    periods: Path | None,
    out: Path | None,
    plain: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Step through the history of WORKSPACE: what would have been said at each moment, as it was known then.

    Writes steps.csv, revisions.csv, lineage.csv, incidents.csv and summary.json. Nothing is published.

    \b
    Example:
      ceasewatch backtest watch --from 2026-06-01T00:00Z --to 2026-06-11T00:00Z --every 6h
    """  # noqa: D301
    from pipelines.backtest import Plan, markdown, plain_values

    plan = Plan(begin, end, every, region, hindsight)
    folder = out or workspace / "backtest"
    result = perform(workspace, plan, folder, periods, plain=plain)
    if as_json:
        put({"folder": str(folder), **plain_values(result.summary)})
    else:
        click.echo(markdown(result.summary))
        click.echo(f"\n{folder / 'steps.csv'}: {len(result.steps):,} rows")


def perform(workspace: Path, plan: Plan, out: Path, periods: Path | None, *, plain: bool) -> Result:
    """Step through history in this process."""
    from pipelines import recall
    from pipelines.backtest import backtest as plainly
    from pipelines.edge import utc_now
    from pipelines.publications import Question
    from pipelines.workspace import Workspace

    place, last = Workspace.open(workspace), plan.moments[-1]
    for kind in place.remember(utc_now):
        say(f"The {kind} had been edited: its new version is recorded, and in force from now on.")
    recall.require(place, Question(last, last, plan.region), at=utc_now())
    common.show_progress()
    if plain:
        return plainly(place, plan, out=out, periods=periods, clock=utc_now)
    from pipelines.flows import hide_tracebacks
    from pipelines.flows.backtest import backtest_here
    from pipelines.flows.monitor import server

    if not click.get_current_context().meta["debug"]:
        hide_tracebacks()
    if server() is None:
        say("Starting Prefect's embedded server, which takes 6 to 10 s (--plain does without).")
    return backtest_here(place.path, plan, out=out, periods=periods)
