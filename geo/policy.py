"""Which numbers did people choose, and what do they mean?

Every threshold of the computation stands here, once, with its unit in its name. The code has none of its own. The
values of a theatre stand in its ``policy.toml``, each with its source and what moving it does. A policy is checked
whole when it is made.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Status = Literal["alleged", "corroborated", "confirmed"]
Verdict = Literal["alleged", "corroborated", "confirmed", "contested", "refuted", "exempt"]
Trust = Literal["mission", "vetted", "satellite", "media", "party", "public"]
Reliability = Literal["A", "B", "C", "D", "E", "F"]  # of a source, NATO AJP-2.1; F: cannot be judged
Credibility = Literal[1, 2, 3, 4, 5, 6]  # of a report, likewise; 6: cannot be judged
Means = Literal["eye", "ear", "imagery", "sensor", "statement"]  # how somebody came to know
OpenReading = Literal["any", "repeated"]  # of the plan, as are the next two
PersistReading = Literal["literal", "window"]
BroadReading = Literal["earliest", "deadline"]

READ_AS: Final = ", read as: "
"""What stands in the version of a policy before the readings that are not its own."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Act(_Frozen):
    """One kind of act that a report can state.

    ``prohibited``: ``everywhere`` in the theatre, ``in_zone`` only where a zone forbids the weapon, ``never``.
    Two acts agree when their families are equal or one of them is ``any``. ``response``: fire to halt a breach; where a
    party declares its own, or a mission or vetted source that party's, it counts only in that party's scenarios.
    """

    family: str
    domain: Literal["land", "air", "sea"]
    prohibited: Literal["everywhere", "in_zone", "never"]
    response: bool = False


class Clause(_Frozen):
    """One line of the table that turns voices into a status.

    It holds when at least ``voices`` independent voices of the ``means``, ``reliability`` and ``credibility`` that it
    names (none named: any) speak, and their trust groups cover ``trust``. Who is not rated counts as F and 6.
    """

    status: Literal["alleged", "corroborated", "confirmed", "contested"]
    voices: Annotated[int, Field(ge=1)] = 1
    trust: tuple[Trust, ...] = ()
    means: tuple[Means, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    credibility: tuple[Credibility, ...] = ()


class Corroboration(_Frozen):
    """When do two reports speak of one act, and how sure is it then?"""

    agree_m: NonNegative = Field(description="Largest gap between two footprints (discs) that still agree, metres.")
    agree_min: NonNegative = Field(description="Largest gap between two observation intervals that agree, minutes.")
    coarse_m: Positive = Field(description="A radius above this is coarse in place, metres.")
    coarse_h: Annotated[float, Field(ge=25)] = Field(description="An interval longer than this is coarse, hours.")
    qualifying_status: Status = Field(description="The least status of a violation that counts.")
    confirming: tuple[tuple[Trust, ...], ...] = Field(
        description="Sets of trust groups; a violation whose independent origins cover one of them is confirmed."
    )
    rules: tuple[Clause, ...] = Field(
        default=(), description="Looked at first, in order; the first that holds gives the status."
    )
    unheard_reliability: tuple[Reliability, ...] = Field(
        default=(), description="Reports of sources of this reliability have no voice."
    )
    unheard_credibility: tuple[Credibility, ...] = Field(
        default=(), description="Reports of this credibility have no voice."
    )
    same_text_chars: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Least number of characters from which equal words are one statement; 0: never."
    )
    same_id_chars: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Least number of characters from which equal ids are one item; 0: never."
    )


class Grouping(_Frozen):
    """Which violations are one breach?"""

    link_m: Positive = Field(description="Largest geodesic distance of a link, inclusive, metres.")
    link_gap_h: Positive = Field(description="Largest pause of a link, inclusive, hours.")
    weak_part_n: Annotated[int, Field(ge=2)] = Field(
        description="An incident is a weak link when one link alone joins two parts of at least this many violations."
    )


class Ladder(_Frozen):
    """What makes a breach eligible for which step, and when does the step take effect? (DESIGN section 9)."""

    open_reading: OpenReading
    open_n: Annotated[int, Field(ge=1)]
    response_h: Positive = Field(description="A breach is answered within this time of its first begin, hours.")
    persist_h: Positive = Field(description="Hostilities persist when they go on beyond this time after T0, hours.")
    persist_reading: PersistReading
    quiet_h: Positive = Field(description="Hostilities are quiet after this time without a qualifying violation.")
    broad_h: Positive = Field(description="The co-ordinated response comes this long after T0, hours.")
    broad_reading: BroadReading
    single_vetted: bool = Field(description="Whether tiers above 1 may rest on one mission or vetted origin alone.")

    @model_validator(mode="after")
    def _reading_fits_count(self) -> Self:
        if (self.open_reading == "any") != (self.open_n == 1):
            msg = (
                f"open_reading {self.open_reading!r} does not fit open_n {self.open_n}: 'any' means 1, 'repeated' more"
            )
            raise ValueError(msg)
        if self.broad_h < self.persist_h:
            msg = f"broad_h ({self.broad_h:g}) comes before persist_h ({self.persist_h:g})"
            raise ValueError(msg)
        return self


