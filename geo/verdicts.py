"""What did people decide of violations and reports?

Numbered rules, mirrored in the code and in the tests:

RULE 1  Confirm, refute and exempt set the status of a violation, in place of the rule of voices. Confirmed, it
        qualifies if nothing else keeps it from that: not coarse, surely inside a window, not only public (law 13).
RULE 2  Attribute sets whom a violation is held against, in place of all claims; ``unknown`` takes every claim away.
RULE 3  Refute of a report: it is disregarded. It stays in its layer and is part of no violation.
RULE 4  A fix holds the status that it names, or that people had decided, against commands of any name of the violation.
RULE 5  A command whose report is gone, disregarded or part of no violation now is rejected: its target is no longer
        what it was. Where the rules would say otherwise by themselves, the answer says so.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo import violations
from geo.reviews import NOBODY, STATUS, Ruling, choose, party_of
from geo.standing import ORDER

if TYPE_CHECKING:
    from geo.policy import Policy
    from geo.reviews import Command, Docket
    from geo.theatre import Theatre

_OF_VIOLATIONS = ("confirm", "refute", "exempt", "attribute", "fix")


def assemble(
    reports: pd.DataFrame, policy: Policy, docket: Docket, theatre: Theatre
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put reports together into violations, with what people decided of them; answers those commands.

    As ``violations.assemble``; the reports have ``rulings`` filled in, and the violations ``party_claimed`` as people
    decided it.
    """
    gone = {command.subject: command for command in docket.of("refute") if command.target.startswith("R")}
    said = _rulings(docket, theatre)
    marked = reports.assign(rulings=_by_report(reports, said))
    whole, found = _assemble(marked, gone, policy, theatre)
    shared = _shared(whole)
    if shared is not whole:  # else nothing has changed since
        whole, found = _assemble(shared, gone, policy, theatre)
    if said:
        found = _attributed(whole, found)
    _answer(whole, found, gone, docket, said)
    return whole, found


def _rulings(docket: Docket, theatre: Theatre) -> dict[int, list[Ruling]]:
    """Return what people say, by the first number of the report by which they say it."""
    said: dict[int, list[Ruling]] = {}
    for command in docket.of(*_OF_VIOLATIONS):
        if not command.target.startswith("V"):
            continue
        head = (command.no, command.person, command.at, command.known_at)
        if command.command == "attribute":
            ruling = Ruling(*head, "party", party_of(command.value, theatre) or NOBODY)
        else:
            status = STATUS.get(command.command) or docket.held(command) or ""
            ruling = Ruling(*head, "status", status, fixed=command.command == "fix")
        said.setdefault(command.subject, []).append(ruling)
    return said


def objects(values: list[Any], index: pd.Index) -> pd.Series:
    """Return a column of anything."""
    column: pd.Series = pd.Series(values, index, dtype="object")
    return column


def _by_report(reports: pd.DataFrame, said: dict[int, list[Ruling]]) -> pd.Series:
    if not said:
        nothing = np.empty(len(reports), object)
        nothing.fill(())
        return pd.Series(nothing, reports.index)
    return objects([tuple(said.get(first, ())) for first in reports["first_no"].tolist()], reports.index)


def _assemble(
    reports: pd.DataFrame, gone: dict[int, Command], policy: Policy, theatre: Theatre
) -> tuple[pd.DataFrame, pd.DataFrame]:
    some = reports.loc[~reports["first_no"].isin(list(gone))] if gone else reports
    counted, found = violations.assemble(some, policy, theatre.exemptions)
    if some is reports:
        return counted, found
    made = counted[[name for name in counted if name not in reports or name == "violation_id"]].reindex(reports.index)
    made["violation_id"] = made["violation_id"].astype("str")
    return reports.assign(**{str(name): column for name, column in made.items()}), found


