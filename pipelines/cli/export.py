"""How does a user take a publication to other programs?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.common import Command, put

if TYPE_CHECKING:
    from pipelines.publications import Profile

PARTITIONS = "geoparquet"


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option(
    "--to", "form", type=click.Choice(["geojson", "acled-csv", PARTITIONS]), default="geojson", show_default=True
)
@click.option("--layer", metavar="NAME", help="GeoJSON: which layer or table; default: incidents.")
@click.option("--region", metavar="ID", help="The region's own publication.")
@click.option(
    "--profile", type=click.Choice(["internal", "shared"]), default="internal", show_default=True,
    help="The publication for the cell, or the one that may leave it.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="File, default: stdout; GeoParquet: a new folder.")
def export(
    workspace: Path,
    form: str,
    layer: str | None,
    region: str | None,
    profile: Profile,
    out: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write the last publication of WORKSPACE as GeoJSON, its violations in the columns of ACLED, or its reports,
    violations and incidents as GeoParquet by month.

    \b
    Example:
      ceasewatch export watch --layer violations --out violations.geojson
      ceasewatch export watch --to geoparquet --out months
    """  # noqa: D205, D301
    from pipelines import layers

    if layer is not None and form != "geojson":
        msg = f"--layer goes with --to geojson; {form} has layers of its own"
        raise click.UsageError(msg)
    if as_json and form == "acled-csv" and out is None:
        msg = "--json prints an object, where the events would be: name a file with --out"
        raise click.UsageError(msg)
    file, run = _published(workspace, region, profile)
    if form == PARTITIONS:
        _partitions(file, run, out, as_json=as_json)
        return
    text = layers.of_one_run(file, run, partial(_text, file, form, layer or "incidents"))
    if out is None:
        click.echo(text, nl=False)
        return
    if out.is_dir():
        msg = f"{out} is a folder"
        raise click.BadParameter(msg, param_hint="--out")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8", newline="")
    if as_json:
        put({"file": str(out), "to": form})
    else:
        click.echo(out)


def _published(workspace: Path, region: str | None, profile: Profile) -> tuple[Path, dict[str, Any]]:
    """Return the file of the last publication of a scope and profile, and its own row."""
    from geo.errors import PolicyError
    from pipelines import layers
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    file = place.target(region, profile)
    run = layers.read_run(file)
    if run is None:
        asked = f" --region {region}" * (region is not None) + f" --profile {profile}" * (profile != "internal")
        msg = f"{file}: nothing is published there yet; run `ceasewatch run {place.path}{asked}` first"
        raise PolicyError(msg)
    return file, run


def _partitions(file: Path, run: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    from pipelines import partitions

    if out is None:
        msg = "name a folder"
        raise click.BadParameter(msg, param_hint="--out")
    counts = partitions.write(file, out, run)
    if as_json:
        put({"folder": str(out), "to": PARTITIONS, "rows": counts})
    else:
        click.echo(out)


def _text(file: Path, form: str, layer: str, run: dict[str, Any]) -> str:
    from geo import tables
    from geo.errors import PolicyError
    from pipelines import exports, layers

    if layer not in tables.BY_NAME:
        msg = f"no layer is called {layer!r}; there are {', '.join(tables.BY_NAME)}"
        raise PolicyError(msg)
    if form == "geojson":
        return exports.geojson(layers.read_table(file, layer), layer, run)
    violations, reports, regions = (layers.read_table(file, name) for name in ("violations", "reports", "regions"))
    return exports.acled(violations, reports, regions, run)
