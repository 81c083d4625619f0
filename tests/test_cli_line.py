"""A line comes in whole, with its reason if it cannot be used, and no earlier answer hears of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cells
import pandas as pd
import pytest
import shapely
from cells import Clock, at
from commandline import ceasewatch, told
from pandas.testing import assert_frame_equal

from geo import tables
from geo.errors import PolicyError
from pipelines import lines
from pipelines.audit import audit
from pipelines.layers import read_table
from pipelines.ledger import raw_path

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.lines import Brought
    from pipelines.workspace import Workspace

DAY_1, DAY_2 = "front_20260602.geojson", "front_20260603.geojson"
NORTH = [[37.0, 48.05], [37.7, 48.05], [38.5, 48.05]]
OWN = ["line_offset_m", "line_distance_m", "line_valid_from", "line_age_h"]


@pytest.fixture(autouse=True)
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line run long after everything in these tests."""
    monkeypatch.setattr("pipelines.edge.utc_now", Clock(10_000))


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace that learnt at hour 40 of a shelling from hour 1 to hour 31."""
    return cells.shelled(tmp_path)


def draw(folder: Path, name: str = DAY_1, coordinates: object = NORTH, kind: str = "LineString") -> Path:
    (folder / name).write_text(json.dumps({"type": kind, "coordinates": coordinates}))
    return folder / name


def bring(place: Workspace, file: Path, hours: float = 41, source: str = "survey", **more: Any) -> Brought:  # noqa: ANN401
    fields = {"valid_from": None, "observed": False, **more}
    return lines.bring(place, file, source=source, clock=Clock(hours), **fields)


def layers_of(file: Path) -> dict[str, pd.DataFrame]:
    return {name: read_table(file, name) for name in tables.BY_NAME}


def front(place: Workspace, hours: float, **question: float) -> pd.Series[Any]:
    found = cells.run(place, Clock(hours), **question)  # type: ignore[arg-type] -- as_of or known_at
    return read_table(found.file, "front_line").iloc[0]


# --- The command ---


def test_a_line_is_recorded_and_reports_after_it_are_measured_from_it(place: Workspace, tmp_path: Path) -> None:
    done = ceasewatch("line", place.path, draw(tmp_path), "--date", "2026-06-02T12:00Z", "--source", "survey")
    assert (done.exit_code, done.stdout) == (
        0,
        "front_20260602.geojson: the line of survey, 2026-06-02T12:00Z; parts: 1, vertices: 3.\n",
    )
    reports = read_table(cells.run(place, Clock(10_000)).file, "reports")
    after = reports["observed_from"] >= at(12)
    assert 0 < after.sum() < len(reports)
    assert reports.loc[~after, OWN].isna().all(axis=None)
    assert reports.loc[after, OWN].notna().all(axis=None)
    assert (reports.loc[after, "offset_m"] > 0).all()
    assert (reports.loc[after, "line_offset_m"] < -4000).all()
    assert set(reports.loc[after, "line_valid_from"]) == {at(12)}


def test_a_control_area_is_recorded_as_unusable_and_the_last_good_line_holds(place: Workspace, tmp_path: Path) -> None:
    ceasewatch("line", place.path, draw(tmp_path), "--source", "survey")
    area = draw(tmp_path, DAY_2, [[[*NORTH, [38.0, 48.3], NORTH[0]]]], "MultiPolygon")
    done = ceasewatch("line", place.path, area, "--source", "archive")
    assert done.exit_code == 3
    assert "no usable line of archive, 2026-06-03T00:00Z: feature 1 is a MultiPolygon" in done.stdout
    assert "cut the front out of it" in done.stdout
    assert done.stdout.endswith("Used in its place: the line of survey, 2026-06-02T00:00Z.\n")
    row = front(place, 10_000, as_of=48)
    assert (row["valid_from"], row["source"], row["age_h"]) == (at(0), "survey", 48.0)
    assert row["note"] == "not used: archive, 2026-06-03T00:00Z: feature 1 is a MultiPolygon, an area and no line"


@pytest.mark.parametrize(("coordinates", "why"), [([], "it draws nothing"), ([[37, 48]], "it has a single place")])
def test_an_empty_and_a_one_vertex_line_are_recorded_and_the_baseline_holds(
    place: Workspace, tmp_path: Path, coordinates: object, why: str
) -> None:
    done = ceasewatch("line", place.path, draw(tmp_path, coordinates=coordinates), "--source", "survey", "--json")
    assert done.exit_code == 3
    assert (told(done)["usable"], told(done)["used"]) == (False, None)
    assert told(done)["reason"].startswith(why)
    row = front(place, 10_000, as_of=48)
    assert row["source"] == "baseline line-2026"
    assert row["note"] == f"no current line is known: this is the baseline; not used: survey, 2026-06-02T00:00Z: {why}"
    assert len(layers_of(place.target(None))["quarantine"]) == 0


def test_a_day_without_a_line_uses_the_last_one_with_its_age(place: Workspace, tmp_path: Path) -> None:
    bring(place, draw(tmp_path))
    row = front(place, 200, as_of=100)
    assert (row["valid_from"], row["age_h"]) == (at(0), 100.0)
    assert pd.isna(row["note"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["front.geojson", "--source", "s"], "tells no day; say --date"),
        (["front.kmz", "--source", "s", "--date", "2026-06-02"], "a KMZ must be unzipped"),
        (["front.geojson", "--source", "s", "--date", "2026-06-02T12:00"], "does not say its offset from UTC"),
        (["front.geojson", "--source", "s", "--date", "2999-06-02"], "is still to come"),
        (["front.geojson", "--source", " ", "--date", "2026-06-02"], "--source must name who drew the line"),
        (["front_20260602.geojson", "--source", "s", "--known-at", "observed"], "only a replay workspace takes"),
        (["front_20260602.geojson"], "Missing option '--source'"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_recorded(
    place: Workspace, tmp_path: Path, words: list[str], sentence: str
) -> None:
    file = draw(tmp_path, words[0])
    done = ceasewatch("line", place.path, file, *words[1:])
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())
    with place.ledger() as ledger:
        assert ledger.documents("line") == []


def test_the_same_line_again_adds_nothing_and_a_correction_takes_its_place(place: Workspace, tmp_path: Path) -> None:
    first, moved = draw(tmp_path), [[37.0, 48.1], [38.5, 48.1]]
    assert not bring(place, first).repeated
    assert bring(place, first, 42).repeated
    assert not bring(place, draw(tmp_path, coordinates=moved), 43).repeated
    assert front(place, 44)["geometry"].equals(shapely.MultiLineString([moved]))
    assert not bring(place, draw(tmp_path), 45).repeated, "the first line was corrected, and stands again"
    assert front(place, 46)["geometry"].equals(shapely.MultiLineString([NORTH]))
    with place.ledger() as ledger:
        assert [document.recorded_at for document in ledger.documents("line")] == [at(41), at(43), at(45)]


def test_what_keeps_offsets_from_having_a_sign_is_said(place: Workspace, tmp_path: Path) -> None:
    done = bring(place, draw(tmp_path, coordinates=[[37.0, 48.0], [38.0, 48.2], [38.0, 47.9], [37.5, 48.2]]))
    assert ["have no sign" in note for note in done.notes] == [True]


# --- The past stands ---


def test_law_8_a_line_that_came_later_changes_no_earlier_answer(place: Workspace, tmp_path: Path) -> None:
    then = {"as_of": 45.0, "known_at": 41.0}
    before = layers_of(cells.run(place, Clock(50), **then, out=tmp_path / "a").file)  # type: ignore[arg-type]
    bring(place, draw(tmp_path), 51)
    later = cells.run(place, Clock(52), **then, out=tmp_path / "b")  # type: ignore[arg-type]
    for name, table in layers_of(later.file).items():
        assert_frame_equal(table, before[name], obj=name)
    assert front(place, 53)["source"] == "survey"


def test_a_line_is_part_of_a_publications_key_and_of_its_hindsight(place: Workspace, tmp_path: Path) -> None:
    first = cells.run(place, Clock(50), as_of=45)
    bring(place, draw(tmp_path), 51)
    second, third = cells.run(place, Clock(52), as_of=45), cells.run(place, Clock(53), as_of=45)
    assert first.run_id != second.run_id == third.run_id
    assert (first.hindsight, second.hindsight) == (False, True)
    assert second.written
    assert not third.written


def test_an_imported_line_is_known_from_its_own_date_in_a_replay_only(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws", replay=True)
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), Clock(1000), known="reported")
    first = cells.run(place, Clock(1001), known_at=30)
    bring(place, draw(tmp_path), 1002, observed=True)
    bring(place, draw(tmp_path, DAY_2, [[37.0, 48.1], [38.5, 48.1]]), 1003, observed=True)
    second = cells.run(place, Clock(1004), known_at=30)
    row = read_table(second.file, "front_line").iloc[0]
    assert (row["source"], row["valid_from"], row["age_h"]) == ("survey", at(24), 6.0)
    assert front(place, 1005, known_at=20)["valid_from"] == at(0)
    assert first.run_id != second.run_id
    assert not second.hindsight


def test_segments_and_chainages_stay_when_the_line_moves(place: Workspace, tmp_path: Path) -> None:
    before = layers_of(cells.run(place, Clock(50), as_of=45, out=tmp_path / "a").file)
    for number, lat in enumerate((48.3, 47.8)):
        bring(place, draw(tmp_path, coordinates=[[37.0, lat], [38.5, lat]]), 51 + number)
    after = layers_of(cells.run(place, Clock(60), as_of=45, out=tmp_path / "b").file)
    for name in set(before) - {"front_line", "run"}:
        one, two = (layers[name].drop(columns=OWN if name == "reports" else []) for layers in (before, after))
        assert_frame_equal(one, two, obj=name)
    assert after["reports"]["line_distance_m"].notna().all()


# --- Whole and kept ---


def test_the_bytes_are_kept_and_verify_misses_them(place: Workspace, tmp_path: Path) -> None:
    file = draw(tmp_path, coordinates=[])
    done = bring(place, file)
    kept = raw_path(place.raw, done.entry.raw)
    assert kept.read_bytes() == file.read_bytes()
    assert audit(place).problems == ()
    kept.write_bytes(b"other")
    assert any(f"raw file {done.entry.raw} ({DAY_1}) is damaged" in problem for problem in audit(place).problems)
    kept.unlink()
    assert any("is missing" in problem for problem in audit(place).problems)
    kept.with_name(f"{kept.name}.erased").touch()
    found = audit(place)
    assert found.problems == ()
    assert any(DAY_1 in sentence for sentence in found.erased)


def test_lines_of_the_theatres_folder_and_of_the_ledger_are_one_history(place: Workspace, tmp_path: Path) -> None:
    toml = place.theatre / "theatre.toml"
    said = '\n[[lines]]\nfile = "first.geojson"\nvalid_from = 2026-06-01T00:00:00Z\nsource = "folder"\n'
    toml.write_text(toml.read_text(encoding="utf-8") + said, encoding="utf-8")
    draw(place.theatre, "first.geojson")
    bring(place, draw(tmp_path), 41)
    assert front(place, 42, as_of=42)["source"] == "survey"
    assert front(place, 43, as_of=-1)["source"] == "folder"


def test_a_folder_line_without_length_is_a_mistake_in_the_theatre(place: Workspace) -> None:
    toml = place.theatre / "theatre.toml"
    said = '\n[[lines]]\nfile = "first.geojson"\nvalid_from = 2026-06-01T00:00:00Z\nsource = "folder"\n'
    toml.write_text(toml.read_text(encoding="utf-8") + said, encoding="utf-8")
    draw(place.theatre, "first.geojson", [[37, 48], [37, 48]])
    with pytest.raises(PolicyError, match="has no length"):
        place.remember(Clock(41))
