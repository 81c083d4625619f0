"""Do the laws of the design hold in any world? One property a law, in the design's order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import builders
import oracle_reports
import pandas as pd
import shapely
import strategies
from hypothesis import assume, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from shapely.affinity import scale

from geo.assess import assess
from geo.exemptions import Disc
from geo.policy import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from strategies import World

    from geo.assess import Assessment
    from geo.theatre import Theatre

SMALL = (5, 8, 12, 20)
OTHER = {"L": "R", "R": "L", "L+unknown": "R+unknown", "R+unknown": "L+unknown", "any": "any", "L+R": "L+R"}
OTHER_SIDE = {"left": "right", "right": "left", "both": "both", "none": "none"}
STANDING = [
    "incident_id", "state", "end", "tier_eligible", "tier_effective", "tier_declared", "tier_peak", "t0_from", "t0_to",
    "last_observed", "next_due", "next_due_what", "qualifying", "origins", "extent_m", "chainage_from_m",
    "chainage_to_m", "weak_link", "recurrence_of", "gap_covered",
]  # fmt: skip
ALWAYS_OPEN: dict[str, Any] = {"windows": ((0.0, None),)}
FEW = strategies.tries(3)
FEWER = strategies.tries(2)  # each world is assessed again for every report that carries a step


def assessed(world: World) -> Assessment:
    return assess(world.stored, world.coverage, world.theatre, world.policies, world.as_of, world.commands)


def same_tables(one: Assessment, other: Assessment) -> None:
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        assert_frame_equal(table, other.tables[name], obj=name)


def incidents(found: Assessment, columns: Iterable[str] = STANDING) -> pd.DataFrame:
    """Return the incidents, without candidates, by name."""
    table = found.tables["incidents"]
    return pd.DataFrame(
        table.loc[table["incident_id"].str.startswith("B"), list(columns)].set_index("incident_id").sort_index()
    )


def footprints(found: Assessment) -> dict[str, bytes]:
    """Return every incident's footprint as bytes."""
    table = found.tables["incidents"]
    shapes = {row.incident_id: shapely.to_wkb(row.geometry.normalize()) for row in table.itertuples()}
    return {name: shape for name, shape in shapes.items() if name.startswith("B")}


