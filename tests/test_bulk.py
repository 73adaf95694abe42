"""The rank of a fused surprise, against a plain version, and what is learned of the strange."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.decide import bulk


@given(
    st.lists(st.floats(0, 31), min_size=1, max_size=300),
    st.lists(st.floats(0, 40), min_size=1, max_size=20),
)
def test_the_rank_is_the_share_that_is_as_large(past: list[float], fused: list[float]) -> None:
    state = bulk.refill(bulk.init(), np.array(past))
    p, _ = bulk.rank(state, np.array(fused))
    for f, found in zip(fused, p.tolist(), strict=True):
        prior = 20 * min(1.0, exp(1 - f))
        most = sum(x >= f - bulk.STEP for x in past)
        least = sum(x >= f + bulk.STEP for x in past) if f < bulk.TOP else 0
        assert found <= min(1.0, (most + prior) / (len(past) + 20)) + 1e-12 or f >= bulk.TOP
        assert found >= min(1.0, (least + prior) / (len(past) + 20)) - 1e-12


def plain(F: float, past: list[float]) -> tuple[float, float]:
    """p and judged, of a past in bins of 1/32."""
    n, bins = len(past), [min(int(x * 32), 1023) for x in past]
    at = min(int(F * 32), 1023)
    reached = sum(k > at for k in bins) + bins.count(at) * max(1 - (F * 32 - at), 0)
    p = (reached + 20 * min(1, exp(1 - F))) / (n + 20)
    q50, q90 = quantile(bins, 0.5), quantile(bins, 0.9)
    beta = max((q90 - q50) / log(5), 1e-3)
    return min(p, 1.0), max(0.0, log(2) + (F - q50) / beta)


def quantile(bins: list[int], share: float) -> float:
    """Linear within its bin."""
    n, last = len(bins), 0.0
    for k in range(1023):
        below = 1.0 - sum(one > k for one in bins) / n
        if below > share:
            return (k + (share - last) / (below - last)) / 32
        last = below
    return 1023 / 32


@given(
    st.lists(st.floats(0, 31), min_size=1, max_size=60),
    st.lists(st.floats(0, 40), min_size=1, max_size=20),
)
def test_reads_like_the_equations(past: list[float], fused: list[float]) -> None:
    state = bulk.refill(bulk.init(), np.array(past))
    p, judged = bulk.rank(state, np.array(fused))
    for found, F in zip(zip(p.tolist(), judged.tolist(), strict=True), fused, strict=True):
        assert found == pytest.approx(plain(F, past), rel=1e-6, abs=1e-9)


def test_the_bulk_judges_a_past_that_holds_anomalies() -> None:
    """A rank cannot say that one in twenty is too strange; the bulk can."""
    rng = np.random.default_rng(0)
    past = np.append(rng.exponential(0.7, 9500), np.full(500, 20.0))
    state = bulk.refill(bulk.init(), past)
    p, judged = bulk.rank(state, np.array([0.5, 20.0]))
    assert p[1] == pytest.approx(0.05, abs=0.002)
    assert judged[0] < 3 < bulk.ALERT < judged[1]


def test_the_tail_goes_through_its_quantiles() -> None:
    nats = bulk.exponential(np.array([1.0, 3.0, 0.0]), 1.0, 3.0)
    assert nats.tolist() == pytest.approx([log(2), log(10), 0.0])
    assert np.isfinite(bulk.exponential(np.array([1.0, 9.0]), 1.0, 1.0)).all()


def test_ranks_are_uniform_where_past_and_present_are_alike() -> None:
    rng = np.random.default_rng(1)
    state = bulk.refill(bulk.init(), rng.exponential(1.0, 5000))
    p, _ = bulk.rank(state, rng.exponential(1.0, 20_000))
    for a in (0.3, 0.1, 0.03, 0.01):
        assert (p <= a).mean() < a + 4 * (a / 5000 + a / 20_000) ** 0.5


def test_little_is_learned_of_the_strange_unless_it_goes_on() -> None:
    state, strange = bulk.init(), np.full(64, 9.0)
    state, weight = bulk.weights(state, strange, True)
    assert (weight == 1).all()  # a history is learned
    state, weight = bulk.weights(state, np.array([9.0, 1.0, np.nan]), False)
    assert weight.tolist() == [bulk.LEAST, 1.0, 1.0]
    for _ in range(100):
        state, weight = bulk.weights(state, strange, False)
    assert (weight == bulk.LITTLE).all()


def test_nothing_is_held_off_before_there_is_a_past() -> None:
    state, weight = bulk.weights(bulk.init(), np.full(8, 9.0), False)
    assert (weight == 1).all()
    state = bulk.learn(state, np.ones(bulk.WARM), np.ones(bulk.WARM))
    _, weight = bulk.weights(state, np.full(8, 9.0), False)
    assert (weight == bulk.LEAST).all()


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 100), st.booleans()), max_size=12))
def test_what_is_learned_is_the_square_of_the_share_that_is_strange(
    blocks: list[tuple[int, int, bool]],
) -> None:
    """Blocks of so many F, of which so many in a hundred are strange; some are a history."""
    state, share, seen, told = bulk.init(), 0.0, 0, False
    for count, odd, history in blocks:
        score = np.where(np.arange(count) % 100 < odd, 4.5, 4.0)
        score[::7] = np.nan
        guarded = not history and (told or seen >= 4096)
        strange = [guarded and s > 4 for s in score.tolist()]
        little = min(max(share * share, 0.01), 0.1)
        state, weight = bulk.weights(state, score, history)
        assert weight.tolist() == pytest.approx([little if odd_one else 1 for odd_one in strange])
        if count:
            share += min(count / 1024, 1) * (sum(strange) / count - share)
        seen, told = seen + count, told or history
        state = bulk.learn(state, np.ones(count), weight)
    assert state["strange"][0] == pytest.approx(share)
