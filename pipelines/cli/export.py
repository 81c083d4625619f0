"""How does a user take a publication to other programs?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.common import Command, put

if TYPE_CHECKING:
    from pipelines.workspace import Workspace


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice(["geojson", "acled-csv"]), default="geojson", show_default=True)
@click.option("--layer", default="incidents", show_default=True, metavar="NAME", help="GeoJSON: which layer or table.")
@click.option("--region", metavar="ID", help="The region's own publication.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File; default: stdout.")
def export(
    workspace: Path,
    form: str,
    layer: str,
    region: str | None,
    out: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write the last publication of WORKSPACE as GeoJSON, or its violations in the columns of ACLED.

    \b
    Example:
      ceasewatch export watch --layer violations --out violations.geojson
    """  # noqa: D301
    from pipelines.workspace import Workspace

    text = _text(Workspace.open(workspace), form, layer, region)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8", newline="")
    if as_json:
        put({"file": str(out), "to": form})
    else:
        click.echo(out)


def _text(place: Workspace, form: str, layer: str, region: str | None) -> str:
    from geo import tables
    from geo.errors import PolicyError
    from pipelines import exports, layers

    if layer not in tables.BY_NAME:
        msg = f"no layer is called {layer!r}; there are {', '.join(tables.BY_NAME)}"
        raise PolicyError(msg)
    file = place.target(region)
    run: dict[str, Any] | None = layers.read_run(file)
    if run is None:
        msg = f"{file}: nothing is published there yet; run `ceasewatch run {place.path}` first"
        raise PolicyError(msg)
    if form == "geojson":
        return exports.geojson(layers.read_table(file, layer), layer, run)
    violations, reports, regions = (layers.read_table(file, name) for name in ("violations", "reports", "regions"))
    return exports.acled(violations, reports, regions, run)
