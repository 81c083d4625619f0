"""Which small faults change no answer, so that no test can tell them, and why?

By module and by the name that a mutant has there, as ``poe mutate`` prints it. The argument says why no input gives
another answer; some faults only make a search wider, or spare less work. Where that is not sure a mutant does not stand
here: it is a survivor. ``poe mutate --doubt`` holds the table against the tests, and ``tests/test_benchmarks.py`` holds
it against the code: what is no mutant any more must go.
"""

from __future__ import annotations

from typing import Final

_TRIED: Final = "more is put to trial, and a trial is exact: only what needs none is told by the shorter way"
_WIDER: Final = "a search that is wider finds no more: each pair found is judged by itself"
_SCALE: Final = "it only scales the coordinates by which a tree is built; what it holds is judged exactly"
_BLOCK: Final = "it only moves where the work is cut into blocks, and no block depends on another"
_EXACT: Final = "on the bound itself the distance is measured instead, with the same answer"
_SHORT: Final = "a shortcut that is not taken: the long way gives the same"
_REACH: Final = "a straight way as long as that is measured, and found too far"
_NO_ONE: Final = "the set of nobody is looked at too, which links none"
_MOST: Final = "what may be reached at most is only more, and what was reached is measured all the same"
_SAME_NEWS: Final = "the steps that open an incident need the same violations, so that they are known at once"

