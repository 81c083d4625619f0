"""Is what a killed command left lying cleared by the next one, and is no more set aside than is needed?"""

from __future__ import annotations

from pathlib import Path

import cells
import pytest
from ledger_world import World, row
from publishable import declare_few, publish, sql, world

from geo import tables
from pipelines import commands, gdal, reviews
from pipelines.layers import PublicationError
from pipelines.ledger import raw_state, store_raw

GIB = 2**30


def test_half_a_raw_file_is_cleared_by_the_next_and_neither_is_lost(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    first = store_raw(raw, b"first")
    (raw / ".draft.tmp").write_bytes(b"somebody's name, whose file was never taken in")
    second = store_raw(raw, b"second")
    assert [raw_state(raw, sha256) for sha256 in (first, second)] == ["whole", "whole"]
    assert sorted(path.name for path in raw.rglob("*") if path.is_file()) == sorted([first, second])


@pytest.mark.parametrize("offered", [False, True])
def test_half_a_file_for_commands_is_cleared_by_the_next_run(tmp_path: Path, *, offered: bool) -> None:
    place = cells.workspace(tmp_path / "ws")
    if offered:
        reviews.offer(place, None)
    folder = place.target(None).parent
    for name in (".reviews.tmp-99.gpkg", ".reviews.tmp-99.gpkg-journal"):
        (folder / name).write_bytes(b"half")
    reviews.offer(place, None)
    assert sorted(path.name for path in folder.iterdir()) == [".publish.lock", "reviews.gpkg"]
    assert commands.read_geopackage(folder / "reviews.gpkg") == []


def test_a_file_for_commands_is_read_back_before_anybody_may_fill_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, tried = gdal.write, []

    def lies(rows: object, path: Path, *words: object, **more: object) -> None:
        tried.append(path)
        plain(rows, path, *words, **more)  # type: ignore[arg-type]
        if len(tried) <= failing:
            sql("DROP TRIGGER trigger_insert_feature_count_commands")(path)

    monkeypatch.setattr(gdal, "write", lies)
    failing = 1
    commands.create(tmp_path / "reviews.gpkg")
    assert len(tried) == 2
    failing = 9
    with pytest.raises(PublicationError, match="has lost trigger_insert_feature_count_commands"):
        commands.create(tmp_path / "other.gpkg")
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.gpkg"]


def test_earlier_maps_that_a_killed_run_did_not_clear_are_cleared_by_the_same_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TABLES", "BY_NAME"):
        monkeypatch.setattr(tables, name, getattr(tables, name))
    declare_few()
    target = tmp_path / "monitor.gpkg"
    for n in range(3):
        publish(world(f"run-{n}", n=3), target, keep=2)
    assert not publish(world("run-2", n=3), target, keep=1).replaced
    assert [path.name for path in (tmp_path / "versions").iterdir()] == ["monitor-run-1.gpkg"]


def test_an_answer_of_the_ledger_sets_aside_no_more_than_it_can_need(tmp_path: Path) -> None:
    made = World(tmp_path)
    made.take(row("a"), row("b"))
    before = _reserved()
    held = made.ledger.reports()
    assert len(held) == 2
    assert _reserved() - before < GIB
    made.close()


def _reserved() -> int:
    """Return how many bytes of addresses this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * 4096
