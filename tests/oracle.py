"""What is the answer, worked out the long way? The naive second implementation that the fast one is judged against.

Written from the definitions alone: lists, dicts and ``datetime``, every pair looked at, one geodesic at a time, and a
report's weight found by taking it away and doing the incident again. Speed is no aim. Only the places (chainage, depth,
zone, region) are taken from the frame that comes in; what a source, an act or a time is worth is worked out here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from oracle_incidents import finish, group, remember
from oracle_ladder import ladder, numbered, persisting, reading, scenarios, seen_in, t0_of
from oracle_reports import ALWAYS, Row, read, read_coverage
from oracle_reviews import (
    about,
    arrange,
    close_or_open,
    declarations,
    read_commands,
    say,
    speaking,
    winner,
)
from oracle_truth import neighbourhoods, tell
from oracle_violations import assemble, violation, witnesses

from geo.policy import in_force

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from geo.policy import PolicyVersion
    from geo.theatre import Theatre


def answer(
    matched: pd.DataFrame,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    commands: pd.DataFrame | None = None,
) -> dict[str, list[Row]]:
    """Return ``violations``, ``incidents``, ``transitions`` and ``evidence`` as lists of dicts.

    Parameters
    ----------
    matched
        STORED columns and the matching columns; further columns are not looked at.
    as_of
        Aware UTC.
    """
    policy = in_force(policies, as_of)
    rows, seen = read(matched, theatre, policy), read_coverage(coverage, theatre)

    @cache
    def known(moment: datetime) -> dict[str, list[Row]]:
        """Return the answer of one who knew what had come in by a moment."""
        told = None if commands is None else commands[commands["known_at"] <= moment]
        said = speaking(read_commands(told), as_of)
        return solve(say([r for r in rows if r["known_at"] <= moment], said), seen, theatre, policies, as_of, said)

    def parts(members: list[Row]) -> list[Row]:
        """Return what violations amount to by themselves."""
        made = group([v for v in members if v["qualifying"]], policy)
        for part in made:
            follow(part, seen, theatre, policies, as_of)
        return made

    found = known(ALWAYS)
    present = [row for row in rows if row["from"] <= as_of]
    around = neighbourhoods(present, found["incidents"], commands, theatre, policy)
    for incident in found["incidents"]:
        tell(incident, around, known, parts, theatre, policy)
    return {**found, "evidence": evidence(found, seen, theatre, policies, as_of)}


def solve(
    rows: list[Row],
    coverage: list[Row],
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    said: list[Row],
) -> dict[str, list[Row]]:
    """Return everything but the evidence."""
    policy = in_force(policies, as_of)
    present = [row for row in rows if row["from"] <= as_of]  # I1
    violations = assemble(present, theatre, policy)
    incidents = group(violations, policy, lambda parts: arrange(parts, said, policy))
    for incident in incidents:
        incident["about"] = about(incident, said) if incident["kind"] == "B" else []
        incident["set_t0"] = winner(incident["about"], "set_t0")
        follow(incident, coverage, theatre, policies, as_of)
        declare(incident, said, policies)
    for incident in incidents:
        remember(incident, incidents, coverage, policy)
    transitions = [step for incident in incidents for step in incident["steps"]]
    readings = [each for incident in incidents for each in incident["readings"]]
    return {"violations": violations, "incidents": incidents, "transitions": transitions, "scenarios": readings}


def declare(incident: Row, said: list[Row], policies: tuple[PolicyVersion, ...]) -> None:
    """Add the tiers that people declared."""
    incident["tier_declared"] = None
    new = declarations(incident, said) if incident["kind"] == "B" else []
    if new:
        mine = [step for step in incident["steps"] if step["scenario"] == "any"]
        rest = [step for step in incident["steps"] if step["scenario"] != "any"]
        incident["steps"] = numbered([*mine, *new], incident, "any", in_force(policies, incident["t0_to"])) + rest
        incident["tier_declared"] = max(step["tier_to"] for step in new)


def follow(
    incident: Row, coverage: list[Row], theatre: Theatre, policies: tuple[PolicyVersion, ...], as_of: datetime
) -> None:
    """Add state, end, times, tiers, persistence and steps."""
    if incident["kind"] == "C":
        incident.update(state="candidate", end=None, end_at=None, persistence=None, readings=[])
        incident.update(tier_eligible=0, tier_effective=0, tier_peak=0)
        return
    members = incident["members"]
    counted = seen_in("any", members) or members
    incident["begin"] = min(v["from"] for v in members)
    incident["t0_from"], incident["t0_to"] = t0_of(incident, counted)
    incident["last"] = max(v["to"] for v in members)
    incident["origins"] = witnesses(row for v in members for row in v["spoken"])
    now, then = in_force(policies, as_of), in_force(policies, incident["t0_to"])
    finish(incident, coverage, theatre, now, then, as_of)
    close_or_open(incident)
    for scenario in scenarios(theatre):
        incident["steps"] += ladder(incident, scenario, now, policies, as_of)
    readings = [reading(incident, scenario, coverage, policies, as_of) for scenario in scenarios(theatre)]
    incident["readings"] = [each for each in readings if each]
    incident["persistence"] = next((r["persistence"] for r in incident["readings"] if r["scenario"] == "any"), None)
    reached = {
        kind: max(
            (step["tier_to"] for step in incident["steps"] if step["scenario"] == "any" and step["kind"] == kind),
            default=0,
        )
        for kind in ("eligible", "effective")
    }
    over = incident["end_at"] is not None
    incident["tier_peak"] = reached["eligible"]
    incident["tier_eligible"] = 0 if over else reached["eligible"]
    incident["tier_effective"] = 0 if over else reached["effective"]


def evidence(
    found: dict[str, list[Row]],
    coverage: list[Row],
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
) -> list[Row]:
    """Return every report of every step, and whether the other reports of the incident would not take that step."""
    out = []
    for incident in (item for item in found["incidents"] if item["kind"] == "B"):
        again: dict[str, list[Row]] = {}
        for step in incident["steps"]:
            for row in carriers_of(step, incident, policies):
                if row["id"] not in again:
                    again[row["id"]] = without(row, incident, coverage, theatre, policies, as_of)
                gone = step["kind"] in {"eligible", "effective"} and not holds(step, again[row["id"]])
                gone = None if step["kind"] == "declared" else gone
                names = {name: step[name] for name in ("incident", "scenario", "seq", "kind", "tier_to")}
                out.append({**names, "report": row["id"], "pivotal": gone})
    return out


def without(
    gone: Row,
    incident: Row,
    coverage: list[Row],
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
) -> list[Row]:
    """E1: return the steps of what an incident comes to when one report is left out of its violation."""
    policy = in_force(policies, as_of)
    left = [[row for row in v["members"] if row["id"] != gone["id"]] for v in incident["members"]]
    violations = [violation(members, [], theatre, policy) for members in left if members]
    parts = group([v for v in violations if v["qualifying"]], policy)
    for part in parts:
        follow(part, coverage, theatre, policies, as_of)
    return [step for part in parts for step in part["steps"]]


def carriers_of(step: Row, incident: Row, policies: tuple[PolicyVersion, ...]) -> list[Row]:
    """E1."""
    seen = seen_in(step["scenario"], incident["members"])
    t0_to = t0_of(incident, seen)[1]
    second = step["tier_to"] == 2 and step["kind"] != "declared"
    if second:
        shown = persisting(seen, t0_to, in_force(policies, t0_to))
        wanted = {v["id"] for v in [*shown, *step["needs"]]}
        seen = [v for v in seen if v["id"] in wanted]
    return [row for v in seen for row in v["carriers"]]


def holds(step: Row, steps: list[Row]) -> bool:
    """Whether the same step is among these."""
    same = ("scenario", "kind", "tier_to")
    return any(all(step[name] == other[name] for name in same) for other in steps)
