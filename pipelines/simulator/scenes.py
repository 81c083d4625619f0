"""Which stories does a simulation tell?

One function a story. Their times are multiples of the policy's own delays, so that a 30-hour shelling under a ladder
of 24 hours becomes a 15-hour one under a ladder of 12.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from math import ceil
from typing import TYPE_CHECKING, Final

from pipelines.simulator.cast import Witness
from pipelines.simulator.script import MINUTE_H, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.simulator.script import Scene, Stage

_LATE_H: Final = 72.0
_DEEP_M: Final = 120_000.0
_COPIES: Final = 10
_HALF: Final = 0.5
_MARGIN: Final = 1.25  # how far growth goes beyond the least that counts as growth
_GROWTH_SHARE: Final = 0.35  # of the time between the two delays, until a growing breach has its full extent
_ALL_RATIOS: Final = 3


def scenes(stage: Stage) -> tuple[Scene, ...]:
    """Tell every story that the theatre's sources can tell, in a fixed order."""
    told = (story(stage) for story in _STORIES)
    return tuple(scene for scene in told if scene is not None)


def single_shot(stage: Stage) -> Scene:
    """Play one shot that one sure witness saw, and quiet; a satellite saw the heat."""
    script = Script(stage, "single-shot", "one shot, then quiet")
    deed = script.deed(0.0, stage.cast.lead)
    if stage.cast.satellite and stage.heat_act:
        eye = Witness(stage.cast.satellite, None, stage.cast.satellite, "satellite", None)
        place = (deed.key.along_m, deed.key.offset_m, 375.0)
        pixel = script.say(eye, (0.5 * MINUTE_H, 0.5 * MINUTE_H), place, act=stage.heat_act)
        script.extras.append(replace(pixel, stray=(45.0, 150.0)))
    return script.scene(watched=True)


def shelling(stage: Stage) -> Scene:
    """Play thirty hours of shelling; rumours repeat some of it."""
    script = Script(stage, "shelling", "shelling for 30 hours")
    crowd = cycle(stage.cast.crowd)
    for turn, hour in enumerate(_regular(stage, 0.0, 1.25 * stage.policy.ladder.persist_h)):
        rumour = [next(crowd)] if stage.cast.crowd and turn % 3 == 0 else []
        script.deed(hour, [*_team(stage, turn), *rumour], along_m=_spread(stage))
    return script.scene(watched=True)


def growth(stage: Stage) -> Scene:
    """Play a breach that grows for 80 hours and goes on when the co-ordinated response is due."""
    script = Script(stage, "growth", "a breach that grows for 80 hours")
    _grow(script, stage.policy.ladder.broad_h * 80 / 72)
    return script.scene()


def stalled_growth(stage: Stage) -> Scene:
    """Play the same, dying before the co-ordinated response is due; an outage hides a part of the quiet after it."""
    ladder = stage.policy.ladder
    script = Script(stage, "stalled-growth", "growth that dies at hour 60")
    dies = min(ladder.broad_h * 60 / 72, ladder.broad_h - ladder.quiet_h - 1.0)
    _grow(script, dies)
    gap = stage.policy.grouping.link_gap_h
    return script.scene(watched=True, outage=(dies + gap / 4, dies + gap / 2))


def short_lull(stage: Stage) -> Scene:
    """Play two exchanges with a pause just short enough to be one breach."""
    script = Script(stage, "short-lull", "a pause just below the gap")
    _two_exchanges(script, stage.policy.grouping.link_gap_h - _HALF, groups=(0, 0))
    return script.scene()


def long_lull(stage: Stage) -> Scene:
    """Play two exchanges with a pause just too long: two breaches, the second a recurrence."""
    script = Script(stage, "long-lull", "a pause just above the gap")
    _two_exchanges(script, stage.policy.grouping.link_gap_h + _HALF, groups=(0, 1))
    return script.scene(watched=True)


