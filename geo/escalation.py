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

from geo.course import absolute, bars, growth, ratios, us
from geo.nearness import HOUR_US
from geo.standing import independent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geo.course import Bars, Course, Figure, Measures, Violation
    from geo.incidents import End, Watch
    from geo.policy import Ladder, Policy

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


def counted(course: Course, party: str | None, *, unknown: bool) -> Course:
    """Return the violations that a scenario counts (RULES 7 and 8)."""
    return course.of_party(party, unknown=unknown)


def only(course: Course, party: str | None, *, unknown: bool) -> Course:
    """Return the violations that a scenario counts; who counts for a claim is known when the claim is."""
    found = counted(course, party, unknown=unknown)
    return found if party is None else found.claimed(party)


def step_order(step: Step) -> tuple[bool, int, int, int]:
    """Return the key by which the steps of an incident are put in order: the end last, even where nothing lasted."""
    return step.kind == "ended", step.at, step.tier_to, _KIND_ORDER[step.kind]


class Move(NamedTuple):
    """What a rule makes of a course: moves of one tier at one instant, and by when what they need had begun, µs UTC."""

    tier: int
    kinds: tuple[Kind, ...]
    at: int
    by: int


def climb(course: Course, policy: Policy, as_of: int, end: End) -> list[Step]:
    """Fold an incident's qualifying violations into its steps up to ``as_of``.

    Returns
    -------
    list of Step
        In order of time. Empty for fewer than ``open_n`` violations. Tiers never fall but at the end; the same
        violations in any order give the same steps.
    """
    steps = [step for move in _moves(course, policy, as_of, end) for step in _steps(move, course, policy)]
    if steps and end.at is not None:
        steps.append(_ended(course, end))
    return with_tiers(steps)


def reached(course: Course, policy: Policy, as_of: int, end: End, up_to: int) -> set[tuple[Kind, int]]:
    """Return kind and tier of every step up to a tier that ``climb`` would take, but its end, without a word of why."""
    moves = _moves(course, policy, as_of, end, up_to)
    return {(kind, move.tier) for move in moves for kind in move.kinds}


def _moves(course: Course, policy: Policy, as_of: int, end: End, up_to: int = _COORDINATED) -> list[Move]:
    """Return the moves up to a tier, to ``as_of`` and before the end."""
    ladder = policy.ladder
    if len(course) < ladder.open_n:
        return []
    opened = course[ladder.open_n - 1].start
    if opened > as_of:
        return []
    moves = [Move(0, ("opened",), opened, opened), Move(_WARNING, ("eligible", "effective"), opened, opened)]
    vouched = vouched_at(course, ladder) if up_to > _WARNING else None
    if vouched is None:
        return moves
    persists = _persists(course, ladder, vouched)
    if persists is not None:
        moves.append(Move(_COALITION, ("eligible", "effective"), persists, vouched))
    broad = _broad(course, policy, vouched) if up_to > _COALITION else None
    if broad is not None:
        moves.append(Move(_COORDINATED, ("eligible",), broad, broad))
        effect = _takes_effect(course, ladder, broad)
        if effect is not None:
            moves.append(Move(_COORDINATED, ("effective",), effect, broad))
    return [
        move for move in moves if move.at <= as_of and (end.at is None or move.at < end.at or move.tier <= _WARNING)
    ]


def _steps(move: Move, course: Course, policy: Policy) -> list[Step]:
    """Return the steps of a move, each with its reason and with what it needs and rests on."""
    if move.tier <= _WARNING:
        return _warning(move, course, policy.ladder)
    return _coalition(move, course, policy.ladder) if move.tier == _COALITION else _coordinated(move, course, policy)


def _warning(move: Move, course: Course, ladder: Ladder) -> list[Step]:
    """RULE 1: the breach."""
    n = ladder.open_n
    what = "the first qualifying violation" if n == 1 else f"qualifying violation number {n} (reading repeated)"
    rule, reason = ("RULE 1 warning" if move.tier else "RULE 1 opened"), f"{what} began"
    at_once = {"effective": f"{reason}; a warning takes effect at once"}
    return _step(move, rule, reason, course[:n], course.rows, at_once)


