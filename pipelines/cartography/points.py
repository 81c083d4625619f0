"""How do incidents, violations and reports look as points?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipelines.cartography import labels, renderers
from pipelines.cartography.labels import Label, Letters
from pipelines.cartography.palette import FACES, INK, PAPER, SEVERE_FIRST, SOFT_INK, WATER
from pipelines.cartography.renderers import Rule
from pipelines.cartography.symbols import letter, shape, symbol

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.cartography.palette import Mark
    from pipelines.cartography.sheet import Sheet

CLOSE: Final = 900_000
NEAR: Final = 300_000
NAMED: Final = 120_000
_SMALLER: Final = 0.76
_LATELY: Final = timedelta(days=7)
_GOING: Final = "\"state\" IN ('active', 'quiet')"
_CANDIDATE: Final = "coalesce(\"state\", 'candidate') = 'candidate'"
_ORDER: Final = f'if({_GOING}, 10 + coalesce("tier_eligible", 0), coalesce("tier_peak", 0))'


def incidents(sheet: Sheet) -> ET.Element:
    """Return incidents by tier: those going on filled, the lately ended hollow, what was before as dots, close by."""
    going = f'{_GOING} AND coalesce("tier_eligible", 0) = 0'
    watched = f"({_CANDIDATE} AND {late(sheet)}) OR ({going})"
    return renderers.ruled(
        [
            *(
                Rule(mark.words, f'{_GOING} AND coalesce("tier_eligible", 0) = {mark.tier}', _going(mark))
                for mark in SEVERE_FIRST
                if mark.tier
            ),
            Rule("0 watch: a candidate", watched, symbol("marker", shape("circle", PAPER, SOFT_INK, 2.2, width=0.45))),
            Rule("Ended in the last 7 days, by highest tier:", _ended_lately(sheet), within=tuple(
                Rule(mark.words, f'coalesce("tier_peak", 0) = {mark.tier}', _ended(mark))
                for mark in SEVERE_FIRST if mark.tier
            )),
            Rule(
                "ended earlier", "ELSE", symbol("marker", shape("circle", SOFT_INK, PAPER, 1.5, width=0.2)),
                farthest=CLOSE,
            ),
        ],
        order=_ORDER,
    )  # fmt: skip


def _going(mark: Mark) -> ET.Element:
    return symbol("marker", *sign(mark, mark.size_mm))


def sign(mark: Mark, size: float) -> tuple[ET.Element, ...]:
    """Return a tier's sign: its shape, filled with its colour, and its number in it."""
    look = mark.look
    return (
        shape(look.shape, PAPER, PAPER, size + 1.0, width=0.1, opacity=225),
        shape(look.shape, look.colour, INK, size, width=0.45),
        letter(str(mark.tier), look.ink, size * mark.letter, size * mark.drop),
    )


def _ended(mark: Mark) -> ET.Element:
    size, look = mark.size_mm * _SMALLER, mark.look
    return symbol(
        "marker",
        shape(look.shape, PAPER, INK, size + 0.5, width=0.1),
        shape(look.shape, PAPER, look.colour, size, width=0.8),
        letter(str(mark.tier), INK, size * mark.letter, size * mark.drop),
    )


def names(sheet: Sheet) -> ET.Element:
    """Return what stands beside an incident: name, tier in words, and what is due; the severe before the light."""
    due = "'due ' || format_date(\"next_due\", 'd MMM HH:mm', 'en') || ' UTC'"
    told = (
        "\"incident_id\" || ' · ' || coalesce(\"tier_label\", '') || if(\"state\" = 'quiet', ', quiet', '') || "
        f'if("tier_effective" < "tier_eligible", \'\\nin effect: \' || "tier_effective", \'\') || '
        f"coalesce('\\n' || {due}, '')"
    )
    going = Letters(size=8.5, bold=True, halo=0.9)
    rest = Letters(size=7, colour=SOFT_INK)
    ended, watched = _ended_lately(sheet), f"{_CANDIDATE} AND {late(sheet)}"
    # Below 5 a name would be dropped wherever a line or a footprint lies under it.
    higher = '5 + coalesce("tier_peak", 0) / 2'
    return labels.ruled(
        [
            (
                "going on",
                _GOING,
                Label(told, going, distance=0.8, solid=2, priority='8.5 + coalesce("tier_eligible", 0) / 2'),
            ),
            ("ended lately", ended, Label('"incident_id"', rest, distance=0.6, solid=2, priority=higher)),
            ("candidates", watched, Label('"incident_id"', rest, distance=0.6, solid=2, priority="5")),
            (
                "earlier",
                f"NOT ({_GOING}) AND NOT ({ended}) AND NOT ({watched})",
                Label('"incident_id"', rest, distance=0.6, priority="1", farthest=NEAR),
            ),
        ]
    )


def late(sheet: Sheet) -> str:
    """Return what holds for an incident or candidate of the last 7 days."""
    return f'coalesce("last_observed", "first_observed") >= \'{_since(sheet)}\''


def _ended_lately(sheet: Sheet) -> str:
    return f'("state" = \'ended\' AND "tier_peak" > 0 AND {late(sheet)})'


def violations(sheet: Sheet) -> ET.Element:
    """Return violations by status, how well each is established: the late ones larger, and dots from afar."""
    lately = f"\"observed_to\" >= '{_since(sheet)}'"
    dots = symbol("marker", shape("circle", INK, PAPER, 1.1, width=0.1))
    return renderers.ruled(
        [
            Rule("of the last 7 days", lately, within=_by_status(1.9, CLOSE)),
            Rule("earlier", f"NOT coalesce({lately}, false)", within=_by_status(1.4, NEAR)),
            Rule("from afar: of the last 7 days, if it counts", f'"qualifying" AND {lately}', dots, nearest=CLOSE),
        ]
    )


def _by_status(size: float, farthest: int) -> tuple[Rule, ...]:
    other = symbol("marker", shape("circle", PAPER, SOFT_INK, size * 0.6, width=0.2))
    return (
        *(
            Rule(
                face.status,
                f"\"status\" = '{face.status}'",
                symbol("marker", shape(face.shape, face.fill, face.stroke, size, width=0.3)),
                farthest=farthest,
            )
            for face in FACES
        ),
        Rule("no status", '"status" IS NULL', other, farthest=farthest),
    )


def _since(sheet: Sheet) -> str:
    return f"{sheet.as_of - _LATELY:%Y-%m-%dT%H:%M:%S}"


def violation_names() -> ET.Element:
    """Return the name of a violation, close by."""
    return labels.simple(
        Label('"violation_id"', Letters(size=6.5, colour=SOFT_INK), distance=1.2, priority="1", farthest=NAMED)
    )


def reports() -> ET.Element:
    """Return reports as small crosses, so that they stand beside the violation that they are part of."""
    return renderers.single(symbol("marker", shape("cross", WATER, WATER, 2.8, width=0.3)))
