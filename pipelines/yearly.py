"""What was over before the map's window: which files hold it, and which of it is settled?

The past stands beside the map of the whole theatre, in ``past/YEAR.gpkg``, each as valid as the map itself. A file is
written only when what it holds has changed; its table ``run`` is that of the run that wrote it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import pandas as pd

from geo import nearness, past, points, tables
from geo.incidents import Former
from geo.said import Before
from geo.settled import former, over, reach_us, rows, settled, together
from pipelines import frames, hashes, layers, reuse, sides, surfaces
from pipelines.imprint import in_window
from pipelines.ledger.outline import NEVER
from pipelines.stages import stage
from pipelines.workspace import PAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.assess import Assessment
    from geo.past import Gone, Parted
    from pipelines.layers.swap import State
    from pipelines.recall import Recalled
    from pipelines.workspace import Workspace

    Year = dict[str, pd.DataFrame]

_BESIDE: Final = ("notices", "quarantine")  # what only the map says


def names_of_sides(recalled: Recalled) -> pd.DataFrame:
    """Return the layer ``sides``, which only the theatre bears on."""
    if recalled.kept is not None:
        return recalled.kept.sides
    theatre = recalled.now.settings.theatre
    drawn: pd.DataFrame = sides.layer(theatre.baselines[0], (theatre.parties[0].name, theatre.parties[1].name))
    return drawn


def lean(recalled: Recalled) -> Recalled:
    """Return what a run still needs once it has assessed and compared: of each report its first number alone."""
    return replace(recalled, now=replace(recalled.now, reports=recalled.now.reports[["first_no"]]), then=None)


def parted(recalled: Recalled, answer: Assessment) -> Parted:
    """Return an answer in parts, as the policy in force asks for."""
    since = reuse.window_from(recalled.now.settings, recalled.question)
    return past.whole(answer) if since is None else past.part(answer, since)


def filed(recalled: Recalled) -> bool:
    """Tell whether a run writes the files of the past: of the whole theatre, unless those that stand stay."""
    question = recalled.question
    return question.region is None and question.profile == "internal" and recalled.kept is None


def years(recalled: Recalled, found: Parted, content: Mapping[str, pd.DataFrame]) -> dict[int, Year]:
    """Return every table of each file of the past, by year; ``content`` are those of the map."""
    return {year: _year(recalled, answer, content, year) for year, answer in found.past.items()}


def _year(recalled: Recalled, answer: Assessment, content: Mapping[str, pd.DataFrame], year: int) -> Year:
    theatre = recalled.now.settings.theatre
    told = surfaces.survey(recalled.folder, theatre.rasters, dict(answer.tables))
    blank = {name: tables.empty(tables.BY_NAME[name]) for name in _BESIDE}
    held = {**told, **blank, "sides": content["sides"]}
    run = content["run"].iloc[:1]
    states, reports = held["incidents"]["state"], held["reports"]
    about = [recalled.version, *run[["theatre_hash", "policy_hash", "standing"]].iloc[0], year]
    name = hashlib.sha256(f"{about} {frames.digest(sorted(held.items()))}".encode()).hexdigest()
    row = run.assign(
        run_id=name,
        past_year=year,
        reports=len(reports),
        reports_in_window=in_window(reports, recalled.now.settings),
        violations=len(held["violations"]),
        incidents=int((states != "candidate").sum()),
        candidates=int((states == "candidate").sum()),
    )
    return {**held, "run": tables.conform(row, tables.RUN)}


class Filed(NamedTuple):
    """What stands as a file of the past: the run that it names, its SHA-256, and the state in which it was hashed."""

    run_id: str
    sha256: str
    state: State


def before(
    workspace: Workspace, folder: Path, made: Mapping[int, Year], content: Mapping[str, pd.DataFrame]
) -> dict[str, Filed]:
    """Put the files of the past in their places that must stand before a map with this content does.

    What goes into the past stands there before it leaves the map. Files that hold what comes back wait for the map.
    """
    mapped = set(content["reports"]["report_id"]) if made else set()
    stand = {year: _held(_place(folder, year), held) for year, held in made.items()}
    first = {year: made[year] for year, reports in stand.items() if mapped.isdisjoint(reports)}
    return _publish(workspace, folder, first) if first else {}


def after(workspace: Workspace, folder: Path, made: Mapping[int, Year], stand: Mapping[str, Filed]) -> dict[str, Filed]:
    """Put the other files in their places once the map stands, and return what stands of each, by its name.

    Files of years that hold nothing any more are removed; what is none of ours is left alone.
    """
    rest = {year: held for year, held in made.items() if _place(folder, year).name not in stand}
    done = {**stand, **(_publish(workspace, folder, rest) if rest else {})}
    for name in reuse.filed(folder).keys() - done.keys():
        file = folder / PAST / name
        for path in (file, file.with_suffix(layers.PROJECT)):
            path.unlink(missing_ok=True)
    return done


@stage("publish-past", lambda files: {"files": len(files)})
def _publish(workspace: Workspace, folder: Path, made: Mapping[int, Year]) -> dict[str, Filed]:
    return {_place(folder, year).name: _put(workspace, _place(folder, year), held) for year, held in made.items()}


def _held(file: Path, held: Year) -> Iterable[str]:
    """Return the reports of a file that it would hold no more if it were put there anew."""
    stands = layers.read_run(file)
    if stands is not None and stands["run_id"] == held["run"]["run_id"].iloc[0]:
        return ()
    return layers.read_column(file, "reports", "report_id")


def _place(folder: Path, year: int) -> Path:
    return folder / PAST / f"{year}.gpkg"


def _put(workspace: Workspace, file: Path, held: Year) -> Filed:
    run_id = str(held["run"]["run_id"].iloc[0])
    stands = layers.read_run(file)
    if stands is not None and stands["run_id"] == run_id:  # the same was said before: by the run that it names
        proved = hashes.untouched(workspace, file)
        if proved is not None and file.with_suffix(layers.PROJECT).is_file():
            return Filed(run_id, *proved)
        held = {**held, "run": tables.conform(pd.DataFrame([stands]), tables.RUN)}
    found = layers.publish(held, file, keep=0, run_id=run_id)
    return Filed(run_id, found.sha256, found.state)


def hashed(folder: Path, files: Mapping[str, Filed]) -> dict[Path, tuple[str, State]]:
    """Return what ``pipelines.hashes`` remembers of the files of the past beside a map."""
    return {folder / PAST / name: (found.sha256, found.state) for name, found in files.items()}


@stage("settle")
def settle(workspace: Workspace, recalled: Recalled, answer: Assessment, files: Mapping[str, Filed] | None) -> None:
    """Write down for later runs what is settled by this one, which put the map in its place.

    ``files`` are those of the past, ``None``: they were left as they are, and so is what was written of the past.
    """
    known, question = recalled.now, recalled.question
    since = reuse.window_from(known.settings, question)
    with workspace.ledger() as ledger:
        if since is None or not reuse.applies(ledger, question):
            return
        outline = ledger.outline()
    desk = _Desk.of(recalled, answer, outline, since)
    gone, kept, done = past.gone(answer, since), recalled.kept, np.zeros(len(answer.placed), bool)
    if kept is None:
        done, runs = desk.settled(gone, since), {name: found.run_id for name, found in (files or {}).items()}
        kept = desk.kept(since, done, reuse.rest(gone, answer, done), runs)
        reuse.write(workspace, kept)
    until = question.as_of - timedelta(hours=max(each.policy.ladder.persist_h for each in known.settings.policies))
    said = known.commands
    turns = said["expires"].notna().any() or (said["at"] > question.as_of).any()  # without any news
    if until > since and not turns:
        still = desk.settled(past.gone(answer, until), until)
        made = desk.kept(until, still, reuse.rest(gone, answer, still), kept.files)
        mine = still & ~done & ~over(answer, gone)
        days = points.days(answer.placed.loc[still & ~done], known.settings.theatre, recalled.policy.matching, since)
        reuse.write(workspace, replace(made, before=made.before._replace(rows=rows(answer, mine), points=days)))


@dataclass(frozen=True, eq=False)
class _Desk:
    """What is needed to tell what is settled: of the ledger, only what the run looked at."""

    recalled: Recalled
    answer: Assessment
    outline: pd.DataFrame
    homes: NDArray[np.int64]
    named: frozenset[int]
    since: datetime

    @classmethod
    def of(cls, recalled: Recalled, answer: Assessment, outline: pd.DataFrame, since: datetime) -> Self:
        if recalled.kept is not None:
            outline = outline[recalled.kept.some.holds(outline["ledger_no"])]
        named = frozenset(number for each in recalled.now.commands["subjects"] for number in each.values())
        item = answer.placed["first_no"].map(outline.set_index("ledger_no")["subject_no"])
        return cls(recalled, answer, outline, together(answer, item, recalled.policy), named, since)

    def settled(self, gone: Gone, until: datetime) -> NDArray[np.bool_]:
        """Return which reports are settled if nothing comes in of the time before an instant."""
        return settled(self.answer, self.homes, gone, self.recalled.policy, until, self.named)

    def kept(self, until: datetime, done: NDArray[np.bool_], rest: str, files: Mapping[str, str]) -> reuse.Kept:
        """Return what later runs must know where these reports are settled."""
        known, recalled = self.recalled.now, self.recalled
        outline = self.outline[self.outline["ledger_no"] <= recalled.head.inputs_no]
        late = outline["observed_to"] + reach_us(recalled.policy) >= nearness.instant(until)
        item = known.reports["first_no"]
        stands = item[~item.isin(self.answer.placed["first_no"][done])]
        wanted = late | outline["ledger_no"].isin(np.append(stands, np.fromiter(self.named, np.int64)))
        open_ = outline.loc[wanted, "subject_no"].unique()
        mine = outline[outline["subject_no"].isin(open_)]
        begun = (mine["observed_from"] != NEVER) & (mine["observed_from"] < nearness.instant(until))
        before = former(self.answer, done)
        if known.before.former is not None:
            before = Former._make(map(np.concatenate, zip(known.before.former, before, strict=True)))
        return reuse.Kept(
            rules=reuse.rules(known.settings, recalled.question.as_of, recalled.version),
            since=self.since.isoformat(),
            until=until.isoformat(),
            as_of=recalled.question.as_of.isoformat(),
            ledger_no=recalled.head.inputs_no,
            decided=len(known.commands),
            head=recalled.head.inputs_hash,
            rest=rest,
            files=files,
            numbers=mine["ledger_no"].to_numpy(np.int64),
            sides=names_of_sides(recalled),
            older=mine.loc[begun, "subject_no"].unique(),
            beats=known.coverage["ledger_no"].to_numpy(np.int64),
            before=Before(before),
        )
