"""Is the map what its rows say, whole, and the same every time? Real QGIS is asked in ``test_cartography_qgis``."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from publishable import AS_OF, publish, world
from pyproj import CRS

from geo import tables, terms
from geo.books import COMMANDS_TABLE
from pipelines import cartography
from pipelines.cartography import labels, nodes, palette, reference, relations, sheet, themes, tips, views
from pipelines.intensity import Bands
from pipelines.layers import rows
from pipelines.layers.proof import connect
from pipelines.palette import LOOKS

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from pipelines.cartography import Cartography

FILE = "monitor.gpkg"


def given(**run: object) -> dict[str, pa.Table]:
    """Return the rows of a random world; ``run`` changes columns of its table of that name."""
    frames = world(n=12)
    frames["run"] = frames["run"].assign(**run)
    return rows.prepare(frames)


@pytest.fixture(scope="module")
def look() -> Cartography:
    """Return the look of a random world with hostile texts, with a file for commands beside it."""
    hostile = "[% 1 + 1 %] <b>it's</b> \ufffe"
    return cartography.draw(given(title=hostile, party_left="O'Brien\\n", scope="whole"), FILE, "reviews.gpkg")


@pytest.fixture(scope="module")
def project(look: Cartography) -> ET.Element:
    return ET.fromstring(look.project)  # noqa: S314 - our own text


def layers_of(project: ET.Element) -> dict[str, ET.Element]:
    return {layer.findtext("id", ""): layer for layer in project.iterfind("projectlayers/maplayer")}


# --- the project holds together


def test_every_layer_has_an_id_that_qgis_keeps_and_a_source_that_moves_with_the_folder(project: ET.Element) -> None:
    layers = layers_of(project)
    assert len(layers) == len(project.findall("projectlayers/maplayer"))
    assert all(len(key) > 10 for key in layers)
    sources = [layer.findtext("datasource", "") for layer in layers.values()]
    assert {source.split("|")[0] for source in sources} == {"./monitor.gpkg", "./reviews.gpkg"}
    assert project.findtext("properties/Paths/Absolute") == "false"


def test_every_published_table_is_on_the_map(project: ET.Element) -> None:
    sources = {layer.findtext("datasource", "").split("layername=")[1] for layer in layers_of(project).values()}
    assert sources == {*tables.BY_NAME, "commands"}


def test_whatever_refers_to_a_layer_refers_to_one_that_is_there(project: ET.Element) -> None:
    keys = set(layers_of(project))
    tree = [leaf.get("id") for leaf in project.iterfind("layer-tree-group//layer-tree-layer")]
    assert sorted(map(str, tree)) == sorted(keys)
    for path in ("layerorder/layer", "visibility-presets//layer", "Layouts//layer-tree-layer"):
        assert {element.get("id") for element in project.iterfind(path)} <= keys
    for relation in project.iterfind("relations/relation"):
        assert {relation.get("referencedLayer"), relation.get("referencingLayer")} <= keys


def test_relations_join_columns_that_both_tables_declare() -> None:
    known = views.views(sheet.of(given(), FILE, None))
    table = {view.key: view.table for view in known}
    made = relations.relations(known)
    assert {(table[each.one], table[each.many]) for each in made} >= {
        ("incidents", "violations"), ("violations", "reports"), ("incidents", "transitions"),
        ("transitions", "evidence"), ("incident_points", "violations"), ("incident_points", "reviews"),
    }  # fmt: skip
    for each in made:
        for key in (each.one, each.many):
            assert set(each.columns) <= set(tables.BY_NAME[table[key]].names)


def test_every_form_shows_every_column_once_and_every_relation_of_its_layer(project: ET.Element) -> None:
    for key, layer in layers_of(project).items():
        name = layer.findtext("datasource", "").split("layername=")[1]
        table = COMMANDS_TABLE if name == "commands" else tables.BY_NAME[name]
        shown = [field.get("name") for field in layer.iterfind("attributeEditorForm//attributeEditorField")]
        assert sorted(map(str, shown)) == sorted(table.names)
        listed = {each.get("relation") for each in layer.iterfind("attributeEditorForm//attributeEditorRelation")}
        assert listed == {
            each.get("id") for each in project.iterfind("relations/relation") if each.get("referencedLayer") == key
        }


def test_only_commands_can_be_written_and_only_where_there_is_a_file_for_them(project: ET.Element) -> None:
    writable = [key for key, layer in layers_of(project).items() if layer.get("readOnly") == "0"]
    assert writable == ["monitor_commands"]
    without = ET.fromstring(cartography.draw(given(), FILE, None).project)  # noqa: S314 - our own text
    assert "monitor_commands" not in layers_of(without)
    assert "reviews.gpkg" not in ET.tostring(without, encoding="unicode")


def test_the_map_refreshes_itself_by_the_settings_of_old_and_of_new_qgis(project: ET.Element) -> None:
    for layer in layers_of(project).values():
        assert (layer.get("autoRefreshEnabled"), layer.get("autoRefreshMode")) == ("1", "ReloadData")
        assert int(layer.get("autoRefreshTime", 0)) >= 1000


def presets(project: ET.Element) -> set[str | None]:
    """Return the names of a project's themes."""
    return {each.get("name") for each in project.iterfind("visibility-presets/visibility-preset")}


