"""Which sets of layers can be chosen with one click?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.cartography.nodes import node

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

_GROUND: Final = ("front_line", "side_names", "segments_posts", "zones", "regions")
NOW: Final = "Situation now"
THEMES: Final[dict[str, tuple[str, ...]]] = {
    NOW: ("incident_points", "violations", "incidents", "segments_24h", *_GROUND),
    "Last 72 hours": ("incident_points", "violations", "incidents", "segments_72h", *_GROUND),
    "Last 7 days": ("incident_points", "violations", "incidents", "segments_7d", *_GROUND),
    "One incident": ("incident_points", "violations", "reports_then", "incidents", "segments_24h", *_GROUND),
    "History, with the time slider": ("violations_then", "incident_days", *_GROUND),
    "Who could see": ("incident_points", "segments_seen", *_GROUND),
    "How dense, last 72 hours": ("violations", "front_line", "side_names", "segments_posts", "regions", "density_72h"),
}


def shown(theme: str, drawn: Sequence[str]) -> list[str]:
    """Return which of the drawn layers belong to a theme, the topmost first."""
    return [key for key in drawn if key.removeprefix("monitor_") in THEMES[theme]]


def written(drawn: Sequence[str]) -> ET.Element:
    """Return the themes as a project holds them: those of which every layer is there."""
    whole = {theme: found for theme in sorted(THEMES) if len(found := shown(theme, drawn)) == len(THEMES[theme])}
    return node(
        "visibility-presets",
        *(
            node(
                "visibility-preset",
                *(node("layer", id=key, visible=1, style="default", expanded=1) for key in found),
                name=theme,
            )
            for theme, found in whole.items()
        ),
    )
