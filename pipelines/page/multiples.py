"""How does each region compare, day by day?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from pipelines.outcome import rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

DAYS: Final = 14
TALL: Final = 40
_WIDE: Final = 10


class Bar(NamedTuple):
    """The violations of one span of 24 hours, as a bar whose foot is at ``TALL``."""

    x: int
    y: float
    height: float
    number: int


class Small(NamedTuple):
    """One region: its bars of ``DAYS`` spans of 24 hours, the last one ending at ``as_of``."""

    id: str
    name: str
    tier: int
    today: int
    yesterday: int
    week: int
    bars: list[Bar]


class Multiples(NamedTuple):
    """The regions in which something began, on one scale up to ``most`` a day; the names of those that were quiet."""

    shown: list[Small]
    quiet: list[str]
    most: int


def multiples(content: Mapping[str, pd.DataFrame], as_of: pd.Timestamp) -> Multiples:
    """Return the regions, those with most violations of the last week first."""
    found = content["violations"]
    counted = found[found["qualifying"].astype(bool) & found["region_id"].notna()]
    ago = (as_of - counted["observed_from"]).dt.days
    counts = pd.crosstab(counted["region_id"], ago).reindex(columns=range(DAYS), fill_value=0)
    regions = content["regions"].sort_values(["violations_7d", "region_id"], ascending=[False, True])
    there = regions["region_id"].isin(counts.index[counts.sum(axis=1) > 0]) | (regions["tier_24h"].fillna(0) > 0)
    most = int(counts.to_numpy().max()) if counts.size else 0
    days = {str(region): [int(n) for n in each] for region, each in zip(counts.index, counts.to_numpy(), strict=True)}
    shown = [_small(row, days.get(row["region_id"], [0] * DAYS), max(most, 1)) for row in rows(regions[there])]
    return Multiples(shown, regions.loc[~there, "name"].tolist(), most)


def _small(row: dict[str, Any], counts: list[int], most: int) -> Small:
    bars = [
        Bar((DAYS - 1 - ago) * _WIDE, round(TALL - TALL * n / most, 1), round(TALL * n / most, 1), n)
        for ago, n in enumerate(counts)
    ]
    return Small(
        id=row["region_id"],
        name=row["name"],
        tier=int(row["tier_24h"] or 0),
        today=counts[0],
        yesterday=counts[1],
        week=int(row["violations_7d"]),
        bars=bars[::-1],
    )
