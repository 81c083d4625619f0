"""Does a reader see the old file or the new one, whole, whatever happens in between?"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from publishable import DAMAGE, hidden, publish, sql, world

from pipelines import gdal, layers
from pipelines.layers import PublicationError, swap, write

if TYPE_CHECKING:
    import pyarrow as pa

    from geo.tables import Table

ROOT = Path(__file__).parents[1]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "published" / "monitor.gpkg"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["half the file", "no file", "lost rows", "a lie about the count", "a journal"])
def test_a_file_that_is_not_what_was_asked_for_is_refused_and_the_old_one_stands(
    monkeypatch: pytest.MonkeyPatch, target: Path, name: str
) -> None:
    damage, sentence = DAMAGE[name]
    publish(world("old"), target)
    before, build = target.read_bytes(), write.build

    def faulty(path: Path, *meant: object) -> None:
        build(path, *meant)  # type: ignore[arg-type]
        damage(path)

    monkeypatch.setattr(write, "build", faulty)
    with pytest.raises(PublicationError, match=sentence):
        publish(world("new", seed=1), target)
    assert target.read_bytes() == before
    assert hidden(target.parent) == []
    monkeypatch.setattr(write, "build", build)
    assert publish(world("new", seed=1), target).replaced


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("words", "fault", "times", "told"),
    [
        ("no such option", PublicationError, 2, "could not be written: no such option"),
        ("disk I/O error", OSError, 1, "the disk failed"),
    ],
)
def test_a_writer_that_fails_twice_is_our_fault_but_a_disk_is_not_and_the_old_file_stands(
    monkeypatch: pytest.MonkeyPatch, target: Path, words: str, fault: type[Exception], times: int, told: str
) -> None:
    publish(world("old"), target)
    before, tried = target.read_bytes(), []

    def fails(*_: object, **__: object) -> None:
        tried.append(words)
        raise RuntimeError(words)

    monkeypatch.setattr(gdal, "write", fails)
    with pytest.raises(fault, match=told):
        publish(world("new"), target)
    assert target.read_bytes() == before
    assert hidden(target.parent) == []
    assert len(tried) == times


@pytest.mark.usefixtures("few")
def test_a_map_of_which_less_was_written_than_was_said_is_made_again(
    monkeypatch: pytest.MonkeyPatch, target: Path
) -> None:
    built, times = write.build, itertools.count()

    def once(path: Path, *meant: object) -> None:
        built(path, *meant)  # type: ignore[arg-type]
        if next(times) == 0:
            DAMAGE["a lie about the count"][0](path)

    monkeypatch.setattr(write, "build", once)
    new = world("new", seed=1)
    publish(new, target)
    layers.check(target, new)
    assert next(times) == 2


def test_the_file_is_read_only_and_nothing_lies_beside_it(target: Path) -> None:
    publish(world(), target)
    assert target.stat().st_mode & 0o777 == 0o444
    layers.read_table(target, "reports")
    names = sorted(path.name for path in target.parent.iterdir())
    assert names == [swap.LOCK, "monitor.gpkg", "monitor.qgz", "versions"]


def test_the_same_run_is_not_written_again(target: Path) -> None:
    first = publish(world(), target)
    before = target.stat()
    again = publish(world(), target)
    assert (again.replaced, again.sha256) == (False, first.sha256)
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list((target.parent / "versions").iterdir()) == []


@pytest.mark.usefixtures("few")
def test_the_same_run_is_written_again_if_what_stands_is_damaged(target: Path) -> None:
    first = publish(world(), target)
    target.chmod(0o644)
    sql("UPDATE gpkg_ogr_contents SET feature_count = 3")(target)
    again = publish(world(), target)
    assert (again.replaced, again.sha256) == (True, first.sha256)
    layers.check(target, world())


@pytest.mark.usefixtures("few")
def test_the_newest_earlier_files_are_kept_under_their_own_names(target: Path) -> None:
    bytes_of = {}
    for i in range(6):
        publish(world(f"run-{i}", n=3), target, keep=2)
        bytes_of[f"monitor-run-{i}.gpkg"] = target.read_bytes()
    kept = {path.name: path.read_bytes() for path in (target.parent / "versions").iterdir()}
    assert kept == {name: bytes_of[name] for name in ("monitor-run-3.gpkg", "monitor-run-4.gpkg")}
    publish(world("run-6", n=3), target, keep=0)
    assert list((target.parent / "versions").iterdir()) == []


@pytest.mark.usefixtures("few")
def test_a_file_that_cannot_be_read_gives_way_and_is_kept(target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"no database")
    assert layers.read_run(target) is None
    publish(world(), target)
    kept = [path for path in (target.parent / "versions").iterdir() if path.read_bytes() == b"no database"]
    assert [path.name[:8] for path in kept] == ["monitor-"]


@pytest.mark.usefixtures("few")
def test_a_reader_keeps_the_whole_old_file_across_twenty_publications(target: Path) -> None:
    given = world("first", n=20)
    publish(given, target)
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as reader:
        ids = reader.execute("SELECT report_id FROM reports ORDER BY fid").fetchall()
        for i in range(20):
            publish(world(f"run-{i}", seed=i, n=5), target, keep=1)
            assert reader.execute("SELECT report_id FROM reports ORDER BY fid").fetchall() == ids
            assert reader.execute("SELECT run_id FROM run").fetchall() == [("first",)]
    run = layers.read_run(target)
    assert run is not None
    assert run["run_id"] == "run-19"


def _crashed_editor(path: Path, mode: str) -> None:
    """Leave what a program leaves that is killed while it writes to ``path``: a log that SQLite would replay."""
    code = (
        "import os, signal, sqlite3, sys\n"
        "file = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "file.execute('PRAGMA journal_mode = ' + sys.argv[2]); file.execute('PRAGMA cache_size = 1')\n"
        "file.execute('PRAGMA cache_spill = 1'); file.execute('BEGIN')\n"
        "file.execute('CREATE TABLE edits AS SELECT * FROM reports')\n"
        "file.execute('UPDATE evidence SET scenario = hex(randomblob(2000))'); file.execute('DELETE FROM run')\n"
        "if sys.argv[2] == 'WAL': file.execute('COMMIT')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path.chmod(0o644)
    subprocess.run([sys.executable, "-c", code, str(path), mode], check=False)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.usefixtures("few")
def test_the_log_of_a_crashed_editor_does_no_harm_and_is_kept(
    monkeypatch: pytest.MonkeyPatch, target: Path, mode: str
) -> None:
    publish(world("old"), target)
    _crashed_editor(target, mode)
    log = target.with_name(target.name + ("-wal" if mode == "WAL" else "-journal"))
    held = log.read_bytes()
    assert len(held) > 10_000
    new, replace = world("new", seed=1), Path.replace

    def watching(path: Path, name: Path) -> Path:
        assert name != target or not log.exists(), "a reader would replay the log on the new file"
        return replace(path, name)

    monkeypatch.setattr(Path, "replace", watching)
    publish(new, target)
    layers.check(target, new)
    with closing(sqlite3.connect(target)) as file:
        assert file.execute("SELECT run_id FROM run").fetchall() == [("new",)]
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert held in [path.read_bytes() for path in (target.parent / "versions").glob("*.stale-*")]


@pytest.mark.usefixtures("few")
def test_the_log_of_a_crashed_editor_makes_even_the_same_run_be_written_again(target: Path) -> None:
    publish(world(), target)
    _crashed_editor(target, "WAL")
    assert publish(world(), target).replaced
    layers.check(target, world())


@pytest.mark.usefixtures("few")
def test_leftovers_of_killed_runs_are_cleared_and_nothing_else(target: Path) -> None:
    (target.parent / "versions").mkdir(parents=True)
    dead = [".monitor.tmp-123.gpkg", ".monitor.tmp-123.gpkg-journal", "versions/.monitor-old.tmp-99.gpkg"]
    dead += [f".monitor.tmp-123.gpkg.{end}" for end in ("rows", "tmp_rtree_reports.db", "tmp_rtree_reports.db-journal")]
    alive = [".monitor.tmp-mine.gpkg", ".other.tmp-123.gpkg", "monitor.tmp-123.gpkg", ".monitor.tmp-1.gpkg.bak"]
    for name in dead + alive:
        (target.parent / name).write_bytes(b"x")
    publish(world(), target)
    assert [name for name in dead + alive if (target.parent / name).exists()] == alive


@pytest.mark.usefixtures("few")
def test_a_second_publisher_waits_and_is_told_who_is_at_work(target: Path) -> None:
    target.parent.mkdir(parents=True)
    with swap.locked(target.parent, 0), pytest.raises(PublicationError, match=f"process {os.getpid()} is publishing"):
        publish(world(), target, wait_s=0.1)
    started, late = threading.Event(), []
    with swap.locked(target.parent, 0):
        thread = threading.Thread(target=lambda: (started.set(), late.append(publish(world(), target, wait_s=30.0))))
        thread.start()
        started.wait()
        assert late == []
    thread.join()
    assert late[0].replaced


# --- a process killed at any instant


_MOMENTS = ("open", "os.rename", "os.remove", "os.link", "os.chmod", "os.mkdir", "sqlite3.connect", "fcntl.flock")


def _die_at(n: int) -> None:
    """Kill this process at its n-th step that touches the world."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == n:
            os.kill(os.getpid(), signal.SIGKILL)

    written = gdal.write

    def stepping(given: pa.Table, path: Path, table: Table, *, title: str, description: str) -> None:
        step()
        written(given, path, table, title=title, description=description)

    gdal.write = stepping
    sys.addaudithook(lambda event, _: step() if event in _MOMENTS else None)


