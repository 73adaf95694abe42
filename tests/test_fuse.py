"""Many opinions into one score, against a plain version."""

from math import exp, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.decide import fuse
from made import Chance

inverses = st.lists(st.floats(1, 1e6) | st.just(nan), min_size=0, max_size=5)


def naive(inverse: list[float], inside: bool, large: float, rare: float) -> float:
    heard = [x for x in inverse if x == x]
    if not heard:
        return nan
    s = log(sum(heard) / len(heard))
    if inside:
        s -= 2
    s += 5 * log(1 + max(large - 10, 0)) * min(max((rare - 7) / 0.5, 0), 1)
    return s if s <= 6 else 6 + 2 * log(1 + (s - 6) / 2)


def told(inverse: list[float], inside: bool, large: float, rare: float) -> float:
    column = np.array(inverse, float).reshape(-1, 1, 1)
    found = fuse.fuse(column, *(np.array([[x]]) for x in (inside, large, rare)))
    return float(found[0, 0])


@given(inverses, st.booleans(), st.floats(0, 1e6), st.floats(6.9, 7.6) | st.floats(0, 12))
def test_reads_like_the_equations(
    inverse: list[float], inside: bool, large: float, rare: float
) -> None:
    expected = naive(inverse, inside, large, rare)
    assert told(inverse, inside, large, rare) == pytest.approx(expected, nan_ok=True, abs=1e-12)


@given(inverses)
def test_without_size_and_day_it_is_the_harmonic_mean_alone(inverse: list[float]) -> None:
    """As single records have it."""
    heard = [x for x in inverse if x == x]
    found = fuse.harmonic(np.array(inverse, float).reshape(-1, 1))
    expected = log(sum(heard) / len(heard)) if heard else nan
    assert found.tolist() == pytest.approx([expected], nan_ok=True, abs=1e-12)


def test_the_harmonic_mean_of_p() -> None:
    """One of four that is sure outweighs three that see nothing, at the price of ln 4."""
    assert told([1000.0, 1.0, 1.0, 1.0], False, 0.0, 0.0) == pytest.approx(log(1003 / 4))
    assert told([300.0], False, 0.0, 0.0) == pytest.approx(log(300))
    assert told([300.0, nan, nan], False, 0.0, 0.0) == pytest.approx(log(300))


def test_fused_p_is_a_p_up_to_a_small_factor() -> None:
    """For p-values that know nothing of one another, and for ones that are all the same."""
    p = 1 - Chance(1).uniform(4 * 200_000).reshape(4, 200_000, 1)
    nothing = np.zeros((200_000, 1))
    alone = np.exp(-fuse.fuse(1 / p, nothing > 0, nothing, nothing))
    same = np.exp(-fuse.fuse(1 / p[[0] * 4], nothing > 0, nothing, nothing))
    for a in (0.1, 0.01, 0.003):
        assert np.mean(alone <= a) <= 2 * a
        assert np.mean(same <= a) == pytest.approx(a, rel=0.2)


@given(st.floats(-3, 50), st.floats(-3, 50))
def test_the_squeeze_changes_no_order(one: float, two: float) -> None:
    assert (fuse.squeeze(one) < fuse.squeeze(two)) == (one < two) or abs(one - two) < 1e-9


def test_size_counts_only_where_it_is_rare() -> None:
    rank_only = told([exp(5)], False, 0.0, 0.0)
    assert told([exp(5)], False, 1000.0, 7.0) == pytest.approx(rank_only)
    assert told([exp(5)], False, 1000.0, 7.5) > rank_only + 3
    assert told([exp(5)], False, 10.0, 9.0) == pytest.approx(rank_only)


def test_the_nightly_job_is_less_strange() -> None:
    assert told([exp(5)], True, 0.0, 0.0) == pytest.approx(3.0)
