"""Is what strangers write inert wherever it is shown: in the page, in map tips, in tables for spreadsheets?"""

# ruff: noqa: E501, RUF001 -- payloads stand as they are sent

from __future__ import annotations

import csv
import html
import io
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
import situation

from geo import tables
from pipelines import backtest, exports
from pipelines.cartography import tips
from pipelines.page import Setting, page

MARKUP = (
    "<script>alert(1)</script>", "<ScRiPt src=//x>", "</td></tr></table><script>1</script>", "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>", "<svg><animate onbegin=alert(1)>", "<iframe srcdoc='<script>1</script>'>", "<body onload=1>",
    "<a href='javascript:alert(1)'>x</a>", "<math><mtext></mtext></math>", "<style>@import 'http://x'</style>",
    "<link rel=stylesheet href=//x>", "<meta http-equiv=refresh content=0>", "<base href=//x>", "<object data=//x>",
    '"><script>1</script>', "'><script>1</script>", '" onmouseover="1', "' onmouseover='1", "</title><script>1</script>",
    "</style><script>1</script>", "</script><script>1</script>", "--><script>1</script>", "]]><script>1</script>",
    "&lt;script&gt;", "&#60;script&#62;", "{{7*7}}", "{% for x in y %}", "[% 1+1 %]", "[% env('HOME') %]", "${7*7}",
    "<script\x00>1</script>", "\u202e<script>1</script>", "\u2066</td>\u2069", "\ufeff<b>", "＜script＞",
)  # fmt: skip
FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|'/C calc'!A0", '=HYPERLINK("http://x","y")', "\t=1", "\r=1", "\n=1",
    " =1", "\xa0=1", "\u200b=1", "\ufeff=1", "\u202e=1", "\x00=1", "＝1+1", "＋1", "－1", "＠SUM(A1)", "\u3000=1",
    '=IMPORTXML("http://x","//a")', '=DDE("x";"y";"z")', "%0A=1\n=2".removeprefix("%0A"), "-2+3+cmd|' /C calc'!A0",
)  # fmt: skip
NUMBER = re.compile(r"-?[0-9.]+")
PAYLOADS = (*MARKUP, *FORMULAS)
PLAIN = Setting()


class Shape(HTMLParser):
    """What a document is made of: every element with the names of its attributes, and no text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102 -- the library's own
        self.elements.append((tag, tuple(name for name, _ in attrs)))


def told(texts: tuple[str, ...]) -> str:
    """Return a page in which those texts stand wherever a stranger's may."""
    content = dict(situation.burnt())
    points = content["incident_points"]
    as_of = content["run"]["as_of"].iloc[0]
    rows = [texts[at % len(texts)] for at in range(len(points))]
    content["incident_points"] = points.assign(name=rows, regions=rows, weapons=rows, next_due_what=rows)
    content["reports"] = content["reports"].assign(source=texts[0])
    content["run"] = content["run"].assign(title=texts[0], rows_quarantined=len(texts))
    refused = {"batch_no": 1, "row_no": 1, "released_no": None}
    content["quarantine"] = pd.DataFrame(
        [
            {**refused, **dict.fromkeys(("quarantine_id", "source", "file", "reason_code", "reason"), text)}
            for text in texts
        ]
    )
    notice = dict.fromkeys(content["notices"].columns, "x") | {"as_of": as_of, "known_at": as_of, "since": as_of}
    strange = {"kind": "merge", "from_id": "B-1", "to_id": "B-2", "at": as_of, "known_at": as_of}
    names = [name for name, value in notice.items() if value == "x"]
    content["notices"] = pd.DataFrame([{**notice, **dict.fromkeys(names, text)} for text in texts])
    content["lineage"] = pd.DataFrame([{**strange, "reason": text} for text in texts])
    return page(content, PLAIN)


def test_there_are_enough_of_them() -> None:
    assert len(set(PAYLOADS)) >= 40


