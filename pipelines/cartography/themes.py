"""Which sets of layers can be chosen with one click?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.cartography.nodes import node

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from pipelines.cartography.views import View

_GROUND: Final = ("front_line", "segments_sides", "zones", "regions")
NOW: Final = "Situation now"
THEMES: Final[dict[str, tuple[str, ...]]] = {
    NOW: ("incident_points", "violations", "incidents", "segments_24h", *_GROUND),
    "Last 72 hours": ("incident_points", "violations", "incidents", "segments_72h", *_GROUND),
    "Last 7 days": ("incident_points", "violations", "incidents", "segments_7d", *_GROUND),
    "One incident": ("incident_points", "violations", "reports_then", "incidents", "segments_24h", *_GROUND),
    "History, with the time slider": ("violations_then", "incident_days", *_GROUND),
    "Who could see": ("incident_points", "segments_seen", *_GROUND),
}


def shown(theme: str, views: Sequence[View]) -> list[View]:
    """Return the layers of a theme, the topmost first."""
    return [view for view in views if view.key.removeprefix("monitor_") in THEMES[theme]]


def written(views: Sequence[View]) -> ET.Element:
    """Return the themes as a project holds them."""
    return node(
        "visibility-presets",
        *(
            node(
                "visibility-preset",
                *(node("layer", id=view.key, visible=1, style="default", expanded=1) for view in shown(theme, views)),
                name=theme,
            )
            for theme in sorted(THEMES)
        ),
    )
