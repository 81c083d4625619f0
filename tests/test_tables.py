"""Is the declaration of the layers sound, and are the layers made from it?"""

from __future__ import annotations

import re

import pandas as pd
import pytest
from builders import coverage, policy, report, reports, theatre, versions, when

from geo import columns, tables
from geo.assess import assess
from geo.tables import TABLES, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_layer_has_distinct_lower_case_columns_and_says_what_they_mean(table: Table) -> None:
    assert len({name.lower() for name in table.names}) == len(table.columns)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column.name) for column in table.columns)
    assert all(column.doc and not column.doc.endswith(".") for column in table.columns)
    assert not {"fid", "geom", "geometry"} & set(table.names)


def test_every_layer_of_an_assessment_is_exactly_as_declared() -> None:
    answer = assess(
        reports([report(1), report(30, source="media")]), coverage(), theatre(), versions(policy()), when(60)
    )
    elsewhere = {"quarantine", "notices", "exposure", "sides", "run"}
    assert set(answer.tables) == {table.name for table in TABLES} - elsewhere
    for name, frame in answer.tables.items():
        declared = tables.BY_NAME[name]
        geometry = ["geometry"] if declared.geometry else []
        assert list(frame.columns) == [*declared.names, *geometry], name
        for column in declared.columns:
            found = columns.plain(frame[column.name].dtype)
            assert found == pd.Series(dtype=tables.PANDAS[column.kind]).dtype, (name, column.name)
            if column.allowed:
                assert set(frame[column.name].dropna()) <= set(column.allowed), (name, column.name)


def test_a_stage_that_forgets_a_column_is_our_fault() -> None:
    with pytest.raises(KeyError):
        tables.conform(pd.DataFrame({"kind": ["merge"]}), tables.LINEAGE_TABLE)


def test_a_time_without_a_zone_is_never_taken_for_utc() -> None:
    frame = tables.empty(tables.LINEAGE_TABLE).assign(at=pd.Series([pd.Timestamp("2026-01-01")]))
    with pytest.raises(TypeError):
        tables.conform(pd.DataFrame({**frame, "at": [pd.Timestamp("2026-01-01")]}), tables.LINEAGE_TABLE)


def test_equal_texts_are_one_object_and_missing_ones_none() -> None:
    column = pd.Series(["a road", None, "a road", "b"], dtype="str")
    found = columns.texts(column)
    assert found == ["a road", None, "a road", "b"]
    assert found[0] is found[2]
