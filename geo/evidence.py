"""Which reports carry a step, and which of them carry it alone?

Evidence is complete: take all of a step's reports away and its tier is gone. A report is pivotal when the others that
carry the incident would not take the step without it. That is found by trying: the report is left out of its violation,
which is described anew by what remains of it, the incident falls apart where it hung on it, and every part climbs the
ladder again. What the report may have kept from being put together differently is not asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import rustworkx as rx

from geo import escalation, incidents, nearness
from geo.course import Measures, Violation, by_begin, first_window, last_begun, t0
from geo.qualification import qualified
from geo.reviews import NOBODY, choose
from geo.standing import Carrier, carriers_of, dating, placing, speaking, vouching
from geo.violations import CONTENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geo.escalation import Step
    from geo.exemptions import Exemption
    from geo.incidents import End
    from geo.policy import Corroboration, Policy
    from geo.theatre import Window

    Ints = NDArray[np.int64]

_WARNING, _COALITION = 1, 2


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
    response: str | None
    content: str
    carrier: Carrier


_NEEDED: Final = ["violation_id", "observed_from", "observed_to", *CONTENT, *Item._fields, *Carrier._fields]


class Placed(NamedTuple):
    """A qualifying violation with the place and the windows that its links depend on."""

    violation: Violation
    lon: float
    lat: float
    inside: int


@dataclass(frozen=True, eq=False)
class Case:
    """One incident on trial: its violations by row, each with its reports."""

    placed: dict[int, Placed]
    items: dict[int, list[Item]]
    policy: Policy

    @cached_property
    def links(self) -> dict[int, set[int]]:
        """What each violation is linked to; looked up only where it is asked for, since these are all pairs."""
        links: dict[int, set[int]] = {row: set() for row in self.placed}
        rows, placed = list(self.placed), list(self.placed.values())
        left, right = np.triu_indices(len(rows), 1)
        for i, j in zip(*_linked(placed, left, right, self.policy), strict=True):
            links[rows[i]].add(rows[j])
            links[rows[j]].add(rows[i])
        return links

    @cached_property
    def joints(self) -> set[int]:
        """The violations without which the incident falls apart."""
        rows = list(self.links)
        place = {row: n for n, row in enumerate(rows)}
        graph: rx.PyGraph[None, None] = rx.PyGraph(multigraph=False)
        graph.add_nodes_from([None] * len(rows))
        graph.add_edges_from_no_data([(place[i], place[j]) for i in rows for j in self.links[i] if i < j])
        return {rows[n] for n in rx.articulation_points(graph)}


class Trial(NamedTuple):
    """An incident with something left out: its violations by row, and the links between them."""

    placed: dict[int, Placed]
    links: dict[int, set[int]]


@dataclass(frozen=True, eq=False)
class Court:
    """What every trial needs to know."""

    windows: tuple[Window, ...]
    scenarios: dict[str, tuple[str | None, bool]]
    grouping: Policy
    ladder_at: Callable[[int], Policy]
    as_of: int
    exempted: tuple[Exemption, ...] = ()


def items_of(reports: pd.DataFrame) -> dict[str, list[Item]]:
    """Return the reports that carry each violation, by name, in order of content."""
    needed = reports.columns.intersection(_NEEDED)
    reports = reports.loc[reports["violation_id"].notna(), needed].sort_values(CONTENT)
    public = reports["trust"].eq("public")
    alone = public.groupby(reports["violation_id"]).transform("all")
    reports = reports.loc[~public | alone]
    missing = reports[["weapon", "weapon_class", "party_claimed", "response"]].astype(object)
    start, end = nearness.micros(reports["observed_from"]), nearness.micros(reports["observed_to"])
    plain = reports.assign(
        start=start,
        end=end,
        **missing.where(missing.notna(), None),
    )
    out: dict[str, list[Item]] = {}
    names = [name for name in Item._fields if name != "carrier"]
    rows = zip(
        plain["violation_id"], plain[names].itertuples(index=False, name=None), carriers_of(reports), strict=True
    )
    for violation_id, values, carrier in rows:
        out.setdefault(violation_id, []).append(Item(*values, carrier))  # type: ignore[call-arg]  # all but the carrier
    return out


def spoken(items: Sequence[Item], rules: Corroboration) -> list[Item]:
    """Return those that describe their violation."""
    return [items[i] for i in speaking([item.carrier for item in items], rules)]


def claims(items: Sequence[Item], rules: Corroboration) -> dict[str, int]:
    """Return the parties that who speaks holds responsible, each with the moment when that was first known, µs.

    A person's attribution stands in place of them all.
    """
    ruled = choose((ruling for item in items for ruling in item.carrier.rulings), "party")
    if ruled is not None:
        return {} if ruled.says == NOBODY else {ruled.says: ruled.known_at}
    named = [
        (item.party_claimed, nearness.instant(item.carrier.known_at))
        for item in spoken(items, rules)
        if item.party_claimed
    ]
    return {party: min(known for name, known in named if name == party) for party, _ in named}


def responses(items: Iterable[Item]) -> frozenset[str]:
    """Return the parties whose response fire reports declare."""
    return frozenset(item.response for item in items if item.response)


def pivotal(case: Case, court: Court, climbs: Mapping[str, Sequence[Step]]) -> dict[str, dict[int, set[str]]]:
    """Return, by scenario and by position of the step, the reports without which that step would be gone."""
    found = {name: {n: set[str]() for n, step in enumerate(steps) if step.tier_to} for name, steps in climbs.items()}
    suspects = {name: _suspects(case, court, name, steps) for name, steps in climbs.items()}
    for row, items in case.items.items():
        names = [name for name in climbs if row in suspects[name]]
        for item in items if names else ():
            left = _again([other for other in items if other is not item], row, court)
            if left is not None and _alike(left, case.placed[row]):
                continue
            reached = _reached(_changed(case, row, left, court.grouping), court, names)
            for name in names:
                for n, lone in found[name].items():
                    if (climbs[name][n].kind, climbs[name][n].tier_to) not in reached[name]:
                        lone.add(item.report_id)
    return found


def _suspects(case: Case, court: Court, scenario: str, steps: Sequence[Step]) -> set[int]:
    """Return the violations that can be pivotal: without any other, everything that a step rests on stays as it is.

    A step rests on T0, on what holds the incident together, on its last violation, on the origins that vouch, on those
    that show persistence, and for a broader attack on the extremes and on every violation that may move.
    """
    course = sorted(_counted(case.placed.values(), court, scenario), key=by_begin)
    policy = court.ladder_at(t0(course)[1])
    highest = max((step.tier_to for step in steps), default=0)
    if len(course) <= policy.ladder.open_n:
        return set(case.placed)
    if highest <= _WARNING == policy.ladder.open_n:
        return set()  # any other violation alone would open the incident at tier 1
    seen = Counter(origin for violation in course for origin in violation.origins)
    lone = {violation.row for violation in course if any(seen[origin] == 1 for origin in violation.origins)}
    begins, ends = min(v.start for v in course), [violation.end for violation in course]
    edges = {v.row for v in course if v.end in {min(ends), max(ends)} or v.start == begins}
    rests = {row for step in steps if step.tier_to == _COALITION for row in step.needs}
    going_on = escalation.persisting(course, policy.ladder)[1]
    few = {violation.row for violation in going_on} if len(going_on) == 1 else set()
    wide = _extremes(case, course, steps, policy) if highest > _COALITION else set()
    return lone | edges | few | rests | wide | case.joints


def _extremes(case: Case, course: list[Violation], steps: Sequence[Step], policy: Policy) -> set[int]:
    """Return the violations that tier 3 may rest on: all, where one fewer would already change the verdict on rate."""
    at = next(step.at for step in steps if step.tier_to > _COALITION)
    begun = [violation for violation in course if violation.start <= at]
    now = Measures()
    for violation in begun:
        now.add(violation)
    now.recent.popleft()
    if not escalation.expanded(now, first_window(course, policy.ladder), policy.expansion):
        return {violation.row for violation in course}
    bounds = {now.low_m, now.high_m}
    moving = {violation.row for violation in course if len(case.items[violation.row]) > 1}
    outer = {v.row for v in begun if v.chainage_m in bounds or v.distance_m == now.depth_m}
    armed = {v.row for v in begun if v.weapon_class in policy.expansion.weapons}
    shown = {last_begun(course, step.at).row for step in steps if step.tier_to > _COALITION}
    vouching = {v.row for v in course if v.start == escalation.vouched_at(course, policy.ladder)}
    return moving | outer | armed | shown | vouching


def _changed(case: Case, row: int, left: Placed | None, policy: Policy) -> Trial:
    """Return the case with one violation replaced by what is left of it, if anything."""
    placed = {other: each for other, each in case.placed.items() if other != row}
    links = {other: case.links[other] - {row} for other in placed}
    if left is not None:
        links[row] = _links(left, placed, policy)
        for other in links[row]:
            links[other].add(row)
        placed[row] = left
    return Trial(placed, links)


def _alike(left: Placed, before: Placed) -> bool:
    """Return whether a violation bears on the ladder as it did before: neither when it was known nor its text does."""
    one, other = (each._replace(violation=each.violation._replace(known_at=0, content="")) for each in (left, before))
    return one == other


def _again(items: list[Item], row: int, court: Court) -> Placed | None:
    """Return the violation that reports amount to; ``None`` where it would not qualify."""
    if not items:
        return None
    rules = court.grouping.corroboration
    carriers, parties = [item.carrier for item in items], claims(items, rules)
    items = spoken(items, rules)
    dated = min(items, key=lambda item: dating(item.carrier))
    place = min(items, key=lambda item: placing(item.carrier))
    coarse = dated.end - dated.start > rules.coarse_h * incidents.HOUR_US or place.uncertainty_m > rules.coarse_m
    if coarse or not qualified(carriers, rules, court.exempted):
        return None
    armed = place if place.weapon is not None else next((item for item in items if item.weapon is not None), place)
    violation = Violation(
        start=dated.start,
        end=dated.end,
        chainage_m=place.chainage_m,
        distance_m=place.distance_m,
        weapon_class=armed.weapon_class,
        origins=vouching(carriers, rules),
        parties=parties,
        known_at=0,  # bears on no tier
        content=min(item.content for item in items),
        row=row,
        response=responses(items),
    )
    return Placed(violation, place.lon, place.lat, dated.inside)


def _links(moved: Placed, others: dict[int, Placed], policy: Policy) -> set[int]:
    """Return what a violation that moved is linked to."""
    names = list(others)
    right = np.arange(1, len(names) + 1)
    found = _linked([moved, *others.values()], np.zeros_like(right), right, policy)[1]
    return {names[j - 1] for j in found}


def _linked(placed: Sequence[Placed], left: Ints, right: Ints, policy: Policy) -> tuple[list[int], list[int]]:
    """Return which pairs of positions are linked."""
    lon, lat = (np.array([getattr(each, name) for each in placed], float) for name in ("lon", "lat"))
    start, end = (np.array([getattr(each.violation, name) for each in placed], np.int64) for name in ("start", "end"))
    inside = np.array([each.inside for each in placed], np.int64)
    pause = np.maximum(start[left], start[right]) - np.minimum(end[left], end[right])
    soon = (pause <= policy.grouping.link_gap_h * incidents.HOUR_US) & ((inside[left] & inside[right]) != 0)
    left, right = left[soon], right[soon]
    things = nearness.Things(lon, lat, np.zeros(len(lon)), start, end)
    near = nearness.close(things, things, left, right, policy.grouping.link_m)
    return left[near].tolist(), right[near].tolist()


def _reached(case: Trial, court: Court, names: Sequence[str]) -> dict[str, set[tuple[str, int]]]:
    """Return by scenario each (kind, tier) that any part of the case reaches."""
    reached: dict[str, set[tuple[str, int]]] = {name: set() for name in names}
    for rows in _parts(case.links):
        if len(rows) < court.grouping.ladder.open_n:
            continue
        part = [case.placed[row] for row in rows]
        end = _end(part, court)
        climbed: dict[tuple[int, ...], set[tuple[str, int]]] = {}
        for name in names:
            course = _counted(part, court, name)
            key = tuple(violation.row for violation in course)
            if key and key not in climbed:
                ladder = court.ladder_at(t0(course)[1])
                steps = escalation.climb(course, ladder, court.as_of, end)
                climbed[key] = {(step.kind, step.tier_to) for step in steps}
            reached[name] |= climbed.get(key, set())
    return reached


def _counted(placed: Iterable[Placed], court: Court, scenario: str) -> list[Violation]:
    party, unknown = court.scenarios[scenario]
    return escalation.only((each.violation for each in placed), party, unknown=unknown)


def _end(part: list[Placed], court: Court) -> End:
    last = max(placed.violation.end for placed in part)
    inside, policy = [placed.inside for placed in part], court.grouping
    end = incidents.ending(last, inside, court.windows, policy, policy.ladder, court.as_of)
    # Whether it is quiet, how it was watched and when that was known move no tier.
    return replace(end, how=end.how or "assumed", known_at=end.at) if end.at is not None else end


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
