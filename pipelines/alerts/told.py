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
    """One message to be sent: about ``step``, or with ``step`` ``None`` the end of all that ``about`` said.

    ``gone`` are those of ``about`` that did not come about, by what is known now.
    """

    incident_id: str
    kind: Kind
    step: Step | None
    about: tuple[Said, ...]
    corrects: bool
    gone: tuple[Said, ...] = ()


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


def began(rows: Iterable[Sequence[str]], before: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return the incidents of which rows tell that a tier took effect, and none of the same status before them did."""
    known = {(said.key, said.status) for said in map(Said.read, before)}
    told = (said for said in map(Said.read, rows) if (said.key, said.status) not in known and said.kind != "Cancel")
    return tuple(dict.fromkeys(said.key.incident_id for said in told if said.key.kind == "effective"))


def tell(
    steps: Mapping[str, Sequence[Step]],
    stands: Mapping[str, Mapping[Key, Said]],
    write: Callable[[News], Said | None],
) -> None:
    """Have everything written that is to be told now, what is withdrawn first.

    Each step is told once. A message about a further step of an incident updates what stands of it by then. One that
    tells a step again, because it is dated anew or ends otherwise, updates the message about that step alone. When a
    step is gone, the last one that stands is told again in an Update of both, since who received the message about the
    one may hold no other; where none stands, all are cancelled. ``write`` returns what a message about a step said.
    """
    anew: dict[str, Said] = {}
    for name, told in stands.items():
        each = {step.key: step for step in steps.get(name, ())}
        gone = tuple(said for key, said in told.items() if key not in each)
        last = next((each[key] for key in reversed(each) if key in told), None)
        if gone and last is None:
            write(News(name, "Cancel", None, gone, corrects=True, gone=gone))
        elif gone and last is not None:
            said = write(News(name, "Update", last, (*gone, told[last.key]), corrects=True, gone=gone))
            anew |= {name: said} if said is not None else {}
    for name, every in steps.items():
        kept = {step.key for step in every}
        mine = {key: said for key, said in stands.get(name, {}).items() if key in kept}
        if name in anew:
            mine[anew[name].key] = anew[name]
        for step in every:
            before = mine.get(step.key)
            if before is None or before.what != step.what:
                kind: Kind = "Update" if mine else "Alert"
                about = (before,) if before is not None else tuple(mine.values())
                said = write(News(name, kind, step, about, corrects=before is not None))
                if said is not None:
                    mine[step.key] = said
