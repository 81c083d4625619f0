"""Is a copy that was made while others wrote a whole workspace?"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

from geo.errors import CeasewatchError, PolicyError
from pipelines.audit import audit
from pipelines.backup import backup, rotate
from pipelines.ledger import raw_path
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


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
    folder = tmp_path / "copies"
    (folder / f"{place.path.name}-old").mkdir(parents=True)
    made = [rotate(place, folder, keep=2, at=cells.at(24 * day)).path.name for day in range(3)]
    assert sorted(path.name for path in folder.iterdir()) == [*made[1:], f"{place.path.name}-old"]
    assert audit(Workspace.open(folder / made[-1])).problems == ()


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
