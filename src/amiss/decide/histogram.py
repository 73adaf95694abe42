"""Counts of positive numbers in bins of equal ratio, 8 an octave: how often was it this large?

The lower edge of bin 0 is `base`, placed by the first number; the whole is shifted by octaves
when a larger one comes, and what lies below bin 0 is not resolved. Integer counts, so that the
sum of a tail is a few vector instructions. All functions work on row s of counts (S, bins):
slicing a row out costs more than the arithmetic. What is below TINY is nothing, and what is
above HUGE is not told apart, so that no ratio of two numbers overflows.
"""

from math import inf, log
from typing import Any

import numpy as np

from amiss.data import Array
from amiss.kernel import inlined, kernel

PER_OCTAVE = 8
TINY, HUGE = 1e-150, 1e155
BITS = 1.4426950408889634  # an e-fold in octaves


@inlined
def position(v: float, counts: Array, base: Array, s: int, below: int) -> float:
    """Where v >= TINY lies, in bins from the lower edge, at least -1; makes room above if it must.

    A base of 0 is "empty": v is then placed `below` octaves above the edge.
    """
    v = min(v, HUGE)
    at = PER_OCTAVE * log(v / base[s]) * BITS if base[s] > 0.0 else inf
    if at >= counts.shape[1]:
        at = _make_room(v, counts, base, s, below)
    return max(at, -1.0)


@kernel
def _make_room(v: float, counts: Array, base: Array, s: int, below: int) -> float:
    """The rare part of `position`, apart from it so that the rest stays small and fast."""
    if base[s] == 0.0:
        base[s] = v / 2.0**below
    at: float = PER_OCTAVE * log(v / base[s]) * BITS
    while at >= counts.shape[1]:
        _shift(counts, s)
        base[s] *= 2.0
        at -= PER_OCTAVE
    return at


@kernel
def _shift(counts: Array, s: int) -> None:
    """Move everything down an octave; what falls out at the bottom is kept in bin 0."""
    bins = counts.shape[1]
    low = 0
    for i in range(PER_OCTAVE + 1):
        low += counts[s, i]
    for i in range(1, bins - PER_OCTAVE):
        counts[s, i] = counts[s, i + PER_OCTAVE]
    for i in range(bins - PER_OCTAVE, bins):
        counts[s, i] = 0
    counts[s, 0] = low  # fits: the counts of a row together are bounded by its users


def later(bins: int, kind: type[np.unsignedinteger[Any]]) -> Array:
    """All bits set in the upper half: `above` slides it over the counts."""
    return np.repeat(np.array([0, np.iinfo(kind).max], kind), bins)


@kernel
def above(at: float, counts: Array, s: int, mask: Array) -> float:
    """How many counts lie above position at >= 0, linear within its bin; mask: of `later`.

    All bins are read, as a loop from `at` could not be vectorised; nor could a signed index.
    """
    k = np.uint64(at)
    first = np.uint64(counts.shape[1] - 1) - k
    tail = np.uint32(0)
    for i in range(counts.shape[1]):
        tail = np.uint32(tail + (counts[s, i] & mask[first + np.uint64(i)]))
    within: float = counts[s, k] * (1.0 - (at - k))
    return tail + within


@inlined
def quantiles(counts: Array, s: int, low_tail: float, high_tail: float) -> tuple[float, float]:
    """The positions with `low_tail` and with `high_tail` > `low_tail` counts above them.

    -1 where there are fewer. Whole octaves are skipped: their sums are vector instructions.
    """
    reached, wanted, first = 0.0, low_tail, -1.0
    octaves = counts.shape[1] // PER_OCTAVE
    for octave in range(octaves - 1, -1, -1):
        start = np.uint64(octave * PER_OCTAVE)
        whole = np.uint32(0)
        for i in range(PER_OCTAVE):
            whole = np.uint32(whole + counts[s, start + np.uint64(i)])
        if whole == 0 or reached + whole < wanted:
            reached += whole
            continue
        for i in range(PER_OCTAVE - 1, -1, -1):
            count = counts[s, start + np.uint64(i)]
            while count > 0 and reached + count >= wanted:
                at = octave * PER_OCTAVE + i + 1 - (wanted - reached) / count
                if first >= 0.0:
                    return first, at
                first, wanted = at, high_tail
            reached += count
    return first, -1.0


@kernel
def halve(counts: Array, s: int) -> None:
    """Forget half of what was counted."""
    for i in range(counts.shape[1]):
        counts[s, i] >>= 1
