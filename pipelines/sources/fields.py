"""Which number, count or word does a cell state?

Each function takes a text column (null: empty) and returns what it states and a mask of the cells that state nothing it
understands. Every cell is matched against an ASCII pattern before it is converted: no ``3_6``, full-width digits,
``nan``, ``inf``, ``1e400`` or hexadecimal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.reading import Mask, Reals, Text

# Lengths are bounded so that what matches is finite.
_DECIMAL: Final = r"^[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?$"
_WHOLE: Final = r"^[0-9]{1,9}$"
_COUNT: Final = (
    r"^(?:(?P<low>[0-9]{1,9}) ?[-\x{2013}] ?(?P<high>[0-9]{1,9})"
    r"|~ ?(?P<about>[0-9]{1,9})|> ?(?P<over>[0-9]{1,9})|(?P<exact>[0-9]{1,9}))$"
)


def given(text: Text) -> Mask:
    """Return where a cell is not empty."""
    return np.asarray(text.is_valid())


def matches(text: Text, pattern: str) -> Mask:
    """Return where a cell is not empty and matches an RE2 pattern."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(text, pattern), fill_value=False))


def joined(one: Text, two: Text, sign: str) -> Text:
    """Return both texts with ``sign`` between them, or the one that there is."""
    # Not null_handling="skip", with which Arrow 26 leaves out the rows where both are null.
    return pc.coalesce(pc.binary_join_element_wise(one, two, sign), one, two)


def decimal(text: Text, point: str = ".") -> tuple[Reals, Mask]:
    """Return finite decimal numbers (NaN: empty or not understood); ``point`` is the decimal sign, and no other is."""
    if point != ".":
        other = pc.replace_substring(text, ".", "\0")  # what is no number with this sign is none with the other
        values, bad = decimal(pc.replace_substring(other, point, "."))
        return values, bad
    fits = matches(text, _DECIMAL)
    plain = pc.utf8_ltrim(pc.if_else(pa.array(fits), text, pa.scalar(None, pa.string())), characters="+")
    values = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    return values, given(text) & ~fits


def whole(text: Text) -> tuple[pd.Series[int], Mask]:
    """Return whole numbers of up to nine digits, ``Int64``."""
    fits = matches(text, _WHOLE)
    return _integers(pc.if_else(pa.array(fits), text, pa.scalar(None, pa.string()))), given(text) & ~fits


def count(text: Text) -> tuple[dict[str, pd.Series[int]], Mask]:
    """Return count_low, count_best and count_high, ``Int64``.

    ``3`` is (3, 3, 3), ``2-5`` (also with an en dash) is (2, none, 5), ``~60`` is (none, 60, none) and ``>10`` is
    (11, none, none).
    """
    parts = pc.extract_regex(text, _COUNT)
    low, high, about, over, exact = (_integers(_filled(parts.field(at))) for at in range(5))
    columns = {
        "count_low": low.fillna(exact).fillna(over + 1),
        "count_best": about.fillna(exact),
        "count_high": high.fillna(exact),
    }
    backward = (low > high).fillna(value=False).to_numpy(dtype=bool)
    return columns, given(text) & (~np.asarray(parts.is_valid()) | backward)


def words(text: Text, meaning: Mapping[str, str]) -> tuple[Text, Mask]:
    """Return what ``meaning`` (keys case-folded) says each cell stands for."""
    coded = text.dictionary_encode()
    known = [meaning.get(word.casefold()) for word in coded.dictionary.to_pylist()]
    found = pa.array(known, pa.string()).take(coded.indices)
    return found, given(text) & ~given(found)


def _filled(text: Text) -> Text:
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _integers(text: Text) -> pd.Series[int]:
    numbers: pd.Series[int] = pc.cast(text, pa.int64()).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return numbers
