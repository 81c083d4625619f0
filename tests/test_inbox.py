"""Is everything in the inbox accounted for, taken once, and never half?"""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

from geo.errors import InputError, PolicyError
from pipelines.feeds import inbox
from pipelines.feeds.turn import turn
from pipelines.ledger import LedgerBusy, LedgerDamaged
from pipelines.quarantine import Person, erase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.feeds.inbox import Found
    from pipelines.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return an empty workspace."""
    return cells.workspace(tmp_path / "ws")


def drop(place: Workspace, name: str = "today.csv", *, ref: str = "a") -> Path:
    """Put a file of one report into the inbox."""
    return cells.write(place.path / "inbox" / "mission" / name, [cells.row(ref, 1.0)])


def take(place: Workspace, pause: Callable[[float], None] = lambda _: None) -> list[Found]:
    """Take what lies there, without waiting."""
    return list(inbox.take(place, cells.Clock(5), pause=pause))


def lying(place: Workspace) -> list[str]:
    """Return the files in the inbox."""
    box = place.path / "inbox"
    return sorted(file.relative_to(box).as_posix() for file in box.rglob("*") if not file.is_dir())


def reports(place: Workspace) -> list[str]:
    """Return the reports of the ledger, by their source's id."""
    with place.ledger() as ledger:
        return sorted(ledger.reports()["source_ref"])


def test_a_file_at_rest_is_taken_under_its_folders_source_and_removed_since_its_bytes_are_kept(
    place: Workspace,
) -> None:
    data = drop(place).read_bytes()
    found = take(place)
    assert [(one.name, one.fate) for one in found] == [("mission/today.csv", "taken")]
    assert found[0].done is not None
    assert (found[0].done.source, found[0].done.file_name, found[0].done.batch.new) == ("mission", "today.csv", 1)
    assert lying(place) == []
    assert [file.read_bytes() for file in place.raw.rglob("*") if file.is_file()] == [data]
    assert take(place) == []


def test_a_file_that_grows_between_the_two_looks_waits_for_the_next_pass(place: Workspace) -> None:
    file = drop(place)
    waited = []

    def grow(seconds: float) -> None:
        waited.append(seconds)
        cells.write(file, [cells.row("a", 1.0), cells.row("b", 2.0)])

    assert [(one.fate, one.reason) for one in take(place, grow)] == [
        ("left", "is still being written; it is taken when it rests")
    ]
    assert waited == [5.0]  # settle_s of the theatre
    assert reports(place) == []
    take(place)
    assert reports(place) == ["a", "b"]


