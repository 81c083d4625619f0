"""How does one process keep a workspace's schedules?

It needs a server: the embedded one has no scheduler, and would let every schedule pass in silence. Runs come one after
the other, in order of the times for which they were scheduled, so that those that were missed catch up first.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.runner import Runner
from prefect.states import Crashed

from geo.errors import PolicyError
from pipelines.feeds.turn import RUNNING, SERVING, turn
from pipelines.flows import deployments
from pipelines.flows.monitor import server
from pipelines.flows.orphans import OPEN
from pipelines.ledger import LedgerBusy
from pipelines.workspace import WAIT_S, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun

    from pipelines.flows.deployments import Times
    from pipelines.workspace import Workspace

_log: Final = logging.getLogger(__name__)
_GONE: Final = "its process ended without a word; found so when the workspace was served again"
LAST_WORD_S: Final = 5.0
"""What a run that was waited for gets to tell the server how it ended, seconds."""
ASK_AGAIN_S: Final = 10.0
"""From one look whether a server that was lost answers again to the next, seconds."""
_SILENCE: Final = ("Service exceeded error threshold", "Failed to reach API", "Runner failed to start: client")
"""How Prefect says that it has asked a server in vain, again and again."""


def require_server() -> str:
    """Return the address of the user's server.

    Raises
    ------
    PolicyError
        If none is named, or the one that is does not answer.
    """
    address = server()
    if address is None:
        msg = (
            "schedules need a Prefect server, as the embedded one has no scheduler; start one with "
            "`prefect server start`, and name it: export PREFECT_API_URL=http://127.0.0.1:4200/api"
        )
        raise PolicyError(msg)
    with get_client(sync_client=True) as client:
        fault = client.api_healthcheck()
    if fault is not None:
        msg = (
            f"no Prefect server answers at {address}; start it with `prefect server start`, or correct PREFECT_API_URL"
        )
        raise PolicyError(msg)
    return address


@contextmanager
def alone(place: Workspace) -> Iterator[list[FlowRun]]:
    """Be the one that serves a workspace, and give those runs that a killed process left behind, now crashed.

    Raises
    ------
    LedgerBusy
        If another process serves it, or a run of an earlier one goes on for longer than ``WAIT_S``.
    """
    with turn(place, SERVING, wait_s=0):
        try:
            with turn(place, RUNNING, wait_s=0):  # who has it knows that no run of this workspace is going on
                left = crash_orphans(place.path)
        except LedgerBusy:
            with turn(place, RUNNING, wait_s=WAIT_S):
                time.sleep(LAST_WORD_S)
                left = crash_orphans(place.path)
        yield left


def crash_orphans(workspace: Path) -> list[FlowRun]:
    """Mark as crashed each run of the workspace's deployments that the server believes to be going on; return them."""
    going = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN)))
    found = []
    with get_client(sync_client=True) as client:
        while runs := client.read_flow_runs(deployment_filter=_named(workspace), flow_run_filter=going):
            for run in runs:
                client.set_flow_run_state(run.id, Crashed(message=_GONE), force=True)
            found += runs
    return found


def _named(workspace: Path) -> DeploymentFilter:
    """Return what finds the deployments of a workspace."""
    return DeploymentFilter(name=DeploymentFilterName(any_=[name_of(workspace)]))


def regions_of(place: Workspace) -> list[str]:
    """Return the ids of the regions of the theatre in force, sorted."""
    with place.ledger() as ledger:
        return sorted(place.settings(ledger).theatre.regions["region_id"])


def serve(place: Workspace, times: Times) -> None:
    """Register the deployments and run what is due, until told to end; the schedules stay with the server.

    A server that goes away is waited for, however long; what was due meanwhile catches up.
    """
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_keep(place, times))


async def _keep(place: Workspace, times: Times) -> None:
    _end_by_cancelling()
    while True:
        try:
            return await _attend(place, times)
        except Exception as fault:
            if not _is_silence(fault):
                raise
        _log.warning("the Prefect server at %s does not answer; until it does, nothing runs", server())
        await _answer()
        _log.warning("the Prefect server answers again: the schedules go on, and what was missed catches up")
        with suppress(LedgerBusy, httpx.HTTPError), turn(place, RUNNING, wait_s=0):
            crash_orphans(place.path)  # what could not tell how it ended; who hinders that now is found by the next run


async def _answer() -> None:
    """Wait until the server answers."""
    async with get_client() as client:
        while await client.api_healthcheck() is not None:  # noqa: ASYNC110 -- nobody tells us of it
            await asyncio.sleep(ASK_AGAIN_S)


async def _attend(place: Workspace, times: Times) -> None:
    runner = Runner(pause_on_shutdown=False, limit=1)
    served = [await runner.aadd_deployment(one) for one in deployments.served(place.path, times, regions_of(place))]
    await _withdraw(place.path, served)
    kept = asyncio.ensure_future(runner.start())
    await asyncio.sleep(0)  # by now it has its own answer to SIGTERM, which ends in a traceback
    _end_by_cancelling()
    await kept


async def _withdraw(workspace: Path, served: list[UUID]) -> None:
    """Remove the workspace's deployments that are not served any more: their runs would be late for ever."""
    async with get_client() as client:
        for found in await client.read_deployments(deployment_filter=_named(workspace)):
            if found.id not in served:
                await client.delete_deployment(found.id)
                _log.info("the deployment of %r that is not asked for any more is removed", found.entrypoint)


def _end_by_cancelling() -> None:
    """Let SIGTERM cancel the task that calls this, and what it waits for."""
    own, loop = asyncio.current_task(), asyncio.get_running_loop()
    if own is not None:
        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(own.cancel))


def _is_silence(fault: BaseException) -> bool:
    """Tell whether a fault is that the server did not answer, and nothing else."""
    if isinstance(fault, BaseExceptionGroup):
        return all(_is_silence(each) for each in fault.exceptions)
    if isinstance(fault, httpx.HTTPStatusError):
        return fault.response.is_server_error
    return isinstance(fault, httpx.TransportError) or str(fault).startswith(_SILENCE)
