"""What a chart of one series shows, whoever draws it: gaps as gaps, a band cut off, marks. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.data import SECOND, Floats
from amiss.store import Points
from amiss.store.thin import thin
from amiss.words.phrases import USUAL, shown

Stretch = tuple[int, int]  # ns, from and to

MS = 10**6
READ = 20_000
"""Points to ask of a history, so that it comes as it is: thinned, it does not show all gaps."""
GAP = 3.5  # samples that may be missing before the line is broken


def marked(time: Floats, score: Floats, bar: float, stretches: Sequence[Stretch]) -> NDArray[Any]:
    """What would open an incident by itself now, and what was odd while one lasted."""
    odd = score >= (bar if np.isfinite(bar) else np.inf)
    for start, end in stretches:
        odd |= (time >= start / MS) & (time <= end / MS) & (score >= USUAL)
    return odd


def broken(points: Points, every: float, most: int) -> list[Floats]:
    """All columns, time in milliseconds, with an empty row in each gap: no line is drawn there."""
    every = every * SECOND / MS
    time = points.time / MS
    longest = GAP * every
    if len(time) and (time[-1] - time[0]) / every > READ:
        # thinned already: three points of each stretch are left, at any place in it
        longest = max(longest, 6.5 * (time[-1] - time[0]) / len(time))
    after = np.flatnonzero(np.diff(time) > longest)
    inside = (time[after] + time[after + 1]) / 2
    time, *rest = thin(points, most).columns()
    time = time / MS
    gaps = np.searchsorted(time, inside)
    return [np.insert(time, gaps, inside), *(np.insert(column, gaps, np.nan) for column in rest)]


def cut(
    value: Floats, expected: Floats, lower: Floats, upper: Floats, name: str
) -> tuple[Floats, Floats]:
    """The band, not beyond where the series can be: see `phrases.shown`."""
    known = np.concatenate([value, expected])
    known = known[np.isfinite(known)]
    if not len(known):
        return lower, upper
    least, most = shown(float(known.min()), -np.inf, np.inf, float(known.max()), name)
    least = least if known.min() >= 0 else -np.inf
    return np.maximum(lower, least), np.minimum(upper, most)
