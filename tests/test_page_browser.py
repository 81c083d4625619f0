"""Can the page be read and used in a browser, with the network off?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import browser
import builders
import pandas as pd
import pytest
import situation

from pipelines.page import Setting, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HALF_MINUTE_H = 1 / 120  # the clock of a page goes on while it is being opened
EVIL = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """Give one browser to all of them."""
    with browser.browser() as found:
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of the present about a theatre where much goes on."""
    path = tmp_path_factory.mktemp("page") / "sitrep.html"
    path.write_text(page(situation.burnt(), Setting()), encoding="utf-8")
    return path


@pytest.fixture
def opened(running: Any, file: Path) -> Iterator[Any]:  # noqa: ANN401 -- the library is not there everywhere
    """Give the page, opened two hours after its moment; it must not complain nor ask for anything."""
    yield from _open(running, file)


def _open(running: Any, file: Path, **context: Any) -> Iterator[Any]:  # noqa: ANN401 -- likewise
    world = running.new_context(offline=True, **context)
    shown = world.new_page()
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda fault: said.append(str(fault)))
    shown.on("request", lambda asked: None if asked.url == file.as_uri() else said.append(asked.url[:80]))
    shown.clock.install(time=builders.when(situation.HOUR + 2 - HALF_MINUTE_H))
    shown.goto(file.as_uri())
    yield shown
    world.close()
    assert said == []


def view(shown: Any) -> list[float]:  # noqa: ANN401 -- likewise
    """Return what the map shows: left, top, width, height."""
    shown.clock.run_for(100)
    return [float(part) for part in shown.get_attribute("#map", "viewBox").split()]


def seen(shown: Any, path: str) -> int:  # noqa: ANN401 -- likewise
    return int(shown.locator(f"{path}:visible").count())


def test_what_is_due_counts_down_from_now(opened: Any) -> None:  # noqa: ANN401 -- likewise
    clocks = opened.locator(".due .left")
    assert clocks.all_inner_texts() == ["in 11 h 0 min", "in 17 h 0 min"]
    opened.clock.run_for((13 * 3600 + 60) * 1000)
    assert clocks.all_inner_texts() == ["2 h 0 min overdue", "in 3 h 59 min"]
    assert "15 h 0 min ago" in opened.inner_text(".moment")


def test_the_clocks_of_a_replay_stand(running: Any, tmp_path: Path) -> None:  # noqa: ANN401 -- likewise
    told = {**situation.burnt(), "run": situation.burnt()["run"].assign(replay=True)}
    path = tmp_path / "replay.html"
    path.write_text(page(told, Setting()), encoding="utf-8")
    for shown in _open(running, path):
        shown.clock.run_for(3600 * 1000)
        assert shown.locator(".due .left").all_inner_texts() == ["in 13 h 0 min", "in 19 h 0 min"]
        assert "stand at that moment" in shown.inner_text(".moment")


def test_the_map_pans_and_zooms_by_mouse_keyboard_and_button(opened: Any) -> None:  # noqa: ANN401 -- likewise
    whole = view(opened)
    opened.locator("#pan").scroll_into_view_if_needed()
    box = opened.locator("#pan").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    opened.mouse.move(*middle)
    opened.mouse.down()
    opened.mouse.move(middle[0] - 100, middle[1], steps=3)
    opened.mouse.up()
    left, top, width, _ = view(opened)
    assert left == pytest.approx(100 * whole[2] / box["width"], rel=0.05)
    assert (top, width) == pytest.approx((whole[1], whole[2]))
    opened.focus("#pan")
    opened.keyboard.press("ArrowLeft")
    assert view(opened)[0] == pytest.approx(left - whole[2] / 10)
    opened.keyboard.press("+")
    assert view(opened)[2] == pytest.approx(0.7 * whole[2])
    opened.keyboard.press("0")
    assert view(opened) == whole
    opened.click("[data-zoom=in]")
    assert view(opened)[2] == pytest.approx(0.6 * whole[2])


def test_one_filter_sifts_table_map_and_diagram(opened: Any) -> None:  # noqa: ANN401 -- likewise
    shapes = ("#table tbody tr", "#map .marks path")
    assert [seen(opened, path) for path in shapes] == [3, 3]
    bands = seen(opened, "#bands .pieces path")
    opened.uncheck("input[value='3']")
    assert [seen(opened, path) for path in shapes] == [2, 2]
    assert seen(opened, "#bands .pieces path") == bands - 3
    assert opened.inner_text("#count") == "2 of 3 shown"
    opened.select_option("select[name=state]", "going")
    assert [seen(opened, path) for path in shapes] == [1, 1]
    opened.check("input[value='3']")
    opened.fill("input[name=words]", "b-1")
    assert opened.locator("#table tbody tr:visible th").all_inner_texts() == ["B-1"]


def test_who_is_picked_in_the_table_is_shown_on_map_and_diagram(opened: Any) -> None:  # noqa: ANN401 -- likewise
    opened.focus("#i-B-1 button")
    opened.keyboard.press("Enter")
    assert opened.get_attribute("#i-B-1 button", "aria-pressed") == "true"
    assert opened.locator("#map .marks .on").count() == 1
    assert opened.locator("#bands .pieces .on").count() == 3


def test_pointing_at_a_sign_tells_its_incident(opened: Any) -> None:  # noqa: ANN401 -- likewise
    opened.locator("#map .marks .t3").hover(force=True)
    assert opened.inner_text("#tip").startswith("B-1: ")


@pytest.mark.parametrize("context", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}])
def test_axe_finds_no_serious_fault(running: Any, file: Path, context: dict[str, Any]) -> None:  # noqa: ANN401 -- likewise
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for shown in _open(running, file, **context):
        shown.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        faults = axe.run(shown).response["violations"]
        told = [(fault["id"], fault["nodes"][0]["html"][:120]) for fault in faults if fault["impact"] != "minor"]
        assert told == []
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_reports_say_runs_nowhere(running: Any, tmp_path: Path) -> None:  # noqa: ANN401 -- likewise
    told = dict(situation.burnt())
    told["incident_points"] = told["incident_points"].assign(name=EVIL)
    told["regions"] = told["regions"].assign(name=EVIL)
    told["sides"] = told["sides"].assign(name=EVIL)
    told["lineage"] = pd.DataFrame(
        [{"kind": EVIL, "from_id": EVIL, "to_id": EVIL, "at": builders.when(1), "known_at": None, "reason": EVIL}]
    ).assign(at=lambda frame: pd.to_datetime(frame["at"]))
    path = tmp_path / "evil.html"
    path.write_text(page(told, Setting()), encoding="utf-8")
    for shown in _open(running, path):
        shown.locator("#map .marks .t3").hover(force=True)
        assert EVIL in shown.inner_text("#tip")
        assert shown.title().startswith("A test")
