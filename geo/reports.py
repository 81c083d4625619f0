"""What does a report say, as it enters the computation?

``INTAKE`` is what a reader makes of a row; ``STORED`` is what the ledger gives back: the active revision of every item,
one row each. Times are aware UTC (``datetime64[us, UTC]``), coordinates WGS 84 degrees, counts nullable integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geo.copies import NOBODY, UNRATED, ancestry, reputes
from geo.errors import InputError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.theatre import Theatre, Window

TIME: Final = "datetime64[us, UTC]"

INTAKE: Final[dict[str, str]] = {
    "row_no": "int64",  # 1-based number of the record in its file
    "kind": "str",  # report | retraction | heartbeat | outage
    "source_ref": "str",  # the source's own id of the item; missing: identity is the content
    "observed_from": TIME,
    "observed_to": TIME,  # both ends possible
    "lon": "float64",
    "lat": "float64",
    "uncertainty_m": "float64",  # radius of the footprint
    "act": "str",
    "domain": "str",  # land | air | sea
    "weapon": "str",
    "direction": "str",
    "count_low": "Int64",
    "count_best": "Int64",
    "count_high": "Int64",
    "killed": "Int64",
    "injured": "Int64",
    "party_claimed": "str",  # party id, missing: nobody is named
    "origin": "str",  # who is said to have seen it, as stated
    "reported_at": TIME,
    "text": "str",
    "url": "str",
    "footprint": "str",  # ground that is no disc, as ``geo.shapes`` writes it; lon, lat and uncertainty_m may then miss
    "means": "str",  # eye | ear | imagery | sensor | statement
    "credibility": "Int64",  # 1 (confirmed) to 5 (improbable), 6 (cannot be judged), as the source rates it
}

STORED: Final[dict[str, str]] = {
    **{name: dtype for name, dtype in INTAKE.items() if name not in {"row_no", "kind"}},
    "report_id": "str",  # R-n, n = first_no
    "ledger_no": "int64",  # of the active revision
    "first_no": "int64",  # of the item's first revision
    "stands_no": "int64",  # of the revision since which nothing that decides has changed
    "revision": "int64",  # 1, 2, …
    "source": "str",
    "recorded_at": TIME,
    "known_at": TIME,  # of the revision ``stands_no``
    "content": "str",  # SHA-256 of the canonical content; ties are broken by it
    "disputed": "bool",  # its own source said something else under the same id
}

COVERAGE: Final[dict[str, str]] = {
    "ledger_no": "int64",
    "source": "str",
    "observed_from": TIME,
    "observed_to": TIME,
    "lon": "float64",
    "lat": "float64",
    "uncertainty_m": "float64",
    "sees": "bool",  # heartbeat: could see; outage: could not
    "known_at": TIME,
    "footprint": "str",  # ground that is no disc; with no place at all, it is what the source covers
}

SUSPENDED: Final = " (suspended)"  # no id of a source can hold a space
PARTY: Final = "party "  # how the voice of a party begins
_NAMED: Final = 5  # how many reports a message names
MAX_WINDOWS: Final = 62  # as many bits as a signed 64-bit integer has to spare


def enrich(reports: pd.DataFrame, theatre: Theatre, policy: Policy) -> pd.DataFrame:
    """Add to every report what its source, its act and its time are worth.

    Returns
    -------
    pandas.DataFrame
        The input with ``trust``, ``source_party``, ``origin`` (who really saw it), ``voice`` (all sources of one party
        speak with one voice, and so does whoever names one of them as the origin), ``kin`` (sources that its source
        copies), ``repute`` (what it is worth as an original), ``reliability``, ``credibility`` and ``means`` (of its
        source where it states none), ``family``, ``prohibited``, ``domain``, ``weapon_class``, ``coarse`` and the bit
        masks ``inside`` (windows that surely contain the observation) and ``touched`` (windows that may contain it).
        ``response`` is the party whose response fire it declares: its own, or as a mission or vetted source saw it.
        A source that the theatre does not declare is ``public``, and what a suspended one said since bears the name of
        such a source (``voiced``). ``explained`` (heat at a permanent source of heat) is
        as the input has it, and missing where it says nothing. ``rulings``: as yet no person has said anything.

    Raises
    ------
    InputError
        Where a report has a place and no radius: how sure it is of it decides what it counts for, and is no guess.
    """
    _measured(reports)
    reports = voiced(reports, theatre)
    length_h = (reports["observed_to"] - reports["observed_from"]).dt.total_seconds() / 3600
    inside, touched = window_masks(reports, theatre.windows)
    acts, standing = policy.acts, _standing(reports, theatre)
    rulings = np.empty(len(reports), object)
    rulings.fill(())
    return reports.assign(
        **standing,
        **_rating(reports, theatre),
        family=_told(reports["act"], {name: act.family for name, act in acts.items()}).astype("str"),
        prohibited=_told(reports["act"], {name: act.prohibited for name, act in acts.items()}).astype("str"),
        domain=reports["domain"].fillna(_told(reports["act"], {name: act.domain for name, act in acts.items()})),
        weapon_class=_told(reports["weapon"], policy.weapons).astype("str"),
        coarse=(reports["uncertainty_m"] > policy.corroboration.coarse_m) | (length_h > policy.corroboration.coarse_h),
        inside=inside,
        touched=touched,
        response=_responses(reports, standing, policy),
        explained=reports.get("explained", pd.Series(pd.NA, reports.index)).astype("boolean"),
        rulings=pd.Series(rulings, reports.index),
    )


def _measured(reports: pd.DataFrame) -> None:
    lon, lat, radius = (reports[name].to_numpy(np.float64, na_value=np.nan) for name in ("lon", "lat", "uncertainty_m"))
    unsure = np.flatnonzero(~(np.isnan(lon) | np.isnan(lat)) & ~(np.isfinite(radius) & (radius >= 0)))
    if len(unsure):
        names = ", ".join(reports["report_id"].iloc[unsure[:_NAMED]])
        msg = (
            f"{len(unsure)} reports have a place and no uncertainty_m of 0 or more metres ({names}): whoever read them "
            "in has to state how far off their place may be, as the readers do by radius_m or place_m of the source."
        )
        raise InputError(code="uncertainty", message=msg)


def voiced(frame: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return rows with ``source`` and ``known_at`` so that what a suspended source said since is nobody's.

    Its name gets the addition ``SUSPENDED``. The theatre declares no source of that name, so it is the public's. Rows
    are those of a ledger that was asked with ``theatre.suspended``: what it had said before stands as it stood.
    """
    if not theatre.suspended:
        return frame
    late = frame["known_at"] >= pd.to_datetime(frame["source"].map(theatre.suspended), utc=True)
    return frame.assign(source=frame["source"].where(~late, frame["source"] + SUSPENDED).astype("str"))


