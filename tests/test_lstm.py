"""The forecast of a network: it follows, it finds, it begins anew after a gap."""

import numpy as np
import pytest

from amiss.data import SECOND, Floats, Frame, State
from amiss.detectors.lstm import Lstm
from made import START
from rhythms import DAY, NAMES, rhythm

SMALL = Lstm(units=(16,), window=48, steps=300, batch=16)


def frame(x: Floats, names: tuple[str, ...], start: int = 0) -> Frame:
    time = (START + 600 * (start + np.arange(len(x)))) * SECOND
    return Frame(time, ('host="a"',), names, x[:, None, :])


@pytest.fixture(scope="module")
def fitted() -> State:
    return SMALL.fit(SMALL.init(1, 3), frame(rhythm(10), NAMES))


def copy(state: State) -> State:
    return {name: array.copy() for name, array in state.items()}


def test_the_same_history_gives_the_same_weights_to_the_bit(fitted: State) -> None:
    again = SMALL.fit(SMALL.init(1, 3), frame(rhythm(10), NAMES))
    for name in SMALL.shared:
        np.testing.assert_array_equal(fitted[name], again[name])
    other = SMALL.model_copy(update={"seed": 1}).fit(SMALL.init(1, 3), frame(rhythm(10), NAMES))
    assert (other["weights"] != fitted["weights"]).any()


def test_a_fault_that_each_metric_hides_is_found(fitted: State) -> None:
    """CPU is as high at night as it is by day: no value is unusual."""
    x = rhythm(4, seed=1)
    night = slice(3 * DAY + 100, 3 * DAY + 116)
    x[night, 1] = 60.0  # instead of 18
    _, scores = SMALL.step(copy(fitted), frame(x, NAMES, 10 * DAY))
    usual = np.nanquantile(scores.values[DAY : 3 * DAY, 0], 0.99)
    assert scores.values[night, 0][0] > 5 * usual
    assert scores.blame is not None
    assert scores.blame[night.start, 0].argmax() == 1


def test_half_of_a_score_is_the_mean_of_ten_rows(fitted: State) -> None:
    _, scores = SMALL.step(copy(fitted), frame(rhythm(1, seed=7), NAMES))
    assert scores.blame is not None
    each = scores.blame[:, 0].sum(axis=1)
    for t in range(1, DAY):
        wanted = (each[t] + each[max(t - 9, 1) : t + 1].mean()) / 2
        assert scores.values[t, 0] == pytest.approx(wanted)


def test_a_forecast_follows_a_sine() -> None:
    t = np.arange(1200)
    x = 3.0 + 2.0 * np.sin(2 * np.pi * t / 30)[:, None]
    state = SMALL.fit(SMALL.init(1, 1), frame(x[:900], ("wave",)))
    state, scores = SMALL.step(state, frame(x[900:-1], ("wave",), 900))
    assert scores.expected is not None
    away = scores.expected[60:, 0, 0] - x[960:-1, 0]
    assert np.sqrt((away**2).mean()) < 0.1 * x.std()  # yesterday's value would be .21 off
    assert SMALL.forecast(state)["wave"] == pytest.approx(x[-1], abs=0.3)


def test_its_interval_holds(fitted: State) -> None:
    x = rhythm(4, seed=2)
    _, scores = SMALL.step(copy(fitted), frame(x, NAMES, 10 * DAY))
    assert scores.lower is not None
    assert scores.upper is not None
    held = (scores.lower[DAY:, 0] <= x[DAY:]) & (x[DAY:] <= scores.upper[DAY:, 0])
    assert (held.mean(axis=0) > 0.88).all()
    assert (held.mean(axis=0) < 1.0).all()


def test_the_score_may_be_the_mean_squared_error() -> None:
    x, plain = rhythm(1, seed=3), SMALL.model_copy(update={"relative": False, "rows": 1})
    state = plain.fit(plain.init(1, 3), frame(rhythm(10), NAMES))
    _, scores = plain.step(state, frame(x, NAMES, 10 * DAY))
    assert scores.expected is not None
    deviation = rhythm(10)[: 8 * DAY].std(axis=0)  # of what was trained on
    away = (x - scores.expected[:, 0]) / deviation
    np.testing.assert_allclose(scores.values[1:, 0], (away[1:] ** 2).mean(axis=1), rtol=0.02)


def test_memory_begins_anew_after_a_gap(fitted: State) -> None:
    x = rhythm(3, seed=4)
    state, _ = SMALL.step(copy(fitted), frame(x[:DAY], NAMES))
    _, later = SMALL.step(state, frame(x[DAY:], NAMES, DAY + 5))
    _, fresh = SMALL.step(copy(fitted), frame(x[DAY:], NAMES, DAY + 5))
    assert np.isnan(later.values[0, 0])
    np.testing.assert_array_equal(later.values, fresh.values)


def test_a_gap_of_a_few_rows_is_none(fitted: State) -> None:
    x = rhythm(2, seed=4)
    state, _ = SMALL.step(copy(fitted), frame(x[:DAY], NAMES))
    _, later = SMALL.step(state, frame(x[DAY:], NAMES, DAY + 3))
    assert np.isfinite(later.values[0, 0])


def test_a_metric_that_vanishes_is_not_scored_and_one_that_is_new_is_left_out(
    fitted: State,
) -> None:
    x = rhythm(1, seed=5)
    _, all_there = SMALL.step(copy(fitted), frame(x, NAMES))
    wider = np.column_stack([x, 1e6 * np.ones(len(x))])
    _, more = SMALL.step(copy(fitted), frame(wider, (*NAMES, "disk")))
    np.testing.assert_array_equal(more.values, all_there.values)
    _, fewer = SMALL.step(copy(fitted), frame(x[:, :2], NAMES[:2]))
    assert fewer.blame is not None
    assert np.isfinite(fewer.blame[1:]).all()
    assert np.isfinite(fewer.values[1:]).all()


def test_what_is_scored_is_not_cut(fitted: State) -> None:
    x = rhythm(1, seed=6)
    x[100] += 1e6
    _, scores = SMALL.step(copy(fitted), frame(x, NAMES))
    assert scores.values[100, 0] > 1e8
    assert scores.values[112, 0] < 1e3  # and the forecasts after it are not spoilt


def test_too_little_to_learn_from() -> None:
    state = SMALL.fit(SMALL.init(1, 3), frame(rhythm(1)[:3], NAMES))
    assert not len(state["weights"])
    _, scores = SMALL.step(state, frame(rhythm(1), NAMES))
    assert np.isnan(scores.values).all()
    assert SMALL.forecast(state) == {}
    assert SMALL.forecast({}) == {}


def test_its_state_stays_under_the_bound_whatever_is_asked_for() -> None:
    most = Lstm(units=(256,) * 4, rows=100, steps=1, batch=1, window=2)
    x = np.random.default_rng(0).normal(size=(40, 501))
    names = tuple(f"m{i:03}" for i in range(501))
    state = most.fit(most.init(1, 501), frame(x, names))
    del state["loss"]  # which is none
    state, _ = most.step(state, frame(x[:2], names))
    own = sum(array.nbytes for name, array in state.items() if name not in most.shared)
    assert own == most.state_bytes
