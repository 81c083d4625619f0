"""Draw the picture of the README: ``python tests/picture.py demo/workspace/published/monitor.gpkg OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl

from pipelines.layers import read_run, read_table

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

WIDE, HIGH = 0.7, 0.2  # degrees that a name takes
TIERS = {0: ("#8a8a8a", "o", "candidate"), 1: ("#f2b705", "o", "1 warning"), 2: ("#e8590c", "s", "2 coalition"),
         3: ("#b00020", "^", "3 co-ordinated")}  # fmt: skip


def draw(publication: Path, out: Path) -> None:
    """Draw lines, zones, regions and incidents of a publication."""
    layer = {
        name: gpd.GeoDataFrame(read_table(publication, name))
        for name in ("regions", "zones", "front_line", "incident_points")
    }
    fig, ax = plt.subplots(figsize=(6.4, 6.6), dpi=110, layout="constrained")
    layer["regions"].boundary.plot(ax=ax, color="#b9b9b9", linewidth=0.7)
    layer["zones"].plot(ax=ax, color="#4c78a8", alpha=0.08)
    layer["front_line"].plot(ax=ax, color="#222222", linewidth=1.6)
    for tier, (colour, marker, _) in TIERS.items():
        shown = layer["incident_points"].loc[lambda frame, tier=tier: frame["tier_peak"] == tier]
        going = shown["state"].isin(["active", "quiet"])
        for part, face in ((shown.loc[going], colour), (shown.loc[~going], "white")):
            ax.scatter(
                part.geometry.x,
                part.geometry.y,
                s=70,
                marker=marker,
                facecolor=face,
                edgecolor=colour,
                linewidth=1.8,
                zorder=3,
            )
    for (x, y), names in _together(layer["incident_points"]).items():
        ax.annotate(", ".join(names), (x, y), xytext=(6, 5), textcoords="offset points", fontsize=8)
    run = read_run(publication)
    assert run is not None
    ax.set_title(f"{run['title']}\nsimulated reports, as of {run['as_of']:%d %b %Y %H:%M} UTC", fontsize=10, loc="left")
    marks = [
        Line2D([], [], color=c, marker=m, linestyle="", markersize=8, label=words) for c, m, words in TIERS.values()
    ]
    hollow = Line2D(
        [], [], color="#222222", marker="o", linestyle="", markersize=8, markerfacecolor="white", label="hollow: ended"
    )
    ax.legend(handles=[*marks, hollow], title="highest tier eligible", loc="lower left", fontsize=8, frameon=False)
    ax.set_aspect(1 / 0.66)
    ax.set_axis_off()
    out.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(out)


def _together(points: gpd.GeoDataFrame) -> dict[tuple[float, float], list[str]]:
    """Return names by place; those that would be written over one another stand at the first one's."""
    found: dict[tuple[float, float], list[str]] = {}
    for row in points.itertuples():
        near = [at for at in found if abs(at[0] - row.geometry.x) < WIDE and abs(at[1] - row.geometry.y) < HIGH]
        found.setdefault(near[0] if near else (row.geometry.x, row.geometry.y), []).append(row.incident_id)
    return found


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
