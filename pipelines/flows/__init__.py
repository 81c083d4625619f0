"""What does Prefect run?

Importing this package sets what Ceasewatch needs of Prefect, where the user has not: no telemetry, room for a slow
machine to start the embedded server, silence about that server's own shutdown, and the lines of each stage in the log
of a run.
"""

import logging
import os
from typing import Final

_DEFAULTS: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "pipelines",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)

_ours = logging.getLogger("pipelines")
if _ours.level == logging.NOTSET:
    _ours.setLevel(logging.INFO)


def hide_tracebacks() -> None:
    """Let Prefect tell on the screen that a step failed, without where in the program; its own records keep that."""
    for handler in logging.getLogger().handlers:
        if handler.formatter is not None:
            handler.setFormatter(_Bare(handler.formatter))


class _Bare(logging.Formatter):
    """Writes a record as another formatter does, but for the traceback."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        bare = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        return self._inner.format(bare)
