"""Counts of positive numbers in bins of equal ratio, 8 an octave: how often was it this large?

The lower edge of bin 0 is `base`, placed by the first number; the whole is shifted by octaves
when a larger one comes, and what lies below bin 0 is not resolved. Integer counts of 16 bits, so
that the sum of a tail is a few vector instructions; a bin with 65,536 or more has an entry in
`carried` (S, n) for each of these, its number + 1, and 0 is no entry. All functions work on row s
of counts (S, bins): slicing a row out costs more than the arithmetic. What is below TINY is
nothing, and what is above HUGE is not told apart, so that no ratio of two numbers overflows.
"""

from math import inf, log

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing, inlined

PER_OCTAVE = 8
TINY, HUGE = 1e-150, 1e155
BITS = 1.4426950408889634  # an e-fold in octaves
CARRY = 1 << 16


@inlined
def position(v: float, counts: Array, carried: Array, base: Array, s: int, below: int) -> float:
    """Where v >= TINY lies, in bins from the lower edge, at least -1; makes room above if it must.

    A base of 0 is "empty": v is then placed `below` octaves above the edge.
    """
    v = min(v, HUGE)
    at = PER_OCTAVE * log(v / base[s]) * BITS if base[s] > 0.0 else inf
    if at >= counts.shape[1]:
        at = _make_room(v, counts, carried, base, s, below)
    return max(at, -1.0)


@borrowing
def _make_room(v: float, counts: Array, carried: Array, base: Array, s: int, below: int) -> float:
    """The rare part of `position`, apart from it so that the rest stays small and fast."""
    if base[s] == 0.0:
        base[s] = v / 2.0**below
    at: float = PER_OCTAVE * log(v / base[s]) * BITS
    while at >= counts.shape[1]:
        _shift(counts, carried, s)
        base[s] *= 2.0
        at -= PER_OCTAVE
    return at


@borrowing
def _shift(counts: Array, carried: Array, s: int) -> None:
    """Move everything down an octave; what falls out at the bottom is kept in bin 0."""
    bins = counts.shape[1]
    low = 0
    for i in range(PER_OCTAVE + 1):
        low += counts[s, i]
    for i in range(1, bins - PER_OCTAVE):
        counts[s, i] = counts[s, i + PER_OCTAVE]
    for i in range(bins - PER_OCTAVE, bins):
        counts[s, i] = 0
    for j in range(carried.shape[1]):
        if carried[s, j] > 0:
            carried[s, j] = max(carried[s, j] - PER_OCTAVE, 1)
    counts[s, 0] = low % CARRY
    for _ in range(low // CARRY):
        _carry(carried, s, 0)


@borrowing
def _carry(carried: Array, s: int, bin: int) -> None:
    """A bin has 65,536 more. There is room: the counts of a row are bounded by its users."""
    for j in range(carried.shape[1]):
        if carried[s, j] == 0:
            carried[s, j] = bin + 1
            return


@inlined
def add(counts: Array, carried: Array, s: int, at: float, weight: int) -> None:
    """Count what lies at a position >= 0, so many times."""
    k = np.uint64(at)
    more = counts[s, k] + weight
    counts[s, k] = more & (CARRY - 1)
    if more >= CARRY:
        _carry(carried, s, int(at))


def later(bins: int) -> Array:
    """All bits set in the upper half: `above` slides it over the counts."""
    return np.repeat(np.array([0, CARRY - 1], np.uint16), bins)


@inlined
def above(at: float, counts: Array, s: int, mask: Array) -> float:
    """How many counts lie above position at >= 0, linear within its bin; mask: of `later`.

    For rows whose counts are less than 65,536 together. All bins are read, as a loop from `at`
    could not be vectorised; nor could a signed index, nor so well a wider sum.
    """
    k = np.uint64(at)
    bins = len(mask) // 2  # known to the compiler
    first = np.uint64(bins - 1) - k
    tail = np.uint16(0)
    for i in range(bins):
        tail = np.uint16(tail + (counts[s, i] & mask[first + np.uint64(i)]))
    within: float = counts[s, k] * (1.0 - (at - k))
    return tail + within


@inlined
def above_many(at: float, counts: Array, carried: Array, s: int, mask: Array) -> float:
    """The same for rows with more."""
    k = np.uint64(at)
    bins = len(mask) // 2  # known to the compiler
    first = np.uint64(bins - 1) - k
    tail = np.uint32(0)
    for i in range(bins):
        tail = np.uint32(tail + (counts[s, i] & mask[first + np.uint64(i)]))
    count = float(counts[s, k])
    for j in range(carried.shape[1]):
        if carried[s, j] == k + np.uint64(1):
            count += CARRY
        elif carried[s, j] > k:
            tail += np.uint32(CARRY)
    return tail + count * (1.0 - (at - k))


@borrowing
def _carried(carried: Array, s: int, first: int, last: int) -> int:
    """What the bins from `first` to `last` have carried."""
    total = 0
    for j in range(carried.shape[1]):
        if first < carried[s, j] <= last + 1:
            total += CARRY
    return total


@inlined
def quantiles(
    counts: Array, carried: Array, s: int, low_tail: float, high_tail: float
) -> tuple[float, float]:
    """The positions with `low_tail` and with `high_tail` > `low_tail` counts above them.

    -1 where there are fewer. Whole octaves are skipped: their sums are vector instructions.
    """
    reached, wanted, first = 0.0, low_tail, -1.0
    octaves = counts.shape[1] // PER_OCTAVE
    large = carried.shape[1] > 0 and carried[s, 0] > 0
    for octave in range(octaves - 1, -1, -1):
        start = np.uint64(octave * PER_OCTAVE)
        whole = np.uint32(0)
        for i in range(PER_OCTAVE):
            whole = np.uint32(whole + counts[s, start + np.uint64(i)])
        if large:
            whole += np.uint32(_carried(carried, s, octave * 8, octave * 8 + 7))
        if whole == 0 or reached + whole < wanted:
            reached += whole
            continue
        for i in range(PER_OCTAVE - 1, -1, -1):
            count = np.uint32(counts[s, start + np.uint64(i)])
            if large:
                count += np.uint32(_carried(carried, s, octave * 8 + i, octave * 8 + i))
            while count > 0 and reached + count >= wanted:
                at = octave * PER_OCTAVE + i + 1 - (wanted - reached) / count
                if first >= 0.0:
                    return first, at
                first, wanted = at, high_tail
            reached += count
    return first, -1.0


@borrowing
def halve(counts: Array, carried: Array, s: int) -> None:
    """Forget half of what was counted."""
    for i in range(counts.shape[1]):
        counts[s, i] >>= 1
    for j in range(carried.shape[1]):
        bin = int(carried[s, j]) - 1
        carried[s, j] = 0
        if bin >= 0:
            more = counts[s, bin] + CARRY // 2
            counts[s, bin] = more % CARRY
            if more >= CARRY:
                _carry(carried, s, bin)
