"""Which reports speak of one prohibited act, and how sure is it?

Numbered rules, mirrored in the code and in the tests:

RULE 1  Revisions of one source's item are one report (the ledger gives only the active one).
RULE 2  Two reports agree when their origins are independent and their intervals, footprints and acts agree within the
        policy's tolerances. Pairs are joined in order of (span, distance, content) where all members agree pairwise; so
        no origin has two items in one violation. The span is from the earlier begin to the later end: who saw it at the
        same time comes before who was nearer by, and who says when before who names the day.
        A presence agrees only with a presence in the same cell: segment and zone.
RULE 3  Coarse and disputed reports stand alone.
RULE 4  Public reports come last and change nothing: the others are assembled as if there were none.
RULE 5  A violation is dated by its shortest interval and placed by its smallest footprint, of the reports that speak;
        by a party's word only where nobody else speaks (``geo.standing``).
RULE 6  Its status counts voices: independent origins, where all sources of one party are one voice (``geo.standing``).
RULE 7  It qualifies when it is located, not coarse, surely inside a ceasefire window, prohibited, not contested,
        refuted or exempt, not only public, and of at least the policy's status.
        What a person decided of its status stands in place of RULE 6 (``geo.reviews``).
RULE 8  Its anchor is the ledger number of the report with which those that had arrived first qualified by themselves,
        or of the command by which a person let them qualify, if that came first.
RULE 9  A copy (``geo.copies``) of a report that it agrees with in time, place and act joins the violation of its
        original when all others are put together, as if there were no copies; it changes nothing but the number of
        reports.
RULE 10 One that surely lies in an exemption is exempt; one that only touches it says so, and counts
        (``geo.exemptions``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo import copies, exemptions, nearness, quantities
from geo.nearness import Near, Things
from geo.reports import PARTY
from geo.standing import Carrier, by_rule, carriers_of, dating, placing, qualifies, speaking, standing, vouching

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from geo.exemptions import Exemption
    from geo.policy import Corroboration, Policy

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

MINUTE_US: Final = 60 * 10**6
HOUR_US: Final = 60 * MINUTE_US
EXEMPT: Final = "exempt: "
CONTENT: Final = ["content", "source", "first_no"]  # the order that breaks every tie

# What a violation takes from the report that places it.
_PLACED: Final = [
    "lon", "lat", "uncertainty_m", "act", "domain", "segment_id", "segment_share", "chainage_m", "offset_m",
    "distance_m", "side", "zone_id", "zone_share", "region_id", "zones", "side_share", "region_share", "ambiguous",
    "between", "withheld",
]  # fmt: skip


def assemble(
    reports: pd.DataFrame, policy: Policy, exempted: tuple[Exemption, ...] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put reports together into violations.

    Parameters
    ----------
    reports
        Enriched and matched reports, one row per item.
    exempted
        What was notified beforehand.

    Returns
    -------
    reports
        The input with ``violation_id`` (missing where a report states nothing that could be prohibited here and then),
        ``copy_of`` (the report that it only repeats, missing where there is none) and ``sign`` (what ``geo.copies``
        compares; missing where no other report agrees).
    violations
        One row per violation, in order of name. Every material report is in exactly one; the result does not depend on
        the order of the rows.
    """
    # From here on the place in the order of content breaks every tie.
    material = reports.loc[_material(reports)].sort_values(CONTENT)
    group, leader, sign = _join(material, policy)
    original = pd.Series(material["report_id"].to_numpy()[leader], material.index).where(leader >= 0)
    material = material.assign(_group=group, sign=sign, copy_of=original)
    numbers = material.groupby("_group")["first_no"].transform("min")
    material["violation_id"] = "V-" + numbers.astype("str")
    found = material[["violation_id", "copy_of", "sign"]].reindex(reports.index)
    reports = reports.assign(
        violation_id=found["violation_id"],
        copy_of=found["copy_of"].astype("str"),
        sign=found["sign"].where(found["sign"].notna(), None),
    )
    return reports, _describe(material, reports, policy, exempted)


