"""What does a row of a table of observers' reports say?

Where the observer stood, the ``bearing`` in which something was seen or heard, and a band of distances in kilometres,
both empty where the distance is undetermined. Otherwise it is the plain table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.fields import decimal, given, matches
from pipelines.sources.forms import Form
from pipelines.sources.places import FARTHEST_M

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.dates import Order
    from pipelines.sources.reading import Context, Sieve, Text

FORMAT: Final = "observer"
BAND: Final = ("distance_near_m", "distance_far_m")
_UNDETERMINED: Final = "^(?i)(undetermined|unknown)$"


def _derive(sieve: Sieve, _: Context, __: Order) -> Mapping[str, Text]:
    return {name: _metres(sieve, name) for name in BAND}


def _metres(sieve: Sieve, name: str) -> Text:
    said = sieve.records.text(name)
    text = pc.if_else(pa.array(~matches(said, _UNDETERMINED)), said, pa.scalar(None, pa.string()))
    km, bad = decimal(text, sieve.records.point)
    metres = km * 1000
    sentence = (
        f"{sieve.records.name(name)} says {{value}}, and must be a number of kilometres from 0 to 20000, or empty."
    )
    sieve.refuse(bad | (metres < 0) | (metres > FARTHEST_M), "distance", sentence, value=said)
    known = given(text) & ~bad & np.isfinite(metres)
    point = sieve.records.point
    stated = [
        repr(round(value, 3)).replace(".", point) if there else None
        for value, there in zip(metres.tolist(), known, strict=True)
    ]
    return pa.array(stated, pa.string())


FORM: Final = Form(
    FORMAT,
    {
        **{
            name: (name,)
            for name in (
                "source_ref", "observed_from", "observed_to", "observer_lon", "observer_lat", "bearing", "act",
                "weapon", "direction", "count", "party", "origin", "reported_at", "text", "url", "killed", "injured",
                "means", "credibility",
            )
        },
        "distance_near_m": ("distance_min_km",),
        "distance_far_m": ("distance_max_km",),
    },
    required=("observed_from", "observer_lon", "observer_lat", "bearing"),
    acts={
        "undetermined explosion": "explosion",
        "undetermined explosions": "explosion",
        "explosions": "explosion",
        "ceasefire violation": "strike",
        "small-arms fire": "small_arms",
        "heavy-machine-gun fire": "small_arms",
        "bursts": "small_arms",
        "shots": "small_arms",
        "muzzle flash": "explosion",
        "muzzle flashes": "explosion",
        "projectile in flight": "explosion",
        "projectiles in flight": "explosion",
    },
    derive=_derive,
)  # fmt: skip
read: Final = FORM.read
