"""How is a message written in the Common Alerting Protocol 1.2?

The order of elements is that of its schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
_XML: Final = str.maketrans({code: None for code in range(32) if code not in (9, 10)})


@dataclass(frozen=True)
class Info:
    """What a message says of the event; moments as CAP writes them, ``circle`` ``None`` without a place."""

    event: str
    urgency: str
    severity: str
    certainty: str
    effective: str
    onset: str | None
    sender_name: str
    headline: str
    description: str
    instruction: str
    parameters: tuple[tuple[str, str], ...]
    area: str
    circle: str | None


@dataclass(frozen=True)
class Message:
    """One message; ``references`` are (sender, identifier, sent), ``incidents`` names without spaces."""

    identifier: str
    sender: str
    sent: str
    status: str
    kind: str
    source: str
    note: str
    references: tuple[tuple[str, str, str], ...]
    incidents: tuple[str, ...]
    info: Info | None


def stamp(at: datetime) -> str:
    """Return a moment (aware UTC) as CAP writes it: to the second, UTC as ``-00:00``."""
    return f"{at:%Y-%m-%dT%H:%M:%S}-00:00"


def xml(message: Message) -> bytes:
    """Return the message as an XML document in UTF-8."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}alert")
    _fill(
        root,
        [
            ("identifier", message.identifier),
            ("sender", message.sender),
            ("sent", message.sent),
            ("status", message.status),
            ("msgType", message.kind),
            ("source", message.source),
            ("scope", "Restricted"),
            ("restriction", "For those who watch this ceasefire; not for release."),
            ("note", message.note),
            ("references", " ".join(",".join(each) for each in message.references)),
            ("incidents", " ".join(message.incidents)),
        ],
    )
    if message.info is not None:
        _info(root, message.info)
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _info(root: ET.Element, info: Info) -> None:
    part = _child(root, "info")
    _fill(
        part,
        [
            ("language", "en"),
            ("category", "Security"),
            ("event", info.event),
            ("responseType", "Monitor"),
            ("urgency", info.urgency),
            ("severity", info.severity),
            ("certainty", info.certainty),
            ("effective", info.effective),
            ("onset", info.onset),
            ("senderName", info.sender_name),
            ("headline", info.headline),
            ("description", info.description),
            ("instruction", info.instruction),
        ],
    )
    for name, value in info.parameters:
        _fill(_child(part, "parameter"), [("valueName", name), ("value", value)])
    _fill(_child(part, "area"), [("areaDesc", info.area), ("circle", info.circle)])


def _fill(parent: ET.Element, texts: Iterable[tuple[str, str | None]] | Sequence[tuple[str, str | None]]) -> None:
    """Add elements with their texts; one without a text is left out."""
    for name, text in texts:
        if text:
            _child(parent, name).text = text.translate(_XML)


def _child(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
