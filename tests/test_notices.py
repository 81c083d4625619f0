"""Does a notice say what late news changed, and follow an incident through its names?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import tries

from geo import lineage, news, tables
from geo.notices import compare

if TYPE_CHECKING:
    from collections.abc import Mapping

AS_OF = datetime(2026, 6, 5, tzinfo=UTC)
KNOWN_AT = datetime(2026, 6, 6, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    "state": "active",
    "end": None,
    "tier_eligible": 1,
    "tier_effective": 1,
    "tier_peak": 1,
    "t0_from": pd.Timestamp("2026-06-02T10:00Z"),
    "t0_to": pd.Timestamp("2026-06-02T11:00Z"),
}


def answer(**incidents: tuple[list[int], dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Return the layers; ``B4=([4, 9], {"tier_peak": 2})`` is B-4 with V-4 of R-4 and V-9 of R-9."""
    rows = [{**PLAIN, **changes, "incident_id": f"{name[0]}-{name[1:]}"} for name, (_, changes) in incidents.items()]
    members = [
        {"violation_id": f"V-{number}", "qualifying": True, "incident_id": f"{name[0]}-{name[1:]}"}
        for name, (numbers, _) in incidents.items()
        for number in numbers
    ]
    reports = [{**row, "report_id": row["violation_id"].replace("V", "R")} for row in members]
    return {
        "incident_points": _typed(rows, tables.INCIDENT_POINTS),
        "violations": _typed(members, tables.VIOLATIONS),
        "reports": _typed(reports, tables.REPORTS),
    }


def _typed(rows: list[dict[str, Any]], table: tables.Table) -> pd.DataFrame:
    blank = tables.empty(table)
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=blank[name].dtype) for name in blank})


def taken(
    told: dict[str, pd.DataFrame], *steps: tuple[str, int, str], scenario: str = "any"
) -> dict[str, pd.DataFrame]:
    """Return the layers with steps of B-4: kind, tier and instant each."""
    rows = [
        {"incident_id": "B-4", "scenario": scenario, "kind": kind, "tier_to": tier, "at": pd.Timestamp(at)}
        for kind, tier, at in steps
    ]
    return {**told, "transitions": _typed(rows, tables.TRANSITIONS)}


def notices(then: Mapping[str, pd.DataFrame], now: Mapping[str, pd.DataFrame]) -> list[tuple[str, str]]:
    found = compare(then, now, as_of=AS_OF, known_at=KNOWN_AT)
    assert list(found.columns) == tables.NOTICES_TABLE.names
    assert (found["as_of"] == AS_OF).all()
    assert (found["known_at"] == KNOWN_AT).all()
    return list(zip(found["incident_id"], found["kind"], strict=True))


def test_nothing_changed_gives_no_notice() -> None:
    same = answer(B4=([4, 9], {}), B7=([7], {"state": "ended", "end": "ceased"}))
    assert notices(same, same) == []
    assert notices(answer(), answer()) == []


def test_going_quiet_is_no_news_of_its_own() -> None:
    assert notices(answer(B4=([4], {})), answer(B4=([4], {"state": "quiet"}))) == []


def test_candidates_are_not_compared() -> None:
    candidate = {"state": "candidate", "t0_from": pd.NaT, "t0_to": pd.NaT}
    assert notices(answer(C4=([4], candidate)), answer()) == []
    assert notices(answer(), answer(C4=([4], candidate))) == []


@pytest.mark.parametrize(
    ("kind", "change", "said", "says"),
    [
        ("tier", {"tier_eligible": 2, "tier_peak": 2}, "eligible 1, effective 1, highest 1", "eligible 2, effective 1"),
        ("declared", {"tier_declared": 2}, "no tier declared", "tier 2 declared"),
        ("t0", {"t0_from": pd.Timestamp("2026-06-02T08:00Z")}, "T0 2026-06-02T10:00:00Z", "T0 2026-06-02T08:00:00Z"),
        ("end", {"state": "ended", "end": "assumed"}, "going on", "ended: ceased (assumed)"),
    ],
)
def test_each_change_says_what_was_said_and_what_is_known(
    kind: str, change: dict[str, Any], said: str, says: str
) -> None:
    found = compare(answer(B4=([4], {})), answer(B4=([4], change)), as_of=AS_OF, known_at=KNOWN_AT)
    assert found["kind"].tolist() == [kind]
    assert found["said"].iloc[0].startswith(said)
    assert found["says"].iloc[0].startswith(says)


