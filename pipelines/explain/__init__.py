"""Why is this incident at this tier, and which reports say so?

An explanation is a tree of plain values, for scripts; ``text.tell`` says it to people. It speaks of one moment, by
default that of the last publication, and rests on the same rules and reports.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geo import lineage, news
from geo.errors import PolicyError
from geo.outlook import outlook
from pipelines import publications, recall
from pipelines.outcome import records, stamp
from pipelines.publications import Question
from pipelines.recall import memory
from pipelines.watch import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.publications import Publication
    from pipelines.recall import Memory
    from pipelines.workspace import Workspace

_NAME: Final = re.compile(r"([BCVRD])-([1-9][0-9]{0,17})")
_PLACE: Final = (
    "segment_id", "chainage_m", "offset_m", "distance_m", "side", "zone_id", "region_id", "place_name", "withheld",
)  # fmt: skip
_REPORT: Final = (
    "report_id", "source", "source_ref", "observed_from", "observed_to", "recorded_at", "act", "weapon",
    "party_claimed", *_PLACE, "violation_id", "incident_id", "text", "url",
)  # fmt: skip
_EVENT: Final = (
    "violation_id", "observed_from", "observed_to", "act", "status", "qualifying", "why_not", "place_name",
)  # fmt: skip
_DECISION: Final = (
    "review_id", "command", "target", "value", "violations", "reviewer", "reason", "at", "expires", "answer", "why",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Answer:
    """One assessed moment: where it was watched, its tables, what was known, which publications had come before."""

    workspace: Workspace
    as_of: datetime
    known_at: datetime | None
    up_to_no: int | None
    known: Memory
    tables: Mapping[str, pd.DataFrame]
    past: list[Publication]


def explain(
    workspace: Workspace, name: str, *, as_of: datetime | None, known_at: datetime | None, at: datetime
) -> dict[str, Any]:
    """Explain an incident (B-n), candidate (C-n), violation (V-n), report (R-n) or decision (D-n).

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    name
        The name, as it was ever published.
    as_of, known_at
        The moment that is spoken of, and of knowledge; without either, those of the last publication of the whole
        theatre; where the name is younger, those of the last one that can have said it, of whatever region; and before
        the first one the present.
    at
        Present moment, aware UTC.

    Raises
    ------
    PolicyError
        If the name is none, or no entry of the ledger bears its number.
    """
    found = _NAME.fullmatch(name.strip().upper())
    if found is None:
        known = "an incident (B-104), candidate (C-12), violation (V-7), report (R-7) or decision (D-9)"
        msg = f"{name!r} is no name of {known}"
        raise PolicyError(msg)
    kind, number = found.group(1), int(found.group(2))
    answer = recount(workspace, number, as_of=as_of, known_at=known_at, at=at)
    table, column, tell = _KINDS[kind]
    rows = answer.tables[table]
    rows = rows[rows[column] == found.group()]
    told = tell(answer, rows.iloc[0]) if len(rows) else _lost(answer, found.group(), number)
    return {"name": found.group(), "as_of": stamp(answer.as_of), "known_at": stamp(answer.known_at), **told}


def recount(
    workspace: Workspace, number: int, *, as_of: datetime | None, known_at: datetime | None, at: datetime
) -> Answer:
    """Assess one moment again: the given one, else that of the last publication, which knew an entry if any did."""
    if known_at is not None:
        recall.require(workspace, Question(as_of or known_at, known_at), at=at)
    with workspace.ledger() as ledger:
        past = publications.history(ledger)
        last = publications.standing(past, Question(at))[-1:]
        if last and last[0].ledger_no < number:
            last = [found for found in past if found.ledger_no >= number][-1:] or last
        up_to_no = None
        if as_of is None and known_at is None and last:
            as_of, known_at, up_to_no = last[0].as_of, last[0].known_at, last[0].ledger_no
        moment = as_of or known_at or at
        known = memory(workspace, ledger, known_at, up_to_no)
    return Answer(workspace, moment, known_at, up_to_no, known, judge(known, moment).tables, past)


def _incident(answer: Answer, row: pd.Series) -> dict[str, Any]:
    mine = answer.tables["violations"]
    mine = mine[mine["incident_id"] == row["incident_id"]]
    return {
        "kind": "candidate" if row["state"] == "candidate" else "incident",
        "incident": _plain(row.drop("geometry", errors="ignore")),
        "steps": _steps(answer, str(row["incident_id"])),
        "violations": records(
            mine[
                ["violation_id", "status", "qualifying", "why_not", "attached", "observed_from", "observed_to", *_PLACE]
            ]
        ),
        "decisions": _decisions(answer, "incident_id", str(row["incident_id"])),
        "lineage": _kin(answer, str(row["incident_id"])),
        "timeline": _timeline(answer, mine),
        "voices": _voices(answer, mine),
        "next": [
            {"tier": need.tier, "not_before": stamp(need.not_before), "needs": need.needs}
            for need in outlook(row, mine, answer.known.settings.policies, pd.Timestamp(answer.as_of))
        ],
    }


def _timeline(answer: Answer, mine: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the incident's violations in order of their begin, each with its reports, who sent them and since when."""
    held = _held(answer, mine).sort_values("ledger_no").groupby("violation_id")
    told, since = held["report_id"].agg(list), held["recorded_at"].min()
    sources = held["source"].agg(lambda each: sorted(set(each)))
    rows = mine.sort_values(["observed_from", "violation_id"])
    plain = records(rows[list(_EVENT)])
    return [
        {**row, "reports": told[name], "sources": sources[name], "recorded_at": stamp(since[name])}
        for row in plain
        for name in [row["violation_id"]]
    ]


