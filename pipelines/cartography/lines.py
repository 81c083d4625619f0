"""How do the line, its segments and the names of its sides look?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.cartography import labels, reference, renderers
from pipelines.cartography.labels import ALONG, OVER, Label, Letters
from pipelines.cartography.palette import INK, PAPER, QUIET, SEVERE_FIRST, SOFT_INK, UNSEEN
from pipelines.cartography.renderers import Rule
from pipelines.cartography.symbols import stroke, symbol, ticks
from pipelines.sides import WRAPPED

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.cartography.palette import Mark
    from pipelines.cartography.sheet import Sheet

_NEAR: Final = 700_000
_SCALE: Final = "coalesce(@map_scale, 4000000)"  # a bare renderer, such as a server's, may not say
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
_ROWS_OF_THREE: Final = ("NW", "N", "NE", "W", "", "E", "SW", "S", "SE")  # as QGIS numbers where a text lies


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


def kilometres(sheet: Sheet) -> ET.Element:
    """Return the kilometres of the line, as many as there is room for."""
    step = (
        f"CASE WHEN {_SCALE} > 2500000 THEN 100000 WHEN {_SCALE} > 800000 THEN 50000 "
        f"WHEN {_SCALE} > 200000 THEN 10000 ELSE 5000 END"
    )
    told = Label(
        "'km ' || round(\"chainage_from_m\" / 1000)",
        Letters(size=6.5, colour=SOFT_INK),
        placement=OVER,
        priority="2",
        where=_post(sheet),
    )
    return labels.ruled([("kilometres", f'round("chainage_from_m") % ({step}) = 0', told)])


def _post(sheet: Sheet) -> str:
    """Return the place beside the start of a segment."""
    course = f"azimuth({_metric(sheet, _START)}, {_metric(sheet, _END)})"
    moved = f"project({_metric(sheet, _START)}, {_POST_M} * {_SCALE}, {course} + pi() / 2)"
    return f"transform({moved}, '{reference.code(sheet.box)}', 'EPSG:4326')"


def side_names() -> ET.Element:
    """Return the names of the parties, each on its side and again and again along the line."""
    named = Letters(size=9, colour=SOFT_INK, capitals=True, spacing=1.5, italic=True)
    rows = ", ".join(f"'{course}'" for course in _ROWS_OF_THREE)
    told = Label(
        f'wordwrap("name", {WRAPPED})', named, OVER, priority="4.8", towards=f'array_find(array({rows}), "towards")'
    )
    return labels.ruled([("at this scale", f'{_SCALE} >= "scale_from" AND {_SCALE} < "scale_to"', told)])


def _metric(sheet: Sheet, place: str) -> str:
    return f"transform({place}, 'EPSG:4326', '{reference.code(sheet.box)}')"
