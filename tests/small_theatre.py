"""What is the smallest theatre that has one of everything, and how is it spoiled?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pipelines.settings import find_theatre

if TYPE_CHECKING:
    from pathlib import Path

    from geo.errors import PolicyError

THEATRE = """\
id = "small"
title = "A small ceasefire"
status = "illustrative"

[[parties]]
id = "EAST"
name = "Eastland"
side = "left"
aliases = ["the East"]

[[parties]]
id = "WEST"
name = "Westland"
side = "right"

[[windows]]
id = "truce"
start = 2026-01-01T00:00:00+02:00
end = 2026-02-01T00:00:00+02:00
declared_by = ["EAST", "WEST"]

[[baselines]]
id = "line"
file = "baseline.geojson"
segment_length_m = 5000
valid_from = 2026-01-01T00:00:00+02:00

[regions]
file = "regions.geojson"

[[zones]]
id = "guns"
kind = "band"
side = "both"
depth_m = 25000
weapons = ["artillery"]
rule = "guns stay away"
valid_from = 2026-01-01T00:00:00Z
valid_to = 2026-03-01T00:00:00Z
forbids = "presence"

[[zones]]
id = "bridge"
kind = "polygon"
file = "zones.geojson"
party = "EAST"
rule = "nobody on the bridge"
forbids = "all"

[[sources]]
id = "csv"
format = "csv"
trust = "media"
origin = "column"
authoritative = true
radius_m = 1000

[[sources]]
id = "east"
format = "csv"
trust = "party"
party = "EAST"
origin = "source"
authoritative = true
time_zone = "Europe/Kyiv"
radius_m = 1000
[sources.place_m]
1 = 5000

[[lines]]
file = "lines/today.geojson"
valid_from = 2026-01-05T00:00:00Z
source = "survey"
"""


LINE = [[38.0, 49.0], [38.1, 48.5], [38.0, 48.0]]


def collection(*features: tuple[dict[str, object], str, object], **extra: object) -> bytes:
    members = [
        {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}
        for properties, kind, coordinates in features
    ]
    return json.dumps({"type": "FeatureCollection", **extra, "features": members}).encode()


def square(lon: float, lat: float, size: float = 1.0) -> list[list[list[float]]]:
    return [[[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]]


def lines_of(*coordinates: object) -> bytes:
    return collection(*(({}, "LineString", line) for line in coordinates))


def areas(*features: tuple[dict[str, object], list[list[list[float]]]]) -> bytes:
    return collection(*((properties, "Polygon", rings) for properties, rings in features))


def good() -> dict[str, bytes]:
    return {
        "theatre.toml": THEATRE.encode(),
        "policy.toml": (find_theatre("minsk-2015") / "policy.toml").read_bytes(),
        "baseline.geojson": collection(({}, "LineString", LINE)),
        "regions.geojson": collection(
            ({"region_id": "B", "name": "East"}, "Polygon", square(38, 48)),
            ({"region_id": "A"}, "Polygon", square(37, 48)),
        ),
        "zones.geojson": collection(({"zone_id": "bridge"}, "Polygon", square(38.0, 48.4, 0.02))),
        "lines/today.geojson": collection(({}, "LineString", LINE)),
    }


def with_edit(file: str, old: str, new: str) -> dict[str, bytes]:
    files = good()
    text = files[file].decode()
    assert old in text, f"the edit no longer applies: {old}"
    return {**files, file: text.replace(old, new, 1).encode()}


def sentences(error: PolicyError) -> list[str]:
    head, *rest = str(error).split("\n- ")
    count = int(re.search(r", (\d+) mistakes?:$", head)[1])  # type: ignore[index] -- a missing match is a failing test
    assert count == len(rest)
    return rest


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    return folder


# whatever a file can hold that nobody meant to write
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
