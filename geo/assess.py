"""What do we say of a ceasefire at a moment, given what is known?

The whole computation as one plain call: a pure function of the reports, the theatre, the policies and ``as_of``. The
same four give the same layers, byte for byte, whatever the order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import (
    answers,
    breaches,
    extents,
    hearing,
    incidents,
    points,
    proof,
    reviews,
    said,
    sights,
    summary,
    tables,
    tally,
    verdicts,
)
from geo import coverage as coverages
from geo.arrangement import Arrangement
from geo.decisions import Decisions
from geo.lines import beside
from geo.matching import match
from geo.policy import in_force
from geo.presence import veil
from geo.replays import Replays
from geo.reports import enrich
from geo.shapes import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from typing import TypeAlias

    from geo.breaches import Breach
    from geo.incidents import Grouping
    from geo.policy import Matching, PolicyVersion
    from geo.reviews import Docket
    from geo.said import Before
    from geo.theatre import Theatre

    Matcher: TypeAlias = Callable[[pd.DataFrame, Theatre, Matching], pd.DataFrame]
    """Places reports as ``geo.matching.match`` does."""


PLACED: Final = [
    "first_no", "source", "trust", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "footprint", "family",
    "prohibited", "coarse", "touched", "withheld", "report_id",
]  # fmt: skip
"""Of placed reports, what ``geo.settled`` and ``geo.points`` need."""


class Standing(NamedTuple):
    """What was found before anything is drawn: placed reports with their violation, the grouping, every breach."""

    reports: pd.DataFrame
    grouping: Grouping
    breaches: list[Breach]


class _Once:
    """Makes a layer when it is first asked for, and lets go of what it is made of."""

    def __init__(self, make: Callable[[], pd.DataFrame]) -> None:
        self._make: Callable[[], pd.DataFrame] | None = make

    def __call__(self) -> pd.DataFrame:
        """Return the layer, the same at every call."""
        if self._make is not None:
            self._made, self._make = self._make(), None
        return self._made


class Layers(Mapping[str, pd.DataFrame]):
    """Layers by name, each made when somebody first asks for it: many questions need a few of them only."""

    def __init__(self, makers: Mapping[str, Callable[[], pd.DataFrame]]) -> None:
        self._makers = {name: make if isinstance(make, _Once) else _Once(make) for name, make in makers.items()}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a layer, the same at every call."""
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        """Return the names, in order."""
        return iter(self._makers)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._makers)

    def also(self, name: str, make: Callable[[], pd.DataFrame]) -> Layers:
        """Return these layers with one more, or another one of that name."""
        return Layers({**self._makers, name: make})


@dataclass(frozen=True, eq=False)
class Assessment:
    """The answer: the layers of ``geo.tables`` by name (all but quarantine, notices, exposure and run).

    ``placed`` is what telling what is settled needs of each report, in their order (``PLACED``); a part holds none.
    """

    tables: Layers
    placed: pd.DataFrame = field(default_factory=pd.DataFrame)

    def within(self, region_id: str) -> Assessment:
        """Return the whole answer cut to a region.

        Every incident or candidate with a linked violation in the region is in it, whole, with the same name and tiers;
        other violations and reports are in it when they lie in the region. Lines, zones and regions stay whole.
        """
        found, reports = self.tables["violations"], self.tables["reports"]
        here, loose = found["region_id"] == region_id, found["attached"].astype(bool) | found["incident_id"].isna()
        alone = reports["violation_id"].isna() & (reports["region_id"] == region_id)
        return self.only(
            set(found.loc[here & ~loose, "incident_id"]),
            set(found.loc[here & loose, "violation_id"]),
            set(reports.loc[alone, "report_id"]),
        )

    def only(self, incidents: AbstractSet[str], violations: AbstractSet[str], reports: AbstractSet[str]) -> Assessment:
        """Return the answer cut to some incidents and candidates, each whole, and to what else is named.

        Parameters
        ----------
        incidents
            Names of incidents and candidates.
        violations, reports
            Names of violations that come with their reports, and of reports that come alone.
        """
        some = _Some(incidents, violations, reports)
        cut = Layers({title: partial(self._cut, title, some) for title in self.tables})
        return Assessment(cut.also("counts", lambda: tally.count(cut["violations"])))

    def _cut(self, title: str, some: _Some) -> pd.DataFrame:
        return _cut(self.tables[title], title, some)


