"""What would have been said of Minsk II day by day, 2015 to 2021, with the public record that is at hand?

One command, ``poe minsk``: makes a replay workspace along the real line from ``CEASEWATCH_REALDATA`` (see
``tests/realdata.py``), takes every event as known when its day was over, and steps through the years.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from realdata import FOLDER

from pipelines import intake
from pipelines.backtest import Plan, backtest, markdown
from pipelines.edge import utc_now
from pipelines.settings import find_theatre, read_folder, replace_baseline, replace_regions
from pipelines.workspace import Workspace

PLAN = Plan(datetime(2015, 2, 15, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC), timedelta(days=1))


def main() -> None:
    """Print the account."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    line, oblasts = FOLDER / "minsk_2014_2022" / "contact_line.geojson", FOLDER / "oblasts.geojson"
    events = FOLDER / "minsk_2014_2022" / "ucdp_ged_ukraine_2014_2021.csv"
    if not events.exists():
        sys.exit(f"no real data in {FOLDER}; set CEASEWATCH_REALDATA")
    files = replace_baseline(read_folder(find_theatre("minsk-2015")), line.read_bytes(), line.name)
    files = replace_regions(files, oblasts.read_bytes(), oblasts.name)
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("minsk-backtest")
    with tempfile.TemporaryDirectory() as folder:
        place = Workspace.create(Path(folder) / "minsk", files, "minsk-2015", replay=True, at=utc_now())
        intake.ingest(place, events, source_id="ucdp", known="observed", clock=utc_now)
        result = backtest(place, PLAN, out=out, periods=FOLDER / "truces.csv", clock=utc_now)
    print(markdown(result.summary))  # noqa: T201 -- the account is what the command is for


if __name__ == "__main__":
    main()
