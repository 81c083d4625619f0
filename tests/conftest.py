"""What do several files of tests share?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand, and only where it is needed

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from publishable import declare_few

import pipelines.flows  # noqa: F401 -- sets Prefect's defaults before Prefect is imported
from geo import tables

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


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Declare few tables for one test."""
    monkeypatch.setattr(tables, "TABLES", tables.TABLES)
    monkeypatch.setattr(tables, "BY_NAME", tables.BY_NAME)
    declare_few()
