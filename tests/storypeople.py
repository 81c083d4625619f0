"""What did people notify and decide in a story? Its tables ``exemptions`` and ``decisions``, as the rules take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import builders
import pandas as pd

from geo.exemptions import Disc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from geo.exemptions import Exemption

    Line = Mapping[str, str]

EXEMPTIONS = {"id", "from", "to", "km", "off", "radius", "acts"}
DECISIONS = {"at", "arrives", "until", "by", "command", "target", "value", "violations", "reason"}


def exemptions(lines: Iterable[Line], moment: Callable[[str], datetime]) -> tuple[Exemption, ...]:
    """Return what was notified beforehand; ``acts`` are separated by commas, strikes where none is named."""
    found = []
    for line in lines:
        place = builders.place(float(line.get("km", "100")), float(line.get("off", "1")))
        acts = frozenset(act.strip() for act in line.get("acts", "strike").split(","))
        area = Disc(*place, float(line.get("radius", "2000")))
        begin, end = moment(line["from"]), moment(line["to"])
        found.append(builders.exemption(begin, end, id=line["id"], area=area, acts=acts))
    return tuple(found)


def commands(lines: Iterable[Line], moment: Callable[[str], datetime]) -> pd.DataFrame | None:
    """Return what people decided, D-1001 and on in the order of the table,

    each known when it ``arrives``, or else at once.
    """
    rows: list[dict[str, Any]] = [
        builders.command(
            line["command"],
            line["target"],
            line.get("value", ""),
            at=moment(line["at"]),
            known_at=moment(line.get("arrives", line["at"])),
            expires=moment(line["until"]) if "until" in line else None,
            reviewer=line.get("by", "First Reviewer"),
            reason=line.get("reason", "seen the site"),
            violations=line.get("violations"),
        )
        for line in lines
    ]
    return builders.commands(rows) if rows else None


def known_by(commands: pd.DataFrame | None, known: datetime | None) -> pd.DataFrame | None:
    """Return the commands that were known at a moment."""
    return commands if commands is None or known is None else commands[commands["known_at"] <= pd.Timestamp(known)]
