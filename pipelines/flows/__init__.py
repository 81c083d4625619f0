"""What does Prefect run?

Importing this package sets what Ceasewatch needs of Prefect, where the user has not: no telemetry, room for a slow
machine to start the embedded server, and silence about that server's own shutdown.
"""

import os
from typing import Final

_DEFAULTS: Final = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}

for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
