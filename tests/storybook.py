"""How is a story that an analyst wrote played, and what was to be seen?

A story is a file of ``tests/stories`` (``README.md`` there says how to read one). Where an item is corrected or
withdrawn, or written in local time, its lines go the whole way: plain CSV → reader → ledger → ``geo.assess``. Elsewhere
they are what a ledger would have made of them. Every moment that it looks at is answered with what was known then.
"""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import builders
import pandas as pd
import storypeople

from geo.assess import Assessment, assess
from geo.notices import compare
from geo.theatre import Source
from pipelines.ledger import Ledger
from pipelines.sources import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from geo.policy import Policy
    from geo.theatre import Theatre

Line = dict[str, str]

LOCAL: Final = Source(
    "local paper", "csv", "media", "local paper", "source", authoritative=True, radius_m=500.0, time_zone="Europe/Kyiv"
)
ZONES: Final = (builders.band(),)  # drawn once for all stories
STORY: Final = {"title", "tells", "hour_0", "policy", "truces", "reports", "exemptions", "decisions", "look"}
COLUMNS: Final = {
    "item", "at", "to", "by", "km", "off", "radius", "act", "weapon", "party", "origin", "arrives", "every", "until",
}  # fmt: skip
LOOK: Final = {"at", "known", "because", "incident", "candidates", "refused", "status", "news_since", "news"}
# What a story says of an incident → the published column.
SAID: Final = {
    "state": "state", "end": "end", "eligible": "tier_eligible", "effective": "tier_effective", "peak": "tier_peak",
    "declared": "tier_declared",
    "persistence": "persistence", "recurrence_of": "recurrence_of", "gap_covered": "gap_covered",
    "weak_link": "weak_link", "qualifying": "qualifying", "violations": "violations", "reports": "reports",
    "reports_public": "reports_public", "origins": "origins", "parties": "parties", "weapons": "weapons",
    "segments": "segments", "due_what": "next_due_what",
}  # fmt: skip
TIMES: Final = {
    "t0_from": "t0_from",
    "t0_to": "t0_to",
    "last": "last_observed",
    "due": "next_due",
    "t0_known": "t0_known_at",
}
OTHER: Final = {"name", "steps", "known", "pivotal", "counts", "attaches", "expansion", "extent_km"}


@dataclass(frozen=True)
class Story:
    """A story as written; times are hours after ``hour_0``."""

    name: str
    title: str
    tells: str
    hour_0: datetime
    changes: Mapping[str, Any]
    truces: tuple[tuple[str, str | None], ...]
    lines: tuple[Line, ...]
    looks: tuple[Mapping[str, Any], ...]
    notified: tuple[Line, ...] = ()
    decided: tuple[Line, ...] = ()

    def moment(self, text: str) -> datetime:
        """Return ``71:59`` or ``-2:00`` hours after the start."""
        sign, parts = (-1 if text.startswith("-") else 1), [int(part) for part in text.lstrip("-").split(":")]
        hours, minutes, seconds = (*parts, 0, 0)[:3]
        return self.hour_0 + sign * timedelta(hours=hours, minutes=minutes, seconds=seconds)

    def hours(self, at: pd.Timestamp | datetime) -> str:
        """Return a moment as a story writes it."""
        seconds = round((at - self.hour_0).total_seconds())
        minutes, second = divmod(abs(seconds), 60)
        tail = f":{second:02d}" if second else ""
        return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02d}{tail}"

    @cached_property
    def policy(self) -> Policy:
        """The readings and thresholds that hold in it."""
        return builders.policy(**self.changes)

    @cached_property
    def theatre(self) -> Theatre:
        """The ground on which it is played."""
        windows = [(self.moment(a), None if b is None else self.moment(b)) for a, b in self.truces]
        notified = storypeople.exemptions(self.notified, self.moment)
        return builders.theatre(windows=windows, sources=(*builders.SOURCES, LOCAL), zones=ZONES, exemptions=notified)


