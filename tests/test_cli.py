"""Does each command do what its help says, and say whose fault it is when it cannot?"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import cells
import numpy as np
import pytest
from commandline import ceasewatch, told

from pipelines import intake
from pipelines.cli import main
from pipelines.cli.common import judge, put
from pipelines.ledger import LedgerBusy
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a replay workspace that learnt of a shelling from hour 1 to hour 31 as it was reported."""
    made = cells.workspace(tmp_path / "ws", replay=True)
    cells.bring(made, cells.shelling(tmp_path / "mission.csv"), cells.Clock(), known="reported")
    return made


NOW = "2026-06-03T12:00Z"  # hour 36


# --- Help and faults ---


@pytest.mark.parametrize("command", sorted(main.commands))
def test_the_help_of_each_command_shows_an_example(command: str) -> None:
    result = ceasewatch(command, "--help")
    assert result.exit_code == 0
    assert f"ceasewatch {command}" in result.stdout.split("Example:")[1]


def test_help_is_quick_because_nothing_heavy_is_imported_for_it() -> None:
    heavy = "{'pandas', 'geopandas', 'prefect', 'pyogrio', 'shapely', 'numpy'} & set(sys.modules)"
    code = f"import sys, pipelines.cli; sys.exit(str({heavy}) if {heavy} else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-06-03T12:00", "does not say its offset from UTC; write 2026-06-03T12:00Z"),
        ("2026-06-03", "does not say its offset from UTC"),
        ("yesterday", "is no time; write it as 2026-03-01T12:00Z"),
        ("2026-13-01T00:00Z", "is no time"),
    ],
)
def test_a_time_without_its_offset_is_refused_with_what_to_write(place: Workspace, text: str, sentence: str) -> None:
    for option in ("--as-of", "--known-at"):
        result = ceasewatch("run", place.path, option, text, "--plain")
        assert result.exit_code == 2
        assert sentence in " ".join(result.stderr.split())


def test_a_fault_of_ours_is_one_sentence_and_with_debug_also_its_place(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        msg = "chainage"
        raise KeyError(msg)

    monkeypatch.setattr("pipelines.audit.audit", broken)
    plain, debug = ceasewatch("verify", place.path), ceasewatch("verify", place.path, "--debug")
    assert (plain.exit_code, debug.exit_code) == (1, 1)
    assert "KeyError: a fault of Ceasewatch, not yours" in plain.stderr
    assert "report it" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr


def test_a_full_disk_is_no_fault_of_the_program() -> None:
    assert judge(OSError(28, "No space left on device", "/x/y")) == (2, "/x/y: No space left on device")


def test_memory_that_runs_out_is_no_fault_of_the_program() -> None:
    """Nor where numpy asked for it, which would say how much of what it could not have."""
    with pytest.raises(MemoryError) as asked:
        np.empty(2**58)
    for fault in (MemoryError(), asked.value):
        code, sentence = judge(fault)
        assert code == 2
        assert sentence.startswith("memory ran out. What was recorded and published before stands")


# --- init ---


def test_init_makes_a_workspace_from_a_shipped_theatre(tmp_path: Path) -> None:
    result = ceasewatch("init", tmp_path / "ws", "--theatre", "ukraine-2026", "--json")
    assert result.exit_code == 0
    assert told(result)["sources"][0] == "csv"
    assert told(result)["replay"] is False
    assert Workspace.open(tmp_path / "ws").name == "ukraine-2026"


def test_init_takes_the_users_own_line_and_regions(tmp_path: Path) -> None:
    for name, file in (("line", "baseline.geojson"), ("regions", "regions.geojson")):
        (tmp_path / f"{name}.geojson").write_bytes(cells.files()[file])
    own = ("--baseline", tmp_path / "line.geojson", "--regions", tmp_path / "regions.geojson")
    assert told(ceasewatch("init", tmp_path / "ws", "--theatre", "minsk-2015", *own, "--json"))["regions"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--theatre", "atlantis"], "atlantis: no folder with a theatre.toml and no shipped theatre"),
        ([], "Missing option '--theatre'"),
        (["--theatre", "ukraine-2026", "--baseline", "{bad}"], "bad.geojson"),
    ],
)
def test_init_says_what_is_wrong_with_the_settings(tmp_path: Path, words: list[str], sentence: str) -> None:
    (tmp_path / "bad.geojson").write_text("{}")
    result = ceasewatch("init", tmp_path / "ws", *(word.format(bad=tmp_path / "bad.geojson") for word in words))
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "ws").exists()


