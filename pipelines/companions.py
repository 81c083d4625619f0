"""What stands beside a publication's GeoPackage?

Each file is made of the same answer and says which run it belongs to. ``layers.publish`` puts them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import page
from pipelines.alerts import alerts
from pipelines.outcome import Changes, headlines

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipelines.alerts import Sent
    from pipelines.recall import Recalled


def companions(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Return the files of a run by name, relative to the GeoPackage's folder; the same run gives the same bytes."""
    return {page.FILE: _page(recalled, content).encode(), **messages(recalled, content).files}


def messages(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> Sent:
    """Return the messages of a run, and what they told."""
    grid_m = recalled.policy.publication.alert_grid_m
    return alerts(content, recalled.told, live=recalled.live, grid_m=grid_m)


def _page(recalled: Recalled, content: Mapping[str, pd.DataFrame]) -> str:
    theatre = recalled.now.settings.theatre
    left, right = (party.name for party in theatre.parties)
    changes = Changes.between(recalled.earlier, headlines(content["incidents"]))
    return page.page(content, page.Setting((left, right), theatre.places, changes))
