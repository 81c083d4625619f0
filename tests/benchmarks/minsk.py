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

from realdata import FOLDER, minsk

from pipelines.backtest import Plan, backtest, markdown
from pipelines.edge import utc_now

PLAN = Plan(datetime(2015, 2, 15, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC), timedelta(days=1))


def main() -> None:
    """Print the account."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if not (FOLDER / "minsk_2014_2022").exists():
        sys.exit(f"no real data in {FOLDER}; set CEASEWATCH_REALDATA")
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("minsk-backtest")
    with tempfile.TemporaryDirectory() as folder:
        place, _ = minsk(Path(folder) / "minsk")
        result = backtest(place, PLAN, out=out, periods=FOLDER / "truces.csv", clock=utc_now)
    print(markdown(result.summary))  # noqa: T201 -- the account is what the command is for


if __name__ == "__main__":
    main()