def persisting(course: Course, ladder: Ladder) -> tuple[int, Course]:
    """Return the instant from which hostilities can persist, and the violations that show it (RULE 2)."""
    due, edge = _judged(course, ladder)
    return due, course.since(edge)


def _judged(course: Course, ladder: Ladder) -> tuple[int, int]:
    """Return the instant from which hostilities can persist, and that from which a violation shows it (RULE 2)."""
    due = course.t0[1] + us(ladder.persist_h)
    return due, due - us(ladder.quiet_h) if ladder.persist_reading == "window" else due


def _persists(course: Course, ladder: Ladder, vouched: int) -> int | None:
    """RULE 2: return when hostilities persist."""
    due, going_on = persisting(course, ladder)
    return max(due, going_on[0].start, vouched) if going_on else None


def _coalition(move: Move, course: Course, ladder: Ladder) -> list[Step]:
    """RULE 2: hostilities persist."""
    due, going_on = persisting(course, ladder)
    shown = going_on[0]
    hours = (shown.start - course.t0[1]) / HOUR_US
    bound = f"T0 + {ladder.persist_h:g} h"
    where = f"after {bound}" if shown.start >= due else f"within the {ladder.quiet_h:g} h before {bound}"
    reason = f"hostilities persist: a violation began {hours:.1f} h after T0, {where}"
    needs = [shown, course.first_ended, *course.begun(move.by)]
    rests = {*[violation.row for violation in needs], *going_on.rows}
    carried = tuple([row for row in course.rows if row in rests])
    return _step(move, "RULE 2 persistence", reason, needs, carried, {"effective": f"{reason}; effective at once"})


def _broad(course: Course, policy: Policy, vouched: int) -> int | None:
    """RULE 3: return when a breach has become a broader attack; what begins at one instant is seen together."""
    than = bars(course.first_window(policy.ladder), policy.expansion)
    if not expanded(course.most(than.weapons), than):
        return None
    starts = course.starts
    broad = expanded(course.measured(than.weapons), than).tolist()
    for start, following, now in zip(starts, [*starts[1:], None], broad, strict=True):
        if now and start >= vouched and start != following:
            return start
    return None


def expanded(now: Measures, than: Bars) -> Figure:
    """Return whether a breach is a broader attack: an absolute threshold, or enough ratios (RULE 3)."""
    extent, depth, rate, armed = absolute(now, than)
    return extent | depth | rate | armed | (sum(ratios(now, than)) >= than.k)


def _takes_effect(course: Course, ladder: Ladder, eligible: int) -> int | None:
    """RULE 4: return when the response to a broader attack takes effect."""
    if ladder.broad_reading == "deadline":
        return eligible
    first = max(course.t0[1] + us(ladder.broad_h), eligible)
    if first - course.begun(first).last < us(ladder.quiet_h):
        return first
    later = course.since(first + 1)
    return later[0].start if later else None


def _coordinated(move: Move, course: Course, policy: Policy) -> list[Step]:
    """RULES 3 and 4: a broader attack, and when the response to it takes effect."""
    grew = course.begun(move.by)
    needs = [*grew, course.first_ended]
    if move.kinds == ("eligible",):
        measures = "; ".join(growth(grew, course.first_window(policy.ladder), policy.expansion))
        return _step(move, "RULE 3 expansion", f"a broader attack: {measures}", needs, course.rows)
    needs.append(course.last_begun(move.at))
    return _step(move, "RULE 4 effect", _effect_in_words(move, course, policy.ladder), needs, course.rows)


def _effect_in_words(move: Move, course: Course, ladder: Ladder) -> str:
    if ladder.broad_reading == "deadline":
        return "effective when eligible (reading 'deadline')"
    first = max(course.t0[1] + us(ladder.broad_h), move.by)
    words = f"{ladder.broad_h:g} h after T0 have passed"
    if move.at > first:
        return f"{words} and hostilities went on after a pause"
    pause = first - course.last_begun(first).end
    return f"{words} and the last violation ended {max(0.0, pause / HOUR_US):.1f} h before"


