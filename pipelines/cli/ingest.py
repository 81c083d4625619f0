"""How does a user bring reports in?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pipelines.cli.common import QUARANTINED, SHOWN, Command, plain, put, say, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.intake import Foreseen, Ingested
    from pipelines.ledger import Known


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE…"
)
@click.option("--source", metavar="ID", help="Declared source; default: told by the file's name, then its extension.")
@click.option(
    "--known-at",
    type=click.Choice(["observed", "reported"]),
    help="In a replay workspace: each row was known when it was observed, or reported.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would become of each row, and why.")
@click.pass_context
def ingest(
    ctx: click.Context,
    workspace: Path,
    files: tuple[Path, ...],
    source: str | None,
    known_at: str | None,
    dry_run: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Bring each FILE into the ledger of WORKSPACE.

    Its bytes are kept before it is read. Every row is accounted for; rows that cannot be trusted are quarantined with
    the reason, and the exit code is 3. With --dry-run nothing is written.

    \b
    Example:
      ceasewatch ingest watch reports.csv --source csv --dry-run
      ceasewatch ingest watch reports.csv --source csv
    """  # noqa: D301
    from pipelines.jail.guard import prepare

    prepare()  # beside what is loaded next
    from pipelines import intake
    from pipelines.edge import utc_now
    from pipelines.workspace import Workspace

    place, known = Workspace.open(workspace), cast("Known", known_at or "recorded")
    done: list[dict[str, Any]] = []
    for file in files:
        say(f"{file.name}: reading")
        if dry_run:
            foreseen = intake.foresee(place, file, source_id=source, known=known, clock=utc_now)
            done.append(foreseen.as_dict())
            told = foretold(foreseen)
        else:
            ingested = intake.ingest(place, file, source_id=source, known=known, clock=utc_now)
            done.append(ingested.as_dict())
            told = lines(ingested)
        if not as_json:
            click.echo("\n".join(told))
    if as_json:
        put({"written": not dry_run, "files": done})
    if any(one["quarantined"] for one in done):
        ctx.exit(QUARANTINED)


def foretold(found: Foreseen) -> Iterator[str]:
    """Yield what would become of a file, row by row."""
    told = found.as_dict()
    for kind in found.edited:
        yield (f"The {kind} has been edited: its new version would be recorded first, and is used here.")
    if told["repeated"]:
        came = f"the same bytes came before, as batch {found.preview.batch.batch_no}"
        yield (f"{found.file_name}: {came}; nothing would be added.")
    counts = " + ".join(f"{told[kind]:,} {kind}" for kind in _KINDS if told[kind]) or "no rows"
    yield (f"{found.file_name} ({found.source}): {told['rows']:,} rows would be {counts}; nothing was written")
    shown = [row for kind in _KINDS for row in [row for row in told["each"] if row["becomes"] == kind][:SHOWN]]
    shown.sort(key=lambda row: row["row_no"])
    cells = [
        [row["row_no"], row["becomes"], ": ".join(filter(None, (row["code"], plain(row["why"]))))] for row in shown
    ]
    yield (table(["row", "would be", "why"], cells))
    if len(shown) < len(told["each"]):
        yield (f"  … and {len(told['each']) - len(shown):,} more (the first {SHOWN} of each kind are shown): --json")
    for note in found.notes:
        yield (f"  Note: {note}")


def lines(done: Ingested) -> Iterator[str]:
    """Yield what became of a file."""
    for kind in done.versions:
        yield (f"The {kind} had been edited: its new version is recorded, and in force from now on.")
    if done.batch.repeated:
        yield (
            f"{done.file_name}: the same bytes came before, as batch {done.batch.batch_no}; nothing was added. Then:"
        )
    counts = {name: number for name, number in done.as_dict().items() if name in _KINDS and number}
    sums = " + ".join(f"{number:,} {name}" for name, number in counts.items()) or "no rows"
    yield (f"{done.file_name} ({done.source}): {done.batch.rows:,} rows = {sums}")
    for code, number, sentence, rows in done.reasons():
        listed = ", ".join(map(str, rows)) + (", …" if number > len(rows) else "")
        yield (f"  {code}: {number:,} ({'row' if number == 1 else 'rows'} {listed})")
        yield (f"    {sentence}")
    for note in done.notes:
        yield (f"  Note: {note}")
    yield f"  Kept as {done.sha256}; head of the chain: {done.head}"
    if done.batch.quarantined:
        yield ("  Mend these rows in the file and ingest it again: what is known already is counted as duplicate.")


_KINDS = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
