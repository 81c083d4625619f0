"""What was known for a question, and what had been said before?

Everything that a run rests on is read here, in one go, with its key; nothing is decided yet.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from geo.errors import PolicyError
from geo.policy import in_force
from geo.said import NOTHING
from pipelines import commands, publications, reuse, surfaces
from pipelines.edge import whole_second
from pipelines.ledger.recall import Asked
from pipelines.stages import stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from geo.policy import Policy, Readings, Sharing
    from geo.said import Before
    from pipelines.ledger import Head, Ledger
    from pipelines.publications import Profile, Publication, Question
    from pipelines.reuse import Kept
    from pipelines.workspace import Settings, Workspace


@dataclass(frozen=True, eq=False)
class Memory:
    """What was known at a moment: settings, reports, coverage and commands of people, with the hashes of these.

    ``before`` is what is to be known of reports that were left out because they are settled.
    """

    settings: Settings
    reports: pd.DataFrame
    coverage: pd.DataFrame
    commands: pd.DataFrame
    command_hashes: tuple[str, ...]
    withdrawn: Mapping[str, pd.Timestamp]
    before: Before = NOTHING


@dataclass(frozen=True, eq=False)
class Recalled:
    """All that a run starts from.

    ``earlier`` is the publication to compare with, ``then`` what was known for it, ``descent`` the lineage that was
    published up to it, rows as text; ``overtaken``: what stands in the workspace for the scope speaks of a later
    moment, or of more knowledge; ``folder``: where the theatre's rasters are; ``told``: rows of what messages told up
    to ``earlier``; ``live``: a schedule asked for the present; ``sharing``: the rules for what
    leaves (``None``: nothing does).
    """

    question: Question
    version: str
    run_id: str
    now: Memory
    quarantine: pd.DataFrame
    counts: Mapping[str, int]
    head: Head
    replay: bool
    hindsight: bool
    earlier: Publication | None
    then: Memory | None
    descent: tuple[tuple[str | None, ...], ...]
    overtaken: bool
    folder: Path
    told: tuple[tuple[str, ...], ...]
    live: bool
    sharing: Sharing | None
    kept: Kept | None = None

    @property
    def policy(self) -> Policy:
        """The policy in force at the moment that is asked about."""
        return in_force(self.now.settings.policies, self.question.as_of)


@stage("recall", lambda known: {"reports": len(known.now.reports), "coverage": len(known.now.coverage)})
def recall(workspace: Workspace, question: Question, *, version: str, at: datetime, anew: bool = False) -> Recalled:
    """Read everything that the answer may rest on, and what had been published before.

    What had been said before is judged without the rasters: nothing that can be notified rests on them. What is settled
    is left out, unless everything is to be assessed ``anew``.
    """
    if question.known_at is not None:
        settle(workspace)
    with workspace.ledger() as ledger:
        head = ledger.head(question.known_at)
        settings = workspace.settings(ledger, question.known_at)
        sharing = _sharing(workspace, ledger) if question.profile == "shared" else None
        _require(question, settings, sharing, replay=ledger.replay, at=at)
        settings = _read(settings, question.readings)
        said = commands.known(ledger, question.known_at)
        command_hashes, decided = said
        run_id = publications.key(
            question,
            inputs=head.inputs_hash,
            theatre=settings.theatre_hash,
            policies=settings.policy_hashes,
            lines=settings.line_hashes,
            commands=command_hashes,
            version=version,
        )
        past = publications.history(ledger)
        earlier = None
        if not question.readings.words:
            earlier = publications.before(past, question, run_id, replay=ledger.replay)
        overtaken = publications.overtaken(past, question)
        kept = (
            None
            if anew or (overtaken and question.region is None)
            else reuse.fitting(
                workspace, ledger, question, settings, version=version, commands=decided, earlier=earlier
            )
        )
        some = kept.some if kept else None
        asked = [Asked(question.known_at, None, settings.theatre.suspended)]
        if earlier:
            before = workspace.settings(ledger, earlier.known_at, earlier.ledger_no)
            asked.append(Asked(earlier.known_at, earlier.ledger_no, before.theatre.suspended))
        reports, *stood = ledger.states(asked, some)
        now = _memory(ledger, question.known_at, None, settings, said, kept, reports)
        now = _explained(now, workspace.theatre, question.as_of)
        then = None
        if earlier:
            decided_then = commands.known(ledger, earlier.known_at, earlier.ledger_no)
            then = _memory(ledger, earlier.known_at, earlier.ledger_no, before, decided_then, kept, stood[0])
        return Recalled(
            question,
            version,
            run_id,
            now,
            ledger.quarantine(question.known_at),
            ledger.counts(question.known_at),
            head,
            ledger.replay,
            _hindsight(ledger, question, now),
            publications.whole(ledger, earlier) if earlier else None,
            then,
            publications.descent(past, earlier),
            overtaken,
            workspace.theatre,
            publications.told(past, earlier),
            _live(question, now, at),
            sharing,
            kept,
        )


def _live(question: Question, now: Memory, at: datetime) -> bool:
    """Tell whether a schedule asked, and in time."""
    longest = timedelta(hours=in_force(now.settings.policies, question.as_of).publication.alert_age_h)
    return question.scheduled and abs(at - question.as_of) <= longest


def require(workspace: Workspace, question: Question, *, at: datetime) -> None:
    """Refuse, before any work, a question that the workspace cannot answer.

    Raises
    ------
    PolicyError
        If the theatre does not have the region, ``known_at`` is still to come (what arrives until then would change the
        answer), what shall leave the cell is too fresh for that, or readings do not fit.
    """
    with workspace.ledger() as ledger:
        sharing = _sharing(workspace, ledger) if question.profile == "shared" else None
        settings = workspace.settings(ledger, question.known_at)
        _require(question, settings, sharing, replay=ledger.replay, at=at)
        _read(settings, question.readings)


def _require(question: Question, settings: Settings, sharing: Sharing | None, *, replay: bool, at: datetime) -> None:
    if question.known_at is not None and question.known_at > at and not replay:
        msg = f"known at {question.known_at.isoformat()}: that is still to come; leave it out for all that is known now"
        raise PolicyError(msg)
    regions = sorted(settings.theatre.regions["region_id"])
    if question.region is not None and question.region not in regions:
        close = difflib.get_close_matches(question.region, regions, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        msg = f"region {question.region!r} is not in this theatre; {hint}it has: {', '.join(regions) or 'no regions'}"
        raise PolicyError(msg)
    if sharing is not None and (
        question.as_of > (last := _last(sharing, at)) or question.as_of != _cut(question.as_of, sharing)
    ):
        msg = (
            f"as of {question.as_of.isoformat()}: what leaves is at least {sharing.delay_h:g} h old and about "
            f"a multiple of {sharing.round_h} h (sharing in policy.toml); ask for {last:%Y-%m-%dT%H:%MZ} or earlier"
        )
        raise PolicyError(msg)
    if sharing is not None and question.readings.words:
        msg = f"readings {question.readings.words}: what leaves the cell is read as the policy says; leave them out"
        raise PolicyError(msg)


def _read(settings: Settings, readings: Readings) -> Settings:
    """Return settings with every policy read so; its hash is one over that of its entry and the readings.

    Raises
    ------
    PolicyError
        If the readings do not fit a policy.
    """
    if not readings.words:
        return settings
    try:
        policies = [one.model_copy(update={"policy": readings.of(one.policy)}) for one in settings.policies]
    except ValidationError as fault:
        whys = "; ".join(error["msg"].removeprefix("Value error, ") for error in fault.errors())
        msg = f"the plan cannot be read so ({readings.words}): {whys}"
        raise PolicyError(msg) from fault
    hashes = [hashlib.sha256(f"{found} {readings.words}".encode()).hexdigest() for found in settings.policy_hashes]
    return replace(settings, policies=tuple(policies), policy_hashes=tuple(hashes))


def latest(workspace: Workspace, profile: Profile, at: datetime) -> datetime:
    """Return the latest moment that a run of a profile may be about, at a present moment: aware UTC, whole seconds."""
    if profile == "internal":
        return whole_second(at)
    with workspace.ledger() as ledger:
        return _last(_sharing(workspace, ledger), at)


def _sharing(workspace: Workspace, ledger: Ledger) -> Sharing:
    """Return the newest rules for what leaves the cell: it leaves now, whatever moment it is about.

    Raises
    ------
    PolicyError
        If the newest policy has none.
    """
    rules = workspace.settings(ledger, None).policies[-1].policy.sharing
    if rules is None:
        msg = "policy.toml has no [sharing]: nothing may leave the cell; add it (data/theatres has one with every key)"
        raise PolicyError(msg)
    return rules


def _last(rules: Sharing, at: datetime) -> datetime:
    """Return the latest moment about which anything leaves at a present moment."""
    return _cut(at - timedelta(hours=rules.delay_h), rules)


def _cut(moment: datetime, rules: Sharing) -> datetime:
    """Return the last multiple of ``round_h`` hours of UTC up to a moment."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // timedelta(hours=rules.round_h) * timedelta(hours=rules.round_h)


