"""Which reports say again what another one said? One test a rule, in the order of the module."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import strategies
from builders import SOURCES, coverage, policy, report, reports, theatre, versions, when
from hypothesis import given

from geo import copies
from geo.agreement import MINUTE_US, Ground, Statements
from geo.assess import assess
from geo.copies import Repute, Sign, originals, same
from geo.nearness import Things
from geo.theatre import Source

if TYPE_CHECKING:
    import pandas as pd
    from strategies import World

SAID = "Two shells fell on the yard of the mill at noon."
STANDING = ["violation_id", "status", "qualifying", "origins", "observed_from", "chainage_m", "uncertainty_m", "weapon"]


def sign(source: str = "a", **said: Any) -> Sign:  # noqa: ANN401 -- any field of a sign
    """Return the sign of a report that says nothing in particular, by a source of its own origin."""
    repute = Repute(said.pop("trust", 3), said.pop("reliability", 3), 0)
    rank = (repute, said.pop("at", 0), not said.pop("party", False), source, source, 1)
    plain = {"origin": source, "kin": frozenset(), "words": None, "link": None, "ref": None, "tail": None}
    return Sign(source=source, rank=rank, **{**plain, **said})


def tables(*rows: dict[str, Any], sources: tuple[Source, ...] = SOURCES, **changes: Any) -> dict[str, pd.DataFrame]:  # noqa: ANN401 -- any value of the policy
    """Return the answer to reports, in a world where one voice is not enough."""
    rules = policy(**{"corroboration.qualifying_status": "corroborated", **changes})
    return assess(reports(rows), coverage(), theatre(sources=sources), versions(rules), when(1000)).tables


def test_rule_1_items_of_one_origin_in_one_source_are_never_the_same() -> None:
    assert not same(sign(words="w"), sign(words="w"))
    assert same(sign(words="w"), sign("b", words="w"))
    assert same(sign(words="w"), sign(words="w", origin="another"))


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("  Two shells\n fell on\tthe mill ", "two shells fell on the mill"),
        ("\uff34wo shells f\u00adell on the m\u200bill", "two shells fell on the mill"),
        ("shelling of the mill", None),
        (None, None),
    ],
)
def test_rule_2_words_are_compared_without_what_a_repost_changes_and_not_when_few(text: Any, compared: Any) -> None:  # noqa: ANN401
    assert copies.words(text, 25) == compared
    assert copies.words(text, 0) is None


@pytest.mark.parametrize(
    ("url", "compared"),
    [
        ("https://www.Example.org/a/7/#top", "example.org/a/7"),
        ("http://example.org/a/7", "example.org/a/7"),
        ("https://example.org/read?id=7", "example.org/read?id=7"),
        ("https://example.org/", None),
        ("example.org/a/7", None),
        ("https://[broken/a", None),
        (None, None),
    ],
)
def test_rule_2_links_are_compared_without_what_does_not_name_the_page(url: Any, compared: Any) -> None:  # noqa: ANN401
    assert copies.link(url) == compared


@pytest.mark.parametrize("ref", ["post-123456789012345 ", "POST-123456789012345\x1c", "\u2003post-123456789012345"])
def test_rule_2_an_id_is_compared_without_case_and_white_space(ref: str) -> None:
    rows = reports([report(source="osint", source_ref="post-123456789012345"), report(source="media", source_ref=ref)])
    told = rows.assign(origin=rows["source"], kin=[frozenset()] * 2, repute=None, trust="media")
    least = policy().corroboration
    for sign in copies.signs(told, least):
        assert sign is not None
        assert sign.ref == "post-123456789012345"
    assert copies.signs(told.assign(source_ref=["post-123456789012345", "post-223456789012345"]), least).tolist() == [
        None,
        None,
    ]


def test_rule_2_an_id_is_the_same_in_another_source_or_at_the_end_of_its_link() -> None:
    original, export = sign(ref="sbu0000001234"), sign("b", ref="sbu0000001234")
    pointer, neighbour = sign("b", tail="sbu0000001234"), sign("b", tail="sbu0000001235")
    assert same(original, export)
    assert same(original, pointer)
    assert same(pointer, original)
    assert not same(original, neighbour)
    assert not same(sign(tail="sbu0000001234"), pointer)  # two sites number their pages alike


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (sign("m", trust=0, at=9, words="w"), sign("a", trust=3, at=1, words="w")),
        (sign("z", reliability=0, at=9, words="w"), sign("a", reliability=3, at=1, words="w")),
        (sign("z", at=1, words="w"), sign("a", at=2, words="w")),
        (sign("z", party=True, words="w"), sign("a", words="w")),
        (sign("a", words="w"), sign("z", words="w")),
    ],
)
def test_rule_3_the_better_then_the_earlier_is_the_original(better: Sign, worse: Sign) -> None:
    assert originals([worse, better]) == [1]
    assert originals([better, worse]) == [0]


def test_rule_4_who_repeats_two_better_ones_does_not_make_them_one() -> None:
    forged = sign("f", at=3, words="w", link="l")
    assert originals([sign("a", at=1, words="w"), forged, sign("b", at=2, link="l")]) == [0, 2]
    assert originals([sign("a", at=4, words="w"), sign("c", at=1, words="w", link="l"), sign("d", at=2, link="l")]) == [
        1
    ]


def test_rule_5_who_copies_stands_no_higher_than_what_is_copied() -> None:
    agency = Source("agency", "csv", "media", "agency", "source", authoritative=True, radius_m=1.0, reliability="D")
    digest = replace(agency, id="digest", trust="vetted", reliability="A", copies=("agency",))
    late = replace(agency, id="late", reliability="A", copies=("digest",))
    crowd = replace(agency, id="crowd", trust="public", copies=())
    found = copies.reputes([agency, digest, late, replace(agency, id="brave", copies=("crowd",)), crowd])
    assert found["digest"] == Repute(3, copies.RELIABILITY["D"], 1)
    assert found["agency"] < found["digest"] < found["late"]
    assert found["brave"] < found["crowd"]  # law 13
    assert copies.ancestry([agency, digest, late])["late"] == {"agency", "digest"}


def test_ten_reposts_of_one_post_are_one_violation_with_one_voice() -> None:
    posts = [report(1, source="media", origin=f"channel {n}", text=SAID, reported_at=when(2 + n)) for n in range(10)]
    found = tables(*posts)
    [row] = found["violations"].to_dict("records")
    assert (row["status"], row["origins"], row["reports"]) == ("alleged", 1, 10)
    assert found["reports"]["copy_of"].dropna().tolist() == ["R-1"] * 9


@pytest.mark.parametrize("first", [0, 1])
def test_a_repost_has_no_voice_whichever_of_the_two_was_first(first: int) -> None:
    posts = [report(1, source="media", origin=f"{n}", text=SAID, reported_at=when(2 + (n != first))) for n in (0, 1)]
    found = tables(*posts)
    assert found["violations"][["status", "origins", "reports"]].to_numpy().tolist() == [["alleged", 1, 2]]
    assert found["reports"]["copy_of"].fillna("").tolist() == (["", "R-1"] if first == 0 else ["R-2", ""])


def test_a_source_declared_to_copy_never_corroborates_what_it_copies() -> None:
    pair = report(1, source="media", origin="anna"), report(1.2, source="repeater", minutes=5)
    assert tables(*pair)["violations"]["status"].tolist() == ["alleged"]
    independent = tuple(replace(source, copies=()) for source in SOURCES)
    assert tables(*pair, sources=independent)["violations"]["status"].tolist() == ["corroborated"]


@pytest.mark.parametrize("hour", range(1, 5))  # each another order of content
def test_a_copy_goes_with_its_original_though_it_is_nearer_to_what_only_it_agrees_with(hour: int) -> None:
    original = report(hour, text=SAID, reported_at=when(5))
    copy = report(hour, (100.9, 1), source="media", origin="eve", text=SAID, reported_at=when(6))
    found = tables(original, copy, report(hour, (101.5, 1), source="vetted"))["violations"]
    assert found["reports"].tolist() == [2, 1]


def test_a_forged_copy_takes_no_voice_from_a_mission_and_joins_no_two_witnesses() -> None:
    mission = report(3, source="mission", text=SAID, reported_at=when(9))
    witness = report(3, (100.3, 1), source="media", origin="anna", url="https://example.org/a/7", reported_at=when(9))
    forged = report(
        3, (100.1, 1), source="media", origin="eve", text=SAID.upper(), url="https://example.org/a/7/",
        reported_at=when(1), weapon="iskander", party_claimed="L", uncertainty_m=1.0,
    )  # fmt: skip
    alone, spoiled = (tables(*rows)["violations"] for rows in ((mission, witness), (mission, witness, forged)))
    assert spoiled[[*STANDING, "party_claimed"]].equals(alone[[*STANDING, "party_claimed"]])
    assert spoiled["origins"].tolist() == [2]
    assert spoiled["reports"].tolist() == [3]


def test_a_copy_stands_for_its_original_where_that_is_missing() -> None:
    copy = report(1, source="media", origin="b", text=SAID, known_at=3, reported_at=when(2))
    other, original = report(1, source="party-l", known_at=4), report(1, source="vetted", text=SAID, known_at=30)
    early, late = tables(copy, other), tables(copy, other, original)
    assert early["incidents"]["incident_id"].tolist() == late["incidents"]["incident_id"].tolist() == ["B-2"]
    assert early["incidents"]["t0_known_at"].tolist() == late["incidents"]["t0_known_at"].tolist()


def test_what_agrees_with_a_statement_lies_in_its_part_or_beside_it() -> None:
    luck = Random(1)  # noqa: S311 -- it guards nothing
    minutes = [60.0 * luck.randrange(4), 60.0 * luck.randrange(4)]
    rows = [
        report(
            luck.randrange(40) / 2, (100 + luck.randrange(16) / 4, luck.choice([-1, 1])), minutes=luck.choice(minutes)
        )
        for _ in range(200)
    ]
    frame = reports(rows)
    things = Things.of(frame, frame["uncertainty_m"].to_numpy())
    nobody = np.zeros(len(frame), np.int64)
    reach = 1000.0, 30 * MINUTE_US
    said = Statements(things, nobody, nobody, nobody, nobody, nobody != 0)
    ground, everybody = Ground(said, *reach), list(range(len(frame)))
    for row in everybody:
        around = set(ground.around(row))
        assert all(ground.spot(other) in around for _, other in ground.meeting(row, everybody))
        assert len(around) < len(set(map(ground.spot, everybody)))


@strategies.tries(4)
@given(strategies.worlds())
def test_copies_change_nothing_but_the_number_of_reports(world: World) -> None:
    found = assess(world.stored, world.coverage, world.theatre, world.policies, world.as_of).tables
    repeated = set(found["reports"].loc[found["reports"]["copy_of"].notna(), "report_id"])
    kept = world.stored[~world.stored["report_id"].isin(repeated)]
    bare = assess(kept, world.coverage, world.theatre, world.policies, world.as_of).tables
    columns = [
        "status",
        "qualifying",
        "origins",
        "observed_from",
        "observed_to",
        "chainage_m",
        "distance_m",
        "count_low",
        "killed",
    ]
    one, other = (table["violations"][columns].sort_values(columns, ignore_index=True) for table in (found, bare))
    assert one.equals(other)


def test_a_copy_does_not_describe_what_nobody_speaks_for() -> None:
    """The report of a source that nobody hears stands alone, and its copy dates nothing."""
    unheard = report(1.5, source="graded", minutes=30, credibility=5, url="https://example.org/a/7")
    copied = report(1.5, source="media", minutes=10, url="https://example.org/a/7")
    [alone], [both] = (
        assess(reports(rows), coverage(), theatre(), versions(policy()), when(3))
        .tables["violations"]
        .to_dict("records")
        for rows in ([unheard], [unheard, copied])
    )
    assert (both["status"], both["reports"]) == ("contested", 2)
    assert (both["observed_from"], both["observed_to"]) == (alone["observed_from"], alone["observed_to"])
