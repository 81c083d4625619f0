"""Is what is found of one violation true of all that are carried alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from builders import policy

from geo import patterns, qualification
from geo.copies import Sign
from geo.groups import Groups
from geo.qualification import EXEMPT, Bench, Cases
from geo.reviews import Ruling
from geo.standing import carriers_of, dating, speaking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.standing import Carrier

WORKS = 37.2
NOBODY = np.array([False])
RULES = (
    policy(),
    policy(**{"corroboration.qualifying_status": "corroborated", "corroboration.unheard_reliability": ["E"]}),
    policy(**{"corroboration.qualifying_status": "confirmed", "corroboration.confirming": [["mission", "media"]]}),
)


def hours(counts: NDArray[np.int64]) -> pd.DatetimeIndex:
    """Return moments, so many hours after one."""
    return pd.DatetimeIndex(np.datetime64("2026-06-01", "us") + counts * np.timedelta64(1, "h")).tz_localize("UTC")


def frame(luck: np.random.Generator, n: int, **columns: Any) -> pd.DataFrame:  # noqa: ANN401 -- any column
    """Return so many reports, in order of content, of so few kinds that many are alike."""
    trust = luck.choice(["media", "party", "mission", "public"], n, p=[0.6, 0.2, 0.1, 0.1])
    origin = luck.choice(["anna", "boris"], n)
    voice = np.where(trust == "party", "party L", np.char.add("origin ", origin))
    begin = luck.integers(0, 3, n)
    told: dict[str, Any] = {
        "observed_from": hours(begin), "observed_to": hours(begin + luck.integers(1, 3, n)), "voice": voice,
        "trust": trust,
        "disputed": luck.random(n) < 0.1, "stands_no": luck.integers(1, 9, n),
        "known_at": hours(10 + luck.integers(0, 9 * n + 1, n) // 9), "origin": origin, "inside": luck.integers(0, 2, n),
        "content": [f"{k:06}" for k in range(n)], "reliability": luck.choice(["B", "E"], n),
        "credibility": pd.array(luck.choice([2, 6], n), "Int64"), "means": luck.choice(["seen", "heard"], n),
        "sign": pd.Series([None] * n, dtype="object"), "lon": 37.0, "lat": 48.0, "uncertainty_m": 100.0,
        "act": "strike", "family": "any", "rulings": pd.Series([()] * n, dtype="object"), **columns,
    }  # fmt: skip
    return pd.DataFrame(told)


# Of reports that hardly differ, many more are alike, and what came in when, and what dates them, tells more.
SAME: dict[str, Any] = {
    "trust": "media", "voice": "origin a", "disputed": False, "reliability": "B", "credibility": 2, "means": "seen",
}  # fmt: skip


def grouped(luck: np.random.Generator, n: int) -> Groups:
    """Return groups of a few rows each, which do not lie together."""
    return Groups.by(luck.integers(0, n // 2, n))


def why_not(reports: pd.DataFrame, groups: Groups, rules: Policy) -> list[str]:
    """Return why a violation does not count whose report that dates it lies outside, or where something is exempt."""
    told = groups.split(carriers_of(reports))
    spoken = [[each[i] for i in speaking(each, rules.corroboration)] for each in told]
    dated = [min(each, key=dating) for each in spoken]
    return [f"{EXEMPT}works" if one.lon > WORKS else "" if one.inside else "outside" for one in dated]


def covered(_: Bench, __: object, dated: Carrier) -> bool:
    """Say that all is exempt east of a place."""
    return dated.lon > WORKS


def both(reports: pd.DataFrame, groups: Groups, rules: Policy, exempted: tuple[Any, ...] = ()) -> tuple[int, int]:
    """Hold what is found by patterns against what is found of each by itself; return how many were judged each way."""
    why, judged = why_not(reports, groups, rules), []
    found: list[tuple[NDArray[np.bool_], pd.DataFrame]] = []
    for way in (qualification.singular, lambda _, groups, __: np.ones(len(groups), bool)):
        with mock.patch.object(qualification, "singular", way):
            cases = Cases(reports, groups, Bench(rules.corroboration, exempted))
        with mock.patch.object(Bench, "find", autospec=True, side_effect=Bench.find) as find:
            found.append((cases.telling, pd.DataFrame(cases.established(why))))
        judged.append(find.call_count)
    (telling, table), (told, whole) = found
    assert telling.tolist() == told.tolist()
    pd.testing.assert_frame_equal(table, whole)
    assert len(table) == len(groups)
    return judged[0], judged[1]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("same", [{}, SAME, {**SAME, "voice": "party L"}])
def test_what_is_found_of_one_violation_is_found_of_all_that_are_carried_alike(
    rules: Policy, same: dict[str, Any]
) -> None:
    luck = np.random.default_rng(1)
    reports = frame(luck, 3000)
    if same:
        half = reports.index % 2 == 0
        reports = reports.assign(**{**same, "voice": np.where(half, same["voice"], "origin b")})
    few, every = both(reports, grouped(luck, 3000), rules)
    assert few < every


def test_all_that_is_compared_counts() -> None:
    """Each of two reports is alone, and the second differs from the first in one thing."""
    luck = np.random.default_rng(1)
    plain = frame(luck, 1).iloc[[0, 0]].reset_index(drop=True)
    groups = Groups(np.arange(2))
    assert patterns.find(plain, groups, NOBODY.repeat(2)).of.tolist() == [0, 0]
    other = {"voice": "origin c", "trust": "satellite", "disputed": not plain["disputed"][0], "origin": "clara",
             "reliability": "A", "credibility": 1, "means": "told", "inside": 1 - plain["inside"][0]}  # fmt: skip
    for name, value in other.items():
        differs = plain.assign(**{name: pd.array([plain[name][0], value], plain[name].dtype)})
        assert patterns.find(differs, groups, NOBODY.repeat(2)).of.tolist() == [0, 1], name


def test_what_came_in_and_counts_in_the_same_order_is_alike_in_whatever_order_of_content() -> None:
    luck = np.random.default_rng(1)
    plain = frame(luck, 2, inside=1, stands_no=[1, 2], trust="media", voice=["origin a", "origin b"])
    turned = plain.iloc[[0, 1, 1, 0]].reset_index(drop=True)
    groups = Groups(np.array([0, 0, 1, 1]))
    assert patterns.find(turned, groups, NOBODY.repeat(2)).of.tolist() == [0, 0]
    span = turned["observed_from"] + pd.to_timedelta([1, 2, 1, 2], unit="h")
    assert patterns.find(turned.assign(observed_to=span), groups, NOBODY.repeat(2)).of.tolist() == [0, 0]
    edge = turned.assign(observed_to=span, inside=[1, 0, 0, 1])
    assert patterns.find(edge, groups, NOBODY.repeat(2)).of.tolist() == [0, 1]


def test_what_people_decided_what_may_be_one_statement_and_what_may_be_exempt_is_judged_by_itself() -> None:
    luck = np.random.default_rng(2)
    reports, groups = frame(luck, 600).assign(**SAME), grouped(luck, 600)
    at = int(pd.Timestamp("2026-06-03", tz="UTC").value // 1000)
    ruled = [(Ruling(10**6 + n, "P", at, at, "status", "confirmed"),) if n % 9 == 0 else () for n in range(600)]
    sign = Sign("a", "anna", frozenset({"b"}), None, None, None, None, ())
    signs = [sign._replace(source="ab"[n % 2], rank=(n,)) if n % 5 == 0 else None for n in range(600)]
    objects = {"rulings": ruled, "sign": signs}
    columns = {name: pd.Series(values, dtype="object") for name, values in objects.items()}
    for names in (["rulings"], ["sign"], ["rulings", "sign"]):
        few, every = both(reports.assign(**{name: columns[name] for name in names}), groups, RULES[0])
        assert few < every
    wide = reports.assign(lon=luck.choice([37.0, 37.5], 600), voice=luck.choice(["origin a", "origin b"], 600))
    with mock.patch.object(Bench, "_covered", covered):
        few, every = both(wide, groups, RULES[1], exempted=("works",))
    assert few == every


def test_of_no_reports_nothing_is_found() -> None:
    reports, groups = frame(np.random.default_rng(1), 0), Groups(np.empty(0, np.int64))
    cases = Cases(reports, groups, Bench(RULES[0].corroboration, ()))
    assert cases.telling.tolist() == []
    assert pd.DataFrame(cases.established([])).empty
