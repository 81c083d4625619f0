"""Which reports need no run look at again, and what does a run still have to know of them?

A run of the whole theatre writes down what is settled (``geo.settled``) once the files of the past hold it. Later runs
believe that only as long as nothing that it depends on has changed. The file may be deleted at any time: a run without
it assesses everything.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geo import nearness, past
from geo.incidents import Former
from geo.policy import in_force
from geo.said import ROWS, Before
from geo.settled import named
from pipelines import frames
from pipelines.layers import beside, read_run
from pipelines.ledger import Some
from pipelines.ledger.outline import NEVER
from pipelines.workspace import PAST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.assess import Assessment
    from geo.past import Gone
    from pipelines.ledger import Ledger
    from pipelines.publications import Publication, Question
    from pipelines.workspace import Settings, Workspace

FOLDER: Final = "settled"
FILE: Final = "internal.npz"
WINDOW: Final = "window.npz"
_FORM: Final = 5
_DIGEST: Final = hashlib.sha256().digest_size
_ARRAYS: Final = ("numbers", "beats", "older", "name", "code", "lon", "lat", "ended", "last")
_ROWS: Final = "rows of "
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Kept:
    """What an earlier run wrote down.

    ``rules`` is all that the answer depends on beside the ledger; ``since`` where the past ends, ``until`` up to when
    things are settled and ``as_of`` the moment that it was so for, all ISO 8601; ``ledger_no`` and ``head`` how far the
    ledger had come, ``decided`` how many commands it held. ``numbers`` are the entries up to there that must still be
    looked at, ``older`` the items among them that began before ``until``: from these what is settled may recur, and
    their heat may be seen with it. ``beats`` are the entries of coverage, ``before`` is what is to be known of all
    others. ``rest`` is the digest of what was over without being settled, ``files`` the run of each file of the past,
    by its name, ``sides`` the layer of that name.
    """

    rules: str
    since: str
    until: str
    as_of: str
    ledger_no: int
    decided: int
    head: str
    rest: str
    files: Mapping[str, str]
    numbers: np.ndarray[Any, np.dtype[np.int64]]
    beats: np.ndarray[Any, np.dtype[np.int64]]
    older: np.ndarray[Any, np.dtype[np.int64]]
    sides: pd.DataFrame
    before: Before

    @property
    def some(self) -> Some:
        """The entries that a run must look at."""
        return Some(self.numbers, self.ledger_no)

    @property
    def sights(self) -> Some:
        """Entries among which all are that declare who could see, or could not."""
        return Some(self.beats, self.ledger_no)

    def packed(self) -> bytes:
        """Return it as the bytes of a file."""
        about = {name: getattr(self, name) for name in _ABOUT} | {"form": _FORM, "files": dict(self.files)}
        said = np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)
        former, rows, points = self.before
        arrays = {} if former is None else former._asdict()
        if former is not None:
            code, names = pd.factorize(former.name)
            arrays |= {"name": names.astype("U"), "code": code}
        held = {_SIDES: self.sides, **rows} | ({} if points is None else {_POINTS: points.reset_index()})
        kept = {_ROWS + name: frames.packed(frame) for name, frame in held.items()}
        file = io.BytesIO()
        arrays |= {"numbers": self.numbers, "beats": self.beats, "older": self.older}
        np.savez(file, allow_pickle=False, about=said, **arrays, **kept)
        return hashlib.sha256(file.getvalue()).digest() + file.getvalue()

    @classmethod
    def read(cls, path: Path) -> Kept | None:
        """Return what a file holds; ``None`` where there is none, or it is not whole."""
        try:
            data = memoryview(path.read_bytes())
        except OSError:
            return None
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return None
        with np.load(io.BytesIO(data[_DIGEST:]), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            if about.pop("form") != _FORM:
                return None
            numbers, beats, older, name, code, *rest = (file[one] for one in _ARRAYS)
            kept = [one.removeprefix(_ROWS) for one in file.files if one.startswith(_ROWS)]
            rows = {one: frames.unpacked(file[_ROWS + one]) for one in kept}
        sides, points = rows.pop(_SIDES), rows.pop(_POINTS).set_index("report_id") if _POINTS in rows else None
        before = Before(Former(name.astype(object)[code], *rest), rows, points)
        return cls(**about, numbers=numbers, beats=beats, older=older, sides=sides, before=before)


_ABOUT: Final = ("rules", "since", "until", "as_of", "ledger_no", "decided", "head", "rest")
_POINTS, _SIDES = "points", "sides"


def place(workspace: Workspace, name: str = FILE) -> Path:
    """Return where it is kept."""
    return workspace.path / FOLDER / name


def rules(settings: Settings, as_of: datetime, version: str) -> str:
    """Return a digest of all that an answer depends on beside the ledger's rows and the moment asked about."""
    policy = in_force(settings.policies, as_of)
    number = [version.policy is policy for version in settings.policies].index(True)
    parts = [version, settings.theatre_hash, settings.policy_hashes, settings.line_hashes, number]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def window_from(settings: Settings, question: Question) -> datetime | None:
    """Return where the past ends for a question; ``None`` where the policy in force has no window."""
    return in_force(settings.policies, question.as_of).publication.window_from(question.as_of)


