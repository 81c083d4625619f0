"""Rasters say what lies under a footprint, by hand-computed sums, and what they do not know stays unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cells
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import Geod, Transformer
from rasterio.transform import Affine

from geo.errors import PolicyError
from geo.theatre import Raster
from pipelines import surfaces
from pipelines.layers import read_table
from pipelines.settings import load_theatre, read_folder
from pipelines.settings.files import file_hash
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

UTM = "EPSG:32637"  # metres; the square below is 1,000 m cells from (400000, 5320000) to the south-east
EAST, NORTH, CELL = 400_000.0, 5_320_000.0, 1000.0
COUNTS = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, -1, 12], [13, 14, 15, 16]], float)  # -1: nodata
TO_DEGREES = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)


def tif(path: Path, values: Any = COUNTS, **profile: Any) -> Path:  # noqa: ANN401 -- a profile of rasterio
    """Write a GeoTIFF; what is not said is the square above."""
    bands = np.atleast_3d(np.asarray(values).T).T
    plain = {
        "driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype,
        "crs": UTM, "transform": Affine(CELL, 0, EAST, 0, -CELL, NORTH), "nodata": -1,
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **{**plain, **profile}) as file:
        file.write(bands)
    return path


def declared(path: Path, kind: str = "population", statistic: str | None = "sum") -> Raster:
    return Raster("r", kind, path.name, "people", statistic, file_hash(path))  # type: ignore[arg-type] -- plain texts


def area(west: float, south: float, east: float, north: float) -> Any:  # noqa: ANN401 -- a shape
    """Return a box of metres from the square's north-western corner (south: negative), in degrees."""
    box = shapely.segmentize(shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north), 100)
    return shapely.transform(box, lambda xy: np.column_stack(TO_DEGREES.transform(xy[:, 0], xy[:, 1])))


def under(path: Path, *grounds: Any, **what: Any) -> list[tuple[float, float]]:  # noqa: ANN401 -- shapes
    found = surfaces.under(path.parent, declared(path, **what), np.array(grounds, object))
    return [(round(value, 3), round(share, 4)) for value, share in zip(*found, strict=True)]


def at(path: Path, *metres: tuple[float, float], **what: Any) -> list[float]:  # noqa: ANN401
    x, y = np.array(metres).T
    lon, lat = TO_DEGREES.transform(EAST + x, NORTH + y)
    value, share = surfaces.at(path.parent, declared(path, **what), lon, lat)
    assert (share == np.isfinite(value)).all()
    return value.tolist()


def test_a_sum_counts_each_cell_by_its_covered_share(tmp_path: Path) -> None:
    path = tif(tmp_path / "p.tif")
    whole, half, corner = area(0, -2000, 2000, 0), area(500, -1000, 2000, 0), area(1500, -1500, 2500, -500)
    assert under(path, whole, half, corner) == [
        (1 + 2 + 5 + 6, 1.0),
        (0.5 * 1 + 2, 1.0),
        (0.25 * (2 + 3 + 6 + 7), 1.0),
    ]


def test_what_is_not_known_is_not_nothing(tmp_path: Path) -> None:
    path = tif(tmp_path / "p.tif")
    partly, wholly, beyond = (
        area(1000, -3000, 3000, -2000),
        area(2100, -2900, 2900, -2100),
        area(3000, -4000, 5000, -2000),
    )
    assert under(path, partly, beyond) == [(10.0, 0.5), (12 + 16, 0.5)]
    [(value, share)] = under(path, wholly)
    assert np.isnan(value)
    assert share == 0
    for nowhere in (area(90_000, 0, 91_000, 1000), shapely.box(-53, 0, -51, 90)):  # the latter beyond the projection
        [(value, share)] = under(path, nowhere)
        assert np.isnan(value)
        assert share == 0


def test_not_a_number_is_unknown_too(tmp_path: Path) -> None:
    values = np.where(COUNTS < 0, np.nan, COUNTS)
    path = tif(tmp_path / "p.tif", values, nodata=None)
    assert under(path, area(1000, -3000, 3000, -2000)) == [(10.0, 0.5)]
    assert np.isnan(at(path, (2500, -2500))).all()


def test_a_nobody_is_known(tmp_path: Path) -> None:
    path = tif(tmp_path / "p.tif", np.zeros((4, 4)))
    assert under(path, area(0, -2000, 2000, 0)) == [(0.0, 1.0)]