@pytest.mark.parametrize(
    ("step", "notice", "row"),
    [
        (("eligible", 2), "tier", {"tier_eligible": 2, "tier_peak": 2}),
        (("declared", 2), "declared", {"tier_declared": 2}),
        (("ended", 0), "end", {"state": "ended", "end": "assumed"}),
    ],
)
def test_a_step_that_was_taken_at_another_instant_is_told_with_both(
    step: tuple[str, int], notice: str, row: dict[str, Any]
) -> None:
    early, late = "2026-06-03T02:00:00Z", "2026-06-03T16:00:00Z"
    told = answer(B4=([4], row))
    then, now = taken(told, (*step, late)), taken(told, (*step, early))
    assert notices(then, then) == []
    [found] = compare(then, now, as_of=AS_OF, known_at=KNOWN_AT).to_dict("records")
    assert found["kind"] == notice
    assert late in found["said"]
    assert early in found["says"]
    assert found["since"] == (PLAIN["t0_from"] if notice == "end" else pd.Timestamp(early))


def test_a_step_that_took_effect_at_another_instant_or_never_is_told() -> None:
    told = answer(B4=([4], {}))
    eligible = ("eligible", 3, "2026-06-03T02:00Z")
    at = [taken(told, eligible, ("effective", 3, f"2026-06-{day}T16:00Z")) for day in ("03", "04")]
    for then, now in ((at[0], at[1]), (at[0], taken(told, eligible))):
        [found] = compare(then, now, as_of=AS_OF, known_at=KNOWN_AT).to_dict("records")
        assert (found["kind"], found["since"]) == ("tier", pd.Timestamp("2026-06-03T16:00Z"))
        assert "3 from 2026-06-03T02:00:00Z, effective 2026-06-03T16:00:00Z" in found["said"]
        assert found["said"] != found["says"]


def test_tiers_that_fell_with_an_end_differ_since_that_end() -> None:
    steps = (("eligible", 1, "2026-06-02T10:00Z"), ("effective", 1, "2026-06-02T10:00Z"))
    then = taken(answer(B4=([4], {})), *steps)
    over = {"state": "ended", "end": "assumed", "tier_eligible": 0, "tier_effective": 0}
    now = taken(answer(B4=([4], over)), *steps, ("ended", 0, "2026-06-04T09:00Z"))
    found = compare(then, now, as_of=AS_OF, known_at=KNOWN_AT).set_index("kind")
    assert found["since"]["tier"] == pd.Timestamp("2026-06-04T09:00Z")


def test_a_part_of_a_second_is_told_too() -> None:
    moved = {"t0_from": PLAIN["t0_from"] + pd.Timedelta(milliseconds=5)}
    assert notices(answer(B4=([4], {})), answer(B4=([4], moved))) == [("B-4", "t0")]


def test_steps_of_a_partys_scenario_are_not_compared() -> None:
    told = answer(B4=([4], {}))
    at = [taken(told, ("eligible", 2, f"2026-06-03T{hour}:00Z"), scenario="L") for hour in ("02", "16")]
    assert notices(*at) == []


def test_an_end_of_an_incident_without_steps_in_any_is_told() -> None:
    told = answer(B4=([4], {"state": "ended", "end": "assumed"}))
    at = [taken(told, ("ended", 0, f"2026-06-03T{hour}:00Z"), scenario="L") for hour in ("02", "16")]
    assert notices(*at) == [("B-4", "end")]


def test_an_incident_of_another_name_that_took_the_same_steps_is_only_renamed() -> None:
    then = taken(answer(B4=([4, 9], {})), ("eligible", 1, "2026-06-02T10:00Z"))
    now = taken(answer(B9=([9], {})), ("eligible", 1, "2026-06-02T10:00Z"))
    now["transitions"]["incident_id"] = pd.array(["B-9"], "str")
    assert notices(then, now) == [("B-9", "renamed")]


def test_an_incident_that_nobody_knew_of_opened() -> None:
    assert notices(answer(), answer(B4=([4], {}))) == [("B-4", "opened")]


