"""What does a row of the plain table say?

The format that anybody can write: ``source_ref, observed_from, observed_to, lon, lat, uncertainty_m, act, weapon,
direction, count, party, origin, reported_at, text, url``, ``killed, injured, means, credibility``, and for ground that
is no disc ``observer_lon, observer_lat, bearing, distance_near_m, distance_far_m`` or ``footprint``. Only
``observed_from``, ``lon`` and ``lat`` are required as columns; their order is free. A source may declare that it calls
its columns, or the acts, otherwise; sentences then name what its file has.

``act`` is a key of the policy's acts, ``strike`` where it is empty, or one of three words that are no report:
``retraction`` takes back the item ``source_ref`` (nothing else is needed), ``heartbeat`` and ``outage`` say when and
where the source could, or could not, see. These two may lack a place altogether, if the theatre says which regions the
source ``covers``: those are then meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.errors import PolicyError
from geo.terms import CREDIBILITIES, MEANS
from pipelines.settings.formats import PLAIN, SPECIAL
from pipelines.sources import dates, times, titles
from pipelines.sources.fields import count, given, whole, words
from pipelines.sources.grounds import footprints
from pipelines.sources.headers import Layout
from pipelines.sources.places import positions, radii
from pipelines.sources.reading import Sieve, literal
from pipelines.sources.records import split

if TYPE_CHECKING:
    import pandas as pd

    from geo.theatre import Source, Theatre
    from pipelines.sources.reading import Context, Mask, Reading, Records, Text

FORMAT: Final = "csv"
COLUMNS: Final = PLAIN
LAYOUT: Final = Layout(("observed_from", "lon", "lat"), COLUMNS, "observed_from", note=True)
USUAL_ACT: Final = "strike"
COVERAGE: Final = ("heartbeat", "outage")
DATED: Final = ("observed_from", "observed_to", "reported_at")


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each record of a plain CSV file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    """
    return interpret(split(data, context, LAYOUT), context)


def interpret(records: Records, context: Context) -> Reading:
    """Return what became of records that have plain columns, whatever file they came in."""
    return judge(Sieve(records), context)


def judge(sieve: Sieve, context: Context, order: dates.Order | None = None) -> Reading:
    """Return what became of a sieve's records, of which some may be refused already.

    ``order`` is that of the file's dates; ``None``: it is told here.
    """
    act, kind = _acts(sieve, context)
    retracted = np.asarray(pc.equal(kind, "retraction"))
    _named(sieve, retracted)
    order = order or dates.settle(sieve, DATED, context.source.dialect.dates)
    begin, observed_to = _observed(sieve, context.source, order, retracted)
    reports = np.asarray(pc.equal(kind, "report"))
    times.refuse_future(sieve, begin, context.received_at, reports)
    ground = footprints(sieve, context.theatre, only=~retracted)
    everywhere = np.asarray(pc.is_in(kind, pa.array(COVERAGE))) & bool(context.source.covers)
    lon, lat = positions(sieve, context.theatre, needless=retracted | everywhere | given(ground))
    reported = times.read(
        sieve, sieve.records.name("reported_at"), sieve.records.text("reported_at"), context.source, order
    )
    titles.compare(sieve, sieve.records.text("text"), (begin[2], observed_to))
    return sieve.close(
        {
            "kind": kind,
            "observed_from": begin[2],
            "observed_to": observed_to,
            "lon": lon,
            "lat": lat,
            "uncertainty_m": np.where(np.isnan(lon), np.nan, radii(sieve, context.source.radius_m)),
            "act": act,
            "domain": words(act, {name: item.domain for name, item in context.policy.acts.items()})[0],
            "weapon": pc.utf8_lower(sieve.records.text("weapon")),
            **_numbers(sieve),
            "party_claimed": _parties(sieve, context.theatre),
            # The latest reading of a coarse time: nothing was known before it can have been said.
            "reported_at": reported.last,
            "footprint": ground,
            "means": _means(sieve),
            "credibility": _credibility(sieve),
            **{name: sieve.records.text(name) for name in ("source_ref", "direction", "origin", "text", "url")},
        }
    )


