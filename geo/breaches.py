"""Where does each incident stand: over or going on, at which tier, why, and what is due?

Puts the ladder to every incident, in every scenario, and collects what the publication says of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise, starmap
from operator import or_
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from geo import crs, escalation, evidence, incidents, nearness, sights, throngs
from geo.bridges import Placed, Reach, Sites, Web
from geo.columns import texts
from geo.course import Course, Grown, Violation, grown
from geo.evidence import Case
from geo.knowing import Knowing
from geo.policy import Policy, PolicyVersion, in_force
from geo.suspects import Court
from geo.throngs import Columns, Throng

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from numpy.typing import NDArray

    from geo.decisions import Decisions
    from geo.escalation import Step
    from geo.evidence import Lone, Told
    from geo.incidents import End, Grouping, Watch
    from geo.theatre import Theatre

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Blame: TypeAlias = tuple[dict[str, Ints], dict[str, Bools]]


class Climb(NamedTuple):
    """The ladder of one incident in one scenario, which counts some of its violations, in order of their begin.

    ``pivotal`` by position of the step, ``None``: not examined. ``due`` is an instant and what is due then.
    """

    course: Course
    steps: tuple[Step, ...]
    pivotal: dict[int, set[str]] | None
    policy_version: str
    grown: Grown
    persistence: str | None
    persistence_why: str | None
    due: tuple[int, str] | None

    def peak(self, kind: str) -> int:
        """Return the highest tier that ever was eligible or effective."""
        return max((step.tier_to for step in self.steps if step.kind == kind), default=0)


@dataclass(frozen=True, eq=False)
class Breach:
    """One incident at ``as_of``; ``rows`` and ``attached`` are positions in the violations. Instants in µs UTC."""

    name: str
    rows: tuple[int, ...]
    attached: tuple[int, ...]
    course: Course
    end: End
    climbs: dict[str, Climb]
    weak: bool = False
    recurrence_of: str | None = None
    gap_covered: bool | None = None

    @property
    def any(self) -> Climb | None:
        """Its ladder whoever fired; ``None`` where all of it is declared response fire."""
        return self.climbs.get("any")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of scenario ``any``."""
        return () if self.any is None else self.any.steps

    @property
    def opened_known_at(self) -> int | None:
        """When it could be known that the breach is open, µs; ``None`` without steps."""
        return next((step.known_at for step in self.steps if step.kind == "opened"), None)

    def tier(self, kind: str) -> int:
        """Return the highest tier that is eligible or effective now; 0 after the end."""
        return 0 if self.end.at is not None else self.peak(kind)

    def peak(self, kind: str) -> int:
        """Return the highest tier that ever was eligible or effective."""
        return 0 if self.any is None else self.any.peak(kind)


def escalate(
    grouping: Grouping,
    reports: pd.DataFrame,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    decided: Decisions,
) -> list[Breach]:
    """Put the ladder to every incident.

    Parameters
    ----------
    grouping
        Violations in incidents.
    reports
        Reports with their violation.
    coverage
        ``geo.reports.COVERAGE``.
    decided
        What people decided of incidents; it answers their commands.

    Returns
    -------
    list of Breach
        In order of name.
    """
    policy = in_force(policies, as_of)
    table = grouping.violations
    watches = incidents.watches(table, sights.settle(coverage, theatre, policy), policy)
    court = Court(
        windows=theatre.windows,
        scenarios=escalation.scenarios([party.id for party in theatre.parties]),
        grouping=policy,
        ladder_at=_ladder_at(policies),
        most_n=max(version.policy.ladder.open_n for version in policies),
        as_of=nearness.instant(as_of),
    )
    stories = [
        _story(name, case, court, watches[name], decided)
        for name, case in _cases(table, reports, theatre, policy).items()
    ]
    ends = {story.name: story.end for story in stories}
    former = None if grouping.former is None else incidents.near(grouping.former, table, policy)
    before = incidents.recurrences(table, ends, policy, former)
    lasts = {} if former is None else dict(zip(former.name.tolist(), former.last.tolist(), strict=True))
    lasts |= {story.name: story.course.last for story in stories if story.end.at is not None}
    attached, possible, weak = _attached(table), _possible(table), incidents.weak(grouping, policy)
    breaches = []
    for story in stories:
        name = story.name
        earlier, start = before.get(name), story.course[0].start
        breaches.append(
            Breach(
                name=name,
                rows=story.course.rows,
                attached=attached.get(name, ()),
                course=story.course,
                end=story.end,
                climbs=_climbs(story, court, watches[name], possible.get(name, []), decided),
                weak=name in weak,
                recurrence_of=earlier,
                gap_covered=None if earlier is None else watches[name].covered(lasts[earlier], start),
            )
        )
    return breaches