def test_what_is_written_while_it_is_read_is_not_removed_and_the_next_pass_has_it_whole(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(place)
    whole = [cells.row("a", 1.0), cells.row("b", 2.0)]
    real = inbox.ingest

    def meanwhile(workspace: Workspace, file: Path, **words: object) -> object:
        done = real(workspace, file, **words)  # type: ignore[arg-type]
        cells.write(file, whole)
        return done

    monkeypatch.setattr(inbox, "ingest", meanwhile)
    take(place)
    monkeypatch.undo()
    assert lying(place) == ["_taking/mission/1/today.csv"]
    second = take(place)[0].done
    assert second is not None
    assert (second.batch.duplicate, second.batch.new) == (1, 1)
    assert lying(place) == []


@pytest.mark.parametrize("moment", ["_claim", "ingest", "_dispose"])
def test_a_kill_at_any_moment_neither_loses_nor_doubles_a_report(
    place: Workspace, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class KilledError(BaseException):
        """Nothing after it runs."""

    for before in (True, False):
        drop(place, ref=f"{moment}{before}")
        real = getattr(inbox, moment)

        def kill(*words: object, before: bool = before, real: Callable[..., object] = real, **more: object) -> None:
            if not before:
                real(*words, **more)
            raise KilledError

        monkeypatch.setattr(inbox, moment, kill)
        with pytest.raises(KilledError):
            take(place)
        monkeypatch.undo()
        again = take(place)
        assert [one.fate for one in again] == ["taken"] * (before or moment != "_dispose")
        assert lying(place) == []
    assert reports(place) == [f"{moment}False", f"{moment}True"]
    with place.ledger() as ledger:
        assert ledger.counts()["revision"] == ledger.counts()["conflict"] == 0


def test_what_cannot_be_read_at_all_is_moved_aside_with_the_reason_and_its_bytes_are_kept(place: Workspace) -> None:
    for number in (1, 2):
        (place.path / "inbox" / "mission" / "odd.csv").write_bytes(b"\xff\xfe\x00nothing %d" % number)
        found = take(place)[0]
        assert (found.fate, found.done) == ("refused", None)
        assert "the file is kept as raw/" in (found.reason or "")
    aside = ["_refused/mission/2-odd.csv", "_refused/mission/odd.csv"]
    assert lying(place) == sorted([*aside, *(f"{name}.reason.txt" for name in aside)])
    assert (place.path / "inbox" / "_refused" / "mission" / "odd.csv.reason.txt").read_text() != ""
    assert take(place) == []


def failing(monkeypatch: pytest.MonkeyPatch, *faults: BaseException, name: str = "bad") -> None:
    """Let the reading of the file of that name fail, each time by the next fault."""
    real, left = inbox.ingest, list(faults)

    def ingest(workspace: Workspace, file: Path, **words: object) -> object:
        if file.name.startswith(name) and left:
            raise left.pop(0)
        return real(workspace, file, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "ingest", ingest)


@pytest.mark.parametrize(
    ("fault", "fate"),
    [
        (InputError("erased", "these bytes were erased"), "refused"),
        (PolicyError("policy.toml lacks an act"), "left"),
        (PermissionError(errno.EACCES, "Permission denied"), "left"),
        (LedgerBusy("somebody is writing"), None),
        (LedgerDamaged("is not as it was written"), None),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), None),
    ],
)
def test_a_fault_of_one_file_is_told_of_it_alone_and_one_of_ledger_or_disk_ends_the_pass(
    place: Workspace, monkeypatch: pytest.MonkeyPatch, fault: Exception, fate: str | None
) -> None:
    os.utime(drop(place, "bad.csv", ref="bad"), (1_000_000, 1_000_000))
    drop(place)
    failing(monkeypatch, fault)
    if fate is None:
        with pytest.raises(type(fault)):
            take(place)
    else:
        found = take(place)
        assert [(one.name, one.fate, one.amiss) for one in found] == [
            ("mission/bad.csv", fate, True),
            ("mission/today.csv", "taken", False),
        ]
        assert str(fault.args[-1]) in (found[0].reason or "")
    take(place)
    assert reports(place) == ["a", "bad"][: 1 if fate == "refused" else 2]


def test_bytes_that_were_erased_do_not_keep_the_others_out(place: Workspace) -> None:
    data = drop(place, "erased.csv", ref="erased").read_bytes()
    done = take(place)[0].done
    assert done is not None
    erase(place, done.sha256, Person("Ann", "asked for it"), cells.Clock(6))
    (place.path / "inbox" / "mission" / "again.csv").write_bytes(data)
    drop(place, "other.csv", ref="other")
    fates = {one.name: one.fate for one in take(place)}
    assert (fates["mission/again.csv"] == "taken", fates["mission/other.csv"]) == (False, "taken")


