"""Which reports are one violation? The naive answer to rules R and V."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import shapely
from oracle_reports import GEOD, GRADES, Row, distance, ids, may_be_in, pause, surely_in
from oracle_reviews import decided

from geo.exemptions import Disc
from geo.theatre import Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo.policy import Policy
    from geo.theatre import Theatre

ORDER = ("alleged", "corroborated", "confirmed")
OUT = ("contested", "refuted", "exempt")


def independent(a: Row, b: Row) -> bool:
    """R2."""
    of_one_party = a["behind"] is not None and a["behind"] == b["behind"]
    return a["origin"] != b["origin"] and not of_one_party


def meets(a: Row, b: Row, policy: Policy) -> bool:
    """At one time, at one place, of one kind."""
    limits = policy.corroboration
    one_kind = a["family"] == b["family"] or "any" in (a["family"], b["family"])
    at_one_time = pause(a, b) <= timedelta(minutes=limits.agree_min)
    one_kind = one_kind and a["cell"] == b["cell"]
    return one_kind and at_one_time and gap_m(a, b) <= limits.agree_m


def agrees(a: Row, b: Row, policy: Policy) -> bool:
    """V2: independent, and the same in time, place and kind."""
    return independent(a, b) and meets(a, b, policy)


def same(a: Row, b: Row) -> bool:
    """C1: one statement, said twice."""
    if a["source"] in b["copies"] or b["source"] in a["copies"]:
        return True
    if (a["source"], a["origin"]) == (b["source"], b["origin"]):
        return False
    if a["source"] != b["source"]:
        ids = [(a["ref"], b["ref"]), (a["ref"], b["tail"]), (a["tail"], b["ref"])]
        if any(x and x == y for x, y in ids):
            return True
    return any(a[name] and a[name] == b[name] for name in ("words", "page"))


def standing_order(row: Row) -> tuple[Any, ...]:
    """C3: the original before its copies."""
    return (row["worth"], row["reported"], row["trust"] != "party", row["content"], row["source"], row["no"])


def first_hand(rows: list[Row]) -> list[Row]:
    """C4: those that are copies of no original among them."""
    kept: list[Row] = []
    for row in sorted(rows, key=standing_order):
        if not any(same(row, other) for other in kept):
            kept.append(row)
    return kept


def copied(rows: list[Row], policy: Policy) -> dict[str, Row]:
    """C5: by report the original that it follows."""
    found: dict[str, Row] = {}
    kept: list[Row] = []
    for row in sorted((row for row in rows if not alone(row)), key=standing_order):
        better = [other for other in kept if same(row, other) and meets(row, other, policy)]
        if better:
            found[row["id"]] = min(better, key=lambda other: (distance(row, other), other["content"], other["no"]))
        else:
            kept.append(row)
    return found


def speakers(rows: list[Row], policy: Policy) -> list[Row]:
    """S1: who has a voice."""
    limits = policy.corroboration
    upright = first_hand([row for row in rows if not row["disputed"]])
    return [
        row
        for row in upright
        if row["reliability"] not in limits.unheard_reliability and row["credibility"] not in limits.unheard_credibility
    ]


def describing(rows: list[Row], policy: Policy) -> list[Row]:
    """S1: by whom a violation is described: who has a voice, else what is undisputed and no copy, else all."""
    return speakers(rows, policy) or first_hand([row for row in rows if not row["disputed"]]) or rows


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
    every = [row for row in rows if material(row, theatre)]
    follows = copied(every, policy)
    counted = [row for row in every if row["id"] not in follows]
    solid = cluster([row for row in counted if row["trust"] != "public"], policy)
    crowd = [row for row in counted if row["trust"] == "public"]
    left = join_public(solid, crowd, policy)
    heat = [
        row
        for row in rows
        if row["family"] == "heat" and row["trust"] != "public" and row["lon"] is not None and row["lat"] is not None
    ]
    groups = solid + cluster(left, policy)
    for row in every:
        if row["id"] in follows:
            next(g for g in groups if follows[row["id"]] in g).append(row)
    made = [violation(members, heat, theatre, policy) for members in groups]
    return sorted(made, key=lambda v: v["no"])


def alone(row: Row) -> bool:
    """Whether a report stands alone."""
    return row["coarse"] or row["disputed"]


def span(a: Row, b: Row) -> timedelta:
    """Return how long it is from the earlier begin to the later end."""
    begin, end = min(a["from"], b["from"]), max(a["to"], b["to"])
    return end - begin  # type: ignore[no-any-return]


def near_by(a: Row, b: Row) -> int:
    """Return the whole millimetres from one report to another."""
    return math.floor(distance(a, b) * 1000.0 + 0.5)


def pair_key(a: Row, b: Row) -> tuple[Any, ...]:
    """Return what pairs are joined in order of."""
    return (span(a, b), near_by(a, b), *sorted([a["content"], b["content"]]), *sorted([a["no"], b["no"]]))


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
    return (span(p, member), near_by(p, member), p["content"], p["no"], member["content"], member["no"])


def word_of(row: Row) -> str:
    """Return the trust group for which a report speaks: a party's word is a party's, whoever carries it."""
    carried = row["behind"] is not None and row["trust"] != "public"
    return "party" if carried else str(row["trust"])


def voices(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """Return the distinct origins, where all sources of one party are one."""
    return {("party", row["behind"]) if row["behind"] else ("origin", row["origin"]) for row in rows}


def witnesses(rows: Iterable[Row]) -> int:
    """L4: how many there are, when whoever shares an origin or a party is one."""
    left, count = list(rows), 0
    while left:
        count += 1
        known = [left.pop()]
        for row in known:  # grows while it is walked
            kin = [one for one in left if one["origin"] == row["origin"] or one["behind"] == row["behind"] is not None]
            known += kin
            left = [one for one in left if one not in kin]
    return count


def status(carriers: list[Row], policy: Policy) -> str:
    """S2, or what people decided (P6)."""
    ruled = decided(carriers)
    return by_rule(carriers, policy) if ruled is None else str(ruled["says"])


def by_rule(carriers: list[Row], policy: Policy) -> str:
    """S2."""
    heard = speakers(carriers, policy)
    if not heard:
        return "contested"
    for clause in policy.corroboration.rules:
        rows = [
            row
            for row in heard
            if all(not named or row[name] in named for name, named in (
                ("means", clause.means), ("reliability", clause.reliability), ("credibility", clause.credibility)
            ))
        ]  # fmt: skip
        if len(voices(rows)) >= clause.voices and set(clause.trust) <= {word_of(row) for row in rows}:
            return clause.status
    trusts = {word_of(row) for row in heard}
    if any(set(needed) <= trusts for needed in policy.corroboration.confirming):
        return "confirmed"
    return "corroborated" if len(voices(heard)) > 1 else "alleged"


def enough(carriers: list[Row], policy: Policy) -> bool:
    """Whether these reports alone have a status that counts."""
    found = status(carriers, policy)
    return found not in OUT and ORDER.index(found) >= ORDER.index(policy.corroboration.qualifying_status)


def exempting(spoken: list[Row], made: Row, theatre: Theatre) -> tuple[str | None, list[str]]:
    """X1, X2: the exemption that covers a violation, and those that it only touches."""
    covers, touches = None, []
    for exemption in sorted(theatre.exemptions, key=lambda each: each.id):
        window = Window(exemption.id, exemption.start, exemption.end, ())
        named = [bool({row["act"], row["family"]} & exemption.acts) for row in spoken]
        inside, reaches = on_ground(made, exemption.area)
        if any(named) and reaches and may_be_in(made, window):
            if all(named) and inside and surely_in(made, window):
                covers = covers or exemption.id
            else:
                touches.append(exemption.id)
    return covers, touches


def on_ground(made: Row, area: Any) -> tuple[bool, bool]:  # noqa: ANN401 -- a disc or polygons
    """Return whether a disc surely lies on some ground, and whether it may reach it."""
    if isinstance(area, Disc):
        metres = distance(made, {"lon": area.lon, "lat": area.lat})
        return metres + made["u"] <= area.radius_m, metres - made["u"] <= area.radius_m
    here = [made["lon"], made["lat"]]
    rim = [here] + [list(GEOD.fwd(*here, azimuth, made["u"])[:2]) for azimuth in range(360) if made["u"]]
    hull = shapely.MultiPoint(rim).convex_hull
    return bool(area.covers(hull)), bool(area.intersects(hull))


def dated_by(rows: list[Row]) -> Row:
    """Return the report that dates a violation."""
    return min(disinterested(rows), key=lambda row: (row["to"] - row["from"], row["content"]))


def placed_by(rows: list[Row]) -> Row:
    """Return the report that places a violation."""
    return min(disinterested(rows), key=lambda row: (row["u"], row["content"]))


def disinterested(rows: list[Row]) -> list[Row]:
    """V4: those that are no party's word, if there are any."""
    return [row for row in rows if row["behind"] is None] or rows


