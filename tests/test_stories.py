"""Is what happens in every story what its author says, at every moment and state of knowledge it looks at?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from storybook import differences, load, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storybook import Story

FOLDER = Path(__file__).parent / "stories"
STORIES = {path.stem: load(path) for path in sorted(FOLDER.glob("*.toml"))}


@pytest.fixture(params=STORIES.values(), ids=STORIES)
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    return request.param


def test_a_story_comes_out_as_it_is_told(story: Story, tmp_path: Path) -> None:
    wrong = differences(play(story, tmp_path))
    assert not wrong, "\n".join(wrong)
