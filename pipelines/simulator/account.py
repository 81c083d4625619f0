"""What do the scenes, played where and when they were, truly amount to?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.crs import distance_m
from pipelines.simulator.coverage import verdict, without
from pipelines.simulator.rows import coordinate, instant
from pipelines.simulator.sites import points
from pipelines.simulator.truth import TrueIncident, TrueScene, TrueViolation, climb, counted, highest, scenarios

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from geo.policy import Policy
    from geo.theatre import Theatre
    from pipelines.simulator.coverage import Watch
    from pipelines.simulator.script import Deed
    from pipelines.simulator.sites import Site


@dataclass(frozen=True)
class Account:
    """The certain part of a simulation."""

    scenes: tuple[TrueScene, ...]
    violations: tuple[TrueViolation, ...]
    incidents: tuple[TrueIncident, ...]


class Clerk:
    """Writes the account, one scene after the other."""

    def __init__(self, theatre: Theatre, policy: Policy, as_of: datetime, watches: Sequence[Watch]) -> None:
        self.theatre = theatre
        self.policy = policy
        self.as_of = as_of
        self.watches = watches
        self.scenes: list[TrueScene] = []
        self.violations: list[TrueViolation] = []
        self.incidents: list[TrueIncident] = []

    def note(self, site: Site, begin: datetime) -> None:
        """Add one scene."""
        found = self._violations(site, begin)
        self.violations += found
        before: TrueIncident | None = None
        opened = []
        for group in sorted({violation.group for violation in found}):
            members = [violation for violation in found if violation.group == group]
            if len(members) >= self.policy.ladder.open_n:
                before = self._incident(members, before)
                self.incidents.append(before)
                opened.append(before.id)
        self.scenes.append(
            TrueScene(
                site.scene.name,
                site.scene.title,
                round(site.chainage_m, 1),
                begin,
                tuple(opened),
                tuple(dict.fromkeys((row.witness.source, row.ref) for row in site.scene.statements)),
            )
        )

    def account(self) -> Account:
        """Return what was noted."""
        return Account(tuple(self.scenes), tuple(self.violations), tuple(self.incidents))

    def _violations(self, site: Site, begin: datetime) -> list[TrueViolation]:
        if not site.scene.deeds:
            return []
        baseline = self.theatre.baselines[0]
        rows = np.cumsum([0, *(len(deed.statements) for deed in site.scene.deeds)])[:-1]
        where = np.vectorize(coordinate)(points(site.scene, site.chainage_m, baseline)[rows])
        located = baseline.locate(where[:, 0], where[:, 1])
        first = len(self.violations) + 1
        return [
            self._violation(f"T-{first + turn:03d}", site, deed, begin, numbers)
            for turn, (deed, numbers) in enumerate(
                zip(site.scene.deeds, np.column_stack([where, located.chainage_m, located.distance_m]), strict=True)
            )
        ]

    def _violation(
        self, name: str, site: Site, deed: Deed, begin: datetime, numbers: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> TrueViolation:
        key = deed.key
        lon, lat, chainage_m, depth_m = (float(number) for number in numbers)
        weapon = None if key.weapon is None else self.policy.weapons.get(key.weapon)
        return TrueViolation(
            id=name,
            scene=site.scene.name,
            group=deed.group,
            observed_from=instant(begin, key.hour_from),
            observed_to=instant(begin, key.hour_to if key.hour_to is not None else key.hour_from),
            lon=lon,
            lat=lat,
            chainage_m=chainage_m,
            distance_m=depth_m,
            weapon_class=weapon,
            parties=tuple(sorted({row.claims for row in deed.carriers if row.claims})),
            origins=tuple(sorted({row.witness.voice for row in deed.carriers})),
            reports=tuple((row.witness.source, row.ref) for row in deed.statements),
            heat_consistent=any(self._is_heat(row.act) for row in site.scene.extras),
            who=tuple(row.witness for row in deed.carriers),
        )

    def _is_heat(self, act: str) -> bool:
        return act in self.policy.acts and self.policy.acts[act].family == "heat"

    def _incident(self, members: list[TrueViolation], before: TrueIncident | None) -> TrueIncident:
        first = min(member.observed_from for member in members)
        last = max(member.observed_to for member in members)
        gap_end = last + self.policy.link_gap
        end = gap_end if self.as_of > gap_end else None
        steps = {
            name: climb([m for m in members if counted(m, party, unknown=unknown)], self.policy, self.as_of, end)
            for name, (party, unknown) in scenarios([party.id for party in self.theatre.parties]).items()
        }
        near = self._near(members)
        return TrueIncident(
            id=f"I-{len(self.incidents) + 1:02d}",
            scene=members[0].scene,
            violations=tuple(member.id for member in members),
            state="ended" if end else self._going(last),
            end=verdict((last, gap_end), near) if end else None,
            t0_from=first,
            t0_to=min(member.observed_to for member in members),
            last_observed=last,
            tier_eligible=0 if end else highest(steps["any"], "eligible"),
            tier_effective=0 if end else highest(steps["any"], "effective"),
            tier_peak=highest(steps["any"], "eligible"),
            recurrence_of=before.id if before else None,
            gap_covered=self._covered(before.last_observed, first, near) if before else None,
            steps={name: found for name, found in steps.items() if found},
        )

    def _going(self, last: datetime) -> str:
        quiet_s = self.policy.ladder.quiet_h * 3600
        return "quiet" if (self.as_of - last).total_seconds() > quiet_s else "active"

    def _near(self, members: Sequence[TrueViolation]) -> list[Watch]:
        lon, lat = (np.array([getattr(member, name) for member in members]) for name in ("lon", "lat"))
        link_m = self.policy.grouping.link_m
        return [w for w in self.watches if distance_m(lon, lat, w.lon, w.lat).min() - w.radius_m <= link_m]

    @staticmethod
    def _covered(begin: datetime, end: datetime, near: Sequence[Watch]) -> bool:
        return not without((begin, end), [(watch.begin, watch.end) for watch in near if watch.sees])
