"""Where does each incident stand: over or going on, at which tier, why, and what is due?

Puts the ladder to every incident, in every scenario, and collects what the publication says of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from geo import bridges, escalation, evidence, incidents, nearness, sights
from geo.course import Grown, Violation, by_begin, grown, t0
from geo.evidence import Case, Court, Placed
from geo.policy import Policy, PolicyVersion, in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from geo.decisions import Decisions
    from geo.escalation import Step
    from geo.evidence import Item
    from geo.incidents import End, Grouping, Watch
    from geo.theatre import Theatre


_NOBODY: Any = {}
_UNSET: Any = None


@dataclass(frozen=True, eq=False)
class Climb:
    """The ladder of one incident in one scenario, which counts some of its violations, in order of their begin.

    ``pivotal`` by position of the step, ``None``: not examined. ``due`` is an instant and what is due then.
    """

    course: tuple[Violation, ...]
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
    course: tuple[Violation, ...]
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
    now = nearness.instant(as_of)
    table = grouping.violations
    watches = incidents.watches(table, sights.settle(coverage, theatre, policy), policy)
    items = evidence.items_of(reports)
    cases = _cases(table, items, policy)
    attached, possible = _attached(table), _possible(table)
    court = Court(
        windows=theatre.windows,
        scenarios=escalation.scenarios([party.id for party in theatre.parties]),
        grouping=policy,
        ladder_at=_ladder_at(policies),
        as_of=now,
        exempted=theatre.exemptions,
    )
    breaches = [
        _breach(name, case, court, watches[name], (attached.get(name, ()), possible.get(name, [])), decided)
        for name, case in cases.items()
    ]
    weak = incidents.weak(grouping, policy)
    breaches = [replace(breach, weak=breach.name in weak) for breach in breaches]
    return _with_recurrence(breaches, table, watches, policy)


def _ladder_at(policies: tuple[PolicyVersion, ...]) -> Callable[[int], Policy]:
    """Return the policy in force at an instant in µs UTC."""
    if len(policies) == 1:
        return lambda _: policies[0].policy
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return lambda at: in_force(policies, epoch + timedelta(microseconds=at))


def _cases(table: pd.DataFrame, items: dict[str, list[Item]], policy: Policy) -> dict[str, Case]:
    """Return every incident's violations and reports, in order of name."""
    members = table.loc[table["qualifying"] & table["incident_id"].str.startswith("B-", na=False)]
    cases: dict[str, Case] = {}
    for placed, name, violation_id in _placed(members):
        row = placed.violation.row
        case = cases.setdefault(name, Case({}, {}, policy))
        own = items[violation_id]
        case.placed[row] = placed._replace(
            violation=placed.violation._replace(
                parties=evidence.claims(own, policy.corroboration),
                response=evidence.responses(evidence.spoken(own, policy.corroboration)),
            )
        )
        case.items[row] = own
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
        response=[_NOBODY] * len(members),
        t0=[_UNSET] * len(members),
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
    beside: tuple[tuple[int, ...], list[tuple[int, int]]],
    decided: Decisions,
) -> Breach:
    attached, possible = beside
    start = decided.t0(name)
    course = tuple(
        placed.violation._replace(t0=start)
        for placed in sorted(case.placed.values(), key=lambda placed: by_begin(placed.violation))
    )
    last = max(violation.end for violation in course)
    inside = [placed.inside for placed in case.placed.values()]
    ladder = court.ladder_at(t0(course)[1]).ladder
    end = incidents.ending(last, inside, court.windows, court.grouping, ladder, court.as_of)
    if end.at is not None:
        known = max(violation.known_at for violation in course)
        end = replace(end, how=end.how or watch.verdict(last, end.at), known_at=max(known, end.at))
    end = decided.end(name, course, end)
    asked = (possible, watch, not decided.bear(name), decided.arranged.get(name))
    climbs = _climbs(case, court, course, end, asked)
    whole = climbs.get("any")
    declared = decided.declared(name, course, whole.steps if whole else (), end)
    if whole is not None:
        climbs["any"] = _with_declared(whole, declared)
    return Breach(
        name=name,
        rows=tuple(violation.row for violation in course),
        attached=attached,
        course=course,
        end=end,
        climbs=climbs,
    )


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
    steps = escalation.with_tiers([*climb.steps, *declared])
    own = [n for n, step in enumerate(steps) if step.kind != "declared"]
    pivotal = None if climb.pivotal is None else {own[n]: found for n, found in climb.pivotal.items()}
    return replace(climb, steps=tuple(steps), pivotal=pivotal)


def _climbs(
    case: Case,
    court: Court,
    course: tuple[Violation, ...],
    end: End,
    asked: tuple[list[tuple[int, int]], Watch, bool, int | None],
) -> dict[str, Climb]:
    """Climb the ladder in every scenario that counts a violation.

    ``asked``: what persistence asks besides (two), whether to look for pivotal reports, and since when it was known how
    people arranged the incident, if they did.
    """
    possible, watch, tried, arranged = asked
    found: dict[str, Climb] = {}
    alike: dict[tuple[tuple[int, int], ...], Climb] = {}  # most scenarios of an incident count the same violations
    together: dict[tuple[tuple[int, ...], int], int | None] = {}  # and most of its steps need the same
    for scenario, (party, unknown) in court.scenarios.items():
        some = tuple(escalation.only(course, party, unknown=unknown))
        key = tuple((violation.row, violation.known_at) for violation in some)
        if some and key not in alike:
            alike[key] = _waiting(_climb(some, court, end, (possible, watch)), case, arranged, together)
        if some:
            found[scenario] = alike[key]
    if "any" in found and len({party for violation in found["any"].course for party in violation.parties}) > 1:
        found["any"] = replace(found["any"], due=None)  # both fired, and nobody says who is to answer
    if not tried or len(case.placed) > court.grouping.publication.pivotal_n:
        return found
    lone = evidence.pivotal(case, court, {name: climb.steps for name, climb in found.items() if climb.steps})
    return {name: replace(climb, pivotal=lone.get(name, {})) for name, climb in found.items()}


def _waiting(
    climb: Climb, case: Case, arranged: int | None, together: dict[tuple[tuple[int, ...], int], int | None]
) -> Climb:
    """Return a climb whose steps are not known before what they need is known to be one breach.

    ``together`` remembers for rows known at a moment since when they hang together.
    """
    rules, steps = case.policy.grouping, []
    for step in climb.steps:
        needed = step.needs, step.known_at
        if step.needs and needed not in together:
            together[needed] = bridges.known_together(case.placed, *needed, rules)
        known = together[needed] if step.needs else step.known_at
        if known is None:
            known = max(step.known_at, step.known_at if arranged is None else arranged)
        steps.append(step if known == step.known_at else step._replace(known_at=known))
    return replace(climb, steps=tuple(steps))


def _climb(course: tuple[Violation, ...], court: Court, end: End, quiet: tuple[list[tuple[int, int]], Watch]) -> Climb:
    policy = court.ladder_at(t0(course)[1])
    steps = tuple(escalation.climb(course, policy, court.as_of, end))
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
