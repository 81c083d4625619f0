"""What was notified beforehand, where and when, as a theatre's files say?"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from geo.exemptions import Disc, Exemption
from pipelines.settings import ground
from pipelines.settings.files import THEATRE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely import MultiPolygon

    from geo.policy import Policy
    from pipelines.settings.declared import At, Declared, ExemptionEntry
    from pipelines.settings.mistakes import Mistakes

KEY: Final = "exemption_id"
_DISC: Final = ("lon", "lat", "radius_m")


def exemptions(
    files: Mapping[str, bytes], declared: Declared, policy: Policy | None, mistakes: Mistakes
) -> tuple[Exemption, ...]:
    """Return the exemptions that hold together, in order of id; what is wrong with the others is noted.

    ``policy`` ``None``: no policy at hand, acts are then taken as they are.
    """
    acts = {*policy.acts, *(act.family for act in policy.acts.values())} if policy else set()
    named = {item.entry.id: item.entry.file for item in declared.exemptions if item.entry.file is not None}
    drawn = ground.polygons(files, named, KEY, mistakes)
    found = []
    for item in declared.exemptions:
        _check(item, acts, mistakes)
        area = _area(item, drawn, mistakes)
        if area is not None:
            found.append(_exemption(item.entry, area))
    return tuple(sorted(found, key=lambda each: each.id))


def _check(item: At[ExemptionEntry], acts: set[str], mistakes: Mistakes) -> None:
    where, entry = item.where, item.entry
    if entry.end <= entry.start:
        wrong = f"{entry.end.isoformat()} is not after the start, {entry.start.isoformat()}"
        mistakes.add(THEATRE, f"{where} end", wrong, "give a later one; an exemption is never open")
    for name in entry.acts if acts else ():
        if name not in acts:
            wrong = f"{name!r} is neither an act of the policy nor a family of acts"
            mistakes.add(THEATRE, f"{where} acts", wrong, f"use of: {', '.join(sorted(acts))}")


def _area(
    item: At[ExemptionEntry], drawn: Mapping[str, MultiPolygon], mistakes: Mistakes
) -> Disc | MultiPolygon | None:
    where, entry = item.where, item.entry
    lon, lat, radius_m = entry.lon, entry.lat, entry.radius_m
    given = [name for name in _DISC if getattr(entry, name) is not None]
    if entry.file is not None and given:
        mistakes.add(THEATRE, where, f"has a file and {', '.join(given)}", "keep one way of saying where it is")
    elif entry.file is not None:
        return drawn.get(entry.id)
    elif lon is not None and lat is not None and radius_m is not None:
        return Disc(lon, lat, radius_m)
    else:
        missing = ", ".join(name for name in _DISC if name not in given)
        mistakes.add(THEATRE, where, f"does not say where it is: {missing} missing", "add them, or name a file")
    return None


def _exemption(entry: ExemptionEntry, area: Disc | MultiPolygon) -> Exemption:
    return Exemption(
        id=entry.id,
        kind=entry.kind,
        area=area,
        acts=frozenset(entry.acts),
        start=entry.start.astimezone(UTC),
        end=entry.end.astimezone(UTC),
        notified_by=entry.notified_by,
        reference=entry.reference,
    )
