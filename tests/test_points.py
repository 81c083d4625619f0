"""Does a point that stands for more ground make nothing precise, and is a suspicious one told of?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import builders
import cells
import pandas as pd
import pytest
import readings
import situation
import strategies
from builders import report
from commandline import ceasewatch
from hypothesis import given
from pandas.testing import assert_frame_equal
from small_theatre import sentences, with_edit

from geo.assess import assess
from geo.errors import PolicyError
from geo.theatre import Point
from pipelines.page import Setting, page
from pipelines.settings import load_theatre

if TYPE_CHECKING:
    from pathlib import Path

    from strategies import World

    from geo.assess import Layers
    from geo.theatre import Theatre

HERE = builders.place(100, 1)
DAYS = [report(24 * day + 1, source="media") for day in range(6)]


def declared(*points: Point, source: str = "media") -> Theatre:
    """Return the theatre in which a source's points stand for more."""
    every = builders.SOURCES
    return builders.theatre(sources=tuple(replace(s, points=points) if s.id == source else s for s in every))


def tables(
    rows: list[dict[str, Any]],
    theatre: Theatre | None = None,
    **changes: Any,  # noqa: ANN401 -- any value of the policy
) -> Layers:
    """Return the layers of an answer long after."""
    known = builders.versions(builders.policy(**changes))
    asked = builders.reports(rows), builders.coverage(), theatre or builders.theatre(), known, builders.when(1000)
    return assess(*asked).tables


def days(rows: list[dict[str, Any]], theatre: Theatre | None = None, **changes: Any) -> list[int | None]:  # noqa: ANN401 -- likewise
    """Return what is told of each report's point."""
    told = tables(rows, theatre, **changes)["reports"]["same_point_days"]
    return [None if pd.isna(each) else int(each) for each in told]


# RULE 1 What the theatre says that a point stands for


@strategies.tries(2)
@given(strategies.worlds(sizes=(5, 8)))
def test_rule_1_the_answer_is_that_for_reports_which_had_stated_that_radius_themselves(world: World) -> None:
    stored = world.stored
    least = {(*at,): 8_000.0 for at in stored[["source", "lon", "lat"]].iloc[::2].itertuples(index=False)}
    where = zip(stored["source"], stored["lon"], stored["lat"], stored["uncertainty_m"], strict=True)
    stated = stored.assign(uncertainty_m=[max(own, least.get((*at,), 0.0)) for *at, own in where])
    points = [(source, Point(lon, lat, radius)) for (source, lon, lat), radius in least.items()]
    bare, full = (
        replace(
            world.theatre,
            sources=tuple(replace(s, points=tuple(p for name, p in known if name == s.id)) for s in builders.SOURCES),
        )
        for known in ((), points)
    )
    told, said = (
        assess(one, world.coverage, theatre, world.policies, world.as_of).tables
        for one, theatre in ((stored, full), (stated, bare))
    )
    for name in ("reports", "violations", "incident_points", "transitions", "evidence"):
        ours, theirs = (frame.drop(columns="same_point_days", errors="ignore") for frame in (told[name], said[name]))
        assert_frame_equal(ours, theirs, obj=name)


def test_rule_1_what_stands_for_a_district_is_coarse_and_opens_nothing() -> None:
    assert tables(DAYS)["incidents"]["incident_id"].tolist() == ["B-1"]
    found = tables(DAYS, declared(Point(*HERE, 25_000.0)))
    assert set(found["incidents"]["incident_id"].str[0]) == {"C"}
    assert set(found["violations"]["why_not"]) == {"coarse in place or time"}
    assert set(found["reports"]["uncertainty_m"]) == {25_000.0}


def test_rule_1_concerns_exactly_that_point_of_that_source_and_only_widens() -> None:
    lon, lat = HERE
    for theatre in (
        declared(Point(lon + 1e-9, lat, 25_000.0)),
        declared(Point(lon, lat, 25_000.0), source="mission"),
        declared(Point(lon, lat, 50.0)),
    ):
        assert set(tables(DAYS, theatre)["reports"]["uncertainty_m"]) == {100.0}


# RULE 2 What nobody declared


def test_rule_2_a_point_used_on_more_days_than_the_policy_has_is_told_and_changes_nothing() -> None:
    assert days(DAYS, **{"matching.same_point_days": 6}) == [None] * 6
    told, never = tables(DAYS), tables(DAYS, **{"matching.same_point_days": 0})
    assert told["reports"]["same_point_days"].tolist() == [6] * 6
    assert never["reports"]["same_point_days"].isna().all()
    for table in ("violations", "incident_points", "transitions", "evidence"):
        assert_frame_equal(told[table], never[table])


def test_rule_2_what_began_before_the_window_is_neither_counted_nor_told_of() -> None:
    windowed = {"publication.window_d": 38, "matching.same_point_days": 2}
    assert days(DAYS, **windowed) == [None, None, None, 3, 3, 3]


