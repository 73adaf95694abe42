"""Ranks of scores in their own past, against a plain version, and against what they promise."""

from math import inf, log, nan, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Floats
from amiss.decide import rank
from made import KINDS, START, Chance
from test_histogram import Histogram


class Rank:
    """The equations, one score at a time."""

    def __init__(self) -> None:
        self.past = Histogram(64, 4)
        self.n, self.mean = 0, 0.0

    def step(self, v: float) -> float:
        at = self.past.position(v) if v > 0 else -1.0
        inverse = 1.0
        if self.n:
            reached = self.past.above(at) if at >= 0 else self.n
            p = (reached + 20 * self.prior(v)) / (self.n + 20)
            inverse = max(1 / p, 1.0)
        if at >= 0:
            self.past.add(at)
        self.n += 1
        self.mean += (v - self.mean) / self.n
        if self.n == 20000:
            self.past.halve()
            self.n //= 2
        return inverse

    def prior(self, v: float) -> float:
        """Two-sided tail of Student's t with three degrees of freedom, at least .01."""
        y = v / (1.2533 * self.mean or 1e-300) / sqrt(3)
        return max(1 - 2 / pi * (np.arctan(y) + y / (1 + y * y)), 0.01)


def naive(scores: Floats) -> list[float]:
    it = Rank()
    return [it.step(v) if np.isfinite(v) else nan for v in scores.tolist()]


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.integers(1, 400))
def test_reads_like_the_equations(kind: str, seed: int, n: int) -> None:
    chance = Chance(seed)
    t = START + 300 * np.arange(n)
    scores = np.abs(KINDS[kind][0](n, t, chance))
    scores[chance.uniform(n) < 0.1] = nan
    _, inverse = rank.step(rank.init(1), scores[:, None])
    np.testing.assert_allclose(inverse[:, 0], naive(scores), rtol=1e-5)


def test_after_half_is_forgotten() -> None:
    scores = Chance(5).exponential(41_000)
    _, inverse = rank.step(rank.init(1), scores[:, None])
    expected = naive(scores)
    np.testing.assert_allclose(inverse[::7, 0], expected[::7], rtol=1e-5)


def p_of(scores: Floats) -> Floats:
    """p of each score (T, S)."""
    return 1.0 / rank.step(rank.init(scores.shape[1]), scores)[1]


@pytest.mark.parametrize("kind", ["white", "heavy", "quantised", "sparse"])
def test_p_is_a_probability(kind: str) -> None:
    """P(p <= a) <= a where past and present are exchangeable, whatever the distribution.

    400 series of 300 exchangeable scores; of each the last ones are asked, once the prior counts
    for little. With a binomial bound that chance exceeds once in a million such tests.
    """
    series, ticks = 400, 300
    chance = Chance(11)
    x = KINDS[kind][0](series * ticks, START + np.arange(series * ticks), chance)
    scores = np.abs(x).reshape(ticks, series)
    p = p_of(scores)[-1]
    for a in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        slack = 5 * sqrt(a * (1 - a) / series)
        assert np.mean(p <= a) <= a + slack, a


def test_p_is_sharp() -> None:
    """And not much less: a rank that never says "rare" would pass the test above."""
    p = p_of(np.abs(Chance(12).normal(400 * 300)).reshape(300, 400))[-1]
    for a in (0.5, 0.2, 0.1):
        assert np.mean(p <= a) >= a - 5 * sqrt(a * (1 - a) / 400)


def test_over_time_as_well() -> None:
    """Asked again and again, 20,000 samples of a series: share of p <= a at most a."""
    p = p_of(Chance(13).exponential(20_000 * 4).reshape(20_000, 4))[200:]
    for a in (0.1, 0.01, 0.001):
        assert np.mean(p <= a) <= a + 5 * sqrt(a / p.size)


@given(st.floats(0, 1e155), st.floats(0, 1e155), st.floats(0, 1e155))
def test_stranger_is_never_more_usual(one: float, two: float, past: float) -> None:
    """Monotone: of two scores with the same past the higher one has the lower p."""
    scores = np.full((50, 2), past)
    scores[::2] *= 0.5
    state, _ = rank.step(rank.init(2), scores)
    last = np.array([[min(one, two), max(one, two)]])
    _, inverse = rank.step(state, last)
    low, high = inverse[0]
    assert low <= high * (1 + 1e-6)


def test_the_table_of_the_prior() -> None:
    """Near the tail itself, and nowhere below the floor."""
    for z in np.linspace(0, 12, 4001):
        y = z / sqrt(3)
        exact = max(1 - 2 / pi * (np.arctan(y) + y / (1 + y * y)), rank.FLOOR)
        assert rank.prior(z) == pytest.approx(exact, abs=4e-6)
        assert rank.prior(z) >= rank.FLOOR
    assert rank.prior(inf) == rank.prior(1e308) == rank.FLOOR


def test_the_first_score_says_nothing_and_the_next_are_careful() -> None:
    """However large: with n in the past and a prior worth 20, 1/p is at most (n + 20) / .2."""
    _, inverse = rank.step(rank.init(1), np.array([[5.0], [1e9], [1e18]]))
    assert inverse[0, 0] == 1.0
    assert log(inverse[1, 0]) < log(21 / 0.2) + 1e-6
    assert log(inverse[2, 0]) < log(22 / 0.2) + 1e-6


def test_an_idle_series() -> None:
    """Nothing but zeros is not strange; the first thing that happens is."""
    scores = np.zeros((1000, 1))
    scores[-1] = 1.0
    _, inverse = rank.step(rank.init(1), scores)
    assert (inverse[:-1] == 1.0).all()
    assert log(inverse[-1, 0]) > 7.0
