"""Does a workspace keep what it was told, and answer as it did before?"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import cells
import pytest
from cells import Clock, at

from geo import tables
from geo.errors import InputError, PolicyError
from pipelines import recall, watch
from pipelines.audit import audit
from pipelines.layers import read_table
from pipelines.publications import Question
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a new workspace."""
    return cells.workspace(tmp_path / "ws")


@pytest.fixture
def shelled(place: Workspace, tmp_path: Path) -> Workspace:
    """Return a workspace that learnt at hour 40 of a shelling from hour 1 to hour 31."""
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), Clock(40))
    return place


def edit(place: Workspace, file: str, old: str, new: str) -> None:
    """Edit a file of the theatre."""
    path = place.theatre / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def layers_of(file: Path) -> dict[str, pd.DataFrame]:
    return {name: read_table(file, name) for name in tables.BY_NAME}


# --- The folder ---


def test_a_new_workspace_holds_the_theatre_and_opens_under_its_name(place: Workspace) -> None:
    assert {path.name for path in place.path.iterdir()} >= {"ledger.sqlite", "raw", "theatre", "inbox", "published"}
    assert (place.theatre / "theatre.toml").read_bytes() == cells.files()["theatre.toml"]
    assert Workspace.open(place.path).name == cells.NAME


def test_a_workspace_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    broken = {**cells.files(), "policy.toml": b"version = 1"}
    with pytest.raises(PolicyError, match=r"policy\.toml"):
        Workspace.create(tmp_path / "ws", broken, "x", replay=False, at=at(0))
    assert list(tmp_path.iterdir()) == []


def test_a_cut_off_creation_leaves_no_half_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.workspace.Ledger.create", full)
    with pytest.raises(OSError, match="No space"):
        cells.workspace(tmp_path / "ws")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_never_covered(place: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="is a workspace already"):
        cells.workspace(place.path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(PolicyError, match="is not empty"):
        cells.workspace(tmp_path / "mine")
    with pytest.raises(PolicyError, match="is a file"):
        cells.workspace(tmp_path / "mine" / "notes.txt")


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (None, "no such folder; make a workspace with `ceasewatch init"),
        ("ledger.sqlite", "its ledger .* is missing; bring it back from a copy"),
        ("theatre", "its folder theatre/ is missing"),
    ],
)
def test_a_workspace_that_lost_a_part_says_which(place: Workspace, part: str | None, sentence: str) -> None:
    lost = place.path if part is None else place.path / part
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    with pytest.raises(PolicyError, match=sentence):
        Workspace.open(place.path)


def test_any_other_folder_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="is not a workspace"):
        Workspace.open(tmp_path)


def test_a_workspace_of_a_newer_version_is_not_touched(place: Workspace) -> None:
    with place.ledger(write=True) as ledger:
        ledger.put_document("workspace", json.dumps({"schema": 99, "theatre": "x"}).encode(), at(1))
    with pytest.raises(PolicyError, match="newer Ceasewatch"):
        Workspace.open(place.path)


@pytest.mark.parametrize("region", ["../../etc", "a/b", "..", "C:\\x", "UA-14", "Донецьк", "%2F"])
def test_every_region_has_a_folder_of_its_own_inside_the_workspace(place: Workspace, region: str) -> None:
    folder = place.target(region).parent
    assert folder.parent == place.path / "published" / "regions"
    assert folder.name not in {"", ".", ".."}
    assert place.target("other") != place.target(region)


# --- Theatre and policy as entries ---


def test_unchanged_settings_are_not_recorded_again(place: Workspace) -> None:
    assert place.remember(Clock(1)) == ()


def test_an_edited_policy_is_a_new_version_in_force_from_then_on(place: Workspace) -> None:
    edit(place, "policy.toml", "link_m = 10000", "link_m = 5000")
    assert place.remember(Clock(5)) == ("policy",)
    with place.ledger() as ledger:
        before, after = place.settings(ledger, at(4)), place.settings(ledger, at(5))
    assert [version.in_force_from for version in after.policies] == [None, at(5)]
    assert [version.policy.grouping.link_m for version in after.policies] == [10000, 5000]
    assert before.policies == after.policies[:1]
    assert before.theatre_hash == after.theatre_hash


