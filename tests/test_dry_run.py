"""Does ``ingest --dry-run`` say what ``ingest`` will do with each row, and leave everything as it was?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace

SCRATCH = ("ledger.sqlite-shm", "ledger.sqlite-wal")  # SQLite's own, made by whoever reads; the latter stays empty


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace in which a mission and, under two ids, an agency said something."""
    made = cells.workspace(tmp_path / "ws", replay=True)
    rows = [cells.row("a", 1.0), cells.row("b", 2.0), cells.row("c", 3.0)]
    cells.bring(made, cells.write(tmp_path / "mission.csv", rows), cells.Clock(), known="reported")
    cells.bring(made, cells.write(tmp_path / "media.csv", rows), cells.Clock(), source="media", known="reported")
    return made


def mixed(path: Path) -> Path:
    """Write a file in which each kind of row occurs, most in more than one way."""
    return cells.write(
        path,
        [
            cells.row("a", 1.0),
            cells.row("b", 2.0, lon="37.5", act="explosion"),
            cells.row("new", 4.0),
            cells.row("new", 4.0, km=31.0),
            cells.row("new", 4.0),
            cells.row("c", 3.0, act="retraction"),
            cells.row("c", 3.0, act="retraction"),
            cells.row("c", 3.0),
            cells.row("nobody", 3.0, act="retraction"),
            cells.row("", 5.0, act="heartbeat"),
            cells.row("", 5.0, act="outage"),
            cells.row("bad", 5.0, lat="north\x1b[2J"),
            cells.row("", 6.0),
            cells.row("", 6.0),
        ],
    )


def everything(folder: Path) -> dict[str, bytes]:
    files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
    assert all(file.stat().st_size == 0 for name, file in files.items() if name.endswith("-wal"))
    return {name: file.read_bytes() for name, file in files.items() if name not in SCRATCH}


def foreseen(place: Workspace, file: Path, *words: object) -> dict[str, object]:
    (only,) = told(ceasewatch("ingest", place.path, file, "--dry-run", "--json", *words))["files"]
    return only


def test_each_row_is_told_with_its_reason(place: Workspace, tmp_path: Path) -> None:
    found = foreseen(place, mixed(tmp_path / "mixed.csv"), "--source", "mission")
    each = [(row["becomes"], row["code"], row["why"]) for row in found["each"]]  # type: ignore[attr-defined]
    first = place.ledger().reports().set_index("source_ref").query("source == 'mission'")["report_id"]
    assert each[0] == ("duplicate", None, f"the same was said by {first['a']}")
    assert each[1] == ("revision", None, f"it changes lon, act of {first['b']}")
    assert each[2] == ("new", None, "its source has not reported this item before")
    assert each[3] == ("revision", None, "it changes lon, lat of what row 3 of this file says")
    assert each[4] == ("duplicate", None, "the same was said by row 3 of this file")
    assert each[5] == ("retraction", None, f"it takes back {first['c']}")
    assert each[6] == ("duplicate", None, "its item has been taken back already")
    assert each[7] == ("duplicate", None, f"the same was said by {first['c']}")
    assert each[8][:2] == ("quarantined", "unknown_item")
    assert each[9] == ("heartbeat", None, "it says when and where its source could see")
    assert each[10] == ("heartbeat", None, "it says when and where its source could not see")
    assert each[11][:2] == ("quarantined", "coordinate")
    assert [row[0] for row in each[12:]] == ["new", "duplicate"]


def test_a_source_without_authority_is_told_that_both_are_kept(place: Workspace, tmp_path: Path) -> None:
    file = cells.write(tmp_path / "more.csv", [cells.row("a", 1.0, km=35.0)])
    (row,) = foreseen(place, file, "--source", "media")["each"]  # type: ignore[misc]
    assert row["becomes"] == "conflict"
    assert row["why"].startswith("it differs in lon, lat from R-")


@pytest.mark.parametrize("source", ["mission", "media", "east"])
def test_what_is_foretold_is_what_happens(place: Workspace, tmp_path: Path, source: str) -> None:
    if source == "east":  # declared now, and not recorded yet
        about = place.theatre / "theatre.toml"
        declared = (
            '[[sources]]\nid = "east"\nformat = "csv"\ntrust = "media"\norigin = "source"\nauthoritative = false\n'
        )
        about.write_text(about.read_text() + f"\n{declared}radius_m = 500\n")
    file = mixed(tmp_path / "mixed.csv")
    kinds = ("rows", "new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
    ahead = foreseen(place, file, "--source", source, "--known-at", "reported")
    done = cells.bring(place, file, cells.Clock(60), source=source, known="reported").as_dict()
    assert {kind: ahead[kind] for kind in kinds} == {kind: done[kind] for kind in kinds}
    assert foreseen(place, file, "--source", source)["repeated"] is True


def test_nothing_at_all_is_written(place: Workspace, tmp_path: Path) -> None:
    (place.theatre / "policy.toml").write_text((place.theatre / "policy.toml").read_text() + "\n# edited\n")
    (tmp_path / "empty.csv").write_bytes(b"")
    before = everything(place.path)
    shown = ceasewatch("ingest", place.path, mixed(tmp_path / "mixed.csv"), "--source", "mission", "--dry-run")
    assert shown.exit_code == 3
    assert "The policy has been edited" in shown.stdout
    assert (
        "14 rows would be 2 new + 2 revision + 5 duplicate + 1 retraction + 2 heartbeat + 2 quarantined" in shown.stdout
    )
    assert "nothing was written" in shown.stdout
    assert "\x1b" not in shown.stdout
    refused = ceasewatch("ingest", place.path, tmp_path / "empty.csv", "--source", "mission", "--dry-run")
    assert (refused.exit_code, "Nothing would be ingested" in refused.stderr) == (2, True)
    assert everything(place.path) == before