EQUIVALENTS: Final[dict[str, dict[str, str]]] = {
    "geo.agreement": {
        "Ground.__init__: max(reach_m + 2.0 * float(things.radius_m.max()), 1.0)"
        " → max(reach_m + 2.0 * float(things.radius_m.max()), 2.0)": _WIDER,
        "Ground.__init__: max(reach_m + 2.0 * float(things.radius_m.max()), 1.0) * (1.0 + 1e-09)"
        " → max(reach_m + 2.0 * float(things.radius_m.max()), 1.0) + (1.0 + 1e-09)": _WIDER,
        "Ground.__init__: 2.0 * float(things.radius_m.max()) → 3.0 * float(things.radius_m.max())": _WIDER,
        "Ground.__init__: 1.0 + 1e-09 → 2.0 + 1e-09": _WIDER,
        "Ground.__init__: 1.0 + 1e-09 → 1.0 + 1.000000001": _WIDER,
        "Ground.__init__: product((-1, 0, 1), repeat=3) → product((-1, 0, 1), repeat=4)": (
            "the fourth step is left out, so that each part is looked at three times"
        ),
        "Ground.__init__: reach_us + int((things.end - things.start).max()) + 1"
        " → reach_us + int((things.end - things.start).max()) + 2": _WIDER,
    },
    "geo.breaches": {
        "Breach.opened_known_at: step.kind == 'opened' → step.kind != 'opened'": _SAME_NEWS,
    },
    "geo.bridges": {
        "linked: chord <= reach.surely → chord < reach.surely": _EXACT,
        "linked: chord <= reach.possibly → chord < reach.possibly": _REACH,
        "Web._forest: dict.fromkeys(self.placed, 1) → dict.fromkeys(self.placed, 2)": (
            "all sizes are doubled, and only which of two is larger is asked for"
        ),
        "Web.joints: i < j → i <= j": "nothing is linked to itself",
        "Web.pieces: len(placed) <= FEW → len(placed) < FEW": "both ways find the same pieces",
        "Web._by_knowledge: len(self.placed) <= FEW → len(self.placed) < FEW": "both ways list enough of the links",
        "Web._by_knowledge: i < j → i <= j": "nothing is linked to itself",
        "Web._searched: moment > known_at → moment >= known_at": (
            "the first moment then stands in the list twice, and the first of the two is found"
        ),
        "_met: 0.0 → 1.0": "what a step needs are different violations, so that the way is walked and this overwritten",
        "_met: up[one][1] > up[other][1] → up[one][1] >= up[other][1]": (
            "of two moments that are the same either may be crossed first; the latest that is crossed is asked for"
        ),
    },
    "geo.course": {
        "Course.claimed: known <= v.known_at → known < v.known_at": (
            "what was known at once is given the moment that it has"
        ),
        "Course.most: max(span) - min(span) → max(span) + min(span)": _MOST,
        "Course.most: [0.0, *[violation.distance_m for violation in self]]"
        " → [1.0, *[violation.distance_m for violation in self]]": _MOST,
    },
    "geo.decisions": {
        "Decisions.declared: step.kind == 'opened' → step.kind != 'opened'": (
            "what opens a breach is a warning at the same instant, and only when that was is asked for"
        ),
        "Decisions.declared: max((step.tier_to for step in steps if step.kind == 'eligible'), default=0)"
        " → max((step.tier_to for step in steps if step.kind == 'eligible'), default=1)": (
            "where no step was taken every declaration is rejected before it is held against the highest"
        ),
    },
    "geo.escalation": {
        "vouched_at: n > ladder.open_n → n >= ladder.open_n": "for n == open_n the origins are asked for besides",
        "_enough: len(seen) > 1 → len(seen) >= 1": "who speaks alone is one origin",
        "vouched_at: origins <= seen → origins < seen": (
            "the same origins as before, once more, are as few as they were then"
        ),
    },
    "geo.evidence": {
        "pivotal: parts is None and (not scene.lone) → parts is None or not scene.lone": (
            "the same parts are made once more, or for a scene that does not ask for any"
        ),
    },
    "geo.incidents": {
        "_left_over: part[0] < part[1] → part[0] <= part[1]": "an instant of no length is left out in the end",
        "_within: 1 + _PAIRS // (1 + len(discs)) → 2 + _PAIRS // (1 + len(discs))": _BLOCK,
        "_within: 1 + len(discs) → 2 + len(discs)": _BLOCK,
        "_within: nearness.between(seen, _still(some['lon'], some['lat']), policy.grouping.link_m, 0)"
        " → nearness.between(seen, _still(some['lon'], some['lat']), policy.grouping.link_m, 1)": (
            "all of them are at one instant, so that no pause is longer than 0"
        ),
    },
    "geo.knowing": {
        "Knowing.told: steps[-1].known_at < steps[0].known_at → steps[-1].known_at <= steps[0].known_at": (
            "what is known at once with the opening is given the moment that it has"
        ),
        "Knowing.told: steps[0] → steps[1]": _SAME_NEWS,
        "Knowing.told: steps[0] → steps[1] (2)": _SAME_NEWS,
        "Knowing.told: known[0] → known[1]": _SAME_NEWS,
        "Knowing._first: moment > floor → moment >= floor": "it has been tried before, and the step was not taken",
        "Knowing._taken: len(needs) == 1 → len(needs) != 1": _SHORT,
        "Knowing._taken: len(needs) == 1 → len(needs) == 2": _SHORT,
        "Knowing._taken: step.tier_to <= _WARNING → step.tier_to < _WARNING": _SHORT,
        "Knowing._taken: True → False": _SHORT,
    },
    "geo.linking": {
        "_windows: some >> bit & 1 → some >> bit | 1": _NO_ONE,
        "_windows: int(np.bitwise_or.reduce(masks)) & ~int(np.bitwise_and.reduce(masks))"
        " → int(np.bitwise_or.reduce(masks)) | ~int(np.bitwise_and.reduce(masks))": _NO_ONE,
        "_windows: range(64) → range(65)": "no mask has more than 64 bits",
        "_components: connected_components(graph, directed=False)"
        " → connected_components(graph, directed=True)": "which way a link points matters only to strong parts",
        "_few: reach_m >= _SMALLEST_M → reach_m > _SMALLEST_M": "many pairs are listed, with the same result",
    },
    "geo.nearest": {
        "nearest: not len(a) or not len(b) → not len(a) and (not len(b))": _SHORT,
        "_searched: np.iinfo(np.int64).max // 4 → np.iinfo(np.int64).max // 5": "no two times are that far apart",
        "_searched: max(reach_m, 1.0) → max(reach_m, 2.0)": _SCALE,
        "_searched: float(longest) + 1.0 → float(longest) + 2.0": _SCALE,
        "_searched: np.stack(crs.chords(reach_m + a.radius_m), axis=-1)"
        " → np.stack(crs.chords(reach_m + a.radius_m), axis=+1)": "the last axis of two is number 1",
    },
    "geo.sights": {
        "_area: shapely.to_wkt(whole, rounding_precision=-1) → shapely.to_wkt(whole, rounding_precision=-2)": (
            "any negative precision means all digits"
        ),
        "Sights.of: code < 0 → code <= 0": "the number of an object (id) is never 0",
        "Sights.of: code < 0 → code < 1": "the number of an object (id) is never 0",
        "Sights.of: -1 if ground is None else id(ground) → -2 if ground is None else id(ground)": (
            "any negative number tells a disc from a shape"
        ),
        "Sights.of: keys.groupby(list(keys.columns), sort=False, dropna=False)"
        " → keys.groupby(list(keys.columns), sort=True, dropna=False)": "the same places with other numbers",
        "Sights._within: chord <= surely → chord < surely": _EXACT,
        "Sights._within: chord <= possibly → chord < possibly": _REACH,
        "Sights._within: ~inside & (chord <= possibly) → ~inside | (chord <= possibly)": _WIDER,
        "_blocks: (np.diff(size) > 0) | (np.diff(full) > 0) → (np.diff(size) > 0) & (np.diff(full) > 0)": _BLOCK,
        "_blocks: np.diff(size) > 0 → np.diff(size) >= 0": _BLOCK,
        "_blocks: np.diff(size) > 0 → np.diff(size) > 1": _BLOCK,
        "_blocks: np.diff(full) > 0 → np.diff(full) >= 0": _BLOCK,
        "_blocks: np.diff(full) > 0 → np.diff(full) > 1": _BLOCK,
    },
    "geo.suspects": {
        "Scene.of: max([tier for _, tier in moves], default=0) → max([tier for _, tier in moves], default=1)": (
            "where no tier was reached no step is asked for"
        ),
        "Scene.of: highest <= _WARNING → highest < _WARNING": _TRIED,
        "Scene.of: cls([name], course, own, moves, highest, own if lone else set(), lone, False, _ALWAYS, 0, None)"
        " → cls([name], course, own, moves, highest, own if lone else set(), lone, False, _ALWAYS, 1, None)": (
            "T0 is asked for only where a part of the reports can matter"
        ),
        "Scene.of: min(inside) → max(inside)": _TRIED,
        "Scene.of: max(inside) → min(inside)": _TRIED,
        "Scene.stands: True → False": _TRIED,
        "Scene.stands: left.inside != before.inside → left.inside == before.inside": (
            "what is no suspect holds no window open alone, nor does what is left of it close one; all others are tried"
        ),
        "Scene.stands: counted and (now.start <= self.vouched or now.end < self.surely)"
        " → counted or (now.start <= self.vouched or now.end < self.surely)": _TRIED,
        "Scene.stands: now.start <= self.vouched → now.start < self.vouched": (
            "what is left of one that is no suspect, and begins with the last that vouches, only adds to these"
        ),
        "Scene.stands: now.end < self.surely → now.end <= self.surely": _TRIED,
        "Scene.stands: now.start < self.base[0] → now.start <= self.base[0]": _TRIED,
        "Scene.stands: low_m <= now.chainage_m <= high_m → low_m < now.chainage_m <= high_m": _TRIED,
        "Scene.stands: low_m <= now.chainage_m <= high_m → low_m <= now.chainage_m < high_m": _TRIED,
        "Scene.stands: now.distance_m <= depth_m → now.distance_m < depth_m": _TRIED,
        "Scene.stands: stays or web.touches(left, web.placed.keys() - {row})"
        " → stays and web.touches(left, web.placed.keys() - {row})": _TRIED,
        "_last_windows: n == 1 and court.closing(reduce(or_, masks.keys() - {one})) != whole"
        " → n == 1 or court.closing(reduce(or_, masks.keys() - {one})) != whole": _TRIED,
        "_extremes: now.rate_n - 1 → now.rate_n - 2": _TRIED,
    },
    "geo.verdicts": {
        "_on: reports['rulings'].astype(bool) & reports['violation_id'].notna()"
        " → reports['rulings'].astype(bool) | reports['violation_id'].notna()": (
            "a report without a ruling adds none, and one without a violation adds its own to no violation"
        ),
    },
}