def _material(reports: pd.DataFrame) -> Bools:
    """Return which reports state an act that may be prohibited, at a place, possibly inside a window."""
    forbidden = reports["prohibited"].eq("everywhere") | (reports["prohibited"].eq("in_zone") & reports["in_zone"])
    located = reports["lon"].notna() & reports["lat"].notna()
    return (forbidden & located & (reports["touched"] != 0)).to_numpy(bool)


def _join(material: pd.DataFrame, policy: Policy) -> tuple[list[int], Ints, NDArray[np.object_]]:
    """Return the group of each report, its original (-1: none) and its sign; the rows come in order of content."""
    public = (material["trust"] == "public").to_numpy()
    near = _agreeing(material, policy)
    sign = _signs(material, near, policy.corroboration)
    leader = copies.leaders(sign, copies.alike(sign, near), len(material))
    copied = leader >= 0
    near = near.where(_independent(material, near) & ~copied[near.left] & ~copied[near.right])
    crowd = public[near.left].astype(int) + public[near.right]
    times = nearness.micros(material["observed_from"]), nearness.micros(material["observed_to"])
    groups = _Groups(len(material), _in_order(near, *times))
    # RULE 4: first all others among themselves, then public ones to them, then what is left of the public ones.
    groups.merge(_in_order(near.where(crowd == 0), *times))
    groups.adopt(_in_order(_public_first(near.where(crowd == 1), public), *times))
    groups.merge(_in_order(near.where(crowd == 2), *times), free=public)  # noqa: PLR2004 -- both
    group = np.array(groups.group, np.int64)
    told = np.full(len(material), None, object)
    for row, each in sign.items():
        told[row] = each
    return np.where(copied, group[leader], group).tolist(), leader, told


def _signs(material: pd.DataFrame, near: Near, rules: Corroboration) -> dict[int, copies.Sign]:
    """Return the signs of the reports that agree with another one."""
    rows = np.unique(np.concatenate([near.left, near.right]))
    return dict(zip(rows.tolist(), copies.signs(material.iloc[rows], rules), strict=True))


def _independent(material: pd.DataFrame, near: Near) -> Bools:
    """Return which pairs have independent origins."""
    keep = np.ones(len(near.left), bool)
    for name in ("voice", "origin"):
        code = pd.factorize(material[name])[0]
        keep &= code[near.left] != code[near.right]
    return keep


def _in_order(near: Near, start: Ints, end: Ints) -> list[tuple[int, int]]:
    """Return pairs in order of span, distance and content: of the lesser and the greater, or of left and right."""
    span = np.maximum(end[near.left], end[near.right]) - np.minimum(start[near.left], start[near.right])
    order = np.lexsort((near.right, near.left, near.distance_m, span))
    return list(zip(near.left[order].tolist(), near.right[order].tolist(), strict=True))


def _public_first(near: Near, public: Bools) -> Near:
    """Return mixed pairs with the public report on the left."""
    turn = public[near.right]
    left, right = np.where(turn, near.right, near.left), np.where(turn, near.left, near.right)
    return Near(left, right, near.distance_m, near.pause_us)


def _agreeing(material: pd.DataFrame, policy: Policy) -> Near:
    """Return the pairs that agree in time, place and act, the lesser first, but for two items of one origin and source.

    Coarse and disputed reports have none (RULE 3).
    """
    rules = policy.corroboration
    single = np.flatnonzero(~(material["coarse"] | material["disputed"]).to_numpy(bool))
    things = Things.of(material.iloc[single], material["uncertainty_m"].to_numpy()[single])
    near = nearness.within(things, rules.agree_m, rules.agree_min * MINUTE_US)
    left, right = single[np.minimum(near.left, near.right)], single[np.maximum(near.left, near.right)]
    near = Near(left, right, near.distance_m, near.pause_us)
    source, origin, cell = (pd.factorize(material[name])[0] for name in ("source", "origin", "cell"))
    keep = (source[near.left] != source[near.right]) | (origin[near.left] != origin[near.right])
    keep &= cell[near.left] == cell[near.right]
    family = material["family"].to_numpy(object)
    a, b = family[near.left], family[near.right]
    return near.where(keep & ((a == b) | (a == "any") | (b == "any")))


