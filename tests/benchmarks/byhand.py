"""How long does a run take beside the pipeline that an analyst would write by hand, and do the two agree?

Run ``poe bench-byhand`` (10,000 and 100,000 reports) or ``poe bench-byhand 10000 1000000``. Both get the same simulated
files, each in a process of its own; the peak is the largest process's resident set. Larger sizes are longer ceasefires,
``A_DAY`` reports a day, a year at 1,000,000. ``analyst.py`` is what is written by hand. *Computing* is, by hand,
matching, grouping and ladder; of a run the whole stage *assess*, with what stands between and behind these. Both
answers are read back and compared, outside of what is timed. *Growth* is the exponent between the first and last size.
After ``--processors`` seconds are those of the processors in that one process, for a machine that is busy.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import stages
from timing import say

if TYPE_CHECKING:
    import pandas as pd

    from geo.nearness import Things
    from geo.theatre import Theatre

SIZES: Final = ("10000", "100000")
A_DAY: Final = 1_000_000 / 365
KINDS: Final = {"hand": "by hand", "ours": "Ceasewatch"}
COLUMNS: Final = (
    "reading",
    "matching, zones",
    "grouping",
    "ladder",
    "computing",
    "writing",
    "all",
    "of processors",
    "peak",
)
OUT: Final = "monitor.gpkg"
BUSY: Final = "--processors"
# What an answer in a plane is off by at most: the scale of a UTM zone used over two and beyond, and some metres.
SCALE, SLACK_M = 0.01, 5.0
HOUR_US: Final = 3600 * 10**6


def days(reports: int) -> int:
    """Return how long a ceasefire is of which so many reports tell."""
    return max(1, round(reports / A_DAY))


def measure(kind: str, reports: int, told: Path, folder: Path) -> dict[str, float]:
    """Return what each column says of one pipeline over the files in ``told``; its GeoPackage is in ``folder`` then."""
    begin = time.process_time()
    if kind == "hand":
        took = _by_hand(told, folder)
    else:
        clock = stages.measure(told, days(reports), folder)
        took = {"all": clock.whole(), "computing": clock.seconds["assess"]}
        parts = {
            "reading": ("ingest", "recall"),
            "matching, zones": ("match",),
            "grouping": ("violations", "group"),
            "ladder": ("ladder", "layers"),
            "writing": ("compose", "publish", "record"),
        }
        took |= {column: sum(clock.seconds[stage] for stage in of) for column, of in parts.items()}
    own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    busy = sum(each.ru_utime + each.ru_stime for each in (own, child)) - begin  # children: readers in their jail
    return took | {"of processors": busy, "peak": max(own.ru_maxrss, child.ru_maxrss) / 1024}


def _by_hand(told: Path, folder: Path) -> dict[str, float]:
    from pipelines import gdal  # noqa: F401, PLC0415, I001 -- chooses GDAL's drivers before anything loads it
    import analyst  # noqa: PLC0415 -- the parent process needs none of it

    theatre, policy = _settings()
    folder.mkdir(parents=True)
    took = analyst.run(sorted(told.glob("*.csv")), theatre, policy, folder / OUT)
    steps = dict(zip((*COLUMNS[:4], "writing"), ("read", "match", "group", "ladder", "write"), strict=True))
    computing = took["match"] + took["group"] + took["ladder"]
    return {column: took[step] for column, step in steps.items()} | {"computing": computing, "all": sum(took.values())}


def _settings() -> tuple[Theatre, Any]:
    from pipelines.settings import find_theatre, load_policy, load_theatre, read_folder  # noqa: PLC0415

    files = read_folder(find_theatre(stages.NAME))
    return load_theatre(files, stages.NAME), load_policy(files, stages.NAME)


def compare(hand: Path, ours: Path) -> dict[str, float]:
    """Compare the two answers, and return how often they differ where they may.

    Raises
    ------
    AssertionError
        If a distance differs by more than the plane explains, a segment or chainage named by hand is farther than that
        allows, a zone differs of a report whose disc and slack touch no zone's edge, or a group by hand is not between
        the groups of a link's distance and those of the half diagonal of its box.
    """
    from pipelines import gdal  # noqa: F401, PLC0415, I001 -- chooses GDAL's drivers before anything loads it
    import geopandas as gpd  # noqa: PLC0415

    theatre, policy = _settings()
    theirs = gpd.read_file(hand, layer="reports", use_arrow=True)
    mine = gpd.read_file(ours, layer="reports", use_arrow=True).drop(columns="geometry")
    both = theirs.merge(mine, on=["source", "source_ref"], suffixes=("", "_ours"), validate="one_to_one")
    assert len(both) == len(theirs) == len(mine)
    found = {"reports": len(both)} | _places(both, theatre) | _zones(both, theatre)
    return found | _groups(theirs, policy) | _incidents(both)


def _places(both: pd.DataFrame, theatre: Theatre) -> dict[str, float]:
    """Compare distances, chainages, segments and sides; a report lies where its coordinates say."""
    from geo.crs import distance_m  # noqa: PLC0415

    line = theatre.baselines[0]
    mine, lon, lat = (both[name].to_numpy(float) for name in ("distance_m_ours", "lon", "lat"))
    slack = SLACK_M + SCALE * mine
    assert (np.abs(both["distance_m"] - mine) <= slack).all()
    at = both["chainage_m"].clip(0.0, line.length_m).to_numpy()
    assert (distance_m(lon, lat, *line.at(at, np.zeros(len(at)))) <= mine + slack).all()
    named = line.segments.set_index("segment_id").loc[both["segment_id"]]
    assert ((at >= named["chainage_from_m"] - 1e-6) & (at <= named["chainage_to_m"] + 1e-6)).all()
    sided, told = both["offset_m_ours"].notna(), both["segment_id_ours"].notna()
    return {
        "a segment that a run leaves open": float((~told).mean()),
        "another segment": float((both["segment_id"] != both["segment_id_ours"])[told].mean()),
        "another side": float((both["offset_m"] * both["offset_m_ours"] < 0)[sided].mean()),
    }


def _zones(both: pd.DataFrame, theatre: Theatre) -> dict[str, float]:
    """Compare zones, but where a disc reaches over an edge: a run names the zone of its larger share, or none.

    Beyond the line's ends no band binds, whereas a buffer goes around them.
    """
    mine, at = both["distance_m_ours"], both["chainage_m_ours"]
    reach = both["uncertainty_m_ours"] + SLACK_M + SCALE * mine
    away = [np.abs(mine - zone.depth) for zone in theatre.zones] + [at, theatre.baselines[0].length_m - at]
    differs = both["zone_id"].fillna("") != both["zone_id_ours"].fillna("")
    surely = both["offset_m_ours"].notna() & np.all([metres > reach for metres in away], axis=0)
    assert not (differs & surely).any(), both[differs & surely]
    return {"another zone": float(differs.mean())}


def _groups(theirs: pd.DataFrame, policy: Any) -> dict[str, float]:  # noqa: ANN401 -- geo.policy.Policy
    """Compare DBSCAN's groups with what our own links make of the same points."""
    from geo import linking  # noqa: PLC0415
    from geo.nearness import Things, micros  # noqa: PLC0415

    some = theirs[theirs["incident"].notna()]
    when = micros(some["observed_from"])
    things: Things = Things(some["lon"].to_numpy(), some["lat"].to_numpy(), np.zeros(len(some)), when, when)
    links, masks = policy.grouping, np.ones(len(some), np.int64)

    def joined(metres: float) -> np.ndarray[Any, Any]:
        return linking.components(things, masks, metres, links.link_gap_h * HOUR_US)

    boxes = some["incident"].to_numpy(np.int64)
    inner, outer = joined(links.link_m * (1 - SCALE)), joined(links.link_m * (1 + SCALE) * 2**0.5)
    assert _parts(inner, boxes) == _parts(inner), "what a link joins is in two groups"
    assert _parts(boxes, outer) == _parts(boxes), "a group holds together what no box can"
    return {"groups by hand": _parts(boxes), "groups by our links of the same points": _parts(joined(links.link_m))}


