"""How long do a run after 1,000 new reports, one of a region, and ``explain``, take, of 30 days of a year?

Run ``poe bench-tick`` or ``poe bench-tick 1000000``. A thousand breaches a year, each within 5 km and 12 hours, are
told of so often that there are so many reports; ``GOING`` more are going on. The *tick* leaves out what is settled. The
*whole* run after it, of as much, assesses everything and looks at the files of the past. Each is a process of its own.
Then ``ceasewatch run --region`` is asked for the region with most reports in the map, and ``ceasewatch explain`` why a
breach of the map, and one of the past, is where it is, each from its start to its end.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from timing import peak, say, timed

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.workspace import Workspace

REPORTS: Final = 100_000
NEW: Final = 1000
GOING: Final = 10
BREACHES: Final = 1000
NAME: Final = "ukraine-2026"
BEGIN, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, 12, tzinfo=UTC)
AT: Final = END + timedelta(hours=3)
KINDS: Final = {"tick": "the tick", "whole": "the whole run"}
REGION: Final = "region"
ASKED: Final = {"monitor.gpkg": "explain, of the map", "past/2026.gpkg": "explain, of the past"}
_KEPT: Final = "keep = 5"


def prepare(folder: Path, reports: int) -> Workspace:
    """Return a workspace that has published a year of reports."""
    from pipelines.settings import find_theatre, read_folder  # noqa: PLC0415 -- the parent process needs none of it
    from pipelines.workspace import Workspace  # noqa: PLC0415

    files = read_folder(find_theatre(NAME))
    rules = files["policy.toml"].decode()
    files["policy.toml"] = rules.replace(_KEPT, f"{_KEPT}\nwindow_d = 30").encode()
    place = Workspace.create(folder / "w", files, NAME, replay=False, at=BEGIN - timedelta(days=1))
    bring(place, told(place, reports, BREACHES, BEGIN, END - timedelta(hours=12), seed=1), END)
    run(place, END)
    return place


def told(place: Workspace, reports: int, breaches: int, begin: datetime, end: datetime, *, seed: int) -> pd.DataFrame:
    """Return plain rows of so many reports of breaches that begin in a span, none at the place of another."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    luck = np.random.default_rng(seed)
    with place.ledger() as ledger:
        line = place.settings(ledger).theatre.baselines[0]
    where, when = luck.uniform(0, line.length_m, breaches), luck.uniform(0, (end - begin).total_seconds(), breaches)
    which = luck.integers(0, breaches, reports)
    along = np.clip(where[which] + luck.uniform(-5000, 5000, reports), 0, line.length_m)
    lon, lat = line.at(along, luck.uniform(-5000, 5000, reports))
    span_s = min(12 * 3600.0, (end - begin).total_seconds())
    at = pd.Timestamp(begin) + pd.to_timedelta(when[which] + luck.uniform(0, span_s, reports), unit="s")
    refs = [f"{seed}-{n}" for n in range(reports)]
    texts = at.floor("s").strftime("%Y-%m-%dT%H:%M:%SZ")
    return pd.DataFrame(
        {"source_ref": refs, "observed_from": texts, "lon": lon, "lat": lat, "uncertainty_m": 100, "act": "shelling"}
    )


def bring(place: Workspace, rows: pd.DataFrame, at: datetime) -> None:
    """Take in rows."""
    from pipelines.intake import ingest  # noqa: PLC0415

    file = place.path / "rows.csv"
    rows.to_csv(file, index=False)
    done = ingest(place, file, source_id="mission", known="recorded", clock=lambda: at)
    if done.batch.new != len(rows):
        msg = f"of {len(rows)} rows {done.batch.new} are new"
        raise AssertionError(msg)


def renew(path: Path, reports: int) -> None:
    """Take in so many reports of what goes on."""
    from pipelines.workspace import Workspace  # noqa: PLC0415

    place = Workspace.open(path)
    bring(place, told(place, reports, GOING, END, END + timedelta(hours=1), seed=2), END + timedelta(hours=2.5))


