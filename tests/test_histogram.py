"""Counts in bins of equal ratio, against one that keeps a dictionary."""

from math import floor, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Array
from amiss.decide import histogram
from made import Chance


class Histogram:
    """The same in plain Python. Bins have a number for good; `low` is the one called 0 now."""

    def __init__(self, bins: int, below: int) -> None:
        self.bins, self.below = bins, below
        self.edge, self.low = 0.0, 0  # lower edge and number of the first bin
        self.counts: dict[int, int] = {}

    def position(self, v: float) -> float:
        """Where v lies, in bins from the lower edge; makes room above."""
        if not self.edge:
            self.edge = v / 2**self.below
        at = 8 * log(v / self.edge) * 1.4426950408889634  # not log2: edges round as they do there
        while at >= self.bins:
            self.low, self.edge, at = self.low + 8, 2 * self.edge, at - 8
            fallen = [k for k in self.counts if k < self.low]
            for k in fallen:
                self.counts[self.low] = self.counts.get(self.low, 0) + self.counts.pop(k)
        return max(at, -1.0)

    def add(self, at: float, weight: int = 1) -> None:
        k = self.low + int(at)
        self.counts[k] = self.counts.get(k, 0) + weight

    def above(self, at: float) -> float:
        """How many lie above, as if those of a bin were spread evenly."""
        k = floor(at)
        within = self.counts.get(self.low + k, 0) * (1 - (at - k))
        return within + sum(n for j, n in self.counts.items() if j > self.low + k)

    def quantile(self, tail: float) -> float:
        """The position with so many above it; -1 if there are fewer."""
        reached = 0
        for k in sorted(self.counts, reverse=True):
            if reached + self.counts[k] >= tail:
                return k - self.low + 1 - (tail - reached) / self.counts[k]
            reached += self.counts[k]
        return -1.0

    def halve(self) -> None:
        self.counts = {k: n // 2 for k, n in self.counts.items() if n > 1}

    def array(self) -> list[int]:
        return [self.counts.get(self.low + k, 0) for k in range(self.bins)]


def numbers(seed: int, n: int, spread: float) -> list[float]:
    """Positive numbers over many octaves."""
    return np.exp(spread * Chance(seed).normal(n)).tolist()


def empty(bins: int) -> tuple[Array, Array]:
    """Two rows, of which the tests use the second."""
    return np.zeros((2, bins), np.uint32), np.zeros(2)


@given(st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([0.5, 3.0, 20.0]))
def test_the_same_counts_tails_and_quantiles(seed: int, n: int, spread: float) -> None:
    counts, base = empty(64)
    naive = Histogram(64, 4)
    for i, v in enumerate(numbers(seed, n, spread)):
        at = histogram.position(v, counts, base, 1, 4)
        assert at == pytest.approx(naive.position(v), abs=1e-9)
        if at >= 0.0:
            counts[1, int(at)] += 1
            naive.add(at)
            assert histogram.above(
                at, counts, 1, histogram.later(counts.shape[1], counts.dtype.type)
            ) == pytest.approx(naive.above(at))
        if i % 97 == 96:
            histogram.halve(counts, 1)
            naive.halve()
    assert counts[1].tolist() == naive.array()
    assert not counts[0].any()
    total = float(counts[1].sum())
    for share in (0.0, 0.005, 0.3, 0.9):
        found = histogram.quantiles(counts, 1, share * total, (share + 0.09) * total)
        expected = naive.quantile(share * total), naive.quantile((share + 0.09) * total)
        assert found == pytest.approx(expected)


def test_more_than_there_is() -> None:
    counts, _ = empty(64)
    assert histogram.quantiles(counts, 1, 1.0, 2.0) == (-1.0, -1.0)
    counts[1, 5] = 3
    assert histogram.quantiles(counts, 1, 3.0, 4.0) == (5.0, -1.0)


def test_a_count_is_what_lies_above() -> None:
    """Above a number there are as many as there are, up to those that share its bin."""
    counts, base = empty(96)
    seen = numbers(1, 500, 2.0)
    for v in seen:
        counts[1, int(max(histogram.position(v, counts, base, 1, 6), 0.0))] += 1
    for v in numbers(2, 50, 2.0):
        at = max(histogram.position(v, counts, base, 1, 6), 0.0)
        width = counts[1, int(at)]
        assert (
            abs(
                histogram.above(at, counts, 1, histogram.later(counts.shape[1], counts.dtype.type))
                - sum(x >= v for x in seen)
            )
            <= width
        )


@pytest.mark.parametrize(
    "order", [(1e-150, 1e155), (1e155, 1e-150), (1e-150, 1.7e308), (1.0, inf), (5e-300, 1e300)]
)
def test_the_smallest_and_the_largest(order: tuple[float, float]) -> None:
    """No ratio overflows, and no number takes for ever."""
    counts, base = empty(64)
    for v in order:
        if v >= histogram.TINY:
            at = histogram.position(v, counts, base, 1, 4)
            assert -1.0 <= at < 64
    assert np.isfinite(base).all()
