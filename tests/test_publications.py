"""Is of what was published only as much read as is needed, and is it what was recorded?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import cells
import pytest

from pipelines import publications
from pipelines.ledger import recall

if TYPE_CHECKING:
    from pathlib import Path


def test_of_the_history_incidents_are_read_where_somebody_asks_for_them(tmp_path: Path) -> None:
    place, clock = cells.workspace(tmp_path / "w"), cells.Clock(40.0)
    cells.bring(place, cells.shelling(tmp_path / "1.csv", hours=3), clock, source="mission")
    first = cells.run(place, clock)
    clock.turn(50.0)
    second = cells.run(place, clock, region="west")
    name = first.incidents["incident_id"].iloc[0]
    with place.ledger() as ledger:
        history, recorded = publications.history(ledger), ledger.publications()
        whole = [publications.whole(ledger, found) for found in history]
        named = publications.naming(ledger, name)
        assert publications.naming(ledger, "B-1000000") == []
    assert [found.run_id for found in history] == [first.run_id, second.run_id]
    assert [found.body() for found in whole] == [document.body for document in recorded]
    assert [found.states for found in whole] == [first.states, second.states]
    assert named == [found for found in whole if name in found.states]
    assert named
    for slim, found, document in zip(history, whole, recorded, strict=True):
        stored = json.loads(document.body)
        assert (slim.as_of, slim.file, slim.sha256, slim.past) == (found.as_of, found.file, found.sha256, found.past)
        assert slim.sha256 == stored["sha256"]
        with pytest.raises(ValueError, match="were not read"):
            slim.body()


@pytest.mark.parametrize("few", [1, 64])
def test_only_the_last_of_its_scope_or_any_elsewhere_is_the_same_publication(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(recall, "_FEW", few)
    place, clock = cells.workspace(tmp_path / "w"), cells.Clock(40.0)
    cells.bring(place, cells.shelling(tmp_path / "1.csv", hours=3), clock, source="mission")
    for hour, region, out in (
        (50.0, None, None),
        (51.0, None, tmp_path / "out"),
        (52.0, None, None),
        (53.0, "west", None),
    ):
        cells.run(place, clock, region=region, out=out)
        clock.turn(hour)
    with place.ledger() as ledger:
        history = publications.history(ledger)
        known = [publications.is_recorded(ledger, found) for found in history]
        other = [publications.is_recorded(ledger, replace(found, run_id="0" * 64)) for found in history]
    assert known == [False, True, True, True], "of the first the third took the place"
    assert not any(other)
