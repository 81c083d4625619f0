"""Where does the agreement forbid something, to whom, and since when?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from shapely import MultiPolygon, Polygon


@dataclass(frozen=True, eq=False)
class Zone:
    """Ground where the agreement forbids something.

    A ``band`` is the ground within ``depth_m`` (inclusive) of a baseline on one side or both, without what lies beyond
    the line's ends; a ``polygon`` is ``geometry`` (WGS 84), borders included. ``weapons`` are the weapon classes that
    it forbids (``None``: all), ``party`` the party that it binds (``None``: all). It is in force from ``valid_from``
    (inclusive; ``None``: always was) to ``valid_to`` (exclusive; ``None``: open), aware UTC. ``forbids`` is
    ``presence`` where a weapon may not even stand, ``all`` where it may not be used.
    """

    id: str
    kind: Literal["band", "polygon"]
    baseline_id: str | None
    side: Literal["left", "right", "both"]
    depth_m: float | None
    geometry: Polygon | MultiPolygon | None
    weapons: frozenset[str] | None
    party: str | None
    rule: str
    valid_from: datetime | None
    valid_to: datetime | None
    forbids: Literal["all", "presence"] = "all"

    @property
    def strictness(self) -> tuple[bool, float, str]:
        """What zones are sorted by, strictest first: polygons, then bands by depth, then by id."""
        return (self.kind == "band", self.depth_m or 0.0, self.id)
