"""The end of an opinion: the band around what is expected, and how much had been seen."""

from math import isfinite

import numpy as np

from amiss.data import Array, Floats
from amiss.kernel import kernel


def bounds(
    value: Floats, recent: Floats, usual: Floats, width: Floats, already: Array
) -> tuple[Floats, Floats, Array]:
    """[min(recent, usual) - width, max(recent, usual) + width], and the samples before: (T, S).

    `already` (S,) is how many samples there were before the first tick. NaN gives NaN and is no
    sample. Cost: O(T S), about 3 ns a point.
    """
    lower, upper = np.empty(value.shape), np.empty(value.shape)
    before = np.empty(value.shape, np.int64)
    _bounds(value, recent, usual, width, already, lower, upper, before)
    return lower, upper, before


@kernel
def _bounds(
    value: Array, recent: Array, usual: Array, width: Array, already: Array,
    lower: Array, upper: Array, before: Array,
) -> None:  # fmt: skip
    ticks, series = value.shape
    for t in range(ticks):
        for s in range(series):
            lower[t, s] = min(recent[t, s], usual[t, s]) - width[t, s]
            upper[t, s] = max(recent[t, s], usual[t, s]) + width[t, s]
            before[t, s] = already[s]
            if isfinite(value[t, s]):
                already[s] += 1
