"""What does the theatre look like at a moment, with what was known then?

The whole run as one plain call, and each of its steps as a function, for those that run the steps one by one::

    recall → judge → compare → compose → publish → report → record

The theatre is always computed whole, and cut for a region at the end.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from geo import lineage, news, tables
from geo import notices as notice
from geo.assess import Assessment, assess
from geo.errors import PolicyError
from geo.policy import in_force
from geo.sharing import share
from pipelines import commands, compiled, hashes, layers, publications, reuse, reviews, surfaces, yearly
from pipelines.alerts import FOLDER, TOLD_OF, began
from pipelines.companions import FILES, bands, companions, messages
from pipelines.feeds import health
from pipelines.imprint import imprint
from pipelines.outcome import Changes, Outcome, headlines
from pipelines.recall import Memory, Recalled, alike, other, recall
from pipelines.stages import stage
from pipelines.workspace import GEOPACKAGE, PAST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from geo.past import Gone
    from pipelines.alerts import Sent
    from pipelines.layers.swap import State
    from pipelines.publications import Profile, Publication, Question
    from pipelines.workspace import Clock, Workspace

_log: Final = logging.getLogger(__name__)
_COUNTED: Final = frozenset({"reports", "reports_in_window", "violations", "incidents", "candidates"})


class Composed(NamedTuple):
    """What a run says: every declared layer by name, those that leave under its profile, and what writes its messages.

    ``sent`` writes these once, when it is first asked. ``over`` are incidents that the map does not hold any more;
    ``past`` the tables of each year's file, ``None`` where this run writes none.
    """

    layers: dict[str, pd.DataFrame]
    leaving: Mapping[str, pd.DataFrame]
    sent: Callable[[], Sent]
    over: frozenset[str]
    past: dict[int, dict[str, pd.DataFrame]] | None


class Put(NamedTuple):
    """What stands at ``path`` now; ``replaced`` is false if it stood before; ``state``: as it was hashed.

    ``past`` is what stands as each file of the past, by its name; ``None``: they were left as they are.
    """

    path: Path
    sha256: str
    replaced: bool
    past: dict[str, yearly.Filed] | None
    state: State


class Changed(NamedTuple):
    """What became of the last publication: ``tables.NOTICES_TABLE``, and new rows of ``tables.LINEAGE_TABLE``."""

    notices: pd.DataFrame
    lineage: pd.DataFrame


def watch(workspace: Workspace, question: Question, *, out: Path | None, version: str, clock: Clock) -> Outcome:
    """Publish the answer for one scope and moment.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    question
        The moment that the answer is about, that of knowledge, the scope and the profile.
    out
        Folder to publish into. ``None``: the workspace's own place for the scope, or beside it where what stands
        there speaks of a later moment.
    version
        Version of Ceasewatch.
    clock
        Gives the present moment.

    Raises
    ------
    PolicyError
        If the theatre's files are not sound, the region is unknown, ``known_at`` is still to come, or what shall leave
        is too fresh.
    """
    workspace.remember(clock)
    reviews.heed(workspace, clock)
    reviews.offer(workspace, question.region)
    _log.info("reading the ledger")
    recalled = recall(workspace, question, version=version, at=clock(), anew=elsewhere(question, out))
    _log.info("assessing %s reports", f"{len(recalled.now.reports):,}")
    whole = judge(recalled.now, question.as_of)
    if reuse.is_off(recalled.kept, whole):
        recalled = recall(workspace, question, version=version, at=clock(), anew=True)
        whole = judge(recalled.now, question.as_of)
    late = compare(recalled, whole)
    recalled = yearly.lean(recalled)
    content = compose(recalled, whole, late)
    _log.info("publishing")
    published = publish(workspace, recalled, content, target(workspace, recalled, out))
    outcome = report(recalled, content, published, silent(workspace, question, clock()))
    del content  # what is left to do takes room
    record(workspace, recalled, outcome, late, published, clock=clock)
    settle(workspace, recalled, whole, published)
    return outcome


def elsewhere(question: Question, out: Path | None) -> bool:
    """Tell whether the files of the past must be written in another place, for which all of them is needed."""
    return out is not None and question.region is None


def _sizes(found: Assessment) -> dict[str, int]:
    reports, violations, incidents, transitions = (
        len(found.tables[name]) for name in ("reports", "violations", "incident_points", "transitions")
    )
    return {"reports": reports, "violations": violations, "incidents": incidents, "transitions": transitions}


@stage("assess", _sizes)
def judge(memory: Memory, as_of: datetime) -> Assessment:
    """Assess the whole theatre."""
    if len(memory.reports) + len(memory.before.rows.get("reports", ())) >= compiled.MANY:
        compiled.keep()
    rules = memory.settings.theatre, memory.settings.policies
    return assess(memory.reports, memory.coverage, *rules, as_of, memory.commands, memory.before)


@stage("compare", lambda late: {"notices": len(late.notices), "lineage": len(late.lineage)})
def compare(recalled: Recalled, whole: Assessment) -> Changed:
    """Return what became of the last publication: notices of what late news changed in it, and the names that are gone.

    Nothing is computed twice where no news is about that moment and every name still stands.
    """
    earlier, then, now = recalled.earlier, recalled.then, recalled.now
    nothing = Changed(tables.empty(tables.NOTICES_TABLE), tables.empty(tables.LINEAGE_TABLE))
    if earlier is None or then is None:
        return nothing
    same, windowed = alike(then, now, earlier.as_of), reuse.window_from(now.settings, recalled.question) is not None
    stand = earlier.states.keys() <= {*whole.tables["incident_points"]["incident_id"], *_former(recalled)}
    # A command that expires and a policy that comes into force change what is long over without any news.
    turns = not now.commands.empty or in_force(now.settings.policies, earlier.as_of) != recalled.policy
    if same and stand and not (windowed and turns):
        return nothing
    said = judge(then, earlier.as_of)
    begun = then.reports[then.reports["observed_from"] <= earlier.as_of]
    came = now.reports[now.reports["observed_from"] <= recalled.question.as_of]
    became = lineage.compare(said.tables, whole.tables, news.between(begun, came, None, now.withdrawn))
    names = {*earlier.states, *(_over(recalled, said) if windowed else ())}
    became = became[became["from_id"].isin(names)].reset_index(drop=True)
    return Changed(nothing.notices if same else _late(recalled, earlier, then, said, whole), became)


def _over(recalled: Recalled, said: Assessment) -> Iterator[str]:
    """Yield the incidents of a scope that an earlier map may have left to the files of the past."""
    region = recalled.question.region
    points = (said if region is None else said.within(region)).tables["incident_points"]
    yield from points.loc[points["state"] == "ended", "incident_id"]


def _late(recalled: Recalled, earlier: Publication, then: Memory, said: Assessment, whole: Assessment) -> pd.DataFrame:
    now = recalled.now
    says = whole if earlier.as_of == recalled.question.as_of else judge(now, earlier.as_of)
    found = notice.compare(
        said.tables,
        says.tables,
        as_of=earlier.as_of,
        known_at=earlier.knowledge,
        news=news.between(then.reports, now.reports, earlier.as_of, now.withdrawn),
        other=[other(then, now)],
    )
    if recalled.question.region is None:
        return found
    cut = [answer.within(recalled.question.region).tables["incident_points"]["incident_id"] for answer in (said, says)]
    return found[found["incident_id"].isin(pd.concat(cut))].reset_index(drop=True)


@stage("compose", lambda said: {"layers": len(said.layers), "rows": sum(map(len, said.layers.values()))})
def compose(recalled: Recalled, whole: Assessment, late: Changed) -> Composed:
    """Return what the publication says, cut to the scope, with what the theatre's rasters say.

    Raises
    ------
    PolicyError
        If a raster cannot be read, or is another one than was recorded.
    """
    theatre, region = recalled.now.settings.theatre, recalled.question.region
    answer = whole if region is None else whole.within(region)
    found = yearly.parted(recalled, answer)
    layers_of_scope = surfaces.survey(recalled.folder, theatre.rasters, dict(found.window.tables))
    told = [*map(list, recalled.descent), *_texts(late.lineage)]
    content = {
        **layers_of_scope,
        "lineage": _descent(layers_of_scope["lineage"], told),
        "notices": late.notices,
        "quarantine": recalled.quarantine,
        "sides": yearly.names_of_sides(recalled),
    }
    content["run"] = imprint(recalled, content)
    over = frozenset(found.gone.incidents.index) | _former(recalled)
    past = yearly.years(recalled, found, content) if yearly.filed(recalled) else None
    unsaid = answer.only(_unsaid(recalled, found.gone), set(), set())
    sent = cache(lambda: _messages(recalled, content, unsaid, over))
    return Composed(content, _leaving(recalled, content), sent, over, past)


def _unsaid(recalled: Recalled, gone: Gone) -> frozenset[str]:
    """Return incidents that ended while nobody ran, for so long that the map does not hold them any more."""
    said = recalled.earlier.states if recalled.earlier else {}
    return frozenset(name for name in gone.incidents.index if name in said and said[name][0] != "ended")


def _messages(
    recalled: Recalled, content: Mapping[str, pd.DataFrame], unsaid: Assessment, over: frozenset[str]
) -> Sent:
    """Return the messages, also of incidents whose end no map tells."""
    names = frozenset(unsaid.tables["incident_points"]["incident_id"])
    more = {name: [content[name], unsaid.tables[name]] for name in TOLD_OF} if names else {}
    told = {name: pd.concat(parts, ignore_index=True) for name, parts in more.items()}
    return messages(recalled, {**content, **told}, over - names)


def _former(recalled: Recalled) -> frozenset[str]:
    """Return the names of ended incidents that are settled, and that the map does not hold."""
    former, rows = recalled.now.before.former, recalled.now.before.rows
    held = rows["incident_points"]["incident_id"] if rows else ()
    return frozenset() if former is None else frozenset(former.name.tolist()).difference(held)


def target(workspace: Workspace, recalled: Recalled, out: Path | None) -> Path:
    """Return the file that the answer goes to; one about an earlier moment never takes the current map's place."""
    if out is not None:
        return out / GEOPACKAGE
    asked = recalled.question
    stands = workspace.target(asked.region, asked.profile)
    if recalled.overtaken or asked.readings.words:
        return workspace.aside(asked.region, asked.as_of, asked.known_at, asked.profile, asked.readings)
    return stands


