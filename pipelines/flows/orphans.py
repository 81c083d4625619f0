"""What did a process that was killed leave with Prefect?

A run without a server of the user's own starts an embedded one, a process of its own that nobody ends when the run is
killed; and the run itself stays *running* for ever. Both carry the mark of the process that began them, so that a later
run can tell whether it still lives. Nothing is judged but what this machine started since it was booted; where there is
no ``/proc``, nothing at all.
"""

from __future__ import annotations

import logging
import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prefect.client.schemas.objects import FlowRun

OPEN: Final = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_log: Final = logging.getLogger(__name__)
_PROC: Final = Path("/proc")
_VARIABLE: Final = "CEASEWATCH_EMBEDDED_FOR"
_LABEL: Final = "ceasewatch.process"
_SERVER: Final = b"prefect.server.api.server:create_app"
_GONE: Final = "its process ended without a word; found so by a later run on this machine"


def mark(process: int) -> str | None:
    """Return what tells a process from every other one of this machine; ``None`` where it cannot be told, or is gone.

    The boot of the machine, the number of the process, and the moment of its start: numbers are given again.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, start = fields[0], fields[19]
    return None if state in "ZX" else f"{boot}:{process}:{start}"


def sign() -> None:
    """Let an embedded server that this process starts carry its mark."""
    if (own := mark(os.getpid())) is not None:
        os.environ[_VARIABLE] = own


def claim() -> None:
    """Let the flow run that is going on carry the mark of this process."""
    own, run = mark(os.getpid()), runtime.flow_run.id
    if own is not None and run is not None:
        with get_client(sync_client=True) as client:
            client.update_flow_run_labels(UUID(run), {_LABEL: own})


def is_gone(marked: str) -> bool:
    """Tell whether the process of a mark surely lives no more; one of another machine or boot is never judged."""
    here, (boot, process, _) = mark(os.getpid()), marked.split(":")
    return here is not None and here.startswith(f"{boot}:") and mark(int(process)) != marked


@cache
def clear() -> None:
    """End and mark as crashed, once a process, whatever killed ones have left behind."""
    end_servers()
    crash_runs()


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
                yield from (
                    (int(folder.name), one[len(wanted) :].decode()) for one in carried if one.startswith(wanted)
                )


def crash_runs() -> list[FlowRun]:
    """Mark as crashed the runs that the server believes to be going on and whose process is gone; return them."""
    going = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN)))
    with get_client(sync_client=True) as client:
        marked = [(run, run.labels.get(_LABEL)) for run in client.read_flow_runs(flow_run_filter=going)]
        found = [run for run, own in marked if isinstance(own, str) and is_gone(own)]
        for run in found:
            client.set_flow_run_state(run.id, Crashed(message=_GONE), force=True)
    if found:
        _log.warning("marked %d runs as crashed: %s", len(found), _GONE)
    return found
