"""Where is one ceasefire watched, and which theatre and policy hold there?

A workspace is a folder::

    ledger.sqlite          everything that ever arrived
    raw/                   the files as they came, by SHA-256
    theatre/               the theatre and its policy: the user's to edit
    inbox/                 where files may be dropped, into the folder of their source
    feeds/                 how each feed does that is asked over the network; may be deleted
    reviews.gpkg           commands of people: theirs to fill, read before every run
    settled/               what a run need not assess again; may be deleted
    shared/                what may leave the cell, in the same order as published/
    published/             monitor.gpkg, monitor.qgz and another reviews.gpkg; the same in regions/ID/; earlier moments
                           in earlier/, the plan read otherwise in otherwise/, beside the map of the same scope

What stands in ``theatre/`` is in force once it has been checked whole and recorded in the ledger, as a new version
beside the earlier ones.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError
from geo.policy import AS_IT_SAYS, Policy, PolicyVersion
from pipelines import commands, settings, surfaces
from pipelines.ledger import Ledger
from pipelines.linework import entry as linework

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from geo.lines import CurrentLine
    from geo.policy import Readings
    from geo.theatre import Raster, Theatre
    from pipelines.ledger import Document

    Clock: TypeAlias = Callable[[], datetime]
    """Gives the present moment, aware UTC. It is read while the ledger is held, so that nothing arrives in the past."""

SCHEMA: Final = 1
POLICY_FILE: Final = "policy.toml"
LEDGER_FILE: Final = "ledger.sqlite"
GEOPACKAGE: Final = "monitor.gpkg"
PAST: Final = "past"
"""Folder of what was over before a map's window, beside it."""
INTERNAL: Final = "internal"
_COMPACT: Final = "%Y-%m-%dT%H%M%SZ"  # a moment as a name of a folder, on every file system
FOLDERS: Final = ("raw", "theatre", "inbox", "published")
WAIT_S: Final = 60.0
"""How long one waits for another writer of the same workspace, seconds."""


