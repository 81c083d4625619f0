"""What would come next for an incident, and when?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geo.policy import in_force

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.policy import Expansion, Ladder, Policy, PolicyVersion


def outlook(incident: pd.Series, policies: tuple[PolicyVersion, ...], as_of: pd.Timestamp) -> list[str]:
    """Return sentences on what the rules hold ready for an incident or candidate.

    The ladder is that of the policy in force at T0, the grouping that of the policy in force at ``as_of``.
    """
    now = in_force(policies, as_of.to_pydatetime())
    if incident["state"] == "candidate":
        return [f"It becomes an incident, and tier 1, when {now.ladder.open_n} linked violations qualify."]
    if incident["state"] == "ended":
        again = f"would be a new incident, marked as a recurrence of {incident['incident_id']}"
        return [f"Nothing is due any more. A violation within {_km(now.grouping.link_m)} of it {again}."]
    begun = in_force(policies, incident["t0_to"].to_pydatetime())
    return [*_due(incident), *_tier_2(incident, begun.ladder), *_tier_3(incident, begun), *_end(incident, now)]


def _due(incident: pd.Series) -> Iterator[str]:
    if pd.notna(incident["next_due"]):
        yield f"Next due: {incident['next_due_what']} by {_at(incident['next_due'])}."


def _tier_2(incident: pd.Series, ladder: Ladder) -> Iterator[str]:
    if incident["tier_peak"] >= 2:  # noqa: PLR2004 -- the tier's own number
        return
    mark = incident["t0_to"] + pd.Timedelta(hours=ladder.persist_h)
    if ladder.persist_reading == "literal":
        yield f"Tier 2 when a qualifying violation begins at or after {_at(mark)} (T0 + {ladder.persist_h:g} h)."
        return
    since = mark - pd.Timedelta(hours=ladder.quiet_h)
    yield (
        f"Tier 2, not before {_at(mark)} (T0 + {ladder.persist_h:g} h), when a qualifying violation begins at or after "
        f"{_at(since)} ({ladder.quiet_h:g} h earlier)."
    )


def _tier_3(incident: pd.Series, policy: Policy) -> Iterator[str]:
    ladder = policy.ladder
    mark = incident["t0_to"] + pd.Timedelta(hours=ladder.broad_h)
    if incident["tier_peak"] < 3:  # noqa: PLR2004 -- the tier's own number
        yield f"Tier 3 when it has become a broader attack: {_broad(policy.expansion)}."
    elif incident["tier_effective"] < 3 and ladder.broad_reading == "earliest":  # noqa: PLR2004
        going = f"the last qualifying violation is less than {ladder.quiet_h:g} h ago"
        yield f"Tier 3 takes effect at the first instant from {_at(mark)} (T0 + {ladder.broad_h:g} h) at which {going}."


def _broad(rule: Expansion) -> str:
    ratios = (
        f"extent {_times(rule.extent_growth.times)} and {_km(rule.extent_growth.floor)}",
        f"depth {_times(rule.depth_growth.times)} and {_km(rule.depth_growth.floor)}",
        f"rate {_times(rule.rate_growth.times)} and {rule.rate_growth.floor:g} a day",
    )
    weapons = f", a weapon of the classes {', '.join(rule.weapons)}" if rule.weapons else ""
    absolute = f"{_km(rule.extent_m)} along the line, {_km(rule.depth_m)} from it{weapons}"
    return f"{absolute}, or {rule.rate_n} violations begun in 24 h; or at least {rule.k} of: {'; '.join(ratios)}"


def _end(incident: pd.Series, policy: Policy) -> Iterator[str]:
    quiet = incident["last_observed"] + policy.link_gap
    yield f"It ends at {_at(quiet)} unless a further qualifying violation is linked to it before that."


def _times(factor: float) -> str:
    return f"{factor:g} times what its first window held"


def _km(metres: float) -> str:
    return f"{metres / 1000:g} km"


def _at(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"