def steps(found: Assessment, names: Iterable[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the steps of these incidents, and the reports that carry them."""
    wanted = set(names)
    first, second = (found.tables[name] for name in ("transitions", "evidence"))
    parts = [table[table["incident_id"].isin(wanted)].reset_index(drop=True) for table in (first, second)]
    return parts[0], parts[1]


def same_ladder(one: Assessment, other: Assessment) -> None:
    """Incidents have the same names, extents, tiers and deadlines, for the same reasons."""
    assert_frame_equal(incidents(one), incidents(other))
    names = incidents(one).index
    for ours, theirs in zip(steps(one, names), steps(other, names), strict=True):
        assert_frame_equal(ours, theirs)
    assert footprints(one) == footprints(other)


# LAW 1 Pure.


@FEW
@given(strategies.worlds(), st.randoms(use_true_random=False))
def test_law_1_the_same_world_gives_the_same_layers_in_whatever_order_its_rows_stand(world: World, luck: Any) -> None:  # noqa: ANN401 -- a random.Random that hypothesis steers
    seed = luck.randrange(2**31)
    stored, coverage = world.stored.copy(deep=True), world.coverage.copy(deep=True)
    shuffled = world.stored.sample(frac=1.0, random_state=seed).set_axis(range(7, 7 + len(world.stored)))
    found = assessed(world)

    same_tables(found, assessed(world))
    same_tables(found, assessed(world.but(stored=shuffled, coverage=world.coverage.iloc[::-1])))
    assert_frame_equal(world.stored, stored)
    assert_frame_equal(world.coverage, coverage)


# LAW 3 Order and batches do not matter.


@FEW
@given(strategies.worlds(), st.data())
def test_law_3_another_order_of_arrival_changes_names_only(world: World, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(world.stored))))
    later = world.but(stored=strategies.renumbered(world.stored, order))

    assert by_content(assessed(world), world) == by_content(assessed(later), later)


def by_content(found: Assessment, world: World) -> tuple[list[Any], list[Any]]:
    """Return violations and incidents by what their reports say, not by their numbers.

    What merely attaches is left out: among equally near incidents the older name takes it.
    """
    words = world.stored.set_index("report_id")["direction"]  # a presence's are not published
    said = (
        found.tables["reports"]
        .assign(text=lambda table: table["report_id"].map(words))
        .dropna(subset=["violation_id"])
        .groupby("violation_id")["text"]
        .agg(lambda t: tuple(sorted(t)))
    )
    table = found.tables["violations"]
    violations = sorted(
        zip(table["violation_id"].map(said), table["status"], table["qualifying"].astype(bool), strict=True)
    )
    linked = table[~table["attached"].astype("boolean").fillna(False)]  # noqa: FBT003 -- missing: belongs to nothing
    held = linked.groupby("incident_id")["violation_id"].agg(lambda names: tuple(sorted(said[name] for name in names)))
    columns = [
        "state",
        "end",
        "tier_eligible",
        "tier_effective",
        "tier_peak",
        "t0_from",
        "t0_to",
        "last_observed",
        "weak_link",
    ]
    rows = found.tables["incidents"].set_index("incident_id")[columns]
    return violations, sorted(
        (held[name], name[0], *map(str, row)) for name, row in zip(rows.index, rows.to_numpy(), strict=True)
    )


# LAW 4 Names last.


@FEW
@given(strategies.worlds(changes={"ladder.open_n": 1, "ladder.open_reading": "any"}, **ALWAYS_OPEN), st.data())
def test_law_4_later_arrivals_never_rename_an_incident_unless_it_merges_into_an_older_one(
    world: World, data: st.DataObject
) -> None:
    whole = world.stored.assign(stands_no=world.stored["first_no"], ledger_no=world.stored["first_no"])
    cut = data.draw(st.integers(1, len(whole)))
    alleged = tuple(version.model_copy(update={"policy": _alleged(version.policy)}) for version in world.policies[:1])
    early = assessed(world.but(stored=whole[whole["first_no"] <= cut], policies=alleged))
    late = assessed(world.but(stored=whole, policies=alleged))
    before, after = (set(incidents(found).index) for found in (early, late))
    home = _homes(late)

    for name in before:
        now = home[f"R-{name.removeprefix('B-')}"]
        assert now in after
        assert now == name or (now in before and int(now[2:]) < int(name[2:]))


def _alleged(policy: Any) -> Any:  # noqa: ANN401 -- a policy, copied with one change
    return policy.model_copy(
        update={"corroboration": policy.corroboration.model_copy(update={"qualifying_status": "alleged"})}
    )


def _homes(found: Assessment) -> dict[str, str]:
    table = found.tables["reports"]
    return dict(zip(table["report_id"], table["incident_id"].fillna(""), strict=True))


# LAW 5 A region run is the whole run cut to that region.


@FEW
@given(strategies.worlds(), st.sampled_from(["west", "middle", "east"]))
def test_law_5_a_region_run_has_exactly_the_incidents_with_a_linked_violation_in_it(world: World, region: str) -> None:
    whole = assessed(world)
    cut = whole.within(region)
    linked = whole.tables["violations"].dropna(subset=["incident_id"])
    inside = linked[(linked["region_id"] == region) & ~linked["attached"].astype("boolean").fillna(False)]  # noqa: FBT003
    names = set(inside["incident_id"])

    for layer in ("incidents", "incident_points", "incident_days", "transitions", "evidence"):
        table = whole.tables[layer]
        kept = table[table["incident_id"].isin(names)].reset_index(drop=True)
        assert_frame_equal(kept, cut.tables[layer].reset_index(drop=True), obj=layer)


# LAW 6 Far things do not matter.


@FEW
@given(
    strategies.worlds(sizes=SMALL),
    st.lists(st.tuples(st.floats(0.0, 90.0), st.sampled_from(strategies.WHO)), max_size=5),
)
def test_law_6_reports_out_of_reach_change_nothing_about_an_incident(
    world: World, far: list[tuple[float, str]]
) -> None:
    base = 10 * len(world.stored)
    rows = [
        builders.report(hour, lon=25.0, lat=53.0, source=source, first_no=base + n, text=f"far {n}", weapon="iskander")
        for n, (hour, source) in enumerate(far)
    ]
    blind = {"observed_from": 0, "observed_to": 500, "lon": 25.0, "lat": 53.0, "sees": False}
    more = world.but(
        stored=pd.concat([world.stored, builders.reports(rows)], ignore_index=True).astype(
            world.stored.dtypes.to_dict()
        ),
        coverage=pd.concat([world.coverage, builders.coverage([blind])], ignore_index=True),
    )
    one, other = assessed(world), assessed(more)
    names = set(one.tables["incidents"]["incident_id"])

    for layer in ("incidents", "incident_days", "transitions", "evidence"):
        ours, theirs = (found.tables[layer] for found in (one, other))
        assert_frame_equal(ours, theirs[theirs["incident_id"].isin(names)].reset_index(drop=True), obj=layer)


# LAW 7 Both sides alike.


@FEW
@given(strategies.worlds(exact=False))
def test_law_7_swapped_parties_and_sides_give_the_mirror_image(world: World) -> None:
    zones = (builders.band(side="left", party="L"), builders.band("narrow", 8000.0, side="right", party="R"))
    plain = world.but(theatre=replace(world.theatre, zones=zones))
    one, other = assessed(plain), assessed(mirrored(plain))

    assert_frame_equal(incidents(one), incidents(other), rtol=1e-9)
    assert _steps_seen(one, {name: name for name in OTHER}) == _steps_seen(other, OTHER)
    ours, theirs = (found.tables["violations"].set_index("violation_id") for found in (one, other))
    assert ours["side"].map(OTHER_SIDE).to_dict() == theirs["side"].to_dict()
    assert ours["zone_id"].fillna("").to_dict() == theirs["zone_id"].fillna("").to_dict()
    assert_frame_equal(-ours[["offset_m"]], theirs[["offset_m"]], rtol=1e-9, atol=1e-6)
    key = ["segment_id", "side", "span"]
    ours, theirs = (found.tables["coverage"] for found in (one, other))
    theirs = theirs.assign(side=theirs["side"].replace(OTHER_SIDE).astype(ours["side"].dtype))
    assert_frame_equal(*(each.sort_values(key, ignore_index=True) for each in (ours, theirs)), rtol=1e-9)


def mirrored(world: World) -> World:
    """Return the world as seen in the equator: north is south, left is right, and each party is the other."""
    theatre = world.theatre
    swapped = tuple(
        replace(
            source,
            party=OTHER.get(source.party or ""),
            points=tuple(point._replace(lat=-point.lat) for point in source.points),
        )
        for source in theatre.sources
    )
    zones = tuple(
        replace(zone, side=OTHER_SIDE[zone.side], party=OTHER.get(zone.party or "")) for zone in theatre.zones
    )
    south = builders.theatre(
        line=tuple((lon, -lat) for lon, lat in builders.LINE),
        zones=zones,
        regions=_south(theatre),
        sources=swapped,
        exemptions=tuple(replace(each, area=_turned(each.area)) for each in theatre.exemptions),
    )
    stored = world.stored.assign(
        lat=-world.stored["lat"], party_claimed=world.stored["party_claimed"].map(OTHER).astype("str")
    )
    return world.but(
        theatre=replace(south, windows=theatre.windows),
        stored=stored,
        coverage=world.coverage.assign(lat=-world.coverage["lat"]),
    )


def _turned(area: Any) -> Any:  # noqa: ANN401 -- a disc or polygons
    return area._replace(lat=-area.lat) if isinstance(area, Disc) else scale(area, 1, -1, origin=(0, 0))


def _south(theatre: Theatre) -> gpd.GeoDataFrame:
    return theatre.regions.set_geometry(theatre.regions.geometry.scale(1, -1, origin=(0, 0)))


def _steps_seen(found: Assessment, names: dict[str, str]) -> set[tuple[Any, ...]]:
    table = found.tables["transitions"]
    columns = ["incident_id", "kind", "tier_from", "tier_to", "at", "known_at"]
    return {(names[row["scenario"]], *(row[column] for column in columns)) for row in table.to_dict("records")}


# LAW 8 The past stands.


@strategies.tries(5)
@given(strategies.worlds(sizes=SMALL), st.integers(0, 60))
def test_law_8_what_comes_to_be_known_later_changes_no_earlier_answer(world: World, hours: int) -> None:
    then = builders.when(hours)
    known = world.stored[world.stored["known_at"] <= then]
    later = world.stored.assign(known_at=world.stored["known_at"] + timedelta(hours=1000))
    later = later.assign(
        first_no=later["first_no"] + 5000, stands_no=later["stands_no"] + 5000, ledger_no=later["ledger_no"] + 5000
    )
    ledger = pd.concat([known, later], ignore_index=True)

    same_tables(assessed(world.but(stored=known)), assessed(world.but(stored=ledger[ledger["known_at"] <= then])))


# LAW 10 Every state has its reason.


@FEWER
@given(strategies.worlds(two_policies=False), st.data())
def test_law_10_without_its_evidence_a_tier_is_gone(world: World, data: st.DataObject) -> None:
    found = assessed(world)
    step, carried = _a_tier(found, data)

    assert len(carried)
    assert not reached(world, found, step, set(carried["report_id"]))


@FEWER
@given(strategies.worlds(two_policies=False), st.data())
def test_law_10_a_report_is_pivotal_exactly_when_the_others_would_not_take_the_step(
    world: World, data: st.DataObject
) -> None:
    found = assessed(world)
    step, carried = _a_tier(found, data)
    counted = _counted(found)
    others = {report for report, name in counted.items() if name != step["incident_id"]}
    kept = world.but(stored=world.stored[world.stored["report_id"].isin(counted.keys() - others)])

    for row in data.draw(st.permutations(list(carried.itertuples())))[:2]:
        assert reached(kept, found, step, {row.report_id}) != row.pivotal


def _a_tier(found: Assessment, data: st.DataObject) -> tuple[pd.Series[Any], pd.DataFrame]:
    """Return any step that reached a tier, and its evidence."""
    table, rows = found.tables["transitions"], found.tables["evidence"]
    tiers = table[table["kind"].isin(["eligible", "effective"])]
    assume(len(tiers))
    step = tiers.iloc[data.draw(st.integers(0, len(tiers) - 1))]
    key = ["incident_id", "scenario", "seq"]
    return step, rows[(rows[key] == step[key]).all(axis=1)]


def reached(world: World, found: Assessment, step: pd.Series[Any], taken: set[str]) -> bool:
    """Whether, without those reports, something that is left of the step's incident still takes the step.

    Asked only where no report is freed to be put together with others.
    """
    own = _counted(found)
    rest = {report for report, name in own.items() if name == step["incident_id"]} - taken
    without = assessed(world.but(stored=world.stored[~world.stored["report_id"].isin(taken)]))
    before, after = _together(found), _together(without)
    assume(all(after[report] == before[report] & after.keys() for report in after))
    heirs = {name for report, name in _counted(without).items() if report in rest}
    table = without.tables["transitions"]
    same = (
        (table["scenario"] == step["scenario"])
        & (table["kind"] == step["kind"])
        & (table["tier_to"] == step["tier_to"])
    )
    return bool((same & table["incident_id"].isin(heirs)).any())


def _together(found: Assessment) -> dict[str, set[str]]:
    """Return with which reports each one is put together, itself included."""
    table = found.tables["reports"].dropna(subset=["violation_id"])
    groups = {name: set(own) for name, own in table.groupby("violation_id")["report_id"]}
    return {report: groups[name] for report, name in zip(table["report_id"], table["violation_id"], strict=True)}


def _counted(found: Assessment) -> dict[str, str]:
    """Return the incident of every report that carries a qualifying violation."""
    violations = found.tables["violations"].set_index("violation_id")
    table = found.tables["reports"].dropna(subset=["violation_id", "incident_id"])
    table = table[table["source"] != "public"]
    counts = table["violation_id"].map(violations["qualifying"]).astype(bool) & table["incident_id"].str.startswith("B")
    return dict(zip(table.loc[counts, "report_id"], table.loc[counts, "incident_id"], strict=True))


# LAW 11 Coarse is not precise.


@FEW
@given(strategies.worlds())
def test_law_11_coarse_reports_neither_open_nor_link_nor_extend_an_incident(world: World) -> None:
    policy = in_force(world.policies, world.as_of)
    coarse = {row["id"] for row in oracle_reports.read(world.stored, world.theatre, policy) if row["coarse"]}
    one, other = assessed(world), assessed(world.but(stored=world.stored[~world.stored["report_id"].isin(coarse)]))

    same_ladder(one, other)
    before, after = (
        incidents(found, ["incident_id", "persistence"])["persistence"].fillna("") for found in (one, other)
    )
    changed = before != after
    assert set(before[changed]) <= {"indeterminate"}
    assert set(after[changed]) <= {"ceased"}


# LAW 12 No data is not quiet.


@FEW
@given(strategies.worlds(sizes=SMALL), st.sampled_from(["nothing", "blind", "watched", "both"]))
def test_law_12_only_where_somebody_could_have_seen_has_an_incident_ceased(world: World, declared: str) -> None:
    sees = {"nothing": [], "blind": [False], "watched": [True], "both": [True, False]}[declared]
    everywhere = [{"observed_from": -100, "observed_to": 900, "sees": sight, "uncertainty_m": 2e6} for sight in sees]
    ends = set(incidents(assessed(world.but(coverage=builders.coverage(everywhere))))["end"].dropna())
    expected = {"nothing": "assumed", "blind": "unresolved", "watched": "ceased", "both": "ceased"}[declared]

    assert ends <= {expected, "lapsed"}


@strategies.tries(4)
@given(strategies.worlds(sizes=SMALL), st.data())
def test_law_12_what_was_seen_of_the_silence_moves_no_name_no_clock_and_no_tier(
    world: World, data: st.DataObject
) -> None:
    begins = st.sampled_from([-10.0, 0.0, 6.0, 24.0, 30.0])
    spans = data.draw(st.lists(st.tuples(begins, st.sampled_from([6.0, 48.0, 500.0]), st.booleans()), max_size=4))
    declared = [
        {"observed_from": begin, "observed_to": begin + hours, "sees": sees, "uncertainty_m": 2e6}
        for begin, hours, sees in spans
    ]
    one, other = assessed(world), assessed(world.but(coverage=builders.coverage(declared)))
    columns = [name for name in STANDING if name not in {"end", "gap_covered"}]

    assert_frame_equal(incidents(one, columns), incidents(other, columns))
    names = {name: name for name in OTHER}
    assert _steps_seen(one, names) == _steps_seen(other, names)


# LAW 13 The crowd cannot move the ladder.


@FEW
@given(strategies.worlds())
def test_law_13_without_its_public_sources_every_incident_is_the_same(world: World) -> None:
    masked = world.but(
        stored=world.stored[world.stored["source"] != "public"],
        coverage=world.coverage[world.coverage["source"] != "public"],
    )
    one, other = assessed(world), assessed(masked)

    same_ladder(one, other)
    columns = ["incident_id", "persistence", "t0_known_at"]
    assert_frame_equal(incidents(one, columns), incidents(other, columns))


@strategies.tries(4)
@given(strategies.worlds(sizes=SMALL), st.data())
def test_law_13_a_flood_of_public_reports_at_every_place_and_moment_moves_nothing(
    world: World, data: st.DataObject
) -> None:
    base, spots = 10 * len(world.stored), world.stored[["lon", "lat", "observed_from"]].itertuples(index=False)
    weapon = data.draw(st.sampled_from(["iskander", "grad", "fpv"]))
    flood = [
        builders.report(
            spot.observed_from.to_pydatetime(), lon=spot.lon, lat=spot.lat, source="public", first_no=base + n,
            weapon=weapon, party_claimed=data.draw(st.sampled_from([None, "L", "R"])), origin=f"page {n}",
        )
        for n, spot in enumerate(spots)
    ]  # fmt: skip
    flooded = pd.concat([world.stored, builders.reports(flood)], ignore_index=True)
    one, other = assessed(world), assessed(world.but(stored=flooded.astype(world.stored.dtypes.to_dict())))

    same_ladder(one, other)
    columns = ["incident_id", "persistence", "t0_known_at"]
    assert_frame_equal(incidents(one, columns), incidents(other, columns))
