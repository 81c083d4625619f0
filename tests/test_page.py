"""Does the page tell what was published, all of it escaped, and nothing else?"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser

import builders
import pandas as pd
import pytest
import shapely
import situation

from pipelines.outcome import Changes
from pipelines.page import Setting, page
from pipelines.page.bands import bands
from pipelines.page.board import lines, ordered
from pipelines.page.figures import headline
from pipelines.page.ground import Label, _box, ground
from pipelines.page.sheet import Sheet
from pipelines.page.spells import Spell, at, spells
from pipelines.palette import LOOKS
from pipelines.sides import STEPS

PLAIN = Setting()
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
AS_OF = pd.Timestamp(builders.when(situation.HOUR))


class Seen(HTMLParser):
    """Every element with its attributes, and what stands in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102 -- the library's own
        self.elements.append((tag, dict(attrs)))
        self.within = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002, D102 -- likewise
        self.within = ""

    def handle_data(self, data: str) -> None:  # noqa: D102 -- likewise
        if self.within in self.inside:
            self.inside[self.within][-1] += data


def words(text: str) -> str:
    """Return the page's words, without marks, scripts and styles."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", bare).split())


def test_the_same_tables_give_the_same_bytes() -> None:
    assert page(situation.burnt(), PLAIN) == page(situation.content(situation.burning()), PLAIN)


def test_nothing_that_was_reported_is_in_the_page_unescaped() -> None:
    told = dict(situation.burnt())
    told["incident_points"] = told["incident_points"].assign(name=EVIL, next_due_what=EVIL, regions=EVIL)
    told["regions"] = told["regions"].assign(name=EVIL)
    told["sides"] = told["sides"].assign(name=EVIL)
    told["reports"] = told["reports"].assign(source=EVIL)
    told["run"] = told["run"].assign(title=EVIL, rows_quarantined=1)
    told["quarantine"] = pd.DataFrame(
        [
            {
                "batch_no": 1,
                "source": EVIL,
                "file": EVIL,
                "row_no": 1,
                "reason_code": EVIL,
                "reason": EVIL,
                "quarantine_id": EVIL,
                "released_no": None,
            }
        ]
    )
    notice = dict.fromkeys(told["notices"].columns, EVIL) | {"as_of": AS_OF, "known_at": AS_OF, "since": AS_OF}
    told["notices"] = pd.DataFrame([notice])
    told["lineage"] = pd.DataFrame(
        [{"kind": "merge", "from_id": EVIL, "to_id": EVIL, "at": AS_OF, "known_at": AS_OF, "reason": EVIL}]
    )
    setting = Setting(changes=Changes(AS_OF, (EVIL,), (), (), (EVIL,)))
    found, plain = Seen(page(told, setting)), Seen(page(situation.burnt(), PLAIN))
    assert [tag for tag, _ in found.elements if tag in {"script", "img"}] == ["script", "script"]
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert found.inside["script"][1] == plain.inside["script"][1]
    assert "<" not in found.inside["script"][0]


def test_the_page_asks_the_network_for_nothing_and_runs_only_its_own_words() -> None:
    found = Seen(page(situation.burnt(), PLAIN))
    fetched = [v for _, each in found.elements for k, v in each.items() if k in {"src", "href", "action", "data"} and v]
    assert all(value.startswith("#") or value == "data:," for value in fetched)
    assert "url(" not in re.sub(r"url\(#h[0-3]\)", "", found.inside["style"][0])
    [policy] = [each["content"] for tag, each in found.elements if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind, text in (("style", found.inside["style"][0]), ("script", found.inside["script"][1])):
        mark = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{mark}'" in policy


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ({"standing": "illustrative"}, "illustrative, without legal meaning"),
        ({"replay": True}, "replay: history, or a simulation, and not the present"),
        ({"hindsight": True}, "hindsight: later knowledge is used"),
        ({"scope": "UA-14"}, "region UA-14 only"),
    ],
)
def test_what_must_be_said_of_every_figure_stands_at_the_top(run: dict[str, object], sentence: str) -> None:
    told = {**situation.burnt(), "run": situation.burnt()["run"].assign(**run)}
    assert sentence in words(page(told, PLAIN))
    assert sentence not in words(page(situation.burnt(), PLAIN))


def test_the_headline_compares_with_the_day_before() -> None:
    told = situation.burnt()
    found = {one.label: (one.now, one.before) for one in headline(told, spells(told["transitions"], AS_OF), AS_OF)}
    assert found["breaches going on"] == (2, 1)
    assert found["at tier 1, warning"] == (1, 0)
    assert found["at tier 2, coalition"] == (0, 1)
    assert found["at tier 3, co-ordinated"] == (1, 0)
    assert found["new breaches in 24 h"] == (1, 0)
    counted = told["violations"].loc[told["violations"]["qualifying"].astype(bool), "observed_from"]
    today = (counted > AS_OF - pd.Timedelta(days=1)) & (counted <= AS_OF)
    assert found["violations in 24 h"][0] == int(today.sum())


def test_spells_are_the_tiers_that_the_steps_tell() -> None:
    told = situation.burnt()
    found = spells(told["transitions"], AS_OF)
    for row in told["incidents"].itertuples():
        mine = found[str(row.incident_id)]
        assert all(a.end == b.begin for a, b in itertools.pairwise(mine))
        assert max(spell.tier for spell in mine) == row.tier_peak
        assert (mine[-1].end == AS_OF) == (row.state != "ended")
    going = told["incidents"][told["incidents"]["state"] != "ended"]
    assert at(found, AS_OF) == dict(zip(going["incident_id"], going["tier_eligible"], strict=True))


def test_what_ended_is_not_going_on_at_the_instant_after() -> None:
    begin, end = AS_OF - pd.Timedelta(hours=30), AS_OF - pd.Timedelta(hours=2)
    found = {"B-1": [Spell(begin, end, 1)]}
    assert at(found, end) == {"B-1": 1}
    assert at(found, end + pd.Timedelta(seconds=1)) == {}
    assert at(found, begin) == {"B-1": 1}
    assert at(found, begin - pd.Timedelta(seconds=1)) == {}


def heights(path: str) -> list[float]:
    """Return how high a band is, step by step, from left to right."""
    start = float(re.match(r"M[\d.]+ ([\d.]+)", path)[1])  # type: ignore[index]
    drops = [float(y) for y in re.findall(r"V([\d.]+)", path)]
    turn = drops.index(max(drops))
    upper, lower = [start, *drops[:turn]], drops[turn:]
    return [low - high for high, low in zip(upper, reversed(lower), strict=False)]


def test_a_band_opens_like_a_fan_where_a_breach_spreads() -> None:
    told = situation.burnt()
    points = ordered(told["incident_points"])
    chart = bands(told, points, lines(points, AS_OF), spells(told["transitions"], AS_OF), AS_OF)
    index = next(iter(points.index[points["tier_peak"] == 3]))
    mine = [piece for piece in chart.pieces if piece.no == index]
    assert [piece.tier for piece in mine] == [1, 2, 3]
    found = [height for piece in mine for height in heights(piece.path)]
    assert found == sorted(found)
    assert found[-1] > 2 * found[0]


def test_every_incident_stands_in_the_table_once_what_is_due_first() -> None:
    told = situation.burnt()
    found = lines(ordered(told["incident_points"]), AS_OF)
    assert sorted(line.id for line in found) == sorted(told["incidents"]["incident_id"])
    assert [line.going for line in found] == sorted((line.going for line in found), reverse=True)
    [due] = [line for line in found if line.due_what.startswith("persistence")]
    assert (due.due, due.due_in) == (f"{builders.when(79):%Y-%m-%dT%H:%M:%SZ}", "in 19 h 0 min")
    assert due.due_in in words(page(told, PLAIN))


def test_the_name_of_a_side_begins_where_the_layer_says_and_leads_away_from_the_line() -> None:
    told = situation.burnt()
    points = ordered(told["incident_points"])
    chart = ground(told, points, lines(points, AS_OF), builders.theatre().places)
    sheet = Sheet.over(_box(told, points))
    said = {
        (row.name, *sheet.place(shapely.get_coordinates(row.geometry))[0].tolist(), STEPS[row.towards])
        for row in told["sides"].itertuples()
    }
    named = [label for label in chart.labels if label.kind == "s"]
    assert sorted(label.text for label in named) == ["Left", "Right"]
    assert {(label.text, label.x, label.y, label.towards) for label in named} <= said
    assert [Label(0, 0, "a\nb", "s", (1, north)).first_em for north in (1, 0, -1)] == [-1.8, -0.6, 0.6]
    assert [Label(0, 0, "a", "s", (east, 0)).anchor for east in (1, 0, -1)] == ["start", "middle", "end"]


def test_a_quiet_theatre_has_a_page_that_says_so() -> None:
    text = words(page(situation.content([]), PLAIN))
    assert "Nothing is due." in text
    assert "None of 0 rows was refused." in text
    assert "nothing declared: quiet is only assumed" in text


def test_a_theatre_without_regions_or_zones_and_breaches_beside_the_line_have_a_page_too() -> None:
    told = situation.content(
        [builders.report(3.0, (290.0, 90.0)), builders.report(5.0, (2.0, 1.0), lon=20.0, lat=40.0)]
    )
    bare = {name: told[name].head(0) for name in ("regions", "zones", "front_line", "segments", "coverage")}
    nowhere = {name: told[name].assign(geometry=None) for name in ("incident_points", "incidents")}
    for changed in ({}, bare, nowhere, {**bare, **nowhere}):
        assert "B-1" in words(page({**told, **changed}, PLAIN))


def test_what_changed_since_the_last_publication_is_told() -> None:
    names = tuple(situation.burnt()["incidents"]["incident_id"])
    text = words(page(situation.burnt(), Setting(changes=Changes(AS_OF, names[:1], names[1:2], (), ("B-999",)))))
    assert f"New (1) {names[0]}" in text
    assert f"Escalated (1) {names[1]}" in text
    assert "Gone (1) B-999" in text


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_tiers_are_told_apart_without_colour() -> None:
    assert len({look.shape for look in LOOKS}) == len({look.label for look in LOOKS}) == len(LOOKS)
    greys = [_luminance(look.colour) for look in LOOKS[1:]]
    assert all(a > 1.8 * b for a, b in itertools.pairwise(greys))
    for look in LOOKS:
        pair = sorted((_luminance(look.colour), _luminance(look.ink)))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5