# --- ingest ---


def test_ingest_accounts_for_every_row_and_exits_3_when_some_are_quarantined(place: Workspace, tmp_path: Path) -> None:
    rows = [cells.row("a", 1.0), cells.row("b", 2.0, observed_from="nonsense"), cells.row("c", 3.0, lon="999")]
    file = cells.write(tmp_path / "csv.csv", rows)
    result = ceasewatch("ingest", place.path, file, "--known-at", "reported")
    assert result.exit_code == 3
    assert "csv.csv (csv): 3 rows = 1 new + 2 quarantined" in result.stdout
    assert "(row 2)" in result.stdout
    assert "(row 3)" in result.stdout
    assert "Mend these rows" in result.stdout
    one = told(ceasewatch("ingest", place.path, file, "--json"))["files"][0]
    assert one["repeated"]
    assert one["rows"] == sum(one[kind] for kind in ("new", "revision", "duplicate", "conflict", "retraction")) + 2


def test_a_file_that_cannot_be_read_is_kept_and_exits_2(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "csv.csv").write_bytes(b"\xff\xfe\x00nothing")
    result = ceasewatch("ingest", place.path, tmp_path / "csv.csv")
    assert result.exit_code == 2
    assert "the file is kept as raw/" in result.stderr


def test_one_bad_file_of_several_is_told_of_alone_and_the_others_are_read(place: Workspace, tmp_path: Path) -> None:
    rows = [cells.row("a", 1.0), cells.row("b", 2.0, observed_from="nonsense")]
    first = cells.write(tmp_path / "first.csv", rows)
    last = cells.write(tmp_path / "last.csv", [cells.row("c", 3.0)])
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00nothing")
    words = (first, tmp_path / "odd.csv", last, "--source", "csv", "--known-at", "reported")
    result = ceasewatch("ingest", place.path, *words, "--json")
    assert result.exit_code == 2
    good, bad, other = told(result)["files"]
    assert (good["new"], good["quarantined"], other["new"]) == (1, 1, 1)
    assert (bad["file"], sorted(bad), sorted(bad["error"])) == ("odd.csv", ["error", "file"], ["code", "message"])
    assert "the file is kept as raw/" in bad["error"]["message"]
    result = ceasewatch("ingest", place.path, *words)
    assert result.exit_code == 2
    assert "Error: odd.csv" in result.stderr
    assert result.stdout.index("first.csv (csv): 2 rows") < result.stdout.index("last.csv (csv): 1 rows")


