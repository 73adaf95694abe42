"""The end of an opinion: the band around what is expected, and how much had been seen.

    near = b, but no further than V from m where E > V
    band = [min(m, near) - V, max(m, near) + V]

for the width V that 99 of 100 samples lie within (decide/size.py), and m, b and E (recent, usual
and error) of decide/expect.py. Where the mean error of what is usual is larger than the width, a
level was left for good, which would hold the band open for a day.
"""

from math import isfinite

import numpy as np

from amiss.data import Array, Floats
from amiss.kernel import borrowing, inlined


def bounds(
    value: Floats, recent: Floats, usual: Floats, error: Floats, width: Floats, already: Array
) -> tuple[Floats, Floats, Array]:
    """Lower, upper and the samples before, all (T, S), from m, b, E and V (T, S).

    `already` (S,) is how many samples there were before the first tick. NaN gives NaN and is no
    sample. Cost: O(T S), about 3 ns a point.
    """
    lower, upper = np.empty(value.shape), np.empty(value.shape)
    before = np.empty(value.shape, np.int64)
    _bounds(
        recent.ravel(), usual.ravel(), error.ravel(), width.ravel(), lower.ravel(), upper.ravel()
    )
    _count(value, already, before)
    return lower, upper, before


@inlined
def band(recent: float, usual: float, error: float, width: float) -> tuple[float, float]:
    """The equation, for one sample; NaN where one of them is not known."""
    if not isfinite(recent + usual + width):
        return np.nan, np.nan
    near = usual
    if error > width:
        near = min(max(usual, recent - width), recent + width)
    return min(recent, near) - width, max(recent, near) + width


@borrowing
def _bounds(
    recent: Array, usual: Array, error: Array, width: Array, lower: Array, upper: Array,
) -> None:  # fmt: skip
    for i in range(len(recent)):
        lower[i], upper[i] = band(recent[i], usual[i], error[i], width[i])


@borrowing
def _count(value: Array, already: Array, before: Array) -> None:
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            before[t, s] = already[s]
            already[s] += isfinite(value[t, s])
