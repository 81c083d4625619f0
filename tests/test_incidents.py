"""Which violations are one breach? One test a rule, in the order of the module."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from builders import band, coverage, place, policy, report, reports, theatre, versions, when

from geo import crs, sights
from geo.assess import Assessment, assess
from geo.incidents import FOREVER, Former, Sight, Watch, closing, ending, firsts, near, recurrences, watches
from geo.nearness import HOUR_US, instant

if TYPE_CHECKING:
    from geo.policy import Policy


def look(*rows: dict[str, Any], rules: Policy | None = None, at: float = 1000, **world: Any) -> Assessment:  # noqa: ANN401
    """Return the answer at an hour."""
    return assess(reports(rows), coverage(), theatre(**world), versions(rules or policy()), when(at))


def incidents(*rows: dict[str, Any], **world: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return the incidents and candidates that reports amount to."""
    return look(*rows, **world).tables["incidents"]


def test_rule_1_distance_is_geodesic_and_inclusive() -> None:
    apart = float(crs.distance_m(*place(100, 1), *place(109, 4))[()])
    rows = report(1, (100, 1)), report(5, (109, 4))
    at_it = policy(**{"grouping.link_m": apart})
    under = policy(**{"grouping.link_m": apart - 1e-6})
    assert len(incidents(*rows, rules=at_it)) == 1
    assert len(incidents(*rows, rules=under)) == 2


def test_rule_1_the_pause_is_the_smallest_that_both_intervals_allow() -> None:
    rows = report(0, minutes=120), report(26), report(50, to=51)
    assert incidents(*rows)["qualifying"].tolist() == [3]


def test_rule_1_nothing_links_across_a_windows_edge() -> None:
    assert len(incidents(report(19), report(21), windows=[(0, 20), (20, 40)])) == 2
    assert len(incidents(report(19), report(21), windows=[(0, 20), (20, 40), (0, 40)])) == 1


def test_rule_2_linking_is_transitive() -> None:
    chain = [report(20.0 * n, (100 + 9 * n, 1)) for n in range(6)]
    assert incidents(*chain)["qualifying"].tolist() == [6]


def test_rule_3_an_incident_is_named_after_its_lowest_anchor() -> None:
    late = report(1, ledger_no=90, first_no=90, stands_no=90)
    assert incidents(late, report(3, ledger_no=7, first_no=7, stands_no=7))["incident_id"].tolist() == ["B-7"]


def test_rule_4_an_unsure_violation_attaches_to_the_nearest_in_time() -> None:
    table = look(report(0, (100, 1)), report(40, (100, 1)), report(30, (100, 1), source="public")).tables["violations"]
    row = table.set_index("violation_id").loc["V-3"]
    assert (row["incident_id"], row["attached"]) == ("B-2", True)


def test_rule_4_a_coarse_report_reaches_as_far_as_it_may_lie() -> None:
    table = look(report(0), report(1, (125, 1), uncertainty_m=20_000.0), report(1, (145, 1), uncertainty_m=20_000.0))
    assert table.tables["violations"]["incident_id"].tolist() == ["B-1", "B-1", "C-3"]


def test_rule_4_a_precise_report_reaches_no_farther_than_a_link() -> None:
    apart = float(crs.distance_m(*place(100, 1), *place(109, 4))[()])
    rows = report(0, (100, 1)), report(1, (109, 4), source="media", disputed=True)
    at_it, under = (policy(**{"grouping.link_m": apart - less}) for less in (0.0, 0.5))
    assert look(*rows, rules=at_it).tables["violations"]["attached"].tolist() == [False, True]
    assert look(*rows, rules=under).tables["violations"]["attached"].tolist() == [False, False]


def test_rule_4_what_attaches_changes_nothing() -> None:
    alone = incidents(report(0, (100, 1)))
    crowded = incidents(report(0, (100, 1)), report(2, (108, 5), uncertainty_m=8_000.0), report(3, source="public"))
    same = ["incident_id", "tier_peak", "t0_from", "t0_to", "last_observed", "extent_m", "qualifying", "end"]
    assert crowded[same].equals(alone[same])
    assert crowded["violations"].tolist() == [3]


def test_rule_5_candidates_are_named_after_their_lowest_report_and_public_ones_form_none() -> None:
    rows = report(1, uncertainty_m=9_000.0), report(2, uncertainty_m=9_000.0), report(300, source="public")
    answer = look(*rows)
    assert answer.tables["incidents"]["incident_id"].tolist() == ["C-1"]
    assert answer.tables["violations"]["incident_id"].isna().tolist() == [False, False, True]


