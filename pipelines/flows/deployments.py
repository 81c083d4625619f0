"""Which flows run by themselves or on request, when, and with which parameters?

One list. ``ceasewatch serve`` runs it in one process, and ``prefect.yaml`` repeats it for those with a work pool; it is
written by ``python -m pipelines.flows.deployments``.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Interval
from prefect.types.entrypoint import EntrypointType

from pipelines.flows.backtest import nightly
from pipelines.flows.backups import backups
from pipelines.flows.ingestion import ingestion
from pipelines.flows.region import region
from pipelines.workspace import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prefect import Flow
    from prefect.schedules import Schedule

ANCHOR: Final = datetime(2026, 1, 1, tzinfo=UTC)  # any midnight: runs then fall on round times
YAML: Final = "prefect.yaml"
_HEAD: Final = (
    "# Written by `python -m pipelines.flows.deployments` from the one list of deployments; do not edit it here.\n"
)
_HOME, _WORKSPACE, _BACKUPS = (f"{{{{ $CEASEWATCH_{name} }}}}" for name in ("HOME", "WORKSPACE", "BACKUPS"))


@dataclass(frozen=True)
class Times:
    """When it runs: ingestion ``every`` so long; each night at an hour of UTC the backtest, over the last ``days``.

    ``backups`` is the folder into which a copy goes each night, of which ``keep`` are kept; ``None``: none is made.
    """

    every: timedelta = timedelta(minutes=15)
    hour: int = 3
    minute: int = 10
    days: int = 7
    backups: str | None = None
    keep: int = 7


@dataclass(frozen=True, eq=False)
class Planned:
    """One deployment: a flow with its parameters, a schedule or none, and what people are told of it."""

    flow: Flow[..., Any]
    description: str
    parameters: dict[str, Any]
    schedule: dict[str, Any] | None

    @property
    def when(self) -> str:
        """When it runs, in words."""
        if self.schedule is None:
            return "on request"
        return (
            f"cron {self.schedule['cron']} UTC" if "cron" in self.schedule else f"every {self.schedule['interval']:g} s"
        )


def deployments(workspace: str, times: Times) -> tuple[Planned, ...]:
    """Return every deployment of a workspace; the schedules hold what ``prefect.yaml`` holds."""
    every_s = times.every.total_seconds()
    at_night = {"cron": f"{times.minute} {times.hour} * * *", "timezone": "UTC"}
    copies = {"workspace": workspace, "folder": times.backups, "keep": times.keep}
    copying = Planned(backups, "Copies the workspace, verified; the oldest copy goes.", copies, dict(at_night))
    return (
        Planned(
            ingestion,
            "Takes in inbox and feeds, and publishes the map.",
            {"workspace": workspace, "every_s": every_s},
            {"interval": every_s, "anchor_date": ANCHOR.isoformat(), "timezone": "UTC"},
        ),
        Planned(
            nightly,
            "Steps through the last days: what would have been said when, with what was known then.",
            {"workspace": workspace, "days": times.days},
            at_night,
        ),
        *([] if times.backups is None else [copying]),
        Planned(region, "One region, at a moment of your choice.", {"workspace": workspace}, None),
    )


def served(workspace: Path, times: Times, regions: Sequence[str]) -> list[RunnerDeployment]:
    """Return the deployments as a process serves them; the region's form offers ``regions`` to choose from."""
    place = str(workspace.resolve())
    choices = {"workspace": [place], "region": list(regions)}
    return [_served(planned, name_of(workspace), choices) for planned in deployments(place, times)]


def _served(planned: Planned, name: str, choices: dict[str, list[str]]) -> RunnerDeployment:
    made = RunnerDeployment.from_flow(
        planned.flow,
        name=name,
        description=planned.description,
        parameters=planned.parameters,
        schedules=[_schedule(planned.schedule)] if planned.schedule else None,
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    form = made._parameter_openapi_schema.properties  # noqa: SLF001 -- what the form is made from has no other door
    for parameter in choices.keys() & form.keys():
        form[parameter]["enum"] = choices[parameter]
    for parameter, words in told(planned.flow).items():
        form[parameter]["description"] = words
    return made


def told(flow: Flow[..., Any]) -> dict[str, str]:
    """Return what a flow's docstring says of each parameter; Prefect itself reads those of another style only."""
    _, _, listed = (inspect.getdoc(flow.fn) or "").partition("Parameters\n----------\n")
    found = re.findall(r"^(\w+)\n((?:    .+\n?)+)", listed, re.MULTILINE)
    return {name: " ".join(words.replace("``", "").split()) for name, words in found}


def _schedule(said: dict[str, Any]) -> Schedule:
    if "cron" in said:
        return Cron(said["cron"], timezone=said["timezone"])
    anchor = datetime.fromisoformat(said["anchor_date"])
    return Interval(timedelta(seconds=said["interval"]), anchor_date=anchor, timezone=said["timezone"])


def as_yaml() -> str:
    """Return the whole of ``prefect.yaml``: the same list with the workspace and the program's place left open."""
    entries = [
        {
            "name": "ceasewatch",
            "description": one.description,
            "entrypoint": f"{one.flow.fn.__module__.replace('.', '/')}.py:{one.flow.fn.__name__}",
            "parameters": one.parameters,
            "schedules": [one.schedule] if one.schedule else [],
            "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
            "work_pool": {"name": "local"},
        }
        for one in deployments(_WORKSPACE, Times(backups=_BACKUPS))
    ]
    pull = [{"prefect.deployments.steps.set_working_directory": {"directory": _HOME}}]
    whole = {"name": "ceasewatch", "pull": pull, "deployments": entries}
    return _HEAD + str(yaml.safe_dump(whole, sort_keys=False, width=120))


if __name__ == "__main__":
    Path(YAML).write_text(as_yaml(), encoding="utf-8")
