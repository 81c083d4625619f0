"""What does a placemark of a KML or KMZ file say?

Every placemark of every folder and document is one record: its ``Point`` (or ``Polygon``, the place's outline), its
``TimeStamp`` or ``TimeSpan``, and in ``ExtendedData`` the plain table's columns by their names. Without a column
``text`` its description, or else its name, is the text. A placemark of another shape, and a link to another file, which
is never followed, are refused as records of their own; a placemark that holds another is one such record with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipelines.sources.archive import MAGIC, Archive
from pipelines.sources.cells import Gathered, refuse_file
from pipelines.sources.markup import Walk
from pipelines.sources.plain import interpret
from pipelines.sources.reading import shown
from pipelines.sources.records import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.reading import Context, Reading

FORMAT: Final = "kml"
PLACE: Final = ("lon", "lat", "footprint")  # come from the geometry
_ELSEWHERE: Final = frozenset({"NetworkLink", "GroundOverlay", "PhotoOverlay", "ScreenOverlay"})
_SHAPES: Final = frozenset(
    {"Point", "Polygon", "LineString", "LinearRing", "MultiGeometry", "Model", "Track", "MultiTrack"}
)
_RINGS: Final = ("outerBoundaryIs", "innerBoundaryIs")
_TIMES: Final = {"when": "observed_from", "begin": "observed_from", "end": "observed_to"}
_TEXTS: Final = ("description", "name", "value", "SimpleData", "coordinates", *_TIMES)
_NUMBER: Final = r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?"
_POSITION: Final = re.compile(rf"({_NUMBER}),({_NUMBER})(?:,{_NUMBER})?", re.ASCII)


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each placemark of a file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: codes ``encoding``, ``empty``, ``xml``, ``xml_entity``, ``xml_depth``,
        ``archive``, ``archive_size``.
    """
    found = Gathered()
    for name, text in _documents(data, context.file_name, found):
        walk = _Placemarks(text, name, found)
        walk.run(text)
        if walk.root != "kml":
            refuse_file("xml", f"it is no KML: its first element is {shown(walk.root)}", name)
    return interpret(found.records(context.file_name), context)


def _documents(data: bytes, file_name: str, found: Gathered) -> list[tuple[str, bytes]]:
    if not data.startswith(MAGIC):
        return [(file_name, decode(data, file_name).encode())]
    archive = Archive(data, file_name)
    named = [name for name in archive.names() if name.lower().endswith(".kml")]
    if not named:
        refuse_file("archive", "it holds no .kml: send the KMZ as it was exported", file_name)
    nested = [name for name in archive.names() if name.lower().endswith((".kmz", ".zip"))]
    for name in nested:
        found.refuse("archive", f"{shown(name)} is an archive in the archive: send it by itself.", name.encode())
    return [(f"{file_name}, {name}", decode(archive.read(name), f"{file_name}, {name}").encode()) for name in named]


class _Placemarks(Walk):
    def __init__(self, text: bytes, file_name: str, found: Gathered) -> None:
        super().__init__(file_name)
        self.root: str | None = None
        self._body = text
        self._found = found
        self._begin = 0
        self._cells: dict[str, str] = {}
        self._shapes: list[str] = []
        self._rings: list[str] = []
        self._key = ""
        self._text: list[str] | None = None
        self._wrong = ("", "")
        self._nested = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.root = self.root or name
        if name in ("Placemark", *_ELSEWHERE) and "Placemark" not in self.path:
            self._begin, self._wrong, self._nested = self.at(), ("", ""), False
            self._cells, self._shapes, self._rings = {}, [], []
        if name == "Placemark" and name in self.path:
            self._nested = True
        if name in _SHAPES and not (name == "LinearRing" and self.path[-1:] and self.path[-1] in _RINGS):
            self._shapes.append(name)
        if name in ("Data", "SimpleData"):
            self._key = attributes.get("name", "").strip().lower()
        if self.path[-1:] and self.path[-1] in _TEXTS and "Placemark" in self.path:
            self._wrong = ("value", f"{self.path[-1]} holds the element {name}: write its text as CDATA.")
        if "Placemark" in self.path:
            self._text = []

    def text(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        said, self._text = "".join(self._text or ()).strip(), None
        if name == "Placemark" and name not in self.path:
            self._close()
        elif name in _ELSEWHERE:
            reason = f"A {name} points to another file, which is never opened: send what it shows as placemarks."
            if "Placemark" in self.path:
                self._wrong = ("elsewhere", reason)
            else:
                self._found.refuse("elsewhere", reason, self._raw())
        elif "Placemark" in self.path and said:
            self._take(name, said)

    def _take(self, name: str, said: str) -> None:
        above = self.path[-1]
        if name == "coordinates":
            self._place(said, above)
        elif (name == "value" and above == "Data") or name == "SimpleData":
            self._put("" if self._key in PLACE else self._key, said)
        elif name in _TIMES and above in ("TimeStamp", "TimeSpan"):
            self._put(_TIMES[name], said)
        elif name in ("name", "description") and above == "Placemark":
            self._cells[f" {name}"] = said

    def _put(self, column: str, said: str) -> None:
        if column and self._cells.setdefault(column, said) != said:
            self._wrong = ("duplicate_key", f"{column} stands twice in the placemark, and differs: remove one.")

    def _place(self, said: str, above: str) -> None:
        positions = [_POSITION.fullmatch(item) for item in said.split()]
        if not all(positions) or (above == "Point" and len(positions) != 1):
            reason = f"The coordinates are {shown(said)}: write lon,lat with decimal points and without blanks."
            self._wrong = ("coordinate", reason)
        axes = [(found[1], found[2]) for found in positions if found]
        if above == "Point" and axes:
            self._cells["lon"], self._cells["lat"] = axes[0]
        elif above == "LinearRing":
            self._rings.append(f"({', '.join(' '.join(pair) for pair in axes)})")

    def _close(self) -> None:
        names = [self._cells.pop(f" {name}", "") for name in ("description", "name")]
        if any(names):
            self._cells.setdefault("text", names[0] or names[1])
        if self._shapes == ["Polygon"] and self._rings:
            self._cells["footprint"] = f"POLYGON ({', '.join(self._rings)})"
        elif self._shapes not in (["Point"], []):
            kinds = " and ".join(dict.fromkeys(self._shapes))
            self._wrong = ("geometry", f"The placemark is a {kinds}, and must be one Point, or one Polygon.")
        if self._nested:
            self._wrong = ("value", "The placemark holds another placemark: put the two beside each other.")
        code, reason = self._wrong
        if code:
            self._found.refuse(code, reason, self._raw())
        else:
            self._found.add(self._cells, self._raw())

    def _raw(self) -> bytes:
        return self._body[self._begin : self._body.find(b">", self.at()) + 1]
