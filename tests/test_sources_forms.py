"""Does a table that others publish say what its columns mean, no more, and is every row accounted for?"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import builders
import cells
import pandas as pd
import pytest
from published import FORMATS, POLICY, ROWS, by, table
from readings import THEATRE, source

from geo.errors import InputError, PolicyError
from geo.theatre import Dialect
from pipelines.settings import find_theatre, load_policy, load_theatre, read_folder
from pipelines.sources import FORMS, Reading, admit, read

if TYPE_CHECKING:
    from pathlib import Path


def reading(form: str, *changes: dict[str, str], **dialect: Any) -> Reading:  # noqa: ANN401 -- any field
    return read(table(form, *changes), by(form, **dialect), THEATRE, POLICY, "file.csv")


def one(form: str, change: dict[str, str] | None = None, **dialect: Any) -> pd.Series:  # noqa: ANN401 -- any field
    result = reading(form, change or {}, **dialect)
    assert len(result.intake) + len(result.refused) == 1
    return (result.intake if len(result.intake) else result.refused).iloc[0]


EXPECTED: dict[str, dict[str, object]] = {
    "acled": {
        "source_ref": "XXX17", "act": "strike", "uncertainty_m": 2000.0, "killed": 2,
        "text": "Invented: shells fell on a village.", "reported_at": pd.Timestamp("2026-02-04T10:13:20Z"),
        "observed_from": pd.Timestamp("2026-02-03T00:00Z"), "observed_to": pd.Timestamp("2026-02-03T23:59:59Z"),
    },
    "viina": {
        "source_ref": "7", "act": "clash", "uncertainty_m": 500.0, "origin": "paper", "text": "вибухи",
        "url": "https://example.org/3", "observed_from": pd.Timestamp("2026-02-03T14:05Z"),
    },
    "geoconfirmed": {
        "source_ref": "g-7", "act": "clash", "uncertainty_m": 500.0, "text": "Village A house on fire",
        "url": "https://example.org/a", "observed_to": pd.Timestamp("2026-02-03T23:59:59Z"),
    },
    "cir": {
        "source_ref": "UW7", "act": "strike", "weapon": "grad", "text": "Shelling of a school",
        "url": "https://example.org/v",
    },
    "ushahidi": {
        "source_ref": "12", "act": "shelling", "text": "Shots near the school",
        "observed_from": pd.Timestamp("2026-02-03T14:05Z"),
    },
    "observer": {
        "source_ref": "o-1", "act": "explosion", "count_best": 37, "observed_to": pd.Timestamp("2026-02-03T15:00Z"),
    },
}  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_a_row_says_what_its_columns_mean(form: str) -> None:
    taken = one(form)
    assert {name: taken[name] for name in EXPECTED[form]} == EXPECTED[form]
    assert pd.isna(taken["party_claimed"])
    if form != "observer":
        assert (taken["lon"], taken["lat"]) == (37.5, 48.1)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("shape", ["bom", "reversed", "upper", "semicolons"])
def test_a_table_may_be_shaped_otherwise(form: str, shape: str) -> None:
    data = table(form, {}, separator=";" if shape == "semicolons" else ",")
    if shape == "bom":
        data = b"\xef\xbb\xbf" + data
    if shape == "upper":
        head, rest = data.split(b"\n", 1)
        data = head.upper() + b"\n" + rest
    if shape == "reversed":
        rows = [row[::-1] for row in csv.reader(io.StringIO(data.decode()))]
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows(rows)
        data = out.getvalue().encode()
    assert len(read(data, by(form), THEATRE, POLICY, "file.csv").intake) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_of_something_else_is_refused_whole(form: str) -> None:
    with pytest.raises(InputError, match="the header lacks") as caught:
        read(b"a,b,c\n1,2,3\n", by(form), THEATRE, POLICY, "file.csv")
    assert caught.value.code == "header"


REFUSED = [
    ("acled", {"event_id_cnty": ""}, "no_source_ref", "event_id_cnty is empty"),
    ("acled", {"time_precision": "4"}, "date_precision", "time_precision is '4', and must be a code from 1 to 3."),
    (
        "acled",
        {"geo_precision": "9"},
        "place_precision",
        "geo_precision is '9', and place_m of source s1 has the codes",
    ),
    ("acled", {"geo_precision": ""}, "place_precision", "geo_precision is empty"),
    ("acled", {"event_date": "soon"}, "time", "event_date says 'soon'"),
    ("acled", {"event_date": "2026-02-30", "time_precision": "2"}, "time", "event_date says '2026-02-30'"),
    ("acled", {"event_date": ""}, "no_time", "event_date is empty"),
    ("acled", {"timestamp": "yesterday"}, "time", "timestamp says 'yesterday'"),
    ("acled", {"timestamp": "1770200000000"}, "time", "timestamp says '1770200000000'"),
    ("acled", {"sub_event_type": "Peaceful protest"}, "unknown_act", "sub_event_type says 'Peaceful protest'"),
    ("acled", {"fatalities": "some"}, "casualties", "fatalities says 'some'"),
    ("acled", {"latitude": "37.5", "longitude": "48.1"}, "swapped?", "longitude is '48.1' and latitude is '37.5'"),
    ("viina", {"event_id": ""}, "no_source_ref", "event_id is empty"),
    ("viina", {"GEO_PRECISION": "COUNTRY"}, "place_precision", "geo_precision is 'COUNTRY'"),
    ("viina", {"date": "20260230"}, "time", "date says '2026-02-30T14:05'"),
    ("viina", {"date": "202602"}, "time", "date says"),
    ("viina", {"date": ""}, "no_time", "date is empty"),
    ("viina", {"time": "25:00"}, "time", "date says"),
    ("geoconfirmed", {"Date": ""}, "no_time", "date is empty"),
    ("geoconfirmed", {"Id": ""}, "no_source_ref", "id is empty"),
    ("geoconfirmed", {"Latitude": "0", "Longitude": "0"}, "null_island", "longitude is '0'"),
    ("cir", {"date": "02/03/2026"}, "time", "date says '02/03/2026'"),
    ("cir", {"entry": ""}, "no_source_ref", "entry is empty"),
    ("ushahidi", {"CATEGORY": "Flood"}, "unknown_act", "category says 'Flood'"),
    ("ushahidi", {"CATEGORY": "Shelling, Drone"}, "unknown_act", "category says 'Shelling, Drone'"),
    ("ushahidi", {"#": ""}, "no_source_ref", "# is empty"),
    ("observer", {"bearing": "up"}, "bearing", "bearing says 'up'"),
    ("observer", {"distance_min_km": "near"}, "distance", "distance_min_km says 'near', and must be a number of kilom"),
    ("observer", {"distance_min_km": "5", "distance_max_km": "2"}, "distance", "distance_min_km is"),
    ("observer", {"distance_max_km": ""}, "distance", "distance_min_km is"),
    ("observer", {"distance_max_km": "30000"}, "distance", "distance_max_km says '30000'"),
]


@pytest.mark.parametrize(("form", "cells", "code", "words"), REFUSED)
def test_a_row_that_cannot_be_told_is_refused_by_its_own_columns(
    form: str, cells: dict[str, str], code: str, words: str
) -> None:
    result = reading(form, {}, cells)
    assert (len(result.intake), result.refused["row_no"].tolist()) == (1, [2])
    refused = result.refused.iloc[0]
    assert refused["reason_code"] == code
    assert refused["reason"].startswith(words)


# ---------------------------------------------------------------- ACLED


@pytest.mark.parametrize(
    ("code", "day", "first", "last"),
    [
        ("1", "2026-02-03", "2026-02-03", "2026-02-03"),
        ("2", "2026-02-03", "2026-01-28", "2026-02-09"),
        ("3", "2026-02-03", "2026-02-01", "2026-02-28"),
        ("3", "2024-02-29", "2024-02-01", "2024-02-29"),
        ("3", "2026-12-31", "2026-12-01", "2026-12-31"),
    ],
)
def test_an_events_date_is_no_more_precise_than_its_code(code: str, day: str, first: str, last: str) -> None:
    taken = one("acled", {"time_precision": code, "event_date": day})
    assert (str(taken["observed_from"])[:10], str(taken["observed_to"])[:10]) == (first, last)


@pytest.mark.parametrize("day", ["3 February 2026", "03-February-2026", "03-02-2026"])
def test_older_exports_write_the_date_otherwise(day: str) -> None:
    taken = one("acled", {"event_date": day, "time_precision": "3"}, dates="day-first")
    assert (str(taken["observed_from"])[:10], str(taken["observed_to"])[:10]) == ("2026-02-01", "2026-02-28")


def test_of_two_rows_of_one_id_the_later_said_comes_last() -> None:
    again = [
        {"timestamp": "1770200300", "fatalities": "3"},
        {"event_id_cnty": "XXX18"},
        {"timestamp": "1770200100", "fatalities": "1"},
        {"timestamp": "", "fatalities": "0"},
    ]
    taken = reading("acled", *again).intake
    assert taken[["source_ref", "killed"]].to_numpy().tolist() == [
        ["XXX17", 0],
        ["XXX18", 2],
        ["XXX17", 1],
        ["XXX17", 3],
    ]
    assert sorted(taken["row_no"]) == [1, 2, 3, 4]


def test_the_theatre_may_say_what_a_sub_event_means() -> None:
    assert (
        one("acled", {"sub_event_type": "Mob violence"}, acts=(("mob violence", "small_arms"),))["act"] == "small_arms"
    )
    assert one("acled", acts=(("Shelling/artillery/missile attack", "shelling"),))["act"] == "shelling"


# ---------------------------------------------------------------- the others


@pytest.mark.parametrize("time", ["00:00", "0:00", "00:00:00", ""])
def test_midnight_means_that_the_hour_is_unknown(time: str) -> None:
    taken = one("viina", {"time": time})
    assert (str(taken["observed_from"])[:16], str(taken["observed_to"])[:16]) == (
        "2026-02-03 00:00",
        "2026-02-03 23:59",
    )


@pytest.mark.parametrize("date", ["20260203", "2026-02-03"])
@pytest.mark.parametrize("time", ["00:01", "0:01", "00:01:00"])
def test_another_hour_is_meant(date: str, time: str) -> None:
    assert str(one("viina", {"date": date, "time": time})["observed_from"])[:16] == "2026-02-03 00:01"


def test_events_of_one_report_are_items_of_their_own() -> None:
    assert reading("viina", {"event_id": "1"}, {"event_id": "2"}).intake["source_ref"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    "links",
    ["https://example.org/a,https://example.org/b", "https://example.org/a\nhttps://x.org", "https://example.org/a; b"],
)
def test_of_several_links_the_first_is_kept(links: str) -> None:
    assert one("geoconfirmed", {"Source": links})["url"] == "https://example.org/a"


def test_a_cell_of_separators_is_no_link() -> None:
    assert pd.isna(one("geoconfirmed", {"Source": " ; ;"})["url"])


@pytest.mark.parametrize("form", ["acled", "viina", "ucdp"])
def test_a_decimal_comma_changes_no_radius(form: str) -> None:
    names = [name for name in ROWS[form] if name.casefold() in ("latitude", "longitude")]
    comma = {name: ROWS[form][name].replace(".", ",") for name in names}
    expected = one(form)
    assert one(form, comma, decimal=",")[["lon", "lat", "uncertainty_m"]].equals(
        expected[["lon", "lat", "uncertainty_m"]]
    )


def test_an_act_that_the_form_states_and_the_policy_lacks_stops_the_work() -> None:
    with pytest.raises(PolicyError, match=r"policy\.toml lacks the acts clash, which source s1 states"):
        read(table("viina", {}), by("viina"), THEATRE, builders.policy(), "file.csv")


def test_a_band_of_kilometres_is_the_same_ground_as_one_of_metres() -> None:
    plain = {
        "observed_from": "2026-02-03T14:05", "lon": "", "lat": "", "observer_lon": "37.5", "observer_lat": "48.1",
        "bearing": "SW", "distance_near_m": "2000", "distance_far_m": "5000",
    }  # fmt: skip
    out = ",".join(plain) + "\n" + ",".join(plain.values()) + "\n"
    same = read(out.encode(), source(zone="UTC"), THEATRE, POLICY, "file.csv").intake.iloc[0]["footprint"]
    assert one("observer")["footprint"] == same
    comma = {"observer_lon": "37,5", "observer_lat": "48,1", "distance_min_km": "2,0", "distance_max_km": "5,000"}
    assert one("observer", comma, decimal=",")["footprint"] == same


@pytest.mark.parametrize("word", ["", "undetermined", "Unknown"])
def test_an_undetermined_distance_is_none(word: str) -> None:
    taken = one("observer", {"distance_min_km": word, "distance_max_km": word})
    assert taken["footprint"] != one("observer")["footprint"]
    assert taken["kind"] == "report"


@pytest.mark.parametrize("categories", ["Shelling", "shelling,Houses", "Houses, SHELLING", "Shelling, Обстріл"])
def test_known_categories_of_one_meaning_state_it(categories: str) -> None:
    taken = one("ushahidi", {"CATEGORY": categories}, acts=(("обстріл", "shelling"),))
    assert taken["act"] == "shelling"


# ---------------------------------------------------------------- at the door


@pytest.mark.parametrize(
    ("form", "secrets"),
    [("ushahidi", ("Forename", "Secret", "reporter@")), ("geoconfirmed", ("secret brigade", "4711"))],
)
def test_what_may_not_be_kept_is_gone_before_anything_is_stored(form: str, secrets: tuple[str, ...]) -> None:
    bad = b'"Secret 4711 Forename never closed,reporter@,secret brigade\nSecret,Forename,4711\n'
    data = (
        table(form, {}, {"Latitude" if form == "geoconfirmed" else "LATITUDE": "x"})
        + bad
        + table(form, {}).split(b"\n", 1)[1]
    )
    kept = admit(data, by(form), "file.csv")
    assert not any(secret.encode() in kept for secret in secrets)
    assert kept == admit(kept, by(form), "file.csv")
    before, after = (read(each, by(form), THEATRE, POLICY, "file.csv") for each in (data, kept))
    pd.testing.assert_frame_equal(before.intake, after.intake)
    assert before.refused["row_no"].tolist() == after.refused["row_no"].tolist() == [2, 3, 4]
    assert not any(secret.encode() in raw for raw in after.refused["raw"] for secret in secrets)


def test_a_source_may_say_what_is_never_kept() -> None:
    data = "Datum;lon;lat;E-Mail\n2026-02-03;37.5;48.1;a@b\n".encode("cp1251")
    writer = source(dialect=Dialect(columns=(("observed_from", ("Datum",)),), drop=("e-mail",), encoding="cp1251"))
    kept = admit(data, writer, "file.csv")
    assert kept.decode("utf-8-sig") == "datum;lon;lat;e-mail\r\n2026-02-03;37.5;48.1;\r\n"
    result = read(kept, writer, THEATRE, POLICY, "file.csv")
    assert (len(result.intake), result.notes) == (1, ())


def test_a_declared_name_that_is_not_there_is_said() -> None:
    writer = source(dialect=Dialect(drop=("e-mail", "Tel")))
    with pytest.raises(InputError, match=r"theatre\.toml drops Tel, and the header has .*'e-mail'") as caught:
        admit(b"observed_from,lon,lat,E-Mail\n2026-02-03,37.5,48.1,a@b\n", writer, "file.csv")
    assert caught.value.code == "header"


@pytest.mark.parametrize("name", ["E-MAIL", "Email Address", "email_address", "E\N{NO-BREAK SPACE}Mail", "First\tname"])
def test_a_formats_own_name_is_known_however_its_words_are_joined(name: str) -> None:
    data = table("ushahidi", {"EMAIL": "olena@example.org"})
    assert b"olena@" not in admit(data.replace(b"EMAIL", name.encode()), by("ushahidi"), "file.csv")


SIGNS = ("a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", " a ", "\N{NEXT LINE}", "\x0b", "\N{LINE SEPARATOR}")


@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_emptied_says_the_same_as_before(sign: str) -> None:
    writer = source(dialect=Dialect(drop=("e-mail",)))
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(
        [["observed_from", "lon", "lat", "text", "e-mail"], ["2026-02-03", "37.5", "48.1", sign, "a@b"]]
    )
    before = out.getvalue().encode()
    kept = admit(before, writer, "file.csv")
    assert b"a@b" not in kept
    was, now = (read(each, writer, THEATRE, POLICY, "file.csv") for each in (before, kept))
    assert len(was.intake) == 1
    pd.testing.assert_frame_equal(was.intake, now.intake)


@pytest.mark.parametrize(
    ("end", "truncated"), [("37.5,48.", ["truncated"]), ("37.5,48.1\n", []), ("37.5,48.1\r", []), ("37.5,48.1\n ", [])]
)
def test_a_last_line_that_may_be_cut_stays_in_doubt(end: str, truncated: list[str]) -> None:
    writer = source(dialect=Dialect(drop=("e-mail",)))
    before = f"e-mail,observed_from,lon,lat\na@b,2026-02-02,37.5,48.1\na@b,2026-02-03,{end}".encode()
    kept = admit(before, writer, "file.csv")
    assert b"a@b" not in kept
    assert admit(kept, writer, "file.csv") == kept
    was, now = (read(each, writer, THEATRE, POLICY, "file.csv") for each in (before, kept))
    assert now.refused["reason_code"].tolist() == was.refused["reason_code"].tolist() == truncated
    assert now.notes == was.notes


@pytest.mark.parametrize("form", ["acled", "csv", "ucdp", "geojson"])
def test_a_file_without_such_columns_is_kept_byte_for_byte(form: str) -> None:
    assert admit(b"\xff anything", by(form), "file.csv") == b"\xff anything"
    data = table("ushahidi", {}).replace(b"NAME", b"NOMEN").replace(b"EMAIL", b"TEL")
    assert admit(data, by("ushahidi"), "file.csv") is data


def test_a_table_in_which_nobody_can_say_what_stands_where_is_not_kept() -> None:
    with pytest.raises(InputError, match="the header lacks"):
        admit(b"EMAIL\nreporter@example.org\n", by("ushahidi"), "file.csv")


# ---------------------------------------------------------------- shipped theatres


@pytest.mark.parametrize("name", ["minsk-2015", "ukraine-2026"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_shipped_theatre_reads_every_form_under_its_name(name: str, form: str) -> None:
    files = read_folder(find_theatre(name))
    theatre, policy = load_theatre(files, name), load_policy(files, name)
    told = theatre.source(form)
    assert told is not None
    assert told.format == form
    result = read(table(form, {}), told, theatre, policy, "file.csv")
    assert result.refused["reason"].tolist() == []
    assert set(FORMS) == set(FORMATS)


def test_nothing_that_may_not_be_kept_reaches_the_workspace(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    file = tmp_path / "reports.csv"
    file.write_bytes(table("ushahidi", {"CATEGORY": "Explosions"}, {"CATEGORY": "Flood"}))
    done = cells.bring(place, file, cells.Clock(40), source="ushahidi")
    assert (done.batch.new, done.batch.quarantined) == (1, 1)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "ws").rglob("*") if path.is_file())
    assert b"near the school" in stored
    assert not any(secret in stored for secret in (b"Forename", b"Secret", b"reporter@"))
