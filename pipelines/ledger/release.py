"""How does a quarantined row come in after all, and who decided that?

An order is a document of kind ``release``: the rows that it releases, by whom and why. The batch with what became of
them follows it in the same transaction. The quarantined rows themselves stay as they are.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from geo.errors import InputError, PolicyError
from pipelines.ledger import recall
from pipelines.ledger.append import as_batch, enter_document, enter_reading

if TYPE_CHECKING:
    from datetime import datetime

    from geo.theatre import Source
    from pipelines.ledger.records import Batch, Known, Reading
    from pipelines.ledger.store import Store

KIND: Final = recall.RELEASE
_FORM: Final = 1


@dataclass(frozen=True)
class Order:
    """Which quarantined rows (by number) a person releases, and why."""

    rows: tuple[int, ...]
    who: str
    why: str

    def body(self) -> bytes:
        """Return the order's canonical text."""
        return json.dumps(
            {"form": _FORM, **asdict(self)}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode()


@dataclass(frozen=True)
class Quarantined:
    """A quarantined row whole: ``raw`` is ``None`` where it was erased on order, ``released_no`` the order's number."""

    quarantine_no: int
    batch_no: int
    row_no: int
    source: str
    file_name: str
    sha256: str
    reason_code: str
    reason: str
    raw: bytes | None
    released_no: int | None


def quarantined(store: Store, quarantine_no: int) -> Quarantined:
    """Return one quarantined row.

    Raises
    ------
    PolicyError
        If there is none of that number.
    """
    found = store.rows(
        """SELECT quarantine_no, batch_no, row_no, source, file_name, batch.sha256, reason_code, reason, raw
           FROM quarantine JOIN batch USING (batch_no) WHERE quarantine_no = ?""",
        [quarantine_no],
    )
    if not found:
        msg = f"Q-{quarantine_no}: no such row is in quarantine; `ceasewatch quarantine WORKSPACE list` names them"
        raise PolicyError(msg)
    return Quarantined(**found[0], released_no=recall.released(store, None).get(quarantine_no))


def append_release(
    store: Store,
    order: Order,
    reading: Reading,
    *,
    source: Source,
    batch: dict[str, Any],
    recorded_at: datetime,
    known: Known,
) -> Batch:
    """Append an order and what became of its rows, both or neither; see ``Ledger.release``."""
    with store.transaction():
        before = recall.released(store, None)
        for number in order.rows:
            if number in before:
                msg = f"Q-{number} was released before, by order {before[number]}; nothing was recorded"
                raise PolicyError(msg)
        enter_document(store, KIND, order.body(), recorded_at)
        header, refused = enter_reading(
            store, reading, source=source, batch=batch, recorded_at=recorded_at, known=known, capped=False
        )
        if refused:
            raise InputError(code=refused[0]["reason_code"], message=refused[0]["reason"])
    return as_batch(header)
