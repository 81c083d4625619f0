"""What stands beside a publication's GeoPackage?

Each file is made of the same answer and says which run it belongs to. ``layers.publish`` puts them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import shapely

from geo import sights
from geo.intensity import plane, survey
from pipelines import intensity, page
from pipelines.alerts import Sent, alerts
from pipelines.outcome import Changes, headlines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    import pandas as pd

    from geo.intensity import Intensity
    from geo.policy import Intensity as Rules
    from pipelines.intensity import Bands
    from pipelines.recall import Recalled


FILES: Final = (page.FILE, intensity.FILE, intensity.STYLE)  # what a run may put beside its map, one of each
_LABELS: Final = (
    "run_id", "theatre", "standing", "hindsight", "replay", "known_at", "ledger_head", "policy_version", "version",
)  # fmt: skip


def companions(
    recalled: Recalled, content: Mapping[str, pd.DataFrame], sent: Sent, over: AbstractSet[str] = frozenset()
) -> dict[str, bytes | None]:
    """Return the files of a run by name.

    ``sent`` are its ``messages``, ``over`` the incidents that the map does not hold any more. Names are relative to
    the GeoPackage's folder; ``None``: it makes none of that name. The same run gives the same bytes.
    """
    made: dict[str, bytes | None] = dict.fromkeys(FILES)
    if recalled.question.profile == "internal":  # the page and the messages tell what does not leave
        made[page.FILE] = _page(recalled, content, over).encode()
        made.update(sent.files)
        if (found := _intensity(recalled, content)) is not None:
            made[intensity.FILE], made[intensity.STYLE] = _raster(found, recalled, content), intensity.style().encode()
    return made


def bands(recalled: Recalled) -> Bands | None:
    """Return what the map has to know of the raster beside it, where there is one."""
    rules = _rules(recalled)
    if rules is None or recalled.question.profile != "internal":
        return None
    return intensity.Bands(rules.spans_h, plane(recalled.now.settings.theatre.baselines[0]).to_wkt())


def messages(recalled: Recalled, content: Mapping[str, pd.DataFrame], over: AbstractSet[str] = frozenset()) -> Sent:
    """Return the messages of a run, and what they told; none leave the cell, and none tell what would be otherwise.

    Of incidents that are ``over``, and no more in the map, nothing is told: neither again nor otherwise.
    """
    if recalled.question.profile == "shared" or recalled.question.readings.words:
        return Sent({}, ())
    grid_m = recalled.policy.publication.alert_grid_m
    told = [row for row in recalled.told if row[0] not in over]  # a row begins with the incident's name
    return alerts(content, told, live=recalled.live, grid_m=grid_m)


def _intensity(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> Intensity | None:
    """Return how dense violations are, where the policy asks for it."""
    settings, policy, as_of, rules = recalled.now.settings, recalled.policy, recalled.question.as_of, _rules(recalled)
    if rules is None:
        return None
    settled = sights.settle(recalled.now.coverage, settings.theatre, policy)
    line = settings.theatre.baselines[0]
    return survey(_placed(content["violations"]), settled, line, rules, policy.coverage, as_of)


def _rules(recalled: Recalled) -> Rules | None:
    """Return how densities are told; a region's map would show nothing where it only did not look."""
    return None if recalled.question.region is not None else recalled.policy.intensity


def _raster(found: Intensity, recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> bytes:
    run = content["run"].iloc[0]
    tags = {name: str(run[name]) for name in _LABELS}
    return intensity.raster(found, {**tags, "as_of": recalled.question.as_of.isoformat()})


def _placed(violations: pd.DataFrame) -> pd.DataFrame:
    """Return violations with the coordinates of their points, missing where they have none."""
    points = violations["geometry"].to_numpy(object)
    return violations.assign(lon=shapely.get_x(points), lat=shapely.get_y(points))


def _page(recalled: Recalled, content: Mapping[str, pd.DataFrame], over: AbstractSet[str]) -> str:
    theatre = recalled.now.settings.theatre
    changes = Changes.between(recalled.earlier, headlines(content["incidents"]), over)
    return page.page(content, page.Setting(theatre.places, changes))
