"""Does the ledger keep what was said, and say it again as it was known?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest
from ledger_world import HOUR, MEDIA, MISSION, T0, World, by_ref, reading, row, sha256

from geo.errors import PolicyError
from geo.reports import COVERAGE, INTAKE, STORED
from geo.tables import PANDAS, QUARANTINE
from pipelines.ledger import Ledger, canonical, raw_path, store_raw
from pipelines.ledger.recall import Asked
from pipelines.ledger.schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


# ---- what a report becomes ----


def test_every_intake_column_has_its_place_in_the_file() -> None:
    assert set(INTAKE) <= set(COLUMNS["entry"])


def test_frames_are_typed_as_declared_even_when_empty(world: World) -> None:
    for _ in range(2):
        assert dtypes(world.ledger.reports()) == STORED
        assert dtypes(world.ledger.coverage()) == COVERAGE
        assert dtypes(world.ledger.quarantine()) == {c.name: PANDAS[c.kind] for c in QUARANTINE.columns}
        world.take(row("a"), row(kind="heartbeat"), refused=[b"x"])


def test_a_report_comes_back_as_it_went_in(world: World) -> None:
    said = row(
        "a", weapon="mortar", direction="east", count_low=1, count_best=3, count_high=2**60, killed=0, injured=2,
        party_claimed="east", origin="patrol 7", reported_at=T0, text="three\x00hits\nП'ять 🚀", url="https://example.org",
    )  # fmt: skip
    world.take(said, row("b", lon=float("nan"), lat=float("nan"), text=None))
    found = by_ref(world.ledger.reports())
    for name, value in said.items():
        if name != "kind":
            assert found["a"][name] == value, name
    assert pd.isna(found["b"]["lon"])
    assert pd.isna(found["b"]["text"])
    assert pd.isna(found["b"]["count_best"])


def test_reports_are_named_after_their_first_ledger_number(world: World) -> None:
    world.ledger.put_document("theatre", b"one", T0)
    batch = world.take(row("a"), row("b"))
    assert (batch.first_no, batch.last_no) == (2, 3)
    found = world.ledger.reports()
    assert found["report_id"].tolist() == ["R-2", "R-3"]
    assert found["revision"].tolist() == [1, 1]
    assert found["recorded_at"].tolist() == [T0 + HOUR] * 2
    assert found["known_at"].tolist() == [T0 + HOUR] * 2


def test_the_same_content_again_is_a_duplicate_whoever_sends_it_again_and_however_often(world: World) -> None:
    world.take(row("a"), row(None), row("a"))
    batch = world.take(row("a"), row(None), row(None))
    assert (batch.rows, batch.duplicate, batch.new) == (3, 3, 0)
    assert (batch.first_no, batch.last_no) == (3, 2)
    assert world.ledger.counts() == {
        "rows": 6, "new": 2, "revision": 0, "duplicate": 4, "conflict": 0, "retraction": 0, "heartbeat": 0,
        "quarantined": 0,
    }  # fmt: skip


def test_the_same_id_or_content_from_another_source_is_another_item(world: World) -> None:
    world.take(row("a"), row(None))
    assert world.take(row("a"), row(None), source=MEDIA).new == 2


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"text": "caf\u00e9"}, {"text": "cafe\u0301"}, True),
        ({"lon": 0.0}, {"lon": -0.0}, True),
        ({"text": None}, {"text": ""}, False),
        ({"act": "a\x1f1:b"}, {"act": "a", "domain": "b"}, False),
        ({"lon": 37.5}, {"lon": 37.50000000000001}, False),
        ({"count_low": 1}, {"count_best": 1}, False),
        ({"reported_at": T0}, {"reported_at": None}, False),
    ],
)
def test_contents_are_equal_only_where_the_source_said_the_same(
    world: World, first: dict[str, object], second: dict[str, object], *, same: bool
) -> None:
    world.take(row(None, **first))
    assert world.take(row(None, **second)).duplicate == int(same)


def test_the_same_file_again_adds_nothing(world: World) -> None:
    args = {"source": MISSION, "file_name": "f", "sha256": sha256(b"f"), "recorded_at": T0}
    before = world.ledger.append(reading([row("a"), row("a")], [b"bad"]), **args)
    head = world.ledger.head()
    again = world.ledger.append(reading([row("z")]), **args)
    assert again.repeated
    assert not before.repeated
    assert (again.batch_no, again.rows, again.new, again.duplicate, again.quarantined) == (1, 3, 1, 1, 1)
    assert world.ledger.head() == head


def test_other_bytes_with_nothing_new_are_still_seen(world: World) -> None:
    world.take(row("a"))
    head = world.ledger.head()
    world.take(row("a"))
    assert world.ledger.head().ledger_no == head.ledger_no
    assert world.ledger.head().hash != head.hash
    assert world.ledger.counts()["duplicate"] == 1


# ---- revisions, conflicts, retractions ----


def test_rule_1_old_content_stays_a_duplicate_after_revision_and_retraction(world: World) -> None:
    world.take(row("a", lat=48.0))
    world.take(row("a", lat=48.1))
    assert world.take(row("a", lat=48.0)).duplicate == 1
    world.take(row("a", kind="retraction"))
    assert world.take(row("a", lat=48.0), row("a", lat=48.1)).duplicate == 2
    assert world.ledger.reports().empty


def test_rule_2_a_retraction_takes_back_what_stands_and_only_that(world: World) -> None:
    early = world.take(row("a", kind="retraction"), row(None, kind="retraction"))
    assert early.quarantined == 2
    assert world.ledger.quarantine()["reason_code"].tolist() == ["unknown_item", "no_source_ref"]
    assert "take in the file that reports it first" in world.ledger.quarantine()["reason"][0]
    world.take(row("a"))
    assert world.take(row("a", kind="retraction")).retraction == 1
    assert world.take(row("a", kind="retraction", text="again")).duplicate == 1
    assert world.ledger.reports().empty
    assert len(world.ledger.reports(T0 + 2 * HOUR)) == 1


def test_rule_4_an_authoritative_source_revises_and_what_decides_has_a_date(world: World) -> None:
    world.take(row("a", lat=48.0))  # no. 1
    world.take(row("a", lat=48.0, text="two killed", killed=2))  # no. 2: nothing that decides
    assert by_ref(world.ledger.reports())["a"]["stands_no"] == 1
    world.take(row("a", lat=48.1))  # no. 3: another place
    world.take(row("a", lat=48.1, url="https://example.org"))  # no. 4
    found = by_ref(world.ledger.reports())["a"]
    assert (found["ledger_no"], found["first_no"], found["stands_no"], found["revision"]) == (4, 1, 3, 4)
    assert (found["recorded_at"], found["known_at"]) == (T0 + 4 * HOUR, T0 + 3 * HOUR)
    assert found["report_id"] == "R-1"
    assert not found["disputed"]


def test_what_several_states_of_knowledge_share_is_read_once(world: World) -> None:
    world.take(row("a", lat=48.0), row("b"))
    world.take(row("a", lat=48.1))
    every, early, upto = Asked(None, None, {}), Asked(T0 + HOUR, None, {}), Asked(None, 2, {})
    late = Asked(None, None, {MISSION.id: T0 + 2 * HOUR})
    asked = [every, early, upto, Asked(T0 + 9 * HOUR, 3, {}), late]
    found = world.ledger.states(asked)
    for one, frame in zip(asked, found, strict=True):
        assert frame.equals(world.ledger.reports(one.known_at, up_to_no=one.up_to_no, suspended=one.suspended))
    assert [frame["ledger_no"].tolist() for frame in found] == [[2, 3], [1, 2], [1, 2], [2, 3], [1, 2]]
    assert found[0] is found[3]
    assert found[1] is found[2]


def test_rule_4_a_retraction_in_between_breaks_the_run(world: World) -> None:
    world.take(row("a"), row("a", kind="retraction"), row("a", text="after all"))
    found = by_ref(world.ledger.reports())["a"]
    assert (found["ledger_no"], found["first_no"], found["stands_no"], found["revision"]) == (3, 1, 3, 2)
    world.take(row("a", kind="retraction"))
    world.take(row("a", text="and again"))
    assert by_ref(world.ledger.reports())["a"]["stands_no"] == 5


def test_rule_5_without_authority_other_content_is_a_conflict_and_both_are_kept(world: World) -> None:
    world.take(row("a", lat=48.0), row("b"), source=MEDIA)
    batch = world.take(row("a", lat=48.1), source=MEDIA)
    assert (batch.conflict, batch.revision) == (1, 0)
    found = world.ledger.reports()
    assert found["report_id"].tolist() == ["R-1", "R-2", "R-3"]
    assert found["disputed"].tolist() == [True, False, True]
    assert found["revision"].tolist() == [1, 1, 1]
    assert not world.ledger.reports(T0 + HOUR)["disputed"].any()
    world.take(row("a", kind="retraction"), source=MEDIA)
    assert world.ledger.reports()["report_id"].tolist() == ["R-2"]
    world.take(row("a", lat=48.2), source=MEDIA)
    assert world.ledger.reports()["report_id"].tolist() == ["R-2", "R-5"]


def test_within_one_file_the_rules_apply_row_by_row(world: World) -> None:
    batch = world.take(
        row("a", lat=1.0), row("a", lat=2.0), row("a", lat=1.0), row("a", kind="retraction"),
        row("a", kind="retraction"), row("a", lat=3.0), row("b", kind="retraction"), row("b"),
    )  # fmt: skip
    assert (batch.new, batch.revision, batch.duplicate, batch.retraction, batch.quarantined) == (2, 2, 2, 1, 1)
    found = by_ref(world.ledger.reports())
    assert (found["a"]["lat"], found["a"]["revision"], found["a"]["ledger_no"]) == (3.0, 3, 4)


def test_heartbeats_and_outages_are_coverage_once(world: World) -> None:
    beat, gap = row("cam", kind="heartbeat"), row("cam", kind="outage")
    batch = world.take(beat, gap, beat)
    assert (batch.heartbeat, batch.duplicate) == (2, 1)
    assert world.take(beat).duplicate == 1
    assert world.ledger.coverage()["sees"].tolist() == [True, False]
    assert world.ledger.coverage(T0).empty
    assert world.ledger.reports().empty


# ---- times ----


def test_a_clock_that_steps_back_never_moves_recorded_at_back(world: World) -> None:
    world.take(row("a"), at=T0 + 5 * HOUR)
    world.take(row("b"), at=T0 + HOUR)
    world.ledger.put_document("policy", b"x", T0 - 100 * HOUR)
    assert world.ledger.reports()["recorded_at"].tolist() == [T0 + 5 * HOUR] * 2
    assert world.ledger.documents("policy")[0].recorded_at == T0 + 5 * HOUR


def test_only_a_replay_ledger_imports_the_knowledge_time_of_its_sources(world: World, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="init --replay"):
        world.take(row("a"), known="observed")
    with pytest.raises(PolicyError, match="one of recorded"):
        world.take(row("a"), known="guessed")
    (tmp_path / "r").mkdir()
    replay = World(tmp_path / "r", replay=True)
    assert replay.ledger.replay
    old, told = T0 - 48 * HOUR, T0 - 24 * HOUR
    replay.take(row("a", observed_to=old, reported_at=told), known="observed")
    replay.take(row("b", observed_to=old, reported_at=told), row("c", observed_to=old), known="reported")
    replay.take(row("d", observed_to=old))
    found = by_ref(replay.ledger.reports())
    assert [found[ref]["known_at"] for ref in "abcd"] == [old, told, old, T0 + 3 * HOUR]
    assert replay.ledger.reports(old)["source_ref"].tolist() == ["a", "c"]
    assert replay.ledger.head(old).ledger_no == 3
    replay.close()


def test_a_later_revision_is_never_known_before_the_one_that_it_revises(tmp_path: Path) -> None:
    replay = World(tmp_path, replay=True)
    for told, text in ((T0, "one"), (T0 - HOUR, "two"), (T0 - 2 * HOUR, "three")):
        replay.take(row("a", reported_at=told, text=text), known="reported")
    assert replay.ledger.reports(T0 - HOUR).empty
    assert replay.ledger.reports(T0)["text"].tolist() == ["three"]
    replay.close()


# ---- documents, heads, items ----


def test_a_document_is_kept_once_a_version(world: World) -> None:
    assert world.ledger.put_document("theatre", b"one", T0) == 1
    assert world.ledger.put_document("theatre", b"one", T0) is None
    assert world.ledger.put_document("policy", b"one", T0) == 2
    assert world.ledger.put_document("theatre", b"two", T0 + HOUR) == 3
    assert world.ledger.put_document("theatre", b"one", T0 + HOUR) == 4
    assert [(d.ledger_no, d.body) for d in world.ledger.documents("theatre")] == [(1, b"one"), (3, b"two"), (4, b"one")]
    assert world.ledger.documents("theatre")[0].sha256 == sha256(b"one")


def test_documents_that_are_put_together_are_recorded_all_or_none(world: World) -> None:
    def cut_short() -> Iterator[bytes]:
        yield b"one"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.ledger.put_documents("review", cut_short(), T0)
    assert world.ledger.documents("review") == []
    assert world.ledger.put_documents("review", [b"one", b"one", b"two"], T0) == [1, 2, 3]
    assert [document.body for document in world.ledger.documents("review")] == [b"one", b"one", b"two"]
    assert world.ledger.verify(world.raw) == []


def test_the_same_rows_have_the_head_that_they_always_had(world: World) -> None:
    odd = (float("nan"), -1.5, 1e-7, 1e16, 0.1 + 0.2, 5e-324, 123456789.0, 37.5)
    texts = ("é", "e\u0301", "", None, "a:b\x1f", "縦", "-", " ")
    rows = [row(f"r-{n}", lon=lon, text=text) for n, (lon, text) in enumerate(zip(odd, texts, strict=True))]
    news = [row(None, count_low=3), row("r-7", lon=1.0), row("r-1", kind="retraction"), row(kind="outage")]
    world.take(*rows, *news, refused=[b"\xff"])
    world.take(row("r-0", killed=2), row("r-0", lat=48.2), source=MEDIA)
    assert world.ledger.head().hash == "f4007e03070214f2a393427ed6a6a151ddd90977bac3231bfcea98c38b3506c1"
    assert world.ledger.verify(world.raw) == []


def test_minus_zero_is_no_change_of_what_was_written(world: World) -> None:
    world.take(row("a", lon=-0.0, uncertainty_m=-0.0))
    assert world.ledger.verify(world.raw) == []


def test_bytes_in_pieces_are_hex_digits_and_bytes_again() -> None:
    digests = [bytes([n]) * 32 for n in range(7)]
    column = pa.chunked_array([digests[:3], [], digests[2:]]).slice(1)
    text = canonical.hexed(column)
    assert text.tolist() == [digest.hex() for digest in column.to_pylist()]
    assert canonical.unhexed(text[2:5]).to_pylist() == column.to_pylist()[2:5]
    assert canonical.unhexed(canonical.hexed(pa.array([], pa.binary()))).to_pylist() == []


def test_publishing_moves_the_head_and_not_the_inputs(world: World) -> None:
    world.take(row("a"))
    before = world.ledger.head()
    assert world.ledger.put_publication(b"map", T0 + 2 * HOUR) == 2
    after = world.ledger.head()
    assert (before.inputs_no, before.inputs_hash) == (after.inputs_no, after.inputs_hash) == (1, before.inputs_hash)
    assert (after.ledger_no, after.hash) != (before.ledger_no, before.hash)
    assert world.ledger.head(T0 + HOUR) == before
    world.take(row("a"))
    assert world.ledger.head().inputs_hash != before.inputs_hash
    assert [d.body for d in world.ledger.publications()] == [b"map"]


def test_every_ledger_number_resolves(world: World) -> None:
    world.ledger.put_document("theatre", b"one", T0)
    world.take(row("a"), row("a", text="x"), row("a", kind="retraction"), row(kind="outage"))
    kinds = [world.ledger.item(number) for number in range(1, 7)]
    assert [each and each["kind"] for each in kinds] == ["theatre", "new", "revision", "retraction", "outage", None]
    assert kinds[2] is not None
    assert (kinds[2]["report_id"], kinds[2]["source"], kinds[2]["source_ref"]) == ("R-2", "mission", "a")
    assert kinds[2]["recorded_at"] == T0 + HOUR


def test_refused_rows_keep_their_bytes_in_the_ledger_and_their_reason_in_the_answer(world: World) -> None:
    world.take(row("a"), refused=[b"\xff\x00bad"])
    found = world.ledger.quarantine().to_dict("records")[0]
    assert (found["batch_no"], found["source"], found["file"], found["row_no"]) == (1, "mission", "1.csv", 2)
    assert found["reason_code"] == "bad_place"
    assert world.ledger.quarantine(T0).empty
    assert world.ledger.verify(world.raw) == []


# ---- opening ----


def test_a_reader_sees_one_state_whatever_is_appended_meanwhile(world: World) -> None:
    world.take(row("a"))
    with Ledger.open(world.path) as reader:
        world.take(row("b"))
        assert len(reader.reports()) == 1
        assert reader.head().ledger_no == 1
        with pytest.raises(RuntimeError, match="write=True"):
            reader.put_document("theatre", b"x", T0)
    with Ledger.open(world.path) as reader:
        assert len(reader.reports()) == 2


def test_what_is_no_ledger_is_refused_with_a_sentence(world: World, tmp_path: Path) -> None:
    world.close()
    with pytest.raises(PolicyError, match="there is a ledger already"):
        Ledger.create(world.path, replay=False, recorded_at=T0)
    with pytest.raises(PolicyError, match="ceasewatch init"):
        Ledger.open(tmp_path / "none", write=True)
    (tmp_path / "text").write_bytes(b"no database, but long enough to be looked at " * 10)
    with pytest.raises(PolicyError, match="cannot be opened"):
        Ledger.open(tmp_path / "text")
    (tmp_path / "empty").touch()
    with pytest.raises(PolicyError, match="is no ledger"):
        Ledger.open(tmp_path / "empty", write=True)


def test_a_naive_time_is_our_fault(world: World) -> None:
    with pytest.raises(ValueError, match="naive"):
        world.take(row("a"), at=T0.replace(tzinfo=None))
    assert world.take(row("a")).new == 1


# ---- raw bytes ----


def test_raw_bytes_are_kept_once_under_their_sha256(tmp_path: Path) -> None:
    name = store_raw(tmp_path / "raw", b"bytes")
    path = raw_path(tmp_path / "raw", name)
    assert (name, path) == (sha256(b"bytes"), tmp_path / "raw" / name[:2] / name)
    stamp = path.stat().st_mtime_ns
    assert store_raw(tmp_path / "raw", b"bytes") == name
    assert path.stat().st_mtime_ns == stamp
    path.write_bytes(b"rot")
    store_raw(tmp_path / "raw", b"bytes")
    assert path.read_bytes() == b"bytes"
    assert [each.name for each in path.parent.iterdir()] == [name]


def test_erased_bytes_are_said_accepted_where_a_person_ordered_it_and_not_brought_back(world: World) -> None:
    world.take(row("a"))
    path = raw_path(world.raw, sha256(b"file 1"))
    path.rename(path.with_name(path.name + ".erased"))
    assert "was erased, and nobody ordered that" in world.ledger.verify(world.raw)[0]
    world.ledger.erase(world.raw, sha256(b"file 1"), who="Reviewer", why="asked for", recorded_at=T0)
    assert world.ledger.verify(world.raw) == []
    assert "erased on order" in world.ledger.erased(world.raw)[0]
    store_raw(world.raw, b"file 1")
    assert not path.exists()


def test_the_same_bytes_are_judged_again_once_the_settings_have_changed(world: World) -> None:
    world.ledger.put_document("theatre", b"a wrong time zone", T0)
    assert world.take(row("a"), refused=[b"b"], data=b"one file").quarantined == 1
    assert world.take(row("a"), refused=[b"b"], data=b"one file").repeated
    world.ledger.put_document("theatre", b"the right one", T0)
    again = world.take(row("a"), row("b"), data=b"one file")
    assert (again.repeated, again.duplicate, again.new) == (False, 1, 1)
