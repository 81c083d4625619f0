"""Which reports speak of one prohibited act, and how sure is it?

Numbered rules, mirrored in the code and in the tests:

RULE 1  Revisions of one source's item are one report (the ledger gives only the active one).
RULE 2  Two reports agree when their origins are independent and their intervals, footprints and acts agree within the
        policy's tolerances. Pairs are joined in order of (span, distance, content) where all members agree pairwise; so
        no origin has two items in one violation. The span is from the earlier begin to the later end: who saw it at the
        same time comes before who was nearer by, and who says when before who names the day. Distances are whole
        millimetres here.
        A presence agrees only with a presence in the same cell: segment and zone.
RULE 3  Coarse and disputed reports stand alone.
RULE 4  Public reports come last and change nothing: the others are assembled as if there were none.
RULE 5  A violation is dated by its shortest interval and placed by its smallest footprint, of the reports that describe
        it: who speaks, if anybody does; by a party's word only where there is nothing else (``geo.standing``).
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

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geo import agreement, exemptions, nearness, quantities
from geo.groups import Groups
from geo.nearness import HOUR_US, Things
from geo.qualification import EXEMPT, Bench, Cases
from geo.quantities import COUNTS, PEOPLE
from geo.reports import PARTY
from geo.standing import CARRIED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.exemptions import Exemption
    from geo.policy import Corroboration, Policy

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Columns = dict[str, Any]  # arrays of numpy and pandas

CONTENT: Final = ["content", "source", "first_no"]  # the order that breaks every tie

# What a violation takes from the report that places it, from the one that dates it, and from the one that arms it.
_PLACED: Final = [
    "lon", "lat", "uncertainty_m", "act", "domain", "segment_id", "segment_share", "chainage_m", "offset_m",
    "distance_m", "side", "zone_id", "zone_share", "region_id", "zones", "side_share", "region_share", "ambiguous",
    "between", "withheld",
]  # fmt: skip
_DATED: Final = ["observed_from", "observed_to", "inside", "touched"]
_ARMED: Final = ["weapon", "weapon_class"]
_TOLD: Final = [
    "observed_from", "observed_to", "uncertainty_m", "voice", "weapon", "party_claimed", "act", "family", *COUNTS,
    *PEOPLE, "reliability",
]  # fmt: skip

# What bears on which reports are put together, and on what is made of them: many rows of few texts, and others.
_FEW: Final = [
    "source", "act", "party_claimed", "voice", "origin", "cell", "family", "trust", "reliability", "means", "weapon",
]  # fmt: skip
_NEEDED: Final = [
    *_FEW, "content", "first_no", "lon", "lat", "uncertainty_m", "observed_from", "observed_to", "inside", "coarse",
    "disputed", "credibility", "stands_no", "known_at", "rulings", "kin", "repute", "text", "url", "source_ref",
    "reported_at", "count_low", "count_best", "count_high", "killed", "injured",
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
    rows = np.flatnonzero(are_material(reports))
    rows = rows[by_content(reports[CONTENT].iloc[rows])]  # from here on the place in this order breaks every tie
    material = _coded(reports[_NEEDED]).iloc[rows]
    label, leader, sign = agreement.join(material, policy)
    material = material.assign(sign=pd.Series(sign, material.index, dtype="object"))
    groups = Groups.by(label)
    number = groups.least(material["first_no"].to_numpy())
    order = np.argsort(number)
    groups, number = Groups(np.argsort(order)[groups.of]), number[order]  # from here on in order of name
    name = ("V-" + pd.Series(number).astype("str")).array
    copied = np.flatnonzero(leader >= 0)
    reports = reports.assign(
        violation_id=name.take(_spread(groups.of, rows, len(reports)), allow_fill=True),
        copy_of=reports["report_id"].array.take(
            _spread(rows[leader[copied]], rows[copied], len(reports)), allow_fill=True
        ),
        sign=pd.Series(np.append(sign, [None])[_spread(np.arange(len(rows)), rows, len(reports))], reports.index),
    )
    columns = _describe(reports, rows, material, groups, policy, exempted)
    table = pd.DataFrame({**columns, "violation_id": name, "number": number}, copy=False)
    table["heat_consistent"] = _heat(table, reports, policy)
    return reports, table


def _coded(reports: pd.DataFrame) -> pd.DataFrame:
    """Return reports whose columns of few texts are categorical: what is taken from these takes a tenth of the time."""
    coded = {name: pd.factorize(reports[name]) for name in _FEW}
    return reports.assign(**{name: pd.Categorical.from_codes(code, each) for name, (code, each) in coded.items()})


def are_material(reports: pd.DataFrame) -> Bools:
    """Return which reports state an act that may be prohibited, at a place, possibly inside a window."""
    prohibited = reports["prohibited"].to_numpy(object)
    forbidden = (prohibited == "everywhere") | ((prohibited == "in_zone") & reports["in_zone"].to_numpy(bool))
    located = ~np.isnan(reports["lon"].to_numpy(float)) & ~np.isnan(reports["lat"].to_numpy(float))
    found: Bools = forbidden & located & (reports["touched"].to_numpy() != 0)
    return found


def datable(reports: pd.DataFrame, rules: Corroboration) -> Things:
    """Return reports over all the time by which a violation may be dated that such a report places (RULE 5).

    What dates it agrees with what places it (RULE 2), and is no longer.
    """
    things = Things.of(reports)
    aside = things.end - things.start + int(rules.agree_min * agreement.MINUTE_US)
    return replace(things, start=things.start - aside, end=things.end + aside)


def by_content(reports: pd.DataFrame) -> Ints:
    """Return the places of reports (``CONTENT``) in order of content.

    Almost all differ in its first signs: sorting all by all takes six times as long, and this is asked three times.
    """
    signs = reports["content"].str.slice(0, 8).to_numpy(object).astype("S8")
    head = signs.view(">u8").astype(np.uint64)
    order = np.argsort(head)
    twin = np.diff(head[order]) == 0
    some = np.flatnonzero(np.append(False, twin) | np.append(twin, False))
    tied = reports.iloc[order[some]].reset_index(drop=True)
    order[some] = order[some][tied.sort_values(CONTENT).index.to_numpy()]
    return order


def _spread(values: Ints, rows: Ints, n: int) -> Ints:
    """Return values at their rows, and -1 elsewhere."""
    column = np.full(n, -1)
    column[rows] = values
    return column


def _describe(
    reports: pd.DataFrame,
    rows: Ints,
    material: pd.DataFrame,
    groups: Groups,
    policy: Policy,
    exempted: tuple[Exemption, ...],
) -> Columns:
    """Return the columns of a violation each, from ``material``: reports at ``rows``, in order of content."""
    public = (material["trust"] == "public").to_numpy(bool)
    public_only = groups.every(public)
    carrying = np.flatnonzero(~public | public_only[groups.of])
    carried = Groups(groups.of[carrying])
    cases = Cases(_some(material[CARRIED], carrying), carried, Bench(policy.corroboration, exempted))
    telling = carrying[cases.telling]
    spoken, own = _some(material[_TOLD], telling), Groups(groups.of[telling])
    told = {**_told(reports, rows[telling], spoken, own, policy), "reports": groups.sizes(), "public_only": public_only}
    told |= _exempt(told, spoken, own, exempted)
    return told | cases.established(_why_not(told))


def _some(frame: pd.DataFrame, rows: Ints) -> pd.DataFrame:
    """Return rows, in their order, of a frame that has all of them but some."""
    return frame if len(rows) == len(frame) else frame.iloc[rows]


def _told(reports: pd.DataFrame, rows: Ints, spoken: pd.DataFrame, own: Groups, policy: Policy) -> Columns:
    """Return what those that speak, ``spoken``, the reports at ``rows``, tell of each violation (RULE 5)."""
    rules = policy.corroboration
    length = nearness.micros(spoken["observed_to"]) - nearness.micros(spoken["observed_from"])
    radius = spoken["uncertainty_m"].to_numpy()
    party = spoken["voice"].str.startswith(PARTY).to_numpy(bool)
    dated, placed = own.first(party, length), own.first(party, radius)
    dumb = spoken["weapon"].isna().to_numpy()
    armed = placed if dumb.all() else np.where(dumb[placed], own.first(dumb), placed)  # else the first that names one
    taken = ((dated, _DATED), (placed, _PLACED), (armed, _ARMED))
    return {
        **{name: reports[name].array[rows[row]] for row, names in taken for name in names},
        "coarse": (length[dated] > rules.coarse_h * HOUR_US) | (radius[placed] > rules.coarse_m),
        "content": reports["content"].array[rows[own.first()]],
        "party_claimed": _claims(spoken, own),
        **quantities.merged(spoken, own),
    }


def _exempt(told: Columns, spoken: pd.DataFrame, own: Groups, exempted: tuple[Exemption, ...]) -> Columns:
    """Return which exemption covers each violation, and what is to be noted of those that only touch one (RULE 10)."""
    kinds: Sequence[frozenset[tuple[str, str]]] = [frozenset()] * len(own)
    if exempted:
        stated = zip(spoken["act"].tolist(), spoken["family"].tolist(), strict=True)
        kinds = [frozenset(each) for each in own.split(list(stated))]
    table = pd.DataFrame({name: told[name] for name in ("lon", "lat", "uncertainty_m", "observed_from", "observed_to")})
    found = exemptions.judge(Things.of(table, table["uncertainty_m"].to_numpy()), kinds, exempted)
    return {"exemption": pd.array(found.exemption, "str"), "note": pd.array(found.note, "str")}


def _why_not(told: Columns) -> list[str]:
    """Return what keeps each violation from qualifying, its status left aside; empty where nothing does (RULE 7)."""
    exempt = pd.Series(told["exemption"]).to_numpy(object)
    reasons = np.full(len(exempt), "", object)
    reasons[told["inside"] == 0] = "not surely inside a ceasefire window"
    reasons[told["coarse"]] = "coarse in place or time"
    reasons[told["public_only"]] = "only public sources"
    covered = ~pd.isna(exempt)
    reasons[covered] = EXEMPT + exempt[covered]
    said: list[str] = reasons.tolist()
    return said


def _claims(spoken: pd.DataFrame, own: Groups) -> pd.api.extensions.ExtensionArray:
    """Return the parties that the reports hold responsible, joined by +; missing where nobody is named."""
    code, parties = pd.factorize(spoken["party_claimed"])
    key = np.sort((own.of * max(len(parties), 1) + code)[code >= 0])
    group, party = np.divmod(key[np.flatnonzero(np.diff(key, prepend=-1))], max(len(parties), 1))
    some, which = np.unique(group, return_inverse=True)
    named = Groups(which)
    kind = named.kinds(party, named.order)
    first = np.unique(kind, return_index=True)[1]
    at, sizes = named.starts[first].tolist(), named.sizes()[first].tolist()
    words = ["+".join(sorted(parties[party[begin : begin + n]])) for begin, n in zip(at, sizes, strict=True)]
    told = pd.array(words, "str")
    return told.take(_spread(kind, some, len(own)), allow_fill=True)


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
