"""Which lines does a GeoJSON file draw?

Read to the letter, as the theatre's own files are. A feature without a shape is an empty part, since some archives
publish a day without a line like that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.linework.drawn import refuse, refuse_kind
from pipelines.settings.mistakes import Mistakes, shown
from pipelines.settings.shapes import LINES, is_number, read_members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.linework.drawn import Position

_AXES: Final = (2, 3)


def read(data: bytes, file_name: str) -> list[list[Position]]:
    """Return the positions of each part, longitude first; heights are dropped.

    Raises
    ------
    InputError
        If it is no GeoJSON, or draws something that is no line.
    """
    mistakes = _Sentences(file_name)
    members = read_members(data, file_name, LINES[0], mistakes)
    if mistakes.said:
        refuse("empty" if "holds no feature" in mistakes.said else "json", mistakes.said)
    return [part for number, member in enumerate(members, 1) for part in _parts(member, f"feature {number}")]


class _Sentences(Mistakes):
    """The one mistake that keeps a file from being read at all."""

    said = ""

    def add(self, file: str, where: str, wrong: str, todo: str) -> None:  # noqa: ARG002 -- the file is named by whoever asks
        self.said = f"it {wrong}; {todo}"


def _parts(member: Any, where: str) -> Iterator[list[Position]]:  # noqa: ANN401 -- whatever the file holds
    if not isinstance(member, dict) or "geometry" not in member:
        refuse("geometry", f"{where} has no geometry; give it a LineString, or null where there is none")
    geometry = member["geometry"]
    if geometry is None:
        yield []
        return
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in LINES:
        refuse_kind(kind, where)
    if "crs" in member or "crs" in geometry:
        refuse("crs", f"{where} has a reference system of its own; convert it to WGS 84 and remove the crs member")
    drawn = _list(geometry.get("coordinates"), where)
    for part in [drawn] if kind == LINES[0] else drawn:
        yield [_position(item, where) for item in _list(part, where)]


def _list(value: Any, where: str) -> list[Any]:  # noqa: ANN401 -- whatever the file holds
    if not isinstance(value, list):
        refuse("geometry", f"{where} has coordinates that are no list: {shown(value)}")
    return value


def _position(value: Any, where: str) -> Position:  # noqa: ANN401 -- whatever the file holds
    if not isinstance(value, list) or len(value) not in _AXES or not all(map(is_number, value)):
        refuse("position", f"{where} has the position {shown(value)}; give longitude and latitude as numbers")
    return float(value[0]), float(value[1])
