"""What has been published, and which publication is the same as, or came before, another?

A publication is an entry of the ledger: its key, its cut-offs and the hash of its file, and of each incident the little
that the next run needs to say what is new. Only those that stand in the workspace count as published before; what was
written elsewhere on someone's order is recorded too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from geo.policy import AS_IT_SAYS, Readings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.ledger import Document, Ledger

Profile = Literal["internal", "shared"]
_ALL: Final = datetime.max.replace(tzinfo=UTC)  # the knowledge of one who knows all that arrived


@dataclass(frozen=True)
class Question:
    """What a run is asked; times are aware UTC.

    ``known_at`` ``None``: all that is known. ``region`` ``None``: the whole theatre. ``scheduled``: a schedule asks for
    the present, and no person; the answer is the same. ``profile`` ``shared``: only what may leave the cell.
    ``readings``: how the plan is read; an answer to another reading than the policy's is no publication: it has a place
    of its own, sends nothing, and nothing is compared with it.
    """

    as_of: datetime
    known_at: datetime | None = None
    region: str | None = None
    scheduled: bool = False
    profile: Profile = "internal"
    readings: Readings = AS_IT_SAYS


@dataclass(frozen=True)
class Publication:
    """One publication, as the ledger remembers it.

    ``file`` is relative to the workspace; ``None``: written elsewhere. ``incidents`` gives state and eligible tier of
    each incident by name (``None``: not read, see ``states``), ``lineage`` the rows of that table which it was the
    first to say, as text, ``alerts`` what its messages told (``pipelines.alerts``); ``past`` the SHA-256 of each file
    of the past by its name, ``None``: it left them as they were; ``entry_no`` is the entry's own ledger number.
    """

    run_id: str
    region: str | None
    as_of: datetime
    known_at: datetime | None
    ledger_no: int
    file: str | None
    sha256: str
    version: str
    incidents: dict[str, tuple[str, int]] | None = field(hash=False)
    recorded_at: datetime | None = None
    lineage: tuple[tuple[str | None, ...], ...] = ()
    alerts: tuple[tuple[str, ...], ...] = ()
    profile: Profile = "internal"
    past: dict[str, str] | None = field(default=None, hash=False)
    entry_no: int | None = None

    def body(self) -> bytes:
        """Return the entry's canonical text."""
        stored = {name: value for name, value in asdict(self).items() if name not in {"recorded_at", "entry_no"}}
        stored["incidents"] = self.states
        return json.dumps(stored, sort_keys=True, default=datetime.isoformat, separators=(",", ":")).encode()

    @classmethod
    def read(cls, document: Document) -> Self:
        """Return the publication that a ledger entry holds."""
        stored = json.loads(document.body)
        known_at = stored.pop("known_at")
        return cls(
            **{
                **stored,
                "as_of": datetime.fromisoformat(stored["as_of"]),
                "known_at": datetime.fromisoformat(known_at) if known_at else None,
                "incidents": _states(stored.get("incidents")),
                "recorded_at": document.recorded_at,
                "entry_no": document.ledger_no,
                "lineage": tuple(tuple(row) for row in stored.get("lineage", ())),
                "alerts": tuple(tuple(row) for row in stored.get("alerts", ())),
            }
        )

    @property
    def states(self) -> dict[str, tuple[str, int]]:
        """State and eligible tier of each incident by name.

        Raises
        ------
        ValueError
            If they were not read.
        """
        if self.incidents is None:
            msg = "the incidents of this publication were not read"
            raise ValueError(msg)
        return self.incidents

    @property
    def knowledge(self) -> datetime:
        """The moment of knowledge that it rested on, aware UTC."""
        moment = self.known_at or self.recorded_at
        if moment is None:
            msg = "a publication that is not recorded yet rests on no moment of knowledge"
            raise ValueError(msg)
        return moment


def _states(stored: dict[str, list[Any]] | None) -> dict[str, tuple[str, int]] | None:
    return None if stored is None else {name: (state, tier) for name, (state, tier) in stored.items()}


