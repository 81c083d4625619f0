"""What happens in a scene, told relative to its own place and time?

A scene knows hours since its begin, metres along the baseline and metres off it. Where and when it is played is
decided later, so that every scene fits every theatre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from geo.policy import Policy
    from pipelines.simulator.cast import Cast, Witness

MINUTE_H: Final = 1 / 60
_KEY_H: Final = 2 * MINUTE_H  # the sharpest report of a violation: two minutes,
_WIDEN_H: Final = (3 * MINUTE_H, 15 * MINUTE_H)  # the others begin and end this much wider
_NEAR_ACTS: Final = ("shelling", "strike", "fire")  # names that make a good story, where the policy has them
_FAR_ACTS: Final = ("drone", "airstrike", "missile")
_BROAD_ACTS: Final = ("missile", "airstrike")
_NEAR_WEAPONS: Final = ("artillery", "mortar")
_FAR_WEAPONS: Final = ("drone_long_range", "cruise_missile", "aircraft")


@dataclass(frozen=True)
class Statement:
    """One row of a source, in hours and metres of its scene.

    ``hour_to`` ``None``: a date without an hour. ``stray``: azimuth in degrees and metres by which the source misses
    the place.
    """

    ref: str
    witness: Witness
    hour_from: float
    hour_to: float | None
    along_m: float
    offset_m: float
    radius_m: float
    act: str
    weapon: str | None
    claims: str | None
    delay_h: float
    text: str
    count: int
    stray: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Deed:
    """One true violation. The first statement is the sharpest in time and place; ``group`` numbers its breach."""

    statements: tuple[Statement, ...]
    group: int

    @property
    def key(self) -> Statement:
        """The statement whose time and place are the violation's."""
        return self.statements[0]

    @property
    def carriers(self) -> tuple[Statement, ...]:
        """Statements that count: the public never does."""
        return tuple(statement for statement in self.statements if statement.witness.trust != "public")


