"""Does every record of a plain file end in exactly one of intake and refused, and mean what it says?"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from readings import GOOD, POLICY, THEATRE, one, reading, source, table

import pipelines.sources
from geo.errors import InputError, PolicyError
from geo.reports import INTAKE
from pipelines.settings.formats import FORMATS
from pipelines.sources import READERS, read
from pipelines.sources.lines import Scan

if TYPE_CHECKING:
    from pipelines.sources import Reading

HEADER = "source_ref,observed_from,lon,lat,text"


def row(ref: str, text: str = "fire heard") -> str:
    return f"{ref},2026-02-03T14:05Z,37.5,48.1,{text}"


def lines(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def refs(result: Reading) -> list[str]:
    return result.intake["source_ref"].tolist()


def codes(result: Reading) -> list[str]:
    return result.refused["reason_code"].tolist()


def accounted(result: Reading) -> None:
    numbers = [*result.intake["row_no"], *result.refused["row_no"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert result.intake["row_no"].is_monotonic_increasing
    assert result.refused["row_no"].is_monotonic_increasing


# ---------------------------------------------------------------- the table


def test_the_intake_has_exactly_the_declared_columns_and_types() -> None:
    for result in (reading(lines(row("a"))), reading(lines()), reading(lines("x"))):
        assert {name: str(dtype) for name, dtype in result.intake.dtypes.items()} == INTAKE
        assert {name: str(dtype) for name, dtype in result.refused.dtypes.items()} == {
            "row_no": "int64",
            "raw": "object",
            "reason_code": "str",
            "reason": "str",
        }


def test_a_full_row_is_taken_as_it_is_said() -> None:
    taken = one(
        source_ref="007", observed_to="2026-02-03T15:00Z", uncertainty_m="250", act="Small Arms", weapon=" Mortar 82 ",
        direction="NE", count="2-5", party="RIGHTS", origin="Patrol 4", reported_at="2026-02-03T16:00Z",
        text="Two, or more", url="https://example.org/7", killed="0", injured="3", means="Eye", credibility="2",
    )  # fmt: skip
    assert taken.drop(["count_best", "footprint"]).to_dict() == {
        "row_no": 1, "kind": "report", "source_ref": "007",
        "observed_from": pd.Timestamp("2026-02-03T14:05Z"), "observed_to": pd.Timestamp("2026-02-03T15:00Z"),
        "lon": 37.5, "lat": 48.1, "uncertainty_m": 250.0, "act": "small_arms", "domain": "land", "weapon": "mortar 82",
        "direction": "NE", "count_low": 2, "count_high": 5, "killed": 0, "injured": 3,
        "party_claimed": "R", "origin": "Patrol 4", "reported_at": pd.Timestamp("2026-02-03T16:00Z"),
        "text": "Two, or more", "url": "https://example.org/7", "means": "eye", "credibility": 2,
    }  # fmt: skip


def test_the_three_required_columns_are_enough() -> None:
    taken = one()
    assert (taken["act"], taken["domain"], taken["kind"], taken["uncertainty_m"]) == ("strike", "land", "report", 500.0)
    empty = [
        "source_ref",
        "weapon",
        "direction",
        "party_claimed",
        "origin",
        "reported_at",
        "text",
        "url",
        "killed",
        "footprint",
        "means",
        "credibility",
    ]
    assert taken[empty].isna().all()


@pytest.mark.parametrize("text", ["NA", "None", "null", "nan", "N/A", "007", "1e5", "-"])
def test_words_that_look_like_nothing_or_numbers_stay_text(text: str) -> None:
    assert one(source_ref=text, text=text)[["source_ref", "text"]].tolist() == [text, text]


def test_white_space_around_a_value_is_no_part_of_it_and_alone_is_nothing() -> None:
    taken = one(text="  fire \t", url="   ")
    assert taken["text"] == "fire"
    assert pd.isna(taken["url"])


@pytest.mark.parametrize(
    ("said", "low", "best", "high"),
    [
        ("3", 3, 3, 3), ("0", 0, 0, 0), ("2-5", 2, None, 5), ("2 - 5", 2, None, 5), ("2\u20135", 2, None, 5),
        ("4-4", 4, None, 4), ("~60", None, 60, None), ("~ 60", None, 60, None), (">10", 11, None, None),
        ("> 10", 11, None, None), ("", None, None, None), ("007", 7, 7, 7),
    ],
)  # fmt: skip
def test_a_count_bounds_what_it_says(said: str, low: int | None, best: int | None, high: int | None) -> None:
    taken = one(count=said)
    found = [None if pd.isna(taken[name]) else taken[name] for name in ("count_low", "count_best", "count_high")]
    assert found == [low, best, high]


@pytest.mark.parametrize(
    "said", ["5-2", "-3", "3.0", "3_6", "\uff13", "many", "<5", "2-", "1-2-3", "1e3", "9" * 10, "nan"]
)
def test_a_count_that_is_none_is_refused(said: str) -> None:
    refused = one(count=said)
    assert refused["reason_code"] == "count"
    assert f"count says {said!r}" in refused["reason"]


@pytest.mark.parametrize("said", ["0", "7", "B", "1.5", "-1"])
def test_credibility_is_a_number_from_1_to_6(said: str) -> None:
    refused = one(credibility=said)
    assert refused["reason_code"] == "credibility"
    assert refused["reason"].startswith(f"credibility says {said!r}, and must be a number from 1")


def test_means_are_of_a_closed_list() -> None:
    refused = one(means="hearsay")
    assert refused["reason_code"] == "means"
    assert "must be one of: eye, ear, imagery, sensor, statement" in refused["reason"]


@pytest.mark.parametrize("name", ["killed", "injured"])
@pytest.mark.parametrize("said", ["-1", "2.5", "some", "~3"])
def test_people_are_counted_in_whole_numbers(name: str, said: str) -> None:
    refused = one(**{name: said})
    assert refused["reason_code"] == "casualties"
    assert refused["reason"].startswith(f"{name} says {said!r}")


@pytest.mark.parametrize("said", ["small_arms", "SMALL_ARMS", "small arms", "Small-Arms", " small_arms "])
def test_an_act_is_known_by_its_name_in_any_case(said: str) -> None:
    assert one(act=said)["act"] == "small_arms"


def test_an_unknown_act_is_refused_with_the_list_of_known_ones() -> None:
    refused = one(act="bombardment")
    assert refused["reason_code"] == "unknown_act"
    assert all(name in refused["reason"] for name in [*POLICY.acts, "heartbeat", "outage", "retraction"])


@pytest.mark.parametrize("said", ["L", "l", "Left", "LEFT", "lefts"])
def test_a_party_is_known_by_id_name_and_alias(said: str) -> None:
    assert one(party=said)["party_claimed"] == "L"


def test_an_unknown_party_is_refused() -> None:
    refused = one(party="the other side")
    assert (refused["reason_code"], "L or R" in refused["reason"]) == ("unknown_party", True)


# ---------------------------------------------------------------- what is no report


def test_a_retraction_needs_only_the_name_of_what_it_takes_back() -> None:
    taken = reading(table([{**dict.fromkeys(GOOD, ""), "source_ref": "r7", "act": "Retraction"}])).intake.iloc[0]
    assert (taken["kind"], taken["source_ref"]) == ("retraction", "r7")
    assert taken[["observed_from", "observed_to", "lon", "lat", "uncertainty_m", "domain"]].isna().all()


def test_a_retraction_of_nothing_is_refused() -> None:
    assert one(act="retraction")["reason_code"] == "no_source_ref"


def test_a_retraction_with_half_a_place_is_refused() -> None:
    assert one(act="retraction", source_ref="r7", lat="")["reason_code"] == "no_position"


@pytest.mark.parametrize("act", ["heartbeat", "outage"])
def test_coverage_says_when_and_where_the_source_could_see(act: str) -> None:
    taken = one(act=act, observed_to="2026-02-03T20:00Z", uncertainty_m="30000")
    assert (taken["kind"], taken["uncertainty_m"], pd.isna(taken["domain"])) == (act, 30000.0, True)
    assert one(act=act, lon="")["reason_code"] == "no_position"
    assert one(act=act, observed_from="")["reason_code"] == "no_time"


# ---------------------------------------------------------------- the file as a whole


@pytest.mark.parametrize(
    "data",
    [
        lines(row("a", "обстріл")).decode().encode("cp1251"),
        lines(row("a")) + b"\xff\n",
        lines(row("a")) + b"\xed\xa0\x80\n",  # half of a surrogate pair
        lines(row("a")) + b"\xc0\x80\n",  # overlong
    ],
)
def test_a_file_that_is_not_utf8_is_refused_whole(data: bytes) -> None:
    with pytest.raises(InputError, match="not UTF-8") as caught:
        reading(data)
    assert caught.value.code == "encoding"


def test_the_line_that_is_not_utf8_is_named() -> None:
    with pytest.raises(InputError, match=r"file\.csv: line 3 is not UTF-8"):
        reading(lines(row("a")) + b"\xff\n")


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b" \n\n"])
def test_an_empty_file_is_refused_whole(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        reading(data)
    assert caught.value.code == "empty"


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("observed_from,lon", "lacks lat"),
        ("when,where", "lacks observed_from, lon, lat: add what is missing; it has 'when', 'where'"),
        ("observed_from,lonn,lat", "lacks lon: .*declare .* under columns which is which .perhaps lon is 'lonn'"),
        ("observed_from;lon;lat;x,observed_from,lon,lat", "split by ',' and by ';': declare the separator"),
        ("observed_from,lon,lat,LON ", "lon more than once"),
        ('observed_from,lon,"lat', "quote"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_whole(header: str, names: str) -> None:
    with pytest.raises(InputError, match=names) as caught:
        reading(lines("2026-02-03,37.5,48.1", header=header))
    assert caught.value.code == "header"


def test_columns_come_in_any_order_and_case_behind_a_mark_and_blank_lines() -> None:
    data = b'\xef\xbb\xbf\r\n LAT,"Observed_From",lon \r\n\r\n48.1,2026-02-03T14:05Z,37.5\r\n'
    taken = reading(data).intake
    assert taken[["lon", "lat", "row_no"]].to_numpy().tolist() == [[37.5, 48.1, 1.0]]


def test_columns_that_are_not_read_are_named() -> None:
    result = reading(lines("2026-02-03,37.5,48.1,x,", header="observed_from,lon,lat,Mood,"))
    assert result.notes == ("file.csv: columns that are not read: 'mood', one without a name.",)
    assert len(result.intake) == 1


def test_a_last_line_without_an_end_is_noted() -> None:
    assert any("cut short" in note for note in reading(lines(row("a")).rstrip()).notes)
    assert reading(lines(row("a"))).notes == ()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_three_ways(end: str) -> None:
    assert refs(reading(lines(row("a"), row("b")).decode().replace("\n", end).encode())) == ["a", "b"]


def test_an_unread_format_is_the_settings_fault() -> None:
    with pytest.raises(PolicyError, match=r"s1: nothing reads the format 'novel'; known are acled, bellingcat, "):
        read(b"", source("novel"), THEATRE, POLICY, "file.txt")


def test_every_format_has_a_reader_under_its_own_name() -> None:
    assert sorted(READERS) == sorted(FORMATS)


# ---------------------------------------------------------------- broken lines


@pytest.mark.parametrize("bad", ["b,2026-02-03T14:05Z,37.5,48.1", row("b") + ",", "b", row("b") + ",x,y", ";"])
def test_a_row_of_the_wrong_length_is_refused_alone(bad: str) -> None:
    result = reading(lines(row("a"), bad, row("c")))
    assert refs(result) == ["a", "c"]
    assert result.refused[["row_no", "raw", "reason_code"]].to_numpy().tolist() == [[2, bad.encode(), "field_count"]]


@pytest.mark.parametrize(
    "bad", [row("b", '"never closed'), row("b", '"closed" too early'), row('"b'), '"', row("b", '"""'), '"b"x,1,2,3,4']
)
@pytest.mark.parametrize("after", [row("c"), row("c", '"quoted, text"')])
def test_a_broken_quote_costs_its_own_line_only(bad: str, after: str) -> None:
    result = reading(lines(row("a"), bad, after, row("d")))
    assert refs(result) == ["a", "c", "d"]
    assert result.refused[["row_no", "raw", "reason_code"]].to_numpy().tolist() == [[2, bad.encode(), "bad_quote"]]


