"""Which words may a published column hold?"""

from __future__ import annotations

from typing import Final

STATUSES: Final = ("alleged", "corroborated", "confirmed", "contested", "refuted", "exempt")
STATES: Final = ("candidate", "active", "quiet", "ended")
ENDS: Final = ("ceased", "assumed", "unresolved", "lapsed", "decided")
TIERS: Final = (0, 1, 2, 3)
TIER_LABELS: Final = ("watch", "warning", "coalition", "co-ordinated")
PERSISTENCE: Final = ("persists", "ceased", "indeterminate")
SIDES: Final = ("left", "right", "none")
COURSES: Final = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
DOMAINS: Final = ("land", "air", "sea")
STEPS: Final = ("opened", "eligible", "effective", "declared", "ended", "corrected", "merged")
LINEAGE: Final = ("merge", "split", "recurrence", "retraction", "correction")
MEANS: Final = ("eye", "ear", "imagery", "sensor", "statement")
RELIABILITIES: Final = ("A", "B", "C", "D", "E", "F")
CREDIBILITIES: Final = (1, 2, 3, 4, 5, 6)
RASTERS: Final = ("population", "land_cover")
STATISTICS: Final = ("cell", "sum", "mean", "majority")
COMMANDS: Final = (
    "confirm", "refute", "attribute", "exempt", "merge", "split", "move", "set_t0", "declare", "end", "reopen", "fix",
    "release",
)  # fmt: skip
ANSWERS: Final = ("applied", "waits", "over", "rejected")
WATCHED: Final = ("declared", "assumed", "partly", "unseen")
NOTICES: Final = ("opened", "withdrawn", "renamed", "tier", "declared", "t0", "end", "persistence", "extent", "due")
SPANS: Final = (("24h", "24 hours"), ("72h", "72 hours"), ("7d", "7 days"))
