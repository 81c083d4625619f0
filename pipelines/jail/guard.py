"""Who asks for a file to be read behind the walls?

Light to import, so that the warden can load its readers while this process is still loading its own.
"""

from __future__ import annotations

import atexit
import dataclasses
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.jail.child import Job
from pipelines.jail.kernel import NO_FILES, WALLS, available
from pipelines.jail.warden import MESSAGE, READY

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipelines.jail.limits import Limits

SWITCH: Final = "CEASEWATCH_JAIL"
"""Environment variable; ``off``: files are read in this process."""
ROOT: Final = Path(__file__).parents[2]
_START: Final = (
    "import sys; sys.path[:0] = sys.argv.pop(1).split('\\n'); "
    "from pipelines.jail.warden import main; main(sys.argv[1:])"
)
_START_S: Final = 120
_GRACE_S: Final = 10
_PIECE: Final = 2**20
_ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # others set aside more address space than the child has
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # which that library starts even where it is not used
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a child ended; ``code`` is its exit code, or minus the signal that killed it; ``peak`` in bytes."""

    answer: bytearray
    overflown: bool
    timed_out: bool
    code: int
    cpu_s: float
    peak: int


class Guard:
    """Holds one warden, starts it when it is needed, and again after it died; one file at a time."""

    def __init__(
        self, module: str, walls: Collection[str] = (*WALLS, NO_FILES), roots: Sequence[Path] = (ROOT,)
    ) -> None:
        self._module = module
        self._walls = walls
        self._roots = roots
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0
        self._ready = False
        atexit.register(self.close)

    def start(self) -> None:
        """Start the warden if there is none; does not wait until it is ready."""
        if self._owner != os.getpid():
            self._process = self._control = None  # a copy of this process must not speak with its original's warden
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            walls = ",".join(wall for wall in self._walls if wall in (*available(), NO_FILES))
            words = ["\n".join(map(str, self._roots)), str(theirs.fileno()), self._module, walls]
            self._process = subprocess.Popen(  # noqa: S603 -- our own interpreter, our own words
                [sys.executable, "-I", "-c", _START, *words],
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
                process_group=0,  # an interrupt at the keyboard is for this process, which then closes its own
            )
        self._control, self._owner, self._ready = ours, os.getpid(), False

    def close(self) -> None:
        """End the warden; doing it again does nothing."""
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def ask(self, argument: object, data: bytes, most: Limits) -> Ended:
        """Return how a child ended that was given ``argument``, which is ours, and ``data``, which is a stranger's.

        Raises
        ------
        OSError
            If the warden cannot be started, or does not answer.
        """
        with self._lock:
            try:
                return self._ask(argument, data, most)
            except ConnectionError:  # it died since the last file
                self.close()
                return self._ask(argument, data, most)
            except BaseException:
                self.close()
                raise

    def _ask(self, argument: object, data: bytes, most: Limits) -> Ended:
        self.start()
        control = self._spoken_to()
        answer, said = os.pipe()
        with os.fdopen(answer, "rb", buffering=0) as stream:
            with os.fdopen(said, "wb", buffering=0) as end, os.fdopen(os.memfd_create("job"), "w+b") as job:
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIECE)
                job.write(Job(argument, most).pack())
                job.write(data)
                job.seek(0)
                message = json.dumps({"wall_s": most.wall_s}).encode()
                socket.send_fds(control, [message], [job.fileno(), end.fileno()])
            received, overflown = _receive(stream.fileno(), most)
        control.settimeout(most.wall_s + _GRACE_S)
        told: dict[str, Any] = json.loads(control.recv(MESSAGE) or b"{}")
        if not told:
            raise BrokenPipeError
        return Ended(received, overflown, **told)

    def _spoken_to(self) -> socket.socket:
        if self._control is None:
            raise BrokenPipeError
        if not self._ready:
            self._control.settimeout(_START_S)
            if self._control.recv(MESSAGE) != READY:
                raise BrokenPipeError
            self._ready = True
        return self._control


READERS: Final = Guard("pipelines.jail.reports")
LINE_READERS: Final = Guard("pipelines.jail.lines")


def prepare() -> None:
    """Start what reading will need, and do not wait for it."""
    if os.environ.get(SWITCH) != "off" and available():
        READERS.start()


def _receive(stream: int, most: Limits) -> tuple[bytearray, bool]:
    """Return what came until the end, and whether that was more than allowed."""
    received, until = bytearray(), time.monotonic() + most.wall_s + _GRACE_S
    waiting = select.poll()
    waiting.register(stream, select.POLLIN)
    while waiting.poll(max(0.0, until - time.monotonic()) * 1000):
        piece = os.read(stream, _PIECE)
        received += piece
        if not piece or len(received) > most.answer:
            return received, bool(piece)
    raise TimeoutError
