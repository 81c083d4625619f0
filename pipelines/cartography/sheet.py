"""What does a map say about itself: title, moment, knowledge, parties, extent?

The few facts that differ from one publication to the next, taken from its rows. Everything else on the map follows from
the declaration of the layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow.compute as pc
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from pipelines.intensity import Bands

_DAY: Final = timedelta(days=1)
_MARGIN: Final = 0.06  # of the map's width and height
_FEWEST_DEGREES: Final = 0.05
_ALONG: Final = ("segments", "front_line", "incident_points", "regions", "reports")  # the first that has places


class Box(NamedTuple):
    """An extent in degrees, WGS 84."""

    west: float
    south: float
    east: float
    north: float


class Region(NamedTuple):
    """An area to look at."""

    id: str
    name: str
    box: Box


@dataclass(frozen=True)
class Sheet:
    """Facts of one publication. Times are aware UTC; ``begin`` and ``end`` bound the days that can be played.

    ``bands`` are those of the raster of intensity, if there is one.
    """

    file: str
    title: str
    illustrative: bool
    scope: str
    as_of: datetime
    known_at: datetime | None
    hindsight: bool
    replay: bool
    run_id: str
    version: str
    policy: str
    head: str
    box: Box
    regions: tuple[Region, ...]
    begin: datetime
    end: datetime
    commands: str | None
    bands: Bands | None = None

    @property
    def notice(self) -> str:
        """What must be said on every output of it; empty: nothing."""
        return "ILLUSTRATIVE, without legal meaning" if self.illustrative else ""

    @property
    def heading(self) -> str:
        """Its title with the moment, in one line."""
        parts = (self.title, "" if self.scope == "whole" else self.scope, f"as of {said(self.as_of)}", self.notice)
        return " · ".join(part for part in parts if part)


def said(moment: datetime) -> str:
    """Return a moment for people."""
    return f"{moment.day} {moment:%b %Y %H:%M} UTC"


def of(rows: Mapping[str, pa.Table], file: str, commands: str | None, bands: Bands | None = None) -> Sheet:
    """Return the facts that the rows of a publication tell.

    Parameters
    ----------
    rows
        Rows of every declared table, as they stand in the file.
    file
        Name of the GeoPackage.
    commands
        Path of the file for commands, relative to it; ``None``: there is none.
    bands
        Those of the raster beside it; ``None``: there is none.
    """
    run: dict[str, Any] = rows["run"].to_pylist()[0]
    begin, end = _days(rows, run["as_of"])
    return Sheet(
        file=file,
        title=run["title"] or run["theatre"] or "Ceasefire",
        illustrative=run["standing"] != "operational",
        scope=run["scope"] or "whole",
        as_of=_utc(run["as_of"]),
        known_at=None if run["known_at"] is None else _utc(run["known_at"]),
        hindsight=bool(run["hindsight"]),
        replay=bool(run["replay"]),
        run_id=run["run_id"],
        version=run["version"] or "",
        policy=run["policy_version"] or "",
        head=run["ledger_head"] or "",
        box=_wider(_extent(rows)),
        regions=tuple(_regions(rows)),
        begin=begin,
        end=end,
        commands=commands,
        bands=bands,
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _days(rows: Mapping[str, pa.Table], as_of: datetime) -> tuple[datetime, datetime]:
    """Return the begin of the first day of any incident, and the last second of the last."""
    today = datetime.combine(_utc(as_of).date(), datetime.min.time(), UTC)
    days: list[date] = [] if "incident_days" not in rows else rows["incident_days"]["day"].drop_null().to_pylist()
    first = min((datetime.combine(day, datetime.min.time(), UTC) for day in days), default=today)
    last = max((datetime.combine(day, datetime.min.time(), UTC) for day in days), default=today)
    return first, last + _DAY - timedelta(seconds=1)


def _shapes(rows: Mapping[str, pa.Table], name: str) -> np.ndarray[Any, Any]:
    if name not in rows:
        return np.array([], object)
    return np.asarray(shapely.from_wkb(rows[name]["geometry"].drop_null().to_numpy()))


def _extent(rows: Mapping[str, pa.Table]) -> Box:
    for name in _ALONG:
        shapes = _shapes(rows, name)
        if len(shapes):
            return Box(*shapely.total_bounds(shapes).tolist())
    return Box(-180, -85, 180, 85)


def _wider(box: Box) -> Box:
    across = max((box.east - box.west) * _MARGIN, _FEWEST_DEGREES)
    up = max((box.north - box.south) * _MARGIN, _FEWEST_DEGREES)
    return Box(
        max(box.west - across, -180), max(box.south - up, -90), min(box.east + across, 180), min(box.north + up, 90)
    )


def _regions(rows: Mapping[str, pa.Table]) -> list[Region]:
    if "regions" not in rows:
        return []
    table = rows["regions"].filter(pc.is_valid(rows["regions"]["geometry"]))
    boxes = shapely.bounds(shapely.from_wkb(table["geometry"].to_numpy()))
    named = zip(table["region_id"].to_pylist(), table["name"].to_pylist(), boxes.tolist(), strict=True)
    found = [Region(region or "", name or region or "", Box(*box)) for region, name, box in named]
    return sorted(found, key=lambda region: (region.name, region.id))
