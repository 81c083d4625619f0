"""How does a test get a workspace with a few reports in it, and a clock that it can turn?"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from shapely import LineString, box
from shapely.geometry import mapping

from geo.policy import AS_IT_SAYS, Readings
from pipelines import settings
from pipelines.intake import Ingested, ingest
from pipelines.publications import Question
from pipelines.watch import watch
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from geo.theatre import Theatre
    from pipelines.ledger import Known
    from pipelines.outcome import Outcome
    from pipelines.publications import Profile

NAME = "ukraine-2026"
START = datetime(2026, 6, 2, tzinfo=UTC)  # inside the theatre's open window
COLUMNS = ("source_ref", "observed_from", "observed_to", "lon", "lat", "act", "origin", "reported_at")


class Clock:
    """A clock that stands still until it is turned; hours count from ``START``."""

    def __init__(self, hours: float = 0.0) -> None:
        self.now = at(hours)

    def __call__(self) -> datetime:
        """Return the moment that it shows."""
        """Return the moment that it shows."""
        return self.now

    def turn(self, hours: float) -> Clock:
        """Set the clock."""
        self.now = at(hours)
        return self


def at(hours: float) -> datetime:
    """Return the moment so many hours after ``START``."""
    return START + timedelta(hours=hours)


@lru_cache(maxsize=1)
def files() -> dict[str, bytes]:
    """Return the files of a shipped theatre with a short straight line, about 112 km, and two regions side by side."""
    shipped = settings.read_folder(settings.find_theatre(NAME))
    short = settings.replace_baseline(shipped, _geojson(LineString([(37.0, 48.0), (37.7, 48.0), (38.5, 48.0)])), "line")
    west, east = box(36.0, 47.0, 37.75, 49.0), box(37.75, 47.0, 39.5, 49.0)
    return settings.replace_regions(short, _geojson(west, east, names=("west", "east")), "regions")


def _geojson(*shapes: BaseGeometry, names: tuple[str, ...] = ("line",)) -> bytes:
    features = [
        {"type": "Feature", "properties": {"region_id": name, "name": name}, "geometry": mapping(shape)}
        for name, shape in zip(names, shapes, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


@lru_cache(maxsize=1)
def theatre() -> Theatre:
    """Return the theatre."""
    return settings.load_theatre(files(), NAME)


def workspace(path: Path, *, replay: bool = False, hours: float = 0.0) -> Workspace:
    """Return a new workspace."""
    return Workspace.create(path, files(), NAME, replay=replay, at=at(hours))


def row(ref: str, hours: float, *, km: float = 30.0, off_km: float = 1.0, **changes: str) -> dict[str, str]:
    """Return one row of a plain CSV: an hour's shelling at a place along the line, reported an hour later."""
    lon, lat = (place.item() for place in theatre().baselines[0].at(km * 1000.0, off_km * 1000.0))
    times = {"observed_from": at(hours), "observed_to": at(hours + 0.5), "reported_at": at(hours + 1.5)}
    plain = {"source_ref": ref, "lon": f"{lon:.6f}", "lat": f"{lat:.6f}", "act": "shelling", "origin": ""}
    return {**plain, **{name: moment.isoformat() for name, moment in times.items()}, **changes}


def write(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    """Write a plain CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def shelling(path: Path, *, begin: float = 1.0, hours: float = 30.0, km: float = 30.0, ref: str = "s") -> Path:
    """Write a mission's reports of a shelling that goes on every three hours."""
    steps = range(int(hours // 3) + 1)
    return write(path, [row(f"{ref}{n}", begin + 3 * n, km=km) for n in steps])


def shelled(folder: Path) -> Workspace:
    """Return a workspace that learnt at hour 40 of a shelling from hour 1 to hour 31."""
    made = workspace(folder / "ws")
    bring(made, shelling(folder / "mission.csv"), Clock(40))
    return made


def bring(
    place: Workspace, file: Path, clock: Clock, *, source: str | None = None, known: Known = "recorded"
) -> Ingested:
    """Ingest a file."""
    return ingest(place, file, source_id=source, known=known, clock=clock)


def run(  # noqa: PLR0913 -- one for each thing that is asked
    place: Workspace,
    clock: Clock,
    *,
    as_of: float | None = None,
    known_at: float | None = None,
    region: str | None = None,
    out: Path | None = None,
    profile: Profile = "internal",
    readings: Readings = AS_IT_SAYS,
) -> Outcome:
    """Run plainly; without a moment, for the present."""
    moment = clock.now if as_of is None and known_at is None else at(as_of if as_of is not None else known_at or 0.0)
    known = None if known_at is None else at(known_at)
    asked = Question(moment, known, region, profile=profile, readings=readings)
    return watch(place, asked, out=out, version="test", clock=clock)
