"""What does real QGIS make of the map? Skipped where the system's Python has no PyQGIS."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import cells
import pytest
from cells import Clock
from eye import look, need

from geo import tables
from pipelines import commands
from pipelines.cartography import themes
from pipelines.layers import read_table

HOSTILE = "<b>bold</b> [% 1 + 1 %]"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a map of a shelling that goes on, with strange words in its reports, copied elsewhere."""
    need()
    home = tmp_path_factory.mktemp("home")
    place = cells.workspace(home / "ws")
    told = [cells.row(f"s{n}", 1 + 3 * n, act="shelling") for n in range(11)]
    file = home / "mission.csv"
    cells.write(file, told)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0] + ",text", *(f'{line},"{HOSTILE}"' for line in lines[1:])]) + "\n")
    cells.bring(place, file, Clock(34))
    cells.run(place, Clock(34))
    return Path(shutil.copytree(place.path / "published", tmp_path_factory.mktemp("else") / "where"))


@pytest.fixture(scope="module")
def seen(published: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what QGIS says of the project in the copied folder."""
    asked: list[dict[str, Any]] = [
        *({"name": f"theme {n}", "theme": name} for n, name in enumerate(themes.THEMES)),
        {"name": "page", "layout": "A4 situation map"},
        *(
            {"name": day, "theme": "History, with the time slider", "frame": [f"{day}T00:00:00Z", f"{day}T23:59:59Z"]}
            for day in ("2026-06-02", "2026-06-03")
        ),
        {"write": "monitor_commands", "row": {"command": "confirm", "target": "V-3", "reviewer": "A", "reason": "saw"}},
    ]
    return look(str(published / "monitor.qgz"), tmp_path_factory.mktemp("eye") / "project", asked)


def test_every_layer_and_relation_of_the_project_is_there_and_valid(published: Path, seen: dict[str, Any]) -> None:
    rows = {name: read_table(published / "monitor.gpkg", name) for name in tables.BY_NAME}
    run = rows["run"].iloc[0]
    assert seen["ok"]
    assert str(run["title"]) in seen["title"]
    assert "ILLUSTRATIVE" in seen["title"]
    assert seen["layers"].keys() >= {"monitor_incident_points", "monitor_commands", "monitor_reviews"}
    for key, layer in seen["layers"].items():
        assert layer["valid"], key
        assert layer["read_only"] == (key != "monitor_commands")
        assert str(published) in layer["file"]
    assert [each["band"] for _, each in sorted(seen["rasters"].items())] == [[3], [1], [4], [2]]  # 168, 24, 720, 72 h
    assert all(each["valid"] and each["crs"] for each in seen["rasters"].values())
    assert len(seen["relations"]) > 10
    assert all(seen["relations"].values())
    assert seen["layers"]["monitor_violations"]["rows"] == len(rows["violations"])
    assert set(seen["themes"]) == set(themes.THEMES)
    assert seen["layouts"] == ["A4 situation map"]
    assert seen["bookmarks"] == ["east", "west"]


def test_every_theme_day_and_page_is_drawn(seen: dict[str, Any]) -> None:
    assert len(seen["pictures"]) == len(themes.THEMES) + 3
    assert all(share > 0.01 for share in seen["pictures"].values()), seen["pictures"]


def test_texts_of_reports_are_shown_as_they_are(seen: dict[str, Any]) -> None:
    tip = seen["layers"]["monitor_reports_then"]["tip"]
    assert "&lt;b&gt;bold&lt;/b&gt; [% 1 + 1 %]" in tip
    assert "<b>bold" not in tip
    assert "<td>active</td>" in seen["layers"]["monitor_incident_points"]["tip"]


def test_columns_are_called_by_their_titles(seen: dict[str, Any]) -> None:
    aliases = seen["layers"]["monitor_incidents"]["aliases"]
    assert {name: aliases[name] for name in tables.BY_NAME["incidents"].names} == {
        column.name: column.title for column in tables.BY_NAME["incidents"].columns
    }


def test_a_command_written_on_the_map_bears_the_time_in_utc(published: Path, seen: dict[str, Any]) -> None:
    written = seen["added"]["monitor_commands"]
    assert written["target"] == "V-3", written
    (entry,) = commands.read_geopackage(published / "reviews.gpkg")
    assert (entry.fault, entry.row["command"], entry.row["reviewer"]) == (None, "confirm", "A")
    moment = datetime.fromisoformat(entry.row["at"]).timestamp()
    assert abs(moment - (published / "reviews.gpkg").stat().st_mtime) < 300


def test_the_bare_file_and_the_project_in_it_open_too(
    published: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = published / "monitor.gpkg"
    folder = tmp_path_factory.mktemp("bare")
    bare = look(str(file), folder / "bare", [{"name": "all"}])
    names = {layer["name"] for layer in bare["layers"].values() if layer["valid"]}
    assert names == set(tables.BY_NAME)
    assert bare["pictures"]["all"] > 0.01
    assert all(layer["read_only"] for layer in bare["layers"].values())
    within = look(f"geopackage:{file}?projectName=monitor", folder / "within", [{"name": "all"}])
    assert all(layer["valid"] for layer in within["layers"].values())
    assert all(within["relations"].values())
    left = [path.name for path in published.iterdir() if path.name.endswith(("-wal", "-shm", "-journal", ".aux.xml"))]
    assert left == []
