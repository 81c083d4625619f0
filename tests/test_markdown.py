"""Does Markdown take anything that others wrote for markup?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import tables
from pipelines.markdown import plain, table
from pipelines.outcome import ANSWERED, HEADLINE, Changes, Outcome, markdown

EVIL = "x\n| B-9 | injected |\r\n\n# head *b* [x](y) \\"


@given(st.text(), st.text())
def test_whatever_stands_in_a_cell_the_table_keeps_its_lines_and_columns(one: str, other: str) -> None:
    lines = list(table(("a", "b"), [(one, other), (None, 1)]))
    assert len(lines) == 4
    assert all(len(line.splitlines()) == 1 for line in lines)
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in lines)


def test_no_sign_of_markdown_is_left_as_it_stands() -> None:
    assert plain("a_b *c*\n<d>") == r"a\_b \*c\* \<d\>"
    assert plain(None) == ""


@pytest.mark.parametrize("where", ["title", "stale", "incidents", "notices", "reviews"])
def test_what_others_wrote_adds_no_line_to_the_account_of_a_run(where: str) -> None:
    assert len(account(where, EVIL).splitlines()) == len(account(where, "x").splitlines())


def account(where: str, text: str) -> str:
    """Return the account of a run in which one thing is a text."""
    at = datetime(2026, 6, 2, tzinfo=UTC)
    said = {name: text if name == where else "plain" for name in ("title", "stale", "incidents", "notices", "reviews")}
    notices = pd.DataFrame([dict.fromkeys(tables.NOTICES_TABLE.names, said["notices"])])
    outcome = Outcome(
        run_id="1", title=said["title"], standing="operational", scope="whole", as_of=at, known_at=at, hindsight=False,
        replay=False, file=Path("monitor.gpkg"), written=True, overtaken=False, counts={}, quarantine={},
        changes=Changes(None, (said["incidents"],), (), (), ()), notices=notices,
        reviews=pd.DataFrame([dict.fromkeys(ANSWERED, said["reviews"])]),
        incidents=pd.DataFrame([dict.fromkeys(HEADLINE, said["incidents"])]), alerts=(), head="",
        stale=(said["stale"],),
    )  # fmt: skip
    return markdown(outcome)
