"""Which reports are one violation? The naive answer to rules R and V."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

from oracle_reports import Row, distance, ids, may_be_in, pause, surely_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo.policy import Policy
    from geo.theatre import Theatre

ORDER = ("alleged", "corroborated", "confirmed")
OUT = ("contested", "refuted", "exempt")


def independent(a: Row, b: Row) -> bool:
    """R2."""
    of_one_party = a["trust"] == b["trust"] == "party" and a["party"] == b["party"]
    return a["origin"] != b["origin"] and not of_one_party


def agrees(a: Row, b: Row, policy: Policy) -> bool:
    """V2: independent, at one time, at one place, of one kind."""
    limits = policy.corroboration
    one_kind = a["family"] == b["family"] or "any" in (a["family"], b["family"])
    at_one_time = pause(a, b) <= timedelta(minutes=limits.agree_min)
    one_kind = one_kind and a["cell"] == b["cell"]
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
    for p, _, members in sorted(pairs, key=lambda pair: public_key(pair[0], pair[1])):
        if p in left and all(agrees(p, member, policy) for member in members):
            left.remove(p)
            members.append(p)
    return left


def public_key(p: Row, member: Row) -> tuple[Any, ...]:
    """Return what public reports are joined in order of."""
    return (distance(p, member), p["content"], p["no"], member["content"], member["no"])


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
        "responses": {row["party_claimed"] for row in carriers if is_response(row)},
        "status": status(carriers, policy),
        "coarse": any(row["coarse"] for row in carriers),
        "incident": None,
        "attached": False,
    }
    made["windows"] = ids(surely_in, made, theatre)
    made["touched"] = ids(may_be_in, made, theatre)
    made["heat_consistent"] = any(warm(made, row, policy) for row in heat)
    counts = not made["crowd_only"] and not made["coarse"] and bool(made["windows"])
    made["qualifying"] = counts and enough(carriers, policy)
    made["anchor"], made["qualified_known_at"] = (
        anchor(carriers, theatre, policy) if made["qualifying"] else (None, None)
    )
    return made


def is_response(row: Row) -> bool:
    """Whether a report declares response fire: a party its own, or a mission or vetted source that of a party."""
    own = row["trust"] == "party" and row["party"] == row["party_claimed"]
    return row["halts"] and row["party_claimed"] is not None and (own or row["trust"] in {"mission", "vetted"})


def anchor(carriers: list[Row], theatre: Theatre, policy: Policy) -> tuple[int, datetime]:
    """V7."""
    for n in sorted(row["stands"] for row in carriers):
        arrived = [row for row in carriers if row["stands"] <= n]
        dated = min(arrived, key=lambda row: (row["to"] - row["from"], row["content"]))
        if ids(surely_in, dated, theatre) and enough(arrived, policy):
            return n, max(row["known_at"] for row in arrived)
    raise AssertionError


def warm(made: Row, hot: Row, policy: Policy) -> bool:
    """V9."""
    begin = made["from"] - timedelta(hours=policy.heat.before_h)
    end = made["to"] + timedelta(hours=policy.heat.after_h)
    return hot["from"] <= end and hot["to"] >= begin and gap_m(hot, made) <= policy.heat.heat_m