def test_the_page_is_made_of_the_same_elements_whatever_it_tells() -> None:
    """Texts of the same number and, case by case, the same pattern of empty ones: only what is said differs."""
    assert Shape(told(PAYLOADS)).elements == Shape(told(tuple(f"x{at}" for at in range(len(PAYLOADS))))).elements


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_map_tip_shows_what_was_written_and_makes_nothing_of_it(payload: str) -> None:
    """As QGIS would: the innermost ``replace`` first."""
    pairs = re.findall(r", '(.)', '(&\w+;)'\)", tips.escaped('"text"'))
    assert len(pairs) == 3
    shown = payload
    for sign, entity in pairs:
        shown = shown.replace(sign, entity)
    assert Shape(f"<td>{shown}</td>").elements == [("td", ())]
    assert html.unescape(shown) == html.unescape(html.escape(payload, quote=False))


def test_nothing_stands_in_a_tip_but_what_went_through_that() -> None:
    for table in tables.TABLES:
        for column in (column for column in table.columns if column.kind == "text"):
            for expression in re.findall(r"\[%(.*?)%\]", tips.tip(table.name)):
                bare = re.sub(r"replace\(replace\(replace\(to_string\(.*?\), '&', '&amp;'\).*?'&gt;'\)", "", expression)
                assert f'"{column.name}"' not in bare


@pytest.mark.parametrize("payload", FORMULAS)
def test_no_cell_of_an_export_begins_like_a_formula(payload: str) -> None:
    content = situation.burnt()
    evil = content["violations"].assign(place_name=payload, party_claimed=payload)
    run = content["run"].iloc[0]
    text = exports.acled(evil, content["reports"].assign(source=payload), content["regions"], run)
    for row in csv.DictReader(io.StringIO(text, newline="")):
        shown = row["location"]
        assert {row["actor1"], row["source"]} == {shown}
        assert shown.startswith("'")
        assert shown.replace("'", "") == payload.replace("'", "")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "payload", [*FORMULAS, *(f"x{sign}=1+1{sign}y" for sign in (",", ";", "\t", "|", "\n", '"\n"', '";"'))]
)
def test_no_cell_begins_like_a_formula_at_whatever_sign_a_spreadsheet_parts_them(payload: str, separator: str) -> None:
    """Quotes count where a cell begins with one, as spreadsheets have it; a line of a broken quote is a row as well."""
    content = situation.burnt()
    evil = content["violations"].assign(place_name=payload, party_claimed=payload)
    text = exports.acled(evil, content["reports"], content["regions"], content["run"].iloc[0])
    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]
    if separator != ",":
        cells += [cell.strip('" ') for cell in re.split(rf"[{separator}\r\n]", text)]
    risky = [cell for cell in cells if cell.strip()[:1] in {"=", "+", "-", "@"} and not NUMBER.fullmatch(cell)]
    assert risky == []


def test_no_cell_of_a_backtest_begins_like_a_formula() -> None:
    frame = pd.DataFrame({"name": pd.Series([*FORMULAS, None], dtype="str"), "offset_m": -1.5})
    safe = exports.plain_texts(frame)
    assert safe["name"].tolist()[:-1] == [exports.plain(text) for text in FORMULAS]
    assert safe["name"].iloc[:-1].str.startswith("'").all()
    assert safe["name"].isna().iloc[-1]
    assert (safe["offset_m"] == frame["offset_m"]).all()
    assert backtest.plain_texts is exports.plain_texts


@pytest.mark.parametrize("text", ["", " ", "B-1", "3 km W of Lyman", "a=b", "1-2", "ім'я", "\u200b", "…"])
def test_what_is_no_formula_is_left_as_it_is(text: str) -> None:
    assert exports.plain(text) == text


def test_json_holds_texts_as_texts() -> None:
    content = situation.burnt()
    points = content["incident_points"]
    names = [PAYLOADS[at % len(PAYLOADS)] for at in range(len(points))]
    found = json.loads(exports.geojson(points.assign(name=names), "x", {"run_id": "</script>"}))
    assert [each["properties"]["name"] for each in found["features"]] == names