def test_a_majority_and_a_mean(tmp_path: Path) -> None:
    classes = np.array([[1, 1, 2, 2], [3, 3, 3, 2], [3, 3, 3, 2], [1, 1, 0, 0]], np.uint8)
    path = tif(tmp_path / "c.tif", classes, nodata=0)
    ground = area(0, -3000, 4000, 0)
    assert under(path, ground, kind="land_cover", statistic="majority") == [(3.0, 1.0)]
    assert under(path, area(0, -4000, 4000, -3000), kind="land_cover", statistic="majority") == [(1.0, 0.5)]
    assert under(path, area(0, -1000, 3000, 0), statistic="mean") == [(round(4 / 3, 3), 1.0)]


def test_in_degrees_a_mean_weighs_cells_by_their_area(tmp_path: Path) -> None:
    values = np.array([[0.0], [100.0]])
    path = tif(tmp_path / "d.tif", values, crs="EPSG:4326", transform=Affine(10, 0, 30, 0, -20, 80))
    ground = shapely.box(30, 40, 40, 80)
    geod = Geod(ellps="sphere")
    north, south = (
        abs(geod.geometry_area_perimeter(shapely.segmentize(shapely.box(30, s, 40, s + 20), 0.1))[0]) for s in (60, 40)
    )
    [(mean, share)] = under(path, ground, statistic="mean")
    assert mean == pytest.approx(100 * south / (north + south), abs=0.1)
    assert share == 1


def test_a_point_has_the_value_of_its_cell(tmp_path: Path) -> None:
    path = tif(tmp_path / "p.tif")
    points = [(500, -500), (1500, -500), (3999, -3999), (2500, -2500), (-1, -500), (500, 1), (4001, -500)]
    assert at(path, *points)[:3] == [1.0, 2.0, 16.0]
    assert np.isnan(at(path, *points)[3:]).all()
    lon, lat = np.array([np.nan]), np.array([np.nan])
    assert np.isnan(surfaces.at(tmp_path, declared(path), lon, lat).value).all()


