"""How does a test read a file of one or a few rows?"""

from __future__ import annotations

import csv
import dataclasses
import io
from typing import TYPE_CHECKING, Any

import builders

from geo.theatre import Source
from pipelines.sources import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd

    from geo.theatre import Theatre
    from pipelines.sources import Reading

POLICY = builders.policy(**{"acts.clash": {"family": "any", "domain": "land", "prohibited": "everywhere"}})
THEATRE = builders.theatre()
GOOD = {"observed_from": "2026-02-03T14:05Z", "lon": "37.5", "lat": "48.1"}


def source(form: str = "csv", zone: str | None = "Europe/Kyiv", **more: Any) -> Source:  # noqa: ANN401 -- any field
    """Return a source of that format."""
    return Source("s1", form, "media", "s1", "source", authoritative=True, radius_m=500.0, time_zone=zone, **more)


def table(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return rows as CSV with the columns that any of them has."""
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def reading(data: bytes, origin: Source | None = None, theatre: Theatre = THEATRE) -> Reading:
    """Return what became of a file."""
    return read(data, origin or source(), theatre, POLICY, "file.csv")


def one(by: Source | None = None, theatre: Theatre = THEATRE, **cells: str) -> pd.Series:
    """Return what became of one good row with these cells changed: its intake row, or its refusal."""
    result = reading(table([{**GOOD, **cells}]), by, theatre)
    assert len(result.intake) + len(result.refused) == 1
    return (result.intake if len(result.intake) else result.refused).iloc[0]


def nowhere(regions: gpd.GeoDataFrame | None = None) -> Theatre:
    """Return a theatre without a baseline, and without regions if none are given."""
    bare = builders.boxes().iloc[:0] if regions is None else regions
    return dataclasses.replace(THEATRE, baselines=(), regions=bare)
