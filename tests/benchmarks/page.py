"""How large is the page of a bad month, and how soon is it seen?

One command, ``poe bench-page``: 10,000 incidents of 30 days along the shipped line, three violations each, as one page;
then, where a Chromium is, how long until it paints and until the filter answers. ``--keep FILE`` leaves the page.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import browser
import builders
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import situation
from timing import say, timed

from geo import summary, tables
from pipelines import settings, sides
from pipelines.page import Setting, page

N = 10_000
EACH = 3
NAME = "ukraine-2026"
AS_OF = pd.Timestamp(builders.when(24 * 30))
_PAINT = "performance.getEntriesByType('paint').find((one) => one.name === 'first-contentful-paint').startTime"
_FILTER = """() => {
  const begin = performance.now();
  document.querySelector("input[value='3']").click();
  document.body.getBoundingClientRect();
  return performance.now() - begin;
}"""


def main() -> None:
    """Print sizes and times."""
    theatre = settings.load_theatre(settings.read_folder(settings.find_theatre(NAME)), NAME)
    told = _month(theatre)
    text, _, busy = timed(lambda: page(told, Setting(theatre.places)))
    say(f"{N:,} incidents, {N * EACH:,} violations: {len(text.encode()) / 1e6:.1f} MB, made in {busy:.1f} s of CPU")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[2]) if sys.argv[1:2] == ["--keep"] else Path(folder) / "sitrep.html"
        path.write_text(text, encoding="utf-8")
        try:
            with browser.browser() as running:
                _open(running, path)
        except pytest.skip.Exception as reason:
            say(str(reason))


def _open(running: Any, path: Path) -> None:  # noqa: ANN401 -- the library is not there everywhere
    shown = running.new_context(offline=True).new_page()
    shown.goto(path.resolve().as_uri(), wait_until="load")
    shown.wait_for_function(f"() => {_PAINT}")
    say(
        f"first paint after {shown.evaluate(_PAINT) / 1000:.2f} s, a filter answers in {shown.evaluate(_FILTER):.0f} ms"
    )


def _month(theatre: Any) -> dict[str, pd.DataFrame]:  # noqa: ANN401 -- a theatre
    rng = np.random.default_rng(1)
    shape = dict(situation.burnt())
    line = theatre.baselines[0]
    names = np.array([f"B-{n}" for n in range(1, N + 1)], object)
    begin = AS_OF - pd.to_timedelta(rng.uniform(1, 24 * 29, N), unit="h")
    last = begin + pd.to_timedelta(rng.exponential(20, N), unit="h")
    last = last.where(last < AS_OF, AS_OF)
    end = last + pd.Timedelta(days=1)
    peak = rng.choice([1, 2, 3], N, p=[0.7, 0.2, 0.1])
    chainage = rng.uniform(0, 1_200_000, N)
    lon, lat = line.at(chainage, rng.normal(0, 5000, N))
    over = np.asarray(end <= AS_OF)
    one = shape["incident_points"].iloc[[0] * N].reset_index(drop=True)
    one = one.assign(
        incident_id=names, name=[f"{n % 20} km NE of a town, a day" for n in range(N)], first_observed=begin,
        last_observed=last, t0_from=begin, tier_peak=peak, tier_eligible=np.where(over, 0, peak),
        state=np.where(over, "ended", "active"), next_due=pd.NaT, regions="UA-14",
    )  # fmt: skip
    points = gpd.GeoDataFrame(one.drop(columns="geometry"), geometry=gpd.points_from_xy(lon, lat), crs=4326)
    areas = points.assign(geometry=shapely.buffer(points.geometry.to_numpy(), 0.05))
    which = np.repeat(np.arange(N), EACH)
    share = np.tile(np.linspace(0, 1, EACH), N)
    found = shape["violations"].iloc[[0] * len(which)].reset_index(drop=True)
    found = found.assign(
        violation_id=[f"V-{n}" for n in range(len(which))], incident_id=names[which], attached=False, qualifying=True,
        observed_from=(begin[which] + (last - begin)[which] * share).floor("s"),
        chainage_m=chainage[which] + rng.normal(0, 4000, len(which)), region_id="UA-14",
    )  # fmt: skip
    return {**shape, **_lines(theatre), "incident_points": points, "incidents": areas, "violations": found,
            "transitions": _steps(names, begin, end, peak, over),
            "run": shape["run"].assign(as_of=AS_OF, incidents=N, violations=len(found))}  # fmt: skip


def _lines(theatre: Any) -> dict[str, pd.DataFrame]:  # noqa: ANN401 -- a theatre
    """Return the layers of the theatre itself."""
    pieces = theatre.baselines[0].segments
    plain = dict.fromkeys(tables.SEGMENTS.names)
    segments = pd.DataFrame([plain] * len(pieces)).assign(
        segment_id=pieces["segment_id"].to_numpy(), chainage_from_m=pieces["chainage_from_m"].to_numpy(),
        chainage_to_m=pieces["chainage_to_m"].to_numpy(), tier_24h=0, violations_24h=0, covered_h_24h=0.0,
        geometry=pieces.geometry.to_numpy(),
    )  # fmt: skip
    areas = theatre.regions.assign(**dict.fromkeys((n for n in tables.REGIONS.names if n not in theatre.regions), 0))
    names = sides.layer(theatre.baselines[0], ("Left", "Right"))
    return {"segments": segments, "regions": areas, "sides": names, "zones": summary.zones_layer(theatre),
            "front_line": summary.front_line(theatre, AS_OF.to_pydatetime())}  # fmt: skip


def _steps(names: Any, begin: Any, end: Any, peak: Any, over: Any) -> pd.DataFrame:  # noqa: ANN401 -- columns
    steps = [pd.DataFrame({"incident_id": names, "kind": "opened", "tier_to": 0, "at": begin})]
    steps += [
        pd.DataFrame(
            {"incident_id": names, "kind": "eligible", "tier_to": tier, "at": begin + (tier - 1) * (end - begin) / 4}
        )[peak >= tier]
        for tier in (1, 2, 3)
    ]
    steps.append(pd.DataFrame({"incident_id": names, "kind": "ended", "tier_to": 0, "at": end})[over])
    told = pd.concat(steps, ignore_index=True).sort_values(["incident_id", "at"], kind="stable")
    return told.assign(scenario="any", at=told["at"].dt.floor("s"))


if __name__ == "__main__":
    main()