def reposts(stage: Stage) -> Scene | None:
    """Play ten copies of one post: one origin, no breach."""
    if not stage.cast.echo:
        return None
    script = Script(stage, "reposts", "ten copies of one post")
    carriers = cycle(stage.cast.echo)
    for copy in range(_COPIES):
        place = (float(stage.rng.uniform(-50, 50)), 500.0, 300.0)
        script.extras.append(script.say(next(carriers), (0.0, 4 * MINUTE_H), place, delay_h=0.5 + copy))
    return script.scene()


def rumours(stage: Stage) -> Scene | None:
    """Let the crowd speak of a breach that nobody else saw."""
    if not stage.cast.crowd:
        return None
    script = Script(stage, "rumours", "rumours that nobody else confirms")
    for turn, witness in zip(range(2 * _COPIES), cycle(stage.cast.crowd), strict=False):
        place = (float(stage.rng.uniform(-200, 200)), 400.0, 300.0)
        hour = turn * stage.policy.ladder.persist_h / _COPIES
        script.extras.append(script.say(witness, (hour, hour + 10 * MINUTE_H), place, weapon=stage.weapon))
    return script.scene()


def late(stage: Stage) -> Scene:
    """Play two shots whose sure witness reports days later."""
    script = Script(stage, "late", "reports that arrive days later")
    for hour in (0.0, stage.policy.ladder.quiet_h / 2):
        script.deed(hour, stage.cast.pair, delays_h=(_LATE_H, 1.0))
    return script.scene()


def coarse(stage: Stage) -> Scene:
    """Play a shot, and reports that know the district and the day only."""
    script = Script(stage, "coarse", "reports that know the district and the day only")
    script.deed(0.0, stage.cast.lead)
    radius = 1.5 * stage.policy.corroboration.coarse_m
    witness = stage.cast.weak or stage.cast.voices[-1]
    for hour in (0.0, 0.0, stage.policy.grouping.link_gap_h):
        script.extras.append(script.say(witness, (hour, None), (0.2 * radius, 500.0, radius)))
    return script.scene(watched=True, reach_m=1.2 * radius)


def retracted(stage: Stage) -> Scene:
    """Play a shot whose witnesses take it back."""
    script = Script(stage, "retracted", "a report that is taken back")
    shot = script.deed(0.0, stage.cast.lead, delays_h=(1.0,))
    script.deeds.clear()
    script.extras.extend(shot.statements)
    script.extras.extend(replace(statement, act="retraction", delay_h=30.0) for statement in shot.statements)
    return script.scene()


def corrected(stage: Stage) -> Scene | None:
    """Play a shot first told at the wrong hour and place."""
    team = stage.cast.lead
    if team[0].source not in stage.cast.authoritative:
        return None
    script = Script(stage, "corrected", "a report that is corrected")
    key = script.deed(3.0, team, delays_h=(20.0, 2.0)).key
    script.extras.append(replace(key, hour_from=0.0, hour_to=2 * MINUTE_H, along_m=0.4 * stage.link_m, delay_h=1.0))
    return script.scene()


def two_parties(stage: Stage) -> Scene:
    """Let both parties fire; one shot in four is claimed for each by somebody."""
    script = Script(stage, "two-parties", "both parties fire")
    left, right = stage.parties
    for turn, hour in enumerate(_regular(stage, 0.0, 1.1 * stage.policy.ladder.persist_h)):
        claims = ((left,), (right,), (left, right), (None,))[turn % 4]
        script.deed(hour, stage.cast.pair, claims=claims, along_m=_spread(stage))
    return script.scene()


def deep_strike(stage: Stage) -> Scene:
    """Play one strike far behind the line."""
    script = Script(stage, "deep-strike", "a strike 120 km behind the line")
    left, right = stage.parties
    side = 1 if stage.rng.random() < _HALF else -1
    claim = right if side > 0 else left
    script.deed(0.0, stage.cast.pair, offset_m=side * _DEEP_M, means=stage.far, claims=(claim,))
    return script.scene()


def grave_weapon(stage: Stage) -> Scene | None:
    """Play one shot of a weapon that is a broader attack by itself."""
    if stage.broad is None:
        return None
    script = Script(stage, "grave-weapon", "one shot of a weapon that only a high command releases")
    script.deed(0.0, stage.cast.pair, offset_m=-4000.0, means=stage.broad)
    return script.scene()


