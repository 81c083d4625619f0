"""Which violations are one incident, and has it ended? The naive answer to rules I."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, TypeAlias

from oracle_reports import ALWAYS, NOTHING, Row, distance, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geo.policy import Policy
    from geo.theatre import Theatre

Span: TypeAlias = tuple[datetime, datetime]


def near(a: Row, b: Row, policy: Policy) -> bool:
    """Whether two violations are within the links' distance and pause."""
    return distance(a, b) <= policy.grouping.link_m and pause(a, b) <= policy.link_gap


def linked(a: Row, b: Row, policy: Policy) -> bool:
    """I2."""
    return near(a, b, policy) and bool(a["windows"] & b["windows"])


def components(items: list[Row], joined: Callable[[Row, Row], bool]) -> list[list[Row]]:
    """Return the groups that the links hold together, each grown by asking everybody until nobody joins."""
    left, found = list(items), []
    while left:
        members = [left.pop(0)]
        while grown := [row for row in left if any(joined(row, member) for member in members)]:
            members.extend(grown)
            left = [row for row in left if row not in grown]
        found.append(members)
    return found


def group(violations: list[Row], policy: Policy) -> list[Row]:
    """Return incidents and candidates, and say in every violation where it belongs."""
    counting = [v for v in violations if v["qualifying"]]
    parts = components(counting, lambda a, b: linked(a, b, policy))
    big = [part for part in parts if len(part) >= policy.ladder.open_n]
    incidents = [_named("B", min(v["anchor"] for v in part), part, policy) for part in big]
    for other in (v for v in violations if not v["qualifying"]):
        attach(other, incidents, policy)
    free = [v for v in violations if v["incident"] is None]
    free = [v for v in free if v["status"] not in {"refuted", "exempt"} and not v["crowd_only"]]
    loose = components(free, lambda a, b: near(a, b, policy) and bool(a["touched"] & b["touched"]))  # I5
    candidates = [_named("C", min(v["no"] for v in part), part, policy) for part in loose]
    return sorted(incidents + candidates, key=lambda incident: (incident["kind"], incident["no"]))


def _named(kind: str, no: int, members: list[Row], policy: Policy) -> Row:
    made = {"kind": kind, "no": no, "id": f"{kind}-{no}", "members": members, "attached": [], "steps": []}
    for v in members:
        v["incident"] = made["id"]
    made["weak_link"] = kind == "B" and weak(members, policy)
    return made


def attach(other: Row, incidents: list[Row], policy: Policy) -> None:
    """I4."""
    reach = [
        (pause(other, v), distance(other, v), incident["no"], incident)
        for incident in incidents
        for v in incident["members"]
        if reaches(other, v, policy)
    ]
    if reach:
        nearest = min(reach, key=lambda found: found[:3])[3]
        nearest["attached"].append(other)
        other["incident"], other["attached"] = nearest["id"], True


def reaches(other: Row, v: Row, policy: Policy) -> bool:
    """Whether a violation may be attached to a qualifying one."""
    apart = max(0.0, distance(other, v) - other["u"]) if other["coarse"] else distance(other, v)
    soon = pause(other, v) <= policy.link_gap
    return soon and apart <= policy.grouping.link_m and bool(other["touched"] & v["windows"])


def weak(members: list[Row], policy: Policy) -> bool:
    """I8: break every single link in turn."""
    links = [(a["no"], b["no"]) for a, b in combinations(members, 2) if linked(a, b, policy)]
    for broken in links:
        kept = {frozenset(link) for link in links if link != broken}
        parts = components(members, lambda a, b, kept=kept: frozenset((a["no"], b["no"])) in kept)  # type: ignore[misc]
        if len(parts) > 1 and all(len(part) >= policy.grouping.weak_part_n for part in parts):
            return True
    return False


def finish(incident: Row, coverage: list[Row], theatre: Theatre, now: Policy, then: Policy, as_of: datetime) -> None:
    """I6."""
    members, last = incident["members"], incident["last"]
    own = set().union(*(v["windows"] for v in members))
    closes = max(window.end or ALWAYS for window in theatre.windows if window.id in own)
    over = last + now.link_gap
    incident["end"], incident["end_at"] = None, None
    if as_of > over and over < closes:
        incident["end_at"] = over
        ways = {how_it_ended(last, over, in_reach([v], coverage, now)) for v in members}
        incident["end"] = next(way for way in ("unresolved", "assumed", "ceased") if way in ways)
    elif as_of >= closes:
        incident["end_at"], incident["end"] = closes, "lapsed"
    still = max(NOTHING, as_of - last) > timedelta(hours=then.ladder.quiet_h)
    incident["state"] = "ended" if incident["end_at"] else "quiet" if still else "active"


def how_it_ended(last: datetime, over: datetime, coverage: list[Row]) -> str:
    """Return whether the pause was watched, blind, or neither."""
    if unseen((last, over), coverage):
        return "unresolved"
    return "ceased" if not uncovered((last, over), spans(coverage, sees=True)) else "assumed"


def in_reach(members: Sequence[Row], coverage: list[Row], policy: Policy) -> list[Row]:
    """Return the declared coverage whose disc comes within a link of any of these violations."""
    placed = [row for row in coverage if row["lon"] is not None and row["lat"] is not None]
    return [
        row for row in placed if any(max(0.0, distance(row, v) - row["u"]) <= policy.grouping.link_m for v in members)
    ]


def spans(coverage: list[Row], *, sees: bool) -> list[Span]:
    """Return the intervals of heartbeats, or of outages."""
    return [(row["from"], row["to"]) for row in coverage if bool(row["sees"]) == sees]


def uncovered(span: Span, covers: list[Span]) -> list[Span]:
    """Return the pieces of a span, longer than nothing, that no cover covers."""
    cuts = sorted({*span, *(t for cover in covers for t in cover if span[0] < t < span[1])})
    pieces = [(a, b) for a, b in pairwise(cuts) if a < b and span[0] < span[1]]
    return [(a, b) for a, b in pieces if not any(c <= a and b <= d for c, d in covers)]


def unseen(span: Span, coverage: list[Row]) -> bool:
    """Whether any piece of the span is declared blind, with nobody else who could see."""
    watched = spans(coverage, sees=True)
    blind = [(max(a, span[0]), min(b, span[1])) for a, b in spans(coverage, sees=False)]
    return any(uncovered(piece, watched) for piece in blind if piece[0] < piece[1])


def remember(incident: Row, incidents: list[Row], coverage: list[Row], policy: Policy) -> None:
    """I7."""
    incident["recurrence_of"] = incident["gap_covered"] = None
    if incident["kind"] == "C":
        return
    first = min(incident["members"], key=lambda v: (v["from"], v["content"]))
    before = [
        other
        for other in incidents
        if other["kind"] == "B" and other["end_at"] is not None and other["end_at"] < incident["begin"]
        and any(distance(first, v) <= policy.grouping.link_m for v in other["members"])
    ]  # fmt: skip
    if before:
        latest = max(before, key=lambda other: (other["end_at"], other["no"]))
        watched = [spans(in_reach([v], coverage, policy), sees=True) for v in incident["members"]]
        incident["recurrence_of"] = latest["id"]
        incident["gap_covered"] = not any(uncovered((latest["last"], incident["begin"]), each) for each in watched)