def load(path: Path) -> Story:
    """Read a story; a word that means nothing is an error, so that no expectation is passed over."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    _only(told, STORY, path.name)
    looks = tuple(told["look"])
    for look in looks:
        _only(look, LOOK, path.name)
        for incident in look.get("incident", ()):
            _only(incident, {*SAID, *TIMES, *OTHER}, path.name)
    return Story(
        path.stem,
        told["title"],
        told["tells"],
        datetime.fromisoformat(told.get("hour_0", "2026-02-01T00:00:00Z")).astimezone(UTC),
        told.get("policy", {}),
        tuple((a, b or None) for a, b in told.get("truces", [["0:00", ""]])),
        tuple(_repeated(table(told["reports"], path.name))),
        looks,
        tuple(table(told.get("exemptions", "| id |"), path.name, storypeople.EXEMPTIONS)),
        tuple(table(told.get("decisions", "| at |"), path.name, storypeople.DECISIONS)),
    )


def _only(said: Mapping[str, Any], known: set[str], where: str) -> None:
    assert not said.keys() - known, f"{where}: {sorted(said.keys() - known)} means nothing"


def table(text: str, where: str, columns: set[str] = COLUMNS) -> list[Line]:
    """Return the rows of a table drawn with ``|``; what is empty is left out."""
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in text.strip().splitlines()]
    head, *rows = cells
    _only(dict.fromkeys(head), columns, where)
    return [{name: cell for name, cell in zip(head, row, strict=True) if cell} for row in rows]


def _repeated(lines: list[Line]) -> Iterator[Line]:
    """Write out lines that say ``every`` and ``until``, and give a name to those that have none."""
    for n, line in enumerate(lines, 1):
        item = line.get("item", f"line {n}")
        if "every" not in line:
            yield {**line, "item": item}
            continue
        step, end = _minutes(line["every"]), _minutes(line["until"])
        for turn, minute in enumerate(range(_minutes(line["at"]), end + 1, step), 1):
            at = f"{minute // 60}:{minute % 60:02d}"
            plain = {name: cell for name, cell in line.items() if name not in {"every", "until"}}
            yield {**plain, "at": at, "item": f"{item} {turn}"}


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True, eq=False)
class Told:
    """What a ledger holds: stored reports, coverage, and how many lines were refused."""

    reports: pd.DataFrame
    coverage: pd.DataFrame
    refused: int


@dataclass(frozen=True, eq=False)
class Played:
    """A story that was told: what had been told by any moment, and the policy by which it is judged."""

    story: Story
    policy: Policy
    told: Callable[[datetime | None], Told]

    def by(self, known: str | None) -> Told:
        """Return what had been told by a moment of the story; ``None``: all that was ever told."""
        return self.told(None if known is None else self.story.moment(known))

    def answer(self, at: str, known: str | None) -> Assessment:
        """Assess a moment with what was known at another."""
        story, then, versions = self.story, self.by(known), builders.versions(self.policy)
        said = storypeople.commands(story.decided, story.moment)
        said = storypeople.known_by(said, None if known is None else story.moment(known))
        return assess(then.reports, then.coverage, story.theatre, versions, story.moment(at), said)

    def news(self, look: Mapping[str, Any]) -> list[str]:
        """Return what the knowledge of a look changed in what had been said of its moment before."""
        before, now = self.answer(look["at"], look["news_since"]), self.answer(look["at"], look.get("known"))
        at, known = (self.story.moment(look[name]) for name in ("at", "news_since"))
        found = compare(before.tables, now.tables, as_of=at, known_at=known)
        return sorted(f"{row.incident_id} {row.kind}" for row in found.itertuples())


def play(story: Story, folder: Path, policy: Policy | None = None) -> Played:
    """Tell a story's lines in the order of their arrival; those that arrive together in their own order."""
    chosen = policy or story.policy
    arrived = sorted(((_arrival(story, line), n, line) for n, line in enumerate(story.lines)), key=lambda row: row[:2])
    lines = [(at, line) for at, _, line in arrived]
    names = [line["item"] for line in story.lines]
    plain = len(set(names)) == len(names) and not any(_dated(line.get("at", "")) for line in story.lines)
    return Played(story, chosen, _stored(story, lines) if plain else _ledger(story, lines, chosen, folder))


def _stored(story: Story, lines: list[tuple[datetime, Line]]) -> Callable[[datetime | None], Told]:
    """Return what a ledger would hold of lines that are all new."""
    told = [(_frame_row(story, line, at, n), line) for n, (at, line) in enumerate(lines, 1)]
    beats = [{**row, "sees": line["act"] == "heartbeat"} for row, line in told if _is_beat(line)]
    stored = builders.reports(row for row, line in told if not _is_beat(line))
    names = ("observed_from", "observed_to", "lon", "lat", "source", "uncertainty_m", "known_at", "sees")
    watched = builders.coverage({name: beat[name] for name in names} for beat in beats)

    def by(known: datetime | None) -> Told:
        until = pd.Timestamp.max.tz_localize("UTC") if known is None else pd.Timestamp(known)
        return Told(stored[stored["known_at"] <= until], watched[watched["known_at"] <= until], 0)

    return by