def test_every_theme_has_layers_and_the_first_is_what_the_map_opens_with(project: ET.Element) -> None:
    known = [view for view in views.views(sheet.of(given(), FILE, None)) if view.renderer is not None]
    keys = [view.key for view in known]
    assert all(len(themes.shown(name, keys)) > 2 for name in themes.THEMES)
    assert set(themes.shown(themes.NOW, keys)) == {view.key for view in known if view.shown}
    assert presets(project) == {name for name in themes.THEMES if "dense" not in name}


def test_a_raster_of_intensity_is_a_layer_for_each_of_its_spans_right_above_the_ground(project: ET.Element) -> None:
    assert not list(project.iterfind("projectlayers/maplayer[@type='raster']"))
    bands = Bands((24, 72), CRS.from_epsg(3035).to_wkt())
    drawn = ET.fromstring(cartography.draw(given(), FILE, None, bands).project)  # noqa: S314 - our own text
    rasters = list(drawn.iterfind("projectlayers/maplayer[@type='raster']"))
    assert [each.findtext("layername") for each in rasters] == ["Density, last 24 h", "Density, last 72 h"]
    assert {each.findtext("datasource") for each in rasters} == {"./intensity.tif"}
    assert [each.get("band") for each in drawn.iterfind(".//rasterrenderer")] == ["1", "2"]
    order = [each.get("id") for each in drawn.iterfind("layerorder/layer")]
    assert order[-4:] == [*(each.findtext("id") for each in rasters), "monitor_zones", "monitor_regions"]
    assert presets(drawn) == set(themes.THEMES)


# --- what it says


def test_texts_of_others_are_shown_and_never_computed(project: ET.Element) -> None:
    computed = [label.get("labelText", "") for label in project.iterfind("Layouts//LayoutItem")]
    assert not any("1 + 1" in text for text in computed)
    values = [value.text or "" for value in project.iterfind("properties/Variables/variableValues/value")]
    assert values[0] == "[% 1 + 1 %] <b>it's</b> \ufffd"


def test_signs_that_no_document_can_hold_are_replaced() -> None:
    element = nodes.node("a", text="x\x00y\ufffe", name="\ud800".encode("utf-8", "replace").decode())
    assert ET.fromstring(nodes.write(element)).text == "x\ufffdy\ufffd"  # noqa: S314 - our own text


def test_whatever_stands_in_a_tip_has_been_escaped() -> None:
    for table in tables.TABLES:
        for expression in re.findall(r"\[%(.*?)%\]", tips.tip(table.name)):
            assert expression.count("'&', '&amp;'") == expression.count("'<', '&lt;'") == 1


