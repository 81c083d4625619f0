"""Which reports carry a step, and which of them carry it alone?

Evidence is complete: take all of a step's reports away and its tier is gone. A report is pivotal when the others that
carry the incident would not take the step without it. That is found by trying: the report is left out of its violation,
which is described anew by what remains of it, the incident falls apart where it hung on it, and every part climbs the
ladder again. What the report may have kept from being put together differently is not asked.

Most trials are foregone, and not held: nothing is lost with a violation that is no suspect (``geo.suspects``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from geo import crs, escalation, incidents, nearness
from geo.bridges import Placed
from geo.carrying import carrying
from geo.columns import texts
from geo.course import Course, Violation
from geo.qualification import qualified
from geo.reviews import NOBODY, choose
from geo.standing import CARRIED, Carrier, carriers_of, dating, placing, speaking
from geo.suspects import Scene
from geo.throngs import NEVER
from geo.violations import CONTENT, by_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geo.bridges import Web
    from geo.escalation import Kind, Step
    from geo.exemptions import Exemption
    from geo.incidents import End
    from geo.policy import Corroboration
    from geo.suspects import Court

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Texts = NDArray[np.object_]

_NOBODY: Final = frozenset[str]()
_UNCLAIMED: Final[Mapping[str, int]] = MappingProxyType({})


class Item(NamedTuple):
    """What of a report bears on its violation, beside what its carrier tells; metres, µs since 1970 UTC."""

    report_id: str
    chainage_m: float
    distance_m: float
    weapon: str | None
    weapon_class: str | None
    party_claimed: str | None
    response: str | None
    known_at: int
    carrier: Carrier


_TEXTS: Final = ["report_id", "weapon", "weapon_class", "party_claimed", "response"]
_NEEDED: Final = ["violation_id", *CONTENT, *Item._fields, *CARRIED]


class Told(NamedTuple):
    """What the reports tell that carry one violation: whose it is, each with when that was known, µs."""

    report_ids: tuple[str, ...]  # in order of content, like the items
    parties: Mapping[str, int]
    response: frozenset[str]  # parties whose declared response fire it is
    items: Sequence[Item]  # empty where it is one report alone: nothing is left without it


@dataclass(frozen=True, eq=False)
class Case:
    """One incident on trial: how its violations hang together, and what is told of each (of others too), by row.

    Where no report can be tried, nothing stands there of a violation of which one report alone tells.
    """

    web: Web
    told: Mapping[int, Told]
    exempted: tuple[Exemption, ...] = ()

    def items(self, row: int) -> Sequence[Item]:
        """Return the reports that tell of a violation; none where it is one alone."""
        return self.told[row].items if row in self.told else ()


class Lone(NamedTuple):
    """What the only report of a violation tells, one item each: where the violation stands, whose it is, known when.

    Places among the violations that were asked for, names or ``None``, and µs since 1970 UTC.
    """

    place: Ints
    party: Texts
    response: Texts
    known_at: Ints


def read(
    reports: pd.DataFrame, violation_ids: pd.Series, rules: Corroboration, apart: Bools | None = None
) -> tuple[dict[int, Told], Lone]:
    """Return what is told of violations, by the label that each has in ``violation_ids``.

    Of those ``apart`` what a report tells that is the only one comes beside it.
    """
    kept, place = carrying(reports, violation_ids)
    ruled = np.fromiter(map(bool, reports["rulings"].to_numpy(object)[kept]), bool, len(kept))
    plain = (np.bincount(place, minlength=len(violation_ids))[place] == 1) & ~ruled
    aside = np.zeros(len(kept), bool) if apart is None else plain & apart[place]
    labels = violation_ids.index.to_numpy()
    here = np.flatnonzero(plain & ~aside)
    names = reports["report_id"].iloc[kept[here]].to_numpy(object).tolist()
    said = _plainly(reports, kept[here], place[here])
    told = {
        row: Told((name,), {party: known} if party else _UNCLAIMED, frozenset({fired}) if fired else _NOBODY, ())
        for row, name, party, fired, known in zip(
            labels[said.place].tolist(), names, said.party, said.response, said.known_at.tolist(), strict=True
        )
    }
    several: dict[int, list[Item]] = {}
    frame = reports[reports.columns.intersection(_NEEDED)].iloc[kept[~plain]]
    order = by_content(frame)
    for row, item in zip(labels[place[~plain][order]].tolist(), _items(frame.iloc[order]), strict=True):
        several.setdefault(row, []).append(item)
    for row, items in several.items():
        silent = not any(item.party_claimed or item.response or item.carrier.rulings for item in items)
        heard = [] if silent else spoken(items, rules)  # who speaks matters only where something is said
        ids = tuple([item.report_id for item in items])
        told[row] = Told(ids, claims(items, heard), responses(heard), items if len(items) > 1 else ())
    return told, _plainly(reports, kept[aside], place[aside])


def _plainly(reports: pd.DataFrame, where: Ints, place: Ints) -> Lone:
    """Return what some reports tell that are the only ones."""
    some = reports[["party_claimed", "response", "known_at"]].iloc[where]
    party, response = (np.array([*texts(some[name]), None], object)[:-1] for name in ("party_claimed", "response"))
    return Lone(place, party, response, nearness.micros(some["known_at"]))


def blame(lone: Lone, told: Mapping[int, Told], rows: Ints) -> tuple[dict[str, Ints], dict[str, Bools]]:
    """Return by party since when each violation is held against it (µs; ``NEVER``: not), and whether it responded.

    ``rows`` are the labels of the violations among which the lone ones stand; what is ``told`` is told of others.
    """
    claims: dict[str, Ints] = defaultdict(lambda: np.full(len(rows), NEVER))
    responds: dict[str, Bools] = defaultdict(lambda: np.zeros(len(rows), bool))
    for party in sorted(filter(None, set(lone.party.tolist()))):
        mine = lone.party == party
        claims[party][lone.place[mine]] = lone.known_at[mine]
    for party in sorted(filter(None, set(lone.response.tolist()))):
        responds[party][lone.place[lone.response == party]] = True
    heard = [(n, told[row]) for n, row in enumerate(rows.tolist()) if row in told] if told else []
    for n, one in heard:
        for party, known in one.parties.items():
            claims[party][n] = known
        for party in one.response:
            responds[party][n] = True
    return dict(claims), dict(responds)


def _items(frame: pd.DataFrame) -> Iterator[Item]:
    """Yield the reports in order of the rows."""
    told = {name: texts(frame[name]) if name in _TEXTS else frame[name].tolist() for name in Item._fields[:-2]}
    known = nearness.micros(frame["known_at"]).tolist()
    return map(Item._make, zip(*told.values(), known, carriers_of(frame), strict=True))


def spoken(items: Sequence[Item], rules: Corroboration) -> list[Item]:
    """Return those that describe their violation."""
    return [items[i] for i in speaking([item.carrier for item in items], rules)]


def claims(items: Iterable[Item], heard: Sequence[Item]) -> dict[str, int]:
    """Return the parties that who is ``heard`` holds responsible, each with when that was first known, µs.

    A person's attribution stands in place of them all.
    """
    ruled = choose((ruling for item in items for ruling in item.carrier.rulings), "party")
    if ruled is not None:
        return {} if ruled.says == NOBODY else {ruled.says: ruled.known_at}
    named: dict[str, int] = {}
    for item in heard:
        if item.party_claimed:
            named[item.party_claimed] = min(item.known_at, named.get(item.party_claimed, item.known_at))
    return named


def responses(items: Iterable[Item]) -> frozenset[str]:
    """Return the parties whose response fire reports declare."""
    return frozenset([item.response for item in items if item.response])


def pivotal(case: Case, court: Court, climbs: Mapping[str, Sequence[Step]]) -> dict[str, dict[int, set[str]]]:
    """Return, by scenario and by position of the step, the reports without which that step would be gone."""
    found = {name: {n: set[str]() for n, step in enumerate(steps) if step.tier_to} for name, steps in climbs.items()}
    scenes = _scenes(case.web.course, case.web, court, climbs)
    for row in case.web.placed if scenes else ():
        told = case.told[row]
        asked = [scene for scene in scenes if row in scene.suspects or (told.items and scene.minds_moves)]
        for report_id, left in _losses(case, row, court) if asked else ():
            parts: list[Part] | None = None
            for scene in asked:
                if row not in scene.suspects and scene.stands(case.web, row, left, court):
                    continue
                if parts is None and not scene.lone:
                    parts = _parts(case.web, row, left, court)
                for name, reached in _by_scenario(scene, row, left, parts, court).items():
                    for n, pivots in found[name].items():
                        if (climbs[name][n].kind, climbs[name][n].tier_to) not in reached:
                            pivots.add(report_id)
    return found


def _by_scenario(
    scene: Scene, row: int, left: Placed | None, parts: Sequence[Part] | None, court: Court
) -> dict[str, set[tuple[Kind, int]]]:
    """Return what is reached in the scenarios of a scene; those that count what is left alike reach the same."""
    reached: dict[bool, set[tuple[Kind, int]]] = {}
    counts = {name: left is not None and court.counts(left.violation, name) for name in scene.names}
    for name, counted in counts.items():
        if counted not in reached:
            if scene.lone:  # whatever is left opens it again
                reached[counted] = set(scene.moves) if counted else set()
            else:
                rest = scene.course.exchanged(row, left.violation if left is not None and counted else None)
                courses = [rest if part.course is None else court.counted(part.course, name) for part in parts or ()]
                reached[counted] = _reached(courses, parts or (), court, scene.highest)
    return {name: reached[counted] for name, counted in counts.items()}


def _scenes(whole: Course, web: Web, court: Court, climbs: Mapping[str, Sequence[Step]]) -> list[Scene]:
    """Return the different courses that scenarios count, but those of which no report alone carries a step."""
    alike: dict[tuple[object, ...], Scene] = {}
    for name, steps in climbs.items():
        course = court.counted(whole, name)
        key = (*(violation.row for violation in course), *((step.kind, step.tier_to) for step in steps))
        if key in alike:
            alike[key].names.append(name)
        else:
            alike[key] = Scene.of(name, course, steps, web, court)
    return [scene for scene in alike.values() if scene.suspects or scene.minds_moves]


def _losses(case: Case, row: int, court: Court) -> Iterator[tuple[str, Placed | None]]:
    """Yield each report that makes a difference to its violation, and what is left of that without it, if anything."""
    told, before = case.told[row], case.web.placed[row]
    if not told.items:
        yield told.report_ids[0], None
    for n, item in enumerate(told.items):
        left = again([*told.items[:n], *told.items[n + 1 :]], before, case, court)
        if left != before:
            yield item.report_id, left


def again(items: Sequence[Item], before: Placed, case: Case, court: Court) -> Placed | None:
    """Return the violation that reports amount to; ``None`` where it would not qualify.

    They are several, or what is left of several, so that none is coarse: that stands alone. When it was known and its
    content are left as they were: neither bears on what is reached.
    """
    rules = court.grouping.corroboration
    carriers, heard = [item.carrier for item in items], spoken(items, rules)
    dated = min((item.carrier for item in heard), key=dating)
    place = min(heard, key=lambda item: placing(item.carrier))
    if not qualified(carriers, rules, case.exempted):
        return None
    armed = place if place.weapon is not None else next((item for item in heard if item.weapon is not None), place)
    violation = Violation(
        start=dated.start,
        end=dated.end,
        chainage_m=place.chainage_m,
        distance_m=place.distance_m,
        weapon_class=armed.weapon_class,
        origins=frozenset([(item.carrier.origin, item.carrier.voice, item.carrier.group) for item in heard]),
        parties=claims(items, heard),
        known_at=before.violation.known_at,
        content=before.violation.content,
        row=before.violation.row,
        response=responses(heard),
    )
    lon, lat = place.carrier.lon, place.carrier.lat
    xyz = before.xyz if (lon, lat) == (before.lon, before.lat) else tuple(crs.ecef(lon, lat).tolist())
    return Placed(violation, lon, lat, dated.inside, xyz)


class Part(NamedTuple):
    """A part of an incident, of which something was left out; ``course`` ``None``: it is all that remains."""

    n: int
    end: End
    course: Course | None


def _parts(web: Web, row: int, left: Placed | None, court: Court) -> list[Part]:
    """Return what the incident falls apart into, without one of its violations or with what is left of that."""
    parts, own = [], [] if left is None else [left]
    for rows in web.parts(row):
        part = [web.placed[other] for other in rows]
        if left is not None and web.touches(left, rows):
            own.extend(part)
        else:
            parts.append(part)
    every = [*parts, own] if own else parts
    alone = len(every) == 1
    return [
        Part(len(part), end_of(part, court), None if alone else Course([each.violation for each in part]))
        for part in every
    ]


def end_of(part: list[Placed], court: Court) -> End:
    """Return how a part stands; whether it is quiet, how it was watched and when that was known move no tier."""
    last = max([placed.violation.end for placed in part])
    closes = court.closing(reduce(or_, [placed.inside for placed in part]))
    return incidents.ending(last, closes, court.grouping, court.grouping.ladder, court.as_of)


def _reached(courses: Sequence[Course], parts: Sequence[Part], court: Court, up_to: int) -> set[tuple[Kind, int]]:
    """Return each (kind, tier) up to a tier that any part reaches whose violations these are in a scenario."""
    reached: set[tuple[Kind, int]] = set()
    for course, part in zip(courses, parts, strict=True):
        if course and part.n >= court.grouping.ladder.open_n:
            reached |= escalation.reached(course, court.ladder_at(course.t0[1]), court.as_of, part.end, up_to)
    return reached
