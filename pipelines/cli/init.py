"""How does a user make a workspace?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.common import Command, put, say


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--theatre", required=True, metavar="DIR|NAME", help="A theatre's folder, or the name of a shipped one.")
@click.option(
    "--baseline", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GeoJSON of your own line."
)
@click.option(
    "--regions", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GeoJSON of your own regions."
)
@click.option("--replay", is_flag=True, help="History will be imported with the knowledge time of its sources.")
def init(
    workspace: Path,
    theatre: str,
    baseline: Path | None,
    regions: Path | None,
    replay: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make a WORKSPACE where one theatre is watched.

    \b
    Example:
      ceasewatch init watch --theatre ukraine-2026
    """  # noqa: D301
    from pipelines import geonames, settings
    from pipelines.edge import utc_now
    from pipelines.workspace import Workspace

    home = settings.find_theatre(theatre)
    files = settings.read_folder(home)
    name = Path(theatre).name
    if baseline is not None:
        files = settings.replace_baseline(files, baseline.read_bytes(), baseline.name)
    if regions is not None:
        files = settings.replace_regions(files, regions.read_bytes(), regions.name)
    if settings.PLACES not in files or baseline is not None or regions is not None:
        say("Looking up the names of places in GeoNames (geonames.org, CC BY 4.0), once.")
        files = geonames.with_places(files, name)
    made = Workspace.create(workspace, files, name, replay=replay, at=utc_now(), home=home)
    known = settings.load_theatre(files, name)
    declared = [source.id for source in known.sources]
    if as_json:
        put(
            {
                "workspace": str(made.path),
                "theatre": known.id,
                "title": known.title,
                "status": known.status,
                "sources": declared,
                "regions": len(known.regions),
                "places": len(known.places),
                "replay": replay,
            }
        )
        return
    click.echo(f"{made.path}: a workspace for “{known.title}” ({known.status}).")
    click.echo(f"  baseline   {known.baselines[0].length_m / 1000:,.0f} km")
    click.echo(f"  regions    {len(known.regions)}")
    click.echo(f"  places     {len(known.places):,} with a name (places.csv)")
    click.echo(f"  sources    {', '.join(declared)}")
    click.echo(f"Its settings are the files in {made.theatre}; they are yours to edit.")
    click.echo(f"Next: ceasewatch ingest {made.path} FILE…")