def _standing(reports: pd.DataFrame, theatre: Theatre) -> dict[str, pd.Series]:
    """Return trust, party, origin and voice: what a source declared, not what a row says, decides them."""
    declared = {source.id: source for source in theatre.sources}
    group = _told(reports["source"], {name: source.independence_group for name, source in declared.items()})
    group = group.fillna(reports["source"])
    own = _told(reports["source"], {name: source.origin == "column" for name, source in declared.items()})
    origin = reports["origin"].where(own.eq(True), None).fillna(group).astype("str")  # noqa: FBT003 -- missing is not true
    party = _told(reports["source"], {name: source.party for name, source in declared.items()}).astype("str")
    trust = _told(reports["source"], {name: source.trust for name, source in declared.items()}).fillna("public")
    whose = party.where(trust == "party", _told(origin, _spokesmen(theatre))).astype("str")
    voice = (PARTY + whose).where(whose.notna(), "origin " + origin)
    return {"trust": trust.astype("str"), "source_party": party, "origin": origin, "voice": voice.astype("str")}


def _spokesmen(theatre: Theatre) -> dict[str, str | None]:
    """Return the party behind each origin that is a source of one party and of no other."""
    behind: dict[str, set[str | None]] = {}
    for source in theatre.sources:
        if source.trust == "party":
            behind.setdefault(source.independence_group, set()).add(source.party)
    return {origin: next(iter(parties)) for origin, parties in behind.items() if len(parties) == 1}


def _responses(reports: pd.DataFrame, standing: Mapping[str, pd.Series], policy: Policy) -> pd.Series:
    claimed = reports["party_claimed"]
    fire = reports["act"].isin([name for name, act in policy.acts.items() if act.response])
    own = (standing["trust"] == "party") & (standing["source_party"] == claimed)
    return claimed.where(fire & (own | standing["trust"].isin(["mission", "vetted"])), None).astype("str")


def _rating(reports: pd.DataFrame, theatre: Theatre) -> dict[str, pd.Series]:
    """Return lineage, reliability, credibility and means; only a source that may rate says how credible a row is."""
    declared = {source.id: source for source in theatre.sources}
    kin, repute = ancestry(theatre.sources), reputes(theatre.sources)
    source = reports["source"]
    rates = source.isin([name for name, each in declared.items() if each.rates and each.trust != "public"])
    usual = _told(source, {name: each.means for name, each in declared.items()}).astype("str")
    return {
        "kin": _looked_up(source, kin, frozenset()),
        "repute": _looked_up(source, repute, NOBODY),
        "reliability": _told(source, {name: each.reliability for name, each in declared.items()}).fillna(UNRATED),
        "credibility": reports["credibility"].where(rates, pd.NA),
        "means": reports["means"].fillna(usual).astype("str"),
    }


def _told(names: pd.Series, told: Mapping[str, Any]) -> pd.Series:
    """Return what ``names.map(told)`` does; each name is looked up once."""
    row, each = pd.factorize(names)
    return pd.Series(each).map(told).reindex(row).set_axis(names.index)


def _looked_up(names: pd.Series, told: Mapping[str, Any], otherwise: object) -> pd.Series:
    row, each = pd.factorize(names)
    found = pd.Series([*(told.get(name, otherwise) for name in each), otherwise], dtype=object).to_numpy()
    return pd.Series(found[row], names.index, dtype=object)  # the last is that of -1: no name


def window_masks(frame: pd.DataFrame, windows: tuple[Window, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two bit masks per row: windows [start, end) that surely, and that possibly, contain the observation."""
    if len(windows) > MAX_WINDOWS:
        msg = f"the theatre has {len(windows)} ceasefire windows; at most {MAX_WINDOWS} can be watched at once"
        raise PolicyError(msg)
    begin, end = frame["observed_from"], frame["observed_to"]
    inside = np.zeros(len(frame), np.int64)
    touched = np.zeros(len(frame), np.int64)
    for bit, window in enumerate(windows):
        closes = pd.Timestamp.max.tz_localize("UTC") if window.end is None else pd.Timestamp(window.end)
        opens = pd.Timestamp(window.start)
        inside |= ((begin >= opens) & (end < closes)).to_numpy() * np.int64(1 << bit)
        touched |= ((end >= opens) & (begin < closes)).to_numpy() * np.int64(1 << bit)
    return inside, touched
