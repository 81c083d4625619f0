"""Is a file that was cut or bent on its way noticed, and does none break its reader?"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import containers
import fuzz_task
import pytest
import readings

from geo.errors import InputError
from pipelines import sources
from pipelines.jail import guard, kernel
from pipelines.jail.guard import Guard
from pipelines.jail.limits import MEMORY, MIB, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

POINTS = 100
MANY = [{**containers.ROWS[0], "source_ref": f"r-{n}", "text": f"text {n * 7919}"} for n in range(40)]
WHOLE = {
    "geojson": containers.geojson(MANY),
    "kml": containers.kml(MANY),
    "kmz": containers.kmz(MANY),
    "xlsx": containers.xlsx(MANY),
    "gpkg": containers.gpkg(MANY),
    "bellingcat": containers.dumped([containers.events(id=str(n))[0] for n in range(40)]),
    "osint-geo-extractor": containers.dumped([containers.extracted(id=str(n))[0] for n in range(40)]),
}
BATCH = 500  # files of a child


def count(data: bytes, name: str) -> int:
    """Return how many records are taken in."""
    source = readings.source(containers.form(name))
    return len(sources.read(data, source, readings.THEATRE, readings.POLICY, f"x.{name}").intake)


@pytest.mark.parametrize("name", WHOLE)
def test_no_cut_file_loses_a_record_in_silence(name: str) -> None:
    whole = WHOLE[name]
    assert count(whole, name) == len(MANY)
    for at in range(POINTS):
        with pytest.raises(InputError):
            count(whole[: at * len(whole) // POINTS], name)


@pytest.mark.parametrize("name", ["kmz", "xlsx"])
def test_no_bit_of_what_is_packed_flips_unseen(name: str) -> None:
    whole = WHOLE[name]
    for at in range(60):
        bent = bytearray(whole)
        bent[at * len(whole) // 60] ^= 1
        with contextlib.suppress(InputError):
            assert count(bytes(bent), name) == len(MANY)


@pytest.fixture(scope="module")
def held() -> Iterator[Guard]:
    found = Guard("fuzz_task", kernel.WALLS, (guard.ROOT, Path(__file__).parent))
    yield found
    found.close()


@pytest.mark.skipif(not kernel.available(), reason="bent files are read behind walls only")
@pytest.mark.parametrize("name", fuzz_task.FILES)
def test_no_bent_file_breaks_its_reader_or_loses_a_record(held: Guard, name: str) -> None:
    """CEASEWATCH_FUZZ says how many files of each kind, of which the seeds are 0, 1, 2, …; a fault names its seed."""
    files = int(os.environ.get("CEASEWATCH_FUZZ", "80"))
    for first in range(0, files, BATCH):
        most = Limits(cpu_s=300, wall_s=600, memory=MEMORY, answer=MIB)
        ended = held.ask((name, first, min(BATCH, files - first)), b"", most)
        assert ended.code == 0, f"{name} from seed {first}: ended with {ended.code}"
        assert json.loads(ended.answer) == []


def test_a_reader_that_breaks_or_loses_a_record_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError

    honest = sources.read(containers.GOOD["csv"], readings.source(), readings.THEATRE, readings.POLICY, "x")
    monkeypatch.setattr(sources, "read", broken)
    assert list(fuzz_task.faults("csv", 0)) == ["KeyError()"]
    monkeypatch.setattr(sources, "read", lambda *_: sources.Reading(honest.intake.iloc[1:], honest.refused))
    assert list(fuzz_task.faults("csv", 0)) == ["records [2]"]
