"""Who makes a child for each file, and ends it when its time is over?

A process of its own, started once, that never looks at a stranger's byte: it has one thread (its
libraries are told to start none) and a clean environment, so that a copy of it is safe to make and holds no secret. It
answers each job with how the child ended.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from pipelines.jail import child

if TYPE_CHECKING:
    from collections.abc import Sequence

MESSAGE: Final = 4096
READY: Final = b"ready"


def main(arguments: Sequence[str]) -> None:
    """Serve; ``arguments`` are the number of the control socket, the task's module and the walls."""
    number, module, walls = arguments
    control = socket.socket(fileno=int(number))
    task = cast("child.Task", importlib.import_module(module))
    control.send(READY)
    warmed = False
    with suppress(ConnectionError):
        while True:
            message, files, _, _ = socket.recv_fds(control, MESSAGE, 2)
            if not message:
                return
            if not warmed:
                task.warm(child.argument_of(files[0]))
                warmed = True
            control.send(_do(control, task, json.loads(message)["wall_s"], files, walls.split(",")))


def _do(control: socket.socket, task: child.Task, wall_s: float, files: Sequence[int], walls: Sequence[str]) -> bytes:
    pid = os.fork()
    if not pid:
        control.close()
        child.run(task, files[0], files[1], walls)
    for file in files:
        os.close(file)
    timed_out = not _ends(pid, wall_s)
    if timed_out:
        os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    told = {
        "timed_out": timed_out,
        "code": os.waitstatus_to_exitcode(status),
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * 1024,
    }
    return json.dumps(told).encode()


def _ends(pid: int, within_s: float) -> bool:
    handle = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        return bool(waiting.poll(within_s * 1000))
    finally:
        os.close(handle)


if __name__ == "__main__":
    main(sys.argv[1:])