def memory(workspace: Workspace, ledger: Ledger, known_at: datetime | None, up_to_no: int | None) -> Memory:
    """Read what was known at a moment (``None``: ever), up to a number (``None``: the last)."""
    settings, said = workspace.settings(ledger, known_at, up_to_no), commands.known(ledger, known_at, up_to_no)
    reports = ledger.reports(known_at, up_to_no=up_to_no, suspended=settings.theatre.suspended)
    return _memory(ledger, known_at, up_to_no, settings, said, None, reports)


def _memory(
    ledger: Ledger,
    known_at: datetime | None,
    up_to_no: int | None,
    settings: Settings,
    said: tuple[tuple[str, ...], pd.DataFrame],
    kept: Kept | None,
    reports: pd.DataFrame,
) -> Memory:
    hashes, decided = said
    return Memory(
        settings,
        reports,
        ledger.coverage(known_at, up_to_no=up_to_no, only=kept.sights if kept else None),
        decided,
        hashes,
        ledger.withdrawn(known_at),
        kept.before if kept else NOTHING,
    )


def _explained(known: Memory, folder: Path, as_of: datetime) -> Memory:
    """Say of every report of heat whether the theatre's rasters explain it."""
    policy, rasters = in_force(known.settings.policies, as_of), known.settings.theatre.rasters
    heat = [name for name, act in policy.acts.items() if act.family == "heat"]
    told = surfaces.explained(folder, rasters, known.reports, heat)
    return replace(known, reports=known.reports.assign(explained=told))


