"""What would have to happen next for a breach, tier by tier?

A pure reading of the rules of ``geo.escalation`` for one incident: what each further step waits for, with what has been
measured beside what is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from geo.policy import in_force

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.policy import Expansion, Growth, Ladder, Policy, PolicyVersion

_COALITION, _COORDINATED = 2, 3
_DAY: Final = pd.Timedelta(hours=24)
_VOICES: Final = 2


class Need(NamedTuple):
    """What a step waits for. ``tier`` 0: no step up; ``not_before`` is missing where nothing has to be waited for."""

    tier: int
    not_before: pd.Timestamp | None
    needs: str


def outlook(
    incident: pd.Series, violations: pd.DataFrame, policies: tuple[PolicyVersion, ...], as_of: pd.Timestamp
) -> list[Need]:
    """Return what the rules hold ready for an incident or candidate.

    Parameters
    ----------
    incident
        A row of the layer ``incidents``.
    violations
        Its rows of the layer ``violations``.
    policies
        The ladder is that of the policy in force at T0, the grouping that of the policy in force at ``as_of``.
    as_of
        The moment that is spoken of, aware UTC.
    """
    now = in_force(policies, as_of.to_pydatetime())
    if incident["state"] == "candidate":
        have = int(violations["qualifying"].sum())
        asked = f"{now.ladder.open_n} linked violations that qualify (status {now.corroboration.qualifying_status})"
        return [Need(1, None, f"{asked}; it has {have}")]
    if incident["state"] == "ended":
        reach = f"within {_km(now.grouping.link_m)} of it"
        again = f"would be a new incident, marked as a recurrence of {incident['incident_id']}"
        return [Need(0, None, f"nothing is due any more; a violation {reach} {again}")]
    begun = in_force(policies, incident["t0_to"].to_pydatetime())
    counted = violations[violations["qualifying"].astype(bool)]
    return [
        *_due(incident),
        *_tier_2(incident, begun.ladder),
        *_tier_3(incident, counted, begun, as_of),
        *_end(incident, now),
    ]


def _due(incident: pd.Series) -> Iterator[Need]:
    if pd.notna(incident["next_due"]):
        yield Need(0, incident["next_due"], f"next due: {incident['next_due_what']}")


def _tier_2(incident: pd.Series, ladder: Ladder) -> Iterator[Need]:
    if incident["tier_peak"] >= _COALITION:
        return
    mark = incident["t0_to"] + pd.Timedelta(hours=ladder.persist_h)
    bound, another = f"T0 + {ladder.persist_h:g} h", _vouching(incident, ladder)
    if ladder.persist_reading == "literal":
        needs = f"a qualifying violation surely at or after {_at(mark)} ({bound}){another}"
    else:
        since = mark - pd.Timedelta(hours=ladder.quiet_h)
        needs = (
            f"a qualifying violation surely at or after {_at(since)} ({ladder.quiet_h:g} h before {bound}){another}; "
            f"not before {_at(mark)}"
        )
    yield Need(_COALITION, mark, needs)


def _vouching(incident: pd.Series, ladder: Ladder) -> str:
    """Return what RULE 5 still asks for; empty where two origins vouch already."""
    if incident["origins"] >= _VOICES:
        return ""
    vetted = ", or one mission or vetted source" if ladder.single_vetted else ""
    return f", and a second independent origin{vetted}"


def _tier_3(incident: pd.Series, counted: pd.DataFrame, policy: Policy, as_of: pd.Timestamp) -> Iterator[Need]:
    ladder = policy.ladder
    mark = incident["t0_to"] + pd.Timedelta(hours=ladder.broad_h)
    if incident["tier_peak"] < _COORDINATED:
        another = _vouching(incident, ladder)
        yield Need(_COORDINATED, None, f"a broader attack: {_broad(incident, counted, policy, as_of)}{another}")
    elif incident["tier_effective"] < _COORDINATED and ladder.broad_reading == "earliest":
        going = f"the last qualifying violation is less than {ladder.quiet_h:g} h ago"
        when = f"from {_at(mark)} (T0 + {ladder.broad_h:g} h)"
        yield Need(_COORDINATED, mark, f"in effect at the first instant {when} at which {going}")


def _broad(incident: pd.Series, counted: pd.DataFrame, policy: Policy, as_of: pd.Timestamp) -> str:
    """Return the thresholds, each with what has been measured so far."""
    rule: Expansion = policy.expansion
    extent_m, depth_m, rate_n = _measured(counted, counted["observed_from"] > as_of - _DAY)
    edge = incident["t0_to"] + pd.Timedelta(hours=policy.ladder.persist_h)
    base = _measured(counted[counted["observed_from"] < edge], None)
    weapons = f", a weapon of the classes {', '.join(rule.weapons)}" if rule.weapons else ""
    absolute = (
        f"extent {_km(rule.extent_m)} (now {_km(extent_m)}), depth {_km(rule.depth_m)} (now {_km(depth_m)}){weapons}, "
        f"or {rule.rate_n} violations begun in 24 h (now {rate_n})"
    )
    ratios = (
        f"extent {_km(_asked(rule.extent_growth, base[0]))}",
        f"depth {_km(_asked(rule.depth_growth, base[1]))}",
        f"{_asked(rule.rate_growth, base[2]):g} violations begun in 24 h",
    )
    return f"{absolute}; or at least {rule.k} of {', '.join(ratios)}"


def _measured(counted: pd.DataFrame, recent: pd.Series | None) -> tuple[float, float, int]:
    """Return extent (m), depth (m) and number of what began lately, or of all."""
    span = counted["chainage_m"]
    number = len(counted) if recent is None else int(recent.sum())
    return float(span.max() - span.min()), float(counted["distance_m"].max()), number


def _asked(rule: Growth, base: float) -> float:
    return max(rule.floor, rule.times * base)


def _end(incident: pd.Series, policy: Policy) -> Iterator[Need]:
    quiet = incident["last_observed"] + policy.link_gap
    yield Need(0, quiet, f"it ends at {_at(quiet)} unless a further qualifying violation is linked to it before that")


def _km(metres: float) -> str:
    return f"{metres / 1000:.4g} km"


def _at(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"