def _incidents(both: pd.DataFrame) -> dict[str, float]:
    """Count breaches, and those whose counting reports all lie in one group by hand, which knows no corroboration."""
    shared = both[both["incident"].notna() & both["incident_id"].str.startswith("B-", na=False)]
    groups = shared.groupby("incident_id")["incident"].nunique()
    return {"breaches of a run": len(groups), "of these within one group by hand": int((groups == 1).sum())}


def _parts(*labels: np.ndarray[Any, Any]) -> int:
    """Return how many different combinations of labels there are."""
    import pandas as pd  # noqa: PLC0415

    return len(pd.DataFrame(dict(enumerate(labels))).drop_duplicates())


def rows(reports: int, kinds: dict[str, dict[str, float]]) -> list[str]:
    """Return the table's rows of one size: seconds and MB of each pipeline, and the ratios."""
    table = []
    for kind, one in kinds.items():
        seconds = " | ".join(f"{one[column]:.1f}" for column in COLUMNS[:-1])
        table.append(f"| {reports:,} | {KINDS[kind]} | {seconds} | {one['peak']:,.0f} |")
    ratios = [kinds["ours"][column] / kinds["hand"][column] for column in COLUMNS]
    return [*table, f"| {reports:,} | to by hand | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |"]


def growth(found: dict[int, dict[str, dict[str, float]]]) -> list[str]:
    """Return a row for each pipeline: the exponents by which everything grows from the first size to the last."""
    first, last = min(found), max(found)
    if first == last:
        return []
    table = []
    for kind, what in KINDS.items():
        grown = [log(found[last][kind][column] / found[first][kind][column]) / log(last / first) for column in COLUMNS]
        table.append(f"| growth | {what} | {' | '.join(f'{power:.2f}' for power in grown)} |")
    return table