def settle(workspace: Workspace) -> None:
    """Wait until nobody writes."""
    # What a writer is still storing bears an earlier time: once it has ended, nothing before ``known_at`` can arrive.
    with workspace.ledger(write=True):
        pass


def _hindsight(ledger: Ledger, question: Question, now: Memory) -> bool:
    """Tell whether anything is used that was known after the moment that is asked about."""
    if question.known_at is not None and question.known_at <= question.as_of:
        return False
    arrived = ledger.head(question.as_of).inputs_no != ledger.head(question.known_at).inputs_no
    return arrived or any(
        bool((frame["known_at"] > question.as_of).any()) for frame in (now.reports, now.coverage, now.commands)
    )


def other(then: Memory, now: Memory) -> str:
    """Return what may have changed an answer where no report did."""
    if _rules(then) != _rules(now):
        return "settings"
    return "coverage" if then.command_hashes == now.command_hashes else "decisions"


def alike(then: Memory, now: Memory, moment: datetime) -> bool:
    """Tell whether two states of knowledge hold the same of what began by ``moment``."""
    return (
        _rules(then) == _rules(now)
        and then.command_hashes == now.command_hashes
        and all(
            _begun(earlier, moment, columns).equals(_begun(later, moment, columns))
            for earlier, later, columns in (
                (then.reports, now.reports, ["ledger_no", "disputed"]),
                (then.coverage, now.coverage, ["ledger_no"]),
            )
        )
    )


def _rules(known: Memory) -> tuple[str, tuple[str, ...]]:
    return known.settings.theatre_hash, known.settings.policy_hashes


def _begun(frame: pd.DataFrame, moment: datetime, columns: list[str]) -> pd.DataFrame:
    return frame.loc[frame["observed_from"] <= moment, columns].reset_index(drop=True)