@stage("publish", lambda published: {"written": int(published.replaced)})
def publish(workspace: Workspace, recalled: Recalled, content: Composed, file: Path) -> Put:
    """Put the answer in its place, whole or not at all; not written again where it stands there already."""
    _require_apart(file, recalled.question.profile)
    beside = cache(lambda: companions(recalled, content.leaving, content.sent(), content.over))
    if content.past:
        beside()  # nothing of the past takes its place either where these cannot be made
    stand = yearly.before(workspace, file.parent, content.past or {}, content.leaving)
    keep, run_id, seen = recalled.policy.publication.keep, recalled.run_id, bands(recalled)
    found = layers.publish(content.leaving, file, keep=keep, run_id=run_id, companions=beside, bands=seen)
    past = None if content.past is None else yearly.after(workspace, file.parent, content.past, stand)
    return Put(found.path, found.sha256, found.replaced, past, found.state)


def settle(workspace: Workspace, recalled: Recalled, whole: Assessment, published: Put) -> None:
    """Write down what later runs need not assess again, where this one put map and past in the workspace's place."""
    windowed = reuse.window_from(recalled.now.settings, recalled.question) is not None
    if windowed and published.path == workspace.target(None) and not recalled.now.before.rows:
        yearly.settle(workspace, recalled, whole, published.past)


