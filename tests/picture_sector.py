"""Draw what an observer's bearing and distance mean: ``python tests/picture_sector.py .pictures/sector.png``.

The theatre is made so that the shares follow from plain geometry: its line runs from the observer along the bearing,
and its first segment ends ``split_m`` from the observer.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from builders import START, band, policy, theatre
from shapely import LineString

from geo.crs import GEOD, distance_m
from geo.fronts import Baseline
from geo.matching import divide
from geo.shapes import Sector, samples, settle

mpl.use("Agg")
import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from geo.theatre import Theatre

OBSERVER = Sector(37.70, 48.05, 225.0, 11.25, 4_000.0, 5_000.0)
STRIP_M = 500.0
SPLIT_M = 4_300.0
SENTENCE = {
    "source_ref": "s-1", "observed_from": "2026-02-03T14:05Z", "lon": "", "lat": "",
    "observer_lon": "37.70", "observer_lat": "48.05", "bearing": "south-west",
    "distance_near_m": "4000", "distance_far_m": "5000", "act": "shelling", "count": "141",
    "text": "positioned at 48.05 N 37.70 E, 141 undetermined explosions at locations 4-5 km south-west",
}  # fmt: skip


def world(split_m: float) -> Theatre:
    """Return a theatre whose line runs from the observer along the bearing, in two segments, with a strip beside it."""
    lon, lat, _ = GEOD.fwd(OBSERVER.lon, OBSERVER.lat, OBSERVER.bearing, 2 * split_m - 1)
    line = LineString([(OBSERVER.lon, OBSERVER.lat), (lon, lat)])
    baseline = Baseline.build("base", line, segment_length_m=split_m, valid_from=START)
    return replace(theatre(zones=(band("strip", STRIP_M),)), baselines=(baseline,))


def hand(split_m: float) -> dict[str, float]:
    """Return the shares by hand: areas in polar coordinates around the observer, halves of the sector being alike.

    Segment 1 is what lies before the perpendicular at ``split_m``: r < split / cos(a). The strip is r sin(a) < depth.
    """
    half, near, far = np.radians(11.25), 4_000.0, 5_000.0
    whole = half * (far**2 - near**2) / 2
    angle = np.linspace(0, half, 20_001)
    first = np.trapezoid(np.clip(split_m / np.cos(angle), near, far) ** 2 - near**2, angle) / 2
    metres = np.linspace(near, far, 20_001)
    strip = np.trapezoid(metres * np.minimum(np.arcsin(STRIP_M / metres), half), metres)
    return {"S0001": float(first / whole), "strip": float(strip / whole)}


def _flat(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return kilometres east and north of the observer."""
    count = np.shape(lon)
    way, _, metres = GEOD.inv(np.full(count, OBSERVER.lon), np.full(count, OBSERVER.lat), lon, lat)
    return metres / 1000 * np.sin(np.radians(way)), metres / 1000 * np.cos(np.radians(way))


def draw(out: Path) -> None:
    """Draw observer, sector, samples and segments, with the shares."""
    where, text = world(SPLIT_M), str(OBSERVER)
    lon, lat = samples(text)
    said = pd.DataFrame({"footprint": [text], "act": ["shelling"], "text": [None], "observed_from": [START]})
    said = said.assign(lon=np.nan, lat=np.nan, uncertainty_m=np.nan, weapon_class=None, party_claimed=None)
    row = settle(said, policy())
    share = divide(row, where).set_index(["of", "id"])["share"]
    first = distance_m(OBSERVER.lon, OBSERVER.lat, lon, lat) * np.cos(np.radians(_turn(lon, lat))) < SPLIT_M
    fig, ax = plt.subplots(figsize=(5.2, 4.9), dpi=110, layout="constrained")
    for part, colour, name in ((first, "#e8590c", "S0001"), (~first, "#4c78a8", "S0002")):
        ax.scatter(*_flat(lon[part], lat[part]), s=7, color=colour, label=f"{name}: {share['segment', name]:.0%}")
    line = where.baselines[0].segments
    for geometry, colour in zip(line.geometry, ("#e8590c", "#4c78a8"), strict=False):
        ax.plot(*_flat(*np.array(geometry.coords).T), color=colour, linewidth=2.2)
    rim = _flat(*OBSERVER.rim())
    ax.fill(*rim, facecolor="none", edgecolor="#222222", linewidth=0.9)
    ax.plot(0, 0, marker="^", color="#222222", markersize=8)
    ax.annotate(
        "observer (never published)", (0, 0), xytext=(-8, -3), textcoords="offset points", ha="right", fontsize=9
    )
    centre = _flat(row["lon"].to_numpy(), row["lat"].to_numpy())
    ax.plot(*centre, marker="+", color="black", markersize=12, markeredgewidth=1.8, linestyle="")
    ax.add_patch(
        plt.Circle((centre[0][0], centre[1][0]), row["uncertainty_m"].iloc[0] / 1000, fill=False, linestyle=":")
    )
    ax.legend(title="nearest segment", loc="upper left", fontsize=9, frameon=False)
    ax.set_title("4 to 5 km south-west, by 512 places; dotted: the disc that is published", fontsize=9, loc="left")
    ax.set_xlabel("km east of the observer", fontsize=9)
    ax.set_ylabel("km north", fontsize=9)
    ax.set_aspect("equal")
    fig.savefig(out)


def _turn(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    count = np.shape(lon)
    way, _, _ = GEOD.inv(np.full(count, OBSERVER.lon), np.full(count, OBSERVER.lat), lon, lat)
    return np.asarray(way - OBSERVER.bearing)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
