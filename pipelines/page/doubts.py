"""What is not known: which rows were refused, and where could nobody see?"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

import shapely

from pipelines.outcome import rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import pandas as pd

EXAMPLES: Final = 20
WORDS: Final = {
    "declared": "watched throughout",
    "partly": "watched in part",
    "assumed": "nothing declared: quiet is only assumed",
    "unseen": "declared unseen: no data is not quiet",
}


class Refused(NamedTuple):
    """Refused rows of one source for one reason."""

    source: str
    reason: str
    number: int


class Gap(NamedTuple):
    """A stretch of the line by how it was watched in the last 24 hours, chainages in kilometres."""

    from_km: float
    to_km: float
    coverage: str
    words: str
    covered_h: float
    violations: int


class Spot(NamedTuple):
    """A point (degrees) that a source used on many days; ``radius_m`` is the least that its reports state, metres."""

    source: str
    lon: float
    lat: float
    reports: int
    days: int
    radius_m: float


class Doubts(NamedTuple):
    """What the page says of its own limits; ``shares`` are shares of the line's length, in percent."""

    refused: list[Refused]
    examples: list[dict[str, Any]]
    gaps: list[Gap]
    shares: list[tuple[str, str, int]]
    spots: list[Spot]


def doubts(content: Mapping[str, pd.DataFrame]) -> Doubts:
    """Return refused rows, gaps of coverage and points that may stand for more ground."""
    quarantine, segments = content["quarantine"], content["segments"]
    quarantine = quarantine[quarantine["released_no"].isna()]
    counts = Counter(zip(quarantine["source"].fillna(""), quarantine["reason_code"].fillna(""), strict=True))
    return Doubts(
        [Refused(source, reason, number) for (source, reason), number in sorted(counts.items())],
        list(rows(quarantine.head(EXAMPLES))),
        list(_gaps(segments)),
        _shares(segments),
        _spots(content["reports"]),
    )


def _spots(reports: pd.DataFrame) -> list[Spot]:
    """Return the points with most reports first, then by source and place."""
    told = reports.loc[reports["same_point_days"].notna()]
    places = shapely.get_coordinates(told["geometry"])
    told = told.assign(lon=places[:, 0], lat=places[:, 1], reports=1)
    each = told.groupby(["source", "lon", "lat"], as_index=False)
    least = each.agg({"reports": "sum", "same_point_days": "first", "uncertainty_m": "min"})
    found = [Spot(*spot) for spot in zip(*(least[name].tolist() for name in least), strict=True)]
    return sorted(found, key=lambda spot: (-spot.reports, spot))


def _gaps(segments: pd.DataFrame) -> list[Gap]:
    told = zip(
        segments["coverage_24h"].fillna("assumed"),
        segments["chainage_from_m"],
        segments["chainage_to_m"],
        segments["covered_h_24h"].fillna(0.0),
        segments["violations_24h"].fillna(0),
        strict=True,
    )
    found = []
    for word, run in groupby(told, key=lambda one: one[0]):
        held = list(run)
        hours = sum(each[3] for each in held) / len(held)
        found.append(
            Gap(held[0][1] / 1000, held[-1][2] / 1000, word, WORDS[word], hours, int(sum(each[4] for each in held)))
        )
    return found


def _shares(segments: pd.DataFrame) -> list[tuple[str, str, int]]:
    lengths = (segments["chainage_to_m"] - segments["chainage_from_m"]).groupby(
        segments["coverage_24h"].fillna("assumed")
    )
    total = max(float(lengths.sum().sum()), 1.0)
    by_word = {str(word): float(metres) for word, metres in lengths.sum().items()}
    return [(word, words, round(100 * by_word[word] / total)) for word, words in WORDS.items() if word in by_word]
