"""Do the benchmarks still run, so that a figure can be had when it is asked for?

Their smallest sizes, those that take seconds. What they measure is nobody's business here.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import publishable
import pytest

from geo.incidents import number_of

if TYPE_CHECKING:
    from types import ModuleType

SCENES = 600  # the simulator's scenes alone are not far from that


def _benchmark(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parent / "benchmarks")
    return importlib.import_module(name)


def test_a_run_is_timed_stage_by_stage_and_beside_what_an_analyst_writes_by_hand(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    byhand, stages = _benchmark("byhand", monkeypatch), _benchmark("stages", monkeypatch)
    stages.tell(SCENES, byhand.days(SCENES), tmp_path / "in")
    clocks: list[Any] = []
    monkeypatch.setattr(stages, "measure", lambda *given, work=stages.measure: clocks.append(work(*given)) or clocks[0])
    took = {kind: byhand.measure(kind, SCENES, tmp_path / "in", tmp_path / kind) for kind in byhand.KINDS}
    assert stages.row(*clocks).count("|") == len(stages.COLUMNS) + 4
    said = [*byhand.rows(SCENES, took), *byhand.growth({SCENES: took, 10 * SCENES: took})]
    assert {row.count("|") for row in said} == {len(byhand.COLUMNS) + 3}
    assert len(said) == 5
    found = byhand.compare(tmp_path / "hand" / byhand.OUT, tmp_path / "ours" / byhand.OUT)
    assert found["reports"] > SCENES / 2
    assert max(found[f"another {what}"] for what in ("segment", "side", "zone")) < 0.02  # of a disc over a border
    assert 0 < found["of these within one group by hand"] <= found["breaches of a run"]


def test_the_ladder_is_timed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _benchmark("linking", monkeypatch).ladder(20)
    assert re.search(r"the ladder of 20 incidents \| \d+ \|", capsys.readouterr().out)


def test_publishing_is_timed_beside_the_bare_points(monkeypatch: pytest.MonkeyPatch) -> None:
    publishing = _benchmark("publishing", monkeypatch)
    monkeypatch.setattr(publishing, "answer", lambda _: publishable.world())
    found = {kind: publishing.measure(kind, 50, 0) for kind in publishing.KINDS}
    assert all(one["size"] > 0 for one in found.values())
    assert found["bare"]["columns"] < found["publish"]["columns"]


@pytest.mark.slow
def test_a_tick_is_timed_beside_the_whole_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tick = _benchmark("tick", monkeypatch)
    tick.prepare(tmp_path, 300)
    tick.renew(tmp_path / "w", 20)
    held = {kind: tick.measure(kind, tmp_path / "w")["held"] for kind in tick.KINDS}
    assert held["tick"] == held["whole"] >= 20


def test_a_fault_is_put_into_whoever_holds_the_function_and_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants = _benchmark("mutants", monkeypatch)
    _, wrong = (each for each in mutants.mutants("geo.incidents") if each.line == number_of.__code__.co_firstlineno + 2)
    ran = mutants.probe("geo.incidents")
    assert number_of("B-7") == 7
    assert wrong.place in ran
    assert len(ran) == 2  # how often to part the name, and which part to take
    mutants.install(wrong)
    with pytest.raises(IndexError):
        number_of("B-7")
    mutants.unprobe("geo.incidents")
    assert number_of("B-7") == 7


def test_what_is_said_to_change_no_answer_is_a_fault_that_can_still_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants, said = _benchmark("mutants", monkeypatch), _benchmark("equivalents", monkeypatch).EQUIVALENTS
    assert {name: whys.keys() - {each.name for each in mutants.mutants(name)} for name, whys in said.items()} == {
        name: set() for name in said
    }