class _Groups:
    """Reports that are put together as far as all members agree pairwise."""

    def __init__(self, n: int, pairs: Iterable[tuple[int, int]]) -> None:
        self.group = list(range(n))
        self._members = [[i] for i in range(n)]
        self._agree: list[set[int]] = [set() for _ in range(n)]  # what all members of a group agree with
        for i, j in pairs:
            self._agree[i].add(j)
            self._agree[j].add(i)

    def _unite(self, i: int, j: int) -> None:
        a, b = self.group[i], self.group[j]
        if a == b or not self._agree[a].issuperset(self._members[b]):
            return
        for member in self._members[b]:
            self.group[member] = a
        self._members[a] += self._members[b]
        self._agree[a] &= self._agree[b]

    def merge(self, pairs: Iterable[tuple[int, int]], free: Bools | None = None) -> None:
        """Join groups along the pairs, in their order; with ``free``, only groups all of whose members are free."""
        for i, j in pairs:
            if free is None or free[self._members[self.group[i]] + self._members[self.group[j]]].all():
                self._unite(i, j)

    def adopt(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add each left report that still stands alone to the group of the right one."""
        for i, j in pairs:
            if len(self._members[self.group[i]]) == 1:
                self._unite(i, j)


def _describe(
    material: pd.DataFrame, reports: pd.DataFrame, policy: Policy, exempted: tuple[Exemption, ...]
) -> pd.DataFrame:
    """Return one row per violation from its reports, which come in order of content."""
    public_only = (material["trust"] == "public").groupby(material["_group"]).transform("all")
    carriers = material.loc[(material["trust"] != "public") | public_only]
    rows = _by_group(carriers)
    spoken = carriers.loc[_speaks(carriers, rows, policy.corroboration)]
    spoken = spoken.assign(
        length_us=nearness.micros(spoken["observed_to"]) - nearness.micros(spoken["observed_from"]),
        of_party=spoken["voice"].str.startswith(PARTY),
    )
    dated = _first(
        spoken, spoken["length_us"], ["observed_from", "observed_to", "inside", "touched", "coarse_time"], policy
    )
    placed = _first(spoken, spoken["uncertainty_m"], [*_PLACED, "violation_id", "coarse_place"], policy)
    table = placed.join(dated).assign(
        reports=material.groupby("_group").size(),
        public_only=public_only.groupby(material["_group"]).first(),
        content=spoken.groupby("_group")["content"].first(),
        number=material.groupby("_group")["first_no"].min(),
        party_claimed=_claims(spoken),
    )
    table["coarse"] = table.pop("coarse_time") | table.pop("coarse_place")
    table = table.join(_weapons(spoken)).join(quantities.merged(spoken))
    table = table.join(_exempt(table, spoken, exempted))
    table = table.join(_establish(rows, table, policy, exempted))
    table["heat_consistent"] = _heat(table, reports, policy)
    return table.sort_values("number").reset_index(drop=True)


def _by_group(carriers: pd.DataFrame) -> dict[int, list[Carrier]]:
    rows: dict[int, list[Carrier]] = {}
    for group, carrier in zip(carriers["_group"].tolist(), carriers_of(carriers), strict=True):
        rows.setdefault(group, []).append(carrier)
    return rows


def _speaks(carriers: pd.DataFrame, rows: dict[int, list[Carrier]], rules: Corroboration) -> Bools:
    """Return which reports describe their violation."""
    place = carriers.groupby("_group").cumcount().to_numpy()
    group = carriers["_group"].to_numpy()
    speaks = np.ones(len(carriers), bool)
    several = {key: set(speaking(own, rules)) for key, own in rows.items() if len(own) > 1}
    for row in np.flatnonzero(np.isin(group, list(several))).tolist():
        speaks[row] = int(place[row]) in several[int(group[row])]
    return speaks


def _exempt(table: pd.DataFrame, spoken: pd.DataFrame, exempted: tuple[Exemption, ...]) -> pd.DataFrame:
    """Return which exemption covers each violation, and what is to be noted of those that only touch one (RULE 10)."""
    kinds: Sequence[frozenset[tuple[str, str]]] = [frozenset()] * len(table)
    if exempted:
        stated = pd.Series(list(zip(spoken["act"], spoken["family"], strict=True)), spoken.index, dtype=object)
        kinds = stated.groupby(spoken["_group"]).agg(frozenset).reindex(table.index).tolist()
    found = exemptions.judge(Things.of(table, table["uncertainty_m"].to_numpy()), kinds, exempted)
    return pd.DataFrame({"exemption": found.exemption, "note": found.note}, index=table.index, dtype="str")


def _first(carriers: pd.DataFrame, by: pd.Series, columns: list[str], policy: Policy) -> pd.DataFrame:
    """Return the columns of each group's least report by ``by``; ties go to the least content (RULE 5)."""
    rules = policy.corroboration
    carriers = carriers.assign(
        coarse_time=carriers["length_us"] > rules.coarse_h * HOUR_US,
        coarse_place=carriers["uncertainty_m"] > rules.coarse_m,
        _by=by,
    )
    order = ["_group", "of_party", "_by"]
    best = carriers[order].sort_values(order, kind="stable").drop_duplicates("_group").index
    return carriers.loc[best, ["_group", *columns]].set_index("_group")


def _claims(carriers: pd.DataFrame) -> pd.Series:
    """Return the parties that the reports hold responsible, joined by +; missing where nobody is named."""
    named = carriers[["_group", "party_claimed"]].dropna(subset=["party_claimed"]).drop_duplicates()
    return named.sort_values("party_claimed").groupby("_group")["party_claimed"].agg("+".join)


def _weapons(carriers: pd.DataFrame) -> pd.DataFrame:
    """Return weapon and class of the report that places the violation, else of the first that names one."""
    names, order = ["weapon", "weapon_class"], ["_group", "of_party", "uncertainty_m"]
    carriers = carriers[[*order, *names]]
    own = carriers.sort_values(order, kind="stable").drop_duplicates("_group").set_index("_group")[names]
    first = carriers.loc[carriers["weapon"].notna()].drop_duplicates("_group").set_index("_group")[names]
    return own.where(own["weapon"].notna(), first.reindex(own.index))


_ESTABLISHED: Final = [
    "status", "qualifying", "why_not", "origins", "anchor", "qualified_at", "origin_set", "by_rule",
]  # fmt: skip


def _establish(
    rows: dict[int, list[Carrier]], table: pd.DataFrame, policy: Policy, exempted: tuple[Exemption, ...]
) -> pd.DataFrame:
    """Return status, qualification and anchor of each violation."""
    rules = policy.corroboration
    verdicts = [_establish_one(rows[group], why, rules, exempted) for group, why in _why_not(table).items()]
    return pd.DataFrame(verdicts, index=table.index, columns=_ESTABLISHED).astype(
        {"status": "str", "why_not": "str", "anchor": "Int64", "qualified_at": "datetime64[us, UTC]"}
    )


def _why_not(table: pd.DataFrame) -> dict[int, str]:
    """Return what keeps each violation from qualifying, its status left aside; empty where nothing does (RULE 7)."""
    reasons = np.select(
        [table["exemption"].notna(), table["public_only"], table["coarse"], table["inside"] == 0],
        [
            EXEMPT + table["exemption"].fillna(""),
            "only public sources",
            "coarse in place or time",
            "not surely inside a ceasefire window",
        ],
        "",
    )
    return dict(zip(table.index, reasons.tolist(), strict=True))


def _establish_one(
    carriers: list[Carrier], why: str, rules: Corroboration, exempted: tuple[Exemption, ...]
) -> dict[str, object]:
    """Return what the carriers of one violation amount to, given what else keeps it from qualifying."""
    now = standing(carriers, rules)
    if not why and not qualifies(now.status, rules):
        why = f"{now.status}, while {rules.qualifying_status} is needed"
    anchor, known = (None, None) if why else _anchor(carriers, rules, exempted)
    return {
        "status": "exempt" if why.startswith(EXEMPT) else now.status,
        "qualifying": not why,
        "why_not": why or None,
        "origins": now.voices,
        "anchor": anchor,
        "qualified_at": known,
        "by_rule": by_rule(carriers, rules).status,
        "origin_set": vouching(carriers, rules),
    }


def _anchor(carriers: list[Carrier], rules: Corroboration, exempted: tuple[Exemption, ...]) -> tuple[int, pd.Timestamp]:
    """Return RULE 8's ledger number, and the moment by which what made it qualify was known."""
    helping = {ruling for one in carriers for ruling in one.rulings if qualifies(ruling.says, rules)}
    for n in sorted({one.stands_no for one in carriers} | {ruling.no for ruling in helping}):
        arrived = [one._replace(rulings=()) for one in carriers if one.stands_no <= n]
        known = [one.known_at for one in arrived]
        if arrived and qualified(arrived, rules, exempted):
            return n, max(known)
        ruled = [ruling for ruling in helping if ruling.no <= n]
        if arrived and ruled and _counts(arrived, rules, exempted):
            return n, max(*known, pd.Timestamp(min(ruling.known_at for ruling in ruled), unit="us", tz="UTC"))
    msg = "a violation that qualifies did so at no moment"
    raise AssertionError(msg)


def qualified(carriers: Sequence[Carrier], rules: Corroboration, exempted: tuple[Exemption, ...]) -> bool:
    """Return whether carriers would qualify alone: dated and placed by them, with the status they give."""
    return qualifies(standing(carriers, rules).status, rules) and _counts(carriers, rules, exempted)


def _counts(carriers: Sequence[Carrier], rules: Corroboration, exempted: tuple[Exemption, ...]) -> bool:
    """Return whether what carriers describe lies surely inside a window and in no exemption."""
    spoken = [carriers[i] for i in speaking(carriers, rules)]
    dated = min(spoken, key=dating)
    return dated.inside != 0 and not (exempted and _covered(spoken, dated, exempted))


def _covered(spoken: Sequence[Carrier], dated: Carrier, exempted: tuple[Exemption, ...]) -> bool:
    """Return whether a violation that these describe is exempt (RULE 10)."""
    place = min(spoken, key=placing)
    lon, lat, radius = np.array([[place.lon], [place.lat], [place.uncertainty_m]])
    thing = Things(lon, lat, radius, np.array([dated.start]), np.array([dated.end]))
    kinds = frozenset((carrier.act, carrier.family) for carrier in spoken)
    return exemptions.judge(thing, [kinds], exempted).exemption[0] is not None


def _heat(table: pd.DataFrame, reports: pd.DataFrame, policy: Policy) -> pd.Series:
    """Return which violations a satellite's heat is consistent with; a permanent source of heat tells nothing."""
    told = (reports["family"] == "heat") & ~reports["explained"].fillna(value=False).astype(bool)
    told &= reports["trust"] != "public"  # whoever says so is no satellite
    needed = ["lon", "lat", "inside", "observed_from", "observed_to", "uncertainty_m"]
    heat = reports.loc[told & reports["lon"].notna() & reports["lat"].notna(), needed]
    reach = policy.heat
    ground = Things.of(table, table["uncertainty_m"].to_numpy())
    ground = Things(
        ground.lon, ground.lat, ground.radius_m,
        ground.start - int(reach.before_h * HOUR_US), ground.end + int(reach.after_h * HOUR_US),
    )  # fmt: skip
    near = nearness.between(ground, Things.of(heat, heat["uncertainty_m"].to_numpy()), reach.heat_m, 0)
    seen = np.zeros(len(table), bool)
    seen[near.left] = True
    return pd.Series(seen, table.index)