def main(arguments: list[str]) -> None:
    """Print the tables, each pipeline and size in a process of its own; or be one of these processes."""
    if busy := arguments[:1] == [BUSY]:
        time.perf_counter = time.process_time
        arguments = arguments[1:]
    if arguments[:1] == ["--one"]:
        kind, reports, folder = arguments[1], int(arguments[2]), Path(arguments[3])
        say(json.dumps(measure(kind, reports, folder / "in", folder / kind)))
    elif arguments[:1] == ["--tell"]:
        from pipelines import compiled  # noqa: PLC0415

        compiled.prepare()  # as an installation does
        stages.tell(int(arguments[1]), days(int(arguments[1])), Path(arguments[2]) / "in")
    elif arguments[:1] == ["--compare"]:
        folder = Path(arguments[1])
        say(json.dumps(compare(folder / "hand" / OUT, folder / "ours" / OUT)))
    else:
        _all([int(size) for size in arguments or SIZES], [BUSY] * busy)


def _all(sizes: list[int], clock: list[str]) -> None:
    say(f"| reports | | {' | '.join(COLUMNS[:-1])} | peak, MB |\n|--:|:--|{'--:|' * len(COLUMNS)}")
    took: dict[int, dict[str, dict[str, float]]] = {}
    said = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            _apart("--tell", size, folder)
            took[size] = {kind: json.loads(_apart(*clock, "--one", kind, size, folder)) for kind in KINDS}
            say("\n".join(rows(size, took[size])))
            said.append(json.loads(_apart("--compare", folder)))
    for line in growth(took):
        say(line)
    say(f"\n| {' | '.join(said[0])} |\n|{'--:|' * len(said[0])}")
    for one in said:
        told = (f"{value:,}" if isinstance(value, int) else f"{value:.2%}" for value in one.values())
        say(f"| {' | '.join(told)} |")


def _apart(*arguments: object) -> str:
    """Do one thing in a process of its own, and return what it says."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1:])
