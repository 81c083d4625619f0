"""How does a user ask for an answer?"""

# ruff: noqa: PLC0415 -- imported when the command runs, so that help is quick

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import common
from pipelines.cli.common import Command, Moment, put, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geo.policy import Readings
    from pipelines.outcome import Outcome
    from pipelines.publications import Profile, Question
    from pipelines.workspace import Workspace


@dataclass(frozen=True)
class Request:
    """What is asked for: one moment, for one or several scopes."""

    as_of: datetime
    known_at: datetime | None
    regions: tuple[str | None, ...]
    out: Path | None
    profile: Profile = "internal"
    readings: Readings | None = None

    def question(self, region: str | None) -> Question:
        """Return what is asked of one scope."""
        from geo.policy import AS_IT_SAYS
        from pipelines.publications import Question

        readings = self.readings or AS_IT_SAYS
        return Question(self.as_of, self.known_at, region, profile=self.profile, readings=readings)

    def folder(self, region: str | None) -> Path | None:
        """Return the folder of one scope's answer; several scopes get one each, so that none covers another."""
        return self.out / region if self.out and region and len(self.regions) > 1 else self.out


@click.command(cls=Command)
@click.argument("workspace", type=click.Path(path_type=Path))
@click.option("--region", "regions", multiple=True, metavar="ID", help="Only this region; may be repeated.")
@click.option("--as-of", type=Moment(), help="The moment that the answer is about; default: --known-at, else now.")
@click.option("--known-at", type=Moment(), help="Only what was known by then.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Publish into this folder instead.")
@click.option(
    "--profile",
    type=click.Choice(["internal", "shared"]),
    default="internal",
    help="shared: only what may leave the cell, later and coarser; default: internal.",
)
@click.option(
    "--open-reading", type=click.Choice(["any", "repeated"]), help="What opens a breach, if not as policy.toml has it."
)
@click.option("--open-n", type=click.IntRange(1), help="Which violation does where that is repeated.")
@click.option("--persist-reading", type=click.Choice(["literal", "window"]), help="When hostilities persist, likewise.")
@click.option(
    "--broad-reading", type=click.Choice(["earliest", "deadline"]), help="When tier 3 takes effect, likewise."
)
@click.option("--plain", is_flag=True, help="The same computation without Prefect.")
@click.option("--check-full", is_flag=True, help="First hold what is reused against a run that reuses nothing.")
def run(  # noqa: PLR0913, PLR0917 -- one for each option
    workspace: Path,
    regions: tuple[str, ...],
    as_of: datetime | None,
    known_at: datetime | None,
    out: Path | None,
    profile: Profile,
    plain: bool,  # noqa: FBT001
    check_full: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    **readings: Any,  # noqa: ANN401 -- click has checked them
) -> None:
    """Publish what the theatre of WORKSPACE, or a region of it, looks like at a moment.

    Times carry their offset from UTC. --as-of alone uses all that is known now: hindsight, and labelled so. Another
    reading of the plan gives what stands in otherwise/, beside the map; it is labelled, and no publication.

    \b
    Example:
      ceasewatch run watch --region UA-14 --known-at 2026-03-04T06:00Z
    """  # noqa: D301
    from geo.policy import Readings
    from pipelines.edge import utc_now
    from pipelines.recall import latest
    from pipelines.workspace import Workspace

    place = Workspace.open(workspace)
    _record(place)  # first: the present that is asked about is one in which these are in force
    moment = as_of or known_at or latest(place, profile, utc_now())
    request = Request(moment, known_at, tuple(dict.fromkeys(regions)) or (None,), out, profile, Readings(**readings))
    outcomes = []
    for outcome in perform(place, request, plain=plain, checked=check_full):
        outcomes.append(outcome)
        if not as_json:
            tell(outcome)
    if as_json:
        put({"runs": [outcome.as_dict() for outcome in outcomes]})


def _record(place: Workspace) -> None:
    """Record settings that were edited, and what people decided, as of now."""
    from pipelines import reviews
    from pipelines.edge import utc_now

    for kind in place.remember(utc_now):
        say(f"The {kind} had been edited: its new version is recorded, and in force from now on.")
    reviews.heed(place, utc_now)


