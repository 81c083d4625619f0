"""Why is this incident at this tier, and which reports say so?

An explanation is a tree of plain values, for scripts; ``text.tell`` says it to people. It speaks of one moment, by
default that of the last publication, and rests on the same rules and reports.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geo.errors import PolicyError
from geo.outlook import outlook
from pipelines.explain.answers import career, head
from pipelines.explain.filed import published
from pipelines.outcome import plain_values, records, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.explain.answers import Answer
    from pipelines.workspace import Workspace

_NAME: Final = re.compile(r"[BCVRD]-([1-9][0-9]{0,17})")
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
    name, number = found.group(), int(found.group(1))
    standing = None if as_of or known_at else published(workspace, name, number, at=at)
    if standing is not None:
        read = told(standing, name)
        if standing.stands():
            return read
    from pipelines.explain import lost, whole  # noqa: PLC0415 -- what was published is told without assessing anything

    again = whole.assess(workspace, name, number, as_of=as_of, known_at=known_at, at=at)
    return told(again, name) if len(again.of(name)) else lost.lost(again, name)


def told(answer: Answer, name: str) -> dict[str, Any]:
    """Return what an answer says of a name that something bears in it."""
    return {**head(answer, name), **_KINDS[name[0]](answer, answer.of(name).iloc[0])}


def _incident(answer: Answer, row: pd.Series) -> dict[str, Any]:
    mine = answer.rows("violations", "incident_id", [row["incident_id"]])
    held = answer.rows("reports", "incident_id", [row["incident_id"]])
    return {
        "kind": "candidate" if row["state"] == "candidate" else "incident",
        "incident": _plain(row),
        "steps": _steps(answer, str(row["incident_id"]), held),
        "violations": records(
            mine[
                ["violation_id", "status", "qualifying", "why_not", "attached", "observed_from", "observed_to", *_PLACE]
            ]
        ),
        "decisions": _decisions(answer, "incident_id", str(row["incident_id"])),
        "lineage": _kin(answer, str(row["incident_id"])),
        "timeline": _timeline(held, mine),
        "voices": _voices(answer, held, mine),
        "next": [
            {"tier": need.tier, "not_before": stamp(need.not_before), "needs": need.needs}
            for need in outlook(row, mine, answer.settings.policies, pd.Timestamp(answer.as_of))
        ],
    }


def _timeline(held: pd.DataFrame, mine: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the incident's violations in order of their begin, each with its reports, who sent them and since when."""
    told, sources = defaultdict[str, list[str]](list), defaultdict[str, set[str]](set)
    ordered = held.sort_values("ledger_no")
    columns = (ordered[each].tolist() for each in ("violation_id", "report_id", "source"))
    for name, report, source in zip(*columns, strict=True):
        told[name].append(report)
        sources[name].add(source)
    first = held.groupby("violation_id")["recorded_at"].min()
    since = dict(zip(first.index, plain_values(first), strict=True))
    rows = mine.sort_values(["observed_from", "violation_id"])
    return [
        {**row, "reports": told[name], "sources": sorted(sources[name]), "recorded_at": since[name]}
        for row in records(rows[list(_EVENT)])
        for name in [row["violation_id"]]
    ]


def _voices(answer: Answer, held: pd.DataFrame, mine: pd.DataFrame) -> list[dict[str, Any]]:
    """Return who told of an incident, in order of arrival: trust, how many reports, how many in what counts, when."""
    theatre = answer.settings.theatre
    held = held.assign(counts=held["violation_id"].map(mine.set_index("violation_id")["qualifying"]))
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


def _kin(answer: Answer, name: str) -> list[dict[str, Any]]:
    """Return what the publications said of names that became this one, and of the incident that it takes up."""
    rows = [dict(zip(_LINEAGE, row, strict=True)) for found in answer.past for row in found.lineage]
    kin = [row for row in rows if name in {row["from_id"], row["to_id"]}]
    present = pd.concat([answer.rows("lineage", column, [name]) for column in ("to_id", "from_id")])
    recurring = records(present[present["kind"] == "recurrence"])  # a map repeats what publications said of the rest
    return [row for n, row in enumerate([*recurring, *kin]) if row not in [*recurring, *kin][:n]]


def _decisions(answer: Answer, column: str, name: str) -> list[dict[str, Any]]:
    """Return the commands of people that bear on an incident or a violation."""
    return records(answer.rows("reviews", column, [name])[list(_DECISION)])


def _steps(answer: Answer, name: str, held: pd.DataFrame | None = None) -> list[dict[str, Any]]:
    """Return an incident's steps, each with the reports that carry it; ``held`` are its own, where they are at hand."""
    steps, carried = (answer.rows(table, "incident_id", [name]) for table in ("transitions", "evidence"))
    known = _known(answer, carried["report_id"].unique().tolist(), held)[list(_REPORT)]
    plain = {report["report_id"]: report for report in records(known.sort_values(["observed_from", "report_id"]))}
    pivotal = defaultdict[tuple[str, int], dict[str, bool | None]](dict)
    columns = (plain_values(carried[each]) for each in ("scenario", "seq", "report_id", "pivotal"))
    for scenario, seq, report, needed in zip(*columns, strict=True):
        pivotal[scenario, seq][report] = needed
    told = []
    for said in records(steps.drop(columns="incident_id")):
        mine = pivotal[said["scenario"], said["seq"]]
        carrying = [{**report, "pivotal": mine[name]} for name, report in plain.items() if name in mine]
        told.append({**said, "reports": carrying})
    return told


def _known(answer: Answer, names: list[str], held: pd.DataFrame | None) -> pd.DataFrame:
    """Return the reports of some names, of those at hand where all are among them, in any order."""
    rows = pd.Index([] if held is None else held["report_id"]).get_indexer(pd.Index(names, dtype="str"))
    if held is None or (rows < 0).any():
        return answer.rows("reports", "report_id", names)
    return pd.DataFrame(held.iloc[rows])


def _violation(answer: Answer, row: pd.Series) -> dict[str, Any]:
    mine = answer.rows("reports", "violation_id", [row["violation_id"]])[list(_REPORT)]
    return {
        "kind": "violation",
        "violation": _plain(row),
        "reports": records(mine),
        "decisions": _decisions(answer, "violation_id", str(row["violation_id"])),
    }


def _report(answer: Answer, row: pd.Series) -> dict[str, Any]:
    plain = _plain(row)
    return {"kind": "report", "report": plain, "career": career(answer, str(plain["report_id"]))}


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
_KINDS: Final = {"B": _incident, "C": _incident, "V": _violation, "R": _report, "D": _decision}


def _plain(row: pd.Series) -> dict[str, Any]:
    return records(row.to_frame().T)[0]
