"""How much may it cost to read a file?

An ordinary file has what the smallest machine can spare. A large one has more by its size: a million plain rows
(100 MiB) were measured at 12 s and 1.1 GiB. A zip archive (a workbook, a KMZ) counts as what it unpacks to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 2**20
ORDINARY: Final = 16 * MIB
"""Up to this size a file has ``CPU_S``, ``WALL_S`` and ``MEMORY``."""
LARGEST: Final = 512 * MIB
"""A larger file is not read: cut it into several."""
CPU_S: Final = 10
WALL_S: Final = 15
MEMORY: Final = 1024 * MIB
"""Private memory of the whole child, readers included."""
CPU_S_PER_MIB: Final = 0.5
MEMORY_PER_BYTE: Final = 16
ANSWER: Final = 64 * MIB
ANSWER_PER_BYTE: Final = 16
"""How much may come back: columns of times and numbers outgrow short text."""

MACHINE: Final = frozenset({"file_size", "time_limit", "reader_killed"})
"""Codes of what says nothing of a file: the machine may be at fault, or a limit is ours; it can be tried again."""

PACKED: Final = b"PK\x03\x04"
UNPACKED: Final = 10
"""A packed byte counts as so many: tables of reports unpack to 6 to 12 times their size."""
MOST_UNPACKED: Final = 256 * MIB
"""No archive that is read unpacks to more."""


@dataclass(frozen=True)
class Limits:
    """Seconds of CPU and of wall clock, bytes of private memory and of the answer."""

    cpu_s: int
    wall_s: int
    memory: int
    answer: int


def weight(data: bytes) -> int:
    """Return how many bytes a file counts as: its own, of an archive as if it were unpacked."""
    return max(len(data), min(UNPACKED * len(data), MOST_UNPACKED)) if data.startswith(PACKED) else len(data)


def limits(size: int) -> Limits:
    """Return what a file that counts as ``size`` bytes may cost."""
    beyond = max(0, size - ORDINARY)
    more_s = round(beyond / MIB * CPU_S_PER_MIB)
    return Limits(
        cpu_s=CPU_S + more_s,
        wall_s=WALL_S + 2 * more_s,
        memory=MEMORY + beyond * MEMORY_PER_BYTE,
        answer=ANSWER + size * ANSWER_PER_BYTE,
    )
