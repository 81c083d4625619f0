"""What is the answer, worked out the long way? The naive second implementation that the fast one is judged against.

Written from the definitions alone: lists, dicts and ``datetime``, every pair looked at, one geodesic at a time, and a
report's weight found by taking it away and doing everything again. Speed is no aim. Only the places (chainage, depth,
zone, region) are taken from the frame that comes in; what a source, an act or a time is worth is worked out here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import shapely
from geo.policy import Policy, PolicyVersion, in_force
from pyproj import Geod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from geo.theatre import Theatre, Window

Row: TypeAlias = dict[str, Any]
Span: TypeAlias = tuple[datetime, datetime]

GEOD = Geod(ellps="WGS84")
ORDER = ("alleged", "corroborated", "confirmed")
OUT = ("contested", "refuted", "exempt")
KINDS = ("opened", "eligible", "effective", "ended")
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
RATE_SPAN = timedelta(hours=24)
NOTHING = timedelta(0)


# --- the whole --------------------------------------------------------------------------------------------------------


def answer(
    matched: pd.DataFrame,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
) -> dict[str, list[Row]]:
    """Return ``violations``, ``incidents``, ``transitions`` and ``evidence`` as lists of dicts.

    Parameters
    ----------
    matched
        STORED columns and the matching columns; further columns are not looked at.
    as_of
        Aware UTC.
    """
    policy = in_force(policies, as_of)
    rows = read(matched, theatre, policy)
    seen = read_coverage(coverage)
    found = solve(rows, seen, theatre, policies, as_of)
    return {**found, "evidence": evidence(found, rows, seen, theatre, policies, as_of)}


def solve(
    rows: list[Row], coverage: list[Row], theatre: Theatre, policies: tuple[PolicyVersion, ...], as_of: datetime
) -> dict[str, list[Row]]:
    """Return everything but the evidence."""
    policy = in_force(policies, as_of)
    present = [row for row in rows if row["from"] <= as_of]  # I1
    violations = assemble(present, theatre, policy)
    incidents = group(violations, policy)
    for incident in incidents:
        follow(incident, coverage, theatre, policies, as_of)
    for incident in incidents:
        remember(incident, incidents, coverage, policy)
    transitions = [step for incident in incidents for step in incident["steps"]]
    return {"violations": violations, "incidents": incidents, "transitions": transitions}


# --- reading ----------------------------------------------------------------------------------------------------------


def read(frame: pd.DataFrame, theatre: Theatre, policy: Policy) -> list[Row]:
    """Return every report as a dict, with what its source, act and time are worth."""
    return [_worth(_plain(record), theatre, policy) for record in frame.to_dict("records")]


def _plain(record: dict[Any, Any]) -> Row:
    """Return a row without pandas' kinds of missing and of time."""
    out: Row = {}
    for name, value in record.items():
        missing = not isinstance(value, list | tuple | dict) and pd.isna(value)
        out[str(name)] = None if missing else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
    return out


def _worth(row: Row, theatre: Theatre, policy: Policy) -> Row:
    source = theatre.source(row["source"])
    act = policy.acts.get(row["act"]) if row["act"] else None
    group_of = source.independence_group if source else row["source"]
    states = source is not None and source.origin == "column" and row.get("origin")
    length = row["observed_to"] - row["observed_from"]
    limits = policy.corroboration
    return {
        "id": row["report_id"],
        "no": row["first_no"],
        "stands": row["stands_no"],
        "known_at": row["known_at"],
        "content": row["content"],
        "from": row["observed_from"],
        "to": row["observed_to"],
        "lon": row["lon"],
        "lat": row["lat"],
        "u": row["uncertainty_m"],
        "act": row["act"],
        "family": act.family if act else None,
        "prohibited": act.prohibited if act else "never",
        "weapon": row["weapon"],
        "weapon_class": policy.weapons.get(row["weapon"]) if row["weapon"] else None,
        "party_claimed": row["party_claimed"],
        "trust": source.trust if source else "public",
        "party": source.party if source and source.trust == "party" else None,
        "origin": row["origin"] if states else group_of,  # R1
        "disputed": bool(row["disputed"]),
        "coarse": length > timedelta(hours=limits.coarse_h)
        or (row["uncertainty_m"] is not None and row["uncertainty_m"] > limits.coarse_m),
        "in_zone": bool(row.get("in_zone")),
        "chainage": row.get("chainage_m"),
        "depth": row.get("distance_m"),
        "region": row.get("region_id"),
    }


