"""What is trained on, what is held out, and that steps lead down."""

import numpy as np
import pytest

from amiss.data import Array
from amiss.networks import gaps, scaling
from amiss.networks.adam import Adam
from amiss.networks.rows import evenly, often, rows_of
from amiss.networks.training import train

MINUTE = 60 * 10**9


def test_adam_takes_the_steps_of_the_paper() -> None:
    weights, adam = np.array([1.0, -2.0]), Adam.of(np.zeros(2))
    m = v = np.zeros(2)
    wanted = weights.copy()
    for t in range(1, 6):
        gradient = np.array([0.3, -0.1]) * t / 5
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        wanted -= 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        adam.step(weights, gradient.copy(), 0.01)
        np.testing.assert_allclose(weights, wanted, rtol=1e-12)


def test_a_long_gradient_is_cut() -> None:
    long, short = np.zeros(2), np.zeros(2)
    Adam.of(long).step(long, np.array([300.0, 400.0]), 0.1)
    Adam.of(short).step(short, np.array([0.6, 0.8]), 0.1)
    np.testing.assert_allclose(long, short)


def test_the_best_weights_of_a_training_are_kept() -> None:
    """It is led away from where the check is best."""
    weights, seen = np.zeros(1), []

    def learn(batch: Array, gradient: Array) -> float:
        assert set(batch) <= {3, 4}
        gradient[:] = -1.0
        return float(weights[0])

    def check() -> float:
        seen.append(weights[0])
        return abs(weights[0] - 0.5)

    chance = np.random.default_rng(0)
    windows = np.array([3, 4])
    options = {"windows": windows, "steps": 100, "batch": 2, "rate": 0.01}
    epochs, training, validation = train(weights, learn, check, chance, **options)
    assert len(seen) == 10
    assert epochs.tolist() == list(range(10, 101, 10))
    assert validation.tolist() == [abs(w - 0.5) for w in seen]
    assert training[0] == pytest.approx(np.mean([0.01 * k for k in range(10)]), abs=1e-6)
    assert weights[0] == min(seen, key=lambda w: abs(w - 0.5)) == pytest.approx(0.5, abs=0.05)
    *_, validation = train(weights, learn, None, chance, **options)
    assert np.isnan(validation).all()
    assert weights[0] == pytest.approx(1.5, abs=0.05)


def test_what_is_held_out_is_later_and_no_window_crosses_a_gap() -> None:
    time = np.arange(100) * MINUTE
    time[50:] += 10 * MINUTE
    seen = np.ones((100, 2), bool)
    seen[:30, 1] = False
    rows = rows_of(time, seen, gaps.usual(time))
    tick, system = rows.place
    kept, checked = rows.windows(10)
    for begin in (kept, checked):
        for first in begin.tolist():
            ticks = tick[first : first + 10]
            assert len(set(system[first : first + 10].tolist())) == 1
            assert ticks.tolist() == list(range(ticks[0], ticks[0] + 10))
            assert not ticks[0] < 50 <= ticks[-1]
    assert tick[kept + 9].max() < tick[checked].min()
    assert rows.held.mean() == pytest.approx(0.2, abs=0.02)
    assert rows.longest() == 50


def test_rows_that_are_missing_are_a_gap_only_if_they_are_many() -> None:
    time, seen = np.arange(40) * MINUTE, np.ones((40, 1), bool)
    seen[10:13], seen[20:25] = False, False
    assert rows_of(time, seen, gaps.usual(time)).sequence[-1] == 2


def test_rows_that_come_more_slowly_than_in_training_are_no_gaps() -> None:
    known, seen = gaps.init(1), np.ones((5, 1), bool)
    first = np.empty((5, 1), bool)
    time = np.array([0, 1, 2, 3, 63]) * 600 * 10**9
    gaps.breaks(time, seen, np.array([MINUTE]), known["last"], known["pace"], first)
    assert first[:, 0].tolist() == [True, True, False, False, True]


@pytest.mark.parametrize("ticks", [0, 1])
def test_next_to_no_rows(ticks: int) -> None:
    time = np.arange(ticks)
    rows = rows_of(time, np.ones((ticks, 1), bool), gaps.usual(time))
    assert [len(w) for w in rows.windows(2)] == [0, 0]
    assert len(evenly(rows.windows(2)[1], 10)) == 0
    assert rows.longest() == ticks


def test_what_never_moved_counts_for_little() -> None:
    x = np.array([[1.0, 7.0], [3.0, 7.0], [np.nan, 7.0]])
    scale = scaling.learn(x)
    away = scale(np.array([[4.0, 7.0], [1e150, 8.0], [np.nan, 6.9]]))
    np.testing.assert_array_equal(away, [[2.0, 0.0], [1e9, 5.0], [np.nan, -5.0]])
    np.testing.assert_array_equal(scaling.shown(away), [[2.0, 0.0], [5.0, 5.0], [0.0, -5.0]])
    np.testing.assert_allclose(scale.back(scale(x)), x)


def test_metrics_that_are_seldom_seen_are_left_out() -> None:
    x = np.ones((10, 2, 3))
    x[:5, :, 1], x[4:, :, 2] = np.nan, np.nan
    x[:, 1] = np.nan
    assert often(x).tolist() == [0]
