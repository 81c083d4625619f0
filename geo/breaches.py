"""Where does each incident stand: over or going on, at which tier, why, and what is due?

Puts the ladder to every incident, in every scenario, and collects what the publication says of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from geo import escalation, evidence, incidents, nearness
from geo.escalation import Violation
from geo.evidence import Case, Court, Placed
from geo.policy import Policy, PolicyVersion, in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from geo.escalation import Step
    from geo.evidence import Item
    from geo.incidents import End, Grouping, Watch
    from geo.theatre import Theatre


_NOBODY: Any = {}


@dataclass(frozen=True, eq=False)
class Climb:
    """The ladder of one incident in one scenario; ``pivotal`` by position of the step, ``None``: not examined."""

    steps: tuple[Step, ...]
    pivotal: dict[int, set[str]] | None
    policy_version: str


@dataclass(frozen=True, eq=False)
class Breach:
    """One incident at ``as_of``; ``rows`` and ``attached`` are positions in the violations. Instants in µs UTC."""

    name: str
    rows: tuple[int, ...]
    attached: tuple[int, ...]
    course: tuple[Violation, ...]
    end: End
    climbs: dict[str, Climb]
    persistence: str | None
    due: tuple[int, str] | None
    weak: bool = False
    recurrence_of: str | None = None
    gap_covered: bool | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of scenario ``any``."""
        return self.climbs["any"].steps

    @property
    def opened_known_at(self) -> int | None:
        """When it could be known that the breach is open, µs; ``None`` without steps."""
        return next((step.known_at for step in self.steps if step.kind == "opened"), None)

    def tier(self, kind: str) -> int:
        """Return the highest tier that is eligible or effective now; 0 after the end."""
        return 0 if self.end.at is not None else self.peak(kind)

    def peak(self, kind: str) -> int:
        """Return the highest tier that ever was eligible or effective."""
        return max((step.tier_to for step in self.steps if step.kind == kind), default=0)


def escalate(
    grouping: Grouping,
    reports: pd.DataFrame,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
) -> list[Breach]:
    """Put the ladder to every incident.

    Parameters
    ----------
    grouping
        Violations in incidents, with their links.
    reports
        Reports with their violation.

    Returns
    -------
    list of Breach
        In order of name.
    """
    policy = in_force(policies, as_of)
    now = nearness.instant(as_of)
    table = grouping.violations
    # The crowd cannot say that somebody watched, or that nobody could (law 13).
    vouched = {source.id for source in theatre.sources if source.trust != "public"}
    watches = incidents.watches(table, coverage.loc[coverage["source"].isin(vouched)], policy)
    items = evidence.items_of(reports)
    cases = _cases(grouping, items)
    attached, possible = _attached(table), _possible(table)
    court = Court(
        windows=theatre.windows,
        scenarios=escalation.scenarios([party.id for party in theatre.parties]),
        grouping=policy,
        ladder_at=_ladder_at(policies),
        as_of=now,
    )
    breaches = [
        _breach(name, case, court, watches[name], attached.get(name, ()), possible.get(name, []))
        for name, case in cases.items()
    ]
    weak = incidents.weak(grouping, policy.grouping.weak_part_n)
    breaches = [replace(breach, weak=breach.name in weak) for breach in breaches]
    return _with_recurrence(breaches, table, watches, policy)


def _ladder_at(policies: tuple[PolicyVersion, ...]) -> Callable[[int], Policy]:
    """Return the policy in force at an instant in µs UTC."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return lambda at: in_force(policies, epoch + timedelta(microseconds=at))


def _cases(grouping: Grouping, items: dict[str, list[Item]]) -> dict[str, Case]:
    """Return every incident's violations, reports and links, in order of name."""
    table, links = grouping.violations, grouping.links
    members = table.loc[table["qualifying"] & table["incident_id"].str.startswith("B-", na=False)]
    neighbours: dict[int, set[int]] = {int(row): set() for row in members.index}
    for i, j in zip(links.left.tolist(), links.right.tolist(), strict=True):
        neighbours[i].add(j)
        neighbours[j].add(i)
    cases: dict[str, Case] = {}
    for placed, name, violation_id in _placed(members):
        row = placed.violation.row
        case = cases.setdefault(name, Case({}, {}, {}))
        own = items[violation_id]
        case.placed[row] = placed._replace(violation=placed.violation._replace(parties=evidence.claims(own)))
        case.items[row], case.links[row] = own, neighbours[row]
    return dict(sorted(cases.items(), key=lambda case: incidents.number_of(case[0])))