def test_an_incident_that_lost_its_violations_is_withdrawn() -> None:
    assert notices(answer(B4=([4], {})), answer()) == [("B-4", "withdrawn")]


def test_a_merged_incident_lives_on_under_the_older_name() -> None:
    then = answer(B4=([4], {}), B9=([9, 12], {}))
    now = answer(B4=([4, 9, 12], {"tier_peak": 2}))
    assert notices(then, now) == [("B-4", "renamed"), ("B-4", "tier")]
    found = compare(then, now, as_of=AS_OF, known_at=KNOWN_AT).iloc[0]
    assert found["said"].startswith("B-9")
    assert found["says"] == "part of B-4, which is the older name"


def test_an_incident_whose_first_violation_was_retracted_is_followed_to_its_new_name() -> None:
    then = answer(B4=([4, 9, 12], {}))
    now = answer(B9=([9, 12], {"t0_from": pd.Timestamp("2026-06-02T12:00Z")}))
    assert notices(then, now) == [("B-9", "renamed"), ("B-9", "t0")]


def test_an_incident_is_followed_by_its_reports_when_the_one_that_named_violation_and_incident_is_retracted() -> None:
    then, now = answer(B4=([4], {})), answer(B5=([5], {}))
    both = then["reports"].assign(report_id=pd.array(["R-5"], "str"))
    then["reports"] = pd.concat([then["reports"], both], ignore_index=True)  # V-4 was told by
    assert notices(then, now) == [("B-5", "renamed")]


GROUPED = st.dictionaries(
    st.integers(1, 4), st.sets(st.integers(1, 8), max_size=4), max_size=3
)  # number of an incident: its reports


@tries(25)
@given(GROUPED, GROUPED)
def test_notices_and_lineage_say_the_same_of_a_name_that_is_gone(
    then: dict[int, set[int]], now: dict[int, set[int]]
) -> None:
    before, after = grouped(then), grouped(now)
    came = news.between(*(each["reports"] for each in (before, after)), None)
    found = compare(before, after, as_of=AS_OF, known_at=KNOWN_AT)
    became = lineage.compare(before, after, came)
    for name in set(before["incident_points"]["incident_id"]) - set(after["incident_points"]["incident_id"]):
        heirs = became.loc[became["from_id"] == name, "to_id"]
        told = found[found["said"].str.startswith(f"{name}:")]
        assert told["kind"].tolist() == ["withdrawn" if heirs.isna().all() else "renamed"]
        assert heirs.isna().all() or set(told["incident_id"]) <= set(heirs)


def grouped(numbers: dict[int, set[int]]) -> dict[str, pd.DataFrame]:
    """Return layers in which each incident has one violation, told by the reports that no lesser one has taken."""
    free = {
        name: ids - set().union(*(numbers[other] for other in numbers if other < name)) for name, ids in numbers.items()
    }
    held = {name: ids for name, ids in free.items() if ids}
    told = answer(**{f"B{name}": ([min(ids)], {}) for name, ids in held.items()})
    rows = [
        {"report_id": f"R-{n}", "violation_id": f"V-{min(ids)}", "incident_id": f"B-{name}", "stands_no": n,
         "observed_from": PLAIN["t0_from"]}
        for name, ids in held.items() for n in sorted(ids)
    ]  # fmt: skip
    frame = _typed(rows, tables.REPORTS)
    return {
        **told,
        "reports": frame.assign(stands_no=[row["stands_no"] for row in rows], disputed=False, known_at=AS_OF),
    }


def test_of_two_heirs_the_one_with_most_of_the_reports_takes_over() -> None:
    then = answer(B4=([4, 9, 12, 15], {}))
    now = answer(B9=([9], {}), B12=([12, 15], {}))
    assert notices(then, now) == [("B-9", "opened"), ("B-12", "renamed")]


def test_notices_come_in_order_of_incident_number_and_kind() -> None:
    now = answer(B100=([100], {}), B20=([20], {"tier_peak": 3, "state": "ended", "end": "ceased"}), B3=([3], {}))
    then = answer(B20=([20], {}))
    assert notices(then, now) == [("B-3", "opened"), ("B-20", "tier"), ("B-20", "end"), ("B-100", "opened")]
