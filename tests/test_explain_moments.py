"""Of which moment does ``explain`` speak when nobody names one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cells
import pytest

from geo.errors import PolicyError
from pipelines.explain import explain, whole

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace


@pytest.fixture
def published(tmp_path: Path) -> tuple[Workspace, cells.Clock, list[str]]:
    """Return a workspace whose whole theatre was published before its region west was, and all incidents by then."""
    place, clock = cells.workspace(tmp_path / "w"), cells.Clock(40.0)
    cells.bring(place, cells.shelling(tmp_path / "1.csv", hours=3), clock, source="mission")
    first = cells.run(place, clock).incidents["incident_id"].tolist()
    clock.turn(60.0)
    cells.bring(place, cells.shelling(tmp_path / "2.csv", begin=50, hours=3, ref="t"), clock, source="mission")
    second = cells.run(place, clock, region="west").incidents["incident_id"].tolist()
    return place, clock, [*first, *second]


def test_a_name_that_a_region_alone_was_told_resolves(published: tuple[Workspace, cells.Clock, list[str]]) -> None:
    place, clock, names = published
    told = [explain(place, name, as_of=None, known_at=None, at=clock()) for name in names]
    assert {one["kind"] for one in told} == {"incident"}
    assert len({one["as_of"] for one in told}) == 2, "the older name by the map of the whole theatre"


def test_an_entry_that_no_map_has_heard_of_is_not_said_to_be_missing(
    published: tuple[Workspace, cells.Clock, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, clock, _ = published
    cells.bring(place, cells.write(tmp_path / "3.csv", [cells.row("u", 55)]), clock, source="mission")
    with place.ledger() as ledger:
        name = ledger.reports()["report_id"].iloc[-1]
    with monkeypatch.context() as patch:
        patch.setattr(whole, "judge", lambda *_: pytest.fail("it is assessed"))
        with pytest.raises(PolicyError, match="came in after the last publication"):
            explain(place, name, as_of=None, known_at=None, at=clock())
    assert explain(place, name, as_of=clock(), known_at=None, at=clock())["kind"] == "report"
