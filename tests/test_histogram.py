"""Counts in bins of equal ratio, against one that keeps a dictionary."""

from math import floor, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


class Row:
    """One of two rows, with a naive twin; the other one stays empty."""

    def __init__(self, bins: int, below: int, carries: int = 0) -> None:
        self.counts = np.zeros((2, bins), np.uint16)
        self.carried = np.zeros((2, carries), np.uint8)
        self.base, self.below = np.zeros(2), below
        self.naive = Histogram(bins, below)

    def position(self, v: float) -> float:
        return histogram.position(v, self.counts, self.carried, self.base, 1, self.below)

    def add(self, v: float, weight: int = 1) -> float:
        at = self.position(v)
        assert at == pytest.approx(self.naive.position(v), abs=1e-9)
        if at >= 0.0:
            histogram.add(self.counts, self.carried, 1, at, weight)
            self.naive.add(at, weight)
        return at

    def above(self, at: float) -> float:
        mask = histogram.later(self.counts.shape[1])
        many = histogram.above_many(at, self.counts, self.carried, 1, mask)
        if sum(self.array()) < histogram.CARRY:
            assert histogram.above(at, self.counts, 1, mask) == many
        return many

    def quantiles(self, low: float, high: float) -> tuple[float, float]:
        return histogram.quantiles(self.counts, self.carried, 1, low, high)

    def halve(self) -> None:
        histogram.halve(self.counts, self.carried, 1)
        self.naive.halve()

    def array(self) -> list[int]:
        """All counts, with what was carried."""
        counts = self.counts[1].astype(int)
        for entry in self.carried[1].tolist():
            if entry:
                counts[entry - 1] += 65536
        return counts.tolist()


@given(
    st.integers(0, 10**6),
    st.integers(1, 300),
    st.sampled_from([0.5, 3.0, 20.0]),
    st.sampled_from([1, 900]),
)
def test_the_same_counts_tails_and_quantiles(seed: int, n: int, spread: float, weight: int) -> None:
    row = Row(64, 4, carries=6)
    for i, v in enumerate(numbers(seed, n, spread)):
        at = row.add(v, weight)
        if at >= 0.0:
            assert row.above(at) == pytest.approx(row.naive.above(at))
        if i % 97 == 96:
            row.halve()
    assert row.array() == row.naive.array()
    assert not row.counts[0].any()
    assert not row.carried[0].any()
    total = float(sum(row.array()))
    for share in (0.0, 0.005, 0.3, 0.9):
        found = row.quantiles(share * total, (share + 0.09) * total)
        expected = (row.naive.quantile(x * total) for x in (share, share + 0.09))
        assert found == pytest.approx(tuple(expected))


def test_what_16_bits_do_not_hold_is_carried_along() -> None:
    """Through a shift by an octave, which lets full bins fall into one, and through halving."""
    row = Row(64, 4, carries=6)
    for k in (0.3, 1.0, 1.0, 1.05, 1.1):
        row.add(k, 65000)
        row.add(k, 5000)
    assert np.count_nonzero(row.carried[1]) == 5
    row.add(2.0**13)
    assert row.array() == row.naive.array()
    row.halve()
    assert row.array() == row.naive.array()
    row.add(1.0, 65000)
    assert row.array() == row.naive.array()


def test_more_than_there_is() -> None:
    row = Row(64, 4)
    assert row.quantiles(1.0, 2.0) == (-1.0, -1.0)
    row.counts[1, 5] = 3
    assert row.quantiles(3.0, 4.0) == (5.0, -1.0)


def test_a_count_is_what_lies_above() -> None:
    """Above a number there are as many as there are, up to those that share its bin."""
    row, seen = Row(96, 6), numbers(1, 500, 2.0)
    for v in seen:
        row.counts[1, int(max(row.position(v), 0.0))] += 1
    for v in numbers(2, 50, 2.0):
        at = max(row.position(v), 0.0)
        assert abs(row.above(at) - sum(x >= v for x in seen)) <= row.counts[1, int(at)]


@pytest.mark.parametrize(
    "order", [(1e-150, 1e155), (1e155, 1e-150), (1e-150, 1.7e308), (1.0, inf), (5e-300, 1e300)]
)
def test_the_smallest_and_the_largest(order: tuple[float, float]) -> None:
    """No ratio overflows, and no number takes for ever."""
    row = Row(64, 4)
    for v in order:
        if v >= histogram.TINY:
            assert -1.0 <= row.position(v) < 64
