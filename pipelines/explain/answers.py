"""Of which moment does an explanation speak, and from where are its rows taken?

Those of the last publication of the whole theatre stand in the map, which is what an assessment of the same moment
would give again: they are read from it while it is, byte for byte, what the ledger says was published. Everything else
is assessed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipelines import edge, publications
from pipelines.layers import read_run, some
from pipelines.outcome import stamp
from pipelines.publications import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from pipelines.ledger import Ledger
    from pipelines.publications import Publication
    from pipelines.workspace import Settings, Workspace

    Rows = Callable[[str, str, Iterable[str]], pd.DataFrame]


BEARS: Final = {
    "B": ("incident_points", "incident_id"),
    "C": ("incident_points", "incident_id"),
    "V": ("violations", "violation_id"),
    "R": ("reports", "report_id"),
    "D": ("reviews", "review_id"),
}
"""In which table, and in which column of it, names of a kind stand."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One assessed moment: where it was watched and by which settings, which publications had come before.

    ``rows`` gives of a table the rows with one of some texts in a column, as a publication holds them, without shapes.
    """

    workspace: Workspace
    as_of: datetime
    known_at: datetime | None
    up_to_no: int | None
    settings: Settings
    past: list[Publication]
    rows: Rows

    def of(self, name: str) -> pd.DataFrame:
        """Return the row of a name; none where nothing bears it."""
        return self.rows(*BEARS[name[0]], [name])


@dataclass(frozen=True, eq=False)
class Map(Answer):
    """A moment that was published, as its map tells it."""

    file: Path
    run_id: str

    def stands(self) -> bool:
        """Tell whether the map is the same still."""
        run = read_run(self.file)
        return run is not None and run["run_id"] == self.run_id

    def holds(self, name: str) -> bool:
        """Tell whether the map surely holds what bears a name, and all that is told of it: none of it is in the past.

        What ends may be taken up by another one, which can be over where a decision alone keeps the first in the map.
        """
        found, run = self.of(name), read_run(self.file)
        if not len(found) or run is None:
            return False
        about, since = found["incident_id"].dropna(), run["window_from"]
        if since is None or name[0] in "VR" or not len(about):
            return True
        steps = self.rows("transitions", "incident_id", about)
        ended = steps.loc[steps["kind"] == "ended", "at"]
        return len(self.rows("incident_points", "incident_id", about)) > 0 and not (ended < since).any()


class Asked(NamedTuple):
    """Which moment is spoken of, up to which entry, after which publications; the ``last`` is the one spoken of."""

    as_of: datetime
    known_at: datetime | None
    up_to_no: int | None
    past: list[Publication]
    last: Publication | None


def find(ledger: Ledger, number: int, *, as_of: datetime | None, known_at: datetime | None, at: datetime) -> Asked:
    """Return the given moment, else that of the last publication, which knew an entry if any did."""
    past = publications.history(ledger)
    last = publications.standing(past, Question(at))[-1:]
    if last and last[0].ledger_no < number:
        last = [found for found in past if found.ledger_no >= number][-1:] or last
    if as_of is None and known_at is None and last:
        return Asked(last[0].as_of, last[0].known_at, last[0].ledger_no, past, last[0])
    return Asked(as_of or known_at or at, known_at, None, past, None)


def published(workspace: Workspace, number: int, *, at: datetime) -> Map | None:
    """Return the last publication of the whole theatre, if it knew an entry and its map can be told from.

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
    file = workspace.path / last.file
    if settings.theatre.rasters or not file.is_file() or publications.file_hash(file) != last.sha256:
        return None
    moment = (asked.as_of, asked.known_at, asked.up_to_no)
    return Map(workspace, *moment, settings, asked.past, partial(some.stored, file), file, last.run_id)


def head(answer: Answer, name: str) -> dict[str, Any]:
    """Return what every explanation begins with."""
    return {"name": name, "as_of": stamp(answer.as_of), "known_at": stamp(answer.known_at)}


def career(answer: Answer, report_id: str) -> list[dict[str, Any]]:
    """Return the entries that made a report what it is at this moment of knowledge."""
    with answer.workspace.ledger() as ledger:
        entries = ledger.career(
            int(report_id.removeprefix("R-")),
            answer.known_at,
            up_to_no=answer.up_to_no,
            suspended=answer.settings.theatre.suspended,
        )
    return [stamped(entry) for entry in entries]


def stamped(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with its times as text."""
    return {key: stamp(value) if isinstance(value, datetime) else value for key, value in entry.items()}