class _Some(NamedTuple):
    """Names of incidents, of violations beside them, and of reports beside these."""

    incidents: AbstractSet[str]
    violations: AbstractSet[str]
    reports: AbstractSet[str]


def _cut(frame: pd.DataFrame, title: str, some: _Some) -> pd.DataFrame:
    key = "to_id" if title == "lineage" else "incident_id"
    if key not in frame:
        return frame
    keep = frame[key].isin(some.incidents)
    if title in {"reports", "violations", "reviews"}:
        keep |= frame["violation_id"].isin(some.violations)
    if title == "reports":
        keep |= frame["report_id"].isin(some.reports)
    cut: pd.DataFrame = (frame if keep.all() else frame.loc[keep]).reset_index(drop=True)
    named = cut.select_dtypes("category")
    return cut.assign(**{str(name): _narrowed(column) for name, column in named.items()})


def _narrowed(column: pd.Series) -> pd.Series:
    """Return a categorical column without unused categories; pandas sorts all its rows for that."""
    code, every = column.cat.codes.to_numpy(), column.cat.categories
    used = np.zeros(len(every) + 1, bool)
    used[code] = True  # the last is that of -1: no text
    if used[:-1].all():
        return column
    place = np.append(np.cumsum(used[:-1]) - 1, -1)
    return pd.Series(pd.Categorical.from_codes(place[code], every[used[:-1]]), column.index)


def assess(
    reports: pd.DataFrame,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    commands: pd.DataFrame | None = None,
    before: Before = said.NOTHING,
) -> Assessment:
    """Answer for ``as_of`` (aware UTC).

    Parameters
    ----------
    reports
        ``geo.reports.STORED``: what was known, one row per item.
    coverage
        ``geo.reports.COVERAGE``: who declared when and where they could see, or could not.
    policies
        Versions in order; grouping uses the one in force at ``as_of``, each ladder the one in force at its T0.
    commands
        ``geo.reviews.REVIEWS``: what people decided; without it, nothing.
    before
        What is to be known of reports that were left out because they are settled (``geo.settled``).
    """
    commands = reviews.none() if commands is None else commands
    docket = hearing.hear(commands, theatre, as_of)
    matched, grouping = gather(reports, theatre, policies, as_of, match, docket)
    grouping = replace(grouping, former=before.former)
    found = climb(matched, grouping, docket, coverage, theatre, policies, as_of)
    answer = summarise(found, coverage, theatre, policies, as_of, before)
    heard = answers.layer(commands, docket, found.reports, found.grouping.violations)
    placed = pd.DataFrame({name: found.reports[name] for name in PLACED}, copy=False)
    return Assessment(answer.tables.also("reviews", lambda: heard), placed)


def stand(
    reports: pd.DataFrame,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    matcher: Matcher = match,
    docket: Docket | None = None,
) -> Standing:
    """Return where everything stands at ``as_of``, with nothing drawn; the parameters are those of ``assess``.

    ``matcher`` places the reports: a row's place depends on no other row, nor on ``as_of``, so that it can be kept.
    ``docket`` are the commands of people, which this answers; ``None``: there are none.
    """
    docket = hearing.hear(reviews.none(), theatre, as_of) if docket is None else docket
    matched, grouping = gather(reports, theatre, policies, as_of, matcher, docket)
    return climb(matched, grouping, docket, coverage, theatre, policies, as_of)


def climb(
    matched: pd.DataFrame,
    grouping: Grouping,
    docket: Docket,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
) -> Standing:
    """Return where everything stands, of reports that are put together (``gather``)."""
    decided = Decisions(docket, matched, grouping.violations, in_force(policies, as_of))
    ladder = breaches.escalate(grouping, matched, coverage, theatre, policies, as_of, decided)
    ladder = Replays(matched, grouping, decided, theatre, policies, as_of).correct(ladder)
    return Standing(matched, grouping, ladder)


