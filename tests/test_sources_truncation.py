"""Is a table that was cut anywhere read up to the cut, and the cut said?

A cut exactly behind the end of a line leaves a whole table, which nobody can tell by itself.
"""

from __future__ import annotations

import pytest
from published import POLICY, ROWS, by, table
from readings import THEATRE

from geo.errors import InputError
from pipelines.sources import Reading, read

POINTS = 100
LAST = {"acled": "timestamp", "geoconfirmed": "Id", "observer": "observed_to", "csv": "url", "cir": "link"}


def cut(form: str, data: bytes) -> Reading | None:
    """Return what is read of it, ``None`` if it is refused whole."""
    try:
        return read(data, by(form), THEATRE, POLICY, "file.csv")
    except InputError:
        return None


def splits_a_letter(data: bytes, point: int) -> bool:
    return data[point] & 0xC0 == 0x80


@pytest.mark.parametrize("form", sorted(ROWS))
def test_no_cut_loses_or_changes_a_row_in_silence(form: str) -> None:
    ends = [len(table(form, *[{}] * rows)) for rows in range(3)]
    data = table(form, {}, {})
    whole = cut(form, data)
    assert whole is not None
    assert len(whole.intake) == 2
    for point in {round(len(data) * at / POINTS) for at in range(POINTS)}:
        found = cut(form, data[:point])
        if found is None:
            assert point < ends[0] or splits_a_letter(data, point)
            continue
        before = sum(end <= point for end in ends[1:])
        assert found.intake.equals(whole.intake.iloc[: len(found.intake)])
        assert before <= len(found.intake) <= before + 1  # one more: cut in a column that is not read
        assert point < ends[0] or point in ends or len(found.intake) + len(found.refused) > before
        noted = any("the last line has no end" in note for note in found.notes)
        assert point in ends or noted or len(found.refused)


@pytest.mark.parametrize("form", sorted(LAST))
def test_a_cut_in_the_last_value_that_is_read_never_counts(form: str) -> None:
    last = ROWS[form][LAST[form]]
    row = {
        name: value.replace(",", "") for name, value in ROWS[form].items() if name != LAST[form] and "\n" not in value
    }
    header, said = ",".join([*row, LAST[form]]), ",".join([*row.values(), last])
    for length in range(0, len(last), 3):
        result = cut(form, f"{header}\n{said[: len(said) - length]}".encode())
        assert result is not None
        assert (len(result.intake), result.refused["reason_code"].tolist()) == (0, ["truncated"])