def test_the_page_names_run_moment_knowledge_and_standing() -> None:
    at = AS_OF - pd.Timedelta(hours=2)
    told = cartography.draw(given(known_at=at, standing="illustrative", replay=True), FILE, None)
    project = ET.fromstring(told.project)  # noqa: S314 - our own text
    names = [value.text for value in project.iterfind("properties/Variables/variableNames/value")]
    values = [value.text or "" for value in project.iterfind("properties/Variables/variableValues/value")]
    said = dict(zip(names, values, strict=True))
    assert "1 Mar 2026 06:00 UTC" in said["monitor_moment"]
    assert "known by 1 Mar 2026 04:00 UTC" in said["monitor_moment"]
    assert "replay" in said["monitor_moment"]
    assert said["monitor_notice"] == "ILLUSTRATIVE, without legal meaning"
    assert "run-1" in said["monitor_facts"]
    assert "ILLUSTRATIVE" in project.findtext("title", "")
    quiet = cartography.draw(given(standing="operational"), FILE, None).project
    assert "ILLUSTRATIVE" not in quiet


def test_every_region_is_a_bookmark(project: ET.Element) -> None:
    names = [bookmark.get("name") for bookmark in project.iterfind("Bookmarks/Bookmark")]
    assert names == [region.name for region in sheet.of(given(), FILE, None).regions]
    assert len(names) > 5


def test_the_time_slider_is_set_and_off_and_plays_the_days() -> None:
    frames = world(n=3)
    frames["incident_days"]["day"] = ["2026-02-03", "2026-02-01", None]
    text = cartography.draw(rows.prepare(frames), FILE, None).project
    project = ET.fromstring(text)  # noqa: S314 - our own text
    span = [project.findtext(f"ProjectTimeSettings/TemporalRange/{name}") for name in ("start", "end")]
    assert span == ["2026-02-01T00:00:00Z", "2026-02-03T23:59:59Z"]
    assert project.findtext("properties/TemporalControllerWidget/NavigationMode") == "0"
    played = {key for key, layer in layers_of(project).items() if layer.find("temporal[@enabled='1']") is not None}
    assert played == {"monitor_incident_days", "monitor_violations_then", "monitor_reports_then"}


# --- how it looks


def test_a_tier_is_told_by_colour_by_shape_and_by_number_as_everywhere() -> None:
    marks = palette.MARKS
    assert tuple(mark.look for mark in marks) == LOOKS
    assert [mark.tier for mark in marks] == list(terms.TIERS)
    for unlike in ("colour", "shape"):
        assert len({getattr(mark.look, unlike) for mark in marks}) == len(marks)
    for mark in marks:
        assert abs(luminance(mark.look.colour) - luminance(mark.look.ink)) > 0.3


def test_tiers_darken_as_they_rise_so_that_print_and_the_colour_blind_keep_their_order() -> None:
    light = [luminance(mark.look.colour) for mark in palette.MARKS if mark.tier]
    assert all(higher < lower / 1.5 for lower, higher in pairwise(light))


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_table_has_a_style_that_says_what_its_columns_are_called(look: Cartography) -> None:
    assert list(look.styles) == [table.name for table in tables.TABLES]
    for table in tables.TABLES:
        style = ET.fromstring(look.styles[table.name])  # noqa: S314 - our own text
        aliases = {each.get("field"): each.get("name") for each in style.iterfind("aliases/alias")}
        assert aliases == {"fid": "", **{column.name: column.title for column in table.columns}}
        assert style.get("readOnly") == "1"
        assert (style.find("renderer-v2") is not None) == (table.geometry is not None)


@pytest.mark.parametrize("name", ["incidents", "incident_points", "segments", "zones"])
def test_no_row_is_without_a_symbol_at_every_scale(look: Cartography, name: str) -> None:
    style = ET.fromstring(look.styles[name])  # noqa: S314 - our own text
    [rest] = style.iterfind("renderer-v2/rules/rule[@filter='ELSE']")
    assert rest.get("symbol") is not None


def test_values_to_choose_from_stand_in_order_of_severity(look: Cartography) -> None:
    style = ET.fromstring(look.styles["incidents"])  # noqa: S314 - our own text
    path = "fieldConfiguration/field[@name='tier_eligible']/editWidget/config/Option/Option/Option/Option"
    assert [each.get("value") for each in style.iterfind(path)] == ["3", "2", "1", "0"]
    state = path.replace("tier_eligible", "state")
    assert [each.get("value") for each in style.iterfind(state)] == list(terms.STATES)