class Growth(_Frozen):
    """A measure has grown when it is at least ``times`` what lay in the first window, and at least ``floor``."""

    times: Annotated[float, Field(gt=1)]
    floor: NonNegative


class Expansion(_Frozen):
    """When has a breach become a broader attack?

    Either one of the absolute thresholds, or at least ``k`` of the three ratios against what may lie in the first
    ``persist_h`` hours.
    """

    extent_m: Positive = Field(description="Chainage span of the incident that is broad by itself, metres.")
    depth_m: Positive = Field(description="Distance from the baseline that is deep by itself, metres.")
    weapons: tuple[str, ...] = Field(description="Weapon classes whose use alone is a broader attack.")
    rate_n: Annotated[int, Field(ge=1)] = Field(description="Qualifying violations begun within 24 h, by itself.")
    k: Annotated[int, Field(ge=1, le=3)]
    extent_growth: Growth
    depth_growth: Growth
    rate_growth: Growth


class Matching(_Frozen):
    """When is a report's place told, and how much ground does a vague one mean?"""

    lead_share: Annotated[float, Field(gt=0, le=1)] = Field(
        description="Least share of a footprint that a segment or zone needs to be named."
    )
    lead_margin: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Least lead of that share over the next one, as a share of the footprint."
    )
    bearing_deg: Annotated[float, Field(gt=0, le=90)] = Field(
        description="How far to either side a bearing stated as one number of degrees may be off, degrees."
    )
    same_point_days: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Days beyond which a source that uses exactly one point is told of it; 0: never."
    )
    usual_reach_m: Positive = Field(description="How far an act can be heard or seen where reach_m says nothing.")
    reach_m: dict[str, Positive] = Field(description="Act → how far it can be heard or seen, metres.")

    def reach(self, act: str | None) -> float:
        """Return how far an act can be heard or seen, metres."""
        return self.reach_m.get(act or "", self.usual_reach_m)


class Heat(_Frozen):
    """When is a satellite's heat consistent with a violation?"""

    heat_m: NonNegative = Field(description="Largest gap between the pixel and the violation's footprint, metres.")
    before_h: NonNegative = Field(description="Heat seen up to this long before the observation's begin, hours.")
    after_h: NonNegative = Field(description="Heat seen up to this long after the observation's end, hours.")


class Coverage(_Frozen):
    """Which ground must somebody see, for a segment to be watched?"""

    depth_m: NonNegative = Field(
        default=0.0, description="How deep beside the baseline that ground is, on each side, metres; 0: the line alone."
    )


class Intensity(_Frozen):
    """How is the density of violations drawn?"""

    cell_m: Positive = Field(description="Width of a cell, metres.")
    spans_h: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        min_length=1, description="Spans that end at the moment of the answer, one band each, hours."
    )
    widest_m: Positive = Field(description="A violation of a larger radius is told beside, and not drawn, metres.")
    weights: dict[Verdict, Annotated[float, Field(ge=0, le=1)]] = Field(
        description="Status of a violation → what it weighs; not named: nothing."
    )


class Sharing(_Frozen):
    """How much later and coarser is what leaves the cell?"""

    delay_h: NonNegative = Field(description="Least age of the moment that an answer is about when it leaves, hours.")
    round_h: Annotated[int, Field(ge=1, le=24)] = Field(description="Times are cut to multiples of this, hours.")
    round_n: Annotated[int, Field(ge=1)] = Field(description="Counts go up to the next multiple of this; 1: exact.")
    beside_m: Positive = Field(description="How far ground beside a segment is drawn for an incident on it, metres.")


