"""Which files does a zip archive hold, if it is an honest one?

Nothing is written to disk, so that no entry can escape; names that try are refused all the same. What is inflated is
bounded before and while it is read, whatever the archive says of itself.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from pipelines.sources.cells import refuse_file

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC: Final = b"PK\x03\x04"
MOST_ENTRIES: Final = 1_000
MOST_BYTES: Final = 256 * 2**20
"""Inflated, all entries together."""
_LOCAL_HEADER: Final = 30
_ENCRYPTED: Final = 1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Archive:
    """An archive whose table of contents is consistent.

    Raises
    ------
    InputError
        ``archive`` if it is damaged, encrypted, or tells lies; ``archive_size`` if it holds too much.
    """

    def __init__(self, data: bytes, file_name: str) -> None:
        self._file_name = file_name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _FAULTS as fault:
            refuse_file("archive", f"it is no whole archive ({fault}): send it again", file_name)
        self._entries = self._zip.infolist()
        self._check()

    def names(self) -> list[str]:
        """Return the names of its files, in the order of the archive."""
        return [entry.filename for entry in self._entries if not entry.is_dir()]

    def read(self, name: str) -> bytes:
        """Return a file of it, whose checksum is right."""
        entry = self._zip.getinfo(name)
        try:
            with self._zip.open(entry) as stream:
                data = stream.read(entry.file_size + 1)
        except _FAULTS as fault:
            refuse_file("archive", f"{name[:80]!r} in it is damaged ({fault}): send it again", self._file_name)
        if len(data) != entry.file_size:
            sentence = f"{name[:80]!r} in it is not as long as it says: send it again"
            refuse_file("archive", sentence, self._file_name)
        return data

    def _check(self) -> None:
        entries = self._entries
        total = sum(entry.file_size for entry in entries)
        if len(entries) > MOST_ENTRIES or total > MOST_BYTES:
            sentence = (
                f"it holds {len(entries):,} files of {total / 2**20:,.0f} MiB together, and {MOST_ENTRIES:,} of "
                f"{MOST_BYTES / 2**20:.0f} are read: cut it into several"
            )
            refuse_file("archive_size", sentence, self._file_name)
        names = {entry.filename for entry in entries}
        if len(names) != len(entries):
            refuse_file("archive", "it holds two files of one name: which one holds cannot be told", self._file_name)
        for entry in entries:
            wrong = _wrong(entry)
            if wrong:
                refuse_file("archive", f"{entry.filename[:80]!r} in it {wrong}: pack it anew", self._file_name)
        self._check_overlap({entry.header_offset: entry for entry in entries})

    def _check_overlap(self, at: Mapping[int, zipfile.ZipInfo]) -> None:
        end = 0
        for offset, entry in sorted(at.items()):
            if offset < end:
                refuse_file("archive", "its files lie over each other: pack it anew", self._file_name)
            end = offset + _LOCAL_HEADER + len(entry.orig_filename) + entry.compress_size
        if len(at) != len(self._entries):
            refuse_file("archive", "its files lie over each other: pack it anew", self._file_name)


def _wrong(entry: zipfile.ZipInfo) -> str:
    name = entry.orig_filename
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or "\0" in name or ":" in name:
        return "has a name that leads out of the archive"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return "" if entry.compress_type in _METHODS else "is packed in a manner that is not read"