def key(
    question: Question,
    *,
    inputs: str,
    theatre: str,
    policies: tuple[str, ...],
    lines: tuple[str, ...],
    commands: tuple[str, ...],
    version: str,
) -> str:
    """Return the SHA-256 over everything that a publication depends on; the hashes are hex."""
    known_at = question.known_at.isoformat() if question.known_at else None
    moment = (question.as_of.isoformat(), known_at, question.region, question.profile)
    parts = [inputs, theatre, policies, lines, commands, version, *moment]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def history(ledger: Ledger) -> list[Publication]:
    """Return every publication in order of ledger number, without the incidents, which are most of it.

    A year of runs every quarter of an hour leaves 35,000 of them.
    """
    return [Publication.read(document) for document in ledger.publications(without="incidents")]


def whole(ledger: Ledger, found: Publication) -> Publication:
    """Return a publication of the history with its incidents."""
    [document] = ledger.publications(ledger_no=found.entry_no)
    return Publication.read(document)


def naming(ledger: Ledger, name: str) -> list[Publication]:
    """Return every publication in which an incident bore a name, in order of ledger number."""
    return [Publication.read(document) for document in ledger.publications(having=f'$.incidents."{name}"')]


def standing(past: list[Publication], of: Question | Publication) -> list[Publication]:
    """Return those of the same scope and profile that were put in the workspace's place for it, oldest first."""
    return [found for found in past if _stands(found, of)]


def _stands(found: Publication, of: Question | Publication) -> bool:
    return (found.region, found.profile) == (of.region, of.profile) and found.file is not None


def descent(past: list[Publication], last: Publication | None) -> tuple[tuple[str | None, ...], ...]:
    """Return every row of lineage that the scope's publications said up to ``last``, oldest first, each once."""
    rows = (row for found in _up_to(past, last) for row in found.lineage)
    return tuple(dict.fromkeys(rows))


def told(past: list[Publication], last: Publication | None) -> tuple[tuple[str, ...], ...]:
    """Return every row that the messages of the scope's publications told up to ``last``, oldest first."""
    return tuple(row for found in _up_to(past, last) for row in found.alerts)


def _up_to(past: list[Publication], last: Publication | None) -> list[Publication]:
    if last is None:
        return []
    before = standing(past, last)
    return before[: before.index(last) + 1]


def overtaken(past: list[Publication], question: Question) -> bool:
    """Tell whether what stands for the scope speaks of a later moment, or of the same one with more knowledge."""
    return any(
        (found.as_of, found.known_at or _ALL) > (question.as_of, question.known_at or _ALL)
        for found in standing(past, question)[-1:]
    )


def before(past: list[Publication], question: Question, run_id: str, *, replay: bool) -> Publication | None:
    """Return the last publication of the same scope that the one with this key can be compared with.

    It speaks of no later moment and rests on no later knowledge, and repeating a run does not change which one it is.
    """
    candidates = standing(past, question)
    own = next((place for place, found in enumerate(candidates) if found.run_id == run_id), len(candidates))
    fitting = [
        found
        for found in candidates[:own]
        if found.as_of <= question.as_of and _was_known(found, question.known_at, replay=replay)
    ]
    return fitting[-1] if fitting else None


def _was_known(found: Publication, known_at: datetime | None, *, replay: bool) -> bool:
    if known_at is None:
        return True
    if replay:  # the hands of a replay's clock are the knowledge times that were asked for
        return found.known_at is not None and found.known_at < known_at
    return found.recorded_at is not None and found.recorded_at <= known_at


def is_recorded(ledger: Ledger, entry: Publication) -> bool:
    """Tell whether the ledger has this very publication already: in the workspace's place, as the last one there."""
    past = (Publication.read(document) for document in ledger.last_publications(without="incidents"))
    if entry.file is None:
        others: Iterable[Publication] = (found for found in past if found.file is None)
    else:
        others = islice((found for found in past if _stands(found, entry)), 1)
    said = (entry.run_id, entry.sha256, entry.alerts)
    return any(
        (found.run_id, found.sha256, found.alerts) == said and entry.past in (None, found.past) for found in others
    )


def files_of_the_past(past: list[Publication]) -> dict[str, str] | None:
    """Return the SHA-256 of each file of the past that should stand in the workspace; ``None``: none was recorded."""
    written = [found.past for found in past if found.file is not None and found.past is not None]
    return written[-1] if written else None


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
