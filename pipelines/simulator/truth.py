"""What truly happened in a simulation, and what must a watcher say about it?

Written from the definitions of the ladder, for breaches whose members are known beforehand. It groups nothing: a scene
says which of its violations are one breach, and scenes have nothing to do with each other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipelines.simulator.cast import carries_higher_tiers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.policy import Growth, Policy
    from pipelines.simulator.cast import Witness

_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True)
class TrueViolation:
    """One act that happened, as its sharpest report tells it; instants aware UTC, ``reports`` (source, reference)."""

    id: str
    scene: str
    group: int
    observed_from: datetime
    observed_to: datetime
    lon: float
    lat: float
    chainage_m: float
    distance_m: float
    weapon_class: str | None
    parties: tuple[str, ...]
    origins: tuple[str, ...]
    reports: tuple[tuple[str, str], ...]
    heat_consistent: bool
    who: tuple[Witness, ...] = field(repr=False)


@dataclass(frozen=True)
class Step:
    """One move: opened, eligible, effective or ended; ``tier`` is the one reached, 0 at the end."""

    kind: str
    tier: int
    at: datetime


@dataclass(frozen=True)
class TrueIncident:
    """One breach at the end of the simulation; ``steps`` by scenario. ``gap_covered`` is empty without recurrence."""

    id: str
    scene: str
    violations: tuple[str, ...]
    state: str
    end: str | None
    t0_from: datetime
    t0_to: datetime
    last_observed: datetime
    tier_eligible: int
    tier_effective: int
    tier_peak: int
    recurrence_of: str | None
    gap_covered: bool | None
    steps: dict[str, tuple[Step, ...]]


@dataclass(frozen=True)
class TrueScene:
    """Where and when a story was played; ``reports`` of a story without incidents must open nothing."""

    name: str
    title: str
    chainage_m: float
    begin: datetime
    incidents: tuple[str, ...]
    reports: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Truth:
    """Everything that is certain about a simulation; ``left_out`` names stories that the theatre has no room for."""

    theatre: str
    policy_version: str
    seed: int
    days: int
    start: datetime
    as_of: datetime
    rows: dict[str, int]
    background_rows: int
    left_out: tuple[str, ...]
    scenes: tuple[TrueScene, ...]
    violations: tuple[TrueViolation, ...]
    incidents: tuple[TrueIncident, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain values; instants as ISO 8601 text in UTC."""
        plain = asdict(self, dict_factory=_plain)
        return dict(plain)


def scenarios(parties: Sequence[str]) -> dict[str, tuple[str | None, bool]]:
    """Return name → (party, whether acts claimed for nobody count too); ``any`` asks for no party."""
    named: dict[str, tuple[str | None, bool]] = {"any": (None, True)}
    for party in parties:
        named |= {party: (party, False), f"{party}+unknown": (party, True)}
    return named


def counted(violation: TrueViolation, party: str | None, *, unknown: bool) -> bool:
    """Whether a violation counts in a scenario."""
    return party is None or party in violation.parties or (unknown and not violation.parties)


def climb(
    violations: Sequence[TrueViolation], policy: Policy, as_of: datetime, end: datetime | None
) -> tuple[Step, ...]:
    """Return every step of the violations of one breach up to ``as_of``; ``end``: when the breach ended, if it did."""
    ladder = policy.ladder
    acts = sorted(violations, key=lambda act: act.observed_from)
    if len(acts) < ladder.open_n:
        return ()
    opened = acts[ladder.open_n - 1].observed_from
    third = _broader(acts, policy)
    found = [
        Step("opened", 1, opened),
        Step("eligible", 1, opened),
        Step("effective", 1, opened),
        *(Step(kind, 2, at) for at in [_persists(acts, policy)] if at for kind in ("eligible", "effective")),
        *(Step("eligible", 3, at) for at in [third] if at),
        *(Step("effective", 3, at) for at in [_takes_effect(acts, policy, third)] if at),
    ]
    kept = [step for step in found if step.at <= as_of and (end is None or step.at < end)]
    return tuple(kept) + ((Step("ended", 0, end),) if end else ())


def highest(steps: Sequence[Step], kind: str) -> int:
    """Return the highest tier of a kind of step, 0 without any."""
    return max((step.tier for step in steps if step.kind == kind), default=0)


def _carried(acts: Sequence[TrueViolation], at: datetime, policy: Policy) -> bool:
    return carries_higher_tiers((who for act in acts if act.observed_from <= at for who in act.who), policy)


def _t0_to(acts: Sequence[TrueViolation]) -> datetime:
    return min(act.observed_to for act in acts)


def _persists(acts: Sequence[TrueViolation], policy: Policy) -> datetime | None:
    """Tier 2."""
    ladder = policy.ladder
    due = _t0_to(acts) + timedelta(hours=ladder.persist_h)
    since = due - timedelta(hours=ladder.quiet_h) if ladder.persist_reading == "window" else due
    times = (max(due, act.observed_from) for act in acts if act.observed_from >= since)
    return next((at for at in times if _carried(acts, at, policy)), None)


def _broader(acts: Sequence[TrueViolation], policy: Policy) -> datetime | None:
    """Tier 3, eligible."""
    due = _t0_to(acts) + timedelta(hours=policy.ladder.persist_h)
    base = [act for act in acts if act.observed_from < due]
    times = (act.observed_from for act in acts)
    return next((at for at in times if _has_grown(acts, base, at, policy) and _carried(acts, at, policy)), None)


def _has_grown(acts: Sequence[TrueViolation], base: Sequence[TrueViolation], at: datetime, policy: Policy) -> bool:
    rules = policy.expansion
    begun = [act for act in acts if act.observed_from <= at]
    rate = sum(act.observed_from > at - _DAY for act in begun)
    if (
        _extent(begun) >= rules.extent_m
        or _depth(begun) >= rules.depth_m
        or rate >= rules.rate_n
        or any(act.weapon_class in rules.weapons for act in begun)
    ):
        return True
    ratios = (
        _grew(_extent(begun), _extent(base), rules.extent_growth),
        _grew(_depth(begun), _depth(base), rules.depth_growth),
        _grew(rate, len(base), rules.rate_growth),
    )
    return sum(ratios) >= rules.k


def _takes_effect(acts: Sequence[TrueViolation], policy: Policy, eligible: datetime | None) -> datetime | None:
    """Tier 3, effective."""
    ladder = policy.ladder
    if eligible is None or ladder.broad_reading == "deadline":
        return eligible
    first = max(_t0_to(acts) + timedelta(hours=ladder.broad_h), eligible)
    times = [first, *(act.observed_from for act in acts if act.observed_from > first)]
    quiet = timedelta(hours=ladder.quiet_h)
    return next((at for at in times if at - _last_to(acts, at) < quiet), None)


def _last_to(acts: Sequence[TrueViolation], at: datetime) -> datetime:
    return max(act.observed_to for act in acts if act.observed_from <= at)


def _extent(acts: Sequence[TrueViolation]) -> float:
    return max(act.chainage_m for act in acts) - min(act.chainage_m for act in acts)


def _depth(acts: Sequence[TrueViolation]) -> float:
    return max(act.distance_m for act in acts)


def _grew(value: float, base: float, growth: Growth) -> bool:
    return value >= growth.times * base and value >= growth.floor


def _plain(items: list[tuple[str, object]]) -> dict[str, object]:
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in items
        if name != "who"
    }
