"""Which lines does a KML file draw?

Read with expat, which opens nothing by itself. A document type is refused, and with it every entity: none can be
expanded, and none can name another file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from pipelines.linework.drawn import refuse, refuse_kind
from pipelines.settings.mistakes import shown

if TYPE_CHECKING:
    from pipelines.linework.drawn import Position

DEEPEST: Final = 100  # folders within folders; expat itself would follow any depth
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_POSITION: Final = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,{_NUMBER})?", re.ASCII)
_OTHER_SHAPES: Final = frozenset({"Point", "Polygon", "LinearRing", "Model", "Track", "MultiTrack"})
_ELSEWHERE: Final = frozenset({"NetworkLink", "GroundOverlay", "PhotoOverlay", "ScreenOverlay"})


def read(data: bytes) -> list[list[Position]]:
    """Return the positions of each LineString in any folder, longitude first; heights are dropped.

    Raises
    ------
    InputError
        If it is no KML, holds a document type or entity, points elsewhere, or draws something that is no line.
    """
    walk = _Walk()
    try:
        walk.parser.Parse(data, True)  # noqa: FBT003 -- all of it at once
    except expat.ExpatError as error:
        refuse("xml", f"it is no XML: {error}; the file may be cut")
    except LookupError:
        refuse("encoding", "it names an encoding that is not known; save it as UTF-8")
    if walk.root != "kml":
        refuse("xml", f"it is no KML: its first element is {shown(walk.root)}")
    return walk.parts


class _Walk:
    """What has been met so far."""

    def __init__(self) -> None:
        self.parts: list[list[Position]] = []
        self.root: str | None = None
        self._open: list[str] = []
        self._text: list[str] | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype

    def _doctype(self, *_: object) -> None:
        refuse("entity", "it declares a document type, which may hold entities; remove the DOCTYPE")

    def _start(self, name: str, _: object) -> None:
        element = name.rpartition(" ")[2]
        self.root = self.root or element
        if len(self._open) >= DEEPEST:
            refuse("xml", f"its elements are nested more than {DEEPEST} deep; save it anew as plain placemarks")
        if element in _OTHER_SHAPES:
            refuse_kind(element, "one of its shapes")
        if element in _ELSEWHERE:
            refuse("elsewhere", f"it holds a {element}, which points to another file; save the line itself")
        if element == "LineString":
            self.parts.append([])
        if element == "coordinates" and self._open[-1:] == ["LineString"]:
            self._text = []
        self._open.append(element)

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, _: str) -> None:
        if self._open.pop() == "coordinates" and self._text is not None:
            self.parts[-1].extend(_position(item) for item in "".join(self._text).split())
            self._text = None


def _position(text: str) -> Position:
    found = _POSITION.fullmatch(text)
    if found is None:
        refuse("position", f"{shown(text)} is no position; write lon,lat with decimal points and without blanks")
    return float(found[1]), float(found[2])
