"""Of which moment does an explanation speak, and what does it ask of it?

What was published is read from its files (``filed``); everything else is assessed again (``whole``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from geo.errors import PolicyError
from pipelines import publications
from pipelines.outcome import stamp
from pipelines.publications import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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


def entry(ledger: Ledger, asked: Asked, name: str, number: int) -> dict[str, Any]:
    """Return the entry whose number a name has: without one nothing bore it, and nobody need assess anything.

    Raises
    ------
    PolicyError
        If there is none, or it came after what is spoken of.
    """
    item = ledger.item(number)
    if item is None or (asked.up_to_no is not None and item["ledger_no"] > asked.up_to_no):
        raise unknown(asked, name, number, there=item is not None)
    return item


def unknown(of: Asked | Answer, name: str, number: int, *, there: bool) -> PolicyError:
    """Return why an entry tells nothing of a moment: it is not there, or was not known."""
    then = "" if of.known_at is None else f" that was known at {stamp(of.known_at)}"
    if there and of.known_at is None:  # else what came later would change what is said of then
        last = f"the last publication, as of {stamp(of.as_of)}"
        return PolicyError(
            f"{name}: entry {number} came in after {last}, of which this speaks; run again, or give --as-of"
        )
    return PolicyError(f"{name}: the ledger has no entry {number}{then}, so nothing bore that name")


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
