"""Is what happens in every story what its author says, at every moment and state of knowledge it looks at?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from storybook import Story, differences, load, moved, play

FOLDER = Path(__file__).parent / "stories"
STORIES = {path.stem: load(path) for path in sorted(FOLDER.glob("*.toml"))}

# Each threshold, moved a little, and a story that must then come out otherwise.
MOVED: dict[str, tuple[Any, str]] = {
    "grouping.link_gap_h": (24.02, "salami-just-over-the-gap"),
    "grouping.link_m": (10_300.0, "ten-kilometres-and-a-little-more"),
    "grouping.weak_part_n": (4, "a-weak-link"),
    "ladder.response_h": (23.0, "the-first-shot-is-known-to-the-day"),
    "ladder.persist_h": (24.02, "literal-24-00"),
    "ladder.persist_reading": ("literal", "window-12-00"),
    "ladder.quiet_h": (12.02, "window-11-59"),
    "ladder.broad_h": (72.02, "growth-next-shot-72-00"),
    "ladder.broad_reading": ("deadline", "growth-at-30-dies-at-60"),
    "ladder.single_vetted": (True, "one-origin-alone"),
    "expansion.extent_m": (64_000.0, "broad-from-its-first-hour"),
    "expansion.depth_m": (56_000.0, "far-behind-the-line"),
    "expansion.weapons": ((), "a-grave-weapon"),
    "expansion.rate_n": (49, "fifty-shots-in-a-day"),
    "expansion.k": (1, "growth-in-extent-alone"),
    "expansion.extent_growth": ({"times": 2.0, "floor": 28_100.0}, "growth-read-as-a-deadline"),
    "expansion.rate_growth": ({"times": 2.5, "floor": 6.0}, "growth-read-as-a-deadline"),
    "corroboration.agree_m": (100.0, "a-violation-has-one-place"),
    "corroboration.agree_min": (59.0, "a-violation-has-one-place"),
    "corroboration.coarse_m": (13_000.0, "a-report-known-to-the-district"),
    "corroboration.coarse_h": (169.0, "a-report-known-to-the-week"),
    "corroboration.qualifying_status": ("alleged", "adversary-bridging"),
    "corroboration.confirming": ((), "the-founding-report-is-corroborated-late"),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_story_comes_out_as_it_is_told(story: Story, tmp_path: Path) -> None:
    played = play(story, tmp_path)
    wrong = differences(played)
    assert not wrong, "\n".join(wrong)
    if not any("refused" in look for look in story.looks):
        assert played.by(None).refused == 0


@pytest.mark.parametrize("threshold", MOVED)
def test_no_threshold_can_be_moved_without_a_story_that_comes_out_otherwise(threshold: str, tmp_path: Path) -> None:
    value, name = MOVED[threshold]
    assert differences(play(STORIES[name], tmp_path, moved(STORIES[name], threshold, value)))


def test_what_means_nothing_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "watched-throughout.toml").read_text(encoding="utf-8")
    for old, new in (("end = ", "ending = "), ("known = ", "knwon = "), ("| act ", "| axt "), ("title = ", "titel = ")):
        bad = tmp_path / "bad.toml"
        bad.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(AssertionError, match="means nothing"):
            load(bad)