def test_unsound_settings_stop_the_work_and_are_not_recorded(place: Workspace, tmp_path: Path) -> None:
    edit(place, "theatre.toml", 'id = "mission"', 'id = "csv"')
    with pytest.raises(PolicyError, match=r"theatre\.toml"):
        cells.bring(place, cells.shelling(tmp_path / "mission.csv"), Clock(5))
    with place.ledger() as ledger:
        assert len(ledger.documents("theatre")) == 1
        assert ledger.counts()["rows"] == 0


# --- Files in ---


def test_the_bytes_of_a_file_that_cannot_be_read_are_kept(place: Workspace, tmp_path: Path) -> None:
    bad = tmp_path / "mission.csv"
    bad.write_bytes(b"nothing,that,is,known\n1,2,3,4\n")
    with pytest.raises(InputError, match="Nothing was ingested; the file is kept as raw/"):
        cells.bring(place, bad, Clock(1))
    assert [file.read_bytes() for file in place.raw.rglob("*") if file.is_file()] == [bad.read_bytes()]


def test_a_source_is_told_by_its_name_then_its_extension_then_by_the_user(tmp_path: Path) -> None:
    from pipelines.intake import choose_source  # noqa: PLC0415 -- the one test of it

    theatre = cells.theatre()
    assert choose_source(theatre, tmp_path / "media.csv", None).id == "media"
    assert choose_source(theatre, tmp_path / "reports.CSV", None).id == "csv"
    assert choose_source(theatre, tmp_path / "reports.json", None).id == "geojson"
    assert choose_source(theatre, tmp_path / "reports.csv", "public").id == "public"
    with pytest.raises(PolicyError, match=r"say --source ID .*mission"):
        choose_source(theatre, tmp_path / "reports.xls", None)
    with pytest.raises(PolicyError, match="'nobody' is not declared"):
        choose_source(theatre, tmp_path / "reports.csv", "nobody")


def test_the_same_bytes_from_two_sources_are_pointed_out(place: Workspace, tmp_path: Path) -> None:
    file = cells.shelling(tmp_path / "mission.csv")
    assert cells.bring(place, file, Clock(40)).notes == ()
    (note,) = cells.bring(place, file, Clock(41), source="media").notes
    assert "the same bytes came from 'mission' too" in note


def test_a_file_that_came_as_csv_and_as_geojson_does_not_vouch_for_itself() -> None:
    generic = [cells.theatre().source(name) for name in ("csv", "geojson")]
    assert len({source.independence_group for source in generic if source}) == 1


def test_history_is_only_imported_into_a_replay(place: Workspace, tmp_path: Path) -> None:
    file = cells.shelling(tmp_path / "mission.csv")
    with pytest.raises(PolicyError, match="replay"):
        cells.bring(place, file, Clock(40), known="reported")
    assert cells.bring(cells.workspace(tmp_path / "re", replay=True), file, Clock(40), known="reported").batch.new == 11


# --- Answers ---


@pytest.mark.parametrize("region", [None, "west"])
def test_an_answer_about_an_earlier_moment_replaces_nothing(shelled: Workspace, region: str | None) -> None:
    current = cells.run(shelled, Clock(60), as_of=60, region=region)
    stands = current.file.read_bytes()
    earlier = cells.run(shelled, Clock(61), as_of=48, region=region)
    assert (current.overtaken, earlier.overtaken) == (False, True)
    assert current.file == shelled.target(region)
    assert current.file.read_bytes() == stands
    assert earlier.file == current.file.parent / "earlier" / "2026-06-04T000000Z" / "monitor.gpkg"
    as_known = cells.run(shelled, Clock(61), as_of=60, known_at=50, region=region)
    assert as_known.file.parent.name == "2026-06-04T120000Z-known-2026-06-04T020000Z"
    assert cells.run(shelled, Clock(62), as_of=62, region=region).file == current.file
    assert cells.run(shelled, Clock(62), as_of=62, region=region).written is False
    assert audit(shelled).problems == ()


def test_a_run_publishes_every_layer_with_its_own_account(shelled: Workspace) -> None:
    outcome = cells.run(shelled, Clock(41))
    assert outcome.written
    assert outcome.file == shelled.path / "published" / "monitor.gpkg"
    assert outcome.incidents["state"].tolist() == ["active"]
    account = read_table(outcome.file, "run").iloc[0]
    assert account["run_id"] == outcome.run_id
    assert (account["rows"], account["rows_new"], account["reports"], account["incidents"]) == (11, 11, 11, 1)
    assert (account["scope"], bool(account["hindsight"]), bool(account["replay"])) == ("whole", False, False)
    assert audit(shelled).problems == ()