def test_a_quoted_text_may_run_over_lines_and_hold_quotes() -> None:
    result = reading(lines(row("a", '"first, ""then""\n\nsecond"'), row("b")))
    assert result.intake["text"].tolist() == ['first, "then"\n\nsecond', "fire heard"]


def test_a_quote_in_the_middle_of_a_word_is_a_character() -> None:
    assert reading(lines(row("a", 'a 6" shell'))).intake["text"].tolist() == ['a 6" shell']


def test_two_stray_quotes_never_join_rows_nor_does_a_text_make_one() -> None:
    # Either a and c each have a stray quote, or one text imitates b. Nobody can tell, so none of them is believed.
    result = reading(lines(row("z"), row("a", '"stray'), row("b"), row("c", 'stray"'), row("d")))
    assert refs(result) == ["z", "d"]
    assert codes(result) == ["bad_quote"] * 3
    assert result.refused["raw"].tolist() == [
        line.encode() for line in (row("a", '"stray'), row("b"), row("c", 'stray"'))
    ]
    accounted(result)


def test_a_quote_that_is_never_closed_is_given_up_after_a_while() -> None:
    result = reading(lines(row("a", '"open'), *(row(f"r{n}") for n in range(1000))))
    assert len(result.intake) == 1000
    assert codes(result) == ["bad_quote"]


