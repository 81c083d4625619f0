"""What does a row of the plain table say?

The format that anybody can write: ``source_ref, observed_from, observed_to, lon, lat, uncertainty_m, act, weapon,
direction, count, party, origin, reported_at, text, url``, ``killed, injured, means, credibility``, and for ground that
is no disc ``observer_lon, observer_lat, bearing, distance_near_m, distance_far_m`` or ``footprint``. Only
``observed_from``, ``lon`` and ``lat`` are required as columns; their order is free.

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

from geo.terms import CREDIBILITIES, MEANS
from pipelines.sources import times
from pipelines.sources.fields import count, given, whole, words
from pipelines.sources.grounds import footprints
from pipelines.sources.places import positions, radii
from pipelines.sources.reading import Sieve, literal
from pipelines.sources.records import Layout, split

if TYPE_CHECKING:
    import pandas as pd

    from geo.policy import Policy
    from geo.theatre import Source, Theatre
    from pipelines.sources.reading import Context, Mask, Reading, Records, Text

FORMAT: Final = "csv"
COLUMNS: Final = (
    "source_ref", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "act", "weapon", "direction", "count",
    "party", "origin", "reported_at", "text", "url", "killed", "injured", "observer_lon", "observer_lat", "bearing",
    "distance_near_m", "distance_far_m", "footprint", "means", "credibility",
)  # fmt: skip
LAYOUT: Final = Layout(("observed_from", "lon", "lat"), COLUMNS, "observed_from", note=True)
USUAL_ACT: Final = "strike"
COVERAGE: Final = ("heartbeat", "outage")
SPECIAL: Final = ("retraction", *COVERAGE)


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each record of a plain CSV file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    """
    return interpret(split(data, context.file_name, LAYOUT), context)


def interpret(records: Records, context: Context) -> Reading:
    """Return what became of records that have plain columns, whatever file they came in."""
    sieve = Sieve(records)
    act, kind = _acts(sieve, context.policy)
    retracted = np.asarray(pc.equal(kind, "retraction"))
    _named(sieve, retracted)
    observed_from, observed_to = _observed(sieve, context.source, retracted)
    ground = footprints(sieve, context.theatre, only=~retracted)
    everywhere = np.asarray(pc.is_in(kind, pa.array(COVERAGE))) & bool(context.source.covers)
    lon, lat = positions(sieve, context.theatre, needless=retracted | everywhere | given(ground))
    reported = times.read(sieve, "reported_at", records.text("reported_at"), context.source)
    return sieve.close(
        {
            "kind": kind,
            "observed_from": observed_from,
            "observed_to": observed_to,
            "lon": lon,
            "lat": lat,
            "uncertainty_m": np.where(np.isnan(lon), np.nan, radii(sieve, context.source.radius_m)),
            "act": act,
            "domain": words(act, {name: item.domain for name, item in context.policy.acts.items()})[0],
            "weapon": pc.utf8_lower(records.text("weapon")),
            **_numbers(sieve),
            "party_claimed": _parties(sieve, context.theatre),
            # The latest reading of a coarse time: nothing was known before it can have been said.
            "reported_at": reported.last,
            "footprint": ground,
            "means": _means(sieve),
            "credibility": _credibility(sieve),
            **{name: records.text(name) for name in ("source_ref", "direction", "origin", "text", "url")},
        }
    )


def _acts(sieve: Sieve, policy: Policy) -> tuple[Text, Text]:
    text = sieve.records.text("act")
    plain = pc.replace_substring_regex(pc.fill_null(text, USUAL_ACT), pattern="[ -]", replacement="_")
    known = (*policy.acts, *SPECIAL)
    act, unknown = words(plain, {name.replace(" ", "_").replace("-", "_").casefold(): name for name in known})
    listed = literal(", ".join(sorted(known)))
    sieve.refuse(unknown, "unknown_act", f"act says {{value}}, and must be one of: {listed}.", value=text)
    special = pc.is_in(act, pa.array(SPECIAL))
    return act, pc.if_else(special, act, pa.scalar("report"))


def _named(sieve: Sieve, retracted: Mask) -> None:
    nameless = retracted & ~given(sieve.records.text("source_ref"))
    sieve.refuse(nameless, "no_source_ref", "A retraction must say in source_ref which item it takes back.")


def _observed(sieve: Sieve, source: Source, needless: Mask) -> tuple[times.Instants, times.Instants]:
    names = ("observed_from", "observed_to")
    begin, end = ((name, text, times.read(sieve, name, text, source)) for name, text in _texts(sieve, names))
    sentence = "observed_from is empty: state when it was seen, such as 2026-02-03T14:05Z, or the day alone."
    sieve.refuse(~given(begin[1]) & ~needless, "no_time", sentence)
    return times.interval(sieve, begin, end)


def _numbers(sieve: Sieve) -> dict[str, pd.Series[int]]:
    text = sieve.records.text("count")
    counts, bad = count(text)
    sentence = "count says {value}, and must be a number as in 3, 2-5, ~60 or >10: correct it or leave it empty."
    sieve.refuse(bad, "count", sentence, value=text)
    return {**counts, **{name: casualties(sieve, name) for name in ("killed", "injured")}}


def casualties(sieve: Sieve, name: str) -> pd.Series[int]:
    """Return a column of people killed or injured, and refuse the rows where it is no whole number."""
    text = sieve.records.text(name)
    people, bad = whole(text)
    sentence = f"{name} says {{value}}, and must be a whole number of people: correct it or leave it empty."
    sieve.refuse(bad, "casualties", sentence, value=text)
    return people


def _means(sieve: Sieve) -> Text:
    text = sieve.records.text("means")
    means, unknown = words(text, {name: name for name in MEANS})
    sentence = f"means says {{value}}, and must be one of: {', '.join(MEANS)}; or empty."
    sieve.refuse(unknown, "means", sentence, value=text)
    return means


def _credibility(sieve: Sieve) -> pd.Series[int]:
    text = sieve.records.text("credibility")
    grade, bad = whole(text)
    bad |= ~grade.fillna(CREDIBILITIES[0]).isin(CREDIBILITIES).to_numpy(bool)
    sentence = "credibility says {value}, and must be a number from 1 (confirmed) to 6 (cannot be judged); or empty."
    sieve.refuse(bad, "credibility", sentence, value=text)
    return grade


def _parties(sieve: Sieve, theatre: Theatre) -> Text:
    text = sieve.records.text("party")
    party, unknown = words(
        text, {name.casefold(): side.id for side in theatre.parties for name in (*side.aliases, side.name, side.id)}
    )
    listed = literal(" or ".join(side.id for side in theatre.parties))
    sentence = (
        f"party says {{value}}, and must be {listed}, or a name or alias of one of them in theatre.toml; or empty."
    )
    sieve.refuse(unknown, "unknown_party", sentence, value=text)
    return party


def _texts(sieve: Sieve, names: tuple[str, ...]) -> list[tuple[str, Text]]:
    return [(name, sieve.records.text(name)) for name in names]