def still_going(stage: Stage) -> Scene:
    """Play a breach that is going on when the simulation stops."""
    script = Script(stage, "still-going", "a breach that is still going on")
    for turn, hour in enumerate(_regular(stage, 0.0, 1.5 * stage.policy.ladder.persist_h)):
        script.deed(hour, _team(stage, turn), along_m=_spread(stage))
    return script.scene(watched=True, to_the_end=True)


_STORIES: Final[tuple[Callable[[Stage], Scene | None], ...]] = (
    growth,
    stalled_growth,
    shelling,
    still_going,
    single_shot,
    short_lull,
    long_lull,
    deep_strike,
    grave_weapon,
    two_parties,
    reposts,
    rumours,
    late,
    coarse,
    retracted,
    corrected,
)


def _team(stage: Stage, turn: int) -> Sequence[Witness]:
    """Let two see the first shot of a breach; one more than needed now and then a later one."""
    if turn == 0:
        return stage.cast.pair
    others = [witness for witness in stage.cast.voices if witness not in stage.cast.lead]
    return [*stage.cast.lead, others[turn % len(others)]] if others and turn % 2 else stage.cast.lead


def _spread(stage: Stage) -> float:
    return float(stage.rng.uniform(-0.15, 0.15) * stage.link_m)


def _regular(stage: Stage, begin: float, end: float) -> list[float]:
    """Hours from ``begin`` to ``end``, both included, about twenty, never so close that two can be taken for one."""
    steps = max(1, min(20, int((end - begin) / stage.apart_h)))
    return [begin + (end - begin) * step / steps for step in range(steps + 1)]


def _two_exchanges(script: Script, pause_h: float, groups: tuple[int, int]) -> None:
    """Play three hours of fire, a pause between the last report's end and the next one's begin, three hours again."""
    stage = script.stage
    hour = 0.0
    for group in groups:
        for begin in _regular(stage, hour, hour + max(3.0, stage.policy.ladder.open_n * stage.apart_h)):
            last = script.deed(begin, stage.cast.pair, group=group, along_m=_spread(stage)).key
        hour = (last.hour_to or last.hour_from) + pause_h


def _grow(script: Script, dies_h: float) -> None:
    """Play a day of fire at few places, then more and more of it, farther and farther apart."""
    stage = script.stage
    ladder, expansion = stage.policy.ladder, stage.policy.expansion
    base_n = ladder.open_n + 3
    begins_h = ladder.persist_h + 1.0
    rate = _MARGIN * max(expansion.rate_growth.times * base_n, expansion.rate_growth.floor)
    lanes = max(2, ceil(stage.apart_h * rate / 24))
    apart_m = min(0.8 * stage.link_m, max(0.25 * stage.link_m, stage.policy.corroboration.agree_m + 1500.0))
    base_m = (lanes - 1) * apart_m
    full_m = _MARGIN * max(expansion.extent_growth.times * base_m, expansion.extent_growth.floor)
    grows_h = _GROWTH_SHARE * (ladder.broad_h - ladder.persist_h)
    pace_h = min(24 / rate, 0.6 * stage.link_m * grows_h / (lanes * full_m / 2))
    hours = [0.8 * ladder.persist_h * turn / base_n for turn in range(base_n)]
    hours += [begins_h + step * pace_h for step in range(int((dies_h - begins_h) / pace_h))] + [dies_h]
    for turn, hour in enumerate(hours):
        progress = min(1.0, max(0.0, (hour - begins_h) / grows_h))
        extent_m = base_m + progress * (full_m - base_m)
        along_m = (turn % lanes / (lanes - 1) - 0.5) * extent_m
        script.deed(hour, _team(stage, turn), along_m=along_m, offset_m=_depth(stage, progress))


def _depth(stage: Stage, progress: float) -> float:
    """Deeper only where the policy asks for all three ratios."""
    shallow = 500.0
    expansion = stage.policy.expansion
    if expansion.k < _ALL_RATIOS:
        return shallow
    deep = _MARGIN * max(expansion.depth_growth.times * shallow, expansion.depth_growth.floor)
    return shallow + progress * (deep - shallow)