def test_what_is_in_the_ledger_is_told_though_the_ledgers_own_trouble_ends_the_command(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [cells.write(tmp_path / f"{name}.csv", [cells.row(name, 1.0)]) for name in "abc"]
    real = intake.enter

    def enter(*words: Any) -> object:  # noqa: ANN401 -- whatever it takes
        if "b.csv" in words:
            busy = "somebody is writing"
            raise LedgerBusy(busy)
        return real(*words)

    monkeypatch.setattr(intake, "enter", enter)
    result = ceasewatch("ingest", place.path, *files, "--source", "csv", "--known-at", "reported", "--json")
    assert (result.exit_code, [one["file"] for one in told(result)["files"]]) == (2, ["a.csv"])
    assert "Error: somebody is writing" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--source", "nobody"], "'nobody' is not declared"),
        (["--known-at", "tomorrow"], "'tomorrow' is not one of"),
    ],
)
def test_ingest_says_what_is_wrong_with_its_use(
    place: Workspace, tmp_path: Path, words: list[str], sentence: str
) -> None:
    result = ceasewatch("ingest", place.path, tmp_path / "mission.csv", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_edited_settings_are_announced_when_they_are_recorded(place: Workspace, tmp_path: Path) -> None:
    policy = place.theatre / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8") + "\n# seen by the council\n", encoding="utf-8")
    result = ceasewatch("ingest", place.path, tmp_path / "mission.csv")
    assert "The policy had been edited: its new version is recorded" in result.stdout


# --- run ---


def test_run_prints_the_incidents_and_where_the_map_is(place: Workspace) -> None:
    result = ceasewatch("run", place.path, "--known-at", NOW, "--plain")
    assert result.exit_code == 0
    assert "illustrative, without legal meaning; replay" in result.stdout
    assert str(place.path / "published" / "monitor.gpkg") in result.stdout
    assert "assessing 11 reports" in result.stderr
    assert "B-" in result.stdout


def test_several_regions_are_several_publications_of_one_moment(place: Workspace, tmp_path: Path) -> None:
    words = ("run", place.path, "--region", "west", "--region", "east", "--as-of", NOW, "--plain", "--json")
    runs = told(ceasewatch(*words, "--out", tmp_path / "out"))["runs"]
    assert [(run["scope"], run["as_of"]) for run in runs] == [("west", f"{NOW[:-1]}:00Z"), ("east", f"{NOW[:-1]}:00Z")]
    assert [run["file"] for run in runs] == [str(tmp_path / "out" / one / "monitor.gpkg") for one in ("west", "east")]
    assert [len(run["incidents"]) for run in runs] == [1, 0]


def test_known_at_alone_is_the_moment_and_as_of_alone_is_hindsight(place: Workspace, tmp_path: Path) -> None:
    words = ("run", place.path, "--plain", "--json", "--out", tmp_path)
    known = told(ceasewatch(*words, "--known-at", "2026-06-02T14:00:00+02:00"))["runs"][0]
    assert (known["as_of"], known["known_at"], known["hindsight"]) == ("2026-06-02T12:00:00Z",) * 2 + (False,)
    as_of = told(ceasewatch(*words, "--as-of", "2026-06-02T12:00Z"))["runs"][0]
    assert (as_of["as_of"], as_of["known_at"], as_of["hindsight"]) == ("2026-06-02T12:00:00Z", None, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--region", "wets"], "region 'wets' is not in this theatre; did you mean 'west'?"),
        (["--as-of"], "requires an argument"),
    ],
)
def test_run_says_what_is_wrong_with_its_use(place: Workspace, words: list[str], sentence: str) -> None:
    result = ceasewatch("run", place.path, "--plain", *words)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_folder_that_is_no_workspace_is_named(tmp_path: Path) -> None:
    for command in (["run", tmp_path], ["verify", tmp_path], ["explain", tmp_path, "B-1"]):
        result = ceasewatch(*command)
        assert result.exit_code == 2
        assert f"{tmp_path} is not a workspace" in result.stderr


# --- explain ---


def test_explain_tells_the_steps_with_the_reports_that_carry_them(place: Workspace) -> None:
    run = told(ceasewatch("run", place.path, "--known-at", NOW, "--plain", "--json"))["runs"][0]
    name = run["incidents"][0]["incident_id"]
    text = ceasewatch("explain", place.path, name.lower()).stdout
    assert text.startswith(name)
    assert "T0         2026-06-02T01:00:00Z to 01:30:00Z" in text
    assert "1. opened" in text
    assert "mission 's0'" in text
    assert "not before 2026-06-03 01:30:00Z" in text or "tier 1 → 2" in text
    assert "It ends at 2026-06-04 07:30:00Z unless" in text
    assert "as known at 2026-06-03T12:00:00Z" in text
    tree = told(ceasewatch("explain", place.path, name, "--json"))
    carried = {report["report_id"] for step in tree["steps"] for report in step["reports"]}
    for report in sorted(carried)[:2]:
        assert told(ceasewatch("explain", place.path, report, "--json"))["report"]["incident_id"] == name
    violation = told(ceasewatch("explain", place.path, tree["violations"][0]["violation_id"], "--json"))
    assert violation["violation"]["incident_id"] == name
    assert {report["report_id"] for report in violation["reports"]} <= carried


