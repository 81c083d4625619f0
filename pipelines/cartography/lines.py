"""How do the line, its segments and its sides look?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.cartography import labels, reference, renderers
from pipelines.cartography.labels import ALONG, OVER, Label, Letters
from pipelines.cartography.palette import INK, PAPER, QUIET, SEVERE_FIRST, SOFT_INK, UNSEEN
from pipelines.cartography.renderers import Rule
from pipelines.cartography.symbols import stroke, symbol, ticks

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.cartography.palette import Mark
    from pipelines.cartography.sheet import Sheet

_NEAR: Final = 700_000
_SCALE: Final = "coalesce(@map_scale, 4000000)"  # a bare renderer, such as a server's, may not say
_WRAPPED: Final = 16  # signs of a party's name in one line
_POST_M: Final = 0.0055  # of paper between the line and its kilometres
_ANY: Final = '"fid" > 0'
_DASHES: Final = (1.6, 1.2)
_DOTS: Final = (0.5, 1.3)
_WATCHED: Final = stroke(QUIET, 2, opacity=150)
_PARTLY: Final = stroke(QUIET, 2, dashes=_DASHES, opacity=150)
_UNSEEN: Final = stroke(UNSEEN, 2, dashes=_DOTS)
_ASSUMED: Final = stroke(SOFT_INK, 1.6, dashes=_DOTS, opacity=110)
_START: Final = "start_point($geometry)"
_END: Final = "end_point($geometry)"
_MIDDLE: Final = "line_interpolate_point($geometry, length($geometry) / 2)"
_APART_M: Final = 0.1  # of paper between two names of one side
_BESIDE_M: Final = 0.0035  # of paper between the line and the name of its side


def front() -> ET.Element:
    """Return the current line: dark, with a light edge that parts it from what lies under it."""
    return renderers.single(symbol("line", stroke(PAPER, 0.7, opacity=150), stroke(INK, 0.4)))


def front_name() -> ET.Element:
    """Return the line's date and source, along it, close by."""
    date = "coalesce(format_date(\"valid_from\", 'd MMM yyyy', 'en'), '?')"
    text = f"'line of ' || {date} || ', ' || coalesce(\"source\", '')"
    return labels.simple(
        Label(text, Letters(size=7, italic=True), placement=ALONG, priority="1", farthest=_NEAR, merged=True)
    )


def segments(span: str) -> ET.Element:
    """Return segments by the worst tier of a span, then by whether anything happened, then by who watched."""
    tier, happened, watched = f'coalesce("tier_{span}", 0)', f'coalesce("violations_{span}", 0)', f'"coverage_{span}"'
    quiet = f"{tier} = 0 AND {happened} = 0 AND {watched}"
    return renderers.ruled(
        [
            *(
                Rule(mark.words, f"{tier} = {mark.tier}", symbol("line", *_struck(mark)))
                for mark in SEVERE_FIRST
                if mark.tier
            ),
            Rule("violations, no tier", f"{tier} = 0 AND {happened} > 0", symbol("line", stroke(SOFT_INK, 2))),
            Rule("quiet, watched", f"{quiet} = 'declared'", symbol("line", _WATCHED)),
            Rule("quiet, partly watched", f"{quiet} = 'partly'", symbol("line", _PARTLY)),
            Rule("nobody could see", f"{quiet} = 'unseen'", symbol("line", _UNSEEN)),
            Rule("quiet is only assumed", "ELSE", symbol("line", _ASSUMED)),
        ],
        order=tier,
    )


def _struck(mark: Mark) -> tuple[ET.Element, ET.Element]:
    return stroke(INK, mark.width_mm + 0.5), stroke(mark.look.colour, mark.width_mm)


def coverage() -> ET.Element:
    """Return segments by what was declared of their ground."""
    looks = {
        "declared": ("watched all the time", _WATCHED),
        "partly": ("watched in part", _PARTLY),
        "unseen": ("declared unseen", _UNSEEN),
    }
    made = [
        Rule(words, f"\"coverage_24h\" = '{value}'", symbol("line", line)) for value, (words, line) in looks.items()
    ]
    return renderers.ruled([*made, Rule("nothing declared", "ELSE", symbol("line", _ASSUMED))])


def posts() -> ET.Element:
    """Return a tick at the start of every segment, close by; nothing from afar."""
    return renderers.ruled(
        [
            Rule("start of a segment", _ANY, symbol("line", ticks(SOFT_INK, 2.4, 0.25)), farthest=_NEAR),
            # QGIS writes nothing beside what it does not draw.
            Rule("from afar", _ANY, symbol("line", stroke(SOFT_INK, 0.1, opacity=0)), nearest=_NEAR),
        ]
    )


def sides(sheet: Sheet) -> ET.Element:
    """Return the names of the parties, each on its side and again and again along the line, and the kilometres."""
    every = _every(sheet)
    shown = f'"fid" % {every} = floor({every} / 2)'
    step = (
        f"CASE WHEN {_SCALE} > 2500000 THEN 100000 WHEN {_SCALE} > 800000 THEN 50000 "
        f"WHEN {_SCALE} > 200000 THEN 10000 ELSE 5000 END"
    )
    start = _beside(sheet, _START, 1, _POST_M)
    named = Letters(size=9, colour=SOFT_INK, capitals=True, spacing=1.5, italic=True)
    posts_ = Letters(size=6.5, colour=SOFT_INK)
    return labels.ruled(
        [
            *(
                (
                    party,
                    shown,
                    Label(
                        f"wordwrap({_quoted(party)}, {_WRAPPED})",
                        named,
                        OVER,
                        priority="6",
                        where=_beside(sheet, _MIDDLE, hand, _BESIDE_M),
                        towards=_outwards(sheet, hand),
                    ),
                )
                for party, hand in ((sheet.left, -1), (sheet.right, 1))
            ),
            (
                "kilometres",
                f'round("chainage_from_m") % ({step}) = 0',
                Label("'km ' || round(\"chainage_from_m\" / 1000)", posts_, placement=OVER, priority="2", where=start),
            ),
        ]
    )  # fmt: skip


def _beside(sheet: Sheet, place: str, hand: int, paper_m: float) -> str:
    """Return the place beside a point of a segment, to the left (-1) or right (1) of its direction."""
    metric = reference.code(sheet.box)
    moved = f"project({_metric(sheet, place)}, {paper_m} * {_SCALE}, {_course(sheet)} + {hand} * pi() / 2)"
    return f"transform({moved}, '{metric}', 'EPSG:4326')"


def _outwards(sheet: Sheet, hand: int) -> str:
    """Return in which of the eight directions that hand lies, numbered as rows of three from the upper left."""
    eighths = f"round(degrees({_course(sheet)}) / 45 + {hand} * 2)"
    return f"array(1, 2, 5, 8, 7, 6, 3, 0)[({eighths} + 8) % 8]"


def _course(sheet: Sheet) -> str:
    return f"azimuth({_metric(sheet, _START)}, {_metric(sheet, _END)})"


def _every(sheet: Sheet) -> str:
    """Return how many segments lie between two names of a side."""
    return f"max(2, round({_APART_M} * {_SCALE} / {sheet.segment_m:.6g}))"


def _metric(sheet: Sheet, place: str) -> str:
    return f"transform({place}, 'EPSG:4326', '{reference.code(sheet.box)}')"


def _quoted(text: str) -> str:
    """Return a text as an expression that gives it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
