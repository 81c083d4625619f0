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
import shapely

from geo import nearness, past
from geo.incidents import Former
from geo.policy import in_force
from pipelines.layers import beside, read_run
from pipelines.ledger import Some
from pipelines.ledger.outline import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from geo.assess import Assessment
    from geo.past import Parted
    from pipelines.ledger import Ledger
    from pipelines.publications import Publication, Question
    from pipelines.workspace import Settings, Workspace

FOLDER: Final = "settled"
FILE: Final = "internal.npz"
PAST: Final = "past"
_FORM: Final = 2
_DIGEST: Final = hashlib.sha256().digest_size
_ARRAYS: Final = ("numbers", "name", "lon", "lat", "ended", "last")
_SAID: Final = (
    "incident_points", "incidents", "incident_days", "violations", "reports", "transitions", "evidence", "scenarios",
    "lineage",
)  # fmt: skip
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Kept:
    """What an earlier run wrote down.

    ``rules`` is all that the answer depends on beside the ledger; ``since`` where the past ends and ``as_of`` the
    moment that it was settled for, both ISO 8601; ``ledger_no`` and ``head`` how far the ledger had come. ``numbers``
    are the entries up to there that must still be looked at, ``former`` the ended incidents that need not. ``rest`` is
    the digest of what was over without being settled, ``files`` the run of each file of the past, by its name.
    """

    rules: str
    since: str
    as_of: str
    ledger_no: int
    head: str
    rest: str
    files: Mapping[str, str]
    numbers: np.ndarray[Any, np.dtype[np.int64]]
    former: Former

    @property
    def some(self) -> Some:
        """The entries that a run must look at."""
        return Some(self.numbers, self.ledger_no)

    def packed(self) -> bytes:
        """Return it as the bytes of a file."""
        about = {name: getattr(self, name) for name in _ABOUT} | {"form": _FORM, "files": dict(self.files)}
        said = np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)
        former = self.former._replace(name=self.former.name.astype("U"))
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, about=said, numbers=self.numbers, **former._asdict())
        return hashlib.sha256(file.getvalue()).digest() + file.getvalue()

    @classmethod
    def read(cls, path: Path) -> Kept | None:
        """Return what a file holds; ``None`` where there is none, or it is not whole."""
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return None
        with np.load(io.BytesIO(data[_DIGEST:]), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            if about.pop("form") != _FORM:
                return None
            numbers, name, *rest = (file[one] for one in _ARRAYS)
        return cls(**about, numbers=numbers, former=Former(name.astype(object), *rest))


_ABOUT: Final = ("rules", "since", "as_of", "ledger_no", "head", "rest")


def place(workspace: Workspace) -> Path:
    """Return where it is kept."""
    return workspace.path / FOLDER / FILE


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
    kept = Kept.read(place(workspace))
    if kept is None:
        why: str | None = "nothing is kept of an earlier run"
    else:
        mine = kept.rules == rules(settings, question.as_of, version)
        whys = (
            None if mine else "theatre, policy, line or version changed",
            _misfit(kept, ledger, question, since),
            _aged(kept, workspace, ledger, since, version, earlier),
            _touched(kept, ledger, since, commands, earlier),
            _unfiled(kept, workspace),
        )
        why = next((one for one in whys if one is not None), None)
    if why is not None:
        _log.info("assessing everything anew: %s", why)
        return None
    return kept


def _misfit(kept: Kept, ledger: Ledger, question: Question, since: datetime) -> str | None:
    """Return why something was kept for another question, or for another ledger."""
    if kept.since != since.isoformat():
        return "another day has begun"
    if question.as_of < datetime.fromisoformat(kept.as_of):
        return "it is asked about an earlier moment"
    return "the ledger is another one" if ledger.missing([kept.head]) else None


def _aged(
    kept: Kept, workspace: Workspace, ledger: Ledger, since: datetime, version: str, earlier: Publication | None
) -> str | None:
    """Return why the publication to compare with was made when other things were settled, or by other rules."""
    if earlier is None:
        return None
    then = workspace.settings(ledger, earlier.known_at, earlier.ledger_no)
    if earlier.as_of >= since and kept.rules == rules(then, earlier.as_of, version):
        return None
    return "the last publication is too old, or of other rules"


def _touched(
    kept: Kept, ledger: Ledger, since: datetime, commands: pd.DataFrame, earlier: Publication | None
) -> str | None:
    """Return what may bear on what is settled, of all that came in since, or since the publication to compare with."""
    came = ledger.outline(kept.ledger_no if earlier is None else min(kept.ledger_no, earlier.ledger_no))
    begun = came["observed_from"]
    if ((begun != NEVER) & (begun < nearness.instant(since))).any():
        return f"something came in about the time before {since:%Y-%m-%d}"
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
    parted = past.part(answer, datetime.fromisoformat(kept.since))
    off = rest(parted, answer, frozenset()) != kept.rest
    if off:
        _log.info("assessing everything anew: what is known now changed what was over")
    return off


def rest(parted: Parted, answer: Assessment, settled: frozenset[str]) -> str:
    """Return the digest of what is over, without the reports that are settled and what is made of them."""
    reports = answer.tables["reports"]
    mine = reports[reports["report_id"].isin(settled)]
    gone = parted.gone
    some = answer.only(
        set(gone.incidents.index) - set(mine["incident_id"].dropna()),
        set(gone.violations.index) - set(mine["violation_id"].dropna()),
        set(gone.reports.index) - set(mine["report_id"]),
    )
    return digest((name, some.tables[name]) for name in _SAID)


def digest(frames: Iterable[tuple[str, pd.DataFrame]]) -> str:
    """Return the SHA-256 (hex) over what frames hold, value by value, in order."""
    whole = hashlib.sha256()
    for name, frame in frames:
        whole.update(f"{name} {len(frame)} {list(frame.columns)}".encode())
        for hashed in _hashed(frame):
            whole.update(hashed)
    return whole.hexdigest()


def _hashed(frame: pd.DataFrame) -> Iterator[bytes]:
    for name in frame.columns:
        column = frame[name]
        plain = pd.Series(shapely.to_wkb(column.to_numpy(object)), dtype="object") if name == "geometry" else column
        yield np.ascontiguousarray(pd.util.hash_pandas_object(plain, index=False).to_numpy()).tobytes()


def write(workspace: Workspace, kept: Kept) -> None:
    """Put it in its place, whole or not at all; a disk that is full costs the next run its time and nothing else."""
    target = place(workspace)
    try:
        target.parent.mkdir(exist_ok=True)
        beside.put(target.parent, {target.name: kept.packed()})
    except OSError as fault:
        _log.warning("%s cannot be written (%s): the next run assesses everything anew", target, fault.strerror)
