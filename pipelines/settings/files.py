"""Which files make a theatre, where are they, and are they the same as before?"""

from __future__ import annotations

import hashlib
import importlib.resources
import math
import re
import tomllib
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from geo.errors import PolicyError
from pipelines.settings.mistakes import Mistakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

THEATRE: Final = "theatre.toml"
POLICY: Final = "policy.toml"
PLACES: Final = "places.csv"
POINTER: Final = b"raster, sha256 "
"""What stands for a raster among a theatre's files, before its SHA-256."""
_POINTED: Final = re.compile(re.escape(POINTER) + rb"([0-9a-f]{64})")


def find_theatre(name_or_dir: str | Path) -> Path:
    """Return the folder of a theatre: the given one, or the shipped one of that name.

    A path that holds a ``theatre.toml`` wins over a shipped theatre of the same name.

    Raises
    ------
    PolicyError
        If there is neither; it names the theatres that are shipped.
    """
    given = Path(name_or_dir)
    if (given / THEATRE).is_file():
        return given
    if given.name == str(name_or_dir):
        for home in _homes():
            if (home / given.name / THEATRE).is_file():
                return home / given.name
    names = ", ".join(shipped()) or "none"
    msg = f"{name_or_dir}: no folder with a {THEATRE} and no shipped theatre; give a folder, or one of: {names}."
    raise PolicyError(msg)


def shipped() -> list[str]:
    """Return the names of the theatres that come with Ceasewatch, sorted."""
    return sorted({file.parent.name for home in _homes() for file in home.glob(f"*/{THEATRE}")})


def _homes() -> Iterator[Path]:
    package = Path(str(importlib.resources.files("pipelines")))
    yield package / "theatres"  # in a wheel
    yield package.parent / "data" / "theatres"  # in a checkout


def read_folder(path: str | Path) -> dict[str, bytes]:
    """Return the bytes of a theatre's files by relative name.

    They are ``theatre.toml``, ``policy.toml``, those it names and, where there is one, ``places.csv``.
    Anything else in the folder is left alone. Of a raster there is only a pointer: it may be too large to be kept.

    Raises
    ------
    PolicyError
        With every file that is missing, unreadable or outside the folder.
    """
    folder = Path(path)
    mistakes = Mistakes(str(path))
    files: dict[str, bytes] = {}
    for name in (THEATRE, POLICY):
        _take(folder, name, files, mistakes)
    table = parse_toml(files, THEATRE, mistakes) or {}
    own = {PLACES} if (folder / PLACES).exists() else set()
    for name in sorted(named_files(table) | own):
        _take(folder, name, files, mistakes)
    for name in sorted(raster_files(table)):
        _point(folder, name, files, mistakes)
    mistakes.settle()
    return files


def _take(folder: Path, name: str, files: dict[str, bytes], mistakes: Mistakes) -> None:
    if not is_inside(name) or not (folder / name).resolve().is_relative_to(folder.resolve()):
        mistakes.add(THEATRE, f"file {name!r}", "leads out of the theatre's folder", "give a relative path inside it")
        return
    try:
        files[name] = (folder / name).read_bytes()
    except OSError as error:
        todo = "put it into the folder, or correct its name in theatre.toml"
        mistakes.add(name, "", f"cannot be read ({error.strerror or error})", todo)


def _point(folder: Path, name: str, files: dict[str, bytes], mistakes: Mistakes) -> None:
    try:
        if is_raster_path(name):
            files[name] = POINTER + file_hash(folder / name).encode()
    except OSError as error:
        todo = "put it there, or correct its name in theatre.toml"
        mistakes.add(name, "", f"cannot be read ({error.strerror or error})", todo)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hex; not computed again in this process while its size and times stay."""
    state = path.stat()
    return _file_hash(path.resolve(), state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@lru_cache(maxsize=64)
def _file_hash(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pointed(data: bytes) -> str | None:
    """Return the SHA-256 in a raster's pointer, hex; ``None``: it is none."""
    found = _POINTED.fullmatch(data)
    return found.group(1).decode() if found else None


def is_raster_path(name: str) -> bool:
    """Whether a raster may be called that: an absolute path, or a plain relative one that stays inside its folder."""
    return is_inside(name) or ("\0" not in name and Path(name).is_absolute())


def is_inside(name: str) -> bool:
    """Whether a file name is a plain relative path that stays inside its folder."""
    path = PurePosixPath(name)
    plain = bool(name) and "\\" not in name and ":" not in name and "\0" not in name
    return plain and not path.is_absolute() and ".." not in path.parts and str(path) == name


def named_files(table: Mapping[str, Any]) -> set[str]:
    """Return every file name that a parsed ``theatre.toml`` mentions."""
    entries = [entry for section in ("baselines", "zones", "lines", "exemptions") for entry in _list(table, section)]
    places = [table.get("regions"), *entries]
    return {place["file"] for place in places if isinstance(place, dict) and isinstance(place.get("file"), str)}


def raster_files(table: Mapping[str, Any]) -> set[str]:
    """Return every file name of a raster that a parsed ``theatre.toml`` mentions."""
    entries = (entry for entry in _list(table, "rasters") if isinstance(entry, dict))
    return {entry["file"] for entry in entries if isinstance(entry.get("file"), str)}


def _list(table: Mapping[str, Any], section: str) -> list[Any]:
    value = table.get(section)
    return value if isinstance(value, list) else []


def digest(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of the files' names and contents, independent of their order."""
    whole = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def parse_toml(files: Mapping[str, bytes], name: str, mistakes: Mistakes) -> dict[str, Any] | None:
    """Return the parsed TOML file, or ``None`` with the mistake noted."""
    if name not in files:
        mistakes.add(name, "", "is missing", "add it to the theatre's folder")
        return None
    try:
        table = tomllib.loads(files[name].decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        mistakes.add(name, f"byte {error.start + 1}", "is not UTF-8", "save the file as UTF-8")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        mistakes.add(name, "", f"is no valid TOML: {error}", "correct the line")
    else:
        for path in _not_finite(table, ""):
            mistakes.add(name, path, "is no finite number", "give a number")
        return table
    return None


def _not_finite(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_finite(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _not_finite(inner, f"{path} number {number}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield path