def gather(
    reports: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    matcher: Matcher,
    docket: Docket,
) -> tuple[pd.DataFrame, Grouping]:
    """Return the reports with their violation, and the violations in incidents.

    Of ``as_of`` only matters which reports have begun, which policy is in force, and which commands speak.
    """
    policy = in_force(policies, as_of)
    matched = place(reports, theatre, policies, as_of, matcher)
    matched, found = verdicts.assemble(matched, policy, docket, theatre)
    return matched, incidents.group(found, policy, Arrangement(docket, matched, found, policy))


def place(
    reports: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    matcher: Matcher = match,
) -> pd.DataFrame:
    """Return the reports that count at ``as_of``, with their standing and their place along and beside the line.

    Nothing after this sees where an observer stood, nor where exactly a weapon that did not fire.
    """
    policy = in_force(policies, as_of)
    begun = reports["observed_from"] <= pd.Timestamp(as_of)
    some = reports if begun.all() else reports.loc[begun]
    ordered = settle(points.widen(some.sort_values("ledger_no").reset_index(drop=True), theatre), policy)
    matched = veil(matcher(enrich(ordered, theatre, policy), theatre, policy.matching), theatre, policy)
    return beside(matched, theatre.lines, theatre.baselines[0])


def summarise(
    standing: Standing,
    coverage: pd.DataFrame,
    theatre: Theatre,
    policies: tuple[PolicyVersion, ...],
    as_of: datetime,
    before: Before,
) -> Assessment:
    """Return everything that was found, and was said before, as the declared layers, each made when it is asked for."""
    policy, (reports, grouping, ladder) = in_force(policies, as_of), standing
    found, reports = summary.named((grouping.violations, reports), theatre, policy.publication)
    # The rest of both is let go of as soon as their layers are made.
    told, tallied = reports[proof.NEEDED], found[tally.NEEDED]
    rows = cache(lambda: summary.incident_rows(ladder, found, told, theatre))
    discs = cache(lambda: extents.Discs.of(found, policy.publication.footprint_m))
    grounds = cache(lambda: extents.grow(ladder, discs(), as_of))

    @cache
    def watched() -> pd.DataFrame:
        settled = sights.settle(coverage, theatre, policy)
        return coverages.measure(counted()[0], settled, theatre, policy.coverage.depth_m, as_of)

    @cache
    def counted() -> tuple[pd.DataFrame, list[summary.Touch]]:
        return said.counted(before, found, summary.touches(ladder))

    def reported() -> pd.DataFrame:
        mine = points.days(reports, theatre, policy.matching, policy.publication.window_from(as_of))
        layer = summary.reports_layer(reports.assign(same_point_days=None), found)
        return said.pointed(before, said.beside(before, "reports", layer), mine, policy.matching)

    made = Layers(
        {
            "incident_points": lambda: summary.layer(rows(), tables.INCIDENT_POINTS),
            "violations": lambda: summary.layer(found, tables.VIOLATIONS),
            "reports": reported,
            "segments": lambda: summary.segments(counted()[1], counted()[0], watched(), theatre, as_of),
            "regions": lambda: summary.regions(counted()[1], counted()[0], theatre, as_of),
            "front_line": lambda: summary.front_line(theatre, as_of),
            "incidents": lambda: summary.incident_areas(rows(), found, grounds(), discs()),
            "incident_days": lambda: extents.layer(ladder, grounds(), found, as_of),
            "zones": lambda: summary.zones_layer(theatre),
            "transitions": lambda: summary.moves(ladder),
            "evidence": lambda: proof.table(ladder, told, found),
            "lineage": lambda: summary.lineage(ladder),
            "coverage": watched,
            "scenarios": lambda: summary.scenarios(ladder),
            "counts": lambda: tally.count(tallied),
        }
    )
    return Assessment(_joined(made, before))


def _joined(made: Layers, before: Before) -> Layers:
    """Return layers with what was said before; the reports have it already."""
    if not before.rows:
        return made
    rows = set(before.rows) - {"reports"}
    whole = Layers({n: partial(_beside, made, n, before) if n in rows else partial(made.__getitem__, n) for n in made})
    return whole.also("counts", lambda: tally.count(whole["violations"]))


def _beside(made: Layers, name: str, before: Before) -> pd.DataFrame:
    return said.beside(before, name, made[name])
