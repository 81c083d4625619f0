"""Which step of the ladder is a breach eligible for, since when, why, and what is due next?

The ladder is a fold over valid time of an incident's qualifying violations. Everything that can change an incident's
state stands here: the legal moves as a table, and the numbered rules that turn violations into moves. Nothing stores a
timer, and nothing resets or pauses the clock.

T0 is an interval: [``t0_from``, ``t0_to``], the earliest begin and the earliest end among qualifying observations. Due
times count from ``t0_from``, so that nobody is warned too late; eligibility, effect and persistence count from
``t0_to``, so that nothing is eligible too early. A violation counts from its begin on.

RULE 1  Warning: eligible and effective when the ``open_n``-th qualifying violation begins; that opens the incident.
RULE 2  Coalition: hostilities persist. Reading ``literal``: a violation surely at or after T0 + ``persist_h``; reading
        ``window``: that, or one surely within ``quiet_h`` before it, from T0 + ``persist_h`` on. Effective at once.
RULE 3  Co-ordinated: the breach has become a broader attack: by an absolute threshold (extent, depth, weapon, rate), or
        by at least ``k`` ratios against what may lie in its first ``persist_h`` hours, each with a floor.
RULE 4  The co-ordinated response takes effect, reading ``earliest``, at the first instant from T0 + ``broad_h`` on at
        which it is eligible and the last violation ended less than ``quiet_h`` ago; ``deadline``: when eligible.
RULE 5  Tiers above 1 need two independent origins, not all of one party, unless the policy says ``single_vetted`` and
        one of them is a mission or a vetted source; and no tier comes before the incident is open.
RULE 6  What was reached stays reached until the incident ends; then the tier is 0 and only its peak remains.
RULE 7  Attribution is a claim. A scenario filters the violations of an incident and never regroups them.
RULE 8  Declared response fire, the action that halts a breach, counts only in the scenarios of the party that fired it.
RULE 9  Declared is what people said, never what the rules give: a step of its own, while the incident is open.
RULE 10 People may set T0, date the end and take an end back (``geo.decisions``); the rules above then count from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from geo.course import (
    HOUR_US,
    Measures,
    Violation,
    absolute,
    begun,
    by_begin,
    by_end,
    first_window,
    growth,
    last_begun,
    ratios,
    t0,
    us,
)
from geo.standing import independent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geo.incidents import End, Watch
    from geo.policy import Expansion, Ladder, Policy

Kind = Literal["opened", "eligible", "effective", "declared", "ended", "corrected", "merged"]

# state → move → state. Terminal is an empty row: nothing leaves an ended incident.
MOVES: Final[dict[str, dict[str, str]]] = {
    "candidate": {"opened": "open"},
    "open": {
        "eligible": "open",
        "effective": "open",
        "declared": "open",
        "corrected": "open",
        "merged": "open",
        "ended": "ended",
    },
    "ended": {},
}
_KIND_ORDER: Final = {"opened": 0, "eligible": 1, "effective": 2, "declared": 3, "ended": 4}
_WARNING, _COALITION, _COORDINATED = 1, 2, 3


class Step(NamedTuple):
    """One move of an incident: when, known when, why, and the violations that carry it (rows of the caller's frame).

    ``known_at`` waits for those of ``needs``: with them alone the step would be taken as well, if they hang together
    (``geo.bridges``).
    """

    kind: Kind
    tier_to: int
    at: int
    known_at: int
    rule: str
    reason: str
    needs: tuple[int, ...]
    carriers: tuple[int, ...]
    tier_from: int = 0


def scenarios(parties: Sequence[str]) -> dict[str, tuple[str | None, bool]]:
    """Return by name whose violations count (``None``: all), and whether unclaimed ones do too (RULE 7)."""
    named = {party: (party, False) for party in parties}
    return {"any": (None, True), **named, **{f"{party}+unknown": (party, True) for party in parties}}


def only(violations: Iterable[Violation], party: str | None, *, unknown: bool) -> list[Violation]:
    """Return the violations that a scenario counts; who counts for a claim is known when the claim is."""
    if party is None:
        return [v for v in violations if not v.response]
    counted = (
        v for v in violations if party in (v.response or v.parties) or (unknown and not v.parties and not v.response)
    )
    claims = ((v, v.parties.get(party, v.known_at)) for v in counted)
    return [v if known <= v.known_at else v._replace(known_at=known) for v, known in claims]


def step_order(step: Step) -> tuple[bool, int, int, int]:
    """Return the key by which the steps of an incident are put in order: the end last, even where nothing lasted."""
    return step.kind == "ended", step.at, step.tier_to, _KIND_ORDER[step.kind]


def climb(violations: Sequence[Violation], policy: Policy, as_of: int, end: End) -> list[Step]:
    """Fold an incident's qualifying violations into its steps up to ``as_of``.

    Returns
    -------
    list of Step
        In order of time. Empty for fewer than ``open_n`` violations. Tiers never fall but at the end; the same
        violations in any order give the same steps.
    """
    course = sorted(violations, key=by_begin)
    if len(course) < policy.ladder.open_n:
        return []
    over = end.at if end.at is not None else as_of + 1
    vouched = vouched_at(course, policy.ladder)
    above = [] if vouched is None else [*_coalition(course, policy, vouched), *_coordinated(course, policy, vouched)]
    reached = [*_warning(course, policy), *above]
    steps = [step for step in reached if step.at <= as_of and (step.at < over or step.tier_to <= _WARNING)]
    if end.at is not None:
        steps.append(_ended(course, end))
    return with_tiers(steps)


def _warning(course: list[Violation], policy: Policy) -> list[Step]:
    """RULE 1: the breach."""
    n = policy.ladder.open_n
    at = course[n - 1].start
    what = "the first qualifying violation" if n == 1 else f"qualifying violation number {n} (reading repeated)"
    reason = f"{what} began"
    at_once = f"{reason}; a warning takes effect at once"
    return [
        _step("opened", 0, at, "RULE 1 opened", reason, course[:n], course),
        _step("eligible", _WARNING, at, "RULE 1 warning", reason, course[:n], course),
        _step("effective", _WARNING, at, "RULE 1 warning", at_once, course[:n], course),
    ]


def persisting(course: Sequence[Violation], ladder: Ladder) -> tuple[int, list[Violation]]:
    """Return the instant from which hostilities can persist, and the violations that show it (RULE 2)."""
    due = t0(course)[1] + us(ladder.persist_h)
    edge = due - (us(ladder.quiet_h) if ladder.persist_reading == "window" else 0)
    return due, [violation for violation in course if violation.start >= edge]


def _coalition(course: list[Violation], policy: Policy, vouched: int) -> list[Step]:
    """RULE 2: hostilities persist."""
    due, going_on = persisting(course, policy.ladder)
    if not going_on:
        return []
    shown = going_on[0]
    at = max(due, shown.start, vouched)
    hours = (shown.start - t0(course)[1]) / HOUR_US
    bound = f"T0 + {policy.ladder.persist_h:g} h"
    where = f"after {bound}" if shown.start >= due else f"within the {policy.ladder.quiet_h:g} h before {bound}"
    reason = f"hostilities persist: a violation began {hours:.1f} h after T0, {where}"
    needs = [shown, min(course, key=by_end), *begun(course, vouched)]
    rests = {violation.row for violation in (*needs, *going_on)}
    carried = [violation for violation in course if violation.row in rests]
    return [
        _step("eligible", _COALITION, at, "RULE 2 persistence", reason, needs, carried),
        _step("effective", _COALITION, at, "RULE 2 persistence", f"{reason}; effective at once", needs, carried),
    ]


def _coordinated(course: list[Violation], policy: Policy, vouched: int) -> list[Step]:
    """RULES 3 and 4: a broader attack, and when the response to it takes effect."""
    grown = _grown(course, policy, vouched)
    if grown is None:
        return []
    at, reason = grown
    grew = [*begun(course, at), min(course, key=by_end)]
    steps = [_step("eligible", _COORDINATED, at, "RULE 3 expansion", reason, grew, course)]
    effect = _takes_effect(course, policy.ladder, at)
    if effect is not None:
        instant, why = effect
        needs = [*grew, last_begun(course, instant)]
        steps.append(_step("effective", _COORDINATED, instant, "RULE 4 effect", why, needs, course))
    return steps


def _grown(course: list[Violation], policy: Policy, vouched: int) -> tuple[int, str] | None:
    """Return when a breach has become a broader attack, and the measured sentence that says so (RULE 3)."""
    base = first_window(course, policy.ladder)
    now = Measures()
    for n, violation in enumerate(course):
        now.add(violation)
        if n + 1 < len(course) and course[n + 1].start == violation.start:
            continue  # what begins at one instant is seen together
        if violation.start >= vouched and expanded(now, base, policy.expansion):
            return violation.start, f"a broader attack: {'; '.join(growth(now, base, policy.expansion))}"
    return None


def expanded(now: Measures, base: tuple[float, float, int], rules: Expansion) -> bool:
    """Return whether a breach is a broader attack: an absolute threshold, or enough ratios."""
    return any(absolute(now, rules)) or sum(ratios(now, base, rules)) >= rules.k


def _takes_effect(course: list[Violation], ladder: Ladder, eligible: int) -> tuple[int, str] | None:
    """Return when tier 3 takes effect, and why (RULE 4)."""
    if ladder.broad_reading == "deadline":
        return eligible, "effective when eligible (reading 'deadline')"
    first = max(t0(course)[1] + us(ladder.broad_h), eligible)
    pause = first - last_begun(course, first).end
    words = f"{ladder.broad_h:g} h after T0 have passed"
    if pause < us(ladder.quiet_h):
        return first, f"{words} and the last violation ended {max(0.0, pause / HOUR_US):.1f} h before"
    later = next((violation.start for violation in course if violation.start > first), None)
    return None if later is None else (later, f"{words} and hostilities went on after a pause")


def vouched_at(course: list[Violation], ladder: Ladder) -> int | None:
    """Return the begin from which the incident is open and enough origins vouch for a tier above 1 (RULE 5)."""
    seen: set[tuple[str, str, str]] = set()
    for n, violation in enumerate(course, start=1):
        news = not violation.origins <= seen
        seen |= violation.origins
        if ((news and n > ladder.open_n) or n == ladder.open_n) and _enough(seen, ladder):
            return violation.start
    return None


def _enough(seen: set[tuple[str, str, str]], ladder: Ladder) -> bool:
    if ladder.single_vetted and any(trust in {"mission", "vetted"} for _, _, trust in seen):
        return True
    return independent((origin, voice) for origin, voice, _ in seen) > 1  # all sources of one party are one voice


def _ended(course: list[Violation], end: End) -> Step:
    words = {
        "ceased": "the pause after the last violation was watched throughout, at every place of the breach",
        "assumed": "no violation is known for the whole gap, and not all of it was declared watched at every place",
        "unresolved": "no violation is known, but a part of the gap was declared unseen at a place of the breach",
        "lapsed": "the ceasefire window ended while it was going on",
        "decided": end.why or "a person ended it",
    }
    assert end.at is not None and end.how is not None and end.known_at is not None  # noqa: S101, PT018 -- it has ended
    return Step("ended", 0, end.at, end.known_at, f"RULE 6 {end.how}", words[end.how], (), _rows(course))


def with_tiers(steps: Iterable[Step]) -> list[Step]:
    """Return the steps in order, each with the tier that it comes from, holding every move against the table."""
    state, highest, out = "candidate", {"eligible": 0, "effective": 0, "declared": 0}, []
    for step in sorted(steps, key=step_order):
        if step.kind not in MOVES[state]:
            msg = f"{step.kind!r} is no move of an incident that is {state}"
            raise ValueError(msg)
        state = MOVES[state][step.kind]
        before = highest.get(step.kind, highest["eligible"])
        out.append(step if step.tier_from == before else step._replace(tier_from=before))
        if step.kind in highest:
            highest[step.kind] = max(highest[step.kind], step.tier_to)
    return out


def persistence(
    course: Sequence[Violation], attached: Sequence[tuple[int, int]], watch: Watch, policy: Policy, as_of: int, end: End
) -> str | None:
    """Return whether hostilities went on beyond the first window: persists, ceased, indeterminate; ``None`` too early.

    ``attached`` are the intervals of violations that could be real and only attach.
    """
    ladder = policy.ladder
    due, going_on = persisting(sorted(course, key=by_begin), ladder)
    if as_of < due:
        return None
    if any(max(due, violation.start) <= as_of for violation in going_on):
        return "persists"
    begin = due - (us(ladder.quiet_h) if ladder.persist_reading == "window" else 0)
    until = as_of if end.at is None else min(end.at, as_of)
    if until < begin:
        return "ceased"
    possible = any(violation.end >= begin for violation in course)
    possible = possible or any(b >= begin and a <= until for a, b in attached)
    return "indeterminate" if possible or watch.blind(begin, until) else "ceased"


def persistence_in_words(
    course: Sequence[Violation], verdict: str | None, policy: Policy, as_of: int, end: End
) -> str | None:
    """Return the verdict on persistence as a sentence with its hours."""
    ladder, (_, surely) = policy.ladder, t0(course)
    due, going_on = persisting(sorted(course, key=by_begin), ladder)
    begin = due - (us(ladder.quiet_h) if ladder.persist_reading == "window" else 0)
    until = as_of if end.at is None else min(end.at, as_of)
    span = f"from {(begin - surely) / HOUR_US:.1f} h to {max(until - surely, begin - surely) / HOUR_US:.1f} h after T0"
    if verdict == "persists":
        shown = (going_on[0].start - surely) / HOUR_US
        return f"{len(going_on)} began {span}, the first at {shown:.1f} h"
    words = {
        "ceased": f"none is known {span}",
        "indeterminate": f"none surely began {span}, but one may have, or a part of that was declared unseen",
    }
    return None if verdict is None else words[verdict]


def due_next(course: Sequence[Violation], steps: Sequence[Step], policy: Policy, as_of: int) -> tuple[int, str] | None:
    """Return the next instant after ``as_of`` at which something is due or takes effect, and what.

    Nothing is due where no step was taken. What is due counts from the begin of T0, what is judged or takes effect from
    its end. With reading ``deadline`` a broader attack is answered at once, and due all the same.
    """
    if not steps:
        return None
    ladder, (begin, surely) = policy.ladder, t0(course)
    eligible = {step.tier_to for step in steps if step.kind == "eligible"}
    effective = {step.tier_to for step in steps if step.kind == "effective"}
    coming = [
        (begin + us(ladder.response_h), "response to the breach (tier 1) is due"),
        (surely + us(ladder.persist_h), "persistence is judged (tier 2)"),
    ]
    if _COORDINATED in eligible - effective:
        coming.append((surely + us(ladder.broad_h), "co-ordinated response takes effect if hostilities go on (tier 3)"))
    if _COORDINATED in eligible:
        coming.append((begin + us(ladder.broad_h), "co-ordinated response is due (tier 3)"))
    return min((due for due in coming if due[0] > as_of), default=None)


def _step(
    kind: Kind, tier: int, at: int, rule: str, reason: str, needs: Sequence[Violation], carriers: Sequence[Violation]
) -> Step:
    known = max([at, *[violation.known_at for violation in needs]])
    if tier > _WARNING and carriers[0].t0 is not None:
        known = max(known, carriers[0].t0.known_at)
    return Step(kind, tier, at, known, rule, reason, _rows(needs), _rows(carriers))


def _rows(violations: Iterable[Violation]) -> tuple[int, ...]:
    return tuple(dict.fromkeys([violation.row for violation in violations]))
