"""Would an analyst take the map of the demo, and of Minsk II, as real QGIS draws it? Skipped where there is no QGIS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any

import eye
import geopandas as gpd
import pytest
import realdata
import shapely
from commandline import ceasewatch

from pipelines import watch
from pipelines.cartography import themes
from pipelines.edge import utc_now
from pipelines.layers import read_table
from pipelines.publications import Question
from pipelines.settings import load_theatre, read_folder

if TYPE_CHECKING:
    from pathlib import Path

    from geo.fronts import Baseline

AVDIIVKA = datetime(2017, 2, 3, 12, tzinfo=UTC)
LEVEL = ("incident_points", "violations", "side_names", "segments_posts", "regions")  # what is written on the level
HISTORY = "History, with the time slider"
DAYS = 5


@dataclass(frozen=True)
class Seen:
    """A map, the line that it is about, and what QGIS says of them."""

    file: Path
    line: Baseline
    said: dict[str, Any]


def _demo(place: Path) -> tuple[Path, Path]:
    result = ceasewatch("demo", place / "demo", "--plain")
    assert result.exit_code == 0, result.stderr
    return place / "demo" / "workspace" / "theatre", place / "demo" / "workspace" / "published" / "monitor.gpkg"


def _minsk(place: Path) -> tuple[Path, Path]:
    workspace, _ = realdata.minsk(place / "minsk")
    watch.watch(workspace, Question(AVDIIVKA, AVDIIVKA, None), out=place / "out", version="test", clock=utc_now)
    return place / "minsk" / "theatre", place / "out" / "monitor.gpkg"


@pytest.fixture(scope="module", params=[_demo, _minsk], ids=["demo", "minsk"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Return what QGIS says of every theme, layer and layout, five days, and three sizes of the map."""
    eye.need()
    place = tmp_path_factory.mktemp("maps")
    theatre, file = request.param(place)
    asked = [*_wholes(file), *_layers(file)]
    said = eye.look(str(file.with_suffix(".qgz")), place / "eye", asked)
    return Seen(file, load_theatre(read_folder(theatre), "theatre").baselines[0], said)


def _around(file: Path, degrees: float) -> list[float]:
    """Return a box around the worst of what goes on."""
    points = read_table(file, "incident_points")
    going = points[points["state"].isin(["active", "quiet"])].sort_values("tier_eligible", ascending=False)
    x, y = going.geometry.iloc[0].x, going.geometry.iloc[0].y
    return [x - degrees * 1.5, y - degrees, x + degrees * 1.5, y + degrees]


def _wholes(file: Path) -> list[dict[str, Any]]:
    days = sorted(set(read_table(file, "incident_days")["day"]))[-DAYS:]
    small = {"size": (600, 450)}
    return [
        *({"name": f"theme {name}", "theme": name, **small} for name in themes.THEMES),
        {"name": "page", "layout": "A4 situation map", "dpi": 60},
        *(
            {"name": f"day {day}", "theme": HISTORY, "frame": [f"{day}T00:00:00Z", f"{day}T23:59:59Z"], **small}
            for day in days
        ),
        {"name": "overview", "theme": themes.NOW, "size": (1300, 1000), "written": None},
        {"name": "region", "theme": themes.NOW, "box": _around(file, 0.5), "size": (1300, 1000), "written": None},
        {"name": "incident", "theme": "One incident", "box": _around(file, 0.1), "size": (900, 700), "written": None},
    ]


def _layers(file: Path) -> list[dict[str, Any]]:
    """Return every layer by itself; where there may be nothing late, from close by."""
    keys = sorted({key for shown in themes.THEMES.values() for key in shown})
    box = _around(file, 0.25)
    return [{"name": f"layer {key}", "layers": [f"monitor_{key}"], "box": box, "size": (400, 300)} for key in keys]


def test_everything_is_valid_and_every_theme_layer_layout_and_day_is_drawn(seen: Seen) -> None:
    assert seen.said["ok"]
    assert all(layer["valid"] for layer in seen.said["layers"].values())
    assert all(seen.said["relations"].values())
    assert set(seen.said["themes"]) == set(themes.THEMES)
    empty = [name for name, share in seen.said["pictures"].items() if share == 0]
    assert empty == []
    assert sum(name.startswith("day ") for name in seen.said["pictures"]) == DAYS


@pytest.mark.parametrize("picture", ["overview", "region", "incident"])
def test_the_ground_is_seen_and_no_footprint_of_long_ago_lies_over_it(seen: Seen, picture: str) -> None:
    assert seen.said["dark"][picture] < 0.2


def test_every_incident_that_goes_on_is_named(seen: Seen) -> None:
    points = read_table(seen.file, "incident_points")
    going = points[points["state"].isin(["active", "quiet"])]["incident_id"]
    written = [text for layer, text, _ in seen.said["texts"]["overview"] if layer == "monitor_incident_points"]
    assert len(going) > 0
    for name in going:
        assert any(text.startswith(f"{name} ·") for text in written), written


def test_every_published_place_for_a_name_lies_on_its_side(seen: Seen) -> None:
    rows = gpd.GeoDataFrame(read_table(seen.file, "sides"))
    where = seen.line.locate(rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy())
    assert set(rows["side"]) == {"left", "right"}
    assert (where.side == rows["side"].map({"left": 1, "right": -1})).all()


@pytest.mark.parametrize("picture", ["overview", "region", "incident"])
def test_every_name_of_a_side_is_written_on_that_side(seen: Seen, picture: str) -> None:
    rows = read_table(seen.file, "sides").drop_duplicates("side")
    sides = dict(zip(rows["name"].str.upper(), rows["side"], strict=True))
    told = [(text, box) for layer, text, box in seen.said["texts"][picture] if layer == "monitor_side_names"]
    assert told or picture == "incident"  # which one wide footprint may fill, and names stay off footprints
    for text, box in told:
        lon, lat = zip(*box, strict=True)
        side = {"left": 1, "right": -1}[sides[" ".join(text.split())]]
        assert (seen.line.locate(lon, lat).side == side).all(), (text, box)


@pytest.mark.parametrize("picture", ["overview", "region", "incident"])
def test_nothing_is_written_over_anything_else(seen: Seen, picture: str) -> None:
    found = [(text, shapely.Polygon(box)) for layer, text, box in seen.said["texts"][picture]
             if layer.removeprefix("monitor_") in LEVEL]  # fmt: skip
    over = [
        (text, other)
        for (text, one), (other, two) in combinations(found, 2)
        if one.intersection(two).area > 0.02 * min(one.area, two.area)
    ]
    assert over == []
