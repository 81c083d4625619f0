"""What do several files of tests share that is dear to make?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand, and only where it is needed

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import pipelines.flows  # noqa: F401 -- sets Prefect's defaults before Prefect is imported

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("patient", deadline=None)  # a busy machine is no fault of what is tried
settings.load_profile("patient")


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """Give the flow tests one server for all of them."""
    from prefect.settings import (
        PREFECT_LOGGING_TO_API_ENABLED,
        PREFECT_SERVER_ANALYTICS_ENABLED,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    quiet = {PREFECT_SERVER_ANALYTICS_ENABLED: False, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(quiet), prefect_test_harness(server_startup_timeout=180):
        yield