def _require_apart(file: Path, profile: Profile) -> None:
    """Refuse to mix what may leave the cell with what may not, in one folder.

    Raises
    ------
    PolicyError
        If the folder holds files of the other profile.
    """
    stands = layers.read_run(file)
    named = (file.with_name(name) for name in (*FILES, FOLDER, commands.FILE))
    inside = [*named, *sorted(file.parent.glob(f"{PAST}/*.gpkg"))]
    mixed = (
        [path for path in inside if path.exists()] + ([file] if stands and stands["rows"] is not None else [])
        if profile == "shared"
        else [file] * bool(stands and stands["rows"] is None)
    )
    if mixed:
        other = "stays in the cell" if profile == "shared" else "may leave the cell"
        msg = f"{mixed[0]} is of a run that {other}: give --out a folder of its own for --profile {profile}"
        raise PolicyError(msg)


def _leaving(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> Mapping[str, pd.DataFrame]:
    """Return what the profile lets out."""
    if recalled.sharing is None:
        return content
    return share(content, recalled.now.settings.theatre.baselines[0], recalled.sharing)


def _texts(rows: pd.DataFrame) -> list[list[str | None]]:
    """Return rows of lineage as text, as a publication's entry keeps them."""
    return [[_text(value) for value in row] for row in rows.itertuples(index=False, name=None)]


def _text(value: object) -> str | None:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if isinstance(value, str) else None


def _descent(present: pd.DataFrame, told: list[list[str | None]]) -> pd.DataFrame:
    """Return the lineage: what the present answer says, and then what became of names said before, oldest first."""
    rows = pd.DataFrame(list(dict.fromkeys(map(tuple, told))), columns=tables.LINEAGE_TABLE.names)
    times = {name: pd.to_datetime(rows[name], utc=True, format="ISO8601") for name in ("at", "known_at")}
    before = tables.conform(rows.assign(**times), tables.LINEAGE_TABLE)
    return tables.conform(pd.concat([present, before], ignore_index=True), tables.LINEAGE_TABLE)


@stage("record")
def record(
    workspace: Workspace, recalled: Recalled, outcome: Outcome, late: Changed, published: Put, *, clock: Clock
) -> None:
    """Enter the publication in the ledger, once; what is read otherwise than the policy says is none.

    A kill between publishing and recording leaves a file without an entry: the next run with the same key enters it.
    """
    if recalled.question.readings.words:
        return
    stands = outcome.file == workspace.target(recalled.question.region, recalled.question.profile)
    place = outcome.file.relative_to(workspace.path).as_posix() if stands else None
    past = published.past if stands else None
    entry = publications.Publication(
        run_id=recalled.run_id,
        region=recalled.question.region,
        as_of=recalled.question.as_of,
        known_at=recalled.question.known_at,
        ledger_no=recalled.head.inputs_no,
        file=place,
        sha256=published.sha256,
        version=recalled.version,
        incidents=outcome.states,
        lineage=tuple(tuple(row) for row in _texts(late.lineage)),
        alerts=outcome.alerts,
        profile=recalled.question.profile,
        past=None if past is None else {name: found.sha256 for name, found in past.items()},
    )
    with workspace.ledger(write=True) as ledger:
        if not publications.is_recorded(ledger, entry):
            ledger.put_publication(entry.body(), clock())
        if stands:
            beside = yearly.hashed(outcome.file.parent, past or {})
            hashes.remember(workspace, {outcome.file: (published.sha256, published.state), **beside})


def silent(workspace: Workspace, question: Question, at: datetime) -> tuple[str, ...]:
    """Return a sentence for each feed that is stale now, where the question is about what is known now."""
    return tuple(one.sentence() for one in health.stale(workspace, at)) if question.known_at is None else ()


def report(recalled: Recalled, content: Composed, published: Put, stale: tuple[str, ...]) -> Outcome:
    """Return what came of the run."""
    row, told, sent = content.layers["run"].iloc[0], content.leaving, content.sent().rows
    incidents, waits = headlines(told["incidents"]), recalled.quarantine["released_no"].isna()
    return Outcome(
        run_id=recalled.run_id,
        title=str(row["title"]),
        standing=str(row["standing"]),
        scope=str(row["scope"]),
        as_of=recalled.question.as_of,
        known_at=recalled.question.known_at,
        hindsight=recalled.hindsight,
        replay=recalled.replay,
        file=published.path,
        written=published.replaced,
        overtaken=recalled.overtaken,
        counts={name: int(row[name]) for name in tables.RUN.names if name.startswith("rows") or name in _COUNTED},
        quarantine={
            str(code): int(n)
            for code, n in recalled.quarantine.loc[waits, "reason_code"].value_counts().sort_index().items()
        },
        changes=Changes.between(recalled.earlier, incidents, content.over, began(sent, recalled.told)),
        notices=told["notices"],
        reviews=told["reviews"],
        incidents=incidents,
        alerts=sent,
        head=recalled.head.inputs_hash,
        stale=stale,
        readings=recalled.question.readings.words,
        window_from=None if pd.isna(row["window_from"]) else row["window_from"],
    )
