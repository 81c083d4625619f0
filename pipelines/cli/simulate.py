"""How does a user get reports whose truth is known?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.common import Command, Moment, put

if TYPE_CHECKING:
    from datetime import datetime


@click.command(cls=Command)
@click.argument("theatre", metavar="DIR|NAME")
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The same number gives the same reports.")
@click.option("--days", type=click.IntRange(min=1), required=True, help="Length of the ceasefire that is played.")
@click.option("--reports", type=click.IntRange(min=1), help="Rows in all: background is added around the stories.")
@click.option("--start", type=Moment(), help="Begin; default: that of the theatre's last open window.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the files.")
def simulate(
    theatre: str,
    seed: int,
    days: int,
    reports: int | None,
    start: datetime | None,
    out: Path,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Play a ceasefire on a theatre: a CSV for each source, and truth.json with what really happened.

    \b
    Example:
      ceasewatch simulate ukraine-2026 --seed 1 --days 10 --out simulated
    """  # noqa: D301
    from pipelines import settings, simulator

    files = settings.read_folder(settings.find_theatre(theatre))
    known, policy = settings.load_theatre(files, theatre), settings.load_policy(files, theatre)
    made = simulator.simulate(known, policy, seed=seed, days=days, start=start, reports=reports)
    paths = simulator.write(made, out)
    rows = {source: len(frame) for source, frame in made.rows.items()}
    as_of = made.truth.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
    if as_json:
        put(
            {
                "files": [str(path) for path in paths],
                "rows": rows,
                "as_of": as_of,
                "incidents": len(made.truth.incidents),
            }
        )
        return
    for path in paths:
        click.echo(f"{path}" + (f": {rows[path.stem]:,} rows" if path.stem in rows else ": the truth"))
    click.echo(f"The simulation ends at {as_of}; {len(made.truth.incidents)} incidents are true at that moment.")