@dataclass(frozen=True, eq=False)
class _Story:
    """One incident before the ladder is put to it: its violations in order of their begin, and how it stands."""

    name: str
    case: Case
    course: Course
    end: End


def _ladder_at(policies: tuple[PolicyVersion, ...]) -> Callable[[int], Policy]:
    """Return the policy in force at an instant in µs UTC."""
    if len(policies) == 1:
        return lambda _: policies[0].policy
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return lambda at: in_force(policies, epoch + timedelta(microseconds=at))


_ASKED: Final = [
    "violation_id", "incident_id", "observed_from", "observed_to", "chainage_m", "distance_m", "weapon_class",
    "origin_set", "qualified_at", "content", "lon", "lat", "inside",
]  # fmt: skip


def _cases(table: pd.DataFrame, reports: pd.DataFrame, theatre: Theatre, policy: Policy) -> dict[str, Case]:
    """Return every incident's violations and reports, in order of name.

    Of incidents that are so large that no report of theirs is tried, columns are kept in place of objects.
    """
    members = table[_ASKED].loc[table["qualifying"] & table["incident_id"].str.startswith("B-", na=False)]
    code, named = pd.factorize(members["incident_id"])
    large = np.bincount(code, minlength=len(named))[code] > max(policy.publication.pivotal_n, throngs.MANY)
    told, lone = evidence.read(reports, members["violation_id"], policy.corroboration, large)
    webs = dict(_throngs(members.loc[large], code[large], _blame(members, large, told, lone), policy))
    placed: dict[int, dict[int, Placed]] = {}
    for n, one in zip(code[~large].tolist(), _placed(members.loc[~large], told), strict=True):
        placed.setdefault(n, {})[one.violation.row] = one
    reach = Reach.of(policy.grouping)
    webs |= {n: Web(each, reach) for n, each in placed.items()}
    names = {str(name): n for n, name in enumerate(named)}
    return {name: Case(webs[names[name]], told, theatre.exemptions) for name in sorted(names, key=incidents.number_of)}


def _blame(members: pd.DataFrame, large: Bools, told: Mapping[int, Told], lone: Lone) -> Blame:
    """Return who is held responsible for the violations of large incidents, and who responded."""
    place = np.cumsum(large) - 1
    return evidence.blame(lone._replace(place=place[lone.place]), told, members.index.to_numpy()[large])


def _throngs(members: pd.DataFrame, code: Ints, blame: Blame, policy: Policy) -> Iterator[tuple[int, Web]]:
    """Yield the number and the violations of each large incident."""
    weapon, weapons = pd.factorize(members["weapon_class"])
    columns = Columns(
        start=nearness.micros(members["observed_from"]),
        end=nearness.micros(members["observed_to"]),
        chainage_m=members["chainage_m"].to_numpy(np.float64),
        distance_m=members["distance_m"].to_numpy(np.float64),
        weapon=weapon.astype(np.int32),
        origins=members["origin_set"].to_numpy(object),
        known_at=nearness.micros(members["qualified_at"]),
        content=members["content"].array,
        row=members.index.to_numpy(np.int64),
        claims=blame[0],
        responds=blame[1],
        weapons=[*weapons.tolist(), None],  # the last: -1
    )
    order = throngs.ordered(columns, code)
    columns, things = columns.take(order), nearness.Things.of(members.iloc[order])
    sites = Sites(things, members["inside"].to_numpy(np.int64)[order], columns.known_at)
    edges = np.flatnonzero(np.diff(code[order], prepend=-1, append=-1)).tolist()
    reach = Reach.of(policy.grouping)
    for begin, end in pairwise(edges):
        mine = slice(begin, end)
        yield int(code[order[begin]]), Web.of(Throng(columns.take(mine)), sites.where(mine), reach)


def _placed(members: pd.DataFrame, told: Mapping[int, Told]) -> Iterator[Placed]:
    """Yield every violation with its place, in order of the rows."""
    rows = members.index.tolist()
    courses = zip(
        *(nearness.micros(members[name]).tolist() for name in ("observed_from", "observed_to")),
        *(members[name].to_numpy(np.float64).tolist() for name in ("chainage_m", "distance_m")),
        texts(members["weapon_class"]),
        members["origin_set"].tolist(),
        [told[row].parties for row in rows],
        nearness.micros(members["qualified_at"]).tolist(),
        members["content"].to_numpy(object).tolist(),
        rows,
        [told[row].response for row in rows],
        strict=True,
    )
    lon, lat = (members[name].to_numpy(np.float64) for name in ("lon", "lat"))
    xyz = map(tuple, crs.ecef(lon, lat).tolist())
    return map(Placed, starmap(Violation, courses), lon.tolist(), lat.tolist(), members["inside"].tolist(), xyz)


