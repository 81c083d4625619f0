"""How is XML written so that the same facts give the same text, and any text stays text?"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

REFRESH_MS: Final = 30_000  # how often a map looks whether its files are new
DOCTYPE: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_KINDS: Final = {bool: "bool", int: "int", float: "double"}
_OURS: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "monitor.ceasewatch")
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def node(tag: str, *children: ET.Element, **attributes: object) -> ET.Element:
    """Return an element.

    ``text`` is what it holds, everything else an attribute; a trailing underscore keeps a name apart from Python's own.
    """
    text = attributes.pop("text", None)
    element = ET.Element(tag, {name.rstrip("_"): _written(value) for name, value in attributes.items()})
    element.extend(children)
    if text is not None:
        element.text = str(text)
    return element


def option(name: str | None, value: object) -> ET.Element:
    """Return a value as QGIS stores it: texts, numbers, truths, lists and maps, nested at will."""
    kind = type(value)
    element = ET.Element("Option", {} if name is None else {"name": name})
    if isinstance(value, dict):
        element.set("type", "Map")
        element.extend([option(key, each) for key, each in value.items()])
    elif isinstance(value, list | tuple):
        element.set("type", "List")
        element.extend([option(None, each) for each in value])
    else:
        element.set("type", _KINDS.get(kind, "QString"))
        element.set("value", _written(value))
    return element


def properties(expressions: Mapping[str, str]) -> ET.Element:
    """Return settings that an expression decides, feature by feature, as the ``Option`` map that QGIS keeps them in."""
    each = {name: {"active": True, "expression": text, "type": 3} for name, text in expressions.items()}
    return option(None, {"name": "", "properties": each, "type": "collection"})


def identity(*parts: str) -> str:
    """Return an identifier in braces that the same parts always give."""
    return f"{{{uuid.uuid5(_OURS, '/'.join(parts))}}}"


def write(root: ET.Element) -> str:
    """Return a document's text; signs that no XML document can hold are replaced."""
    return DOCTYPE + _FORBIDDEN.sub("\ufffd", ET.tostring(root, encoding="unicode")) + "\n"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