def test_the_past_stands_whatever_comes_and_whoever_edits_later(shelled: Workspace, tmp_path: Path) -> None:
    """Law 8: an answer for a moment of knowledge is the same ever after, byte for byte."""
    first = cells.run(shelled, Clock(60), known_at=41, out=tmp_path / "first")
    late = cells.write(tmp_path / "late.csv", [cells.row("late", 2.0), cells.row("far", 3.0, km=90)])
    cells.bring(shelled, late, Clock(70), source="mission")
    edit(shelled, "policy.toml", "link_m = 10000", "link_m = 500")
    edit(shelled, "theatre.toml", "depth_m = 7500", "depth_m = 100")
    (shelled.theatre / "regions.geojson").write_bytes((shelled.theatre / "regions.geojson").read_bytes() + b"\n")
    again = cells.run(shelled, Clock(80), known_at=41, out=tmp_path / "again")
    assert again.run_id == first.run_id
    assert again.file.read_bytes() == first.file.read_bytes()
    assert len(cells.run(shelled, Clock(80), out=tmp_path / "now").incidents) != len(first.incidents)


def test_a_moment_of_knowledge_that_is_to_come_is_refused(shelled: Workspace) -> None:
    with pytest.raises(PolicyError, match="still to come"):
        cells.run(shelled, Clock(41), known_at=42)


def test_an_unknown_region_is_refused_and_the_known_ones_are_named(shelled: Workspace) -> None:
    with pytest.raises(PolicyError, match=r"did you mean 'west'\? it has: east, west"):
        cells.run(shelled, Clock(41), region="wets")


def test_knowledge_from_after_the_moment_is_labelled_hindsight(shelled: Workspace) -> None:
    assert cells.run(shelled, Clock(41), as_of=10).hindsight
    assert not cells.run(shelled, Clock(41), as_of=10, known_at=9).hindsight
    assert not cells.run(shelled, Clock(41)).hindsight


def test_the_same_publication_is_not_written_again(shelled: Workspace) -> None:
    first = cells.run(shelled, Clock(41), as_of=41)
    stamp = first.file.stat().st_mtime_ns
    again = cells.run(shelled, Clock(50), as_of=41)
    assert (again.run_id, again.written, again.file.stat().st_mtime_ns) == (first.run_id, False, stamp)
    with shelled.ledger() as ledger:
        assert len(ledger.publications()) == 1


@pytest.mark.parametrize("other", [{"as_of": 42}, {"as_of": 41, "known_at": 41}, {"as_of": 41, "region": "west"}])
def test_another_question_is_another_publication(shelled: Workspace, other: dict[str, float], tmp_path: Path) -> None:
    first = cells.run(shelled, Clock(45), as_of=41)
    assert cells.run(shelled, Clock(45), out=tmp_path, **other).run_id != first.run_id  # type: ignore[arg-type]