@pytest.mark.parametrize("at", range(5))
def test_a_quoted_text_over_lines_may_stand_in_any_column_and_hold_what_looks_like_a_row(at: int) -> None:
    cells = row("b").split(",")
    cells[at] = f'"{cells[at]}\n{row("forged")}\n"'
    result = reading(lines(row("a"), ",".join(cells), row("c")))
    # In the columns of time and place no text over lines is a value, and its row is refused.
    assert refs(result) == (["a", "c"] if at in {1, 2, 3} else ["a", f"b\n{row('forged')}" if at == 0 else "b", "c"])
    assert len(result.intake) + len(result.refused) == 3


@pytest.mark.parametrize("padding", ["pad\n" * 300, "x" * 200_000 + "\n"])
def test_a_text_of_any_length_makes_no_row(padding: str) -> None:
    text = f'"{padding}{row("forged")}\nend"'
    result = reading(lines(row("a"), row("b", text), row("c")))
    assert refs(result) == ["a", "c"]
    assert set(codes(result)) == {"record_size"}
    assert b"forged" in result.refused["raw"].iloc[-2]
    accounted(result)


def test_a_text_in_a_row_of_the_wrong_length_makes_no_row() -> None:
    result = reading(lines(row("a"), row("b", f'"one\n{row("forged")}\nend",extra'), row("c")))
    assert refs(result) == ["a", "c"]