def vouched_at(course: Course, ladder: Ladder) -> int | None:
    """Return the begin from which the incident is open and enough origins vouch for a tier above 1 (RULE 5)."""
    seen: set[tuple[str, str, str]] = set()
    for n, origins in enumerate(course.origins, start=1):
        news = not origins <= seen
        seen |= origins
        if ((news and n > ladder.open_n) or n == ladder.open_n) and _enough(seen, ladder):
            return course[n - 1].start
    return None


def _enough(seen: set[tuple[str, str, str]], ladder: Ladder) -> bool:
    if ladder.single_vetted and any(trust in {"mission", "vetted"} for _, _, trust in seen):
        return True
    return (
        len(seen) > 1 and independent((origin, voice) for origin, voice, _ in seen) > 1
    )  # all sources of one party are one voice


def _ended(course: Course, end: End) -> Step:
    words = {
        "ceased": "the pause after the last violation was watched throughout, at every place of the breach",
        "assumed": "no violation is known for the whole gap, and not all of it was declared watched at every place",
        "unresolved": "no violation is known, but a part of the gap was declared unseen at a place of the breach",
        "lapsed": "the ceasefire window ended while it was going on",
    }
    assert end.at is not None and end.how is not None and end.known_at is not None  # noqa: S101, PT018 -- it has ended
    return Step("ended", 0, end.at, end.known_at, f"RULE 6 {end.how}", end.why or words[end.how], (), course.rows)


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
    course: Course, attached: Sequence[tuple[int, int]], watch: Watch, policy: Policy, as_of: int, end: End
) -> str | None:
    """Return whether hostilities went on beyond the first window: persists, ceased, indeterminate; ``None`` too early.

    ``attached`` are the intervals of violations that could be real and only attach.
    """
    ladder = policy.ladder
    due, begin = _judged(course, ladder)
    if as_of < due:
        return None
    going_on = course.since(begin)
    if going_on and going_on[0].start <= as_of:
        return "persists"
    until = as_of if end.at is None else end.at
    if until < begin:
        return "ceased"
    possible = course.last >= begin or any(b >= begin and a <= until for a, b in attached)
    return "indeterminate" if possible or watch.blind(begin, until) else "ceased"


def persistence_in_words(course: Course, verdict: str | None, policy: Policy, as_of: int, end: End) -> str | None:
    """Return the verdict on persistence as a sentence with its hours."""
    ladder, (_, surely) = policy.ladder, course.t0
    begin = _judged(course, ladder)[1]
    going_on = course.since(begin)
    until = as_of if end.at is None else end.at
    span = f"from {(begin - surely) / HOUR_US:.1f} h to {max(until - surely, begin - surely) / HOUR_US:.1f} h after T0"
    if verdict == "persists":
        shown = (going_on[0].start - surely) / HOUR_US
        return f"{len(going_on)} began {span}, the first at {shown:.1f} h"
    words = {
        "ceased": f"none is known {span}",
        "indeterminate": f"none surely began {span}, but one may have, or a part of that was declared unseen",
    }
    return None if verdict is None else words[verdict]


def due_next(course: Course, steps: Sequence[Step], policy: Policy, as_of: int) -> tuple[int, str] | None:
    """Return the next instant after ``as_of`` at which something is due or takes effect, and what.

    Nothing is due where no step was taken. What is due counts from the begin of T0, what is judged or takes effect from
    its end. With reading ``deadline`` a broader attack is answered at once, and due all the same.
    """
    if not steps:
        return None
    ladder, (begin, surely) = policy.ladder, course.t0
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
    move: Move,
    rule: str,
    reason: str,
    needs: Sequence[Violation],
    carriers: tuple[int, ...],
    reasons: Mapping[str, str] | None = None,
) -> list[Step]:
    """Return a move's steps, one of each kind; ``reasons`` by kind where it is not ``reason``; carriers are rows.

    Where a person set T0, ``geo.replays`` tells since when they were known.
    """
    known = max([move.at, *[violation.known_at for violation in needs]])
    needed, told = tuple(dict.fromkeys([violation.row for violation in needs])), reasons or {}
    return [
        Step(kind, move.tier, move.at, known, rule, told.get(kind, reason), needed, carriers) for kind in move.kinds
    ]
