"""Which reports carry a step, and which of them carry it alone?

Evidence is complete: take all of a step's reports away and its tier is gone. A report is pivotal when the tier would be
gone without it alone. That is found by trying: the report is left out, its violation is put together again from what
remains, the incident falls apart where it hung on that violation, and every part climbs the ladder anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo import crs, escalation, incidents, nearness
from geo.violations import Carrier, qualifies, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from geo.escalation import Step, Violation
    from geo.policy import Policy
    from geo.theatre import Window

_WARNING = 1


class Item(NamedTuple):
    """What of a report bears on its violation; instants in µs since 1970 UTC, metres, degrees."""

    report_id: str
    start: int
    end: int
    inside: int
    lon: float
    lat: float
    uncertainty_m: float
    chainage_m: float
    distance_m: float
    weapon: str | None
    weapon_class: str | None
    party_claimed: str | None
    content: str
    carrier: Carrier


class Placed(NamedTuple):
    """A qualifying violation with the place and the windows that its links depend on."""

    violation: Violation
    lon: float
    lat: float
    inside: int


@dataclass(frozen=True, eq=False)
class Case:
    """One incident on trial: its violations by row, each with its reports, and the links between them."""

    placed: dict[int, Placed]
    items: dict[int, list[Item]]
    links: dict[int, set[int]]


@dataclass(frozen=True, eq=False)
class Court:
    """What every trial needs to know."""

    windows: tuple[Window, ...]
    parties: tuple[str, ...]
    grouping: Policy
    ladder_at: Callable[[int], Policy]
    as_of: int


def items_of(reports: pd.DataFrame) -> dict[str, list[Item]]:
    """Return the reports that carry each violation, by name, in order of content."""
    reports = reports.loc[reports["violation_id"].notna()].sort_values(["content", "source", "first_no"])
    public = reports["trust"].eq("public")
    alone = public.groupby(reports["violation_id"]).transform("all")
    reports = reports.loc[~public | alone]
    missing = reports[["weapon", "weapon_class", "party_claimed"]].astype(object)
    plain = reports.assign(
        start=nearness.micros(reports["observed_from"]),
        end=nearness.micros(reports["observed_to"]),
        **missing.where(missing.notna(), None),
    )
    out: dict[str, list[Item]] = {}
    names = [name for name in Item._fields if name != "carrier"]
    carriers = map(Carrier._make, plain[list(Carrier._fields)].itertuples(index=False, name=None))
    rows = zip(plain["violation_id"], plain[names].itertuples(index=False, name=None), carriers, strict=True)
    for violation_id, values, carrier in rows:
        out.setdefault(violation_id, []).append(Item(*values, carrier))  # type: ignore[call-arg]  # all but the carrier
    return out


def pivotal(
    case: Case, court: Court, party: str | None, *, unknown: bool, steps: Sequence[Step]
) -> dict[int, set[str]]:
    """Return the reports without which each step (by position) would be gone, in the scenario given."""
    found: dict[int, set[str]] = {n: set() for n, step in enumerate(steps) if step.tier_to}
    course = escalation.only((placed.violation for placed in case.placed.values()), party, unknown=unknown)
    open_n = court.ladder_at(escalation.t0(course)[1]).ladder.open_n
    if len(course) > open_n == 1 and all(step.tier_to <= _WARNING for step in steps):
        return found  # any other violation alone would open the incident at tier 1
    for violation in course:
        for item in case.items[violation.row]:
            reached = _reached(_without(case, court, violation.row, item), court, party, unknown=unknown)
            for n, lone in found.items():
                if (steps[n].kind, steps[n].tier_to) not in reached:
                    lone.add(item.report_id)
    return found


def _without(case: Case, court: Court, row: int, gone: Item) -> Case:
    """Return the case as it would be without one report of one violation."""
    placed = _again(case.placed[row], [item for item in case.items[row] if item != gone], court.grouping)
    others = {name: other for name, other in case.placed.items() if name != row}
    links = {name: linked - {row} for name, linked in case.links.items() if name != row}
    if placed is None:
        return Case(others, case.items, links)
    links[row] = case.links[row] if _same_place(placed, case.placed[row]) else _links(placed, others, court.grouping)
    for name in links[row]:
        links[name].add(row)
    return Case({**others, row: placed}, case.items, links)


def _same_place(a: Placed, b: Placed) -> bool:
    span = (a.violation.start, a.violation.end) == (b.violation.start, b.violation.end)
    return span and (a.lon, a.lat, a.inside) == (b.lon, b.lat, b.inside)


def _again(was: Placed, items: list[Item], policy: Policy) -> Placed | None:
    """Return the violation that the remaining reports amount to; ``None`` where it would not qualify."""
    rules = policy.corroboration
    if not items or not qualifies(standing([item.carrier for item in items], rules).status, rules):
        return None
    dated = min(items, key=lambda item: (item.end - item.start, item.content))
    place = min(items, key=lambda item: (item.uncertainty_m, item.content))
    if not dated.inside:
        return None
    armed = place if place.weapon is not None else next((item for item in items if item.weapon is not None), place)
    violation = was.violation._replace(
        start=dated.start,
        end=dated.end,
        chainage_m=place.chainage_m,
        distance_m=place.distance_m,
        weapon_class=armed.weapon_class,
        origins=frozenset((item.carrier.origin, item.carrier.voice, item.carrier.trust) for item in items),
        parties=frozenset(item.party_claimed for item in items if item.party_claimed is not None),
    )
    return Placed(violation, place.lon, place.lat, dated.inside)


def _links(moved: Placed, others: dict[int, Placed], policy: Policy) -> set[int]:
    """Return what a violation that moved is linked to."""
    if not others:
        return set()
    lon, lat = np.array([(other.lon, other.lat) for other in others.values()]).T
    distance = crs.distance_m(np.full(len(lon), moved.lon), np.full(len(lat), moved.lat), lon, lat)
    near = dict(zip(others, (distance <= policy.grouping.link_m).tolist(), strict=True))
    gap = policy.grouping.link_gap_h * incidents.HOUR_US
    here = moved.violation
    return {
        name
        for name, other in others.items()
        if near[name]
        and max(here.start, other.violation.start) - min(here.end, other.violation.end) <= gap
        and moved.inside & other.inside
    }


def _reached(case: Case, court: Court, party: str | None, *, unknown: bool) -> set[tuple[str, int]]:
    """Return every (kind, tier) that any part of the case reaches."""
    return {
        (step.kind, step.tier_to)
        for part in _parts(case.links)
        for step in _climbed([case.placed[row] for row in part], court, party, unknown=unknown)
    }


def _climbed(part: list[Placed], court: Court, party: str | None, *, unknown: bool) -> list[Step]:
    if len(part) < court.grouping.ladder.open_n:
        return []
    course = escalation.only((placed.violation for placed in part), party, unknown=unknown)
    if not course:
        return []
    last = max(placed.violation.end for placed in part)
    end = incidents.ending(last, [placed.inside for placed in part], court.windows, court.grouping, court.as_of)
    if end.at is not None:
        end = replace(end, how=end.how or "assumed")  # how it was watched bears on no tier
    return escalation.climb(course, court.ladder_at(escalation.t0(course)[1]), court.as_of, end)


def _parts(links: dict[int, set[int]]) -> Iterable[list[int]]:
    """Yield the connected parts of a graph of links."""
    left = set(links)
    while left:
        part = [left.pop()]
        for row in part:  # grows while it is walked
            new = links[row] & left
            left -= new
            part.extend(new)
        yield part
