"""How does a user see it all at once?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipelines.cli.common import Command, put, say

if TYPE_CHECKING:
    from pipelines.outcome import Outcome
    from pipelines.simulator import Simulation
    from pipelines.workspace import Workspace

THEATRE: Final = "ukraine-2026"
SEED: Final = 1
DAYS: Final = 10
MARK: Final = ".ceasewatch-demo"


@click.command(cls=Command)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), metavar="[DIR]")
@click.option("--plain", is_flag=True, help="Run without Prefect.")
def demo(folder: Path, plain: bool, as_json: bool) -> None:  # noqa: FBT001
    """Watch a simulated ceasefire, from its first report to the map, in DIR (default: demo).

    Ten days are played, reported by several sources, brought in and assessed. Doing it again adds nothing.

    \b
    Example:
      ceasewatch demo
    """  # noqa: D301
    _claim(folder)
    say(f"1/4  a workspace for {THEATRE}, in {folder / 'workspace'}")
    place = _workspace(folder / "workspace")
    say(f"2/4  {DAYS} simulated days, in {folder / 'reports'}")
    simulation, files = _simulate(folder / "reports")
    say("3/4  the reports of each source, into the ledger")
    _ingest(place, files)
    say("4/4  the answer")
    outcome = _run(place, simulation, plain=plain)
    if as_json:
        put({"workspace": str(place.path), "reports": [str(file) for file in files], "run": outcome.as_dict()})
    else:
        _tell(place, outcome)


def _claim(folder: Path) -> None:
    """Take the folder for the demo, if it is empty or a demo's already; nothing in it is ever removed."""
    from geo.errors import PolicyError

    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        msg = f"{folder} is not empty and no demo; name a folder that does not exist yet: ceasewatch demo OTHER"
        raise PolicyError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _workspace(path: Path) -> Workspace:
    from pipelines import settings
    from pipelines.edge import utc_now
    from pipelines.workspace import Workspace

    if path.exists():
        return Workspace.open(path)
    files = settings.read_folder(settings.find_theatre(THEATRE))
    return Workspace.create(path, files, THEATRE, replay=True, at=utc_now())


def _simulate(folder: Path) -> tuple[Simulation, list[Path]]:
    from pipelines import settings, simulator

    files = settings.read_folder(settings.find_theatre(THEATRE))
    theatre, policy = settings.load_theatre(files, THEATRE), settings.load_policy(files, THEATRE)
    simulation = simulator.simulate(theatre, policy, seed=SEED, days=DAYS)
    return simulation, [path for path in simulator.write(simulation, folder) if path.suffix == ".csv"]


def _ingest(place: Workspace, files: list[Path]) -> None:
    from pipelines.edge import utc_now
    from pipelines.intake import in_turn

    for file, ingest in zip(files, in_turn(place, files, source_id=None, known="reported", clock=utc_now), strict=True):
        done = ingest()
        say(f"     {file.name}: " + ("known already" if done.batch.repeated else f"{done.batch.rows:,} rows"))


def _run(place: Workspace, simulation: Simulation, *, plain: bool) -> Outcome:
    from pipelines.cli.run import Request, perform

    moment = simulation.truth.as_of
    return next(iter(perform(place, Request(moment, moment, (None,), None), plain=plain)))


def _tell(place: Workspace, outcome: Outcome) -> None:
    from pipelines.cli.run import tell

    tell(outcome)
    worst = outcome.incidents.sort_values("tier_peak", ascending=False, kind="stable")["incident_id"]
    regions = _regions(outcome)
    click.echo("")
    click.echo("Where to look")
    click.echo(f"  the page     open {outcome.file.with_name('sitrep.html')} in a browser")
    click.echo(f"  the map      open {outcome.file.with_suffix('.qgz')} in QGIS")
    if len(worst):
        click.echo(f"  the reasons  ceasewatch explain {place.path} {worst.iloc[0]}")
    click.echo(f"  one region   ceasewatch run {place.path} --region {regions} --known-at {outcome.as_dict()['as_of']}")
    click.echo(f"  the truth    {place.path.parent / 'reports' / 'truth.json'}")


def _regions(outcome: Outcome) -> str:
    from pipelines.layers import read_table

    regions = read_table(outcome.file, "regions").sort_values(["violations_7d", "region_id"], ascending=[False, True])
    return str(regions["region_id"].iloc[0]) if len(regions) else "ID"
