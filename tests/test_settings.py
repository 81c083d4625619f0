"""Does a theatre folder become values only when all of it can be believed, and are all mistakes told at once?"""

from __future__ import annotations

import contextlib
import re
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_theatre import ODD, THEATRE, collection, good, lines_of, sentences, with_edit, written

from geo.errors import PolicyError
from geo.policy import Policy
from pipelines.settings import digest, find_theatre, load_policy, load_theatre, read_folder
from pipelines.settings.checks import check
from pipelines.settings.declared import declare
from pipelines.settings.mistakes import Mistakes

if TYPE_CHECKING:
    from pathlib import Path


def test_a_theatre_without_mistakes_becomes_values_in_utc() -> None:
    theatre = load_theatre(good(), "small")
    assert theatre.id == "small"
    assert [party.id for party in theatre.parties] == ["EAST", "WEST"]
    assert theatre.windows[0].start == datetime(2025, 12, 31, 22, tzinfo=UTC)
    assert theatre.windows[0].start.tzinfo is UTC
    assert list(theatre.regions.region_id) == ["A", "B"]
    assert list(theatre.regions["name"]) == ["A", "East"]
    guns, bridge = theatre.zones
    assert (guns.baseline_id, guns.weapons, guns.forbids) == ("line", frozenset({"artillery"}), "presence")
    assert (bridge.kind, bridge.party, bridge.side, bridge.weapons) == ("polygon", "EAST", "both", None)
    assert bridge.geometry is not None
    east = theatre.source("east")
    assert east is not None
    assert (east.independence_group, east.place_m) == ("east", (("1", 5000.0),))
    assert theatre.lines[0].valid_from == datetime(2026, 1, 5, tzinfo=UTC)


def test_the_party_on_the_left_comes_first_wherever_it_stands() -> None:
    text = THEATRE.replace('side = "left"', "side = X").replace('side = "right"', 'side = "left"')
    theatre = load_theatre({**good(), "theatre.toml": text.replace("side = X", 'side = "right"').encode()}, "small")
    assert [party.id for party in theatre.parties] == ["WEST", "EAST"]


def test_all_mistakes_in_all_files_are_told_at_once() -> None:
    files = with_edit("theatre.toml", "Europe/Kyiv", "Europe/Atlantis")
    files["theatre.toml"] = files["theatre.toml"].replace(b'side = "right"', b'side = "up"')
    files["policy.toml"] = files["policy.toml"].replace(b"coarse_h = 25", b"coarse_h = 3")
    files["baseline.geojson"] = lines_of([[38, 48]])
    files["regions.geojson"] = collection()
    files["lines/today.geojson"] = b"{"
    with pytest.raises(PolicyError) as caught:
        load_theatre(files, "small")
    told = sentences(caught.value)
    assert sorted(sentence.split(",")[0].split(":")[0] for sentence in told) == [
        "baseline.geojson",
        "lines/today.geojson",
        "policy.toml",
        "regions.geojson",
        "theatre.toml",
        "theatre.toml",
    ]


def test_one_mistake_draws_no_second_complaint() -> None:
    with pytest.raises(PolicyError) as caught:
        load_theatre(with_edit("theatre.toml", 'name = "Eastland"\n', ""), "small")
    assert sentences(caught.value) == ["theatre.toml, [[parties]] EAST name: is missing; add it."]


@given(st.data())
def test_whatever_stands_in_theatre_toml_ends_in_a_sentence(data: st.DataObject) -> None:
    table = tomllib.loads(THEATRE)
    section = data.draw(st.sampled_from(sorted(table)))
    place, key = table, section
    if isinstance(table[section], list) and data.draw(st.booleans()):
        place = table[section][0]
        key = data.draw(st.sampled_from(sorted(place)))
    place[key] = data.draw(ODD)
    mistakes = Mistakes("small")
    check(declare(table, mistakes), None, mistakes)
    with contextlib.suppress(PolicyError):
        mistakes.settle()


def test_without_a_policy_the_theatre_loads_and_weapon_classes_are_taken_as_they_are() -> None:
    files = with_edit("theatre.toml", '["artillery"]', '["catapult"]')
    del files["policy.toml"]
    assert load_theatre(files, "small").zones[0].weapons == {"catapult"}
    with pytest.raises(PolicyError, match=r"policy\.toml: is missing; add it to the theatre's folder\."):
        load_policy(files, "small")


def test_without_theatre_toml_there_is_one_sentence() -> None:
    files = good()
    del files["theatre.toml"]
    with pytest.raises(PolicyError) as caught:
        load_theatre(files, "small")
    assert sentences(caught.value) == ["theatre.toml: is missing; add it to the theatre's folder."]


def test_a_folder_gives_exactly_the_files_that_its_theatre_names(tmp_path: Path) -> None:
    folder = written(tmp_path, {**good(), "notes.txt": b"mine", "lines/old.geojson": b"{}"})
    assert read_folder(folder) == good()
    assert read_folder(str(folder)) == good()


def test_every_missing_file_of_a_folder_is_told(tmp_path: Path) -> None:
    files = good()
    for name in ("policy.toml", "zones.geojson"):
        del files[name]
    with pytest.raises(PolicyError) as caught:
        read_folder(written(tmp_path, files))
    todo = "put it into the folder, or correct its name in theatre.toml."
    assert sentences(caught.value) == [
        f"policy.toml: cannot be read (No such file or directory); {todo}",
        f"zones.geojson: cannot be read (No such file or directory); {todo}",
    ]


@pytest.mark.parametrize("name", ["../secret.geojson", "/etc/hostname", "a/../../b", "a\\\\b", "c:d", "link.geojson"])
def test_no_file_outside_the_folder_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.geojson").write_bytes(b"{}")
    files = good()
    files["theatre.toml"] = files["theatre.toml"].replace(b"baseline.geojson", name.encode())
    folder = written(tmp_path / "theatre", files)
    (folder / "link.geojson").symlink_to(tmp_path / "secret.geojson")
    with pytest.raises(PolicyError, match="leads out of the theatre's folder; give a relative path inside it"):
        read_folder(folder)


def test_a_theatre_is_found_by_name_or_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path / "minsk-2015", good())
    assert find_theatre(folder) == folder
    assert find_theatre("minsk-2015") != folder
    monkeypatch.chdir(tmp_path)
    assert find_theatre("minsk-2015").resolve() == folder, "a folder at hand wins over a shipped theatre"


@pytest.mark.parametrize("name", ["nowhere", "../minsk-2015", "", "."])
def test_a_theatre_that_is_not_there_is_told_with_those_that_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    todo = "no folder with a theatre.toml and no shipped theatre; give a folder, or one of: minsk-2015, ukraine-2026."
    with pytest.raises(PolicyError, match=re.escape(f"{name}: {todo}")):
        find_theatre(name)


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=8), max_size=4))
def test_the_digest_depends_on_names_and_contents_and_not_on_order(files: dict[str, bytes]) -> None:
    assert digest(dict(reversed(files.items()))) == digest(files)
    assert digest({**files, "one more": b""}) != digest(files)
    for name, body in files.items():
        assert digest({**files, name: body + b"\0"}) != digest(files)


def test_the_digest_tells_where_one_part_ends() -> None:
    assert digest({"a": b"bc"}) != digest({"ab": b"c"})
    assert digest({"a": b"b", "c": b"d"}) != digest({"a": b"bcd"})


def test_a_policy_loads_from_the_same_files() -> None:
    policy = load_policy(good(), "small")
    assert isinstance(policy, Policy)
    assert policy.corroboration.confirming == (("mission",), ("vetted",), ("satellite", "media"))
