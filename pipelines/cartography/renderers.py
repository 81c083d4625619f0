"""Which row gets which symbol?"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.cartography.nodes import identity, node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Rule:
    """A symbol for the rows that an expression holds for; of nested rules the inner ones draw.

    ``nearest`` and ``farthest`` bound the scales at which it draws, as denominators; 0: no bound.
    """

    label: str
    filter: str
    symbol: ET.Element | None = None
    within: tuple[Rule, ...] = ()
    nearest: int = 0
    farthest: int = 0


def single(symbol: ET.Element) -> ET.Element:
    """Return a renderer that draws every row alike."""
    return node("renderer-v2", node("symbols", symbol), type="singleSymbol", symbollevels=0, forceraster=0)


def nothing() -> ET.Element:
    """Return a renderer that draws no symbol, so that only labels stand."""
    return node("renderer-v2", type="nullSymbol", symbollevels=0, forceraster=0)


def ruled(rules: Sequence[Rule], *, order: str | None = None) -> ET.Element:
    """Return a renderer by rules, in the legend's order; rows with a larger value of ``order`` lie on top."""
    symbols: list[ET.Element] = []
    tree = node("rules", *(_rule(rule, (), symbols) for rule in rules), key=identity("rules"))
    parts = [tree, node("symbols", *symbols)]
    if order is not None:
        parts.append(node("orderby", node("orderByClause", text=order, asc=1, nullsFirst=1)))
    return node(
        "renderer-v2", *parts, type="RuleRenderer", symbollevels=0, forceraster=0, enableorderby=int(order is not None)
    )


def _rule(rule: Rule, path: tuple[str, ...], symbols: list[ET.Element]) -> ET.Element:
    here = (*path, rule.label, rule.filter)
    element = node("rule", key=identity(*here), label=rule.label, filter=rule.filter)
    if rule.farthest:
        element.set("scalemaxdenom", str(rule.farthest))
    if rule.nearest:
        element.set("scalemindenom", str(rule.nearest))
    if rule.symbol is not None:
        name = str(len(symbols))
        symbols.append(_named(rule.symbol, name))
        element.set("symbol", name)
    element.extend(_rule(inner, here, symbols) for inner in rule.within)
    return element


def _named(symbol: ET.Element, name: str) -> ET.Element:
    copy = ET.Element(symbol.tag, {**symbol.attrib, "name": name})
    copy.extend(_renamed(symbol, name))
    return copy


def _renamed(symbol: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield a symbol's layers, with the symbols within them named after it, as QGIS finds them."""
    for place, layer in enumerate(symbol):
        fresh = ET.Element(layer.tag, dict(layer.attrib))
        for part in layer:
            fresh.append(_named(part, f"@{name}@{place}") if part.tag == "symbol" else part)
        yield fresh