def _frame_row(story: Story, line: Line, arrives: datetime, n: int) -> dict[str, Any]:
    lon, lat, radius_m = _place(line)
    begin = story.moment(line["at"])
    row = {
        "source": line["by"], "source_ref": line["item"], "first_no": n, "lon": lon, "lat": lat,
        "uncertainty_m": radius_m, "act": line.get("act", "strike"), "weapon": line.get("weapon"),
        "party_claimed": line.get("party"), "origin": line.get("origin"), "reported_at": arrives, "known_at": arrives,
    }  # fmt: skip
    stated = {name: value for name, value in row.items() if value is not None}
    return builders.report(begin, to=story.moment(line["to"]) if "to" in line else begin, **stated)


def _ledger(
    story: Story, lines: list[tuple[datetime, Line]], policy: Policy, folder: Path
) -> Callable[[datetime | None], Told]:
    """Put lines into a ledger as files of plain CSV, and return what it holds."""
    files: list[tuple[str, list[dict[str, str]]]] = []
    for at, line in lines:
        if not files or files[-1][0] != line["by"]:
            files.append((line["by"], []))
        files[-1][1].append(_row(story, line, at))
    ledger = Ledger.create(folder / f"{story.name}.sqlite", replay=True, recorded_at=story.hour_0)
    for n, (by, rows) in enumerate(files):
        source = story.theatre.source(by)
        assert source is not None, f"{story.name}: nobody is called {by!r}"
        reading = read(_csv(rows), source, story.theatre, policy, f"{n}.csv")
        ledger.append(
            reading, source=source, file_name=f"{n}.csv", sha256=f"{n:064x}", recorded_at=lines[-1][0], known="reported"
        )
    return lambda known: Told(ledger.reports(known), ledger.coverage(known), len(ledger.quarantine(known)))


def _is_beat(line: Line) -> bool:
    return line.get("act") in {"heartbeat", "outage"}


def _dated(text: str) -> bool:
    """Whether a moment is a calendar date or time, and no hours after the start."""
    return "-" in text.lstrip("-")


def _arrival(story: Story, line: Line) -> datetime:
    if "arrives" in line:
        return story.moment(line["arrives"])
    last = line.get("to", line.get("at", ""))
    assert not _dated(last), f"{story.name}: say when {line['item']!r} arrives"
    return story.moment(last) + timedelta(hours=1)


def _row(story: Story, line: Line, arrives: datetime) -> dict[str, str]:
    """Return the row of plain CSV that a line stands for."""
    lon, lat, radius_m = _place(line)
    return {
        "source_ref": "" if _is_beat(line) else line["item"],
        "observed_from": _written(story, line.get("at", "")),
        "observed_to": _written(story, line.get("to", "")),
        "lon": f"{lon:.7f}",
        "lat": f"{lat:.7f}",
        "uncertainty_m": f"{radius_m:g}",
        **{name: line.get(name, "") for name in ("act", "weapon", "party", "origin")},
        "reported_at": arrives.isoformat(),
    }


def _place(line: Line) -> tuple[float, float, float]:
    lon, lat = builders.place(float(line.get("km", "100")), float(line.get("off", "1")))
    return lon, lat, float(line.get("radius", "5000" if _is_beat(line) else "100"))


def _written(story: Story, text: str) -> str:
    """Return a moment as a source writes it; a calendar date or time stands as it is."""
    return text if not text or _dated(text) else story.moment(text).isoformat()


def _csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def differences(played: Played) -> list[str]:
    """Return everything in which what is to be seen differs from what a story says, a sentence each."""
    return [f"at {look['at']}, known {look.get('known', 'all')}: {said}" for look in played.story.looks
            for said in _look(played, look)]  # fmt: skip