def test_a_run_cut_off_before_its_record_is_recorded_by_the_next(
    shelled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(watch, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            cells.run(shelled, Clock(41), as_of=41)
    undisturbed = (shelled.path / "published" / "monitor.gpkg").read_bytes()
    outcome = cells.run(shelled, Clock(42), as_of=41)
    assert outcome.file.read_bytes() == undisturbed
    assert audit(shelled).publications == 1
    assert audit(shelled).problems == ()


def test_a_region_run_is_the_whole_run_cut_to_it(shelled: Workspace, tmp_path: Path) -> None:
    """Law 5, on files: the same incidents, whole, under the same names."""
    cells.bring(shelled, cells.shelling(tmp_path / "csv.csv", km=90, ref="m"), Clock(41))
    cells.bring(shelled, cells.shelling(tmp_path / "second.csv", km=90, ref="n"), Clock(42), source="mission")
    whole = layers_of(cells.run(shelled, Clock(45), as_of=43).file)
    linked = whole["violations"][~whole["violations"]["attached"].astype(bool)]
    regions = linked["region_id"].dropna().unique()
    assert len(regions) > 1
    for region in regions:
        names = set(linked.loc[linked["region_id"] == region, "incident_id"].dropna())
        part = layers_of(cells.run(shelled, Clock(45), as_of=43, region=region).file)
        for name in ("incidents", "incident_points", "incident_days", "transitions", "evidence"):
            expected = whole[name][whole[name]["incident_id"].isin(names)].reset_index(drop=True)
            assert (
                part[name]
                .drop(columns="geometry", errors="ignore")
                .equals(expected.drop(columns="geometry", errors="ignore"))
            ), name


# --- What late news changes ---


def test_late_news_about_what_was_published_becomes_a_notice(shelled: Workspace, tmp_path: Path) -> None:
    said = cells.run(shelled, Clock(41))
    earlier = cells.write(tmp_path / "mission.csv", [cells.row("before", -2.0), cells.row("far", 3.0, km=90)])
    cells.bring(shelled, earlier, Clock(50))
    says = cells.run(shelled, Clock(51))
    kinds = dict(zip(says.notices["kind"], says.notices["incident_id"], strict=True))
    assert set(kinds) == {"t0", "tier", "opened"}  # with T0, tier 1 moved
    assert kinds["t0"] == kinds["tier"] == said.incidents["incident_id"].iloc[0]
    t0 = says.notices.set_index("kind").loc["t0"]
    assert "2026-06-02T01:00:00Z" in t0["said"]
    assert "2026-06-01T22:00:00Z" in t0["says"]
    assert (says.notices["as_of"] == at(41)).all()
    assert says.changes.new == (kinds["opened"],)
    assert cells.run(shelled, Clock(52)).notices.empty


def test_news_of_later_moments_is_no_notice(shelled: Workspace, tmp_path: Path) -> None:
    cells.run(shelled, Clock(41))
    cells.bring(shelled, cells.write(tmp_path / "mission.csv", [cells.row("later", 45.0)]), Clock(50))
    assert cells.run(shelled, Clock(51)).notices.empty


def test_repeating_a_run_repeats_its_notices(shelled: Workspace, tmp_path: Path) -> None:
    cells.run(shelled, Clock(41))
    cells.bring(shelled, cells.write(tmp_path / "mission.csv", [cells.row("before", -2.0)]), Clock(50))
    first = cells.run(shelled, Clock(51), as_of=51)
    again = cells.run(shelled, Clock(60), as_of=51)
    assert not first.notices.empty
    assert again.notices.equals(first.notices)
    assert not again.written


def test_notices_of_a_region_are_those_of_its_incidents(shelled: Workspace, tmp_path: Path) -> None:
    cells.run(shelled, Clock(41))
    cells.run(shelled, Clock(41), region="west")
    late = [cells.row("before", -2.0), cells.row("far", 3.0, km=90)]
    cells.bring(shelled, cells.write(tmp_path / "mission.csv", late), Clock(50))
    whole = cells.run(shelled, Clock(51)).notices
    part = cells.run(shelled, Clock(51), region="west")
    names = set(part.incidents["incident_id"])
    assert part.notices.equals(whole[whole["incident_id"].isin(names)].reset_index(drop=True))
    assert len(part.notices) < len(whole)


# --- Whole? ---


def test_an_audit_finds_a_publication_that_was_touched(shelled: Workspace) -> None:
    file = cells.run(shelled, Clock(41)).file
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"x")
    assert [sentence for sentence in audit(shelled).problems if "not the file that was published last" in sentence]
    file.unlink()
    assert [sentence for sentence in audit(shelled).problems if "is gone" in sentence]


def test_recalling_waits_for_a_writer_whose_entries_bear_an_earlier_time(shelled: Workspace) -> None:
    with shelled.ledger(write=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.workspace.WAIT_S", 0.0)
        patch.setattr(Workspace, "ledger", _impatient)
        with pytest.raises(Exception, match="is writing to this ledger"):
            recall.recall(shelled, Question(at(41), at(41)), version="test", at=at(42))


def _impatient(self: Workspace, *, write: bool = False, wait_s: float = 0.0) -> object:
    from pipelines.ledger import Ledger  # noqa: PLC0415 -- a stand-in for one test

    return Ledger.open(self.path / "ledger.sqlite", write=write, wait_s=wait_s)
