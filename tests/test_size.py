"""How large a surprise is, against a plain version, and what it is for."""

from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Floats
from amiss.decide import size
from made import KINDS, START, Chance
from test_histogram import Histogram


class Size:
    """The equations, one surprise at a time. A sample weighs 20, a later one of an episode 1."""

    def __init__(self) -> None:
        self.past = Histogram(96, 6)
        self.total = self.zeros = 0
        self.since = 255

    def step(self, u: float) -> tuple[float, float, float]:
        at = max(self.past.position(u), 0.0) if u > 0 else -1.0
        T = D = 0.0
        V = nan
        n = self.total + self.zeros
        if self.total > 20 * 20:
            mass = min(n, 2 * self.total)
            p1, p2 = self.past.quantile(0.05 * mass), self.past.quantile(0.005 * mass)
            if p1 >= 0 and p2 >= 0:
                q1, q2 = (self.past.edge * 2 ** (p / 8) for p in (p1, p2))
                low = -log(0.05 * mass / n)
                c = max((q2 - q1) / log(10), q1 / 20)
                T = low + (u - q1) / c if u > q1 else low * u / q1
                V = q1 + c * max(0.0, log(100) - low)
            if T > 10:
                D = -log((self.past.above(at) + 0.2 * 20) / (n + 0.2 * 20))
        self.learn(T, at)
        return T, D, V

    def learn(self, T: float, at: float) -> None:
        weight, self.since = 20, min(self.since + 1, 255)
        if T > 4:
            if self.since < 10:
                weight = 1
            else:
                self.since = 0
        if at >= 0:
            self.past.add(at, weight)
            self.total += weight
        else:
            self.zeros += weight
        if self.total + self.zeros > 20000 * 20:
            self.past.halve()
            self.total, self.zeros = self.total // 2, self.zeros // 2


def naive(surprise: Floats) -> Floats:
    it = Size()
    return np.array([it.step(u) if np.isfinite(u) else (nan,) * 3 for u in surprise.tolist()])


def told(surprise: Floats) -> Floats:
    _, *found = size.step(size.init(1), surprise[:, None])
    return np.column_stack([column[:, 0] for column in found])


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.integers(1, 500))
def test_reads_like_the_equations(kind: str, seed: int, n: int) -> None:
    chance = Chance(seed)
    u = np.abs(KINDS[kind][0](n, START + 300 * np.arange(n), chance))
    u[chance.uniform(n) < 0.1] = nan
    u[chance.uniform(n) < 0.02] *= 40
    np.testing.assert_allclose(told(u), naive(u), rtol=1e-7, atol=1e-9)


def test_after_half_is_forgotten() -> None:
    u = Chance(5).exponential(41_000)
    u[::5] = 0.0
    u[1::1000] *= 30
    np.testing.assert_allclose(told(u)[::7], naive(u)[::7], rtol=1e-6, atol=1e-9)


def test_nats_of_an_exponential() -> None:
    """Where the tail is exponential, T is what it says: -ln of the chance to be so large."""
    u = Chance(7).exponential(15_000)
    T = told(u)[5000:, 0]
    for nats in (3.0, 4.0, 5.0):
        assert np.mean(nats < T) == pytest.approx(np.exp(-nats), rel=0.25)


def test_a_hundred_times_larger_is_a_hundred_times_as_many_nats() -> None:
    """What ranks cannot say: they stop at ln n."""
    u = np.append(Chance(8).exponential(3000), [30.0, 3000.0])
    T, D, _ = told(u)[-2:].T
    assert T[1] > 80 * T[0]
    assert D.max() < log(3000 / 0.2) + 0.1


def test_an_episode_counts_once() -> None:
    """An outage of nine samples teaches little more than its first: the next is as large."""
    once, often = (Chance(9).exponential(4000) for _ in range(2))
    once[2000::200] = 60.0
    for i in range(9):
        often[2000 + i :: 200] = 60.0
    assert told(often)[3999 - 199, 0] == pytest.approx(told(once)[3999 - 199, 0], rel=0.35)


@pytest.mark.parametrize("kind", ["white", "heavy", "bursty", "quantised"])
def test_a_hundredth_is_larger_than_the_width(kind: str) -> None:
    u = np.abs(KINDS[kind][0](20_000, START + 300 * np.arange(20_000), Chance(10)))
    V = told(u)[:, 2]
    assert 0.002 <= np.mean(u[2000:] > V[2000:]) <= 0.02


def test_no_opinion_on_next_to_nothing() -> None:
    T, D, V = told(np.append(Chance(1).exponential(20), 1e9)).T
    assert not T.any()
    assert not D.any()
    assert np.isnan(V).all()


def test_nothing_overflows() -> None:
    u = [1e150, 5e-324, 0.0, inf, 1e-150, 1e150]
    tiny = 1e-200 * Chance(1).exponential(100)
    assert not np.isinf(told(np.append(tiny, u))).any()
    assert not np.isinf(told(np.append(1e60 * tiny, u))).any()