class Publication(_Frozen):
    """How is the answer drawn and kept?"""

    footprint_m: Positive = Field(description="Least radius of a violation's disc in an incident's footprint, metres.")
    pivotal_n: Annotated[int, Field(ge=0)] = Field(
        description="Incidents with more qualifying violations than this are not examined for pivotal reports."
    )
    keep: Annotated[int, Field(ge=0)] = Field(description="Earlier publications that are kept.")
    place_name_m: NonNegative = Field(
        default=0.0,
        description="Farthest that a footprint may reach from the place it is named after, metres; 0: none.",
    )
    place_in_m: NonNegative = Field(
        default=0.0, description="A footprint wholly within this distance of a place is in it, metres."
    )
    alert_grid_m: NonNegative = Field(
        default=0.0, description="Step of the grid on which messages tell where it is, metres; 0: they draw no place."
    )
    alert_age_h: NonNegative = Field(
        default=0.0, description="Longest time between as_of and the run for a message to be meant in earnest, hours."
    )
    window_d: Annotated[int, Field(ge=7)] | None = Field(
        default=None,
        description="Days before as_of that the map holds beside what goes on; older ones stand in yearly files. "
        "Without it the map holds everything.",
    )

    def window_from(self, as_of: datetime) -> datetime | None:
        """Return where the map's window begins: the midnight (UTC) so many days before; ``None``: it holds all."""
        if self.window_d is None:
            return None
        return (as_of - timedelta(days=self.window_d)).replace(hour=0, minute=0, second=0, microsecond=0)


class Policy(_Frozen):
    """Every number that a person chose, checked whole.

    Raises
    ------
    pydantic.ValidationError
        With every mistake at once; the reader of the file turns it into a ``PolicyError`` that names the file.
    """

    version: str = Field(min_length=1)
    acts: dict[str, Act]
    weapons: dict[str, str] = Field(description="Weapon system (lower case) → weapon class: class before calibre.")
    corroboration: Corroboration
    grouping: Grouping
    ladder: Ladder
    expansion: Expansion
    heat: Heat
    publication: Publication
    matching: Matching
    intensity: Intensity | None = Field(default=None, description="Without it no intensity is drawn.")
    coverage: Coverage = Coverage()
    sharing: Sharing | None = Field(default=None, description="Without it nothing is made to leave the cell.")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.ladder.quiet_h > self.grouping.link_gap_h:
            msg = "ladder.quiet_h is longer than grouping.link_gap_h: an incident would end before it is quiet"
            raise ValueError(msg)
        strange = sorted(set(self.matching.reach_m) - set(self.acts))
        if strange:
            msg = f"matching.reach_m names acts that [acts] does not have: {', '.join(strange)}"
            raise ValueError(msg)
        unknown = sorted(set(self.expansion.weapons) - self.weapon_classes)
        if unknown:
            msg = f"expansion.weapons names classes that [weapons] does not have: {', '.join(unknown)}"
            raise ValueError(msg)
        longest = max(self.intensity.spans_h, default=0) if self.intensity else 0
        if self.publication.window_d is not None and self.publication.window_d * 24 < longest:
            msg = f"publication.window_d is shorter than the longest of intensity.spans_h ({longest} h)"
            raise ValueError(msg)
        return self

    @property
    def weapon_classes(self) -> frozenset[str]:
        """Every weapon class that the policy knows."""
        return frozenset(self.weapons.values())

    @property
    def link_gap(self) -> timedelta:
        """Largest pause of a link."""
        return timedelta(hours=self.grouping.link_gap_h)


class PolicyVersion(_Frozen):
    """A policy and the moment from which it was in force (aware UTC; ``None``: always)."""

    policy: Policy
    in_force_from: datetime | None = None


class Readings(_Frozen):
    """How the plan is read where that is not left to the policy; what is ``None`` is read as the policy says."""

    open_reading: OpenReading | None = None
    open_n: Annotated[int, Field(ge=1)] | None = None
    persist_reading: PersistReading | None = None
    broad_reading: BroadReading | None = None

    @property
    def words(self) -> str:
        """What is not left to the policy, in its own names; empty: nothing."""
        return ", ".join(f"{name} {value}" for name, value in self.model_dump(exclude_none=True).items())

    def of(self, policy: Policy) -> Policy:
        """Return a policy with these readings, which its version tells.

        Raises
        ------
        pydantic.ValidationError
            If they do not fit what it says besides.
        """
        if not self.words:
            return policy
        first = {"open_n": 1} if self.open_reading == "any" else {}
        said = policy.ladder.model_dump() | first | self.model_dump(exclude_none=True)
        ladder = Ladder.model_validate(said)
        return policy.model_copy(update={"ladder": ladder, "version": f"{policy.version}{READ_AS}{self.words}"})


AS_IT_SAYS: Final = Readings()


def in_force(versions: tuple[PolicyVersion, ...], at: datetime) -> Policy:
    """Return the newest policy that was in force at ``at``; before the first, the first."""
    current = versions[0]
    for version in versions[1:]:
        if version.in_force_from is not None and version.in_force_from <= at:
            current = version
    return current.policy
