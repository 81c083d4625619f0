"""Which lines, zones and regions do the files of a theatre draw?"""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import shapely
from shapely.geometry import MultiLineString, MultiPolygon

from geo.crs import WGS84
from geo.errors import PolicyError
from geo.fronts import Baseline
from geo.lines import CurrentLine, tidy
from geo.zones import Zone
from pipelines.settings.shapes import AREAS, LINES, read_features

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipelines.settings.declared import BaselineEntry, LineEntry, ZoneEntry
    from pipelines.settings.mistakes import Mistakes
    from pipelines.settings.shapes import Feature

REGION_IDS: Final = ("region_id", "id", "shapeISO", "ISO", "name", "shapeName")
_REGION_NAMES: Final = ("name", "shapeName")
_NEAR_DEG: Final = 3.0
_LONGEST_ID: Final = 80
_NO_NAME: Final = '/\\:*?"<>|'


def read_named(files: Mapping[str, bytes], name: str, kinds: tuple[str, ...], mistakes: Mistakes) -> list[Feature]:
    """Return the features of one of the theatre's files, or none with the mistake noted."""
    if name not in files:
        mistakes.add(name, "", "is missing", "put it into the folder, or correct its name in theatre.toml")
        return []
    return read_features(files[name], name, kinds, mistakes)


def read_lines(data: bytes, file: str, mistakes: Mistakes) -> MultiLineString | None:
    """Return the lines of a file, in its order, as one shape; ``None`` when nothing can be read."""
    features = read_features(data, file, LINES, mistakes)
    parts = [part for feature in features for part in shapely.get_parts(feature.geometry)]
    return MultiLineString(parts) if parts else None


def baseline(entry: BaselineEntry, data: bytes, file: str, mistakes: Mistakes) -> Baseline | None:
    """Return the baseline that ``data`` draws, or ``None`` with the mistakes noted."""
    shape = read_lines(data, file, mistakes)
    if shape is None:
        return None
    try:
        return Baseline.build(
            entry.id, shape, segment_length_m=entry.segment_length_m, valid_from=entry.valid_from.astimezone(UTC)
        )
    except PolicyError as error:
        mistakes.quote(file, str(error))
        return None


def current_line(entry: LineEntry, data: bytes, mistakes: Mistakes) -> CurrentLine | None:
    """Return the dated line that ``data`` draws, or ``None`` with the mistakes noted."""
    shape = read_lines(data, entry.file, mistakes)
    if shape is None:
        return None
    if not tidy(shape):
        mistakes.add(entry.file, "", "has no length: every part of it is one place", "draw it, or remove its entry")
        return None
    return CurrentLine(entry.valid_from.astimezone(UTC), entry.source, shape)


def regions(features: list[Feature], file: str, mistakes: Mistakes) -> gpd.GeoDataFrame:
    """Return the regions, sorted by id: columns region_id, name, geometry (MultiPolygon, WGS 84).

    The id is the first of ``REGION_IDS`` that every feature has; ids are unique (without regard to case) and can name
    a folder.
    """
    key = next((key for key in REGION_IDS if all(_text(f, key) for f in features)), None)
    if key is None:
        wrong = "has no property that every feature has and that could be the region's id"
        mistakes.add(file, "", wrong, f"give each feature one of: {', '.join(REGION_IDS)}")
        features = []
    ids = [_text(feature, str(key)) for feature in features]
    _check_ids(features, ids, file, mistakes)
    names = [_region_name(feature, region) for feature, region in zip(features, ids, strict=True)]
    shapes = [feature.geometry for feature in features]
    frame = gpd.GeoDataFrame({"region_id": ids, "name": names}, geometry=gpd.GeoSeries(shapes, crs=WGS84), crs=WGS84)
    frame = frame.astype({"region_id": "str", "name": "str"})
    return frame.sort_values("region_id", ignore_index=True)


def _region_name(feature: Feature, region_id: str) -> str:
    stated = (_text(feature, key) for key in _REGION_NAMES)
    return next(filter(None, stated), region_id)


def _text(feature: Feature, key: str) -> str:
    value = feature.properties.get(key)
    usable = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if usable else ""


def _check_ids(features: list[Feature], ids: list[str], file: str, mistakes: Mistakes) -> None:
    counts = Counter(name.casefold() for name in ids)
    for feature, name in zip(features, ids, strict=True):
        where = f"feature {feature.number}"
        if counts[name.casefold()] > 1:
            mistakes.add(file, where, f"region id {name!r} stands twice", "give each an id of its own")
        if not _names_folder(name):
            todo = f"use none of {' '.join(_NO_NAME)}, no dot at either end and at most {_LONGEST_ID} characters"
            mistakes.add(file, where, f"region id {name!r} cannot name a folder", todo)


def _names_folder(name: str) -> bool:
    plain = name.isprintable() and not set(name) & set(_NO_NAME) and name == name.strip(".")
    return plain and len(name) <= _LONGEST_ID


def check_near(first: Baseline | None, areas: gpd.GeoDataFrame, file: str, mistakes: Mistakes) -> None:
    """Note a baseline that lies far from every region: most often its axes are swapped."""
    if first is None or areas.empty:
        return
    bounds = shapely.box(*first.segments.total_bounds).buffer(_NEAR_DEG)
    if not areas.intersects(bounds).any():
        west, south, east, north = first.segments.total_bounds
        wrong = f"no region lies near the baseline ({west:.1f} to {east:.1f} E, {south:.1f} to {north:.1f} N)"
        mistakes.add(file, "", wrong, "swap the axes if latitude came first, or give regions of that area")


def zone(entry: ZoneEntry, first_baseline: str, polygons: Mapping[str, MultiPolygon]) -> Zone:
    """Return the zone that an entry declares; a band without a baseline lies along the first."""
    band = entry.kind == "band"
    return Zone(
        id=entry.id,
        kind=entry.kind,
        baseline_id=(entry.baseline or first_baseline) if band else entry.baseline,
        side=entry.side,
        depth_m=entry.depth_m,
        geometry=None if band else polygons[entry.id],
        weapons=None if entry.weapons is None else frozenset(entry.weapons),
        party=entry.party,
        rule=entry.rule,
        valid_from=utc(entry.valid_from),
        valid_to=utc(entry.valid_to),
        forbids=entry.forbids,
    )


def utc(at: datetime | None) -> datetime | None:
    """Return the same instant in UTC."""
    return None if at is None else at.astimezone(UTC)


def polygons(
    files: Mapping[str, bytes], names: Mapping[str, str], key: str, mistakes: Mistakes
) -> dict[str, MultiPolygon]:
    """Return the ground of each id: the features of its file whose property ``key`` is that id, joined.

    Parameters
    ----------
    names
        Id to file name.
    """
    read = {name: read_named(files, name, AREAS, mistakes) for name in sorted(set(names.values()))}
    found = {}
    for own, name in names.items():
        shapes = [feature.geometry for feature in read[name] if _text(feature, key) == own]
        if shapes:
            merged = shapely.union_all(shapes)
            found[own] = MultiPolygon(list(shapely.get_parts(merged)))
        elif name in files:
            todo = f"give the feature that property, or correct the id of the {key.removesuffix('_id')}"
            mistakes.add(name, "", f"has no feature whose {key} is {own!r}", todo)
    return found
