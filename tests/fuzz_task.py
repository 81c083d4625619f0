"""What do the readers make of files that were bent at random? Runs behind the walls, many files to a child."""

from __future__ import annotations

import io
import json
import random
import zipfile
from typing import IO, TYPE_CHECKING

import containers
import readings
import traps

from geo.errors import InputError
from pipelines import sources
from pipelines.jail import reports, wire
from pipelines.sources.reading import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {**containers.GOOD, "ucdp": traps.mixed("ucdp"), "firms": traps.mixed("firms")}
TOKENS = (
    b'"', b"'", b",", b";", b"\n", b"\r", b"\0", b"<", b">", b"]]>", b"&x;", b"{", b"}", b"[", b"]", b"\\u0000",
    b"\xff", b"\xef\xbb\xbf", b"1e400", b"NaN", b"-1", b"4294967295", b"=1+1", b"PK\1\2", b"GP\0\1", b"../",
    b"<!DOCTYPE x>",
)  # fmt: skip
PACKED = ("kmz", "xlsx")


def context(name: str) -> Context:
    """Return what is ours beside a file of that kind."""
    return Context(traps.source(containers.form(name)), readings.THEATRE, readings.POLICY, f"x.{name}")


def warm(argument: tuple[str, int, int]) -> None:
    """Load what readers load late."""
    reports.warm(reports.Asked(context(argument[0]), admits=False))
    for name, data in FILES.items():
        sources.read(data, *_told(name))


def settle(_: object) -> None:
    """Load nothing."""


def work(argument: tuple[str, int, int], _: bytes, out: IO[bytes]) -> None:
    """Read the files of seeds from ``first`` on, and write which broke a promise, and how."""
    name, first, count = argument
    found = [(seed, fault) for seed in range(first, first + count) for fault in faults(name, seed)]
    out.write(json.dumps(found).encode())


def fail(error: BaseException, out: IO[bytes]) -> None:
    """Write what stopped it."""
    out.write(json.dumps([(-1, repr(error))]).encode())


def bent(name: str, seed: int) -> bytes:
    """Return a file of that kind with one to six changes; of an archive, in every other one, in a part of it."""
    rng = random.Random(f"{name} {seed}")  # noqa: S311 -- the same files each time
    if name in PACKED and seed % 2:
        with zipfile.ZipFile(io.BytesIO(FILES[name])) as archive:
            parts = {each: archive.read(each) for each in archive.namelist()}
        part = rng.choice(sorted(parts))
        return containers.packed({**parts, part: _bent(parts[part], rng)})
    return _bent(FILES[name], rng)


def _bent(whole: bytes, rng: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(rng.randint(1, 6)):
        at, length = rng.randrange(len(data) or 1), rng.randint(1, 16)
        how = rng.randrange(6)
        if how == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[at : at + length]
        elif how == 2:
            data[at:at] = data[at : at + length]
        elif how == 3:
            data[at : at + length] = rng.randbytes(length)
        elif how == 4:
            data[at:at] = rng.choice(TOKENS)
        else:
            del data[rng.randrange(len(data) or 1) :]
    return bytes(data)


def faults(name: str, seed: int) -> Iterator[str]:
    """Yield which promises the reading of one bent file breaks."""
    try:
        reading = sources.read(bent(name, seed), *_told(name))
    except InputError as error:
        if not str(error).strip() or not error.code:
            yield "refused without a reason"
        return
    except Exception as error:  # noqa: BLE001 -- whatever escapes is a fault
        yield repr(error)
        return
    numbers = sorted([*reading.intake["row_no"], *reading.refused["row_no"]])
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"records {numbers[:20]}"
    if not reading.intake["lon"].dropna().between(-180, 180).all():
        yield "a longitude off the globe"
    out = io.BytesIO()
    wire.put_reading(out, reading)
    if len(wire.get_reading(out.getvalue()).intake) != len(reading.intake):
        yield "lost on the wire"


def _told(name: str) -> tuple[object, ...]:
    told = context(name)
    return told.source, told.theatre, told.policy, told.file_name
