"""Among what does a footprint divide, and which answer leads?

A footprint is stood for by places of equal area; each place has one answer (a code), and an answer's share is the part
of the places that have it. What is not divided needs no places: its one answer has all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from geo.crs import Reals
    from geo.pieces import Bools, Indices
    from geo.policy import Matching

    Counted = tuple[Indices, Indices, Reals]  # row, code, share

NAMED: Final = 5  # parts that a sentence names


@dataclass(frozen=True, eq=False)
class Division:
    """How footprints divide among the answers to one question.

    ``centre`` has the code of every footprint's centre, shape (n,). ``row``, ``code`` and ``share`` tell the parts of
    those that were sampled: by row, then the largest first (ties: the lowest code); a row's shares sum to 1.
    """

    centre: Indices
    row: Indices
    code: Indices
    share: Reals

    @classmethod
    def of(cls, centre: Indices, counted: Sequence[Counted]) -> Self:
        """Put together what ``count`` says of different rows."""
        row, code = (np.concatenate([np.empty(0, np.intp), *(part[n] for part in counted)]) for n in (0, 1))
        share = np.concatenate([np.empty(0), *(part[2] for part in counted)])
        order = np.argsort(row, kind="stable")
        return cls(centre, row[order], code[order], share[order])

    def likeliest(self) -> tuple[Indices, Reals, Reals]:
        """Return each footprint's likeliest answer, its share, and the share of the next."""
        code, share, other = self.centre.copy(), np.ones(len(self.centre)), np.zeros(len(self.centre))
        first = np.diff(self.row, prepend=-1) != 0
        code[self.row[first]], share[self.row[first]] = self.code[first], self.share[first]
        second = ~first & np.append(False, first[:-1])
        other[self.row[second]] = self.share[second]
        return code, share, other

    def share_of(self, code: Indices) -> Reals:
        """Return the share of one answer each, shape (n,)."""
        share: Reals = (code == self.centre).astype(float)
        share[self.row] = 0.0
        same = self.code == code[self.row]
        share[self.row[same]] = self.share[same]
        return share

    def between(self, rows: Bools, names: Sequence[str]) -> dict[int, str]:
        """Return for some sampled footprints what they are divided among, largest first: ``a 60%, b 40%``."""
        told: dict[int, list[str]] = {}
        mine = rows[self.row]
        each = zip(self.row[mine].tolist(), self.code[mine].tolist(), self.share[mine].tolist(), strict=True)
        for row, code, share in each:
            told.setdefault(row, []).append(f"{names[code]} {share:.0%}")
        return {row: ", ".join(parts[:NAMED]) + ", …" * (len(parts) > NAMED) for row, parts in told.items()}

    def table(self, names: Sequence[str]) -> pd.DataFrame:
        """Return every part of every footprint: ``row``, ``id``, ``share``."""
        whole = np.setdiff1d(np.arange(len(self.centre)), self.row)
        row, code = np.concatenate([self.row, whole]), np.concatenate([self.code, self.centre[whole]])
        share = np.concatenate([self.share, np.ones(len(whole))])
        frame = pd.DataFrame({"row": row, "id": np.array(names, dtype=object)[code], "share": share})
        return frame.sort_values("row", kind="stable", ignore_index=True)


def count(rows: Indices, codes: npt.NDArray[np.integer[Any]]) -> Counted:
    """Return (row, code, share) of every different code of every row, each row's largest first (ties: the lowest code).

    ``rows``, shape (m,), are the footprints' places among all; ``codes`` the answers at their samples, shape
    (m, samples).
    """
    mixed = np.flatnonzero((codes != codes[:, :1]).any(axis=1))
    narrow = np.promote_types(np.int16, np.min_scalar_type(codes.max(initial=0)))  # sorted several times as fast
    ranked = np.sort(codes[mixed].astype(narrow), axis=1)
    begins = np.ones(ranked.shape, dtype=bool)
    np.not_equal(ranked[:, 1:], ranked[:, :-1], out=begins[:, 1:])
    at, place = np.nonzero(begins)
    last = np.append(np.diff(at) != 0, True)[: len(at)]
    places = np.where(last, codes.shape[1], np.append(place[1:], 0)[: len(at)]) - place
    whole = np.delete(np.arange(len(codes)), mixed)
    at, code = np.append(mixed[at], whole), np.append(ranked[begins], codes[whole, 0]).astype(np.intp)
    places = np.append(places, np.full(len(whole), codes.shape[1]))
    order = np.lexsort((code, -places, at))
    return rows[at[order]], code[order], places[order] / codes.shape[1]


@dataclass(frozen=True, eq=False)
class Named:
    """Which answer each footprint gets: ``code`` where ``leads``, with its ``share``; shape (n,)."""

    code: Indices
    share: Reals
    leads: Bools


def leads(share: Reals, others: Reals, rules: Matching) -> Bools:
    """Return where a share is named, ``others`` being the largest of the other shares."""
    return np.asarray((share >= rules.lead_share) & (share - others >= rules.lead_margin))


def name(division: Division, rules: Matching) -> Named:
    """Return the likeliest answer of each footprint, and whether it leads as the policy asks for."""
    code, share, other = division.likeliest()
    return Named(code, share, leads(share, other, rules))