def _look(played: Played, look: Mapping[str, Any]) -> Iterator[str]:
    found = played.answer(look["at"], look.get("known"))
    table = found.tables["incidents"]
    opened = table.loc[table["state"] != "candidate"]
    expected = {incident["name"]: incident for incident in look.get("incident", ())}
    if sorted(opened["incident_id"]) != sorted(expected):
        yield f"incidents are {sorted(opened['incident_id'])}, should be {sorted(expected)}"
    yield from _same("candidates", len(table) - len(opened), look.get("candidates"))
    yield from _same("refused", played.by(look.get("known")).refused, look.get("refused"))
    yield from _same("news", played.news(look) if "news" in look else None, sorted(look.get("news", ())))
    yield from _statuses(found, look.get("status", {}))
    for row in opened.to_dict("records"):
        if row["incident_id"] in expected:
            said = expected[row["incident_id"]]
            yield from (f"{said['name']}: {each}" for each in _incident(played.story, found, row, said))


def _same(what: str, found: Any, said: Any) -> Iterator[str]:  # noqa: ANN401 -- any plain values
    if said is not None and found is not None and found != said:
        yield f"{what} is {found}, should be {said}"


def _statuses(found: Assessment, said: Mapping[str, str]) -> Iterator[str]:
    status = found.tables["violations"].set_index("violation_id")["status"]
    told = found.tables["reports"].set_index("source_ref")["violation_id"]
    for item, expected in said.items():
        yield from _same(f"status of {item!r}", str(status.get(told[item], "none")), expected)


def _incident(story: Story, found: Assessment, row: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[str]:
    for word, column in {**SAID, **TIMES}.items():
        if word in said:
            cell = row[column]
            shown = "none" if pd.isna(cell) else story.hours(cell) if word in TIMES else cell
            yield from _same(word, shown, said[word])
    if "extent_km" in said:
        yield from _same("extent_km", round(row["extent_m"] / 1000, 1), said["extent_km"])
    if "expansion" in said and said["expansion"] not in str(row["expansion"]):
        yield f"expansion is {row['expansion']!r}, should say {said['expansion']!r}"
    steps = found.tables["transitions"]
    mine = steps.loc[steps["incident_id"] == said["name"]]
    for scenario, expected in said.get("steps", {}).items():
        yield from _same(f"steps, {scenario}", _steps(story, mine, scenario), expected)
    for word, when in said.get("known", {}).items():
        yield from _same(f"known, {word}", _known(story, mine).get(word), when)
    for word, items in said.get("pivotal", {}).items():
        yield from _same(f"pivotal, {word}", _pivotal(found, mine, word), sorted(items))
    for word, attached in (("counts", False), ("attaches", True)):
        if word in said:
            yield from _same(word, _items(found, said["name"], attached=attached), sorted(said[word]))


def _steps(story: Story, mine: pd.DataFrame, scenario: str) -> list[str]:
    rows = mine.loc[mine["scenario"] == scenario].sort_values("seq")
    return [f"{story.hours(row.at)} {_step(row.kind, row.tier_to)}" for row in rows.itertuples()]


def _step(kind: str, tier: int) -> str:
    return kind if kind in {"opened", "ended"} else f"{kind} {tier}"


def _known(story: Story, mine: pd.DataFrame) -> dict[str, str]:
    rows = mine.loc[mine["scenario"] == "any"]
    return {_step(row.kind, row.tier_to): story.hours(row.known_at) for row in rows.itertuples()}


def _pivotal(found: Assessment, mine: pd.DataFrame, word: str) -> list[str]:
    rows = mine.loc[mine["scenario"] == "any"]
    rows = rows.loc[[_step(row.kind, row.tier_to) == word for row in rows.itertuples()]]
    carried = found.tables["evidence"].merge(rows[["incident_id", "scenario", "seq"]])
    refs = found.tables["reports"].set_index("report_id")["source_ref"]
    return sorted(refs[carried.loc[carried["pivotal"].fillna(value=False).astype(bool), "report_id"]])


def _items(found: Assessment, name: str, *, attached: bool) -> list[str]:
    own = found.tables["violations"]
    own = own.loc[(own["incident_id"] == name) & (own["attached"].astype(bool) == attached), "violation_id"]
    told = found.tables["reports"]
    return sorted(told.loc[told["violation_id"].isin(own), "source_ref"])


def moved(story: Story, word: str, value: Any) -> Policy:  # noqa: ANN401 -- any value of the policy
    """Return a story's policy with one threshold moved."""
    return replace(story, changes={**story.changes, word: value}).policy