def _placed(members: pd.DataFrame) -> list[tuple[Placed, str, str]]:
    """Return every violation with its place, its incident and its name; the parties are still missing."""
    weapons = members["weapon_class"].astype(object)
    plain = members.assign(
        start=nearness.micros(members["observed_from"]),
        end=nearness.micros(members["observed_to"]),
        known_at=nearness.micros(members["qualified_at"]),
        weapon_class=weapons.where(weapons.notna(), None),
        origins=members["origin_set"],
        parties=[_NOBODY] * len(members),
        row=members.index,
    )
    courses = map(Violation._make, plain[list(Violation._fields)].itertuples(index=False, name=None))
    places = plain[["lon", "lat", "inside"]].itertuples(index=False, name=None)
    names = zip(plain["incident_id"], plain["violation_id"], strict=True)
    return [
        (Placed(violation, *place), incident_id, violation_id)
        for violation, place, (incident_id, violation_id) in zip(courses, places, names, strict=True)
    ]


def _attached(table: pd.DataFrame) -> dict[str, tuple[int, ...]]:
    only = table.loc[table["attached"]]
    return {str(name): tuple(rows) for name, rows in only.groupby("incident_id").groups.items()}


def _breach(
    name: str,
    case: Case,
    court: Court,
    watch: Watch,
    attached: tuple[int, ...],
    possible: list[tuple[int, int]],
) -> Breach:
    course = tuple(sorted((placed.violation for placed in case.placed.values()), key=escalation.by_begin))
    last = max(violation.end for violation in course)
    inside = [placed.inside for placed in case.placed.values()]
    end = incidents.ending(last, inside, court.windows, court.grouping, court.as_of)
    if end.at is not None:
        known = max(violation.known_at for violation in course)
        end = replace(end, how=end.how or watch.verdict(last, end.at), known_at=max(known, end.at))
    climbs = _climbs(case, court, course, end)
    ladder = court.ladder_at(escalation.t0(course)[1])
    steps = climbs["any"].steps
    both = len({party for violation in course for party in violation.parties}) > 1
    return Breach(
        name=name,
        rows=tuple(violation.row for violation in course),
        attached=attached,
        course=course,
        end=end,
        climbs=climbs,
        persistence=escalation.persistence(course, possible, watch, ladder, court.as_of, end),
        due=None if both or end.at is not None else escalation.due_next(course, steps, ladder, court.as_of),
    )


def _possible(table: pd.DataFrame) -> dict[str, list[tuple[int, int]]]:
    """Return by incident the intervals of attached violations that could be real: they can leave persistence open."""
    maybe = table.loc[table["attached"] & ~table["public_only"] & ~table["status"].isin(["refuted", "exempt"])]
    begin, end = (nearness.micros(maybe[name]).tolist() for name in ("observed_from", "observed_to"))
    out: dict[str, list[tuple[int, int]]] = {}
    for name, *span in zip(maybe["incident_id"], begin, end, strict=True):
        out.setdefault(str(name), []).append((span[0], span[1]))
    return out


def _climbs(case: Case, court: Court, course: tuple[Violation, ...], end: End) -> dict[str, Climb]:
    """Climb the ladder in every scenario that counts a violation of the incident."""
    ladders: dict[str, Policy] = {}
    steps: dict[str, tuple[Step, ...]] = {}
    for scenario, (party, unknown) in court.scenarios.items():
        counted = escalation.only(course, party, unknown=unknown)
        if counted:
            ladders[scenario] = court.ladder_at(escalation.t0(counted)[1])
            steps[scenario] = tuple(escalation.climb(counted, ladders[scenario], court.as_of, end))
    examined = len(case.placed) <= court.grouping.publication.pivotal_n
    lone = evidence.pivotal(case, court, {name: each for name, each in steps.items() if each}) if examined else {}
    return {name: Climb(steps[name], lone.get(name, {}) if examined else None, ladders[name].version) for name in steps}


def _with_recurrence(
    breaches: list[Breach], table: pd.DataFrame, watches: dict[str, Watch], policy: Policy
) -> list[Breach]:
    by_name = {breach.name: breach for breach in breaches}
    before = incidents.recurrences(table, {name: breach.end for name, breach in by_name.items()}, policy)
    out = []
    for breach in breaches:
        former = before.get(breach.name)
        if former is None:
            out.append(breach)
            continue
        last = max(violation.end for violation in by_name[former].course)
        covered = watches[breach.name].covered(last, breach.course[0].start)
        out.append(replace(breach, recurrence_of=former, gap_covered=covered))
    return out
