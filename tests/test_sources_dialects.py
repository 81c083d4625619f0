"""Is a table of any dialect read as its source declares, and never otherwise?"""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import GOOD, POLICY, THEATRE, one, reading, source, table

from geo.errors import InputError, PolicyError
from geo.theatre import Dialect, Source
from pipelines.settings.formats import CODE_PAGES
from pipelines.sources import Reading, read

ROW = {**GOOD, "source_ref": "r1", "text": "обстріл"}


def writer(**dialect: object) -> Source:
    return source(dialect=Dialect(**dialect))  # type: ignore[arg-type]


def written(rows: list[dict[str, str]], separator: str = ",") -> str:
    out = io.StringIO()
    kept = csv.DictWriter(out, list(rows[0]), delimiter=separator, lineterminator="\r\n")
    kept.writeheader()
    kept.writerows(rows)
    return out.getvalue()


def texts(result: Reading) -> list[str]:
    return result.intake["text"].tolist()


# ---------------------------------------------------------------- separator


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("text", ["plain", "a, b; c | d", 'said "so"', "two\nlines", "tab\there"])
def test_the_separator_is_told_by_the_header_or_declared(separator: str, text: str) -> None:
    data = written([{**ROW, "text": text}, ROW], separator).encode()
    for by in (None, writer(separator=separator)):
        result = reading(data, by)
        assert texts(result) == [text, "обстріл"]
        assert not result.notes


def test_a_declared_separator_is_not_overruled_by_the_header() -> None:
    with pytest.raises(InputError, match="lacks observed_from, lon, lat"):
        reading(written([ROW], ";").encode(), writer(separator=","))


def test_a_header_that_two_separators_split_is_in_doubt_until_one_is_declared() -> None:
    data = b"observed_from;lon;lat;x,observed_from,lon,lat\n1,2026-02-03,37.5,48.1\n"
    with pytest.raises(InputError, match="split by ',' and by ';': declare the separator"):
        reading(data)
    assert len(reading(data, writer(separator=",")).intake) == 1


def test_a_row_of_the_wrong_length_names_the_separator() -> None:
    result = reading(b"observed_from;lon;lat\n2026-02-03;37.5;48.1;\n2026-02-03;37.5;48.1\n")
    assert len(result.intake) == 1
    assert "quote the field that contains a semicolon" in result.refused["reason"].iloc[0]


# ---------------------------------------------------------------- decimal sign


@pytest.mark.parametrize(
    ("lon", "taken"), [("37,5", True), ("37", True), ("37.5", False), ("1.037,5", False), ("3,7,5", False)]
)
def test_a_decimal_comma_is_declared_and_then_no_point_is_one(lon: str, *, taken: bool) -> None:
    data = written([{**ROW, "lon": lon, "lat": "48,1", "uncertainty_m": "250,5"}], ";").encode()
    result = reading(data, writer(decimal=","))
    if taken:
        assert result.intake[["lat", "uncertainty_m"]].to_numpy().tolist() == [[48.1, 250.5]]
    else:
        assert result.refused["reason"].tolist() == [
            f"lon says {lon!r}, which is no number: write decimal degrees with a comma, such as 37,8042."
        ]


def test_a_comma_is_no_decimal_sign_unless_it_is_declared() -> None:
    assert reading(written([{**ROW, "lon": "37,5"}], ";").encode()).refused["reason_code"].tolist() == ["coordinate"]


# ---------------------------------------------------------------- encoding


@pytest.mark.parametrize(
    "encoding", [name for name in CODE_PAGES if name not in ("iso8859-1", "iso8859-2", "cp1250", "cp1252")]
)
def test_a_declared_encoding_is_read_right(encoding: str) -> None:
    word = "стрельба" if encoding in ("cp866", "koi8-r") else "обстріл"
    data = written([{**ROW, "text": word}]).encode(encoding)
    assert texts(reading(data, writer(encoding=encoding))) == [word]


