"""How many normal points lie inside the band that was told for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of series: normal points with a band, those of them inside it, and those without a band."""

    banded: Floats  # (C,)
    inside: Floats  # (C,)
    bare: Floats  # (C,)

    @property
    def share(self) -> float:
        """Points inside, of those with a band, all series together; NaN if there are none."""
        total = float(self.banded.sum())
        return float(self.inside.sum()) / total if total else np.nan

    @property
    def least(self) -> float:
        """The same of the tenth of series where it is least (their 10 % quantile)."""
        there = self.banded > 0
        shares = self.inside[there] / self.banded[there]
        return float(np.quantile(shares, 0.1)) if len(shares) else np.nan


def coverage(parts: Sequence[tuple[Floats, Floats, Floats, Array]]) -> Coverage:
    """Value, lower, upper and which points are normal (T,) of each series.

    A missing value is no point. A band with a missing end is none.
    """
    rows = []
    for value, lower, upper, normal in parts:
        point = normal & np.isfinite(value)
        banded = point & np.isfinite(lower) & np.isfinite(upper)
        inside = banded & (lower <= value) & (value <= upper)
        rows.append((banded.sum(), inside.sum(), (point & ~banded).sum()))
    return Coverage(*np.array(rows, np.float64).reshape(-1, 3).T)
