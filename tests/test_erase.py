"""Are bytes gone when a person orders it, and does everything else still stand?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

from geo.errors import InputError, PolicyError
from pipelines import ledger, quarantine
from pipelines.audit import audit
from pipelines.quarantine import Person

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace

SECRET = "witness-name-4471"  # noqa: S105 -- a person's name stands for what must go
PERSON = Person("First Reviewer", "names of witnesses")


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Workspace, Path, str]:
    """Return a workspace, a file that it took in, and its SHA-256; one row is quarantined with a person's name."""
    place = cells.workspace(tmp_path / "ws")
    bad = (cells.row(f"b{n}", 2.0, lat="north", origin=f"{SECRET} {n} {'x' * 300}") for n in range(40))
    rows = [cells.row("a", 1.0), *bad]
    file = cells.write(tmp_path / "mission.csv", rows)
    return place, file, cells.bring(place, file, cells.Clock(10)).sha256


def traces(place: Workspace) -> list[str]:
    return [file.name for file in place.path.rglob("*") if file.is_file() and SECRET.encode() in file.read_bytes()]


def test_bytes_and_quarantined_text_are_gone_and_the_chain_stands(kept: tuple[Workspace, Path, str]) -> None:
    place, _, sha256 = kept
    assert sha256 in traces(place)
    with place.ledger() as opened:
        head, reports = opened.head(), opened.reports()
    number = quarantine.erase(place, sha256, PERSON, cells.Clock(11))
    assert traces(place) == []
    found = audit(place)
    assert found.problems == ()
    assert found.erased == (
        f"raw file {sha256} (mission.csv, batch 4) was erased on order {number} of First Reviewer: names of witnesses",
    )
    with place.ledger() as opened:
        assert opened.reports().equals(reports)
        assert opened.head().ledger_no == head.ledger_no + 1 == number
        assert opened.quarantined(1).raw is None


def test_erased_bytes_are_not_taken_in_again_and_their_rows_not_mended(kept: tuple[Workspace, Path, str]) -> None:
    place, file, sha256 = kept
    quarantine.erase(place, sha256, PERSON, cells.Clock(11))
    with pytest.raises(InputError, match="erased on a person's order, and are not taken in again"):
        cells.bring(place, file, cells.Clock(12))
    with pytest.raises(PolicyError, match="is erased, so its rows cannot be mended"):
        quarantine.release(place, 1, PERSON, row=None, changes={"lat": "48"}, known="recorded", clock=cells.Clock(12))
    assert quarantine.erase(place, sha256, PERSON, cells.Clock(13)) == quarantine.erase(
        place, sha256, PERSON, cells.Clock(14)
    )


@pytest.mark.parametrize("step", ["forget", "erase_raw"])
def test_an_interrupted_order_is_said_and_completed_by_giving_it_again(
    kept: tuple[Workspace, Path, str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    place, _, sha256 = kept

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger.book.erasure if step == "forget" else ledger.book, step, killed)
        with pytest.raises(KeyboardInterrupt):
            quarantine.erase(place, sha256, PERSON, cells.Clock(11))
    assert any("was not carried out; give it again" in problem for problem in audit(place).problems)
    quarantine.erase(place, sha256, PERSON, cells.Clock(12))
    assert (audit(place).problems, traces(place)) == ((), [])


def test_the_command_says_what_it_did_and_what_it_did_not(kept: tuple[Workspace, Path, str]) -> None:
    place, file, sha256 = kept
    named = ("--who", PERSON.who, "--why", PERSON.why)
    for strange in ("0" * 64, "../../x", sha256[:8]):
        refused = ceasewatch("erase", place.path, strange, *named)
        assert (refused.exit_code, "no raw file of that SHA-256" in refused.stderr) == (2, True)
    done = ceasewatch("erase", place.path, sha256.upper(), *named)
    assert (done.exit_code, "a tombstone is left" in done.stdout) == (0, True)
    checked = ceasewatch("verify", place.path, "--json")
    assert (checked.exit_code, told(checked)["whole"], len(told(checked)["erased"])) == (0, True, 1)
    assert ceasewatch("ingest", place.path, file, "--source", "mission").exit_code == 2
