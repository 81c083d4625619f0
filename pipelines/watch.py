"""What does the theatre look like at a moment, with what was known then?

The whole run as one plain call, and each of its steps as a function, for those that run the steps one by one::

    recall → judge → compare → compose → publish → report → record

The theatre is always computed whole, and cut for a region at the end.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from geo import lineage, news, tables
from geo import notices as notice
from geo.assess import Assessment, assess
from geo.errors import PolicyError
from geo.sharing import share
from pipelines import commands, compiled, layers, publications, reviews, sides, surfaces
from pipelines.alerts import FOLDER
from pipelines.companions import FILES, companions, messages
from pipelines.feeds import health
from pipelines.outcome import Changes, Outcome, headlines
from pipelines.recall import Memory, Recalled, recall
from pipelines.stages import stage
from pipelines.workspace import GEOPACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from pipelines.alerts import Sent
    from pipelines.layers import Published
    from pipelines.publications import Profile, Publication, Question
    from pipelines.workspace import Clock, Settings, Workspace

_log: Final = logging.getLogger(__name__)
_COUNTED: Final = frozenset({"reports", "reports_in_window", "violations", "incidents", "candidates"})
WHOLE: Final = "whole"


class Composed(NamedTuple):
    """What a run says: every declared layer by name, those that leave under its profile, and its messages."""

    layers: dict[str, pd.DataFrame]
    leaving: Mapping[str, pd.DataFrame]
    sent: Sent


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
    recalled = recall(workspace, question, version=version, at=clock())
    _log.info("assessing %s reports", f"{len(recalled.now.reports):,}")
    whole = judge(recalled.now, question.as_of)
    late = compare(recalled, whole)
    content = compose(recalled, whole, late)
    _log.info("publishing")
    published = publish(recalled, content, target(workspace, recalled, out))
    outcome = report(recalled, content, published, silent(workspace, question, clock()))
    record(workspace, recalled, outcome, late, sha256=published.sha256, clock=clock)
    return outcome


def _sizes(found: Assessment) -> dict[str, int]:
    reports, violations, incidents, transitions = (
        len(found.tables[name]) for name in ("reports", "violations", "incident_points", "transitions")
    )
    return {"reports": reports, "violations": violations, "incidents": incidents, "transitions": transitions}


@stage("assess", _sizes)
def judge(memory: Memory, as_of: datetime) -> Assessment:
    """Assess the whole theatre."""
    if len(memory.reports) >= compiled.MANY:
        compiled.keep()
    known, settings = memory, memory.settings
    return assess(known.reports, known.coverage, settings.theatre, settings.policies, as_of, known.commands)


@stage("compare", lambda late: {"notices": len(late.notices), "lineage": len(late.lineage)})
def compare(recalled: Recalled, whole: Assessment) -> Changed:
    """Return what became of the last publication: notices of what late news changed in it, and the names that are gone.

    Nothing is computed twice where no news is about that moment and every name still stands.
    """
    earlier, then, now = recalled.earlier, recalled.then, recalled.now
    nothing = Changed(tables.empty(tables.NOTICES_TABLE), tables.empty(tables.LINEAGE_TABLE))
    if earlier is None or then is None:
        return nothing
    same = _same(then, now, earlier.as_of)
    if same and earlier.incidents.keys() <= set(whole.tables["incident_points"]["incident_id"]):
        return nothing
    said = judge(then, earlier.as_of)
    begun = then.reports[then.reports["observed_from"] <= earlier.as_of]
    came = now.reports[now.reports["observed_from"] <= recalled.question.as_of]
    became = lineage.compare(said.tables, whole.tables, news.between(begun, came, None, now.withdrawn))
    became = became[became["from_id"].isin(list(earlier.incidents))].reset_index(drop=True)
    return Changed(nothing.notices if same else _late(recalled, earlier, then, said, whole), became)


def _late(recalled: Recalled, earlier: Publication, then: Memory, said: Assessment, whole: Assessment) -> pd.DataFrame:
    now = recalled.now
    says = whole if earlier.as_of == recalled.question.as_of else judge(now, earlier.as_of)
    found = notice.compare(
        said.tables,
        says.tables,
        as_of=earlier.as_of,
        known_at=earlier.knowledge,
        news=news.between(then.reports, now.reports, earlier.as_of, now.withdrawn),
        other=[_other(then, now)],
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
    theatre = recalled.now.settings.theatre
    layers_of_scope = surfaces.survey(recalled.folder, theatre.rasters, _cut(whole, recalled.question.region))
    told = [*map(list, recalled.descent), *_texts(late.lineage)]
    content = {
        **layers_of_scope,
        "lineage": _descent(layers_of_scope["lineage"], told),
        "notices": late.notices,
        "quarantine": recalled.quarantine,
        "sides": sides.layer(theatre.baselines[0], (theatre.parties[0].name, theatre.parties[1].name)),
    }
    content["run"] = _run_table(recalled, content)
    return Composed(content, _leaving(recalled, content), messages(recalled, content))


def target(workspace: Workspace, recalled: Recalled, out: Path | None) -> Path:
    """Return the file that the answer goes to; one about an earlier moment never takes the current map's place."""
    if out is not None:
        return out / GEOPACKAGE
    question = recalled.question
    return (
        workspace.aside(question.region, question.as_of, question.known_at, question.profile)
        if recalled.overtaken
        else workspace.target(question.region, question.profile)
    )