def quantities(rows: list[Row]) -> dict[str, int | None]:
    """Q1 to Q3."""
    lows, highs = ([row[name] for row in rows if row[name] is not None] for name in ("low", "high"))
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None and low > high:
        low, high = min(lows), max(highs)
        if any(row["low"] is not None and row["high"] is None for row in rows):
            high = None
    fits = [
        row
        for row in rows
        if row["best"] is not None and (low is None or row["best"] >= low) and (high is None or row["best"] <= high)
    ]
    best = min(fits, key=preferred)["best"] if fits else None
    people = {}
    for name in ("killed", "injured"):
        stated = [row[name] for row in rows if row[name] is not None]
        people |= {name: max(stated, default=None), f"{name}_low": min(stated, default=None)}
    return {"count_low": low, "count_best": best, "count_high": high, **people}


def preferred(row: Row) -> tuple[Any, ...]:
    """Q2: whose figure is taken."""
    known = row["low"] is not None and row["high"] is not None
    width = row["high"] - row["low"] if known else float("inf")
    return GRADES.index(row["reliability"]), width, row["u"], row["content"]


def violation(members: list[Row], heat: list[Row], theatre: Theatre, policy: Policy) -> Row:
    """V4 to V9."""
    carriers = [row for row in members if row["trust"] != "public"] or members
    crowd = [one for row in members if row not in carriers for one in row.get("said", [])]
    carriers = [{**row, "said": [*row.get("said", []), *crowd]} for row in carriers]
    blamed = decided(carriers, party=True)
    spoken = describing(carriers, policy)
    at_time, at_place = dated_by(spoken), placed_by(spoken)
    armed = [row for row in sorted(spoken, key=lambda row: row["content"]) if row["weapon"]]
    arm = at_place if at_place["weapon"] else armed[0] if armed else at_place
    made = {
        "id": f"V-{min(row['no'] for row in members)}",
        "no": min(row["no"] for row in members),
        "members": members,
        "carriers": carriers,
        "spoken": spoken,
        "content": min(row["content"] for row in spoken),
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
        "parties": sorted({row["party_claimed"] for row in spoken if row["party_claimed"]}),
        "blamed": blamed,
        "responses": {row["party_claimed"] for row in spoken if is_response(row)},
        "status": status(carriers, policy),
        "coarse": any(row["coarse"] for row in spoken),
        "incident": None,
        "attached": False,
        **quantities(spoken),
    }
    if blamed is not None:
        made["parties"] = [] if blamed["value"] == "unknown" else [blamed["value"]]
    made["windows"] = ids(surely_in, made, theatre)
    made["touched"] = ids(may_be_in, made, theatre)
    made["heat_consistent"] = any(warm(made, row, policy) for row in heat)
    made["exemption"], made["touches"] = exempting(spoken, made, theatre)
    counts = not made["crowd_only"] and not made["coarse"] and bool(made["windows"]) and not made["exemption"]
    made["qualifying"] = counts and enough(carriers, policy)
    if made["exemption"]:
        made["status"] = "exempt"
    made["anchor"], made["qualified_known_at"] = (
        anchor(carriers, theatre, policy) if made["qualifying"] else (None, None)
    )
    return made


