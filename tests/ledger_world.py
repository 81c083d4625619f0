"""What do the tests of the ledger put into it?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.reports import INTAKE
from geo.theatre import Source
from pipelines.ledger import Batch, Known, Ledger, store_raw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

T0 = datetime(2026, 2, 3, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
MISSION = Source("mission", "csv", "mission", "mission", "source", authoritative=True, radius_m=500.0)
MEDIA = replace(MISSION, id="media", trust="media", independence_group="media", authoritative=False)
OTHER = replace(MEDIA, id="other")


@dataclass(frozen=True)
class Reading:
    """What a reader would have made of a file."""

    intake: pd.DataFrame
    refused: pd.DataFrame


def row(source_ref: str | None = None, **said: object) -> dict[str, Any]:
    """Return one intake row: a report of a shelling near the line, unless told otherwise."""
    return {
        "kind": "report",
        "source_ref": source_ref,
        "observed_from": T0 - 2 * HOUR,
        "observed_to": T0 - HOUR,
        "lon": 37.5,
        "lat": 48.1,
        "uncertainty_m": 500.0,
        "act": "shelling",
        "domain": "land",
        **said,
    }


def reading(rows: Sequence[dict[str, Any]], refused: Sequence[bytes] = ()) -> Reading:
    """Return rows as a reader hands them over; refused ones follow in the file."""
    frame = pd.DataFrame([{name: each.get(name) for name in INTAKE} for each in rows], columns=list(INTAKE))
    frame["row_no"] = range(1, len(rows) + 1)
    columns = {
        "row_no": pd.Series(range(len(rows) + 1, len(rows) + 1 + len(refused)), dtype="int64"),
        "raw": pd.Series(list(refused), dtype=object),
        "reason_code": pd.Series(["bad_place"] * len(refused), dtype="str"),
        "reason": pd.Series(["lat is not a number; write degrees"] * len(refused), dtype="str"),
    }
    return Reading(frame.astype(INTAKE), pd.DataFrame(columns))


class World:
    """A workspace's ledger that takes files without anybody having to write them."""

    def __init__(self, folder: Path, *, replay: bool = False) -> None:
        self.path, self.raw, self.files = folder / "ledger.sqlite", folder / "raw", 0
        self.ledger = Ledger.create(self.path, replay=replay, recorded_at=T0)

    def take(
        self,
        *rows: dict[str, Any],
        source: Source = MISSION,
        at: datetime | None = None,
        refused: Sequence[bytes] = (),
        known: Known = "recorded",
        data: bytes | None = None,
    ) -> Batch:
        """Append rows as one file of its own, an hour after the one before; ``data``: the file's bytes."""
        self.files += 1
        data = data or f"file {self.files}".encode()
        return self.ledger.append(
            reading(rows, refused),
            source=source,
            file_name=f"{self.files}.csv",
            sha256=store_raw(self.raw, data),
            recorded_at=at or T0 + self.files * HOUR,
            known=known,
        )

    def close(self) -> None:
        """Give the ledger back."""
        self.ledger.close()


def by_ref(reports: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return reports by the source's id."""
    return {str(each["source_ref"]): each for each in reports.to_dict("records")}


def sha256(data: bytes) -> str:
    """Return 64 hex digits."""
    return hashlib.sha256(data).hexdigest()