@stage("publish", lambda published: {"written": int(published.replaced)})
def publish(recalled: Recalled, content: Composed, file: Path) -> Published:
    """Put the answer in its place, whole or not at all; not written again where it stands there already."""
    _require_apart(file, recalled.question.profile)
    keep, (files, bands) = recalled.policy.publication.keep, companions(recalled, content.leaving, content.sent)
    return layers.publish(content.leaving, file, keep=keep, run_id=recalled.run_id, companions=files, bands=bands)


def _require_apart(file: Path, profile: Profile) -> None:
    """Refuse to mix what may leave the cell with what may not, in one folder.

    Raises
    ------
    PolicyError
        If the folder holds files of the other profile.
    """
    stands = layers.read_run(file)
    inside = [file.with_name(name) for name in (*FILES, FOLDER, commands.FILE)]
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
    workspace: Workspace, recalled: Recalled, outcome: Outcome, late: Changed, *, sha256: str, clock: Clock
) -> None:
    """Enter the publication in the ledger, once.

    A kill between publishing and recording leaves a file without an entry: the next run with the same key enters it.
    """
    stands = outcome.file == workspace.target(recalled.question.region, recalled.question.profile)
    place = outcome.file.relative_to(workspace.path).as_posix() if stands else None
    entry = publications.Publication(
        run_id=recalled.run_id,
        region=recalled.question.region,
        as_of=recalled.question.as_of,
        known_at=recalled.question.known_at,
        ledger_no=recalled.head.inputs_no,
        file=place,
        sha256=sha256,
        version=recalled.version,
        incidents=outcome.states,
        lineage=tuple(tuple(row) for row in _texts(late.lineage)),
        alerts=outcome.alerts,
        profile=recalled.question.profile,
    )
    with workspace.ledger(write=True) as ledger:
        if not publications.is_recorded(publications.history(ledger), entry):
            ledger.put_publication(entry.body(), clock())


def silent(workspace: Workspace, question: Question, at: datetime) -> tuple[str, ...]:
    """Return a sentence for each feed that is stale now, where the question is about what is known now."""
    return tuple(one.sentence() for one in health.stale(workspace, at)) if question.known_at is None else ()


def report(recalled: Recalled, content: Composed, published: Published, stale: tuple[str, ...]) -> Outcome:
    """Return what came of the run."""
    row, told = content.layers["run"].iloc[0], content.leaving
    incidents = headlines(told["incidents"])
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
            str(code): int(n) for code, n in _waiting(recalled)["reason_code"].value_counts().sort_index().items()
        },
        changes=Changes.between(recalled.earlier, incidents),
        notices=told["notices"],
        reviews=told["reviews"],
        incidents=incidents,
        alerts=content.sent.rows,
        head=recalled.head.inputs_hash,
        stale=stale,
    )


def _waiting(recalled: Recalled) -> pd.DataFrame:
    """Return the quarantined rows that nobody has released."""
    return recalled.quarantine[recalled.quarantine["released_no"].isna()]


def _other(then: Memory, now: Memory) -> str:
    """Return what may have changed an answer where no report did."""
    if _rules(then) != _rules(now):
        return "settings"
    return "coverage" if then.command_hashes == now.command_hashes else "decisions"


def _same(then: Memory, now: Memory, moment: datetime) -> bool:
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


def _cut(whole: Assessment, region: str | None) -> dict[str, pd.DataFrame]:
    return dict((whole if region is None else whole.within(region)).tables)


def _run_table(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    question, theatre, settings = recalled.question, recalled.now.settings.theatre, recalled.now.settings
    states = content["incidents"]["state"]
    row = {
        "run_id": recalled.run_id,
        "theatre": theatre.id,
        "title": theatre.title,
        "standing": theatre.status,
        "scope": question.region or WHOLE,
        "as_of": pd.Timestamp(question.as_of),
        "known_at": pd.NaT if question.known_at is None else pd.Timestamp(question.known_at),
        "hindsight": recalled.hindsight,
        "replay": recalled.replay,
        "ledger_no": recalled.head.inputs_no,
        "ledger_head": recalled.head.inputs_hash,
        "theatre_hash": settings.theatre_hash,
        "policy_version": recalled.policy.version,
        "policy_hash": _policy_hash(settings, question.as_of),
        "version": recalled.version,
        **_row_counts(recalled.counts),
        "reports": len(content["reports"]),
        "reports_in_window": _in_window(content["reports"], recalled.now.settings),
        "violations": len(content["violations"]),
        "incidents": int((states != "candidate").sum()),
        "candidates": int((states == "candidate").sum()),
        "party_left": theatre.parties[0].name,
        "party_right": theatre.parties[1].name,
    }
    return tables.conform(pd.DataFrame([row]), tables.RUN)


def _row_counts(counts: Mapping[str, int]) -> dict[str, int]:
    kinds = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
    return {"rows": counts["rows"], **{f"rows_{kind}": counts[kind] for kind in kinds}}


def _policy_hash(settings: Settings, as_of: datetime) -> str:
    begun = [
        found
        for found, version in zip(settings.policy_hashes, settings.policies, strict=True)
        if version.in_force_from is None or version.in_force_from <= as_of
    ]
    return begun[-1]


def _in_window(reports: pd.DataFrame, settings: Settings) -> int:
    inside = pd.Series(data=False, index=reports.index)
    for window in settings.theatre.windows:
        ends = pd.Series(data=True, index=reports.index) if window.end is None else reports["observed_to"] < window.end
        inside |= (reports["observed_from"] >= window.start) & ends
    return int(inside.sum())
