"""What does another reading of the plan give, and does it leave what is published alone?"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import cells
import pytest
from cells import Clock
from commandline import ceasewatch, told
from pandas.testing import assert_frame_equal

from geo import tables
from geo.errors import PolicyError
from geo.policy import Readings
from pipelines.audit import audit
from pipelines.flows.events import changes
from pipelines.layers import read_run, read_table
from pipelines.outcome import markdown
from pipelines.publications import Question
from pipelines.recall import require
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

LITERAL = Readings(persist_reading="literal")
CLOCK = 44.0
READ = {
    "persist_reading literal": (LITERAL, {"persist_reading": "literal"}),
    "open_reading repeated, open_n 3": (
        Readings(open_reading="repeated", open_n=3),
        {"open_reading": "repeated", "open_n": 3},
    ),
    "broad_reading deadline": (Readings(broad_reading="deadline"), {"broad_reading": "deadline"}),
}


def watched(folder: Path, files: dict[str, bytes] | None = None) -> Workspace:
    """Return a workspace that knows of a shelling of 21 hours, whose last hours lie in the window before T0 + 24 h."""
    place = Workspace.create(folder / "ws", files or cells.files(), cells.NAME, replay=False, at=cells.at(0.0))
    for source in ("mission", "media"):
        cells.bring(place, cells.shelling(folder / f"{source}.csv", hours=21.0), Clock(40.0), source=source)
    return place


def edited(**said: str | int) -> dict[str, bytes]:
    """Return the theatre's files with a policy that says otherwise."""
    files = dict(cells.files())
    text = files["policy.toml"].decode()
    before = tomllib.loads(text)["ladder"]
    for name, value in said.items():
        quote = '"' if isinstance(value, str) else ""
        old = f"{name} = {quote}{before[name]}{quote}\n"
        assert old in text
        text = text.replace(old, f"{name} = {quote}{value}{quote}\n")
    return files | {"policy.toml": text.encode()}


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace that has published."""
    made = watched(tmp_path)
    cells.run(made, Clock(CLOCK))
    return made


@pytest.mark.parametrize("words", READ)
def test_it_is_what_a_policy_that_reads_so_gives(tmp_path: Path, words: str) -> None:
    readings, said = READ[words]
    (tmp_path / "asked").mkdir()
    (tmp_path / "edited").mkdir()
    asked = cells.run(watched(tmp_path / "asked"), Clock(CLOCK), readings=readings)
    other = cells.run(watched(tmp_path / "edited", edited(**said)), Clock(CLOCK))
    assert asked.readings == words
    for name in tables.BY_NAME.keys() - {"run"}:
        ours, theirs = (read_table(outcome.file, name) for outcome in (asked, other))
        if "policy_version" in ours:
            assert ours["policy_version"].str.endswith(f", read as: {words}").all()
            ours, theirs = (frame.drop(columns="policy_version") for frame in (ours, theirs))
        assert_frame_equal(ours, theirs)


def test_the_two_readings_differ_and_both_maps_stand(place: Workspace) -> None:
    stood = place.target(None).read_bytes()
    outcome = cells.run(place, Clock(CLOCK), readings=LITERAL)
    assert outcome.file.parent == place.path / "published/otherwise/2026-06-03T200000Z-persist_reading-literal"
    assert place.target(None).read_bytes() == stood
    peaks = [read_table(file, "incidents")["tier_peak"].tolist() for file in (place.target(None), outcome.file)]
    assert peaks == [[2], [1]]
    again = cells.run(place, Clock(CLOCK), readings=LITERAL)
    assert not again.written


def test_it_is_labelled_wherever_it_is_told(place: Workspace) -> None:
    outcome = cells.run(place, Clock(CLOCK), readings=LITERAL)
    run = read_run(outcome.file)
    usual = read_run(place.target(None))
    assert run is not None
    assert usual is not None
    assert run["policy_version"] == f"{usual['policy_version']}, read as: persist_reading literal"
    assert run["policy_hash"] != usual["policy_hash"]
    words = "the plan is read otherwise than the policy says: persist_reading literal"
    assert words in (outcome.file.parent / "sitrep.html").read_text(encoding="utf-8")
    assert words not in (place.target(None).parent / "sitrep.html").read_text(encoding="utf-8")
    assert "the plan read otherwise than the policy says: persist_reading literal" in markdown(outcome)
    assert outcome.as_dict()["readings"] == "persist_reading literal"


def test_it_is_no_publication(place: Workspace) -> None:
    """It is not recorded, sends no message and no event, is compared with nothing, and nothing with it."""
    with place.ledger() as ledger:
        before = len(ledger.publications())
    outcome = cells.run(place, Clock(CLOCK + 1.0), readings=LITERAL)
    with place.ledger() as ledger:
        assert len(ledger.publications()) == before
    assert not list(outcome.file.parent.rglob("*.xml"))
    assert list(place.target(None).parent.rglob("cap/*.xml"))
    assert outcome.alerts == ()
    assert outcome.changes.since is None
    assert list(changes(outcome)) == []
    after = cells.run(place, Clock(CLOCK + 2.0))
    assert after.changes.since == cells.at(CLOCK)
    assert (after.changes.escalated, after.changes.lowered) == ((), ())
    assert audit(place).problems == ()


def test_a_region_is_read_otherwise_too(place: Workspace) -> None:
    outcome = cells.run(place, Clock(CLOCK), region="west", readings=LITERAL)
    assert outcome.file.is_relative_to(place.target("west").parent / "otherwise")
    assert not place.target("west").exists()
    assert outcome.incidents["tier_peak"].tolist() == [1]


@pytest.mark.parametrize(
    ("readings", "profile", "why"),
    [
        (Readings(open_reading="repeated"), "internal", "cannot be read so .open_reading repeated.: .*'repeated' more"),
        (Readings(open_n=2), "internal", "'any' means 1"),
        (LITERAL, "shared", "what leaves the cell is read as the policy says; leave them out"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(
    place: Workspace, readings: Readings, profile: str, why: str
) -> None:
    moment = cells.at(0.0)
    asked = Question(moment, profile=profile, readings=readings)  # type: ignore[arg-type]
    with pytest.raises(PolicyError, match=why):
        require(place, asked, at=cells.at(500.0))


def test_the_command_line_asks_for_it(place: Workspace) -> None:
    asked = ("run", place.path, "--as-of", "2026-06-03T20:00Z", "--plain")
    literal = ceasewatch(*asked, "--persist-reading", "literal", "--region", "west", "--json")
    assert told(literal)["runs"][0]["readings"] == "persist_reading literal"
    assert (
        "the plan read otherwise: persist_reading literal" in ceasewatch(*asked, "--persist-reading", "literal").output
    )
    wrong = ceasewatch(*asked, "--persist-reading", "loosely")
    assert wrong.exit_code == 2
    assert "'literal', 'window'" in wrong.output