def _voices(answer: Answer, mine: pd.DataFrame) -> list[dict[str, Any]]:
    """Return who told of an incident, in order of arrival: trust, how many reports, how many in what counts, when."""
    held, theatre = _held(answer, mine), answer.known.settings.theatre
    counting = set(mine.loc[mine["qualifying"], "violation_id"])
    held = held.assign(counts=held["violation_id"].isin(counting))
    each = held.groupby("source").agg(
        reports=("report_id", "size"),
        count=("counts", "sum"),
        first=("recorded_at", "min"),
        last=("recorded_at", "max"),
    )
    found = each.reset_index().sort_values(["first", "source"])
    return [
        {"trust": declared.trust if (declared := theatre.source(row["source"])) else "public", **row}
        for row in records(found)
    ]


def _held(answer: Answer, mine: pd.DataFrame) -> pd.DataFrame:
    reports = answer.tables["reports"]
    return reports[reports["violation_id"].isin(mine["violation_id"])]


def _kin(answer: Answer, name: str) -> list[dict[str, Any]]:
    """Return what the publications said of names that became this one, and of the incident that it takes up."""
    rows = [dict(zip(_LINEAGE, row, strict=True)) for found in answer.past for row in found.lineage]
    kin = [row for row in rows if name in {row["from_id"], row["to_id"]}]
    present = answer.tables["lineage"]
    recurring = records(present[(present["to_id"] == name) | (present["from_id"] == name)])
    return [row for n, row in enumerate([*recurring, *kin]) if row not in [*recurring, *kin][:n]]


def _decisions(answer: Answer, column: str, name: str) -> list[dict[str, Any]]:
    """Return the commands of people that bear on an incident or a violation."""
    table = answer.tables["reviews"]
    return records(table.loc[table[column] == name, list(_DECISION)])


def _steps(answer: Answer, name: str) -> list[dict[str, Any]]:
    steps, carried = answer.tables["transitions"], answer.tables["evidence"]
    steps, carried = steps[steps["incident_id"] == name], carried[carried["incident_id"] == name]
    known = answer.tables["reports"].set_index("report_id", drop=False).rename_axis(None)
    told = []
    for step, plain in zip(steps.itertuples(), records(steps.drop(columns="incident_id")), strict=True):
        mine = carried[(carried["scenario"] == step.scenario) & (carried["seq"] == step.seq)]
        reports = known.loc[mine["report_id"], list(_REPORT)].assign(pivotal=mine["pivotal"].to_numpy())
        told.append({**plain, "reports": records(reports.sort_values(["observed_from", "report_id"]))})
    return told


def _violation(answer: Answer, row: pd.Series) -> dict[str, Any]:
    reports = answer.tables["reports"]
    mine = reports.loc[reports["violation_id"] == row["violation_id"], list(_REPORT)]
    return {
        "kind": "violation",
        "violation": _plain(row.drop("geometry", errors="ignore")),
        "reports": records(mine),
        "decisions": _decisions(answer, "violation_id", str(row["violation_id"])),
    }


def _report(answer: Answer, row: pd.Series) -> dict[str, Any]:
    plain = _plain(row.drop("geometry", errors="ignore"))
    return {"kind": "report", "report": plain, "career": _career(answer, str(plain["report_id"]))}