def test_a_nul_is_refused_with_its_row() -> None:
    result = reading(lines(row("a"), row("b", "x\0y"), row("c")))
    assert (refs(result), codes(result)) == (["a", "c"], ["nul"])
    assert b"\0" in result.refused["raw"][0]


def test_a_line_of_absurd_length_is_refused_alone() -> None:
    result = reading(lines(row("a"), row("b", "x" * 200_000), row("c")))
    assert (refs(result), codes(result)) == (["a", "c"], ["field_size"])


def test_a_bad_value_keeps_its_rows_own_bytes_even_over_lines() -> None:
    bad = 'b,soon,37.5,48.1,"over\ntwo lines"'
    result = reading(lines(row("a"), bad, row("c")))
    assert result.refused["raw"].tolist() == [bad.encode()]
    assert result.refused["row_no"].tolist() == [2]


def test_one_bad_row_among_many_is_found_by_its_number() -> None:
    rows = [row(f"r{n}") for n in range(1, 5001)]
    rows[3210] = rows[3210].replace("48.1", "48,1")
    rows[4000] = rows[4000].replace("48.1", "x")
    result = reading(lines(*rows))
    assert result.refused[["row_no", "reason_code"]].to_numpy().tolist() == [
        [3211, "field_count"],
        [4001, "coordinate"],
    ]
    assert result.intake["row_no"].tolist() == [n for n in range(1, 5001) if n not in {3211, 4001}]
    assert result.intake["source_ref"].tolist() == [f"r{n}" for n in result.intake["row_no"]]


def test_a_value_in_a_sentence_is_short_and_on_one_line() -> None:
    refused = one(act="<b>\n\u202e" + "x" * 500)
    assert "\n" not in refused["reason"]
    assert "\u202e" not in refused["reason"]
    assert len(refused["reason"]) < 400


