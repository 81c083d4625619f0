"""Which ceasefire is watched: its parties, windows, lines, zones, regions and sources?

Values only. Reading a theatre from its folder and checking it whole is the business of ``pipelines.settings``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from geo.names import NOWHERE

if TYPE_CHECKING:
    from datetime import datetime

    import geopandas as gpd

    from geo.exemptions import Exemption
    from geo.fronts import Baseline
    from geo.lines import CurrentLine
    from geo.names import Gazetteer
    from geo.policy import Means, Reliability, Trust
    from geo.zones import Zone

    DateOrder = Literal["iso", "day-first", "month-first", "judged"]


@dataclass(frozen=True)
class Party:
    """One side of the ceasefire; ``aliases`` are other spellings that reports may use (compared without case)."""

    id: str
    name: str
    side: Literal["left", "right"]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Window:
    """A ceasefire in force from ``start`` (inclusive) to ``end`` (exclusive; ``None``: open), aware UTC."""

    id: str
    start: datetime
    end: datetime | None
    declared_by: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """How a source writes its tables, where that is not the plain way.

    ``separator`` stands between fields (``None``: told by the header line). ``encoding`` is a code page (``None``:
    UTF-8, or UTF-16 with its byte order mark), ``decimal`` the decimal sign, ``dates`` the order of day and month in
    what is not ISO 8601 (``judged``: by the evidence of each file). ``columns`` holds (plain column, the source's own
    ones, joined by a space), ``acts`` (the source's word, act of the policy), ``drop`` columns that are never kept.
    ``ended``: whether the last line has an end, so that one without it was cut.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str = "."
    dates: DateOrder = "iso"
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    acts: tuple[tuple[str, str], ...] = ()
    drop: tuple[str, ...] = ()
    ended: bool = True


class Point(NamedTuple):
    """A point that its source uses for all the ground within ``radius_m``, WGS 84 degrees and metres."""

    lon: float
    lat: float
    radius_m: float


@dataclass(frozen=True)
class Source:
    """Where reports come from and what they are worth.

    ``origin`` says who counts as having seen it: ``source`` (every row has one origin, the independence group) or
    ``column`` (the row's own ``origin``; the independence group where the row has none). ``authoritative``: whether
    the source may revise its own items; otherwise other content under the same id is a conflict. ``time_zone`` is the
    IANA zone of naive times; ``None``: naive times are refused. ``radius_m`` is used where a row states no radius;
    ``place_m`` gives the radius of each place-precision code.
    ``covers`` are the regions that it means where it says when it could see, or could not, and not where.

    ``reliability`` is the source's, A to F in the terms of NATO AJP-2.1 (F: cannot be judged); ``rates``: whether its
    rows may say how credible they are. ``means``: how it observes where a row does not say (``None``: not known).
    ``copies``: sources of which it is never independent, because it repeats what they say. ``dialect``: how it writes.

    ``per_hour``: how many rows of it are taken in an hour, the surplus waiting in quarantine (``None``: no cap).
    ``suspended_from``: what becomes known from then on, aware UTC, counts as the public's, and changes or takes back
    nothing of what it had said before (``None``: it is trusted).

    ``points``: what it puts on these points is known no closer than they say, whatever its rows state.
    """

    id: str
    format: str
    trust: Trust
    independence_group: str
    origin: Literal["source", "column"]
    authoritative: bool
    radius_m: float
    time_zone: str | None = None
    party: str | None = None
    place_m: tuple[tuple[str, float], ...] = ()
    covers: tuple[str, ...] = ()
    reliability: Reliability = "F"
    rates: bool = False
    means: Means | None = None
    copies: tuple[str, ...] = ()
    dialect: Dialect = Dialect()
    per_hour: int | None = None
    suspended_from: datetime | None = None
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Raster:
    """A raster that says something of every place; ``file`` is relative to the theatre's folder, or absolute.

    Cells of ``heat_sources`` are permanent sources of heat where above 0. ``statistic`` is what is published of a
    footprint: the ``sum`` of its cells (values are counts a cell), their ``mean``, or the ``majority`` class; ``None``
    for ``heat_sources``. ``sha256`` is the file's, hex.
    """

    id: str
    kind: Literal["population", "land_cover", "heat_sources"]
    file: str
    unit: str
    statistic: Literal["sum", "mean", "majority"] | None
    sha256: str


@dataclass(frozen=True, eq=False)
class Theatre:
    """One ceasefire, whole. ``parties`` are (left, right); ``regions`` has columns region_id, name, geometry (WGS 84).

    ``baselines[0]`` is the one whose segments and chainages are published. ``area`` (west, south, east, north, degrees)
    is ground beyond the lines and regions from which reports may still come, such as a whole country. ``lines`` are the
    current lines in order of date and then of arrival; ``places`` those after which people name others.
    """

    id: str
    title: str
    status: Literal["illustrative", "operational"]
    parties: tuple[Party, Party]
    windows: tuple[Window, ...]
    baselines: tuple[Baseline, ...]
    zones: tuple[Zone, ...]
    regions: gpd.GeoDataFrame
    sources: tuple[Source, ...]
    lines: tuple[CurrentLine, ...] = ()
    area: tuple[float, float, float, float] | None = None
    places: Gazetteer = NOWHERE
    rasters: tuple[Raster, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    def source(self, source_id: str) -> Source | None:
        """Return the declared source of that id, or ``None``."""
        return next((source for source in self.sources if source.id == source_id), None)

    @property
    def suspended(self) -> dict[str, datetime]:
        """Sources that are trusted no more, each with the moment of knowledge (aware UTC) from which on."""
        return {source.id: source.suspended_from for source in self.sources if source.suspended_from is not None}
