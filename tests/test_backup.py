"""Is a copy that was made while others wrote a whole workspace?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cells
import pytest
from commandline import ceasewatch, told

from geo.errors import CeasewatchError, PolicyError
from pipelines.audit import audit
from pipelines.backup import backup, rotate
from pipelines.ledger import raw_path
from pipelines.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return cells.shelled(tmp_path)


def test_a_copy_says_the_same_and_goes_on_like_the_original(place: Workspace, tmp_path: Path) -> None:
    before = cells.run(place, cells.Clock(41))
    done = backup(place, tmp_path / "copies" / "one")
    copy = Workspace.open(done.path)
    with place.ledger() as ledger, copy.ledger() as copied:
        assert copied.head() == ledger.head() == done.head
        assert copied.reports().equals(ledger.reports())
    again = cells.run(copy, cells.Clock(41))
    assert (again.run_id, again.written) == (before.run_id, True)
    assert again.incidents.equals(before.incidents)
    assert audit(copy, [before.head]).problems == ()
    more = cells.bring(copy, cells.shelling(tmp_path / "mission.csv", begin=34.0, ref="t"), cells.Clock(80))
    assert more.batch.new > 0
    assert sorted(file.name for file in (tmp_path / "copies").iterdir()) == ["one"]


def test_of_the_copies_of_each_night_the_newest_are_kept_and_nothing_else_is_touched(
    place: Workspace, tmp_path: Path
) -> None:
    folder, namesake = tmp_path / "copies", cells.workspace(tmp_path / "elsewhere" / place.path.name)
    (folder / f"{place.path.name}-old").mkdir(parents=True)
    theirs = rotate(namesake, folder, keep=1, at=cells.at(0)).path.name
    made = [rotate(place, folder, keep=2, at=cells.at(24 * day)).path.name for day in range(3)]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*made[1:], theirs, f"{place.path.name}-old"])
    assert audit(Workspace.open(folder / made[-1])).problems == ()


def test_a_copy_of_a_clock_that_ran_ahead_does_not_cost_the_new_one(place: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    rotate(place, folder, keep=1, at=cells.at(9999))
    kept = rotate(place, folder, keep=1, at=cells.at(1)).path
    assert list(folder.iterdir()) == [kept]


def test_half_a_copy_and_half_of_one_that_was_removed_never_bear_a_copys_name_and_go_with_the_next(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copies"
    first = rotate(place, folder, keep=1, at=cells.at(0)).path

    def killed(path: Path) -> None:
        (path / "ledger.sqlite").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            rotate(place, folder, keep=1, at=cells.at(24))
    shutil.copytree(folder / f".{first.name}-removed", folder / f".{first.name}-a1b2c3d4")  # as a kill leaves a draft
    whole = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert [audit(Workspace.open(path)).problems for path in whole] == [()]
    kept = rotate(place, folder, keep=1, at=cells.at(48)).path
    assert list(folder.iterdir()) == [kept]


@pytest.mark.usefixtures("prefect")
def test_nights_that_were_missed_are_made_up_for_by_one_copy(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.flows import backups

    monkeypatch.setattr(backups, "utc_now", cells.Clock(100))
    rotate(place, tmp_path / "copies", keep=2, at=cells.at(3))
    made = []
    for due in (27, 51, 75, 99):
        monkeypatch.setattr(backups, "planned", cells.Clock(due))
        made.append(Path(backups.backups(place.path, tmp_path / "copies", keep=2)))
    assert len(set(made)) == 1
    assert len(list((tmp_path / "copies").iterdir())) == 2


def test_a_copy_is_refused_where_something_is_or_inside_itself(place: Workspace, tmp_path: Path) -> None:
    for to in (tmp_path, place.path / "copy"):
        with pytest.raises(PolicyError, match="name a folder that does not exist yet"):
            backup(place, to)


def test_a_damaged_workspace_makes_no_copy(place: Workspace, tmp_path: Path) -> None:
    sha256 = cells.bring(place, cells.shelling(tmp_path / "mission.csv", ref="u"), cells.Clock(50)).sha256
    raw_path(place.raw, sha256).write_bytes(b"x")
    with pytest.raises(CeasewatchError, match=f"the copy is not whole .*{sha256}"):
        backup(place, tmp_path / "copy")
    assert not [file.name for file in tmp_path.iterdir() if "copy" in file.name]


def test_copies_made_while_another_process_writes_are_whole(place: Workspace, tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "import cells, pathlib\n"
        "folder = pathlib.Path(sys.argv[1]); place = cells.Workspace.open(folder / 'ws')\n"
        "for n in range(6):\n"
        "    cells.bring(place, cells.shelling(folder / 'mission.csv', ref=f'w{n}-'), cells.Clock(60 + n))\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    heads, n = set(), 0
    try:
        while writer.poll() is None and len(heads) < 6:
            n += 1
            heads.add(backup(place, tmp_path / f"copy{n}").head.hash)
    finally:
        assert writer.wait(120) == 0
    assert len(heads) > 1, "nothing was written meanwhile: the test shows nothing"
    assert audit(place, sorted(heads)).problems == ()


def test_the_command(place: Workspace, tmp_path: Path) -> None:
    done = ceasewatch("backup", place.path, tmp_path / "copy", "--json")
    assert done.exit_code == 0
    kept = ceasewatch("verify", tmp_path / "copy", "--against", told(done)["head"])
    assert (kept.exit_code, "All is whole" in kept.stdout) == (0, True)
    assert ceasewatch("backup", place.path, tmp_path / "copy").exit_code == 2