def test_a_large_raster_is_read_in_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 100, (700, 900)).astype(np.int32)
    path = tif(tmp_path / "p.tif", values, transform=Affine(10, 0, EAST, 0, -10, NORTH), scales=None)
    read, largest = rasterio.DatasetReader.read, []

    def spy(self: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        cells_read = read(self, *args, **more)
        largest.append(cells_read.size)
        return cells_read

    class Spied(rasterio.DatasetReader):
        read = spy

    monkeypatch.setattr(rasterio.io, "DatasetReader", Spied)
    monkeypatch.setattr("rasterio.DatasetReader", Spied)
    column, row = rng.integers(0, 900, 2000), rng.integers(0, 700, 2000)
    found = at(path, *zip(column * 10 + 5.0, -row * 10 - 5.0, strict=True))
    assert found == values[row, column].tolist()
    assert largest
    assert max(largest) <= 256 * 256


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ({"values": np.stack([COUNTS, COUNTS])}, "has 2 bands; keep the one that is meant"),
        ({"crs": None}, "does not say its reference system"),
        ({"transform": Affine(800, 100, EAST, 100, -800, NORTH)}, "does not have north up"),
        ({"transform": Affine(CELL, 0, EAST, 0, CELL, NORTH)}, "does not have north up"),
        ({"driver": "GPKG", "values": COUNTS.astype(np.uint8), "nodata": None}, "cannot be read as GeoTIFF"),
        ({"values": COUNTS.astype(complex)}, "holds complex numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_what_cannot_be_used_is_named(tmp_path: Path, profile: dict[str, Any], sentence: str) -> None:
    path = tif(tmp_path / "p.tif", **profile)
    with pytest.raises(PolicyError, match=sentence) as error:
        surfaces.check(tmp_path, [declared(path)])
    assert "raster 'r' (p.tif)" in str(error.value)


def test_a_file_that_names_others_is_not_followed(tmp_path: Path) -> None:
    tif(tmp_path / "p.tif")
    vrt = tmp_path / "v.tif"
    vrt.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1"/></VRTDataset>')
    with pytest.raises(PolicyError, match="cannot be read as GeoTIFF"):
        surfaces.check(tmp_path, [declared(vrt)])


def test_a_damaged_or_missing_or_other_file_is_named(tmp_path: Path) -> None:
    path = tif(tmp_path / "p.tif", np.arange(4_000_000.0).reshape(2000, 2000), nodata=None)
    raster = declared(path)
    path.write_bytes(path.read_bytes()[:20_000_000])
    with pytest.raises(PolicyError, match="is not the file that was recorded"):
        surfaces.check(tmp_path, [raster])
    with pytest.raises(PolicyError, match="is damaged"):
        at(path, (1_999_500.0, -1_999_500.0))
    path.unlink()
    with pytest.raises(PolicyError, match="is not there"):
        surfaces.check(tmp_path, [raster])


def test_fewer_than_nobody_is_an_undeclared_nodata(tmp_path: Path) -> None:
    path = tif(tmp_path / "p.tif", nodata=None)
    for ask in (lambda: under(path, area(0, -4000, 4000, 0)), lambda: at(path, (2500, -2500))):
        with pytest.raises(PolicyError, match="holds -1 people in a cell; say which value means unknown"):
            ask()


# --- In a workspace ---


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a theatre's folder with a population raster of 100 m cells around its line, 2 people in each."""
    folder = tmp_path / "home"
    files = {**cells.files(), "theatre.toml": cells.files()["theatre.toml"] + DECLARATION}
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    people(folder, 2)
    return folder


DECLARATION = b"""
[[rasters]]
id = "people"
kind = "population"
file = "rasters/people.tif"
unit = "people a cell"
statistic = "sum"
"""


def people(folder: Path, each: float) -> None:
    lon, lat = (place.item() for place in cells.theatre().baselines[0].at(30_000.0, 1000.0))
    x, y = TO_DEGREES.transform(lon, lat, direction="INVERSE")
    where = Affine(100, 0, round(x) - 10_000, 0, -100, round(y) + 10_000)
    tif(folder / "rasters" / "people.tif", np.full((200, 200), each, np.float32), transform=where)


def made(home: Path, path: Path) -> Workspace:
    return Workspace.create(path, read_folder(home), "home", replay=False, at=cells.at(0), home=home)


def test_incidents_say_how_many_people_live_under_them(home: Path, tmp_path: Path) -> None:
    place = made(home, tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), cells.Clock(40))
    file = cells.run(place, cells.Clock(41)).file
    row = read_table(file, "incidents").iloc[0]
    square_m = abs(Geod(ellps="WGS84").geometry_area_perimeter(row["geometry"])[0])
    assert row["people"] == pytest.approx(2 * square_m / 100**2, rel=2e-3)  # the map's scale is within 0.1 %
    assert row["people_known_share"] == pytest.approx(1)
    assert read_table(file, "incident_points")["people"].iloc[0] == row["people"]
    told = read_table(file, "exposure")
    assert told["raster_id"].unique().tolist() == ["people"]
    assert told.loc[told["incident_id"] == row["incident_id"], "value"].tolist() == [row["people"]]
    reports = read_table(file, "reports")["report_id"].tolist()
    at_reports = told[told["report_id"].notna()]
    assert at_reports["report_id"].tolist() == reports
    assert (at_reports["value"] == 2).all()
    assert set(at_reports["statistic"]) == {"cell"}


def test_another_raster_is_another_theatre_and_changes_no_earlier_answer(home: Path, tmp_path: Path) -> None:
    place = made(home, tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), cells.Clock(40))
    was = cells.run(place, cells.Clock(41))
    before = read_table(was.file, "incidents")["people"].iloc[0]
    assert cells.run(place, cells.Clock(41)).run_id == was.run_id
    people(place.theatre, 3)
    now = cells.run(place, cells.Clock(60), as_of=41)
    assert now.run_id != was.run_id
    assert read_table(now.file, "incidents")["people"].iloc[0] == pytest.approx(1.5 * before)
    with pytest.raises(PolicyError, match="is not the file that was recorded"):
        cells.run(place, cells.Clock(61), known_at=41)
    people(place.theatre, 2)
    again = cells.run(place, cells.Clock(62), known_at=41)
    assert read_table(again.file, "incidents")["people"].iloc[0] == before


def test_a_raster_that_cannot_be_used_is_refused_before_any_work(home: Path, tmp_path: Path) -> None:
    place = made(home, tmp_path / "ws")
    tif(place.theatre / "rasters" / "people.tif", crs=None)
    with pytest.raises(PolicyError, match="does not say its reference system"):
        place.remember(cells.Clock(1))
    (place.theatre / "rasters" / "people.tif").unlink()
    with pytest.raises(PolicyError, match=r"rasters/people\.tif: cannot be read \(No such file"):
        place.remember(cells.Clock(1))
    (home / "rasters" / "people.tif").write_bytes(b"no raster")
    with pytest.raises(PolicyError, match="cannot be read as GeoTIFF"):
        made(home, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_large_raster_may_stay_where_it_is(home: Path, tmp_path: Path) -> None:
    far = tmp_path / "far.tif"
    (home / "rasters" / "people.tif").rename(far)
    text = (home / "theatre.toml").read_text().replace("rasters/people.tif", str(far))
    (home / "theatre.toml").write_text(text)
    place = made(home, tmp_path / "ws")
    assert not (place.theatre / "rasters").exists()
    assert place.remember(cells.Clock(1)) == ()


def test_without_rasters_nothing_is_known_of_people(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), cells.Clock(40))
    file = cells.run(place, cells.Clock(41)).file
    assert read_table(file, "incidents")["people"].isna().all()
    assert len(read_table(file, "exposure")) == 0