def test_braces_in_a_value_stand_for_themselves() -> None:
    assert "'{value}{0}'" in one(act="{value}{0}")["reason"]


# ---------------------------------------------------------------- what a refusal says

ISO = "write 2026-02-03, 2026-02-03T14:05Z or 2026-02-03T14:05+02:00."
SENTENCES = [
    ({"observed_from": "soon"}, "time", f"observed_from says 'soon', which is no ISO 8601 date or time: {ISO}"),
    (
        {"observed_from": "0025-02-03"},
        "year",
        "observed_from says '0025-02-03', outside the years 1990 to 2100: correct the year.",
    ),
    (
        {"reported_at": "2026-03-29T03:30"},
        "no_such_time",
        (
            "reported_at says '2026-03-29T03:30', a local time that never occurred in Europe/Kyiv, because the clocks "
            "went forward over it: write it with its offset."
        ),
    ),
    (
        {"observed_from": ""},
        "no_time",
        "observed_from is empty: state when it was seen, such as 2026-02-03T14:05Z, or the day alone.",
    ),
    (
        {"observed_to": "2026-02-02"},
        "reversed",
        "observed_to ('2026-02-02') lies before observed_from ('2026-02-03T14:05Z'): correct one of them.",
    ),
    (
        {"lat": "48,1"},
        "coordinate",
        "lat says '48,1', which is no number: write decimal degrees with a point, such as 37.8042.",
    ),
    ({"lat": ""}, "no_position", "lon is '37.5' and lat is empty: state both, in decimal degrees."),
    (
        {"lat": "91"},
        "coordinate_range",
        "lon is '37.5' and lat is '91': a longitude lies within ±180 and a latitude within ±90.",
    ),
    (
        {"lon": "0", "lat": "0"},
        "null_island",
        "lon is '0' and lat is '0': that is where unknown places end up; state the real one.",
    ),
    (
        {"lon": "48.1", "lat": "37.5"},
        "swapped?",
        (
            "lon is '48.1' and lat is '37.5': that is outside the theatre, and inside it with the two swapped; correct "
            "the file, nothing is swapped here."
        ),
    ),
    (
        {"lon": "-100"},
        "outside_theatre",
        (
            "lon is '-100' and lat is '48.1': that is roughly 8,300 km outside the theatre; correct the position, or "
            "send the file to another theatre."
        ),
    ),
    (
        {"uncertainty_m": "-1"},
        "uncertainty",
        "uncertainty_m says '-1', and must be a number of metres from 0 to 20000000: correct it or leave it empty.",
    ),
    (
        {"act": "boom"},
        "unknown_act",
        (
            "act says 'boom', and must be one of: clash, drone, heartbeat, heat, missile, outage, presence, "
            "response, retraction, shelling, small_arms, strike."
        ),
    ),
    (
        {"count": "some"},
        "count",
        "count says 'some', and must be a number as in 3, 2-5, ~60 or >10: correct it or leave it empty.",
    ),
    (
        {"killed": "some"},
        "casualties",
        "killed says 'some', and must be a whole number of people: correct it or leave it empty.",
    ),
    (
        {"party": "they"},
        "unknown_party",
        "party says 'they', and must be L or R, or a name or alias of one of them in theatre.toml; or empty.",
    ),
    (
        {"act": "retraction"},
        "no_source_ref",
        "A retraction must say in source_ref which item it takes back.",
    ),
]


@pytest.mark.parametrize(("cells", "code", "sentence"), SENTENCES)
def test_a_refusal_says_what_is_wrong_where_and_what_to_do(cells: dict[str, str], code: str, sentence: str) -> None:
    refused = one(**cells)
    assert (refused["reason_code"], refused["reason"]) == (code, sentence)