def run(place: Workspace, at: datetime) -> int:
    """Run and publish; return how many reports are in the map."""
    from pipelines import edge, watch  # noqa: PLC0415
    from pipelines.publications import Question  # noqa: PLC0415

    outcome = watch.watch(place, Question(at), out=None, version=edge.version(), clock=lambda: at)
    return outcome.counts["reports"]


def measure(kind: str, path: Path) -> dict[str, Any]:
    """Return seconds by the clock and of processors, peak memory and the reports in the map, of one run."""
    from pipelines import reuse  # noqa: PLC0415
    from pipelines.workspace import Workspace  # noqa: PLC0415

    place, at = Workspace.open(path), AT
    if kind == "whole":
        for file in (reuse.WINDOW, reuse.FILE):
            reuse.place(place, file).unlink()
        at += timedelta(minutes=1)
    held, wall, busy = timed(lambda: run(place, at))
    return {"wall": wall, "busy": busy, "peak": peak(), "held": held}


def ask(file: str, path: Path) -> dict[str, Any]:
    """Return the same of asking why the breach with the most reports of one of a workspace's maps is at its tier."""
    from pipelines.layers import read_table  # noqa: PLC0415

    points = read_table(path / "published" / file, "incident_points")
    named = points[points["state"] != "candidate"].sort_values("reports")
    asked = ["explain", str(path), named["incident_id"].iloc[-1], "--json"]
    return {**command(asked), "held": int(named["reports"].iloc[-1])}


def cut(_: str, path: Path) -> dict[str, Any]:
    """Return the same of a run of the region with most reports in a workspace's map."""
    from pipelines.layers import read_run, read_table  # noqa: PLC0415
    from pipelines.workspace import Workspace  # noqa: PLC0415

    most = str(read_table(path / "published" / "monitor.gpkg", "reports")["region_id"].mode().iloc[0])
    taken = command(
        ["run", str(path), "--region", most, "--as-of", f"{AT + timedelta(minutes=2):%Y-%m-%dT%H:%MZ}", "--plain"]
    )
    made = read_run(Workspace.open(path).target(most))
    return {**taken, "held": 0 if made is None else made["reports"]}


def command(words: list[str]) -> dict[str, Any]:
    """Return seconds by the clock and of processors, and peak memory, of a command from its start to its end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pipelines", *words], check=True, stdout=subprocess.DEVNULL)
    wall, used = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime
    return {"wall": wall, "busy": busy, "peak": used.ru_maxrss / 1024}


def main(arguments: list[str]) -> None:
    """Print the table, one process a row."""
    if arguments[:1] == ["--prepare"]:
        prepare(Path(arguments[1]), int(arguments[2]))
        return
    if arguments[:1] == ["--new"]:
        renew(Path(arguments[1]), NEW)
        return
    ways = {"--one": measure, "--cut": cut, "--ask": ask}
    if arguments and (work := ways.get(arguments[0])):
        say(json.dumps(work(arguments[1], Path(arguments[2]))))
        return
    reports = arguments[0] if arguments else str(REPORTS)
    with tempfile.TemporaryDirectory() as folder:
        here, place = [sys.executable, __file__], str(Path(folder) / "w")
        subprocess.run([*here, "--prepare", folder, reports], check=True)
        subprocess.run([*here, "--new", place], check=True)
        say("| what | reports in it | seconds | of processors | peak memory, MB |\n|:--|--:|--:|--:|--:|")
        for kind, what in {**KINDS, REGION: "a run of a region", **ASKED}.items():
            way = "--one" if kind in KINDS else "--cut" if kind == REGION else "--ask"
            done = subprocess.run([*here, way, kind, place], check=True, capture_output=True, text=True)
            found = json.loads(done.stdout)
            say(f"| {what} | {found['held']:,} | {found['wall']:.1f} | {found['busy']:.1f} | {found['peak']:,.0f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