def read_coverage(frame: pd.DataFrame) -> list[Row]:
    """Return declared coverage as dicts."""
    rows = [_plain(record) for record in frame.to_dict("records")]
    names = {"from": "observed_from", "to": "observed_to", "lon": "lon", "lat": "lat", "u": "uncertainty_m", "sees": "sees"}
    return [{short: row[name] for short, name in names.items()} for row in rows]


def measured(stored: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return stored reports with the columns of matching that matter here, one point at a time (bands only)."""
    rows = [_measured(_plain(record), theatre) for record in stored.to_dict("records")]
    return stored.assign(**{name: [row[name] for row in rows] for name in ("chainage_m", "distance_m", "in_zone", "region_id")})


def _measured(row: Row, theatre: Theatre) -> Row:
    if row["lon"] is None or row["lat"] is None:
        return {"chainage_m": None, "distance_m": None, "in_zone": False, "region_id": None}
    found = theatre.baselines[0].locate([row["lon"]], [row["lat"]])
    side = {1: "left", -1: "right", 0: "none"}[int(found.side[0])]
    depth = float(found.distance_m[0])
    point = shapely.Point(row["lon"], row["lat"])
    inside = [i for i, area in zip(theatre.regions.region_id, theatre.regions.geometry, strict=True) if area.covers(point)]
    zones = [z for z in theatre.zones if side != "none" and z.side in {"both", side} and depth <= (z.depth_m or 0.0)]
    return {
        "chainage_m": float(found.chainage_m[0]),
        "distance_m": depth,
        "in_zone": bool(zones),
        "region_id": min(inside, default=None),
    }


# --- distances, pauses, windows ---------------------------------------------------------------------------------------


@lru_cache(maxsize=100_000)
def _geodesic(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(GEOD.inv(*a, *b)[2])


def distance(a: Row, b: Row) -> float:
    """Return the geodesic metres between two centres; the order of the two never matters."""
    first, second = sorted([(a["lon"], a["lat"]), (b["lon"], b["lat"])])
    return _geodesic(first, second)


def pause(a: Row, b: Row) -> timedelta:
    """Return the smallest pause that both intervals allow."""
    earlier, later = sorted([a, b], key=lambda row: row["from"])
    return max(NOTHING, later["from"] - earlier["to"])


def surely_in(row: Row, window: Window) -> bool:
    """Whether the whole interval lies in the half-open window."""
    return window.start <= row["from"] and row["to"] < (window.end or ALWAYS)


def may_be_in(row: Row, window: Window) -> bool:
    """Whether any instant of the interval lies in the half-open window."""
    return row["to"] >= window.start and row["from"] < (window.end or ALWAYS)


def ids(test: Callable[[Row, Window], bool], row: Row, theatre: Theatre) -> set[str]:
    """Return the ids of the windows that pass the test."""
    return {window.id for window in theatre.windows if test(row, window)}


# --- violations (RULES R and V) ---------------------------------------------------------------------------------------


def independent(a: Row, b: Row) -> bool:
    """R2."""
    of_one_party = a["trust"] == b["trust"] == "party" and a["party"] == b["party"]
    return a["origin"] != b["origin"] and not of_one_party


def agrees(a: Row, b: Row, policy: Policy) -> bool:
    """V2: independent, at one time, at one place, of one kind."""
    limits = policy.corroboration
    one_kind = a["family"] == b["family"] or "any" in (a["family"], b["family"])
    at_one_time = pause(a, b) <= timedelta(minutes=limits.agree_min)
    return independent(a, b) and one_kind and at_one_time and gap_m(a, b) <= limits.agree_m


def gap_m(a: Row, b: Row) -> float:
    """Return the metres between two footprints."""
    return max(0.0, distance(a, b) - (a["u"] + b["u"]))


def material(row: Row, theatre: Theatre) -> bool:
    """V1."""
    forbidden = row["prohibited"] == "everywhere" or (row["prohibited"] == "in_zone" and row["in_zone"])
    located = row["lon"] is not None and row["lat"] is not None
    return forbidden and located and bool(ids(may_be_in, row, theatre))


def assemble(rows: list[Row], theatre: Theatre, policy: Policy) -> list[Row]:
    """Return the violations, by number."""
    counted = [row for row in rows if material(row, theatre)]
    solid = cluster([row for row in counted if row["trust"] != "public"], policy)
    crowd = [row for row in counted if row["trust"] == "public"]
    left = join_public(solid, crowd, policy)
    heat = [row for row in rows if row["family"] == "heat" and row["lon"] is not None and row["lat"] is not None]
    made = [violation(members, heat, theatre, policy) for members in solid + cluster(left, policy)]
    return sorted(made, key=lambda v: v["no"])


def alone(row: Row) -> bool:
    """Whether a report stands alone."""
    return row["coarse"] or row["disputed"]


def pair_key(a: Row, b: Row) -> tuple[Any, ...]:
    """Return what pairs are joined in order of."""
    return (distance(a, b), *sorted([a["content"], b["content"]]), *sorted([a["no"], b["no"]]))


def cluster(rows: list[Row], policy: Policy) -> list[list[Row]]:
    """V2."""
    groups = [[row] for row in rows]
    social = [row for row in rows if not alone(row)]
    pairs = [(a, b) for a, b in combinations(social, 2) if agrees(a, b, policy)]
    for a, b in sorted(pairs, key=lambda pair: pair_key(*pair)):
        one, other = (next(g for g in groups if row in g) for row in (a, b))
        if one is not other and all(agrees(x, y, policy) for x in one for y in other):
            groups.remove(other)
            one.extend(other)
    return groups


def join_public(solid: list[list[Row]], crowd: list[Row], policy: Policy) -> list[Row]:
    """V3: put public reports into the groups, and return those that fit nowhere."""
    founders = [(row, members) for members in solid for row in members if not alone(row)]
    pairs = [(p, row, members) for p in crowd if not alone(p) for row, members in founders]
    left = list(crowd)
    for p, _, members in sorted(pairs, key=lambda pair: pair_key(pair[0], pair[1])):
        if p in left and all(agrees(p, member, policy) for member in members):
            left.remove(p)
            members.append(p)
    return left


def voices(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """Return the distinct origins, where all sources of one party are one."""
    return {("party", row["party"]) if row["trust"] == "party" else ("origin", row["origin"]) for row in rows}


def status(carriers: list[Row], policy: Policy) -> str:
    """V5."""
    heard = [row for row in carriers if not row["disputed"]]
    if not heard:
        return "contested"
    trusts = {row["trust"] for row in heard}
    if any(set(needed) <= trusts for needed in policy.corroboration.confirming):
        return "confirmed"
    return "corroborated" if len(voices(heard)) > 1 else "alleged"


def enough(carriers: list[Row], policy: Policy) -> bool:
    """Whether these reports alone have a status that counts."""
    found = status(carriers, policy)
    return found not in OUT and ORDER.index(found) >= ORDER.index(policy.corroboration.qualifying_status)


def violation(members: list[Row], heat: list[Row], theatre: Theatre, policy: Policy) -> Row:
    """V4 to V9."""
    carriers = [row for row in members if row["trust"] != "public"] or members
    at_time = min(carriers, key=lambda row: (row["to"] - row["from"], row["content"]))
    at_place = min(carriers, key=lambda row: (row["u"], row["content"]))
    armed = [row for row in sorted(carriers, key=lambda row: row["content"]) if row["weapon"]]
    arm = at_place if at_place["weapon"] else armed[0] if armed else at_place
    made = {
        "id": f"V-{min(row['no'] for row in members)}",
        "no": min(row["no"] for row in members),
        "members": members,
        "carriers": carriers,
        "content": min(row["content"] for row in carriers),
        "crowd_only": carriers[0]["trust"] == "public",
        "from": at_time["from"],
        "to": at_time["to"],
        "lon": at_place["lon"],
        "lat": at_place["lat"],
        "u": at_place["u"],
        "chainage": at_place["chainage"],
        "depth": at_place["depth"],
        "region": at_place["region"],
        "act": at_place["act"],
        "weapon": arm["weapon"],
        "weapon_class": arm["weapon_class"],
        "parties": sorted({row["party_claimed"] for row in carriers if row["party_claimed"]}),
        "status": status(carriers, policy),
        "coarse": any(row["coarse"] for row in carriers),
        "incident": None,
        "attached": False,
    }
    made["windows"] = ids(surely_in, made, theatre)
    made["touched"] = ids(may_be_in, made, theatre)
    made["heat"] = any(warm(made, row, policy) for row in heat)
    counts = not made["crowd_only"] and not made["coarse"] and bool(made["windows"])
    made["qualifying"] = counts and enough(carriers, policy)
    made["anchor"], made["qualified_known_at"] = anchor(carriers, policy) if made["qualifying"] else (None, None)
    return made


def anchor(carriers: list[Row], policy: Policy) -> tuple[int, datetime]:
    """V7."""
    for n in sorted(row["stands"] for row in carriers):
        arrived = [row for row in carriers if row["stands"] <= n]
        if enough(arrived, policy):
            return n, max(row["known_at"] for row in arrived)
    raise AssertionError


def warm(made: Row, hot: Row, policy: Policy) -> bool:
    """V9."""
    begin = made["from"] - timedelta(hours=policy.heat.before_h)
    end = made["to"] + timedelta(hours=policy.heat.after_h)
    return hot["from"] <= end and hot["to"] >= begin and gap_m(hot, made) <= policy.heat.heat_m


# --- incidents (RULES I) ----------------------------------------------------------------------------------------------


def near(a: Row, b: Row, policy: Policy) -> bool:
    """Whether two violations are within the links' distance and pause."""
    return distance(a, b) <= policy.grouping.link_m and pause(a, b) <= policy.link_gap


def linked(a: Row, b: Row, policy: Policy) -> bool:
    """I2."""
    return near(a, b, policy) and bool(a["windows"] & b["windows"])


def components(items: list[Row], joined: Callable[[Row, Row], bool]) -> list[list[Row]]:
    """Return the groups that the links hold together, each grown by asking everybody until nobody joins."""
    left, found = list(items), []
    while left:
        members = [left.pop(0)]
        while grown := [row for row in left if any(joined(row, member) for member in members)]:
            members.extend(grown)
            left = [row for row in left if row not in grown]
        found.append(members)
    return found


def group(violations: list[Row], policy: Policy) -> list[Row]:
    """Return incidents and candidates, and say in every violation where it belongs."""
    counting = [v for v in violations if v["qualifying"]]
    parts = components(counting, lambda a, b: linked(a, b, policy))
    big = [part for part in parts if len(part) >= policy.ladder.open_n]
    incidents = [_named("B", min(v["anchor"] for v in part), part, policy) for part in big]
    for other in (v for v in violations if not v["qualifying"]):
        attach(other, incidents, policy)
    free = [v for v in violations if v["incident"] is None]
    free = [v for v in free if v["status"] not in {"refuted", "exempt"} and not v["crowd_only"]]
    loose = components(free, lambda a, b: near(a, b, policy) and bool(a["touched"] & b["touched"]))  # I5
    candidates = [_named("C", min(v["no"] for v in part), part, policy) for part in loose]
    return sorted(incidents + candidates, key=lambda incident: (incident["kind"], incident["no"]))


def _named(kind: str, no: int, members: list[Row], policy: Policy) -> Row:
    made = {"kind": kind, "no": no, "id": f"{kind}-{no}", "members": members, "attached": [], "steps": []}
    for v in members:
        v["incident"] = made["id"]
    made["weak_link"] = kind == "B" and weak(members, policy)
    return made


def attach(other: Row, incidents: list[Row], policy: Policy) -> None:
    """I4."""
    reach = [
        (pause(other, v), distance(other, v), incident["no"], incident)
        for incident in incidents
        for v in incident["members"]
        if reaches(other, v, policy)
    ]
    if reach:
        nearest = min(reach, key=lambda found: found[:3])[3]
        nearest["attached"].append(other)
        other["incident"], other["attached"] = nearest["id"], True


def reaches(other: Row, v: Row, policy: Policy) -> bool:
    """Whether a violation may be attached to a qualifying one."""
    apart = max(0.0, distance(other, v) - other["u"]) if other["coarse"] else distance(other, v)
    soon = pause(other, v) <= policy.link_gap
    return soon and apart <= policy.grouping.link_m and bool(other["touched"] & v["windows"])


def weak(members: list[Row], policy: Policy) -> bool:
    """I8: break every single link in turn."""
    links = [(a["no"], b["no"]) for a, b in combinations(members, 2) if linked(a, b, policy)]
    for broken in links:
        kept = {frozenset(link) for link in links if link != broken}
        parts = components(members, lambda a, b, kept=kept: frozenset((a["no"], b["no"])) in kept)  # type: ignore[misc]
        if len(parts) > 1 and all(len(part) >= policy.grouping.weak_part_n for part in parts):
            return True
    return False


# --- how an incident goes on (RULES I6, I7, L) ------------------------------------------------------------------------


def follow(
    incident: Row, coverage: list[Row], theatre: Theatre, policies: tuple[PolicyVersion, ...], as_of: datetime
) -> None:
    """Add state, end, times, tiers, persistence and steps."""
    if incident["kind"] == "C":
        incident.update(state="candidate", end=None, end_at=None, persistence=None)
        incident.update(tier_eligible=0, tier_effective=0, tier_peak=0)
        return
    members = incident["members"]
    incident["t0_from"] = min(v["from"] for v in members)
    incident["t0_to"] = min(v["to"] for v in members)
    incident["last"] = max(v["to"] for v in members)
    incident["origins"] = len(voices(row for v in members for row in v["carriers"]))
    now, then = in_force(policies, as_of), in_force(policies, incident["t0_to"])
    finish(incident, coverage, theatre, now, then, as_of)
    for scenario in scenarios(theatre):
        incident["steps"] += ladder(incident, scenario, now, policies, as_of)
    incident["persistence"] = persistence(incident, coverage, now, then, as_of)
    reached = {
        kind: max((step["tier_to"] for step in incident["steps"] if step["scenario"] == "any" and step["kind"] == kind), default=0)
        for kind in ("eligible", "effective")
    }
    over = incident["end_at"] is not None
    incident["tier_peak"] = reached["eligible"]
    incident["tier_eligible"] = 0 if over else reached["eligible"]
    incident["tier_effective"] = 0 if over else reached["effective"]


def finish(incident: Row, coverage: list[Row], theatre: Theatre, now: Policy, then: Policy, as_of: datetime) -> None:
    """I6."""
    members, last = incident["members"], incident["last"]
    own = set().union(*(v["windows"] for v in members))
    closes = max(window.end or ALWAYS for window in theatre.windows if window.id in own)
    over = last + now.link_gap
    incident["end"], incident["end_at"] = None, None
    if as_of > over and over < closes:
        incident["end_at"] = over
        incident["end"] = how_it_ended(last, over, in_reach(members, coverage, now))
    elif as_of >= closes:
        incident["end_at"], incident["end"] = closes, "lapsed"
    still = max(NOTHING, as_of - last) > timedelta(hours=then.ladder.quiet_h)
    incident["state"] = "ended" if incident["end_at"] else "quiet" if still else "active"


def how_it_ended(last: datetime, over: datetime, coverage: list[Row]) -> str:
    """Return whether the pause was watched, blind, or neither."""
    if unseen((last, over), coverage):
        return "unresolved"
    return "ceased" if not uncovered((last, over), spans(coverage, sees=True)) else "assumed"


def in_reach(members: Sequence[Row], coverage: list[Row], policy: Policy) -> list[Row]:
    """Return the declared coverage whose disc comes within a link of any of these violations."""
    placed = [row for row in coverage if row["lon"] is not None and row["lat"] is not None]
    return [
        row for row in placed if any(max(0.0, distance(row, v) - row["u"]) <= policy.grouping.link_m for v in members)
    ]


def spans(coverage: list[Row], *, sees: bool) -> list[Span]:
    """Return the intervals of heartbeats, or of outages."""
    return [(row["from"], row["to"]) for row in coverage if bool(row["sees"]) == sees]


def uncovered(span: Span, covers: list[Span]) -> list[Span]:
    """Return the pieces of a span, longer than nothing, that no cover covers."""
    cuts = sorted({*span, *(t for cover in covers for t in cover if span[0] < t < span[1])})
    pieces = [(a, b) for a, b in zip(cuts, cuts[1:], strict=False) if a < b and span[0] < span[1]]
    return [(a, b) for a, b in pieces if not any(c <= a and b <= d for c, d in covers)]


def unseen(span: Span, coverage: list[Row]) -> bool:
    """Whether any piece of the span is declared blind, with nobody else who could see."""
    watched = spans(coverage, sees=True)
    blind = [(max(a, span[0]), min(b, span[1])) for a, b in spans(coverage, sees=False)]
    return any(uncovered(piece, watched) for piece in blind if piece[0] < piece[1])


def remember(incident: Row, incidents: list[Row], coverage: list[Row], policy: Policy) -> None:
    """I7."""
    incident["recurrence_of"] = incident["gap_covered"] = None
    if incident["kind"] == "C":
        return
    first = min(incident["members"], key=lambda v: (v["from"], v["content"]))
    before = [
        other
        for other in incidents
        if other["kind"] == "B" and other["end_at"] is not None and other["end_at"] < incident["t0_from"]
        and any(distance(first, v) <= policy.grouping.link_m for v in other["members"])
    ]  # fmt: skip
    if before:
        latest = max(before, key=lambda other: (other["end_at"], other["no"]))
        watched = spans(in_reach(incident["members"], coverage, policy), sees=True)
        incident["recurrence_of"] = latest["id"]
        incident["gap_covered"] = not uncovered((latest["last"], incident["t0_from"]), watched)


def scenarios(theatre: Theatre) -> list[str]:
    """Return the names of the scenarios."""
    return ["any", *(name for party in theatre.parties for name in (party.id, f"{party.id}+unknown"))]


def seen_in(scenario: str, members: list[Row]) -> list[Row]:
    """L0."""
    if scenario == "any":
        return list(members)
    party = scenario.removesuffix("+unknown")
    return [v for v in members if party in v["parties"] or (scenario.endswith("+unknown") and not v["parties"])]


def several_origins(violations: list[Row], rules: Policy) -> bool:
    """L4."""
    carriers = [row for v in violations for row in v["carriers"]]
    of_party = {row["party"] if row["trust"] == "party" else None for row in carriers}
    of_one_party = None not in of_party and len(of_party) == 1
    vetted = any(row["trust"] in {"mission", "vetted"} for row in carriers)
    many = len({row["origin"] for row in carriers}) > 1 and not of_one_party
    return many or (rules.ladder.single_vetted and vetted)


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
    rules = in_force(policies, first_ended["to"])
    opened = seen[n - 1]["from"]
    steps = [_step("opened", 0, opened, seen[:n]), _step("eligible", 1, opened, seen[:n]), _step("effective", 1, opened, seen[:n])]

    def possible(t: datetime) -> bool:
        return opened <= t <= as_of and (incident["end_at"] is None or t < incident["end_at"])

    steps += second(seen, first_ended, rules, possible)
    steps += third(seen, first_ended["to"], rules, possible)
    if incident["end_at"] is not None:
        steps.append(_step("ended", 0, incident["end_at"], incident["members"]))
    return numbered(steps, incident, scenario, rules)


def _step(kind: str, tier: int, at: datetime, needs: list[Row]) -> Row:
    known = max(at, *(v["qualified_known_at"] for v in needs))
    return {"kind": kind, "tier_to": tier, "at": at, "known_at": known}


def second(seen: list[Row], first_ended: Row, rules: Policy, possible: Callable[[datetime], bool]) -> list[Row]:
    """L2."""
    mark = first_ended["to"] + timedelta(hours=rules.ladder.persist_h)
    for v in persisting(seen, first_ended["to"], rules):  # in order of begin
        at = max(mark, v["from"])
        if possible(at) and several_origins([w for w in seen if w["from"] <= at], rules):
            return [_step(kind, 2, at, [v, first_ended]) for kind in ("eligible", "effective")]
    return []


def third(seen: list[Row], t0_to: datetime, rules: Policy, possible: Callable[[datetime], bool]) -> list[Row]:
    """L3."""
    for begun in seen:
        at = begun["from"]
        by_then = [v for v in seen if v["from"] <= at]
        if possible(at) and expanded(seen, at, t0_to, rules) and several_origins(by_then, rules):
            return [_step("eligible", 3, at, by_then), *third_effect(seen, at, t0_to, rules, possible)]
    return []


def third_effect(
    seen: list[Row], eligible: datetime, t0_to: datetime, rules: Policy, possible: Callable[[datetime], bool]
) -> list[Row]:
    """L3, the effect."""
    carried = [v for v in seen if v["from"] <= eligible]
    if rules.ladder.broad_reading == "deadline":
        return [_step("effective", 3, eligible, carried)]
    start = max(t0_to + timedelta(hours=rules.ladder.broad_h), eligible)
    for at in [start, *(v["from"] for v in seen if v["from"] > start)]:
        last = max((v for v in seen if v["from"] <= at), key=lambda v: v["to"])
        if possible(at) and at - last["to"] < timedelta(hours=rules.ladder.quiet_h):
            return [_step("effective", 3, at, [*carried, last])]
    return []


def numbered(steps: list[Row], incident: Row, scenario: str, rules: Policy) -> list[Row]:
    """L5."""
    reached = {"opened": 0, "eligible": 0, "effective": 0}
    ordered = sorted(steps, key=lambda s: (s["kind"] == "ended", s["at"], s["tier_to"], KINDS.index(s["kind"])))
    for seq, step in enumerate(ordered, 1):
        before = reached["eligible"] if step["kind"] == "ended" else reached[step["kind"]]
        step.update(incident=incident["id"], scenario=scenario, seq=seq, tier_from=before, policy=rules.version)
        reached[step["kind"]] = max(before, step["tier_to"])
    return ordered


def persistence(incident: Row, coverage: list[Row], now: Policy, then: Policy, as_of: datetime) -> str | None:
    """L7."""
    members, rules = incident["members"], then.ladder
    mark = incident["t0_to"] + timedelta(hours=rules.persist_h)
    if as_of < mark:
        return None
    if any(max(mark, v["from"]) <= as_of for v in persisting(members, incident["t0_to"], then)):
        return "persists"
    begin = mark - timedelta(hours=rules.quiet_h if rules.persist_reading == "window" else 0.0)
    end = min(incident["end_at"] or as_of, as_of)
    doubted = [v for v in incident["attached"] if not v["crowd_only"] and v["status"] not in {"refuted", "exempt"}]
    may = any(v["to"] >= begin for v in members) or any(v["to"] >= begin and v["from"] <= end for v in doubted if begin <= end)
    blind = begin < end and unseen((begin, end), in_reach(members, coverage, now))
    return "indeterminate" if may or blind else "ceased"


# --- evidence (RULE E) ------------------------------------------------------------------------------------------------


def evidence(
    found: dict[str, list[Row]],
    rows: list[Row],
    coverage: list[Row],
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
) -> list[Row]:
    """Return every report of every step, and whether the step's tier is gone without it alone."""
    again: dict[str, dict[str, list[Row]]] = {}
    out = []
    for incident in (item for item in found["incidents"] if item["kind"] == "B"):
        for step in incident["steps"]:
            for row in carriers_of(step, incident, policies):
                if row["id"] not in again:
                    again[row["id"]] = solve([r for r in rows if r is not row], coverage, theatre, policies, as_of)
                gone = step["kind"] in {"eligible", "effective"} and not holds(step, incident, again[row["id"]])
                names = {name: step[name] for name in ("incident", "scenario", "seq", "kind", "tier_to")}
                out.append({**names, "report": row["id"], "pivotal": gone})
    return out


def carriers_of(step: Row, incident: Row, policies: tuple[PolicyVersion, ...]) -> list[Row]:
    """E1."""
    seen = seen_in(step["scenario"], incident["members"])
    t0_to = min(v["to"] for v in seen)
    carried = persisting(seen, t0_to, in_force(policies, t0_to)) if step["tier_to"] == 2 else seen
    return [row for v in carried for row in v["carriers"]]


def holds(step: Row, incident: Row, later: dict[str, list[Row]]) -> bool:
    """Whether an incident of ``later`` with any of this one's reports among its qualifying ones reaches the step's tier."""
    own = {row["id"] for v in incident["members"] for row in v["carriers"]}
    for other in (item for item in later["incidents"] if item["kind"] == "B"):
        kept = own & {row["id"] for v in other["members"] for row in v["carriers"]}
        steps = {(s["scenario"], s["kind"], s["tier_to"]) for s in other["steps"]}
        if kept and (step["scenario"], step["kind"], step["tier_to"]) in steps:
            return True
    return False