def perform(place: Workspace, request: Request, *, plain: bool, checked: bool = False) -> Iterator[Outcome]:
    """Yield what came of each scope, one after the other in this process; ``checked``: once all were held against."""
    from pipelines import recall
    from pipelines.edge import utc_now

    for region in request.regions:  # before any work, and before a server is started for it
        recall.require(place, request.question(region), at=utc_now())
    if checked:
        _check(place, request)
    yield from _plain(place, request) if plain else _flow(place, request)


def _check(place: Workspace, request: Request) -> None:
    """Hold each scope, computed without what is settled, against the whole computation."""
    from pipelines.edge import utc_now, version
    from pipelines.recheck import check

    for region in request.regions:
        left_out = check(place, request.question(region), version=version(), clock=utc_now)
        say(
            "Nothing is reused: everything is assessed anew."
            if left_out is None
            else f"Checked: without {left_out:,} settled reports a run says, value by value, what the whole one says."
        )


def _plain(place: Workspace, request: Request) -> Iterator[Outcome]:
    from pipelines.edge import utc_now, version
    from pipelines.watch import watch

    common.show_progress()
    for region in request.regions:
        yield watch(place, request.question(region), out=request.folder(region), version=version(), clock=utc_now)


def _flow(place: Workspace, request: Request) -> Iterator[Outcome]:
    from pipelines.flows import hide_tracebacks
    from pipelines.flows.monitor import monitor_here, server

    if not click.get_current_context().meta["debug"]:
        hide_tracebacks()
    address = server()
    if address is None:
        say("Starting Prefect's embedded server, which takes 6 to 10 s (--plain does without).")
    else:
        say(f"Using the Prefect server at {address}.")
    for region in request.regions:
        yield monitor_here(
            place.path,
            region=region,
            as_of=request.as_of,
            known_at=request.known_at,
            out=request.folder(region),
            profile=request.profile,
            readings=request.question(region).readings,
        )


def tell(outcome: Outcome) -> None:
    """Print what came of a run."""
    from pipelines.outcome import EARLIER

    told = outcome.as_dict()
    counts, changes = told["counts"], told["changes"]
    click.echo(f"{told['theatre']}: {told['scope']} at {told['as_of']}{_labels(outcome)}")
    click.echo(common.incidents(told["incidents"]))
    click.echo(
        f"  {counts['reports']:,} reports ({counts['reports_in_window']:,} inside a ceasefire window), "
        f"{counts['violations']:,} violations, {counts['incidents']:,} incidents, {counts['candidates']:,} candidates; "
        f"{sum(told['quarantine'].values()):,} rows wait in quarantine"
    )
    if changes["since"]:
        named = "; ".join(f"{word} {', '.join(changes[word]) or 'none'}" for word in ("new", "escalated", "ended"))
        click.echo(f"  Since {changes['since']}: {named}; {len(told['notices'])} notices of what late news changed")
    if told["reviews"]:
        click.echo("What people decided")
        click.echo(common.answers(told["reviews"]))
    click.echo(f"  {told['file']}{'' if told['written'] else ' (the same publication was there already)'}")
    click.echo(f"  head of the ledger's chain: {told['head']}")
    if outcome.window_from is not None:
        click.echo(f"  The map holds what was not over by {told['window_from']}. {EARLIER}")
    for sentence in outcome.stale:
        click.echo(f"  Stale: {sentence}")
    if outcome.overtaken:
        click.echo("  (The workspace's current map speaks of a later moment and stays as it is.)")


def _labels(outcome: Outcome) -> str:
    labels = [
        *(["illustrative, without legal meaning"] if outcome.standing == "illustrative" else []),
        *(["hindsight"] if outcome.hindsight else []),
        *(["replay"] if outcome.replay else []),
        *([f"the plan read otherwise: {outcome.readings}"] if outcome.readings else []),
    ]
    return f" ({'; '.join(labels)})" if labels else ""