def test_rule_2_days_count_and_neither_rows_nor_others_nor_points_beside_it() -> None:
    aside = [report(24 * day + 1, (100.001, 1), source="media") for day in range(3)]
    others = [report(24 * day + 1, source="satellite") for day in range(3)]
    one_day = [report(1 + hour / 10, source="graded") for hour in range(9)]
    assert days([*DAYS[:3], *aside, *others, *one_day]) == [None] * 18


@pytest.mark.parametrize(
    "theatre",
    [
        declared(Point(*HERE, 50.0)),
        replace(
            builders.theatre(),
            sources=tuple(replace(source, place_m=(("1", 5000.0),)) for source in builders.SOURCES),
        ),
    ],
    ids=["declared", "coded"],
)
def test_rule_2_what_the_theatre_answers_is_not_asked(theatre: Theatre) -> None:
    assert days(DAYS, theatre) == [None] * 6


def test_rule_2_heat_presence_and_what_has_ground_of_its_own_are_not_asked() -> None:
    ring = f"sector {HERE[0]!r} {HERE[1]!r} 90.0 11.25 100.0 900.0"
    heat, stands, heard = (
        [{**row, **fields} for row in DAYS] for fields in ({"act": "heat"}, {"act": "presence"}, {"footprint": ring})
    )
    assert days(heat) == days(stands) == days(heard) == [None] * 6


def test_the_page_names_such_points_and_their_sources() -> None:
    content = dict(situation.burnt())
    assert "The same point" not in page(content, Setting())
    reports = content["reports"]
    content["reports"] = reports.assign(same_point_days=pd.array([7] * len(reports), "Int64"))
    told = page(content, Setting())
    assert "The same point for many rows" in told
    assert told.count("reports of 7 days at exactly") == 20
    assert "… and 3 more, in the layer reports." in told


def test_it_is_explained_and_a_declaration_counts_from_when_it_was_made(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    rows = [cells.row(f"s{day}", 24.0 * day) for day in range(6)]
    cells.bring(place, cells.write(tmp_path / "mission.csv", rows), cells.Clock(130))
    with place.ledger() as ledger:
        report_id = ledger.reports()["report_id"].iloc[2]
    asked = " ".join(ceasewatch("explain", place.path, report_id).stdout.split())
    assert "its source used exactly this point on 6 days; if it stands for a settlement or a district, say so" in asked

    settings = place.path / "theatre" / "theatre.toml"
    point = f"points = [{{ lon = {rows[0]['lon']}, lat = {rows[0]['lat']}, radius_m = 30000 }}]"
    settings.write_text(settings.read_text().replace('id = "mission"\n', f'id = "mission"\n{point}\n'))
    place.remember(cells.Clock(140))
    words = ("explain", place.path, report_id.replace("R", "V"), "--known-at")
    assert "qualifies  yes" in ceasewatch(*words, cells.at(139).isoformat()).stdout
    assert "qualifies  no: coarse in place or time" in ceasewatch(*words, cells.at(141).isoformat()).stdout


def test_a_file_notes_the_points_that_it_uses_on_many_days() -> None:
    rows = [{**readings.GOOD, "observed_from": f"2026-02-0{1 + day % 4}T12:00Z", "act": "strike"} for day in range(6)]
    once = [{**row, "lon": f"37.{n}"} for n, row in enumerate(rows)]
    said = readings.table([*rows, *once, *({**row, "lon": "38", "act": "heat"} for row in rows)])
    (note,) = readings.reading(said).notes
    assert note == (
        "Points that are used on many days (1: lon 37.5, lat 48.1 on 4 days in 7 rows) count as placed. Where one "
        "stands for a settlement or a district, say so in theatre.toml, points of source s1."
    )
    for known in ({"points": (Point(37.5, 48.1, 9.0),)}, {"place_m": (("1", 5000.0),)}):
        assert readings.reading(said, readings.source(**known)).notes == ()


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ("{ lon = 37.5, lat = 48.0 }", "points.0.radius_m: is missing; add it."),
        (
            "{ lon = 237.5, lat = 48.0, radius_m = 9 }",
            "points.0.lon: should be less than or equal to 180 (found 237.5)",
        ),
        (
            "{ lon = 37.5, lat = 48.0, radius_m = 9 }, { lon = 37.5, lat = 48.0, radius_m = 5 }",
            "points: 37.5, 48.0 stands twice; say once what it stands for.",
        ),
    ],
)
def test_a_mistake_in_points_is_told(points: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as told:
        load_theatre(with_edit("theatre.toml", 'id = "csv"\n', f'id = "csv"\npoints = [{points}]\n'), "small")
    (said,) = sentences(told.value)
    assert said.startswith(f"theatre.toml, [[sources]] csv {sentence}")
