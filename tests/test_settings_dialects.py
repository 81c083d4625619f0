"""May a source say how it writes its tables, and is every mistake in it told?"""

from __future__ import annotations

from pathlib import Path

import pytest
from small_theatre import sentences, with_edit

from geo.errors import PolicyError
from geo.theatre import Dialect
from pipelines.settings import load_theatre

CSV = 'format = "csv"\ntrust = "media"'
MISTAKES = [
    ('separator = ":"', "separator: should be ',', ';', '\\t' or '|' (found ':'); correct it."),
    ("decimal = \"'\"", "decimal: should be '.' or ',' (found \"'\"); correct it."),
    ('decimal = ","\nseparator = ","', "decimal: is a comma, and so is the separator; say which of the two it is."),
    ('encoding = "koi8u"', "encoding: 'koi8u' is no known code page; did you mean 'koi8-u'? known are: cp1250, cp1251"),
    ('encoding = "utf_7"', "encoding: 'utf_7' is no known code page;"),
    ('dates = "us"', "dates: should be 'iso', 'day-first', 'month-first' or 'judged' (found 'us'); correct it."),
    (
        'columns = { observed_form = "Datum" }',
        "columns observed_form: is no column of the plain table; did you mean 'observed_from'? known are: act, ",
    ),
    ('columns = { lon = "" }', "columns.lon.constrained-str: is empty; give it a value."),
    ("columns = { lon = [] }", "is an empty list; name at least one."),
    ("columns = { lon = 5 }", "columns.lon"),
    ('columns = { text = "Mail" }\ndrop = ["mail"]', "drop: 'mail' is read and dropped; take it out of"),
    (
        'acts = { "обстріл" = "sheling" }',
        "acts 'обстріл': 'sheling' is no act of the policy; did you mean 'shelling'? known are:",
    ),
    ('format = "geojson"\nseparator = ";"', "separator: has no meaning for the format 'geojson'; remove it."),
    ('format = "ucdp"\ncolumns = { lon = "x" }', "columns: has no meaning for the format 'ucdp'; remove it."),
    ('format = "ucdp"\nacts = { war = "strike" }', "acts: has no meaning for the format 'ucdp'; remove it."),
    ('format = "firms"\ndates = "judged"', "dates: has no meaning for the format 'firms'; remove it."),
]  # fmt: skip


def declared(lines: str, *, first: bool = True) -> Dialect:
    """Return the dialect of the source ``csv`` with those lines, before its other keys or behind all of them."""
    if first:
        form = "" if "format" in lines else 'format = "csv"\n'
        files = with_edit("theatre.toml", CSV, f'{form}{lines}\ntrust = "media"')
    else:
        files = with_edit("theatre.toml", "radius_m = 1000\n", f"radius_m = 1000\n{lines}\n")
    return load_theatre(files, "small").sources[0].dialect


@pytest.mark.parametrize(("lines", "sentence"), MISTAKES)
def test_a_dialect_that_means_nothing_is_told(lines: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        declared(lines)
    assert any(
        f"theatre.toml, [[sources]] csv {sentence}" in said or sentence in said for said in sentences(caught.value)
    )


def test_a_dialect_is_what_its_source_declares() -> None:
    said = declared(
        'separator = "\\t"\nencoding = "koi8-u"\ndecimal = ","\ndates = "judged"\nended = false\ndrop = ["E-Mail"]\n'
        'columns = { observed_from = ["Datum", "Uhrzeit"], lon = "Länge" }\nacts = { "обстріл" = "shelling" }'
    )
    assert said == Dialect(
        separator="\t",
        encoding="koi8-u",
        decimal=",",
        dates="judged",
        columns=(("observed_from", ("Datum", "Uhrzeit")), ("lon", ("Länge",))),
        acts=(("обстріл", "shelling"),),
        drop=("E-Mail",),
        ended=False,
    )


def test_the_example_in_the_readme_is_a_dialect() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    example = text.split("# … as for every source\nseparator", 1)[1].split("```", 1)[0]
    said = declared(f"separator{example}", first=False)
    assert (said.encoding, said.dates, said.ended, said.drop) == ("cp1251", "day-first", False, ("E-Mail",))
    assert dict(said.columns)["observed_from"] == ("Datum", "Uhrzeit")
    assert said.acts == (("обстріл", "shelling"),)


def test_a_source_that_says_nothing_writes_the_plain_way() -> None:
    assert declared("") == Dialect()
