"""Counts of positive numbers in bins of equal ratio, 8 an octave: how often was it this large?

The lower edge of bin 0 is `base`, placed by the first number; the whole is shifted by octaves
when a larger one comes, and what lies below bin 0 is not resolved. Integer counts, so that the
sum of a tail is a few vector instructions. All functions work on row s of counts (S, bins):
slicing a row out costs more than the arithmetic.
"""

from math import log

from amiss.data import Array
from amiss.kernel import kernel

PER_OCTAVE = 8
BITS = 1.4426950408889634  # an e-fold in octaves


@kernel
def position(v: float, counts: Array, base: Array, s: int, below: int) -> float:
    """Where v > 0 lies, in bins from the lower edge, at least -1; makes room above if it must.

    A base of 0 is "empty": v is then placed `below` octaves above the edge.
    """
    bins = counts.shape[1]
    if base[s] == 0.0:
        base[s] = v / 2.0**below
    at: float = PER_OCTAVE * log(v / base[s]) * BITS
    while at >= bins:
        _shift(counts, s)
        base[s] *= 2.0
        at -= PER_OCTAVE
    return max(at, -1.0)


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


@kernel
def above(at: float, counts: Array, s: int) -> float:
    """How many counts lie above position at >= 0, linear within its bin."""
    k = int(at)
    tail = 0
    for i in range(k + 1, counts.shape[1]):
        tail += counts[s, i]
    within: float = counts[s, k] * (1.0 - (at - k))
    return tail + within


@kernel
def quantile(counts: Array, s: int, tail: float) -> float:
    """The position with `tail` counts above it, or -1 if there are fewer."""
    reached = 0
    # whole octaves first: their sums are vector instructions
    for block in range(counts.shape[1] - PER_OCTAVE, -1, -PER_OCTAVE):
        whole = 0
        for i in range(block, block + PER_OCTAVE):
            whole += counts[s, i]
        if whole == 0 or reached + whole < tail:
            reached += whole
            continue
        for i in range(block + PER_OCTAVE - 1, block - 1, -1):
            count = counts[s, i]
            if count > 0 and reached + count >= tail:
                at: float = i + 1.0 - (tail - reached) / count
                return at
            reached += count
    return -1.0


@kernel
def halve(counts: Array, s: int) -> None:
    """Forget half of what was counted."""
    for i in range(counts.shape[1]):
        counts[s, i] >>= 1