def _attached(table: pd.DataFrame) -> dict[str, tuple[int, ...]]:
    only = table.loc[table["attached"]]
    return {str(name): tuple(rows) for name, rows in only.groupby("incident_id").groups.items()}


def _story(name: str, case: Case, court: Court, watch: Watch, decided: Decisions) -> _Story:
    """Return how an incident stands, by the rules and by what people decided."""
    start, course = decided.t0(name), case.web.course
    course = course if start is None else course.dated(start)
    last, closes = course.last, court.closing(reduce(or_, case.web.masks))
    end = incidents.ending(last, closes, court.grouping, court.ladder_at(course.t0[1]).ladder, court.as_of)
    if end.at is not None:
        how = end.how or watch.verdict(last, end.at)
        end = replace(end, how=how, known_at=max(course.known_at, end.at))
    return _Story(name, case, course, decided.end(name, course, end))


def _possible(table: pd.DataFrame) -> dict[str, list[tuple[int, int]]]:
    """Return by incident the intervals of attached violations that could be real: they can leave persistence open."""
    maybe = table.loc[table["attached"] & ~table["public_only"] & ~table["status"].isin(["refuted", "exempt"])]
    begin, end = (nearness.micros(maybe[name]).tolist() for name in ("observed_from", "observed_to"))
    out: dict[str, list[tuple[int, int]]] = {}
    for name, *span in zip(maybe["incident_id"], begin, end, strict=True):
        out.setdefault(str(name), []).append((span[0], span[1]))
    return out


def _with_declared(climb: Climb, declared: list[Step]) -> Climb:
    """Return a climb with the steps that people declared; these have no pivotal reports."""
    if len(climb.course.parties) > 1:
        climb = climb._replace(due=None)  # both fired, and nobody says who is to answer
    if not declared:
        return climb
    steps = escalation.with_tiers([*climb.steps, *declared])
    own = [n for n, step in enumerate(steps) if step.kind != "declared"]
    pivotal = None if climb.pivotal is None else {own[n]: found for n, found in climb.pivotal.items()}
    return climb._replace(steps=tuple(steps), pivotal=pivotal)


def _climbs(
    story: _Story, court: Court, watch: Watch, possible: list[tuple[int, int]], decided: Decisions
) -> dict[str, Climb]:
    """Climb the ladder in every scenario that counts a violation, and add what people declared.

    ``possible`` and ``watch`` are what persistence asks besides.
    """
    name, case = story.name, story.case
    knowing = Knowing(case, court, decided=name in decided.around.of)
    found: dict[str, Climb] = {}
    alike: dict[Hashable, Climb] = {}  # most scenarios of an incident count the same violations
    for scenario, (party, unknown) in court.scenarios.items():
        some = escalation.only(story.course, party, unknown=unknown)
        key = some.key
        if some and key not in alike:
            alike[key] = _climb(some, court, story.end, (possible, watch), knowing)
        if some:
            climb = alike[key]
            steps = knowing.told(climb.steps, scenario)
            found[scenario] = climb if steps is climb.steps else climb._replace(steps=steps)
    if not decided.bear(name) and len(story.course) <= court.grouping.publication.pivotal_n:
        taken = {scenario: climb.steps for scenario, climb in found.items() if climb.steps}
        pivots = evidence.pivotal(case, court, taken)
        found = {scenario: climb._replace(pivotal=pivots.get(scenario, {})) for scenario, climb in found.items()}
    whole = found.get("any")
    declared = decided.declared(name, story.course, whole.steps if whole else (), story.end)
    if whole is not None:
        found["any"] = _with_declared(whole, declared)
    return found


def _climb(
    course: Course,
    court: Court,
    end: End,
    quiet: tuple[list[tuple[int, int]], Watch],
    knowing: Knowing,
) -> Climb:
    """Climb the ladder; ``quiet`` is what persistence asks besides, ``knowing`` tells since when steps were known."""
    policy = court.ladder_at(course.t0[1])
    steps = tuple([knowing.together(step) for step in escalation.climb(course, policy, court.as_of, end)])
    verdict = escalation.persistence(course, *quiet, policy, court.as_of, end)
    return Climb(
        course=course,
        steps=steps,
        pivotal=None,
        policy_version=policy.version,
        grown=grown(course, policy.ladder),
        persistence=verdict,
        persistence_why=escalation.persistence_in_words(course, verdict, policy, court.as_of, end),
        due=None if end.at is not None else escalation.due_next(course, steps, policy, court.as_of),
    )
