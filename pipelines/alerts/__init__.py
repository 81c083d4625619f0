"""Which messages does a run send, in the Common Alerting Protocol 1.2?

One for each step of an incident from *effective* on, in its own file; what later news changes is updated or cancelled.
They warn those who watch: no message asks for anything but to look. Reading order: ``steps → told → area → message``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geo.terms import TIER_LABELS
from pipelines.alerts.area import circle
from pipelines.alerts.message import Info, Message, stamp, xml
from pipelines.alerts.steps import steps
from pipelines.alerts.told import Said, began, standing, tell
from pipelines.outcome import caveats, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.alerts.steps import Step
    from pipelines.alerts.told import News, Status

__all__ = ["FOLDER", "TOLD_OF", "Sent", "alerts", "began", "status"]

FOLDER: Final = "cap"
TOLD_OF: Final = ("incidents", "transitions", "evidence", "violations", "reports")
"""The layers that messages are made of; ``lineage`` and ``run`` say what goes with them."""
_SEVERITY: Final = {0: "Minor", 1: "Moderate", 2: "Severe", 3: "Extreme"}
_CERTAIN: Final = {"confirmed": 3, "corroborated": 2, "alleged": 1}
_WORDS: Final = ("Unknown", "Possible", "Likely", "Observed")
_END: Final = {"ceased": "Observed", "lapsed": "Observed", "decided": "Observed", "assumed": "Possible"}
_SAYS: Final = {
    "effective": " in effect",
    "declared": " declared by a person",
    "ended": "",
    "corrected": " corrected",
    "merged": " after two breaches became one",
}
_HEADLINE: Final = 160  # CAP: what fits on the screens that show a headline alone
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Sent:
    """The files of a run, by name, and the rows by which the next run will know what was told."""

    files: dict[str, bytes]
    rows: tuple[tuple[str, ...], ...]


def status(run: Mapping[str, Any], *, live: bool) -> Status:
    """Return how a run's messages are meant.

    Actual only of an operational theatre, where a schedule asked for the present (``live``), whatever came in as it
    started; Exercise where history or a simulation is played, and of an illustrative theatre; else a person asked, and
    it is a Draft.
    """
    if run["replay"] or run["standing"] != "operational":
        return "Exercise"
    return "Actual" if live else "Draft"


def alerts(content: Mapping[str, pd.DataFrame], before: Iterable[Sequence[str]], *, live: bool, grid_m: float) -> Sent:
    """Return the messages of a run that say what was not said before.

    Parameters
    ----------
    content
        Every table of ``geo.tables.TABLES`` by name; ``run`` has one row.
    before
        Rows of the scope's earlier publications, oldest first.
    live
        Whether a schedule asked for the present.
    grid_m
        How coarse places are told, metres.
    """
    run = next(rows(content["run"]))
    meant = status(run, live=live)
    office = _Office(content, run, meant, grid_m)
    tell(steps(content), standing(before, meant), office.write)
    return Sent(office.files, tuple(office.rows))


class _Office:
    """Writes the messages of one run."""

    def __init__(
        self, content: Mapping[str, pd.DataFrame], run: Mapping[str, Any], meant: Status, grid_m: float
    ) -> None:
        self.run, self.meant = run, meant
        scope = "" if run["scope"] == "whole" else f".{run['scope']}"
        self.sender = _ODD.sub("-", f"ceasewatch.{run['theatre']}{scope}")
        self.sent = stamp(run["as_of"])
        self.incidents = {row["incident_id"]: row for row in rows(content["incidents"])}
        self.heirs = _heirs(content["lineage"])
        self.certainty = _certainty(content)
        self._circle = cache(lambda name: circle(self.incidents[name]["geometry"], grid_m))  # several steps have one
        self.files: dict[str, bytes] = {}
        self.rows: list[tuple[str, ...]] = []

    def write(self, told: News) -> Said | None:
        """Write a message; return what it said of its step, ``None`` if it only cancels."""
        key = told.step.key if told.step else told.about[0].key
        about = [self.run["run_id"], self.meant, told.kind, *map(str, key)]
        mark = hashlib.sha256("\n".join(about).encode()).hexdigest()[:12]
        identifier = f"{self.sender}.{key.incident_id}.{key.kind}-{key.tier}.{mark}"
        body = xml(
            Message(
                identifier=identifier,
                sender=self.sender,
                sent=self.sent,
                status=self.meant,
                kind=told.kind,
                source=f"Ceasewatch {self.run['version']}",
                note=self._note(told),
                references=tuple(dict.fromkeys((self.sender, one.identifier, one.sent) for one in told.about)),
                incidents=(told.incident_id, *self.heirs.get(told.incident_id, ())),
                info=self._info(told.step) if told.step else None,
            )
        )
        self.files[f"{FOLDER}/{self.run['as_of']:%Y%m%dT%H%M%SZ}-{identifier.removeprefix(self.sender)[1:]}.xml"] = body
        self.rows.extend(Said(one.key, "", "Cancel", identifier, self.sent, self.meant).row() for one in told.gone)
        if told.step is None:
            return None
        said = Said(told.step.key, told.step.what, told.kind, identifier, self.sent, self.meant)
        self.rows.append(said.row())
        return said

    def _note(self, told: News) -> str:
        words = [
            *(f"{caveat[0].upper()}{caveat[1:]}." for caveat in caveats(self.run)),
            *(["Draft of a run that a person asked for."] if self.meant == "Draft" else []),
        ]
        if told.gone:
            gone = "; ".join(f"{one.key.kind}, tier {one.key.tier}, {one.what}" for one in told.gone)
            heirs = self.heirs.get(told.incident_id)
            words.append(f"By what is known now this did not come about: {gone}.")
            words.extend([f"It is part of {', '.join(heirs)}."] if heirs else [])
            words.extend([f"What stands: {told.step.what}."] if told.step else [])
        elif told.corrects and told.step:
            words.append(f"Corrects what was said of this step; by what is known now: {told.step.what}.")
        return " ".join(words)

    def _info(self, step: Step) -> Info:
        incident, key = self.incidents[step.key.incident_id], step.key
        ended, tier = key.kind == "ended", key.tier
        event = "Ceasefire breach ended" if ended else f"Ceasefire breach, tier {tier} ({TIER_LABELS[tier]})"
        where = _where(incident)
        due = incident["next_due"]
        certainty = (
            _END.get(incident["end"] or "", "Unknown")
            if ended
            else self.certainty.get((key.incident_id, step.seq), "Unknown")
        )
        return Info(
            event=event,
            urgency="Past" if ended else "Expected",
            severity=_SEVERITY[tier],
            certainty=certainty,
            effective=stamp(step.at),
            onset=stamp(incident["t0_from"]) if incident["t0_from"] is not None else None,
            sender_name=str(self.run["title"]),
            headline=f"{key.incident_id}: {event}{_SAYS[key.kind]}; {where}"[:_HEADLINE],
            description=f"{step.rule}: {step.reason}",
            instruction=f"{incident['next_due_what']} by {due:%Y-%m-%d %H:%M} UTC" if due is not None else "",
            parameters=(
                ("ceasewatch:step", key.kind),
                ("ceasewatch:tier", str(tier)),
                ("ceasewatch:rule", step.rule),
                ("ceasewatch:policy", step.policy_version),
                ("ceasewatch:run", str(self.run["run_id"])),
            ),
            area=where,
            circle=self._circle(key.incident_id),
        )


def _where(incident: Mapping[str, Any]) -> str:
    """Return segments and regions in words; no place is named, which would say more than a segment does."""
    segments = [one for one in str(incident["segments"] or "").split(", ") if one]
    named = {0: "beside no segment", 1: f"segment {segments[0] if segments else ''}"}.get(
        len(segments), f"segments {segments[0] if segments else ''} to {segments[-1] if segments else ''}"
    )
    return f"{named} ({incident['regions']})" if incident["regions"] else named


def _heirs(lineage: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return what names that are gone have become, or what an incident comes after."""
    found: dict[str, tuple[str, ...]] = {}
    for name, heir in zip(lineage["from_id"], lineage["to_id"], strict=True):
        if isinstance(heir, str) and isinstance(name, str):
            found[name] = tuple(dict.fromkeys((*found.get(name, ()), heir)))
    return found


def _certainty(content: Mapping[str, pd.DataFrame]) -> dict[tuple[str, int], str]:
    """Return how certain each step is: as the best established violation among those that carry it."""
    status = content["violations"].set_index("violation_id")["status"].map(_CERTAIN)
    rank = content["reports"].set_index("report_id")["violation_id"].map(status)
    proof = content["evidence"]
    proof = proof[proof["scenario"] == "any"]
    code, each = pd.factorize(proof["report_id"])
    level = rank.reindex(each.astype("str")).fillna(0).take(code).set_axis(proof.index)
    best = level.groupby([proof["incident_id"], proof["seq"]]).max().reset_index(name="level")
    told = zip(best["incident_id"], best["seq"], best["level"], strict=True)
    return {(str(name), int(seq)): _WORDS[int(level)] for name, seq, level in told}