def test_a_table_of_exposure_survives_without_incidents() -> None:
    from geo import exposure, tables  # noqa: PLC0415

    nothing = {name: tables.empty(tables.BY_NAME[name]) for name in ("incidents", "reports")}
    raster = Raster("r", "population", "f", "people", "sum", "")
    none = exposure.Measured(np.empty(0), np.empty(0))
    told = exposure.layer(nothing["incidents"], nothing["reports"], (raster,), {"r": none}, {"r": none})
    pd.testing.assert_frame_equal(told, tables.empty(tables.EXPOSURE))


PLAIN = DECLARATION.decode()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"population"', '"wealth"', "[[rasters]] people kind: should be 'population', 'land_cover' or 'heat_sources'"),
        ('statistic = "sum"', "", "[[rasters]] people statistic: is missing; add it: sum or mean."),
        ('"sum"', '"majority"', "people statistic: 'majority' has no meaning for population; use sum or mean."),
        ('"population"', '"heat_sources"', "people statistic: 'sum' has no meaning for heat_sources; remove it."),
        ("rasters/people.tif", "../people.tif", "people file: '../people.tif' is neither; give a path inside"),
        ("rasters/people.tif", "https://x/p.tif", "people file: 'https://x/p.tif' is neither"),
        ("rasters/people.tif", "rasters/none.tif", "rasters/none.tif: cannot be read (No such file or directory)"),
        ("rasters/people.tif", "rasters", "rasters: cannot be read (Is a directory)"),
        ("unit =", "units =", "[[rasters]] people units: is not a known key"),
        (PLAIN, PLAIN + PLAIN, "[[rasters]] people: stands twice"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_named(home: Path, old: str, new: str, sentence: str) -> None:
    text = (home / "theatre.toml").read_text()
    assert old in text
    head, _, tail = text.rpartition("[[rasters]]")
    (home / "theatre.toml").write_text(head + ("\n[[rasters]]" + tail).replace(old, new))
    with pytest.raises(PolicyError) as error:
        load_theatre(read_folder(home), "x")
    assert sentence in str(error.value)


# --- Permanent heat ---


def heat(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    act, x, y, radius = zip(*rows, strict=True)
    lon, lat = TO_DEGREES.transform(EAST + np.array(x), NORTH + np.array(y))
    return pd.DataFrame({"act": act, "lon": lon, "lat": lat, "uncertainty_m": radius})


def test_heat_is_explained_where_a_source_lies_in_its_footprint(tmp_path: Path) -> None:
    works = np.array([[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [255, 255, 255, 255]], np.uint8)
    path = tif(tmp_path / "h.tif", works, nodata=255)
    mask = declared(path, "heat_sources", None)
    seen = heat(
        ("heat", 2500, -1500, 100),
        ("heat", 1500, -1500, 490),
        ("heat", 1500, -1500, 510),
        ("strike", 2500, -1500, 100),
        ("heat", 500, -3500, 100),
        ("heat", np.nan, 0, 100),
        ("heat", 2500, -1500, np.nan),
        ("heat", 99_000, 0, 1),
    )
    told = surfaces.explained(tmp_path, [mask], seen, ["heat"])
    assert told.tolist() == [True, False, True, pd.NA, False, pd.NA, True, False]
    assert surfaces.explained(tmp_path, [], seen, ["heat"]).isna().all()
    people = declared(tif(tmp_path / "p.tif"))
    assert surfaces.explained(tmp_path, [people], seen, ["heat"]).isna().all()


def test_explained_heat_stays_and_makes_no_violation_consistent(home: Path, tmp_path: Path) -> None:
    text = (home / "theatre.toml").read_text()
    mask = DECLARATION.decode().replace('"people"', '"works"').replace('kind = "population"', 'kind = "heat_sources"')
    (home / "theatre.toml").write_text(text + mask.replace('statistic = "sum"\n', ""))
    place = made(home, tmp_path / "ws")
    shelling = cells.shelling(tmp_path / "mission.csv")
    seen = cells.write(tmp_path / "satellite.csv", [cells.row("h", 2.0, act="heat")])
    cells.bring(place, shelling, cells.Clock(40))
    cells.bring(place, seen, cells.Clock(40))
    for each, explained in ((1, True), (0, False)):
        people(place.theatre, each)
        file = cells.run(place, cells.Clock(41)).file
        reports = read_table(file, "reports")
        assert reports.loc[reports["act"] == "heat", "explained"].tolist() == [explained]
        assert reports.loc[reports["act"] != "heat", "explained"].isna().all()
        assert read_table(file, "violations")["heat_consistent"].any() != explained
    assert set(read_table(file, "exposure")["raster_id"]) == {"people"}
