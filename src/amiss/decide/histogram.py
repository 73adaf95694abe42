"""Counts of positive numbers in bins of equal ratio, 8 an octave: how often was it this large?

The lower edge of bin 0 is `base`, placed by the first number; the whole is shifted by octaves
when a larger one comes, and what lies below bin 0 is not resolved. Integer counts, so that the
sum of a tail is a few vector instructions. All functions work on row s of counts (S, bins):
slicing a row out costs more than the arithmetic. What is below TINY is nothing, and what is
above HUGE is not told apart, so that no ratio of two numbers overflows.
"""

from math import log

from amiss.data import Array
from amiss.kernel import kernel

PER_OCTAVE = 8
TINY, HUGE = 1e-150, 1e155
BITS = 1.4426950408889634  # an e-fold in octaves


@kernel
def position(v: float, counts: Array, base: Array, s: int, below: int) -> float:
    """Where v >= TINY lies, in bins from the lower edge, at least -1; makes room above if it must.

    A base of 0 is "empty": v is then placed `below` octaves above the edge.
    """
    bins = counts.shape[1]
    v = min(v, HUGE)
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
    for i in range(counts.shape[1]):  # all of them, masked: a loop from k would not be vectorised
        tail += counts[s, i] if i > k else 0
    within: float = counts[s, k] * (1.0 - (at - k))
    return tail + within


@kernel
def quantiles(counts: Array, s: int, low_tail: float, high_tail: float) -> tuple[float, float]:
    """The positions with `low_tail` and with `high_tail` > `low_tail` counts above them.

    -1 where there are fewer. Whole octaves are skipped: their sums are vector instructions.
    """
    reached, wanted, first = 0, low_tail, -1.0
    for octave in range(counts.shape[1] // PER_OCTAVE):
        top = counts.shape[1] - PER_OCTAVE * octave
        whole = 0
        for i in range(PER_OCTAVE):
            whole += counts[s, top - PER_OCTAVE + i]
        if whole == 0 or reached + whole < wanted:
            reached += whole
            continue
        for i in range(PER_OCTAVE):
            count = counts[s, top - 1 - i]
            while count > 0 and reached + count >= wanted:
                at = top - i - (wanted - reached) / count
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