def test_a_default_style_opens_no_other_layer(look: Cartography) -> None:
    for style in look.styles.values():
        assert "ValueRelation" not in style
        assert "RelationReference" not in style


def test_titles_of_columns_are_words_with_their_unit() -> None:
    wanted = {"extent_m": "Extent (m)", "t0_from": "T0 from (UTC)", "incident_id": "Incident"}
    assert {name: title for name, title in titles("incidents").items() if name in wanted} == wanted
    assert titles("segments")["covered_h_24h"] == "Covered, last 24 h (h)"
    assert titles("segments")["tier_7d"] == "Tier, last 7 d"


def titles(name: str) -> dict[str, str]:
    return {column.name: column.title for column in tables.BY_NAME[name].columns}


@pytest.mark.parametrize(
    ("box", "code"),
    [((36, 47, 38, 49), "EPSG:32637"), ((-1, -3, 0, -2), "EPSG:32730"), ((179, 0, 180, 1), "EPSG:32660")],
)
def test_the_map_is_drawn_in_the_utm_zone_of_its_middle(box: tuple[float, ...], code: str) -> None:
    assert reference.code(sheet.Box(*box)) == code
    assert reference.system(code).findtext("wkt", "").startswith("PROJCRS")


def test_a_label_gives_way_by_its_rank() -> None:
    low, high = (ET.tostring(labels.simple(labels.Label("x", priority=rank)), encoding="unicode") for rank in "19")
    assert 'name="Priority"' in low
    assert low != high


# --- the files


def test_the_same_rows_give_the_same_texts_and_another_moment_gives_others() -> None:
    first, again = cartography.draw(given(), FILE, None), cartography.draw(given(), FILE, None)
    assert (first, first.packed()) == (again, again.packed())
    later = cartography.draw(given(as_of=AS_OF + pd.Timedelta(days=1)), FILE, None)
    assert later.project != first.project


def test_the_project_lies_beside_the_map_and_in_it_read_only_and_once(tmp_path: Path) -> None:
    target, beside = tmp_path / FILE, tmp_path / "monitor.qgz"
    publish(world(n=3), target)
    with closing(connect(target)) as file:
        ((name, content),) = file.execute("SELECT name, content FROM qgis_projects").fetchall()
    with zipfile.ZipFile(beside) as alone, zipfile.ZipFile(io.BytesIO(bytes.fromhex(content))) as within:
        assert alone.namelist() == within.namelist() == [f"{name}.qgs"] == ["monitor.qgs"]
        assert alone.read("monitor.qgs") == within.read("monitor.qgs")
    assert beside.stat().st_mode & 0o777 == 0o444
    before = beside.stat()
    publish(world(n=3), target)
    assert (beside.stat().st_ino, beside.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_project_that_was_lost_or_changed_is_put_back(tmp_path: Path) -> None:
    target, beside = tmp_path / FILE, tmp_path / "monitor.qgz"
    publish(world(n=3), target)
    whole = beside.read_bytes()
    beside.unlink()
    beside.write_bytes(whole[:100])
    assert not publish(world(n=3), target).replaced
    assert beside.read_bytes() == whole
    beside.unlink()
    publish(world(n=3), target)
    assert beside.read_bytes() == whole


def test_the_file_says_where_it_comes_from(tmp_path: Path) -> None:
    publish(world(n=3), tmp_path / FILE)
    with closing(connect(tmp_path / FILE)) as file:
        ((standard, kind, told),) = file.execute("SELECT md_standard_uri, mime_type, metadata FROM gpkg_metadata")
        scopes = file.execute("SELECT reference_scope, timestamp FROM gpkg_metadata_reference").fetchall()
    assert (standard, kind) == ("urn:ceasewatch:run", "application/json")
    assert '"run_id":"run-1"' in told
    assert scopes == [("geopackage", "2026-03-01T06:00:00.250Z")]