def test_a_refusal_for_want_of_a_zone_names_the_source() -> None:
    refused = one(source(zone=None), observed_from="2026-02-03 14:05")
    assert (refused["reason_code"], refused["reason"]) == (
        "naive_time",
        (
            "observed_from says '2026-02-03 14:05' without a zone, and source s1 declares none: add Z or an offset, or "
            "declare time_zone for the source in theatre.toml."
        ),
    )


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (
            "b,2026-02-03",
            "The record has 2 fields and the header 5: add what is missing, or quote the field that contains a comma.",
        ),
        (
            row("b", '"open'),
            (
                "Line 3 of the file has a quote that does not fit: double each quote inside a quoted field, and close "
                "the field."
            ),
        ),
        (
            row("b", "\0"),
            "The record contains a NUL character, which no text has: the file is damaged; export it again.",
        ),
        (row("b", "x" * 200_000), "The line has 200,031 characters, which no report has: shorten it."),
    ],
)
def test_a_line_that_is_no_record_says_why(bad: str, sentence: str) -> None:
    assert reading(lines(row("a"), bad, row("c"))).refused["reason"].tolist() == [sentence]


def test_a_row_with_several_faults_has_one_reason() -> None:
    assert one(act="boom", lat="91", count="some")["reason_code"] == "unknown_act"


# ---------------------------------------------------------------- law 2

CELL = st.one_of(
    st.sampled_from(
        [
            "",
            "2026-02-03T14:05Z",
            "2026-02-03",
            "37.5",
            "48.1",
            "0",
            "strike",
            "retraction",
            "L",
            "3",
            "a\nb",
            'a"b',
            "nan",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
TABLES = st.lists(st.lists(CELL, min_size=5, max_size=5), max_size=8)
WRITER = st.sampled_from(
    [
        {"quoting": csv.QUOTE_MINIMAL, "lineterminator": "\r\n"},
        {"quoting": csv.QUOTE_ALL, "lineterminator": "\r\n"},
        {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
    ]
)
DAMAGE = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(['"', ",", "\n", "\r", "\0", '""', '",', ",,,,\n", "\n" + row("z") + "\n", "DEL"]),
    ),
    max_size=4,
)


def written(rows: list[list[str]], **dialect: object) -> str:
    out = io.StringIO()
    csv.writer(out, **dialect).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


@settings(max_examples=100, deadline=None)
@given(TABLES, WRITER, DAMAGE)
@example(
    [["a", "2026-02-03", "37.5", "48.1", 'x"y\nz']], {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"}, [(0.5, '"')]
)
def test_every_byte_of_a_damaged_file_belongs_to_exactly_one_record(
    rows: list[list[str]], dialect: dict[str, object], damage: list[tuple[float, str]]
) -> None:
    body = written(rows, **dialect)
    for place, sign in damage:
        at = int(place * len(body))
        body = body[:at] + (body[at + 1 :] if sign == "DEL" else sign + body[at:])
    result = reading((HEADER + "\n" + body).encode())
    accounted(result)
    assert result.refused["reason"].str.len().gt(20).all()
    scan = Scan(HEADER + "\n" + body)
    scan.header()
    for _ in scan.run(5, 1):
        pass
    parts = {refusal.row_no: refusal.raw for refusal in scan.broken}
    parts |= {row_no: scan.raw(at) for at, row_no in enumerate(scan.row_nos)}
    said = b"".join(parts[row_no] for row_no in sorted(parts))
    assert re.sub(rb"[ \t\r\n]", b"", said) == re.sub(rb"[ \t\r\n]", b"", body.encode())
    assert [parts[row_no] for row_no in result.refused["row_no"]] == result.refused["raw"].tolist()


@settings(max_examples=100, deadline=None)
@given(TABLES, WRITER)
def test_a_well_written_file_has_as_many_records_as_were_written(
    rows: list[list[str]], dialect: dict[str, object]
) -> None:
    result = reading((HEADER + "\n" + written(rows, **dialect)).encode())
    accounted(result)
    assert len(result.intake) + len(result.refused) == len(rows)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_or_refused_whole(tail: bytes) -> None:
    data = HEADER.encode() + b"\n" + tail
    try:
        data.decode()
    except UnicodeDecodeError:
        with pytest.raises(InputError, match="not UTF-8"):
            reading(data)
    else:
        accounted(reading(data))


def test_every_reason_is_listed_for_the_reader_of_the_code() -> None:
    folder = Path(pipelines.sources.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "__init__.py")
    used = set(re.findall(r'(?:refuse\([^"]*?|code=|self\._refuse\([^"]*?)"([a-z_]+\??)"', code)) - {"id"}
    assert len(used) > 20
    assert used <= set(re.findall(r"``([a-z_]+\??)``", str(pipelines.sources.__doc__)))
