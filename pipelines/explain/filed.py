"""What do the files of the last publication say of a name?

Map and files of the past together are what an assessment of the same moment would give again. They are read while they
are, byte for byte, what the ledger says was published.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import pandas as pd

from geo import reviews
from pipelines import edge, hashes, publications
from pipelines.explain.answers import BEARS, Answer, find
from pipelines.layers import read_run, some, swap
from pipelines.workspace import PAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pipelines.layers.swap import State
    from pipelines.workspace import Workspace

_WHOLE: Final = "VR"
"""Kinds of names of which one row says all that is told, and what bears them stands in one file."""


@dataclass(frozen=True, eq=False)
class Filed(Answer):
    """A moment that was published, as some of its files tell it, each in the state in which it was looked at."""

    files: Mapping[Path, State]

    def stands(self) -> bool:
        """Tell whether the files are the same still."""
        return all(path.is_file() and swap.state(path) == state for path, state in self.files.items())


def published(workspace: Workspace, name: str, number: int, *, at: datetime) -> Filed | None:
    """Return the last publication of the whole theatre, if it knew a name's entry and its files surely tell of it.

    Another version of Ceasewatch may say it otherwise, and a theatre with rasters has figures in its map that no
    assessment gives.
    """
    with workspace.ledger() as ledger:
        asked = find(ledger, number, as_of=None, known_at=None, at=at)
        last = asked.last
        if last is None or last.file is None:
            return None
        if (last.region, last.profile, last.version) != (None, "internal", edge.version()):
            return None
        settings = workspace.settings(ledger, last.known_at, last.ledger_no)
    answer = partial(Filed, workspace, asked.as_of, asked.known_at, asked.up_to_no, settings, asked.past)
    file = workspace.path / last.file
    states = None if settings.theatre.rasters else _sound(workspace, {file: last.sha256})
    if states is None:
        return None
    if _holds(file, name):
        return answer(partial(some.stored, file), states)
    wanted = publications.files_of_the_past(asked.past) or {}
    years = [file.parent / PAST / year for year in sorted(wanted)]
    more = _sound(workspace, dict(zip(years, wanted.values(), strict=True)))
    if not years or more is None:
        return None
    home = _home(file, years, name)
    return None if home is None else answer(partial(_rows, file, years, home), {**states, **more})


def _sound(workspace: Workspace, wanted: Mapping[Path, str]) -> dict[Path, State] | None:
    """Return the states of files that are those of which the ledger has the SHA-256; ``None`` where one is not."""
    states = {path: swap.state(path) for path in wanted if path.is_file()}
    return states if hashes.computed(workspace, wanted) == wanted else None


def _holds(file: Path, name: str) -> bool:
    """Tell whether the map surely holds what bears a name, and all that is told of it: none of it is in the past.

    What ends may be taken up by another one, which can be over where a decision alone keeps the first in the map.
    """
    run = read_run(file) if some.holds(file, *BEARS[name[0]], [name]) else None
    if run is None:
        return False
    found = some.stored(file, *BEARS[name[0]], [name])
    about, since = found["incident_id"].dropna(), run["window_from"]
    if since is None or name[0] in _WHOLE or not len(about):
        return True
    steps = some.stored(file, "transitions", "incident_id", about)
    ended = steps.loc[steps["kind"] == "ended", "at"]
    return some.holds(file, "incident_points", "incident_id", about) and not (ended < since).any()


def _home(file: Path, years: Sequence[Path], name: str) -> Path | None:
    """Return the file that holds what bears a name, with all that belongs to it; of a decision what it is about."""
    table, column = BEARS[name[0]]
    names = [name]
    if table == "reviews":
        names = some.stored(file, table, column, names)["incident_id"].dropna().tolist()
        table, column = BEARS["B"]
    return next((each for each in (file, *years) if some.holds(each, table, column, names)), None)


def _rows(file: Path, years: Sequence[Path], home: Path, name: str, column: str, wanted: Iterable[str]) -> pd.DataFrame:
    """Return rows as an assessment has them: the map has what people decided, and each file what its own take up."""
    if name == "reviews":
        return some.stored(file, name, column, wanted)
    if name != "lineage":
        return some.stored(home, name, column, wanted)
    found = pd.concat([some.stored(each, name, column, wanted) for each in (*years, file)], ignore_index=True)
    present = found[found["kind"] == "recurrence"]  # the map adds what publications said
    return present.sort_values("to_id", key=lambda names: names.map(reviews.number), kind="stable", ignore_index=True)
