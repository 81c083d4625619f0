"""How is a run's answer published?

``publish`` writes the declared tables into one GeoPackage, reads it back, and only then lets it take the place of the
last one, and puts the QGIS project beside it. Reading order: ``fault → rows → schema → looks → fill → write → proof →
swap → beside``.
"""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pandas as pd

from geo import tables
from geo.errors import PolicyError
from pipelines.layers import beside, swap
from pipelines.layers import rows as _rows
from pipelines.layers.fault import PublicationError, unaccompanied, unwritten
from pipelines.layers.proof import connect, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import geopandas as gpd
    import pyarrow as pa

    from pipelines.cartography import Cartography
    from pipelines.intensity import Bands
    from pipelines.layers.swap import State

__all__ = ["PublicationError", "Published", "check", "of_one_run", "publish", "read_column", "read_run", "read_table"]

R = TypeVar("R")
WAIT_S: Final = 60.0
COMMANDS: Final = "reviews.gpkg"
"""The file for the commands of people, where one lies beside the map."""
PROJECT: Final = ".qgz"
_LOOKS: Final = 5  # at a publication that is replaced while it is read
_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class Published:
    """What stands at ``path`` now; ``replaced`` is false if it stood there before; ``state``: as it was hashed."""

    path: Path
    sha256: str
    replaced: bool
    state: State


