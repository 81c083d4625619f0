"""What does one bad row among a million cost?

Run ``poe bench-intake`` (or ``poe bench-intake 100000``). The same plain CSV is taken into two workspaces, once clean
and once with a latitude that is none in its middle, on a machine with nothing else to do. Beside the seconds stand the
counts: everything but that row must be a report, and the row must wait with its number.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines import edge, intake
from pipelines.settings import find_theatre, read_folder
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.intake import Ingested

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


def table(n: int, bad: int | None) -> str:
    """Return a plain CSV of so many rows near the line; the latitude of row ``bad`` is no number."""
    rng = np.random.default_rng(1)
    lon, lat, minute = rng.uniform(36.0, 38.0, n), rng.uniform(47.5, 49.0, n), rng.integers(0, 30 * 1440, n)
    north = [f"{value:.6f}" for value in lat]
    if bad is not None:
        north[bad - 1] = "47,9.1"
    rows = [
        f'{number},{BEGIN + timedelta(minutes=int(after)):%Y-%m-%dT%H:%MZ},{east:.6f},"{place}",shelling'
        for number, (after, east, place) in enumerate(zip(minute, lon, north, strict=True), 1)
    ]
    return "\n".join(["source_ref,observed_from,lon,lat,act", *rows, ""])


def take(folder: Path, text: str) -> tuple[float, Ingested]:
    """Return the wall seconds of taking a file into a new workspace, and what became of it."""
    files = read_folder(find_theatre("ukraine-2026"))
    workspace = Workspace.create(folder / "ws", files, "ukraine-2026", replay=True, at=datetime.now(UTC))
    file = folder / "reports.csv"
    file.write_text(text)
    begin = time.perf_counter()
    done = intake.ingest(workspace, file, source_id="csv", known="recorded", clock=edge.utc_now)
    return time.perf_counter() - begin, done


def main(n: int) -> int:
    """Print the table; 0 if one bad row costs less than a fifth and nothing else."""
    found = {}
    sys.stdout.write("| file | seconds | reports | quarantined | row |\n|:--|--:|--:|--:|--:|\n")
    for name, bad in (("warm-up", None), ("clean", None), ("one bad row", n // 2)):
        with tempfile.TemporaryDirectory() as folder:
            seconds, done = take(Path(folder), table(n if name != "warm-up" else 1_000, bad))
        found[name] = seconds
        if name != "warm-up":
            rows = ", ".join(map(str, done.refused["row_no"]))
            say = f"| {name} | {seconds:.1f} | {done.batch.new:,} | {done.batch.quarantined:,} | {rows} |\n"
            sys.stdout.write(say)
            sys.stdout.flush()
    share = found["clean"] / found["one bad row"]
    sys.stdout.write(f"with one bad row at {share:.0%} of the clean file's speed\n")
    return 0 if share >= 0.8 and (done.batch.new, done.batch.quarantined) == (n - 1, 1) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
