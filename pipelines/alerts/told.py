"""What has the world been told before, and what is to be told now?

A publication's entry keeps a row for each thing that it was the first to tell. From these alone follows what still
stands; no message is read back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from pipelines.alerts.steps import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipelines.alerts.steps import Step

Kind = Literal["Alert", "Update", "Cancel"]
Status = Literal["Actual", "Exercise", "Draft"]


class Said(NamedTuple):
    """What one message said of one step; ``sent`` in the writing of CAP."""

    key: Key
    what: str
    kind: Kind
    identifier: str
    sent: str
    status: Status

    def row(self) -> tuple[str, ...]:
        """Return it as texts, as a publication's entry keeps it."""
        name, kind, tier, n = self.key
        return (name, kind, str(tier), str(n), self.what, self.kind, self.identifier, self.sent, self.status)

    @classmethod
    def read(cls, row: Sequence[str]) -> Said:
        """Return what a publication's entry keeps."""
        name, step, tier, n, what, kind, identifier, sent, status = row
        return cls(Key(name, step, int(tier), int(n)), what, kind, identifier, sent, status)  # type: ignore[arg-type]


@dataclass(frozen=True)
class News:
    """One message to be sent: about ``step``, or with ``step`` ``None`` the end of all that ``about`` said."""

    incident_id: str
    kind: Kind
    step: Step | None
    about: tuple[Said, ...]
    corrects: bool


def standing(rows: Iterable[Sequence[str]], status: Status) -> dict[str, dict[Key, Said]]:
    """Return what stands, by incident and step, of what was told under ``status``: a draft never stands for more."""
    found: dict[str, dict[Key, Said]] = {}
    for said in map(Said.read, rows):
        if said.status != status:
            continue
        mine = found.setdefault(said.key.incident_id, {})
        if said.kind == "Cancel":
            mine.pop(said.key, None)
        else:
            mine[said.key] = said
    return {name: mine for name, mine in found.items() if mine}


def tell(
    steps: Mapping[str, Sequence[Step]],
    stands: Mapping[str, Mapping[Key, Said]],
    write: Callable[[News], Said | None],
) -> None:
    """Have everything written that is to be told now, what is withdrawn first.

    Each step is told once; told again, as an Update, when it is dated anew or ends otherwise; and cancelled when it is
    gone. A message about a further step of an incident updates what stands of it by then. ``write`` returns what a
    message about a step said.
    """
    for name, mine in stands.items():
        kept = {step.key for step in steps.get(name, ())}
        if gone := tuple(said for key, said in mine.items() if key not in kept):
            write(News(name, "Cancel", None, gone, corrects=True))
    for name, each in steps.items():
        kept = {step.key for step in each}
        mine = {key: said for key, said in stands.get(name, {}).items() if key in kept}
        for step in each:
            before = mine.get(step.key)
            if before is None or before.what != step.what:
                kind: Kind = "Update" if mine else "Alert"
                said = write(News(name, kind, step, tuple(mine.values()), corrects=before is not None))
                if said is not None:
                    mine[step.key] = said
