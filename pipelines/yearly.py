"""What was over before the map's window: which files hold it, and which of it is settled?

The past stands beside the map of the whole theatre, in ``past/YEAR.gpkg``, each as valid as the map itself. A file is
written only when what it holds has changed; its table ``run`` is that of the run that wrote it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import nearness, past, tables
from geo.assess import place
from geo.policy import in_force
from geo.settled import former, reach_us, settled
from pipelines import layers, reuse, surfaces
from pipelines.imprint import in_window
from pipelines.stages import stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo.assess import Assessment
    from geo.past import Parted
    from pipelines.recall import Recalled
    from pipelines.workspace import Workspace

    Year = dict[str, pd.DataFrame]

_BESIDE: Final = ("notices", "quarantine")  # what only the map says


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
    name = hashlib.sha256(f"{about} {reuse.digest(sorted(held.items()))}".encode()).hexdigest()
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
    """What stands as a file of the past: the run that it names, and its SHA-256."""

    run_id: str
    sha256: str


def before(folder: Path, made: Mapping[int, Year], content: Mapping[str, pd.DataFrame]) -> dict[str, Filed]:
    """Put the files of the past in their places that must stand before a map with this content does.

    What goes into the past stands there before it leaves the map. Files that hold what comes back wait for the map.
    """
    mapped = set(content["reports"]["report_id"])
    stand = {year: layers.read_column(_place(folder, year), "reports", "report_id") for year in made}
    first = {year: made[year] for year, reports in stand.items() if mapped.isdisjoint(reports)}
    return _publish(folder, first) if first else {}


def after(folder: Path, made: Mapping[int, Year], stand: Mapping[str, Filed]) -> dict[str, Filed]:
    """Put the other files in their places once the map stands, and return what stands of each, by its name.

    Files of years that hold nothing any more are removed; what is none of ours is left alone.
    """
    rest = {year: held for year, held in made.items() if _place(folder, year).name not in stand}
    done = {**stand, **(_publish(folder, rest) if rest else {})}
    for name in reuse.filed(folder).keys() - done.keys():
        file = folder / reuse.PAST / name
        for path in (file, file.with_suffix(layers.PROJECT)):
            path.unlink(missing_ok=True)
    return done


@stage("publish-past", lambda files: {"files": len(files)})
def _publish(folder: Path, made: Mapping[int, Year]) -> dict[str, Filed]:
    return {_place(folder, year).name: _put(_place(folder, year), held) for year, held in made.items()}


def _place(folder: Path, year: int) -> Path:
    return folder / reuse.PAST / f"{year}.gpkg"


def _put(file: Path, held: Year) -> Filed:
    run_id = str(held["run"]["run_id"].iloc[0])
    stands = layers.read_run(file)
    if stands is not None and stands["run_id"] == run_id:  # the same was said before: by the run that it names
        held = {**held, "run": tables.conform(pd.DataFrame([stands]), tables.RUN)}
    return Filed(run_id, layers.publish(held, file, keep=0, run_id=run_id).sha256)


@stage("settle")
def settle(workspace: Workspace, recalled: Recalled, answer: Assessment, files: Mapping[str, Filed]) -> None:
    """Write down for later runs what is settled by this one, which put the files of the past in their places."""
    known, question = recalled.now, recalled.question
    since = reuse.window_from(known.settings, question)
    with workspace.ledger() as ledger:
        if since is None or not reuse.applies(ledger, question):
            return
        outline = ledger.outline()
    policy = in_force(known.settings.policies, question.as_of)
    found = past.part(answer, since)
    named = {number for each in known.commands["subjects"] for number in each.values()}
    placed = place(known.reports, known.settings.theatre, known.settings.policies, question.as_of)
    item = placed["first_no"].map(outline.set_index("ledger_no")["subject_no"])
    done = settled(answer, placed, item, found.gone, policy, since, named)
    last = recalled.head.inputs_no
    outline = outline[outline["ledger_no"] <= last]
    late = outline["observed_to"] + reach_us(policy) >= nearness.instant(since)
    stands = known.reports.loc[~known.reports["report_id"].isin(done), "first_no"]
    wanted = late | outline["ledger_no"].isin({*stands, *named})
    open_ = set(outline.loc[wanted, "subject_no"])
    numbers = outline.loc[outline["subject_no"].isin(open_), "ledger_no"].to_numpy(np.int64)
    reports = answer.tables["reports"]
    ended = set(reports.loc[reports["report_id"].isin(done), "incident_id"].dropna())
    reuse.write(
        workspace,
        reuse.Kept(
            rules=reuse.rules(known.settings, question.as_of, recalled.version),
            since=since.isoformat(),
            as_of=question.as_of.isoformat(),
            ledger_no=last,
            head=recalled.head.inputs_hash,
            rest=reuse.rest(found, answer, done),
            files={name: found.run_id for name, found in files.items()},
            numbers=numbers,
            former=former(answer, ended),
        ),
    )
