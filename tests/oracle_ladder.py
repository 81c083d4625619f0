"""Which steps has an incident taken, and when? The naive answer to rules L."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from oracle_incidents import in_reach, unseen
from oracle_violations import witnesses, word_of

from geo.policy import in_force

if TYPE_CHECKING:
    from collections.abc import Callable

    from oracle_reports import Row

    from geo.policy import Policy, PolicyVersion
    from geo.theatre import Theatre

KINDS = ("opened", "eligible", "effective", "declared", "ended")
RATE_SPAN = timedelta(hours=24)


def scenarios(theatre: Theatre) -> list[str]:
    """Return the names of the scenarios."""
    return ["any", *(name for party in theatre.parties for name in (party.id, f"{party.id}+unknown"))]


def seen_in(scenario: str, members: list[Row]) -> list[Row]:
    """L0."""
    plain = [v for v in members if not v["responses"]]
    if scenario == "any":
        return plain
    party = scenario.removesuffix("+unknown")
    counted = [v for v in plain if party in v["parties"] or (scenario.endswith("+unknown") and not v["parties"])]
    counted = [v for v in members if v in counted or party in v["responses"]]
    return [{**v, "qualified_known_at": max([v["qualified_known_at"], *claimed(v, party)])} for v in counted]


def claimed(v: Row, party: str) -> list[datetime]:
    """Return when it was first known that somebody holds the party responsible, if anybody does."""
    if v["blamed"] is not None:
        return [v["blamed"]["known_at"]] if v["blamed"]["value"] == party else []
    return sorted(row["known_at"] for row in v["spoken"] if row["party_claimed"] == party)[:1]


def several_origins(violations: list[Row], rules: Policy) -> bool:
    """L4."""
    carriers = [row for v in violations for row in v["spoken"]]
    vetted = any(word_of(row) in {"mission", "vetted"} for row in carriers)
    return witnesses(carriers) > 1 or (rules.ladder.single_vetted and vetted)


def persisting(violations: list[Row], t0_to: datetime, rules: Policy) -> list[Row]:
    """L2, the origin rule aside."""
    quiet = rules.ladder.quiet_h if rules.ladder.persist_reading == "window" else 0.0
    since = t0_to + timedelta(hours=rules.ladder.persist_h) - timedelta(hours=quiet)
    return [v for v in violations if v["from"] >= since]


def measures(violations: list[Row], since: datetime | None = None) -> tuple[float, float, int]:
    """Return extent, depth, and how many began after ``since``."""
    along = [v["chainage"] for v in violations if v["chainage"] is not None]
    deep = [v["depth"] for v in violations if v["depth"] is not None]
    rate = len([v for v in violations if since is None or v["from"] > since])
    return max(along, default=0.0) - min(along, default=0.0), max(deep, default=0.0), rate


def expanded(violations: list[Row], t: datetime, t0_to: datetime, rules: Policy) -> bool:
    """L3."""
    limits = rules.expansion
    begun = [v for v in violations if v["from"] <= t]
    values = measures(begun, t - RATE_SPAN)
    base = measures([v for v in violations if v["from"] < t0_to + timedelta(hours=rules.ladder.persist_h)])
    heavy = any(v["weapon_class"] in limits.weapons for v in begun)
    if heavy or any(x >= y for x, y in zip(values, (limits.extent_m, limits.depth_m, limits.rate_n), strict=True)):
        return True
    growth = (limits.extent_growth, limits.depth_growth, limits.rate_growth)
    grown = [x >= g.times * b and x >= g.floor for x, b, g in zip(values, base, growth, strict=True)]
    return sum(grown) >= limits.k


def ladder(
    incident: Row, scenario: str, now: Policy, policies: tuple[PolicyVersion, ...], as_of: datetime
) -> list[Row]:
    """L0 to L6: the steps of one incident in one scenario."""
    seen = sorted(seen_in(scenario, incident["members"]), key=lambda v: (v["from"], v["content"]))
    n = now.ladder.open_n
    if len(seen) < n:
        return []
    first_ended = min(seen, key=lambda v: (v["to"], v["content"]))
    surely = t0_of(incident, seen)[1]
    rules = in_force(policies, surely)
    opened = seen[n - 1]["from"]
    steps = [
        _step("opened", 0, opened, seen[:n]),
        _step("eligible", 1, opened, seen[:n]),
        _step("effective", 1, opened, seen[:n]),
    ]

    def possible(t: datetime) -> bool:
        return opened <= t <= as_of and (incident["end_at"] is None or t < incident["end_at"])

    steps += second(seen, (first_ended, surely), rules, possible)
    steps += third(seen, (first_ended, surely), rules, possible)
    if incident.get("set_t0"):
        for step in (step for step in steps if step["tier_to"] > 1):
            step["known_at"] = max(step["known_at"], incident["set_t0"]["known_at"])
    if incident["end_at"] is not None:
        steps.append(_step("ended", 0, incident["end_at"], incident["members"]))
        steps[-1]["known_at"] = max(steps[-1]["known_at"], incident.get("end_known") or incident["end_at"])
    return numbered(steps, incident, scenario, rules)


def t0_of(incident: Row, seen: list[Row]) -> tuple[datetime, datetime]:
    """L1, or what a person set (P9)."""
    if incident.get("set_t0"):
        command = incident["set_t0"]
        return command["instant"], command["instant"]
    return min(v["from"] for v in seen), min(v["to"] for v in seen)


def _step(kind: str, tier: int, at: datetime, needs: list[Row]) -> Row:
    known = max(at, *(v["qualified_known_at"] for v in needs))
    return {"kind": kind, "tier_to": tier, "at": at, "known_at": known, "needs": needs}


def second(
    seen: list[Row], start: tuple[Row, datetime], rules: Policy, possible: Callable[[datetime], bool]
) -> list[Row]:
    """L2."""
    first_ended, surely = start
    mark = surely + timedelta(hours=rules.ladder.persist_h)
    for v in persisting(seen, surely, rules):  # in order of begin
        at = max(mark, v["from"])
        if possible(at) and several_origins(begun_by(seen, at), rules):
            vouching = next(
                by_then
                for w in seen
                if several_origins(by_then := begun_by(seen, w["from"]), rules) and len(by_then) >= rules.ladder.open_n
            )
            return [_step(kind, 2, at, [v, first_ended, *vouching]) for kind in ("eligible", "effective")]
    return []


def begun_by(seen: list[Row], t: datetime) -> list[Row]:
    """Return those begun by an instant."""
    return [v for v in seen if v["from"] <= t]


def third(
    seen: list[Row], start: tuple[Row, datetime], rules: Policy, possible: Callable[[datetime], bool]
) -> list[Row]:
    """L3."""
    first_ended, surely = start
    for begun in seen:
        at = begun["from"]
        by_then = begun_by(seen, at)
        if possible(at) and expanded(seen, at, surely, rules) and several_origins(by_then, rules):
            needs = [*by_then, first_ended]
            return [_step("eligible", 3, at, needs), *third_effect(seen, (at, surely), needs, rules, possible)]
    return []


def third_effect(
    seen: list[Row],
    since: tuple[datetime, datetime],
    needs: list[Row],
    rules: Policy,
    possible: Callable[[datetime], bool],
) -> list[Row]:
    """L3, the effect."""
    eligible, t0_to = since
    if rules.ladder.broad_reading == "deadline":
        shown = max(begun_by(seen, eligible), key=lambda v: (v["to"], v["content"]))
        return [_step("effective", 3, eligible, [*needs, shown])]
    start = max(t0_to + timedelta(hours=rules.ladder.broad_h), eligible)
    for at in [start, *(v["from"] for v in seen if v["from"] > start)]:
        last = max(begun_by(seen, at), key=lambda v: (v["to"], v["content"]))
        if possible(at) and at - last["to"] < timedelta(hours=rules.ladder.quiet_h):
            return [_step("effective", 3, at, [*needs, last])]
    return []


def numbered(steps: list[Row], incident: Row, scenario: str, rules: Policy) -> list[Row]:
    """L5."""
    reached = {"opened": 0, "eligible": 0, "effective": 0, "declared": 0}
    ordered = sorted(steps, key=lambda s: (s["kind"] == "ended", s["at"], s["tier_to"], KINDS.index(s["kind"])))
    for seq, step in enumerate(ordered, 1):
        before = reached["eligible"] if step["kind"] == "ended" else reached[step["kind"]]
        step.update(incident=incident["id"], scenario=scenario, seq=seq, tier_from=before, policy=rules.version)
        reached[step["kind"]] = max(before, step["tier_to"])
    return ordered


def reading(
    incident: Row, scenario: str, coverage: list[Row], policies: tuple[PolicyVersion, ...], as_of: datetime
) -> Row | None:
    """L9: what a scenario makes of an incident beside its steps."""
    seen = seen_in(scenario, incident["members"])
    if not seen:
        return None
    begin, surely = t0_of(incident, seen)
    rules = in_force(policies, surely)
    steps = [step for step in incident["steps"] if step["scenario"] == scenario]
    reached = {kind: {s["tier_to"] for s in steps if s["kind"] == kind} | {0} for kind in ("eligible", "effective")}
    over = incident["end_at"] is not None
    first = measures([v for v in seen if v["from"] < surely + timedelta(hours=rules.ladder.persist_h)])
    rate = max(len([w for w in seen if v["from"] - RATE_SPAN < w["from"] <= v["from"]]) for v in seen)
    both = scenario == "any" and len({party for v in seen for party in v["parties"]}) > 1
    dues = [] if over or both or not steps else due(begin, surely, reached, rules)
    return {
        "incident": incident["id"],
        "scenario": scenario,
        "qualifying": len(seen),
        "tier_eligible": 0 if over else max(reached["eligible"]),
        "tier_effective": 0 if over else max(reached["effective"]),
        "tier_peak": max(reached["eligible"]),
        "t0_from": begin,
        "t0_to": surely,
        "extent_first_m": first[0],
        "extent_m": measures(seen)[0],
        "depth_first_m": first[1],
        "depth_m": measures(seen)[1],
        "rate_first_n": first[2],
        "rate_n": rate,
        "next_due": min((at for at in dues if at > as_of), default=None),
        "persistence": persistence(incident, seen, coverage, in_force(policies, as_of), rules, as_of),
    }


def due(begin: datetime, surely: datetime, reached: dict[str, set[int]], rules: Policy) -> list[datetime]:
    """Return every instant at which something is due, judged or takes effect, past ones too."""
    hours = {name: timedelta(hours=getattr(rules.ladder, name)) for name in ("response_h", "persist_h", "broad_h")}
    dues = [begin + hours["response_h"], surely + hours["persist_h"]]
    if 3 in reached["eligible"]:
        dues.append(begin + hours["broad_h"])
        if 3 not in reached["effective"]:
            dues.append(surely + hours["broad_h"])
    return dues


def persistence(
    incident: Row, seen: list[Row], coverage: list[Row], now: Policy, then: Policy, as_of: datetime
) -> str | None:
    """L7, of those that a scenario counts."""
    members, rules, t0_to = incident["members"], then.ladder, t0_of(incident, seen)[1]
    mark = t0_to + timedelta(hours=rules.persist_h)
    if as_of < mark:
        return None
    if any(max(mark, v["from"]) <= as_of for v in persisting(seen, t0_to, then)):
        return "persists"
    begin = mark - timedelta(hours=rules.quiet_h if rules.persist_reading == "window" else 0.0)
    end = min(incident["end_at"] or as_of, as_of)
    doubted = [v for v in incident["attached"] if not v["crowd_only"] and v["status"] not in {"refuted", "exempt"}]
    may = any(v["to"] >= begin for v in seen) or any(
        v["to"] >= begin and v["from"] <= end for v in doubted if begin <= end
    )
    blind = begin < end and any(unseen((begin, end), in_reach([v], coverage, now)) for v in members)
    return "indeterminate" if may or blind else "ceased"