def test_where_the_machine_may_be_at_fault_a_file_is_tried_in_three_passes_whatever_ends_them(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(place, "bad.csv")
    slow, killed = InputError("time_limit", "reading took over 9 s"), InputError("reader_killed", "killed from outside")
    failing(monkeypatch, slow, KeyboardInterrupt(), killed, slow)
    assert [(one.fate, one.reason) for one in take(place)] == [
        ("left", "reading took over 9 s (pass 1 of 3: tried again by the next)")
    ]
    with pytest.raises(KeyboardInterrupt):
        take(place)
    assert [one.fate for one in take(place)] == ["left"]
    assert [(one.fate, one.reason) for one in take(place)] == [("refused", "reading took over 9 s")]
    assert lying(place) == ["_refused/mission/bad.csv", "_refused/mission/bad.csv.reason.txt"]
    assert not any((place.path / "inbox" / "_taking" / "mission").iterdir())


def test_a_file_that_is_read_in_a_later_pass_leaves_nothing_behind(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(place, "bad.csv")
    failing(monkeypatch, InputError("time_limit", "reading took over 9 s"))
    assert [one.fate for one in (*take(place), *take(place))] == ["left", "taken"]
    assert lying(place) == []
    assert not any((place.path / "inbox" / "_taking" / "mission").iterdir())


def test_a_refused_file_or_reason_never_takes_the_place_of_another_and_long_names_are_cut(place: Workspace) -> None:
    folder, aside = place.path / "inbox" / "mission", place.path / "inbox" / "_refused" / "mission"
    long = "\N{CYRILLIC SMALL LETTER ZHE}" * 125 + ".csv"  # of 254 bytes
    for name in ("odd.csv.reason.txt", "odd.csv", "odd.csv", long, long):
        (folder / name).write_bytes(b"\xff\xfe\x00nothing " + name.encode())
        (found,) = take(place)
        assert (found.name, found.fate) == (f"mission/{name}", "refused")
    refused = [file for file in aside.iterdir() if file.read_bytes().startswith(b"\xff\xfe")]
    reasons = [file for file in aside.iterdir() if file not in refused]
    assert len(refused) == 5
    assert sorted(file.name + ".reason.txt" for file in refused) == sorted(file.name for file in reasons)
    assert {"odd.csv.reason.txt", "2-odd.csv", "3-odd.csv"} < {file.name for file in refused}
    assert [file.suffix for file in refused if len(file.name) > 99] == [".csv", ".csv"]
    assert {len(file.name.encode()) for file in reasons if len(file.name) > 99} <= {254, 255}


def test_a_file_that_a_source_no_longer_declared_left_behind_is_told_of(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(place, "bad.csv")
    failing(monkeypatch, PolicyError("policy.toml lacks an act"))
    take(place)
    taking = place.path / "inbox" / "_taking"
    (taking / "mission").rename(taking / "old")
    (found,) = take(place)
    assert (found.name, found.fate, found.amiss) == ("_taking/old/bad.csv", "left", True)
    assert "source old is no longer declared" in (found.reason or "")


def test_a_file_that_is_renamed_while_the_folder_is_listed_waits_for_the_next_pass(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(place)
    gone = drop(place, "gone.csv", ref="b")
    real: Callable[[Path], Iterator[os.DirEntry[str]]] = vars(inbox)["_entries"]

    def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
        listed = list(real(folder))
        if folder == gone.parent:
            gone.unlink()
        yield from listed

    monkeypatch.setattr(inbox, "_entries", entries)
    assert [(one.name, one.fate) for one in take(place)] == [("mission/today.csv", "taken")]


def test_a_folder_on_another_file_system_is_named_and_nothing_is_left_of_the_attempt(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = drop(place)

    def rename(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(type(file), "rename", rename)
    (found,) = take(place)
    assert found.fate == "left"
    assert "inbox/mission is on another file system" in (found.reason or "")
    assert not any((place.path / "inbox" / "_taking" / "mission").iterdir())


def test_history_is_not_brought_into_a_workspace_that_is_no_replay(place: Workspace) -> None:
    drop(place)
    with pytest.raises(PolicyError, match="only a replay workspace takes"):
        list(inbox.take(place, cells.Clock(5), known="observed", pause=lambda _: None))
    assert lying(place) == ["mission/today.csv"]


def test_a_file_above_the_limit_is_refused_before_it_is_read(place: Workspace) -> None:
    settings = place.theatre / "theatre.toml"
    settings.write_text(settings.read_text().replace("max_bytes = 200_000_000", "max_bytes = 50", 1))
    drop(place)
    found = take(place)[0]
    assert found.fate == "refused"
    assert "more than the 50 of [inbox] max_bytes" in (found.reason or "")
    assert not any(file.is_file() for file in place.raw.rglob("*"))


def test_nothing_but_plain_files_is_touched_and_nothing_hangs(place: Workspace, tmp_path: Path) -> None:
    folder = place.path / "inbox" / "mission"
    secret = tmp_path / "secret.csv"
    cells.write(secret, [cells.row("secret", 1.0)])
    os.mkfifo(folder / "pipe.csv")
    (folder / "link.csv").symlink_to(secret)
    (folder / "hard.csv").hardlink_to(secret)
    (folder / "folder.csv").mkdir()
    (folder / "empty.csv").touch()
    (folder / ".partial.csv").write_text("half")
    (folder / "odd\udcff\n.csv").write_bytes(secret.read_bytes())
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(folder, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{here}/s.csv")
        os.close(here)
        found = {one.name: one for one in take(place)}
    assert {one.fate for one in found.values()} == {"left"}
    for name, why in {
        "pipe.csv": "plain file",
        "link.csv": "plain file",
        "folder.csv": "plain file",
        "s.csv": "plain file",
        "hard.csv": "second name",
        "empty.csv": "empty so far",
        "odd\\xff\\n.csv": "no text",
    }.items():
        assert why in (found.pop(f"mission/{name}").reason or ""), name
    assert not found
    assert reports(place) == []
    assert secret.exists()


def test_only_a_folder_of_a_declared_source_names_the_source(place: Workspace, tmp_path: Path) -> None:
    box = place.path / "inbox"
    cells.write(box / "csv.csv", [cells.row("a", 1.0)])
    (box / "mision").mkdir()
    cells.write(box / "mision" / "a.csv", [cells.row("a", 1.0)])
    outside = tmp_path / "outside"
    outside.mkdir()
    cells.write(outside / "a.csv", [cells.row("a", 1.0)])
    (box / "public").rmdir()
    (box / "public").symlink_to(outside)
    found = {one.name: one.reason or "" for one in take(place)}
    assert "such as inbox/csv/" in found["csv.csv"]
    assert "no source of that name" in found["mision"]
    assert "folder of its source" in found["public"]
    assert reports(place) == []


def test_each_declared_source_has_its_folder_from_the_start_and_one_that_is_added_later_gets_it(
    place: Workspace,
) -> None:
    box = place.path / "inbox"
    assert {folder.name for folder in box.iterdir()} >= {"csv", "mission", "public"}
    (box / "public").rmdir()
    assert take(place) == []
    assert (box / "public").is_dir()


def test_files_are_taken_oldest_first(place: Workspace) -> None:
    for name, age in (("a", 10), ("b", 30), ("c", 20)):
        os.utime(drop(place, f"{name}.csv", ref=name), (1_000_000 - age, 1_000_000 - age))
    assert [one.name for one in take(place)] == ["mission/b.csv", "mission/c.csv", "mission/a.csv"]


def test_a_theatre_without_an_inbox_says_what_to_add(place: Workspace) -> None:
    settings = place.theatre / "theatre.toml"
    text = settings.read_text()
    settings.write_text(text[: text.index("[inbox]")] + text[text.index("# --- Sources") :])
    with pytest.raises(PolicyError, match=r"no \[inbox\]"):
        take(place)


def test_two_do_not_empty_the_inbox_at_once(place: Workspace) -> None:
    with (
        turn(place, wait_s=0),
        pytest.raises(LedgerBusy, match=r"process \d+ .* is taking files in"),
        turn(place, wait_s=0),
    ):
        pass
    with turn(place, wait_s=0):
        pass


def test_the_command_takes_the_inbox_where_no_file_is_named(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox.take, "__kwdefaults__", {**(inbox.take.__kwdefaults__ or {}), "pause": lambda _: None})
    assert "nothing lies there" in ceasewatch("ingest", place.path).stdout
    drop(place)
    result = ceasewatch("ingest", place.path, "--json")
    assert result.exit_code == 0
    assert [(one["found"], one["fate"], one["new"]) for one in told(result)["inbox"]] == [
        ("mission/today.csv", "taken", 1)
    ]
    (place.path / "inbox" / "mission" / "odd.csv").write_bytes(b"\xff\xfe\x00nothing")
    result = ceasewatch("ingest", place.path)
    assert result.exit_code == 3
    assert "mission/odd.csv: refused, and moved to inbox/_refused/" in result.stdout
    drop(place).write_text("observed_from,lon,lat\nnonsense,1,2\n")
    assert ceasewatch("ingest", place.path).exit_code == 3
    assert ceasewatch("ingest", place.path, "--source", "csv").exit_code == 2