@dataclass(frozen=True, eq=False)
class Settings:
    """Theatre with lines, and policies, as they were known at a moment; the hashes are those of the entries."""

    theatre: Theatre
    policies: tuple[PolicyVersion, ...]
    theatre_hash: str
    policy_hashes: tuple[str, ...]
    line_hashes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workspace:
    """One folder where one theatre is watched."""

    path: Path
    name: str

    @classmethod
    def create(
        cls, path: Path, files: Mapping[str, bytes], name: str, *, replay: bool, at: datetime, home: Path | None = None
    ) -> Workspace:
        """Make a workspace at ``path``, whole or not at all.

        Parameters
        ----------
        path
            A folder that does not exist yet, or an empty one.
        files
            The theatre's files, by name.
        name
            Name of the theatre.
        replay
            Whether history will be imported with the knowledge time of its sources.
        at
            Present moment, aware UTC.
        home
            Folder that the files come from: its rasters are copied, if there are any.

        Raises
        ------
        PolicyError
            If the folder holds something already, or the theatre is not sound.
        """
        _require_vacant(path)
        theatre = settings.load_theatre(files, name)
        rasters = theatre.rasters
        surfaces.check(home or path, rasters)
        settings.load_policy(files, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            _furnish(draft, files, name, replay=replay, at=at)
            _copy(home or path, draft / "theatre", rasters)
            commands.create(draft / commands.FILE)
            for source in theatre.sources:
                (draft / "inbox" / source.id).mkdir()
            draft.chmod(0o755)
            draft.rename(path)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        return cls(path, name)

    @classmethod
    def open(cls, path: Path) -> Workspace:
        """Return the workspace at ``path``.

        Raises
        ------
        PolicyError
            If there is none, a part of it is missing, or a newer version of Ceasewatch made it.
        """
        _require_workspace(path)
        with Ledger.open(path / LEDGER_FILE) as ledger:
            documents = ledger.documents("workspace")
        if not documents:
            msg = f"{path}: the ledger does not name its theatre; make a new workspace with `ceasewatch init`"
            raise PolicyError(msg)
        try:
            about = json.loads(documents[-1].body)
        except ValueError as error:
            msg = f"{path}: what its ledger says of itself cannot be read ({error}); restore it from a backup"
            raise PolicyError(msg) from error
        if about["schema"] > SCHEMA:
            msg = f"{path}: made by a newer Ceasewatch (layout {about['schema']}, this one knows {SCHEMA}); update it"
            raise PolicyError(msg)
        return cls(path, about["theatre"])

    @property
    def raw(self) -> Path:
        """Folder of the raw files."""
        return self.path / "raw"

    @property
    def theatre(self) -> Path:
        """Folder of the theatre's files."""
        return self.path / "theatre"

    def ledger(self, *, write: bool = False, wait_s: float = WAIT_S) -> Ledger:
        """Open the ledger: a context manager; one writer at a time."""
        return Ledger.open(self.path / LEDGER_FILE, write=write, wait_s=wait_s)

    def target(self, region: str | None, profile: str = INTERNAL) -> Path:
        """Return where the publication of a scope stands: of the whole theatre, or of one region."""
        published = self.path / "published" if profile == INTERNAL else self.path / profile
        return published / GEOPACKAGE if region is None else published / "regions" / _file_name(region) / GEOPACKAGE

    def desks(self) -> list[Path]:
        """Return the files that people fill with commands: in the workspace, and beside each of its maps."""
        published = self.path / "published"
        beside = [published / commands.FILE, *sorted(published.glob(f"regions/*/{commands.FILE}"))]
        return [file for file in (self.path / commands.FILE, *beside) if file.is_file()]

    def aside(
        self,
        region: str | None,
        as_of: datetime,
        known_at: datetime | None,
        profile: str = INTERNAL,
        readings: Readings = AS_IT_SAYS,
    ) -> Path:
        """Return where an answer goes that must not take the place of the map: a folder of its own moment."""
        known = "" if known_at in {None, as_of} else f"-known-{known_at:{_COMPACT}}"
        kind, how = ("otherwise", f"-{readings.words}") if readings.words else ("earlier", "")
        name = f"{as_of:{_COMPACT}}{known}{how}".replace(", ", "-").replace(" ", "-")
        return self.target(region, profile).parent / kind / name / GEOPACKAGE

    def remember(self, clock: Clock, *, wait_s: float = WAIT_S) -> tuple[str, ...]:
        """Record the files in ``theatre/`` where they are not those of the newest versions; return the kinds recorded.

        Parameters
        ----------
        clock
            Gives the present moment: the new versions are in force from then on.
        wait_s
            Longest wait for another writer, seconds.

        Raises
        ------
        PolicyError
            If the files are not sound; nothing is recorded then.
        """
        with self.ledger() as ledger:
            changed = self.edited(ledger)
        if not changed:
            return ()
        with self.ledger(write=True, wait_s=wait_s) as ledger:
            at = clock()
            return tuple(kind for kind, body in changed.items() if ledger.put_document(kind, body, at) is not None)

    def edited(self, ledger: Ledger) -> dict[str, bytes]:
        """Return the files in ``theatre/`` that are not those of the newest versions, by kind, as ledger documents.

        Raises
        ------
        PolicyError
            If the files are not sound.
        """
        files = settings.read_folder(self.theatre)
        changed = {kind: body for kind, body in _bodies(files).items() if ledger.documents(kind)[-1].body != body}
        if changed:
            surfaces.check(self.theatre, settings.load_theatre(files, str(self.theatre)).rasters)
            settings.load_policy(files, str(self.theatre))
        return changed

    def settings(self, ledger: Ledger, known_at: datetime | None = None, up_to_no: int | None = None) -> Settings:
        """Return the theatre and policies as they were known, and with the theatre the lines that had come by then.

        Parameters
        ----------
        ledger
            The open ledger.
        known_at
            Only versions recorded by then; ``None``: all. Before the first version, the first.
        up_to_no
            Only versions with at most this ledger number.
        """
        theatre = _known(ledger.documents("theatre"), known_at, up_to_no)[-1]
        policies = _known(ledger.documents("policy"), known_at, up_to_no)
        loaded = [_policy(document.body, self.name) for document in policies]
        lines = linework.known(ledger.documents(linework.KIND), known_at, up_to_no)
        return Settings(
            _with_lines(_theatre(theatre.body, self.name), [line for _, line in lines]),
            tuple(
                PolicyVersion(policy=policy, in_force_from=document.recorded_at if number else None)
                for number, (policy, document) in enumerate(zip(loaded, policies, strict=True))
            ),
            theatre.sha256,
            tuple(document.sha256 for document in policies),
            tuple(sha256 for sha256, _ in lines),
        )

    def draft(self, ledger: Ledger) -> tuple[Settings, tuple[str, ...]]:
        """Return the settings as the files in ``theatre/`` have them now, and the kinds that are not recorded yet."""
        changed, now = self.edited(ledger), self.settings(ledger)
        if "theatre" in changed:
            now = replace(now, theatre=_with_lines(_theatre(changed["theatre"], self.name), now.theatre.lines))
        if "policy" in changed:
            now = replace(
                now,
                policies=(
                    *now.policies,
                    PolicyVersion(policy=_policy(changed["policy"], self.name), in_force_from=None),
                ),
            )
        return now, tuple(changed)


def name_of(path: Path) -> str:
    """Return what a workspace is called where several are kept: after its folder, and told from others of that name."""
    whole = path.resolve()
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", whole.name).strip("-") or "workspace"
    return f"{kept}-{hashlib.sha256(str(whole).encode(errors='surrogateescape')).hexdigest()[:6]}"


def require_replay(known: str, *, replay: bool) -> None:
    """Refuse a file whose rows are to be known at another time than that of their recording, outside a replay.

    Raises
    ------
    PolicyError
        If the workspace is no replay.
    """
    if known != "recorded" and not replay:
        msg = (
            f"--known-at {known} imports history, which only a replay workspace takes; "
            "make one with `ceasewatch init … --replay`, or leave the option out"
        )
        raise PolicyError(msg)


def _file_name(text: str) -> str:
    # A region's id comes from a user's file: it must name one folder, and no other id the same one.
    return re.sub(r'[\\/:*?"<>|%\x00-\x1f]|^\.', lambda found: f"%{ord(found.group()):02X}", text)


def _require_vacant(path: Path) -> None:
    if path.exists() and not path.is_dir():
        msg = f"{path} is a file; name a folder that does not exist yet"
        raise PolicyError(msg)
    if (path / LEDGER_FILE).exists():
        msg = f"{path} is a workspace already; use it, or name another folder"
        raise PolicyError(msg)
    if path.is_dir() and any(path.iterdir()):
        msg = f"{path} is not empty; name a folder that does not exist yet"
        raise PolicyError(msg)


def _require_workspace(path: Path) -> None:
    if not path.is_dir():
        msg = f"{path}: no such folder; make a workspace with `ceasewatch init {path} --theatre NAME`"
        raise PolicyError(msg)
    if not (path / LEDGER_FILE).is_file():
        rest = [name for name in FOLDERS if (path / name).is_dir()]
        lost = len(rest) == len(FOLDERS)
        msg = (
            f"{path}: its ledger ({LEDGER_FILE}) is missing; bring it back from a copy before anything else"
            if lost
            else f"{path} is not a workspace; make one with `ceasewatch init {path} --theatre NAME`"
        )
        raise PolicyError(msg)
    if not (path / "theatre").is_dir():
        msg = f"{path}: its folder theatre/ is missing; bring it back, the files are yours to edit but not to remove"
        raise PolicyError(msg)


def _furnish(path: Path, files: Mapping[str, bytes], name: str, *, replay: bool, at: datetime) -> None:
    for folder in FOLDERS:
        (path / folder).mkdir()
    for file_name, data in files.items():
        if settings.pointed(data):
            continue
        file = path / "theatre" / file_name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    about = _canonical({"schema": SCHEMA, "theatre": name})
    with Ledger.create(path / LEDGER_FILE, replay=replay, recorded_at=at) as ledger:
        for kind, body in {"workspace": about, **_bodies(files)}.items():
            ledger.put_document(kind, body, at)


def _copy(home: Path, folder: Path, rasters: tuple[Raster, ...]) -> None:
    for name in {raster.file for raster in rasters if not Path(raster.file).is_absolute()}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home / name, folder / name)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _bodies(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files as ledger documents, by kind."""
    try:
        texts = {name: data.decode() for name, data in files.items() if name != POLICY_FILE}
    except UnicodeDecodeError as error:
        wrong = next(name for name, data in files.items() if data is error.object)
        msg = f"{wrong}: not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise PolicyError(msg) from error
    return {"theatre": _canonical(texts), "policy": files[POLICY_FILE]}


def _known(documents: Sequence[Document], known_at: datetime | None, up_to_no: int | None) -> list[Document]:
    known = [
        document
        for document in documents
        if (known_at is None or document.recorded_at <= known_at)
        and (up_to_no is None or document.ledger_no <= up_to_no)
    ]
    return known or [documents[0]]


def _with_lines(theatre: Theatre, lines: Sequence[CurrentLine]) -> Theatre:
    ordered = sorted((*theatre.lines, *lines), key=lambda line: line.valid_from)
    return replace(theatre, lines=tuple(ordered)) if lines else theatre


@lru_cache(maxsize=8)
def _theatre(body: bytes, name: str) -> Theatre:
    return settings.load_theatre({file_name: text.encode() for file_name, text in json.loads(body).items()}, name)


@lru_cache(maxsize=32)
def _policy(body: bytes, name: str) -> Policy:
    return settings.load_policy({POLICY_FILE: body}, name)
