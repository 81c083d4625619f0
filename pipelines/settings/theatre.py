"""Which theatre do these files describe, whole and checked?"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from geo.theatre import Party, Point, Raster, Source, Theatre, Window
from pipelines.settings import ground
from pipelines.settings.checks import check, check_covers
from pipelines.settings.declared import Declared, declare
from pipelines.settings.dialects import check_dialects, dialect
from pipelines.settings.exemptions import exemptions
from pipelines.settings.files import POLICY, THEATRE, is_raster_path, parse_toml, pointed
from pipelines.settings.gazetteer import gazetteer
from pipelines.settings.mistakes import Mistakes
from pipelines.settings.policy import read_policy
from pipelines.settings.shapes import AREAS, LINES, read_features
from pipelines.settings.supply import check_supply

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from shapely import MultiPolygon

    from geo.fronts import Baseline
    from geo.lines import CurrentLine
    from geo.zones import Zone
    from pipelines.settings.declared import PartyEntry, SourceEntry, WindowEntry


def load_theatre(files: Mapping[str, bytes], name: str) -> Theatre:
    """Return the theatre that the files describe.

    Parameters
    ----------
    files
        Relative file name to bytes, as ``read_folder`` gives them. With ``policy.toml`` among them the weapon classes
        of the zones are checked against it; without it they are taken as they are.
    name
        What the user called the theatre; it opens the error.

    Raises
    ------
    PolicyError
        With every mistake in every file, a line each.
    """
    mistakes = Mistakes(name)
    declared = _declared(files, mistakes)
    policy = read_policy(files, mistakes) if POLICY in files else None
    check(declared, policy.weapon_classes if policy else None, mistakes)
    check_dialects(declared, policy.acts if policy else None, mistakes)
    check_supply(declared, mistakes)
    baselines = _baselines(files, declared, mistakes)
    areas = _regions(files, declared, mistakes)
    if declared.regions is not None:
        check_covers(declared, areas["region_id"], mistakes)
        ground.check_near(baselines[0] if baselines else None, areas, declared.regions.file, mistakes)
    polygons = ground.polygons(files, _zone_files(declared), "zone_id", mistakes)
    lines = _lines(files, declared, mistakes)
    places = gazetteer(files, mistakes)
    rasters = _rasters(files, declared, mistakes)
    exempted = exemptions(files, declared, policy, mistakes)
    mistakes.settle()
    header = declared.header
    if header is None:
        message = "a header without mistakes is there"
        raise AssertionError(message)
    left, right = sorted((_party(party.entry) for party in declared.parties), key=lambda party: party.side)
    return Theatre(
        id=header.id,
        title=header.title,
        status=header.status,
        parties=(left, right),
        windows=tuple(_window(window.entry) for window in declared.windows),
        baselines=baselines,
        zones=_zones(declared, polygons),
        regions=areas,
        sources=tuple(_source(source.entry) for source in declared.sources),
        lines=lines,
        area=None if header.area is None else (header.area[0], header.area[1], header.area[2], header.area[3]),
        places=places,
        rasters=rasters,
        exemptions=exempted,
    )


def replace_baseline(files: Mapping[str, bytes], geojson: bytes, name: str) -> dict[str, bytes]:
    """Return the theatre's files with another first baseline; its id, segment length and date stay.

    Parameters
    ----------
    geojson
        The user's own line, WGS 84, longitude first; kept byte for byte.
    name
        Its file name, for the sentences.

    Raises
    ------
    PolicyError
        If the line cannot be used.
    """
    mistakes = Mistakes(name)
    declared = _declared(files, mistakes)
    for first in declared.baselines[:1]:
        ground.baseline(first.entry, geojson, name, mistakes)
    mistakes.settle()
    return {**files, declared.baselines[0].entry.file: geojson}


def replace_regions(files: Mapping[str, bytes], geojson: bytes, name: str) -> dict[str, bytes]:
    """Return the theatre's files with other regions.

    Parameters
    ----------
    geojson
        The user's own polygons, WGS 84, longitude first; kept byte for byte. A region's id is the first property that
        all features have of region_id, id, shapeISO, ISO, name, shapeName.
    name
        Its file name, for the sentences.

    Raises
    ------
    PolicyError
        If the regions cannot be used.
    """
    mistakes = Mistakes(name)
    declared = _declared(files, mistakes)
    features = read_features(geojson, name, AREAS, mistakes)
    if features:
        ground.regions(features, name, mistakes)
    mistakes.settle()
    regions = declared.regions
    return {**files, regions.file: geojson} if regions else dict(files)


def _declared(files: Mapping[str, bytes], mistakes: Mistakes) -> Declared:
    table = parse_toml(files, THEATRE, mistakes)
    return Declared() if table is None else declare(table, mistakes)


def _baselines(files: Mapping[str, bytes], declared: Declared, mistakes: Mistakes) -> tuple[Baseline, ...]:
    found = []
    for item in declared.baselines:
        name = item.entry.file
        if name not in files:
            ground.read_named(files, name, LINES, mistakes)
        elif (line := ground.baseline(item.entry, files[name], name, mistakes)) is not None:
            found.append(line)
    return tuple(found)


def _lines(files: Mapping[str, bytes], declared: Declared, mistakes: Mistakes) -> tuple[CurrentLine, ...]:
    found = []
    for item in declared.lines:
        name = item.entry.file
        if name not in files:
            ground.read_named(files, name, LINES, mistakes)
        elif (line := ground.current_line(item.entry, files[name], mistakes)) is not None:
            found.append(line)
    return tuple(sorted(found, key=lambda line: line.valid_from))


def _rasters(files: Mapping[str, bytes], declared: Declared, mistakes: Mistakes) -> tuple[Raster, ...]:
    found = []
    for item in declared.rasters:
        entry = item.entry
        sha256 = pointed(files.get(entry.file, b""))
        if sha256 is not None:
            found.append(Raster(entry.id, entry.kind, entry.file, entry.unit, entry.statistic, sha256))
        elif is_raster_path(entry.file):
            mistakes.add(entry.file, "", "is missing", "put it there, or correct its name in theatre.toml")
    return tuple(found)


def _regions(files: Mapping[str, bytes], declared: Declared, mistakes: Mistakes) -> gpd.GeoDataFrame:
    name = declared.regions.file if declared.regions else ""
    features = ground.read_named(files, name, AREAS, mistakes) if name else []
    return ground.regions(features, name, mistakes)


def _zone_files(declared: Declared) -> dict[str, str]:
    entries = [zone.entry for zone in declared.zones]
    return {entry.id: entry.file for entry in entries if entry.kind == "polygon" and entry.file}


def _zones(declared: Declared, polygons: Mapping[str, MultiPolygon]) -> tuple[Zone, ...]:
    first = declared.baselines[0].entry.id
    return tuple(ground.zone(zone.entry, first, polygons) for zone in declared.zones)


def _party(entry: PartyEntry) -> Party:
    return Party(entry.id, entry.name, entry.side, tuple(entry.aliases))


def _window(entry: WindowEntry) -> Window:
    return Window(entry.id, entry.start.astimezone(UTC), ground.utc(entry.end), tuple(entry.declared_by))


def _source(entry: SourceEntry) -> Source:
    return Source(
        id=entry.id,
        format=entry.format,
        trust=entry.trust,
        independence_group=entry.independence_group or entry.id,
        origin=entry.origin,
        authoritative=entry.authoritative,
        radius_m=entry.radius_m,
        time_zone=entry.time_zone,
        party=entry.party,
        place_m=tuple(entry.place_m.items()),
        covers=tuple(entry.covers),
        reliability=entry.reliability,
        rates=entry.rates,
        means=entry.means,
        copies=tuple(entry.copies),
        dialect=dialect(entry),
        per_hour=entry.per_hour,
        suspended_from=entry.suspended_from,
        points=tuple(Point(point.lon, point.lat, point.radius_m) for point in entry.points),
    )