def die_everywhere(folder: Path) -> None:
    """Publish the next answer in copies of ``folder/start``, killed one step later each time, until it ends."""
    new = world("new", seed=1, n=5)
    for n in itertools.count(1):
        place = folder / str(n)
        shutil.copytree(folder / "start", place)
        if (child := os.fork()) == 0:
            _die_at(n)
            publish(new, place / "monitor.gpkg", keep=1)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            break


@pytest.mark.slow  # every run kills before samples of all calls, in test_disturbed
@pytest.mark.usefixtures("few")
def test_a_kill_at_any_step_leaves_the_old_or_the_new_file_whole_and_the_next_run_clears_up(tmp_path: Path) -> None:
    old, new, third = world("old", n=5), world("new", seed=1, n=5), world("third", seed=2, n=5)
    publish(world("first", seed=3, n=5), tmp_path / "start" / "monitor.gpkg", keep=1)
    publish(old, tmp_path / "start" / "monitor.gpkg", keep=1)
    code = (
        "import pathlib, publishable, sys, test_swap as t\n"
        "publishable.declare_few()\n"
        "t.die_everywhere(pathlib.Path(sys.argv[1]))\n"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, env={**os.environ, "PYTHONPATH": path})
    found = []
    for place in sorted(tmp_path.glob("[0-9]*"), key=lambda path: int(path.name)):
        target = place / "monitor.gpkg"
        run = layers.read_run(target)
        assert run is not None
        found.append(run["run_id"])
        layers.check(target, {"old": old, "new": new}[run["run_id"]])
        assert not any(target.with_name(target.name + suffix).exists() for suffix in ("-wal", "-journal", "-shm"))
        assert publish(third, target, keep=1).replaced
        assert hidden(place) == []
        kept = [layers.read_run(path) for path in (place / "versions").iterdir()]
        assert [version["run_id"] for version in kept if version] == [run["run_id"]]
    assert len(found) > 20
    assert found == sorted(found, reverse=True)
    assert set(found) == {"old", "new"}


@pytest.mark.usefixtures("few")
def test_a_full_disk_leaves_the_old_file_and_the_next_run_succeeds(tmp_path: Path) -> None:
    """The system refuses to let any file grow beyond a size, which is set anew each time."""
    code = (
        "import json, pathlib, publishable, resource, sys, test_swap as t\n"
        "publishable.declare_few()\n"
        "target = pathlib.Path(sys.argv[1]) / 'monitor.gpkg'\n"
        "t.publish(t.world('old', n=5), target)\n"
        "before, new, said = target.read_bytes(), t.world('new', seed=1, n=5), []\n"
        "for size in range(4096, len(before), len(before) // 12):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "    try: t.publish(new, target)\n"
        "    except (t.PublicationError, OSError):\n"
        "        said.append(target.read_bytes() == before and t.hidden(target.parent) == [])\n"
        "    else: said.append('published')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "t.publish(new, target); t.layers.check(target, new)\n"
        "print(json.dumps(said))\n"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    full = subprocess.run(
        [sys.executable, "-c", code, tmp_path], check=True, capture_output=True, env={**os.environ, "PYTHONPATH": path}
    )
    said = json.loads(full.stdout)
    assert len(said) >= 10
    assert set(said) == {True}