@pytest.mark.parametrize("encoding", ["cp1251", "cp1252", "koi8-u", "utf-8"])
@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_says_the_encoding_whatever_is_declared(encoding: str, mark: str) -> None:
    assert texts(reading(written([ROW]).encode(mark), writer(encoding=encoding))) == ["обстріл"]
    assert texts(reading(b"\xfe\xff" + written([ROW]).encode("utf-16-be"))) == ["обстріл"]


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic"])
@pytest.mark.parametrize("word", ["обстріл", "вибух біля села", "Горлівка"])
def test_an_encoding_that_nobody_declared_is_refused_whole(encoding: str, word: str) -> None:
    data = written([{**ROW, "text": word}]).encode(encoding, errors="ignore")
    with pytest.raises(InputError, match="line 2 is not UTF-8") as caught:
        reading(data)
    assert caught.value.code == "encoding"


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-u", "cp866", "iso8859-1"])
def test_utf_8_that_is_declared_to_be_something_else_is_refused_and_not_garbled(encoding: str) -> None:
    with pytest.raises(InputError, match=r"theatre\.toml declares the encoding .*, and the file is UTF-8") as caught:
        reading(written([ROW]).encode(), writer(encoding=encoding))
    assert caught.value.code == "encoding"
    assert len(reading(table([GOOD]), writer(encoding=encoding)).intake) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (written([ROW]).encode("utf-32"), "UTF-32"),
        (written([ROW])[:-8].encode("utf-16") + b"\x00", "line .* is not UTF-16"),
        ("\ud83d".encode("utf-16-le", "surrogatepass").join([b"\xff\xfe", b""]), "is not UTF-16"),
        (written([ROW]).encode("cp1251").replace(b"\xb3", b"\x98"), "is not UTF-8"),
    ],
)
def test_broken_text_is_refused_whole(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        reading(data)
    assert caught.value.code == "encoding"


def test_a_byte_that_the_declared_code_page_lacks_is_refused_whole() -> None:
    with pytest.raises(InputError, match="line 2 is not CP1251"):
        reading(written([ROW]).encode("cp1251").replace(b"\xb3", b"\x98"), writer(encoding="cp1251"))


def test_utf_16_without_its_mark_is_suspected() -> None:
    with pytest.raises(InputError, match="seems to be UTF-16 without its byte order mark"):
        reading(table([GOOD]).decode().encode("utf-16-le"))


def test_a_refused_row_is_kept_as_utf_8_whatever_the_file_was() -> None:
    refused = reading(written([{**ROW, "lat": ""}]).encode("cp1251"), writer(encoding="cp1251")).refused
    assert refused["raw"].tolist() == ["2026-02-03T14:05Z,37.5,,r1,обстріл".encode()]


# ---------------------------------------------------------------- columns and words

GERMAN = (
    b"Datum;Uhrzeit;L\xc3\xa4nge;Breite;Art;Zahl\n03.02.2026;14:05;37,5;48,1;Beschuss;3\n03.02.2026;;37,5;48,1;;x\n"
)
COLUMNS = (
    ("observed_from", ("Datum", "Uhrzeit")), ("lon", ("LÄNGE",)), ("lat", ("breite",)), ("act", ("Art",)),
    ("count", ("Zahl",)),
)  # fmt: skip
MAP = {"columns": COLUMNS, "acts": (("Beschuss", "shelling"),), "decimal": ",", "dates": "day-first"}


def test_any_table_is_read_by_a_map_of_its_columns_and_words() -> None:
    result = reading(GERMAN, writer(**MAP))
    taken = result.intake.iloc[0]
    assert (taken["act"], taken["lon"], taken["lat"], taken["count_best"]) == ("shelling", 37.5, 48.1, 3)
    assert str(taken["observed_from"]) == "2026-02-03 12:05:00+00:00"
    assert result.refused["reason"].str.startswith("Zahl says 'x'").tolist() == [True]
    assert not result.notes


def test_a_sentence_names_the_files_own_columns() -> None:
    rows = [
        ("soon;;37,5;48,1;;", "Datum with Uhrzeit says 'soon'"),
        (";;37,5;48,1;;", "Datum with Uhrzeit is empty"),
        ("03.02.2026;;x;48,1;;", "LÄNGE says 'x'"),
        ("03.02.2026;;48,1;37,5;;", "LÄNGE is '48,1' and breite is '37,5'"),
        ("03.02.2026;;37,5;48,1;Krieg;", "Art says 'Krieg', and must be one of: Beschuss, clash,"),
    ]
    data = GERMAN.splitlines()[0] + b"\n" + "\n".join(row for row, _ in rows).encode() + b"\n"
    for said, (_, sentence) in zip(reading(data, writer(**MAP)).refused["reason"], rows, strict=True):
        assert said.startswith(sentence)


def test_a_column_that_is_declared_must_be_there() -> None:
    with pytest.raises(InputError, match=r"lacks Zahl: .* under columns which is which .perhaps Zahl is 'zahlen'"):
        reading(GERMAN.replace(b"Zahl", b"Zahlen"), writer(**MAP))


def test_a_column_called_otherwise_hides_the_one_of_the_plain_name() -> None:
    data = b"observed_from,lon,lat,x,text\n2026-02-03,1,48.1,37.5,t\n"
    result = reading(data, writer(columns=(("lon", ("x",)),)))
    assert result.intake["lon"].tolist() == [37.5]
    assert result.notes == ("file.csv: columns that are not read: 'lon'.",)


def test_an_empty_word_is_what_an_empty_cell_states() -> None:
    assert one(writer(acts=(("", "drone"),)))["act"] == "drone"
    assert one(writer(acts=(("", "drone"),)), act="shelling")["act"] == "shelling"


@pytest.mark.parametrize("said", ["обстріл", "ОБСТРІЛ", " обстріл "])
def test_a_word_of_the_source_is_known_in_any_case(said: str) -> None:
    assert one(writer(acts=(("обстріл", "shelling"), ("fire opened", "strike"))), act=said)["act"] == "shelling"


def test_a_word_for_an_act_that_the_policy_lacks_stops_the_work() -> None:
    with pytest.raises(PolicyError, match=r"policy\.toml lacks the acts bombing, which source s1 states"):
        one(writer(acts=(("x", "bombing"),)))


# ---------------------------------------------------------------- where the file ends


def test_a_last_line_without_an_end_is_refused_if_its_last_value_may_be_cut() -> None:
    data = table([GOOD, GOOD]).rstrip()
    result = reading(data)
    assert len(result.intake) == 1
    assert result.refused[["row_no", "reason_code"]].to_numpy().tolist() == [[2, "truncated"]]
    assert "so that 'lat' may be cut: end the line if it is whole" in result.refused["reason"].iloc[0]
    assert any("cut short" in note for note in result.notes)


def test_a_last_line_without_an_end_counts_where_its_last_value_is_not_read_or_the_source_is_so() -> None:
    for data, by in (
        (table([{**GOOD, "mood": "x"}]).rstrip(), None),
        (table([GOOD]).rstrip(), writer(ended=False)),
    ):
        result = reading(data, by)
        assert len(result.intake) == 1
        assert any("cut short" in note for note in result.notes)


# ---------------------------------------------------------------- law 2

CELL = st.one_of(
    st.sampled_from(["", "37.5", "48,1", "2026-02-03", "a;b", 'a"b', "x|y", "1,5"]),
    st.text(st.characters(codec="cp1251", exclude_categories=["Cc"]), max_size=6),
)


@given(
    st.lists(st.lists(CELL, min_size=5, max_size=5), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_record_of_every_dialect_is_accounted_for(
    rows: list[list[str]], sign: str, encoding: str, quoting: int
) -> None:
    out = io.StringIO()
    kept = csv.writer(out, delimiter=sign, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    kept.writerows([["observed_from", "lon", "lat", "source_ref", "text"], *rows])
    declared = encoding if encoding == "cp1251" else None
    by = writer(encoding=declared)
    try:
        result = read(out.getvalue().encode(encoding), by, THEATRE, POLICY, "file.csv")
    except InputError as error:
        if declared is None or error.code != "encoding":  # a few letters of cp1251 happen to be UTF-8
            raise
        return
    numbers = [*result.intake["row_no"], *result.refused["row_no"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len(numbers) == len(rows) or any('"' in cell for row in rows for cell in row)


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("odd", ["", "one{0}two\n"])
def test_a_row_of_empty_fields_is_one_row_whatever_stands_beside_it(separator: str, odd: str) -> None:
    empty = separator * 4 + "\n"
    data = separator.join(["observed_from", "lon", "lat", "source_ref", "text"]) + "\n" + empty + odd.format(separator)
    result = read(data.encode(), writer(), THEATRE, POLICY, "file.csv")
    assert result.refused["row_no"].tolist() == list(range(1, 2 + bool(odd)))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16", "cp1251"]),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(['"', ";", ",", "\t", "\n", "\r", "\0", '""', "DEL"])), max_size=4
    ),
)
def test_damage_in_any_dialect_leaves_every_record_accounted_for(
    size: int, sign: str, encoding: str, damage: list[tuple[float, str]]
) -> None:
    head, *rest = written([{**ROW, "source_ref": f"r{number}"} for number in range(size)], sign).split("\r\n", 1)
    text = rest[0]
    for where, what in damage:
        at = int(where * len(text))
        text = text[:at] + text[at + 1 :] if what == "DEL" else text[:at] + what + text[at:]
    by = writer(encoding=encoding if encoding == "cp1251" else None)
    result = read(f"{head}\n{text}".encode(encoding), by, THEATRE, POLICY, "file.csv")
    numbers = [*result.intake["row_no"], *result.refused["row_no"]]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
