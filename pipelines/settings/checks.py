"""Do the entries of a ``theatre.toml`` fit together?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pipelines.settings.files import THEATRE, is_raster_path
from pipelines.settings.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipelines.settings.declared import At, Declared, RasterEntry, SourceEntry, ZoneEntry
    from pipelines.settings.mistakes import Mistakes

STATISTICS: Final = {"population": ("sum", "mean"), "land_cover": ("majority",), "heat_sources": ()}
_SIDES: Final = ["left", "right"]


def check(declared: Declared, weapon_classes: frozenset[str] | None, mistakes: Mistakes) -> None:
    """Note every contradiction between the entries.

    Parameters
    ----------
    weapon_classes
        What the policy knows; ``None``: no policy at hand, weapon classes are then taken as they are.
    """
    _check_unique(declared, mistakes)
    _check_parties(declared, mistakes)
    _check_windows(declared, mistakes)
    for zone in declared.zones:
        _check_zone(zone, declared, weapon_classes, mistakes)
    for source in declared.sources:
        _check_source(source, declared, mistakes)
        _check_lineage(source, declared, mistakes)
    for raster in declared.rasters:
        _check_raster(raster, mistakes)


def _check_unique(declared: Declared, mistakes: Mistakes) -> None:
    for section, ids in declared.ids.items():
        for name in _twice(ids):
            mistakes.add(THEATRE, f"[[{section}]] {name}", "stands twice", "give each entry an id of its own")


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _check_parties(declared: Declared, mistakes: Mistakes) -> None:
    parties = [party.entry for party in declared.parties]
    if declared.ids.get("parties") and len(parties) == len(declared.ids["parties"]):
        sides = sorted(party.side for party in parties)
        if sides != _SIDES:
            todo = "give exactly two parties, one left and one right"
            mistakes.add(THEATRE, "[[parties]]", f"the sides are {' and '.join(sides)}", todo)
    spellings = [name for party in parties for name in {s.casefold() for s in (party.id, party.name, *party.aliases)}]
    for name in _twice(spellings):
        mistakes.add(THEATRE, "[[parties]]", f"two parties are called {name!r}", "leave the spelling to one of them")


def _check_windows(declared: Declared, mistakes: Mistakes) -> None:
    for window in declared.windows:
        _check_order(window.where, "end", window.entry.start, window.entry.end, mistakes)
        for party in window.entry.declared_by:
            _check_known(f"{window.where} declared_by", "party", party, declared.ids.get("parties", []), mistakes)
        for party in _twice(window.entry.declared_by):
            mistakes.add(THEATRE, f"{window.where} declared_by", f"names {party!r} twice", "name it once")


def _check_order(where: str, key: str, start: datetime | None, end: datetime | None, mistakes: Mistakes) -> None:
    if start is not None and end is not None and end <= start:
        wrong = f"{end.isoformat()} is not after the start, {start.isoformat()}"
        mistakes.add(THEATRE, f"{where} {key}", wrong, "give a later one, or leave it out if it is open")


def _check_known(where: str, what: str, name: str, known: Iterable[str], mistakes: Mistakes) -> None:
    if name not in known:
        choice = ", ".join(sorted(known)) or "none"
        mistakes.add(THEATRE, where, f"{name!r} is no known {what}", f"use one of: {choice}")


def _check_zone(zone: At[ZoneEntry], declared: Declared, classes: frozenset[str] | None, mistakes: Mistakes) -> None:
    where, entry = zone.where, zone.entry
    needed, barred = ("depth_m", "file") if entry.kind == "band" else ("file", "depth_m")
    if getattr(entry, needed) is None:
        mistakes.add(THEATRE, f"{where} {needed}", f"is missing, which a {entry.kind} needs", "add it")
    if getattr(entry, barred) is not None:
        mistakes.add(THEATRE, f"{where} {barred}", f"has no meaning for a {entry.kind}", "remove it")
    if entry.baseline is not None:
        _check_known(f"{where} baseline", "baseline", entry.baseline, declared.ids.get("baselines", []), mistakes)
    if entry.party is not None:
        _check_known(f"{where} party", "party", entry.party, declared.ids.get("parties", []), mistakes)
    for name in entry.weapons or () if classes is not None else ():
        _check_known(f"{where} weapons", "weapon class of the policy", name, classes or (), mistakes)
    _check_order(where, "valid_to", entry.valid_from, entry.valid_to, mistakes)


def _check_source(source: At[SourceEntry], declared: Declared, mistakes: Mistakes) -> None:
    where, entry = source.where, source.entry
    _check_known(f"{where} format", "format", entry.format, FORMATS, mistakes)
    if entry.trust == "party" and entry.party is None:
        wrong = "is missing, which trust 'party' needs"
        mistakes.add(THEATRE, f"{where} party", wrong, "name the party that it speaks for")
    if entry.trust == "party" and entry.origin == "column":
        wrong = "is 'column', but a party speaks for nobody else"
        mistakes.add(THEATRE, f"{where} origin", wrong, "set it to 'source'")
    if entry.trust != "party" and entry.party is not None:
        wrong = f"is given, but the trust is {entry.trust!r}"
        mistakes.add(THEATRE, f"{where} party", wrong, "remove it, or set trust to 'party'")
    if entry.party is not None:
        _check_known(f"{where} party", "party", entry.party, declared.ids.get("parties", []), mistakes)
    if entry.time_zone is not None and not _is_zone(entry.time_zone):
        wrong = f"{entry.time_zone!r} is no known time zone"
        mistakes.add(THEATRE, f"{where} time_zone", wrong, "give an IANA name, such as Europe/Kyiv")
    points = Counter((point.lon, point.lat) for point in entry.points)
    for lon, lat in [at for at, count in points.items() if count > 1]:
        mistakes.add(THEATRE, f"{where} points", f"{lon}, {lat} stands twice", "say once what it stands for")


def check_covers(declared: Declared, regions: Iterable[str], mistakes: Mistakes) -> None:
    """Note the sources that cover a region which the theatre does not have."""
    known = list(regions)
    for source in declared.sources if known else ():  # a file of regions that cannot be read is a mistake of its own
        for name in source.entry.covers:
            _check_known(f"{source.where} covers", "region", name, known, mistakes)


def _check_lineage(source: At[SourceEntry], declared: Declared, mistakes: Mistakes) -> None:
    where, entry = source.where, source.entry
    direct = {other.entry.id: other.entry.copies for other in declared.sources}
    for name in entry.copies:
        _check_known(f"{where} copies", "source", name, declared.ids.get("sources", []), mistakes)
    trail = list(entry.copies)
    for name in trail:  # grows while it is walked
        trail.extend(far for far in direct.get(name, []) if far not in trail)
    if entry.id in trail:
        wrong = "comes back to the source itself"
        mistakes.add(THEATRE, f"{where} copies", wrong, "say of two sources only which one repeats the other")
    if entry.rates and entry.trust == "public":
        wrong = "is true, but nobody in the crowd can say how credible a report is"
        mistakes.add(THEATRE, f"{where} rates", wrong, "remove it, or give the source another trust")


def _check_raster(raster: At[RasterEntry], mistakes: Mistakes) -> None:
    where, entry = raster.where, raster.entry
    if not is_raster_path(entry.file):
        todo = "give a path inside the theatre's folder, or an absolute one"
        mistakes.add(THEATRE, f"{where} file", f"{entry.file!r} is neither", todo)
    known = STATISTICS[entry.kind]
    if entry.statistic is None and known:
        mistakes.add(THEATRE, f"{where} statistic", "is missing", f"add it: {' or '.join(known)}")
    elif entry.statistic is not None and entry.statistic not in known:
        wrong = f"{entry.statistic!r} has no meaning for {entry.kind}"
        mistakes.add(THEATRE, f"{where} statistic", wrong, f"use {' or '.join(known)}" if known else "remove it")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True
