"""How is XML written so that the same facts give the same text, and any text stays text?"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Final

DOCTYPE: Final = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_OURS: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "monitor.ceasewatch")
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def node(tag: str, *children: ET.Element, **attributes: object) -> ET.Element:
    """Return an element.

    ``text`` is what it holds, everything else an attribute; a trailing underscore keeps a name apart from Python's own.
    """
    text = attributes.pop("text", None)
    element = ET.Element(tag, {name.rstrip("_"): plain(_written(value)) for name, value in attributes.items()})
    element.extend(children)
    if text is not None:
        element.text = plain(str(text))
    return element


def option(name: str | None, value: object) -> ET.Element:
    """Return a value as QGIS stores it: texts, numbers, truths, lists and maps, nested at will."""
    named = {} if name is None else {"name": name}
    if isinstance(value, Mapping):
        return node("Option", *(option(key, each) for key, each in value.items()), type="Map", **named)
    if isinstance(value, list | tuple):
        return node("Option", *(option(None, each) for each in value), type="List", **named)
    kinds = {bool: "bool", int: "int", float: "double"}
    return node("Option", type=kinds.get(type(value), "QString"), value=value, **named)


def properties(expressions: Mapping[str, str]) -> ET.Element:
    """Return settings that an expression decides, feature by feature, as the ``Option`` map that QGIS keeps them in."""
    each = {name: {"active": True, "expression": text, "type": 3} for name, text in expressions.items()}
    return option(None, {"name": "", "properties": each, "type": "collection"})


def identity(*parts: str) -> str:
    """Return an identifier in braces that the same parts always give."""
    return f"{{{uuid.uuid5(_OURS, '/'.join(parts))}}}"


def write(root: ET.Element) -> str:
    """Return a document's text."""
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def plain(text: str) -> str:
    """Return a text without the signs that no XML document can hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
