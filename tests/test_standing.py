"""How sure is it, and who speaks? One test a rule, in the order of the module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from builders import SOURCES, coverage, policy, report, reports, theatre, versions, when

from geo.assess import assess
from geo.copies import Repute, Sign
from geo.errors import InputError
from geo.reports import enrich
from geo.standing import Carrier, Standing, heard, independent, speaking, standing


def carrier(who: str = "anna", **said: Any) -> Carrier:  # noqa: ANN401 -- any field of a carrier
    """Return a report by an unrated medium of its own origin."""
    known_at = pd.Timestamp(0, tz="UTC")
    plain: dict[str, Any] = {
        "voice": f"origin {who}", "trust": "media", "disputed": False, "stands_no": 1, "known_at": known_at,
        "origin": who, "length_us": 0, "inside": 1, "content": who, "reliability": "F", "credibility": 6, "means": None,
        "sign": Sign(who, who, frozenset(), None, None, None, None, (Repute(3, 3, 0), who)), "start": 0, "end": 0,
        "lon": 37.0, "lat": 48.0, "uncertainty_m": 100.0, "act": "strike", "family": "any",
    }  # fmt: skip
    return Carrier(**{**plain, **said})


def rules(*clauses: dict[str, Any]) -> Any:  # noqa: ANN401 -- the section of a policy
    return policy(**{"corroboration.rules": clauses}).corroboration


PLAIN = rules()
ANNA, BORIS = carrier(), carrier("boris")


def test_rule_1_who_speaks() -> None:
    repeated = carrier("eve", sign=carrier("eve").sign._replace(kin=frozenset({"anna"})))  # type: ignore[union-attr]
    assert heard([ANNA, carrier("b", disputed=True), repeated, BORIS], PLAIN) == [0, 3]
    assert heard(
        [carrier(reliability="E"), BORIS, carrier("c", credibility=5), carrier("d", reliability="D")], PLAIN
    ) == [1, 3]


@pytest.mark.parametrize(
    ("pairs", "count"),
    [
        ([], 0),
        ([("a", "origin a"), ("b", "origin b")], 2),
        ([("a", "party L"), ("b", "party L")], 1),
        ([("a", "party L"), ("a", "origin a")], 1),
        ([("a", "party L"), ("c", "origin c"), ("b", "party L"), ("b", "origin b")], 2),
    ],
)
def test_who_shares_an_origin_or_a_voice_is_one(pairs: list[tuple[str, str]], count: int) -> None:
    assert independent(pairs) == count


def test_rule_1_all_describe_what_nobody_speaks_for() -> None:
    rumours = [carrier(reliability="E"), carrier("boris", credibility=5)]
    assert speaking(rumours, PLAIN) == [0, 1]
    assert standing(rumours, PLAIN) == Standing("contested", 0)
    assert standing([*rumours, carrier("clara")], PLAIN) == Standing("alleged", 1)


def test_rule_2_sources_of_one_party_are_one_voice() -> None:
    party = [carrier(name, voice="party L", trust="party") for name in ("a", "b")]
    assert standing(party, PLAIN) == Standing("alleged", 1)
    assert standing([*party, ANNA], PLAIN) == Standing("corroborated", 2)


@pytest.mark.parametrize(("trust", "group"), [("party", "party"), ("media", "party"), ("public", "public")])
def test_rule_3_who_carries_a_partys_word_speaks_for_parties_but_the_crowd_for_nobody(trust: str, group: str) -> None:
    assert carrier(voice="party L", trust=trust).group == group


@pytest.mark.parametrize(
    ("clause", "who", "status"),
    [
        ({"status": "confirmed", "voices": 2}, [ANNA, BORIS], "confirmed"),
        ({"status": "confirmed", "voices": 3}, [ANNA, BORIS], "corroborated"),
        ({"status": "confirmed", "reliability": ("A", "B")}, [carrier(reliability="B")], "confirmed"),
        ({"status": "confirmed", "reliability": ("A", "B")}, [ANNA], "alleged"),
        ({"status": "confirmed", "reliability": ("F",)}, [ANNA], "confirmed"),
        ({"status": "confirmed", "credibility": (1, 2)}, [carrier(credibility=2)], "confirmed"),
        ({"status": "confirmed", "credibility": (6,)}, [ANNA], "confirmed"),
        ({"status": "confirmed", "means": ("imagery",)}, [carrier(means="imagery")], "confirmed"),
        ({"status": "confirmed", "means": ("imagery",)}, [ANNA, BORIS], "corroborated"),
        ({"status": "confirmed", "voices": 2, "means": ("eye",)}, [carrier(means="eye"), BORIS], "corroborated"),
        ({"status": "alleged", "trust": ("mission",)}, [carrier(trust="mission")], "alleged"),
        ({"status": "contested", "voices": 2}, [ANNA, BORIS], "contested"),
        ({"status": "confirmed", "voices": 2}, [ANNA, carrier("a", voice="origin anna", sign=None)], "alleged"),
    ],
)
def test_rule_3_a_clause_holds_by_voices_trust_means_and_ratings(clause: Any, who: list[Carrier], status: str) -> None:  # noqa: ANN401
    assert standing(who, rules(clause)).status == status


def test_rule_3_the_first_clause_that_holds_decides_before_all_else() -> None:
    mission = [carrier(trust="mission"), BORIS]
    first, second = {"status": "alleged", "means": ("ear",)}, {"status": "corroborated"}
    assert standing(mission, rules(first, second)).status == "corroborated"
    assert standing(mission, rules(second, {"status": "confirmed"})).status == "corroborated"
    assert standing(mission, PLAIN).status == "confirmed"


@pytest.mark.parametrize("radius", [None, -1.0, float("inf")])
def test_a_place_without_a_radius_is_refused_by_name_and_no_place_needs_none(radius: float | None) -> None:
    nowhere = {"lon": float("nan"), "lat": float("nan"), "uncertainty_m": None}
    rows = [report(1), report(1, uncertainty_m=radius), report(1) | nowhere]
    with pytest.raises(InputError, match=r"1 reports have a place and no uncertainty_m .*\(R-2\)") as raised:
        enrich(reports(rows), theatre(), policy())
    assert raised.value.code == "uncertainty"
    assert len(enrich(reports([rows[0], rows[2]]), theatre(), policy())) == 2


def test_what_a_source_is_worth_is_declared_and_only_who_may_rate_rates() -> None:
    rows = [
        report(1, source="graded", credibility=2),
        report(1, source="graded", credibility=2, means="ear"),
        report(1, source="media", credibility=1, means="eye"),
        report(1, source="stranger", credibility=1),
    ]
    [first, second, third, stranger] = enrich(reports(rows), theatre(), policy()).to_dict("records")
    assert (first["reliability"], first["credibility"], first["means"]) == ("B", 2, "imagery")
    assert second["means"] == "ear"
    assert (third["reliability"], pd.isna(third["credibility"]), third["means"]) == ("F", True, "eye")
    assert (stranger["reliability"], pd.isna(stranger["credibility"]), pd.isna(stranger["means"])) == ("F", True, True)


def test_the_crowd_cannot_rate_itself() -> None:
    brave = tuple(replace(each, rates=True) for each in SOURCES)
    [row] = enrich(reports([report(1, source="public", credibility=1)]), theatre(sources=brave), policy()).to_dict(
        "records"
    )
    assert pd.isna(row["credibility"])


def test_ratings_reach_the_published_status() -> None:
    rows = [
        report(1, source="graded", origin="a"), report(1, source="graded", origin="b"),
        report(60, (200, 1), source="rumour"), report(120, (200, 1), source="graded", credibility=5),
    ]  # fmt: skip
    tables = assess(reports(rows), coverage(), theatre(), versions(policy()), when(200)).tables
    found = tables["violations"]
    assert found["status"].tolist() == ["confirmed", "contested", "contested"]
    assert found["why_not"].tolist()[1:] == ["contested, while alleged is needed"] * 2
    assert tables["reports"]["reliability"].tolist() == ["B", "B", "E", "B"]
