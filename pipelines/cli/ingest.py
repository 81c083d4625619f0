"""How does a user bring reports in?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import click

from pipelines.cli.common import QUARANTINED, SHOWN, YOURS, Command, put, say, table
from pipelines.edge import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipelines.feeds.inbox import Found
    from pipelines.feeds.rounds import Asked
    from pipelines.intake import Foreseen, Ingested
    from pipelines.ledger import Known
    from pipelines.workspace import Workspace

    _Told: TypeAlias = tuple[dict[str, Any], Iterator[str]]  # for scripts, for people


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE…]")
@click.option("--source", metavar="ID", help="Declared source; default: told by the file's name, then its extension.")
@click.option(
    "--known-at",
    type=click.Choice(["observed", "reported"]),
    help="In a replay workspace: each row was known when it was observed, or reported.",
)
@click.option("--whole", is_flag=True, help="FILE is all that its source stands by: take back what it lacks.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would become of each row, and why.")
@click.pass_context
def ingest(  # noqa: PLR0913, PLR0917 -- one for each option
    ctx: click.Context,
    workspace: Path,
    files: tuple[Path, ...],
    source: str | None,
    known_at: str | None,
    whole: bool,  # noqa: FBT001
    dry_run: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Bring each FILE into the ledger of WORKSPACE; without FILE, what lies in its inbox and what its feeds have.

    Its bytes are kept before it is read. Every row is accounted for; rows that cannot be trusted are quarantined with
    the reason, and the exit code is 3. Where a FILE cannot be read at all, the next ones are, and it is 2. The inbox
    has a folder for each source, such as inbox/csv/: a file is taken when it rests, and then removed; one that cannot
    be read goes to inbox/_refused/ with the reason. With --dry-run nothing is written. A new edition of a data set is
    brought in with --whole.

    \b
    Example:
      ceasewatch ingest watch reports.csv --source csv --dry-run
      ceasewatch ingest watch reports.csv --source csv
    """  # noqa: D301
    from pipelines.jail.guard import prepare

    prepare()  # beside what is loaded next
    from pipelines.workspace import Workspace

    place, known = Workspace.open(workspace), cast("Known", known_at or "recorded")
    if whole and (len(files) != 1 or known_at):
        msg = "--whole goes with one FILE, and not with --known-at"
        raise click.UsageError(msg)
    if not files:
        if source is not None or dry_run:
            msg = f"{'--source' if source else '--dry-run'} goes with FILE; in the inbox the folder is the source"
            raise click.UsageError(msg)
        empty(ctx, place, known, as_json=as_json)
        return
    if dry_run or whole:
        how = (_foresee_edition if whole else _foresee) if dry_run else _replace
        brought: Iterable[Callable[[], _Told]] = (partial(how, place, source, known, file) for file in files)
    else:
        brought = _ingested(place, source, known, files)
    done: list[dict[str, Any]] = []
    try:
        for file, bring in zip(files, brought, strict=True):
            say(f"{file.name}: reading")
            one, told = _each(ctx, file, bring)
            done.append(one)
            if not as_json:
                click.echo("\n".join(told), nl="error" not in one)
    finally:  # what ends the command takes nothing back of what is in the ledger by then
        if as_json:
            put({"written": not dry_run, "files": done})
    if any("error" in one for one in done):
        ctx.exit(YOURS)
    if any(one["quarantined"] for one in done):
        ctx.exit(QUARANTINED)


def _foresee(place: Workspace, source: str | None, known: Known, file: Path) -> _Told:
    from pipelines.edge import utc_now
    from pipelines.intake import foresee

    found = foresee(place, file, source_id=source, known=known, clock=utc_now)
    return found.as_dict(), foretold(found)


def _ingested(
    place: Workspace, source: str | None, known: Known, files: Sequence[Path]
) -> Iterator[Callable[[], _Told]]:
    from pipelines import intake
    from pipelines.edge import utc_now

    def told(ingest: Callable[[], Ingested]) -> _Told:
        done = ingest()
        return done.as_dict(), lines(done)

    for ingest in intake.in_turn(place, files, source_id=source, known=known, clock=utc_now):
        yield partial(told, ingest)


def _replace(place: Workspace, source: str | None, _: Known, file: Path) -> _Told:
    """Tell of both batches as of one file; for scripts, what was taken back stands in ``lacked``."""
    from pipelines import editions
    from pipelines.edge import utc_now

    done, *taken = editions.bring(place, file, source_id=source, clock=utc_now)
    told = done.as_dict() | {"lacked": taken[0].as_dict() if taken else None}
    return told, (line for one in (done, *taken) for line in lines(one))


def _foresee_edition(place: Workspace, source: str | None, _: Known, file: Path) -> _Told:
    """Tell of both batches that ``_replace`` would make, as it does."""
    from pipelines import editions
    from pipelines.edge import utc_now

    found, *taken = editions.foresee(place, file, source_id=source, clock=utc_now)
    told = found.as_dict() | {"lacked": taken[0].as_dict() if taken else None}
    return told, (line for one in (found, *taken) for line in foretold(one))


