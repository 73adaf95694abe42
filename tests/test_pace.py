"""How often single records come."""

from math import exp

import numpy as np

from amiss.data import DAY, SECOND
from amiss.decide import pace
from made import START, Chance


def test_steady_records_have_the_interval_that_they_have() -> None:
    time = (START + 20 * np.arange(20_000)) * SECOND
    _, interval, watched, _ = pace.step(pace.init(), time)
    np.testing.assert_allclose(interval[2000:], 20.0, rtol=0.01)
    assert watched[-1] == (time[-1] - time[0]) / DAY


def test_it_is_what_the_equation_says_in_one_piece_or_two() -> None:
    time = (START * SECOND + np.cumsum(1e12 * Chance(1).exponential(60))).astype(np.int64)
    state, interval, *_ = pace.step(pace.init(), time)
    count = spent = 0.0
    for t in range(60):
        dt = (time[t] - time[max(t - 1, 0)]) / SECOND
        fade = exp(-dt / 86400)
        count, spent = count * fade + 1, spent * fade + 86400 * (1 - fade)
        assert np.isclose(interval[t], max(spent / count, pace.SHORTEST))
    first, one, _, seen = pace.step(pace.init(), time[:17])
    second, two, _, then = pace.step(first, time[17:])
    np.testing.assert_array_equal(interval, np.concatenate([one, two]))
    np.testing.assert_array_equal(state["spent"], second["spent"])
    assert [*seen, *then] == list(range(1, 61))


def test_a_burst_makes_each_of_its_records_cheap() -> None:
    quiet = START + 600 * np.arange(200)
    time = np.concatenate([quiet, quiet[-1] + 1 + np.arange(5000) // 50]) * SECOND
    _, interval, *_ = pace.step(pace.init(), time)
    assert interval[199] > 300
    assert interval[-1] < 30


def test_after_a_long_gap_the_pace_is_soon_what_it_is() -> None:
    before, after = np.arange(1000), 60 * 86400 + np.arange(1000)
    _, interval, *_ = pace.step(
        pace.init(), (START + 10 * np.concatenate([before, after])) * SECOND
    )
    np.testing.assert_allclose(interval[1000 + 359], 86400 / 360, rtol=0.05)