def publish(
    frames: Mapping[str, pd.DataFrame],
    target: Path,
    *,
    keep: int,
    run_id: str,
    wait_s: float = WAIT_S,
    companions: Callable[[], Mapping[str, bytes | None]] = dict,
    bands: Bands | None = None,
) -> Published:
    """Publish a run's tables as the GeoPackage ``target``, whole or not at all, and then what stands beside it.

    Parameters
    ----------
    frames
        Every table of ``geo.tables.TABLES`` by name, with at least its columns; those with places also ``geometry``
        (WGS 84, may be missing in a row, or altogether in a table without rows). ``run`` has one row, of this
        ``run_id``; its ``as_of`` dates the file.
    target
        The file; its folder is made if need be. Read-only once it stands, like the project of the same name beside it.
    keep
        How many earlier files to keep as ``versions/NAME-RUN_ID.gpkg`` beside it.
    run_id
        The key of this answer. If ``target`` bears it already and is sound, nothing is written.
    wait_s
        How long to wait, in seconds, for another process that is publishing into the same folder.
    companions
        Makes files that belong to this run, while the map is written; what it raises is raised, and nothing is
        published. By name relative to the folder of ``target``; each is replaced whole, after it and before the
        project; ``None``: this run makes none, and one of an earlier run goes.
    bands
        Those of the raster of intensity among them; ``None``: there is none.

    Raises
    ------
    PublicationError
        If the tables are not as declared, or what was written is not what is read back; ``target`` is as it was.
    """
    rows = _rows.prepare(frames)
    _require_run(rows["run"], run_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    with swap.locked(target.parent, wait_s), ThreadPoolExecutor(max_workers=1) as aside:
        swap.sweep(target)
        look = _look(target, rows, bands)
        made = aside.submit(companions)
        try:
            with _told(target):
                new = None if _stands(target, rows, look, run_id) else _built(target, rows, look)
            others = made.result()
            with _told(target):
                digest, state = _kept(target) if new is None else _replace(target, *new)
                swap.finish(target, keep)
        finally:
            swap.sweep(target)
        _accompany(target, look, others)
        return Published(target, digest, replaced=new is not None, state=state)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Say what it means for the user where a file cannot be written."""
    try:
        yield
    except PublicationError:
        raise
    except (sqlite3.Error, RuntimeError, OSError) as fault:
        raise unwritten(target, fault) from fault


def _accompany(target: Path, look: Cartography, companions: Mapping[str, bytes | None]) -> None:
    """Put everything beside the map; the project, which opens it all, comes last."""
    made = {name: data for name, data in companions.items() if data is not None}
    try:
        beside.clear(target.parent, set(companions) - set(made))
        beside.put(target.parent, made)
        beside.put(target.parent, {target.with_suffix(PROJECT).name: look.packed()})
    except OSError as fault:
        raise unaccompanied(target, fault) from fault


def _look(target: Path, rows: Mapping[str, pa.Table], bands: Bands | None = None) -> Cartography:
    """Return how it looks; people can write commands from a map that lies beside the file for them."""
    from pipelines import cartography  # noqa: PLC0415 -- who only reads what was published draws nothing

    there = target.with_name(COMMANDS).is_file()
    return cartography.draw(rows, target.name, COMMANDS if there else None, bands)


def _require_run(run: pa.Table, run_id: str) -> None:
    """Raise unless the table is about this run, and the run about a moment."""
    if run.num_rows != 1 or run["run_id"][0].as_py() != run_id or not _RUN_ID.fullmatch(run_id):
        found = run["run_id"].to_pylist()
        message = f"table run must have one row, with run_id {run_id!r} of letters, digits, - and _; it has {found}."
        raise PublicationError(message)
    if run["as_of"][0].as_py() is None:
        message = "table run says nothing in as_of: an answer is about a moment."
        raise PublicationError(message)


def _instant(rows: Mapping[str, pa.Table]) -> str:
    """Return the run's ``as_of`` as GDAL takes it: it dates the file."""
    as_of = rows["run"]["as_of"][0].as_py()
    return f"{as_of:%Y-%m-%dT%H:%M:%S}.{as_of.microsecond // 1000:03d}Z"


def _stands(target: Path, rows: Mapping[str, pa.Table], look: Cartography, run_id: str) -> bool:
    """Tell whether ``target`` is this very publication, and sound."""
    if (run := read_run(target)) is None or run["run_id"] != run_id:
        return False
    try:
        prove(target, rows, look, _instant(rows))
    except PublicationError:
        return False
    return True


def _kept(target: Path) -> tuple[str, State]:
    swap.seal(target)
    state = swap.state(target)
    return swap.digest(target), state


def _replace(target: Path, new: Path, hashed: tuple[str, State]) -> tuple[str, State]:
    swap.seal(new)
    old = read_run(target)
    old_id = str(old["run_id"]) if old else ""
    swap.swap(new, target, old_id=old_id if _RUN_ID.fullmatch(old_id) else None)
    return hashed


def _built(target: Path, rows: Mapping[str, pa.Table], look: Cartography) -> tuple[Path, tuple[str, State]]:
    """Return a finished file that was read back and is what it shall be, and its SHA-256 with the state it had."""
    from pipelines.layers import write  # noqa: PLC0415 -- who only reads what was published waits for no writer

    new, instant = swap.beside(target), _instant(rows)

    def make(path: Path) -> tuple[str, State]:
        write.build(path, rows, look, instant)
        state = swap.state(path)
        with ThreadPoolExecutor(max_workers=2) as beside_it:  # all only read, and nobody writes any more
            digest, durable = beside_it.submit(swap.digest, path), beside_it.submit(swap.settle, path)
            prove(path, rows, look, instant)
            durable.result()
            return digest.result(), state

    return new, write.twice(new, make)


def check(path: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Raise ``PublicationError`` unless ``path`` is a sound GeoPackage that holds exactly these tables."""
    rows = _rows.prepare(frames)
    prove(path, rows, _look(path, rows), _instant(rows))


def read_run(path: Path) -> dict[str, Any] | None:
    """Return the ``run`` row of a publication, ``None`` if there is none that can be read.

    Times are aware UTC ``pandas.Timestamp``, truths ``bool``, missing values ``None``.
    """
    if not path.is_file():
        return None
    columns = ", ".join(f'"{name}"' for name in tables.RUN.names)
    try:
        with closing(connect(path)) as file:
            found = file.execute(f"SELECT {columns} FROM run").fetchall()  # noqa: S608 - names come from the declaration
    except sqlite3.Error:
        return None
    if len(found) != 1:
        return None
    return {column.name: _value(value, column.kind) for column, value in zip(tables.RUN.columns, found[0], strict=True)}


def of_one_run(file: Path, run: dict[str, Any], take: Callable[[dict[str, Any]], R]) -> R:
    """Return what is taken of a publication, all of one run, whose row ``take`` is given; ``run`` was read before.

    A run may put the next publication in its place between two looks at the file: then everything is taken anew.

    Raises
    ------
    PolicyError
        If that happens again and again.
    """
    for _ in range(_LOOKS):
        found, now = take(run), read_run(file)
        if now is None or now["run_id"] == run["run_id"]:
            return found
        run = now
    msg = f"{file}: it is replaced faster than it can be read; try again while no run goes on"
    raise PolicyError(msg)


def _value(value: Any, kind: tables.Kind) -> Any:  # noqa: ANN401 - SQLite gives what was stored
    if value is None:
        return None
    if kind == "time":
        return pd.Timestamp(value)
    return bool(value) if kind == "bool" else value


def read_column(path: Path, name: str, column: str) -> list[Any]:
    """Return a column of a table of a publication; nothing where there is none that can be read."""
    if not path.is_file():
        return []
    try:
        with closing(connect(path)) as file:
            return [row[0] for row in file.execute(f'SELECT "{column}" FROM "{name}"')]  # noqa: S608 - our own names
    except sqlite3.Error:
        return []


def read_table(path: Path, name: str) -> pd.DataFrame | gpd.GeoDataFrame:
    """Return one declared table of a publication, typed as declared; with ``geometry`` in WGS 84 where it has places.

    Raises
    ------
    PublicationError
        If the file has no such table, or it is not as declared.
    """
    from pipelines import gdal  # noqa: PLC0415 -- SQLite alone finds the few rows that an explanation asks for

    if (table := tables.BY_NAME.get(name)) is None:
        message = f"no table is called {name!r}; there are {', '.join(tables.BY_NAME)}."
        raise PublicationError(message)
    try:
        return _rows.frame(gdal.read(path, name), table)
    except (RuntimeError, KeyError) as fault:
        message = f"table {name} of {path} cannot be read: {fault}"
        raise PublicationError(message) from fault
