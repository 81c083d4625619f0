"""How does a person order a file's bytes erased?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.common import Command, put


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("sha256", metavar="SHA256")
@click.option("--who", required=True, help="Who orders it.")
@click.option("--why", required=True, help="Why.")
def erase(workspace: Path, sha256: str, who: str, why: str, as_json: bool) -> None:  # noqa: FBT001
    """Erase the bytes of a file that came, and the text of its quarantined rows; the order is recorded.

    What was taken from the file stays: reports are under the ledger's chain. `ingest` prints the SHA-256 of each file.

    \b
    Example:
      ceasewatch erase watch 9f86d081…0a08 --who "First Reviewer" --why "names of witnesses"
    """  # noqa: D301
    from pipelines.edge import utc_now
    from pipelines.quarantine import Person
    from pipelines.quarantine import erase as carry_out
    from pipelines.workspace import Workspace

    number = carry_out(Workspace.open(workspace), sha256.strip().lower(), Person(who, why), utc_now)
    if as_json:
        put({"sha256": sha256, "order": number})
    else:
        click.echo(f"{sha256}: erased by order {number}; a tombstone is left in its place.")
        click.echo("  Copies elsewhere (backups, the inbox, the sender's) are not touched.")
