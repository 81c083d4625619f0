"""Which elements has an XML text that defines nothing of its own?

Read with expat, which opens nothing by itself. A document type is refused, and with it every entity: none can be
expanded, none can name another file. Text must be UTF-8, whatever the declaration says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from pipelines.sources.cells import refuse_file

if TYPE_CHECKING:
    from collections.abc import Mapping

DEEPEST: Final = 100  # expat itself would follow any depth
_PLAIN: Final = ("utf-8", "us-ascii", "utf8")


class Walk:
    """Walks an XML text; the methods ``start``, ``end`` and ``text`` say what is met. Namespaces are dropped."""

    def __init__(self, file_name: str) -> None:
        self.file_name = file_name
        self.path: list[str] = []
        self._parser = expat.ParserCreate("UTF-8", namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self.text
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype

    def run(self, data: bytes) -> None:
        """Walk it all.

        Raises
        ------
        InputError
            ``xml`` if it is none, or cut; ``xml_entity``, ``xml_depth``, ``encoding``.
        """
        try:
            self._parser.Parse(data, True)  # noqa: FBT003 -- all of it at once
        except expat.ExpatError as error:
            refuse_file("xml", f"it is no whole XML ({error}): the file may be cut; send it again", self.file_name)

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Enter an element; ``path`` has its parents."""

    def end(self, name: str) -> None:
        """Leave an element; ``path`` has its parents."""

    def text(self, text: str) -> None:
        """Meet text in the last element of ``path``."""

    def at(self) -> int:
        """Return the byte at which what is met begins."""
        return self._parser.CurrentByteIndex

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        plain = name.rpartition(" ")[2]
        if len(self.path) >= DEEPEST:
            refuse_file("xml_depth", f"its elements are nested more than {DEEPEST} deep", self.file_name)
        self.start(plain, attributes)
        self.path.append(plain)

    def _end(self, _: str) -> None:
        self.end(self.path.pop())

    def _declaration(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in _PLAIN:
            refuse_file("encoding", f"it is in {encoding[:40]!r}: save it as UTF-8", self.file_name)

    def _doctype(self, *_: object) -> None:
        sentence = "it declares a document type, which may hold entities: remove the DOCTYPE"
        refuse_file("xml_entity", sentence, self.file_name)