def _shared(reports: pd.DataFrame) -> pd.DataFrame:
    """Return the reports where what is said by a public report holds for the others of its violation, if there is one.

    A name may be a public report's, while only the others carry the violation.
    """
    ruled = reports["rulings"].astype(bool)
    public = reports.loc[ruled & (reports["trust"] == "public") & reports["violation_id"].notna()]
    if public.empty:
        return reports
    heard: dict[str, tuple[Ruling, ...]] = {}
    for name, rulings in zip(public["violation_id"], public["rulings"], strict=True):
        heard[name] = (*heard.get(name, ()), *rulings)
    extra = [heard.get(name, ()) for name in reports["violation_id"]]
    rows = [tuple(dict.fromkeys((*a, *b))) for a, b in zip(reports["rulings"], extra, strict=True)]
    return reports.assign(rulings=objects(rows, reports.index))


def _attributed(reports: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return the violations with the parties that people decided on."""
    parties = found["party_claimed"].astype(object).to_numpy(copy=True)
    for place, rulings in enumerate(_on(reports, found)):
        ruled = choose(rulings, "party")
        if ruled is not None:
            parties[place] = None if ruled.says == NOBODY else ruled.says
    return found.assign(party_claimed=pd.Series(parties, found.index, dtype="str"))


def _on(reports: pd.DataFrame, found: pd.DataFrame) -> list[list[Ruling]]:
    """Return everything that people say of each violation."""
    spoken = reports.loc[reports["rulings"].astype(bool) & reports["violation_id"].notna()]
    said: dict[str, list[Ruling]] = {}
    for name, rulings in zip(spoken["violation_id"], spoken["rulings"], strict=True):
        said.setdefault(name, []).extend(rulings)
    return [said.get(name, []) for name in found["violation_id"]]


def _answer(
    reports: pd.DataFrame,
    found: pd.DataFrame,
    gone: dict[int, Command],
    docket: Docket,
    said: dict[int, list[Ruling]],
) -> None:
    """Answer every command on a violation or a report."""
    if not gone and not said:
        return
    home = dict(zip(reports["first_no"], reports["violation_id"], strict=True))
    rows = {row.violation_id: row for row in found.itertuples()}
    every = dict(zip(found["violation_id"], _on(reports, found), strict=True))
    own = {ruling.no: ruling for rulings in said.values() for ruling in rulings}
    holds = cache(lambda name, about: choose(every[name], about))  # asked by every command on it
    for command in docket.of(*_OF_VIOLATIONS):
        name = home.get(command.subject)
        if command.target.startswith("B"):
            continue
        if command.target.startswith("R"):
            _answer_report(command, home, docket)
        elif command.subject in gone:
            docket.reject(command, f"its report is disregarded by {gone[command.subject].name}")
        elif name is None or pd.isna(name):
            docket.reject(command, _missing(command, home))
        else:
            mine = own[command.no]
            _answer_violation(command, rows[name], mine, holds(name, mine.about), docket)


def _missing(command: Command, home: dict[int, str]) -> str:
    if command.subject in home:
        return f"what {command.target} said makes no violation now"
    return f"the report that {command.target} is named after is not active at this moment"


def _answer_report(command: Command, home: dict[int, str], docket: Docket) -> None:
    if command.subject in home:
        docket.apply(command)
    else:
        docket.reject(command, f"{command.target} is not active at this moment")


def _answer_violation(command: Command, row: object, mine: Ruling, holds: Ruling | None, docket: Docket) -> None:
    name, by_rule, why_not = row.violation_id, row.by_rule, row.why_not  # type: ignore[attr-defined]  # a row
    if holds is not None and holds.says != mine.says:
        docket.answer(command, "over", f"overruled by D-{holds.no}")
        return
    notes = [f"{command.target} is part of {name} now"] if name != command.target else []
    if mine.about == "status" and by_rule != mine.says:
        notes.append(f"by the rules it would be {by_rule}")
    if mine.about == "status" and mine.says in ORDER and not pd.isna(why_not):
        notes.append(f"it does not count: {why_not}")
    docket.apply(command, "; ".join(notes) or None)
