"""Does what stands beside the GeoPackage belong to the same run, and is each thing told once?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cap
import cells
import pytest
from cells import Clock, at

from pipelines import recall
from pipelines.layers import beside, read_run
from pipelines.publications import Question

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace


@pytest.fixture
def shelled(tmp_path: Path) -> Workspace:
    """Return a workspace that learnt at hour 40 of a shelling from hour 1 to hour 31."""
    return cells.shelled(tmp_path)


def messages(place: Workspace) -> dict[str, bytes]:
    """Return the messages that stand beside the map."""
    return {path.name: path.read_bytes() for path in (place.path / "published" / "cap").glob("*.xml")}


def test_page_and_messages_stand_beside_the_map_and_name_its_run(shelled: Workspace) -> None:
    outcome = cells.run(shelled, Clock(41))
    run = read_run(outcome.file)
    assert run is not None
    page = outcome.file.with_name("sitrep.html")
    assert f'content="{run["run_id"]}"' in page.read_text(encoding="utf-8")
    assert page.stat().st_mode & 0o777 == 0o444
    found = [cap.check(body) for body in messages(shelled).values()]
    assert len(found) == len(outcome.alerts) == 1
    assert run["run_id"].encode() in next(iter(messages(shelled).values()))
    assert cap.text(found[0], "info/area/circle")
    assert {cap.text(one, "status") for one in found} == {"Exercise"}


def test_the_same_run_again_changes_nothing(shelled: Workspace) -> None:
    first = cells.run(shelled, Clock(41), as_of=41)
    folder = first.file.parent
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.suffix != ".lock" and path.is_file()
    }
    again = cells.run(shelled, Clock(42), as_of=41)
    assert not again.written
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before


def test_a_later_run_tells_only_what_is_new_and_takes_back_what_is_gone(shelled: Workspace, tmp_path: Path) -> None:
    cells.run(shelled, Clock(41))
    first = messages(shelled)
    cells.run(shelled, Clock(60))
    second = messages(shelled)
    assert first.items() <= second.items()
    [ended] = [cap.check(body) for name, body in second.items() if name not in first]
    assert cap.text(ended, "info/event") == "Ceasefire breach ended"
    assert cap.text(ended, "references").split(",")[1] == cap.text(cap.check(next(iter(first.values()))), "identifier")
    cells.bring(shelled, cells.write(tmp_path / "mission.csv", [cells.row("late", 40)]), Clock(61))
    cells.run(shelled, Clock(62))
    [again] = [cap.check(body) for name, body in messages(shelled).items() if name not in second]
    assert (cap.text(again, "msgType"), cap.text(again, "info/event")) == (
        "Update",
        "Ceasefire breach, tier 1 (warning)",
    )
    references = [one.split(",")[1] for one in cap.text(again, "references").split()]
    assert references[0] == cap.text(ended, "identifier"), "who holds the end alone is told what stands"
    assert "this did not come about: ended" in cap.text(again, "note")


def test_a_kill_before_the_record_sends_nothing_else(shelled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.watch.record", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            cells.run(shelled, Clock(41), as_of=41)
    before = messages(shelled)
    assert len(before) == 1
    cells.run(shelled, Clock(42), as_of=41)
    assert messages(shelled) == before


@pytest.mark.parametrize(("scheduled", "age_h", "live"), [(True, 0.9, True), (True, 1.1, False), (False, 0.0, False)])
def test_a_run_is_live_when_a_schedule_asked_for_the_present(
    shelled: Workspace,
    scheduled: bool,  # noqa: FBT001
    age_h: float,
    live: bool,  # noqa: FBT001
) -> None:
    question = Question(at(41), scheduled=scheduled)
    assert recall.recall(shelled, question, version="test", at=at(41 + age_h)).live == live


def test_files_are_put_whole_and_drafts_of_the_dead_are_cleared(tmp_path: Path) -> None:
    (tmp_path / ".sitrep.tmp-1.html").write_text("half")
    beside.put(tmp_path, {"sitrep.html": b"one", "cap/a.xml": b"a"})
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.xml", "sitrep.html"]
    beside.put(tmp_path, {"sitrep.html": b"two"})
    assert (tmp_path / "sitrep.html").read_bytes() == b"two"
    assert (tmp_path / "cap" / "a.xml").read_bytes() == b"a"
