"""How does one page tell how things stand, to somebody who has a minute?

``page`` makes one self-contained HTML file of a run's tables: no network, no fonts, no pictures, and a policy in the
page itself that forbids them. Drawn as SVG by templates, so that colours follow the reader's light or dark, lines stay
sharp in print, and the same tables give the same bytes. Reading order: ``words → sheet → … → __init__``.
"""

# ruff: noqa: PLC0415 -- jinja2 is imported where a page is made, so that other commands do not pay for it

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from geo.names import NOWHERE
from geo.terms import TIER_LABELS
from pipelines.outcome import Changes, caveats, rows
from pipelines.page.bands import bands
from pipelines.page.board import SHOWN, lines, ordered
from pipelines.page.doubts import doubts
from pipelines.page.figures import headline
from pipelines.page.ground import ground
from pipelines.page.marks import OUTLINES
from pipelines.page.multiples import multiples
from pipelines.page.sources import voices
from pipelines.page.spells import spells
from pipelines.page.words import moment, text
from pipelines.palette import LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from jinja2 import Environment

    from geo.names import Gazetteer
    from pipelines.page.board import Line

__all__ = ["FILE", "Setting", "page"]

FILE: Final = "sitrep.html"
_UNCHANGED: Final = Changes(None, (), (), (), ())
_CROWD: Final = 300
"""Beyond how many incidents those that are over are drawn small."""
_NEWS: Final = 50
"""How many notices, and how many rows of lineage, the page lists."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What a page needs beside the tables: towns, what changed since last."""

    towns: Gazetteer = NOWHERE
    changes: Changes = _UNCHANGED


def page(content: Mapping[str, pd.DataFrame], setting: Setting) -> str:
    """Return the page of a run as HTML.

    Parameters
    ----------
    content
        Every table of ``geo.tables.TABLES`` by name, as published; ``run`` has one row.
    setting
        What else is shown.

    Returns
    -------
    str
        A whole document. Nothing of the tables is in it unescaped; it asks the network for nothing. The same input
        gives the same text.
    """
    run = next(rows(content["run"]))
    as_of = run["as_of"]
    points = ordered(content["incident_points"])
    told, found = lines(points, as_of), spells(content["transitions"], as_of)
    chart = ground(content, points, told, setting.towns)
    return _render(
        "sitrep.html.jinja",
        {
            "run": run,
            "figures": headline(content, found, as_of),
            "lines": told[:SHOWN],
            "rest": max(len(told) - SHOWN, 0),
            "due": [line for line in sorted(told, key=lambda line: (line.due, line.no)) if line.due],
            "map": chart,
            "bands": bands(content, points, told, found, as_of),
            "multiples": multiples(content, as_of),
            "changed": _changed(setting.changes, points),
            "changes": setting.changes,
            "notices": _some(content["notices"]),
            "lineage": _some(content["lineage"].sort_values("at", ascending=False, kind="stable")),
            "reviews": _some(content["reviews"]),
            "doubts": doubts(content),
            "voices": voices(content, as_of),
            "index": _index(told),
            "regions": list(rows(content["regions"][["region_id", "name"]])),
            "standing": caveats(run),
        },
        f"#map{{--k:{chart.width / 1000:g}}}",
    )


def _some(frame: pd.DataFrame) -> tuple[list[dict[str, Any]], int]:
    """Return the first rows, and how many more there are."""
    return list(rows(frame.head(_NEWS))), max(len(frame) - _NEWS, 0)


def _changed(changes: Changes, points: pd.DataFrame) -> list[tuple[str, list[tuple[str, str]]]]:
    names = dict(zip(points["incident_id"], points["name"].fillna(""), strict=True))
    return [
        (word, [(name, names.get(name, "")) for name in told])
        for word, told in (
            ("New", changes.new),
            ("Escalated", changes.escalated),
            ("Ended", changes.ended),
            ("Gone", changes.gone),
        )
    ]


def _index(told: Sequence[Line]) -> list[list[object]]:
    """Return what the page's own script shows of an incident that is pointed at."""
    return [[one.id, one.name, one.tier, one.state, one.since, one.where, one.violations] for one in told]


def _render(name: str, values: Mapping[str, Any], style: str) -> str:
    css = _environment().get_template("sitrep.css.jinja").render(looks=LOOKS) + style
    script = resources.files(__name__).joinpath("sitrep.js").read_text(encoding="utf-8")
    template = _environment().get_template(name)
    return template.render(
        **values,
        css=css,
        script=script,
        policy=_policy(css, script),
        looks=LOOKS,
        outlines=OUTLINES,
        tier_labels=TIER_LABELS,
        crowded=_CROWD,
    )


def _policy(css: str, script: str) -> str:
    """Return a policy under which nothing runs but these very words, and nothing is fetched from anywhere."""
    parts = (("style", css), ("script", script))
    hashes = [(kind, base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()) for kind, words in parts]
    allowed = " ".join(f"{kind}-src 'sha256-{mark}';" for kind, mark in hashes)
    return f"default-src 'none'; {allowed} img-src data:; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader(__name__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters.update(moment=moment, words=text)
    return made