def _career(answer: Answer, report_id: str) -> list[dict[str, Any]]:
    """Return the entries that made a report what it is at this moment of knowledge."""
    with answer.workspace.ledger() as ledger:
        entries = ledger.career(
            int(report_id.removeprefix("R-")),
            answer.known_at,
            up_to_no=answer.up_to_no,
            suspended=answer.known.settings.theatre.suspended,
        )
    return [_stamped(entry) for entry in entries]


def _stamped(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: stamp(value) if isinstance(value, datetime) else value for key, value in entry.items()}


def _decision(answer: Answer, row: pd.Series) -> dict[str, Any]:
    """Return a command with its answer, the others on the same thing, and the steps that rest on it."""
    name, about = row["review_id"], row["incident_id"]
    bearing = [] if pd.isna(about) else _decisions(answer, "incident_id", str(about))
    steps = [] if pd.isna(about) else _steps(answer, str(about))
    carried = [step for step in steps if re.search(rf"\b{name}\b", step["reason"] or "")]
    return {
        "kind": "decision",
        "decision": _plain(row),
        "others": [one for one in bearing if one["review_id"] != name],
        "steps": [{key: value for key, value in step.items() if key != "reports"} for step in carried],
    }


_LINEAGE: Final = ("kind", "from_id", "to_id", "at", "known_at", "reason")
_KINDS: Final = {
    "B": ("incident_points", "incident_id", _incident),
    "C": ("incident_points", "incident_id", _incident),
    "V": ("violations", "violation_id", _violation),
    "R": ("reports", "report_id", _report),
    "D": ("reviews", "review_id", _decision),
}


def _lost(answer: Answer, name: str, number: int) -> dict[str, Any]:
    """Say what became of a name that means nothing at this moment: its number is that of an entry."""
    with answer.workspace.ledger() as ledger:
        item = ledger.item(number)
    if item is None or not _known(answer, item):
        then = "" if answer.known_at is None else f" that was known at {stamp(answer.known_at)}"
        msg = f"{name}: the ledger has no entry {number}{then}, so nothing bore that name"
        if item is not None and answer.known_at is None:  # else what came later would change what is said of then
            last = f"the last publication, as of {stamp(answer.as_of)}"
            msg = f"{name}: entry {number} came in after {last}, of which this speaks; run again, or give --as-of"
        raise PolicyError(msg)
    said = [found for found in answer.past if name in found.incidents and _heard(answer, found)]
    return {
        "kind": "lost",
        "entry": _stamped(item),
        "career": _career(answer, item["report_id"]) if "report_id" in item else [],
        "published": [
            {"as_of": stamp(found.as_of), "known_at": stamp(found.known_at), "scope": found.region or "whole"}
            for found in said
        ],
        "lineage": _fate(answer, name, said),
        "became": _became(answer, item),
    }


def _known(answer: Answer, item: Mapping[str, Any]) -> bool:
    """Tell whether an entry had arrived by the moment of knowledge."""
    since = item.get("known_at", item["recorded_at"])
    late = answer.known_at is not None and since is not None and since > answer.known_at
    return not late and (answer.up_to_no is None or item["ledger_no"] <= answer.up_to_no)


def _heard(answer: Answer, found: Publication) -> bool:
    """Tell whether a publication rests on no later knowledge than this answer."""
    return answer.known_at is None or found.knowledge <= answer.known_at


def _fate(answer: Answer, name: str, said: list[Publication]) -> list[dict[str, Any]]:
    """Return what became of a name since the last publication that said it, by this moment's answer."""
    told = [found for found in said if found.as_of <= answer.as_of]
    if not told:
        return []
    last = told[-1]
    with answer.workspace.ledger() as ledger:
        then = memory(answer.workspace, ledger, last.known_at, last.ledger_no)
    begun = then.reports[then.reports["observed_from"] <= last.as_of]
    came = answer.known.reports[answer.known.reports["observed_from"] <= answer.as_of]
    arrived = news.between(begun, came, None, answer.known.withdrawn)
    rows = lineage.compare(judge(then, last.as_of).tables, answer.tables, arrived)
    return records(rows[rows["from_id"] == name])


def _became(answer: Answer, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return where the item that once gave a name stands now, or ``None`` where it stands nowhere."""
    reports = answer.tables["reports"]
    mine = reports[reports["report_id"] == item.get("report_id")]
    return records(mine[["report_id", "violation_id", "incident_id"]])[0] if len(mine) else None


def _plain(row: pd.Series) -> dict[str, Any]:
    return records(row.to_frame().T)[0]