def test_rule_5_too_few_violations_are_a_candidate() -> None:
    repeated = policy(**{"ladder.open_reading": "repeated", "ladder.open_n": 3})
    table = incidents(report(1), report(2), rules=repeated)
    assert (table["incident_id"].tolist(), table["state"].tolist()) == (["C-1"], ["candidate"])


@pytest.mark.parametrize(
    ("after_h", "closes_h", "stands"),
    [
        (12, None, ("active", None, None)),
        (13, None, ("quiet", None, None)),
        (24, None, ("quiet", None, None)),
        (25, None, ("ended", 24, None)),
        (25, 24, ("ended", 24, "lapsed")),  # had it gone on at that instant, it would have been the same breach
        (25, 25, ("ended", 24, None)),
        (20, 20, ("ended", 20, "lapsed")),
        (19, 20, ("quiet", None, None)),
    ],
)
def test_rule_6_to_the_instant(after_h: int, closes_h: int | None, stands: tuple[str, int | None, str | None]) -> None:
    rules, closes = policy(), FOREVER if closes_h is None else closes_h * HOUR_US
    end = ending(0, closes, rules, rules.ladder, after_h * HOUR_US)
    assert (end.state, None if end.at is None else end.at // HOUR_US, end.how) == stands


def test_rule_6_of_the_windows_that_hold_any_violation_the_last_to_close_counts() -> None:
    windows = theatre(windows=((0, 20), (10, 40), (10, None))).windows
    ends = [closing(inside, windows) for inside in ([1], [1, 2], [3], [1, 4])]
    assert ends == [instant(when(20)), instant(when(40)), instant(when(40)), FOREVER]


@pytest.mark.parametrize(
    ("unseen", "blind"),
    [((0, 9), False), ((0, 10), False), ((0, 11), True), ((19, 30), True), ((20, 30), False), ((21, 30), False)],
)
def test_rule_6_a_place_was_unseen_for_some_time_of_the_span_and_not_only_at_an_end(
    unseen: tuple[int, int],
    blind: bool,  # noqa: FBT001 -- a table's column
) -> None:
    assert Watch((Sight(unseen=(unseen,)),)).blind(10, 20) is blind


def test_rule_6_every_place_is_watched_by_who_was_there() -> None:
    found = look(*(report(0, (km, 1)) for km in (100, 140, 180, 220))).tables["violations"]
    found = found.assign(lon=found["geometry"].x, lat=found["geometry"].y)
    here, there, far = (
        coverage([(0, 5, True)]),
        coverage([(0, 7, False)], km=(180, 1)),
        coverage([(0, 9, True)], km=(290, 1)),
    )

    def watched(*told: pd.DataFrame) -> dict[str, Watch]:
        settled = sights.settle(pd.concat(told, ignore_index=True), theatre(), policy())
        return watches(found, settled, policy())

    span = [((instant(when(0)), instant(when(to))),) for to in (5, 7)]
    nobody = dict.fromkeys(("B-1", "B-2", "B-3", "B-4"), Watch())
    both = {**nobody, "B-1": Watch((Sight(seen=span[0]),)), "B-3": Watch((Sight(unseen=span[1]),))}
    assert watched(here, there) == both
    assert watched(coverage()) == watched(far) == nobody


def test_the_first_of_each_is_that_of_the_least_begin_and_then_content() -> None:
    luck = np.random.default_rng(1)
    linked = pd.DataFrame(
        {
            "observed_from": pd.DatetimeIndex(luck.integers(0, 4, 60).astype("datetime64[us]")).tz_localize("UTC"),
            "content": luck.permutation([f"{n:03}" for n in range(60)]),
            "incident_id": luck.choice([f"B-{n}" for n in range(9)], 60),
        }
    )
    every = linked.sort_values(["observed_from", "content"]).drop_duplicates("incident_id")
    pd.testing.assert_frame_equal(firsts(linked), every)


def test_the_deepest_zone_is_that_of_the_violation_that_lies_deepest() -> None:
    zones = (band("near", 2_000.0), band("far", 9_000.0))
    found = look(*(report(n, (100, 1.0 + n % 4)) for n in range(8)), zones=zones)
    lies = found.tables["violations"].sort_values("distance_m")
    assert lies["zone_id"].nunique() == 2
    assert found.tables["incidents"]["deepest_zone"].tolist() == [lies["zone_id"].iloc[-1]]


def test_evidence_names_the_reports_of_a_violation_in_order_of_content() -> None:
    pairs = [report(24.0 * n, source=source, text=f"{source} {n}") for n in range(8) for source in ("mission", "media")]
    answer = look(*pairs).tables
    told = answer["evidence"].astype({"report_id": "str"})
    content = reports(pairs).set_index("report_id")["content"]
    step = told.loc[(told["scenario"] == "any") & (told["seq"] == 1), "report_id"].tolist()
    two = [step[n : n + 2] for n in range(0, len(step), 2)]
    assert len(two) == 8
    assert two == [sorted(each, key=content.__getitem__) for each in two]
    assert any(each != sorted(each, key=lambda name: int(name[2:])) for each in two)


def test_rule_7_it_recurs_at_the_latest_ended_one_of_any_age() -> None:
    rows = report(0), report(100, (101, 1)), report(1000, (100, 2)), report(1000, (200, 2))
    table = incidents(*rows, at=1001)
    assert table["recurrence_of"].fillna("").tolist() == ["", "B-1", "B-2", ""]


def test_rule_7_an_end_at_the_instant_from_which_time_is_counted_is_an_end() -> None:
    epoch, gap = datetime(1970, 1, 1, tzinfo=UTC), timedelta(hours=policy().grouping.link_gap_h)
    long = theatre(windows=((epoch - timedelta(days=30), None),))
    stored = reports([report(epoch - gap), report(epoch + timedelta(hours=60))])
    found = assess(stored, coverage(), long, versions(policy()), epoch + timedelta(hours=61)).tables["incidents"]
    assert found["recurrence_of"].fillna("").tolist() == ["", "B-1"]


@pytest.mark.parametrize(
    ("hours", "weak"),
    [
        ([0, 1, 2, 20, 21, 22], False),  # everything within a day: everything is linked with everything
        ([0, 1, 2, 25, 48, 49, 50], False),  # the one in the middle has several links to each side
        ([0, 1, 24.5, 48, 49], True),  # 1 to 24.5 alone, since 0 is too long before
        ([0, 1, 25, 26], True),  # the smallest that has two parts
        ([0, 1, 2, 3, 27], False),  # 3 to 27 alone, but one violation is no part
    ],
)
def test_a_single_link_that_holds_two_parts_together_is_flagged(hours: list[float], weak: bool) -> None:  # noqa: FBT001
    assert incidents(*(report(hour) for hour in hours))["weak_link"].tolist() == [weak]


def test_a_region_run_is_the_whole_run_cut_to_it() -> None:
    whole = look(report(1, (100, 1)), report(2, (250, 1)), report(3, (255, 1), source="public"))
    east = whole.within("east")
    assert east.tables["incidents"]["incident_id"].tolist() == ["B-2"]
    assert east.tables["violations"]["violation_id"].tolist() == ["V-2", "V-3"]
    assert set(east.tables["transitions"]["incident_id"]) == {"B-2"}


def test_nothing_at_all_is_an_answer() -> None:
    assert incidents().empty


@pytest.mark.parametrize(("lon", "lat"), [(37.0, 48.0), (-179.99, 0.0), (10.0, 89.95), (10.0, -80.0)])
def test_rule_7_of_former_incidents_only_those_matter_that_are_near_and_the_latest(lon: float, lat: float) -> None:
    luck, n = np.random.default_rng(7), 400
    wide = np.array([0.3 / max(np.cos(np.radians(lat)), 0.002), 0.3])
    around = np.array([lon, lat]) + luck.uniform(-1, 1, (n + 20, 2)) * wide
    x, y = (around[:, 0] + 180) % 360 - 180, np.minimum(around[:, 1], 90.0)
    names, ended = np.array([f"B-{n}" for n in luck.integers(1, 40, n)], object), luck.integers(0, 30, n) * HOUR_US
    former = Former(names, x[20:], y[20:], ended, ended)
    begun = pd.to_datetime(luck.integers(0, 40, 20), unit="h", utc=True).astype("datetime64[us, UTC]")
    new = pd.DataFrame({"incident_id": [f"B-{n}" for n in range(100, 120)], "lon": x[:20], "lat": y[:20]})
    new = new.assign(observed_from=begun, observed_to=begun, content=new["incident_id"], qualifying=True)
    ends, some = dict.fromkeys(new["incident_id"], ending(0, FOREVER, policy(), policy().ladder, 0)), policy()
    found = recurrences(new, ends, some, former)
    assert recurrences(new, ends, some, near(former, new, some)) == found
    assert len(found) > 5
    assert len(near(former, new, some).name) < n / 4