@dataclass(frozen=True)
class Scene:
    """A named story. ``extras`` are rows that make no violation of their own truth, or take one back.

    ``watched``: somebody declares coverage of its place from beginning to end, except in ``outage`` (hours from, to).
    ``to_the_end``: it is still going on when the simulation stops. ``reach_m``: how far its rows matter.
    """

    name: str
    title: str
    deeds: tuple[Deed, ...]
    extras: tuple[Statement, ...]
    watched: bool
    outage: tuple[float, float] | None
    to_the_end: bool
    reach_m: float
    hours: float

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Every row of the scene, deeds first."""
        return tuple(statement for deed in self.deeds for statement in deed.statements) + self.extras


@dataclass(frozen=True)
class Stage:
    """What every scene is made from: the policy's numbers, who reports, what is fired, by whom.

    ``far`` is an act and a weapon that reach far, ``broad`` an act and a weapon that are a broader attack by
    themselves (``None``: the policy has no such weapon).
    """

    policy: Policy
    cast: Cast
    parties: tuple[str, str]
    rng: np.random.Generator
    act: str
    weapon: str | None
    far: tuple[str, str | None]
    broad: tuple[str, str] | None
    heat_act: str | None

    @property
    def link_m(self) -> float:
        """Longest link, metres."""
        return self.policy.grouping.link_m

    @property
    def apart_h(self) -> float:
        """Hours between two violations at one place that no reader can take for one."""
        return self.policy.corroboration.agree_min * MINUTE_H + 1.0


def set_stage(policy: Policy, cast: Cast, parties: tuple[str, str], rng: np.random.Generator) -> Stage:
    """Choose acts and weapons from the policy.

    Raises
    ------
    PolicyError
        When the policy has no act that is prohibited everywhere.
    """
    acts = [name for name, act in policy.acts.items() if act.prohibited == "everywhere" and act.family != "any"]
    if not acts:
        msg = "policy: no act is prohibited everywhere, so nothing certain can be simulated; give one of [acts] that"
        raise PolicyError(msg)
    broad = [name for name, kind in policy.weapons.items() if kind in policy.expansion.weapons]
    plain = [name for name in policy.weapons if name not in broad]
    heat = [name for name, act in policy.acts.items() if act.family == "heat" and act.prohibited == "never"]
    return Stage(
        policy=policy,
        cast=cast,
        parties=parties,
        rng=rng,
        act=_first(_NEAR_ACTS, acts),
        weapon=_first(_NEAR_WEAPONS, plain) if plain else None,
        far=(_first(_FAR_ACTS, acts), _first(_FAR_WEAPONS, plain) if plain else None),
        broad=(_first(_BROAD_ACTS, acts), broad[0]) if broad else None,
        heat_act=next(iter(heat), None),
    )


def _first(preferred: Sequence[str], there: Sequence[str]) -> str:
    """Return the first preferred name that the policy has, else its own first."""
    return next((name for name in preferred if name in there), there[0])


class Script:
    """A scene while it is being written."""

    def __init__(self, stage: Stage, name: str, title: str) -> None:
        self.stage = stage
        self.name = name
        self.title = title
        self.deeds: list[Deed] = []
        self.extras: list[Statement] = []
        self._rows = 0

    def say(
        self,
        witness: Witness,
        hours: tuple[float, float | None],
        place: tuple[float, float, float],
        *,
        delay_h: float | None = None,
        act: str | None = None,
        weapon: str | None = None,
        claims: str | None = None,
    ) -> Statement:
        """Write one statement; ``place`` is (along_m, offset_m, radius_m)."""
        self._rows += 1
        rng = self.stage.rng
        return Statement(
            ref=f"{self.name}-{self._rows:03d}",
            witness=witness,
            hour_from=hours[0],
            hour_to=hours[1],
            along_m=place[0],
            offset_m=place[1],
            radius_m=place[2],
            act=act or self.stage.act,
            weapon=weapon,
            claims=claims,
            delay_h=float(rng.lognormal(0.5, 0.5)) if delay_h is None else delay_h,
            text=f"simulated: {self.title}, {self.name}-{self._rows:03d}",  # words of its own: no copy
            count=int(rng.integers(1, 12)),
        )

    def deed(  # noqa: PLR0913 -- all but the first two are named, and each scene names the one it is about
        self,
        hour: float,
        who: Sequence[Witness],
        *,
        along_m: float = 0.0,
        offset_m: float | None = None,
        claims: Sequence[str | None] = (None,),
        means: tuple[str, str | None] | None = None,
        delays_h: Sequence[float | None] = (None,),
        group: int = 0,
    ) -> Deed:
        """Let one violation happen, seen by everybody in ``who``, the first the sharpest.

        ``claims`` and ``delays_h`` are gone through in turn, one for each witness; ``means`` is (act, weapon).
        """
        stage = self.stage
        offset_m = float(stage.rng.uniform(200, 800)) if offset_m is None else offset_m
        act, weapon = means or (stage.act, stage.weapon)
        sharp = min(100.0, stage.policy.corroboration.coarse_m / 10)
        statements = []
        for turn, witness in enumerate(who):
            before, after, stray = self._blur(sharp) if turn else (0.0, 0.0, (0.0, 0.0))
            said = self.say(
                witness,
                (hour - before, hour + _KEY_H + after),
                (along_m, offset_m, 3 * sharp if turn else sharp),
                act=act,
                weapon=weapon,
                claims=claims[turn % len(claims)],
                delay_h=delays_h[turn % len(delays_h)],
            )
            statements.append(replace(said, stray=stray))
        made = Deed(tuple(statements), group)
        self.deeds.append(made)
        return made

    def scene(
        self,
        *,
        watched: bool = False,
        outage: tuple[float, float] | None = None,
        to_the_end: bool = False,
        reach_m: float = 0.0,
    ) -> Scene:
        """Close the script."""
        rows = [statement for deed in self.deeds for statement in deed.statements] + self.extras
        hours = max(row.hour_from if row.hour_to is None else row.hour_to for row in rows)
        return Scene(
            self.name, self.title, tuple(self.deeds), tuple(self.extras), watched, outage, to_the_end, reach_m, hours
        )

    def _blur(self, sharp: float) -> tuple[float, float, tuple[float, float]]:
        """Wider than the key report on both ends, and off its centre by no more than its radius."""
        rng = self.stage.rng
        before, after = rng.uniform(*_WIDEN_H, size=2)
        return float(before), float(after), (float(rng.uniform(0, 360)), float(rng.uniform(0, sharp)))
