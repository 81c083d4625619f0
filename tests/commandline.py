"""How does a test use the command line?"""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from pipelines.cli import main


def ceasewatch(*words: object) -> Result:
    """Run the command line and return what came of it."""
    return CliRunner().invoke(main, [str(word) for word in words])


def told(result: Result) -> dict[str, Any]:
    """Return the one JSON object on stdout."""
    value = json.loads(result.stdout)
    assert isinstance(value, dict)
    return value
