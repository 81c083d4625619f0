"""Does the digest of a frame depend on its values alone?"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from pipelines.frames import digest

WORDS = ["b", None, "", "\u00e4a", "b"]
PLAIN = pd.DataFrame({
    "text": pd.Series(WORDS, dtype="str"),
    "few": pd.Series(WORDS, dtype="category"),
    "count": pd.array([1, None, 0, -3, 2**53 + 1], "Int64"),
    "sure": pd.array([True, None, False, True, None], "boolean"),
    "metres": [0.5, None, 0.0, -1.0, 2.0],
    "at": pd.to_datetime(["2026-06-01", None, "1969-01-01", "2026-06-01 00:00:00.000001", None], utc=True,
                         format="ISO8601"),
})  # fmt: skip
POINTS = [shapely.Point(1, 2), None, shapely.Point(3, 4), None, shapely.Point(0, 0)]


def said(frame: pd.DataFrame) -> str:
    return digest([("some", frame)])


def other(name: str, row: int, value: object) -> pd.DataFrame:
    return PLAIN.assign(
        **{name: pd.Series([*PLAIN[name][:row], value, *PLAIN[name][row + 1 :]], dtype=PLAIN[name].dtype)}
    )


def test_how_values_are_stored_does_not_matter() -> None:
    twice = pd.concat([PLAIN, PLAIN], ignore_index=True)
    for rows in (twice.iloc[5:].reset_index(drop=True), twice.iloc[:5], pd.concat([PLAIN.iloc[:2], PLAIN.iloc[2:]])):
        assert said(rows) == said(PLAIN)
    hidden = pa.array(["b", "hidden", "", "\u00e4a", "b"], mask=PLAIN["text"].isna().to_numpy())
    assert said(PLAIN.assign(text=pd.Series(hidden, dtype="str"))) == said(PLAIN)
    more = PLAIN["few"].cat.add_categories(["aa"]).cat.reorder_categories(["aa", "\u00e4a", "b", ""])
    assert said(PLAIN.assign(few=more)) == said(PLAIN)
    count = PLAIN["count"].copy()
    count[1] = 7
    count[1] = None  # what stands where none is
    assert said(PLAIN.assign(count=count)) == said(PLAIN)


@pytest.mark.parametrize(
    ("name", "row", "value"),
    [
        ("text", 0, None), ("text", 1, ""), ("text", 2, "b"), ("few", 0, ""), ("count", 1, 0), ("count", 4, 2**53),
        ("sure", 1, False), ("metres", 1, 0.0), ("at", 3, pd.Timestamp("2026-06-01", tz="UTC")),
    ],
)  # fmt: skip
def test_another_value_gives_another_digest(name: str, row: int, value: object) -> None:
    assert said(other(name, row, value)) != said(PLAIN)


def test_words_that_are_cut_elsewhere_give_another_digest() -> None:
    one, two = (pd.DataFrame({"text": pd.Series(words, dtype="str")}) for words in (["ab", "c"], ["a", "bc"]))
    assert said(one) != said(two)


def test_shapes_count_by_their_row() -> None:
    placed = gpd.GeoDataFrame(PLAIN, geometry=POINTS, crs=4326)
    later = gpd.GeoDataFrame(PLAIN, geometry=[POINTS[0], POINTS[2], None, None, POINTS[4]], crs=4326)
    ground = gpd.GeoDataFrame(PLAIN, geometry=[shapely.box(0, 0, 1, 1), *POINTS[1:]], crs=4326)
    apart = gpd.GeoDataFrame(PLAIN, geometry=[shapely.box(0, 0, 1, 2), *POINTS[1:]], crs=4326)
    assert len({said(frame) for frame in (PLAIN, placed, later, ground, apart)}) == 5