def test_an_old_name_resolves_through_the_entry_that_bears_its_number(place: Workspace, tmp_path: Path) -> None:
    """Law 4: every name ever published still resolves."""
    run = told(ceasewatch("run", place.path, "--known-at", NOW, "--plain", "--json"))["runs"][0]
    name = run["incidents"][0]["incident_id"]
    other = f"B-{int(name[2:]) + 2}"
    assert told(ceasewatch("explain", place.path, other, "--json"))["became"]["incident_id"] == name
    assert f"of {name}" in ceasewatch("explain", place.path, other).stdout
    rows = [cells.row(f"s{n}", 1 + 3 * n, act="retraction") for n in range(11)]
    file = cells.write(tmp_path / "retractions.csv", rows)
    brought = ceasewatch("ingest", place.path, file, "--source", "mission", "--known-at", "observed", "--json")
    assert told(brought)["files"][0]["retraction"] == 11
    gone = ceasewatch("explain", place.path, name, "--as-of", NOW)
    assert gone.exit_code == 0
    assert f"{name} is no incident at this moment" in gone.stdout
    assert "published under this name (whole) for 2026-06-03T12:00:00Z" in gone.stdout
    assert "retracted" in gone.stdout


@pytest.mark.parametrize(("name", "sentence"), [("104", "is no name of an incident"), ("B-9999", "no entry 9999")])
def test_a_name_that_nothing_ever_bore_is_refused(place: Workspace, name: str, sentence: str) -> None:
    result = ceasewatch("explain", place.path, name)
    assert result.exit_code == 2
    assert sentence in result.stderr


# --- verify, simulate, demo ---


def test_verify_finds_a_raw_file_that_was_changed(place: Workspace) -> None:
    assert told(ceasewatch("verify", place.path, "--json"))["whole"] is True
    raw = next(file for file in place.raw.rglob("*") if file.is_file())
    raw.chmod(0o644)
    raw.write_bytes(raw.read_bytes() + b"x")
    result = ceasewatch("verify", place.path)
    assert result.exit_code == 1
    assert "is damaged" in result.stdout


def test_simulate_writes_a_file_for_each_source_and_the_truth(tmp_path: Path) -> None:
    words = ("simulate", "ukraine-2026", "--seed", 3, "--days", 4)
    first = told(ceasewatch(*words, "--out", tmp_path / "a", "--json"))
    ceasewatch(*words, "--out", tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "truth.json" in names
    assert {f"{source}.csv" for source in first["rows"]} | {"truth.json"} == set(names)
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in names)


def test_the_demo_shows_each_tier_and_doing_it_again_adds_nothing(tmp_path: Path) -> None:
    first = ceasewatch("demo", tmp_path / "demo", "--plain", "--json")
    assert first.exit_code == 0
    incidents = told(first)["run"]["incidents"]
    assert {row["tier_peak"] for row in incidents} >= {1, 2, 3}
    assert any(row["state"] == "ended" for row in incidents)
    again = ceasewatch("demo", tmp_path / "demo", "--plain")
    assert again.exit_code == 0
    assert "known already" in again.stderr
    assert "the same publication was there already" in again.stdout
    assert "open " in again.stdout.split("Where to look")[1]


def test_the_demo_leaves_a_folder_alone_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = ceasewatch("demo", tmp_path)
    assert result.exit_code == 2
    assert "is not empty and no demo" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_one_object_is_printed_with_a_line_for_each_member_and_element(capsys: pytest.CaptureFixture[str]) -> None:
    class Pair(NamedTuple):
        one: float
        other: str | None

    said = {"name": Pair(0.1, None), "rows": [{"a": 1}, {"b": "ö\n\u2028", "c": np.float64(2.5)}], "none": []}
    put(said)
    printed = capsys.readouterr().out
    assert json.loads(printed) == {**said, "name": [0.1, None]}
    assert [line.strip()[:4] for line in printed.split("\n")] == [
        "{",
        '"nam',
        '"row',
        '{"a"',
        '{"b"',
        "],",
        '"non',
        "}",
        "",
    ]
    assert "ö" in printed
