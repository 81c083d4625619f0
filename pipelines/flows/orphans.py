"""What did a process that was killed leave with Prefect?

A run without a server of the user's own starts an embedded one, a process of its own that nobody ends when the run is
killed; and the run itself stays *running* for ever. Both carry the mark of the process that began them (a run from its
first step on), so that a later run can tell whether it still lives. Nothing is judged but what was started on this
machine, in this container, since it was booted; where there is no ``/proc``, nothing at all.
"""

from __future__ import annotations

import logging
import os
import signal
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import httpx
from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Crashed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

OPEN: Final = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_log: Final = logging.getLogger(__name__)
_PROC: Final = Path("/proc")
_VARIABLE: Final = "CEASEWATCH_EMBEDDED_FOR"
_LABEL: Final = "ceasewatch.process"
_SERVER: Final = b"prefect.server.api.server:create_app"
_PAGE: Final = 200
"""How many runs a server is asked for at once."""
_GONE: Final = "its process ended without a word; found so by a later run on this machine"


def mark(process: int) -> str | None:
    """Return what tells a process from every other one; ``None`` where it cannot be told, or the process is gone.

    The boot of the machine, the namespace in which processes are numbered (a container has its own), the number, and
    the moment of the start, since numbers are given again.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").stat().st_ino
        fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, start = fields[0], fields[19]
    return None if state in "ZX" else f"{boot}:{namespace}:{process}:{start}"


def sign() -> None:
    """Let an embedded server that this process starts carry its mark."""
    if (own := mark(os.getpid())) is not None:
        os.environ[_VARIABLE] = own


def claim() -> None:
    """Let the flow run that is going on carry the mark of this process."""
    own, run = mark(os.getpid()), runtime.flow_run.id
    if own is not None and run is not None:
        with _sparing("this run does not carry the mark of its process"), get_client(sync_client=True) as client:
            client.update_flow_run_labels(UUID(run), {_LABEL: own})


@cache
def clear() -> None:
    """End and mark as crashed, once a process, whatever killed ones have left behind."""
    end_servers()
    with _sparing("nobody looked for runs that were killed"):
        crash_runs()


@contextmanager
def _sparing(otherwise: str) -> Iterator[None]:
    """Let no run fail because a server would not be tidied; if it does not answer, the run itself will say so."""
    try:
        yield
    except (httpx.HTTPError, ObjectNotFound) as fault:
        _log.info("%s (%s)", otherwise, type(fault).__name__)


def is_gone(marked: str) -> bool:
    """Tell whether the process of a mark surely lives no more; of other machines, boots, containers nothing is said."""
    own = mark(os.getpid())
    here, there = (own or "").split(":"), marked.split(":")
    if own is None or len(there) != len(here) or there[:2] != here[:2] or not there[2].isdecimal():
        return False
    found = mark(int(there[2]))
    return found != marked and not (found is None and _lives(int(there[2])))


def _lives(process: int) -> bool:
    """Tell whether there is a process that ``/proc`` may hide, being another user's."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return False  # it is our own, so that nothing hides it: it is ending


def end_servers() -> list[int]:
    """End the embedded servers whose process is gone; return their numbers."""
    ended = []
    for process, marked in _servers():
        if is_gone(marked):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
                ended.append(process)
    if ended:
        _log.warning("ended %d embedded servers that killed runs had left behind", len(ended))
    return ended


def _servers() -> Iterator[tuple[int, str]]:
    """Yield the embedded servers of this user with the mark that they carry."""
    wanted = f"{_VARIABLE}=".encode()
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it is somebody else's, or gone by now
            if _SERVER in (folder / "cmdline").read_bytes().split(b"\0"):
                carried = (folder / "environ").read_bytes().split(b"\0")
                marks = [one[len(wanted) :].decode(errors="replace") for one in carried if one.startswith(wanted)]
                yield from ((int(folder.name), one) for one in marks)


def crash_runs() -> list[FlowRun]:
    """Mark as crashed the runs that the server believes to be going on and whose process is gone; return them."""
    with get_client(sync_client=True) as client:
        marked = [(run, run.labels.get(_LABEL)) for run in _going_on(client)]
        gone = [run for run, own in marked if isinstance(own, str) and is_gone(own)]
        found = [run for run in gone if client.read_flow_run(run.id).state_type in OPEN]  # or it has ended meanwhile
        for run in found:
            client.set_flow_run_state(run.id, Crashed(message=_GONE), force=True)
    if found:
        _log.warning("marked %d runs as crashed: %s", len(found), _GONE)
    return found


def _going_on(client: SyncPrefectClient) -> Iterator[FlowRun]:
    going = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN)))
    offset = 0
    while page := client.read_flow_runs(flow_run_filter=going, limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)