def applies(ledger: Ledger, question: Question) -> bool:
    """Tell whether a question is one of those for which anything is kept: about all that is known."""
    return question.known_at is None and not ledger.replay


def fitting(
    workspace: Workspace,
    ledger: Ledger,
    question: Question,
    settings: Settings,
    *,
    version: str,
    commands: pd.DataFrame,
    earlier: Publication | None,
) -> Kept | None:
    """Return what need not be assessed again for a question, if that is certain; else the log says why."""
    since = window_from(settings, question)
    if since is None or not applies(ledger, question):
        return None
    for file, what in ((WINDOW, "what the map holds"), (FILE, "everything")):
        kept = Kept.read(place(workspace, file))
        if kept is None:
            why: str | None = "nothing is kept of an earlier run"
        else:
            mine = kept.rules == rules(settings, question.as_of, version)
            whys = (
                None if mine else "theatre, policy, line or version changed",
                _misfit(kept, ledger, question, since),
                _aged(kept, workspace, ledger, version, earlier),
                _touched(kept, ledger, commands, earlier),
                _unfiled(kept, workspace),
            )
            why = next((one for one in whys if one is not None), None)
        if why is None:
            return kept
        _log.info("assessing %s anew: %s", what, why)
    return None


def _misfit(kept: Kept, ledger: Ledger, question: Question, since: datetime) -> str | None:
    """Return why something was kept for another question, or for another ledger."""
    if kept.since != since.isoformat():
        return "another day has begun"
    if question.as_of < datetime.fromisoformat(kept.as_of):
        return "it is asked about an earlier moment"
    return "the ledger is another one" if ledger.missing([kept.head]) else None


def _aged(kept: Kept, workspace: Workspace, ledger: Ledger, version: str, earlier: Publication | None) -> str | None:
    """Return why the publication to compare with was made when other things were settled, or by other rules."""
    if earlier is None:
        return None
    then = workspace.settings(ledger, earlier.known_at, earlier.ledger_no)
    since = datetime.fromisoformat(kept.as_of if kept.before.rows else kept.since)
    if earlier.as_of >= since and kept.rules == rules(then, earlier.as_of, version):
        return None
    return "the last publication is too old, or of other rules"


def _touched(kept: Kept, ledger: Ledger, commands: pd.DataFrame, earlier: Publication | None) -> str | None:
    """Return what may bear on what is settled, of all that came in since, or since the publication to compare with."""
    until = datetime.fromisoformat(kept.until)
    came = ledger.outline(kept.ledger_no if earlier is None else min(kept.ledger_no, earlier.ledger_no))
    begun = came["observed_from"]
    if ((begun != NEVER) & (begun < nearness.instant(until))).any():
        return f"something came in about the time before {until:%Y-%m-%d %H:%M}"
    if came["subject_no"].isin(kept.older).any():
        return f"news came in of an item of the time before {until:%Y-%m-%d %H:%M}"
    if kept.before.rows and len(commands) != kept.decided:  # it may recur from what a person decided about
        return "a person decided something"
    if not kept.some.holds(came["subject_no"]).all():
        return "news came in of an item that was settled"
    named = pd.Series([number for each in commands["subjects"] for number in each.values()], dtype="int64")
    return None if kept.some.holds(named).all() else "a person decided about an item that was settled"


def _unfiled(kept: Kept, workspace: Workspace) -> str | None:
    """Return what is wrong with the files of the past."""
    folder = workspace.target(None).parent
    return None if filed(folder) == dict(kept.files) else f"the files in {PAST}/ are not those that were written"


def filed(folder: Path) -> dict[str, str]:
    """Return the run of each file of the past beside a map, by its name: what is called otherwise is none of ours."""
    runs = {path: read_run(path) for path in sorted((folder / PAST).glob("*.gpkg"))}
    return {path.name: run["run_id"] for path, run in runs.items() if run and path.stem == str(run["past_year"])}


def is_off(kept: Kept | None, answer: Assessment) -> bool:
    """Tell whether what is over without being settled is no more what stands in the files of the past."""
    if kept is None:
        return False
    gone = past.gone(answer, datetime.fromisoformat(kept.since))
    off = rest(gone, answer) != kept.rest
    if off:
        _log.info("assessing everything anew: what is known now changed what was over")
    return off


def rest(gone: Gone, answer: Assessment, settled: NDArray[np.bool_] | None = None) -> str:
    """Return the digest of what is over, without the reports that are settled and what is made of them."""
    past, mine = (set(years.index) for years in gone), ((),) * 3 if settled is None else named(answer, settled)
    some = answer.only(*(names.difference(known) for names, known in zip(past, mine, strict=True)))
    return frames.digest((name, some.tables[name]) for name in ROWS)


def write(workspace: Workspace, kept: Kept) -> None:
    """Put it in its place, whole or not at all; a disk that is full costs the next run its time and nothing else."""
    target = place(workspace, WINDOW if kept.before.rows else FILE)
    try:
        target.parent.mkdir(exist_ok=True)
        beside.put(target.parent, {target.name: kept.packed()})
    except OSError as fault:
        _log.warning("%s cannot be written (%s): the next run assesses everything anew", target, fault.strerror)
