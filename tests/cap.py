"""Is this a message of the Common Alerting Protocol 1.2? Its rules, as the standard states them, in any XML reader.

Where ``CEASEWATCH_CAP_XSD`` names the standard's own schema, ``check`` holds messages against that too.
"""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree as ET

SPACE = "{urn:oasis:names:tc:emergency:cap:1.2}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d"
NAME = r"[^\s,<&]+"
TEXT = r"(?s).+"
ALERT = (  # element, how often (1, ? or *), what it may say; in the order of the schema
    ("identifier", "1", NAME),
    ("sender", "1", NAME),
    ("sent", "1", MOMENT),
    ("status", "1", "Actual|Exercise|System|Test|Draft"),
    ("msgType", "1", "Alert|Update|Cancel|Ack|Error"),
    ("source", "?", TEXT),
    ("scope", "1", "Public|Restricted|Private"),
    ("restriction", "?", TEXT),
    ("addresses", "?", TEXT),
    ("code", "*", TEXT),
    ("note", "?", TEXT),
    ("references", "?", rf"{NAME},{NAME},{MOMENT}( {NAME},{NAME},{MOMENT})*"),
    ("incidents", "?", r"\S+( \S+)*"),
    ("info", "*", ""),
)
INFO = (
    ("language", "?", r"[a-z]{2}(-[A-Z]{2})?"),
    ("category", "1", "Geo|Met|Safety|Security|Rescue|Fire|Health|Env|Transport|Infra|CBRNE|Other"),
    ("event", "1", TEXT),
    ("responseType", "*", "Shelter|Evacuate|Prepare|Execute|Avoid|Monitor|Assess|AllClear|None"),
    ("urgency", "1", "Immediate|Expected|Future|Past|Unknown"),
    ("severity", "1", "Extreme|Severe|Moderate|Minor|Unknown"),
    ("certainty", "1", "Observed|Likely|Possible|Unlikely|Unknown"),
    ("effective", "?", MOMENT),
    ("onset", "?", MOMENT),
    ("expires", "?", MOMENT),
    ("senderName", "?", TEXT),
    ("headline", "?", r"(?s).{1,160}"),
    ("description", "?", TEXT),
    ("instruction", "?", TEXT),
    ("parameter", "*", ""),
    ("area", "*", ""),
)
AREA = (
    ("areaDesc", "1", TEXT),
    ("polygon", "*", TEXT),
    ("circle", "*", r"-?\d+(\.\d+)?,-?\d+(\.\d+)? \d+(\.\d+)?"),
)
PARAMETER = (("valueName", "1", TEXT), ("value", "1", TEXT))


def check(body: bytes) -> ET.Element:
    """Return the message; fail with what is wrong with it."""
    root = ET.fromstring(body)  # noqa: S314 -- our own words
    assert root.tag == f"{SPACE}alert"
    _sequence(root, ALERT)
    for info in root.iter(f"{SPACE}info"):
        _sequence(info, INFO)
        for name, rules in (("parameter", PARAMETER), ("area", AREA)):
            for part in info.iter(f"{SPACE}{name}"):
                _sequence(part, rules)
    assert (text(root, "msgType") == "Alert") == (root.find(f"{SPACE}references") is None)
    assert (text(root, "scope") == "Restricted") == (root.find(f"{SPACE}restriction") is not None)
    _schema(body)
    return root


def text(root: ET.Element, path: str) -> str:
    """Return what an element of the message says."""
    found = root.find("/".join(f"{SPACE}{name}" for name in path.split("/")))
    assert found is not None, path
    return found.text or ""


def _sequence(part: ET.Element, rules: tuple[tuple[str, str, str], ...]) -> None:
    names = [child.tag.removeprefix(SPACE) for child in part]
    order = [name for name, _, _ in rules]
    assert set(names) <= set(order), names
    assert names == sorted(names, key=order.index)
    for name, often, says in rules:
        found = [child for child in part if child.tag == SPACE + name]
        assert len(found) in {"1": {1}, "?": {0, 1}, "*": range(1000)}[often], name
        for child in found:
            assert len(child) or re.fullmatch(says, child.text or ""), (name, child.text)


def _schema(body: bytes) -> None:
    if path := os.environ.get("CEASEWATCH_CAP_XSD"):
        from lxml import etree  # noqa: PLC0415 -- only where the schema is at hand

        etree.XMLSchema(etree.parse(path)).assertValid(etree.fromstring(body))