def _acts(sieve: Sieve, context: Context) -> tuple[Text, Text]:
    text = sieve.records.text("act")
    known = (*context.policy.acts, *SPECIAL)
    own = {_word(word): act for word, act in context.source.dialect.acts}
    strange = sorted(set(own.values()) - set(known))
    if strange:
        msg = f"policy.toml lacks the acts {', '.join(strange)}, which source {context.source.id} states: add them"
        raise PolicyError(msg)
    usual = own.pop("", USUAL_ACT)
    plain = pc.replace_substring_regex(pc.fill_null(text, usual), pattern="[ -]", replacement="_")
    act, unknown = words(plain, {**{_word(name): name for name in known}, **own})
    listed = literal(", ".join(sorted({*known, *(word for word, _ in context.source.dialect.acts if word)})))
    sentence = f"{sieve.records.name('act')} says {{value}}, and must be one of: {listed}."
    sieve.refuse(unknown, "unknown_act", sentence, value=text)
    special = pc.is_in(act, pa.array(SPECIAL))
    return act, pc.if_else(special, act, pa.scalar("report"))


def _word(name: str) -> str:
    return name.strip().replace(" ", "_").replace("-", "_").casefold()


def _named(sieve: Sieve, retracted: Mask) -> None:
    nameless = retracted & ~given(sieve.records.text("source_ref"))
    named = sieve.records.name("source_ref")
    sieve.refuse(nameless, "no_source_ref", f"A retraction must say in {named} which item it takes back.")


def _observed(
    sieve: Sieve, source: Source, order: dates.Order, needless: Mask
) -> tuple[tuple[str, Text, times.Instants], times.Instants]:
    """Return the begin of each observation, with its name and text, and the end."""
    names = ("observed_from", "observed_to")
    begin, end = ((name, text, times.read(sieve, name, text, source, order)) for name, text in _texts(sieve, names))
    sentence = f"{begin[0]} is empty: state when it was seen, such as 2026-02-03T14:05Z, or the day alone."
    sieve.refuse(~given(begin[1]) & ~needless, "no_time", sentence)
    first, last = times.interval(sieve, begin, end)
    return (begin[0], begin[1], first), last


def _numbers(sieve: Sieve) -> dict[str, pd.Series[int]]:
    text = sieve.records.text("count")
    counts, bad = count(text)
    named = sieve.records.name("count")
    sentence = f"{named} says {{value}}, and must be a number as in 3, 2-5, ~60 or >10: correct it or leave it empty."
    sieve.refuse(bad, "count", sentence, value=text)
    return {**counts, **{name: casualties(sieve, name) for name in ("killed", "injured")}}


def casualties(sieve: Sieve, name: str) -> pd.Series[int]:
    """Return a column of people killed or injured, and refuse the rows where it is no whole number."""
    text = sieve.records.text(name)
    people, bad = whole(text)
    named = sieve.records.name(name)
    sentence = f"{named} says {{value}}, and must be a whole number of people: correct it or leave it empty."
    sieve.refuse(bad, "casualties", sentence, value=text)
    return people


def _means(sieve: Sieve) -> Text:
    text = sieve.records.text("means")
    means, unknown = words(text, {name: name for name in MEANS})
    sentence = f"{sieve.records.name('means')} says {{value}}, and must be one of: {', '.join(MEANS)}; or empty."
    sieve.refuse(unknown, "means", sentence, value=text)
    return means


def _credibility(sieve: Sieve) -> pd.Series[int]:
    text = sieve.records.text("credibility")
    grade, bad = whole(text)
    bad |= ~grade.fillna(CREDIBILITIES[0]).isin(CREDIBILITIES).to_numpy(bool)
    named = sieve.records.name("credibility")
    sentence = f"{named} says {{value}}, and must be a number from 1 (confirmed) to 6 (cannot be judged); or empty."
    sieve.refuse(bad, "credibility", sentence, value=text)
    return grade


def _parties(sieve: Sieve, theatre: Theatre) -> Text:
    text = sieve.records.text("party")
    party, unknown = words(
        text, {name.casefold(): side.id for side in theatre.parties for name in (*side.aliases, side.name, side.id)}
    )
    listed = literal(" or ".join(side.id for side in theatre.parties))
    named = sieve.records.name("party")
    sentence = (
        f"{named} says {{value}}, and must be {listed}, or a name or alias of one of them in theatre.toml; or empty."
    )
    sieve.refuse(unknown, "unknown_party", sentence, value=text)
    return party


def _texts(sieve: Sieve, names: tuple[str, ...]) -> list[tuple[str, Text]]:
    return [(sieve.records.name(name), sieve.records.text(name)) for name in names]