def is_response(row: Row) -> bool:
    """Whether a report declares response fire: a party its own, or a mission or vetted source that of a party."""
    own = row["trust"] == "party" and row["party"] == row["party_claimed"]
    return row["halts"] and row["party_claimed"] is not None and (own or row["trust"] in {"mission", "vetted"})


def anchor(carriers: list[Row], theatre: Theatre, policy: Policy) -> tuple[int, datetime]:
    """V7, P7 and T6: the first number, and the first moment, with which it qualified."""
    limit = policy.corroboration.qualifying_status
    said = [one for row in carriers for one in row["said"] if one["command"] != "attribute"]
    helping = [one for one in said if one["says"] not in OUT and ORDER.index(one["says"]) >= ORDER.index(limit)]

    def qualifies(arrived: list[Row], helped: list[Row]) -> bool:
        if not arrived:
            return False
        alone = [{**row, "said": []} for row in arrived]
        spoken = describing(alone, policy)
        dated, placed = dated_by(spoken), placed_by(spoken)
        then = {"from": dated["from"], "to": dated["to"], "lon": placed["lon"], "lat": placed["lat"], "u": placed["u"]}
        counts = ids(surely_in, dated, theatre) and exempting(spoken, then, theatre)[0] is None
        return bool(counts) and (enough(alone, policy) or bool(helped))

    def first(of_report: str, of_command: str) -> Any:  # noqa: ANN401 -- a number or a moment
        tried = {*(row[of_report] for row in carriers), *(one[of_command] for one in helping)}
        return next(
            mark
            for mark in sorted(tried)
            if qualifies(
                [row for row in carriers if row[of_report] <= mark], [one for one in helping if one[of_command] <= mark]
            )
        )

    return first("stands", "no"), first("known_at", "known_at")


def warm(made: Row, hot: Row, policy: Policy) -> bool:
    """V9."""
    begin = made["from"] - timedelta(hours=policy.heat.before_h)
    end = made["to"] + timedelta(hours=policy.heat.after_h)
    return hot["from"] <= end and hot["to"] >= begin and gap_m(hot, made) <= policy.heat.heat_m