def _each(ctx: click.Context, file: Path, bring: Callable[[], _Told]) -> _Told:
    """Return what came of one file, for scripts and for people; what concerns it alone is said of it, and no fault."""
    from geo.errors import InputError
    from pipelines.feeds.faults import FAULTS, ends_all, said

    try:
        return bring()
    except FAULTS as fault:
        if ends_all(fault):
            raise
        if ctx.meta["debug"]:
            traceback.print_exc()
        code = fault.code if isinstance(fault, InputError) else "system" if isinstance(fault, OSError) else "settings"
        sentence = f"{file.name}: {said(fault)}" if code == "system" else said(fault)
        say(f"Error: {sentence}")
        return {"file": file.name, "error": {"code": code, "message": sentence}}, iter(())


def foretold(found: Foreseen) -> Iterator[str]:
    """Yield what would become of a file, row by row."""
    told = found.as_dict()
    for kind in found.edited:
        yield (f"The {kind} has been edited: its new version would be recorded first, and is used here.")
    if told["repeated"]:
        came = f"the same bytes came before, as batch {found.preview.batch.batch_no}"
        yield (f"{plain(found.file_name)}: {came}; nothing would be added.")
    counts = " + ".join(f"{told[kind]:,} {kind}" for kind in _KINDS if told[kind]) or "no rows"
    yield (f"{plain(found.file_name)} ({found.source}): {told['rows']:,} rows would be {counts}; nothing was written")
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


def empty(ctx: click.Context, place: Workspace, known: Known, *, as_json: bool) -> None:
    """Take what lies in the inbox, ask the feeds, and say what became of each."""
    from pipelines.edge import utc_now
    from pipelines.feeds.inbox import take
    from pipelines.feeds.rounds import go_round
    from pipelines.feeds.turn import turn
    from pipelines.workspace import WAIT_S

    found, asked = [], []
    with turn(place, wait_s=WAIT_S):
        for one in take(place, utc_now, known=known):
            found.append(one)
            if not as_json:
                tell_found(one)
        for feed in go_round(place, utc_now):
            asked.append(feed)
            if not as_json:
                tell_asked(feed)
    if as_json:
        put({"inbox": [one.as_dict() for one in found], "feeds": [feed.as_dict() for feed in asked]})
    elif not found and not asked:
        click.echo(f"{place.path / 'inbox'}: nothing lies there; put files into the folder of their source.")
    done = [*(one.done for one in found), *(feed.done for feed in asked)]
    amiss = any(one.amiss for one in found) or any(feed.health.heard == "failed" for feed in asked)
    if amiss or any(one.batch.quarantined for one in done if one):
        ctx.exit(QUARANTINED)


def tell_found(found: Found) -> None:
    """Print what became of one thing in the inbox."""
    if found.done is not None:
        click.echo("\n".join(lines(found.done)))
        if found.reason:
            click.echo(f"  {found.name}: {found.reason}")
    elif found.fate == "refused":
        click.echo(f"{found.name}: refused, and moved to inbox/_refused/: {found.reason}")
    else:
        click.echo(f"{found.name}: left: {found.reason}")


def tell_asked(asked: Asked) -> None:
    """Print what came of asking a feed."""
    health = asked.health
    if asked.done is not None:
        click.echo("\n".join(lines(asked.done)))
    click.echo(f"feed {health.feed}: {health.heard}" + (f": {health.reason}" if health.reason else ""))
    if health.stale:
        click.echo(f"  stale: nothing new since {health.since:%Y-%m-%d %H:%MZ}")


def lines(done: Ingested) -> Iterator[str]:
    """Yield what became of a file."""
    for kind in done.versions:
        yield (f"The {kind} had been edited: its new version is recorded, and in force from now on.")
    if done.batch.repeated:
        yield (
            f"{plain(done.file_name)}: the same bytes came before, as batch {done.batch.batch_no}; nothing was added. "
            "Then:"
        )
    counts = {name: number for name, number in done.as_dict().items() if name in _KINDS and number}
    sums = " + ".join(f"{number:,} {name}" for name, number in counts.items()) or "no rows"
    yield (f"{plain(done.file_name)} ({done.source}): {done.batch.rows:,} rows = {sums}")
    for code, number, sentence, rows in done.reasons():
        listed = ", ".join(map(str, rows)) + (", …" if number > len(rows) else "")
        yield (f"  {code}: {number:,} ({'row' if number == 1 else 'rows'} {listed})")
        yield (f"    {sentence}")
    for note in done.notes:
        yield (f"  Note: {note}")
    yield f"  Kept as {done.sha256}; head of the chain: {done.head}"
    if done.batch.quarantined:
        waits = done.as_dict()["reasons"].get("deferred", 0)
        if waits:
            yield f"  What is deferred needs no mending: `ceasewatch quarantine … deferred --source {done.source}`."
        if done.batch.quarantined > waits:
            these = "the other" if waits else "these"
            yield f"  Mend {these} rows in the file and ingest it again: what is known already is counted as duplicate."


_KINDS = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
