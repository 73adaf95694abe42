"""The smallest surprise over the plausible explanations."""

from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Frame
from amiss.decide import expect
from amiss.detectors.surprise import Surprise

numbers = st.floats(-1e9, 1e9)


def told(value: float, recent: float, usual: float) -> float:
    row = np.array([value, recent, usual, 300.0, 1.0]).reshape(1, 1, -1)
    frame = Frame(np.array([0]), ("a",), expect.FEATURES, row)
    _, scores = Surprise().step({}, frame)
    assert scores.expected is not None
    np.testing.assert_array_equal(scores.expected[0, 0], [recent])
    return float(scores.values[0, 0])


@given(numbers, numbers, numbers)
def test_reads_like_the_equation(x: float, recent: float, usual: float) -> None:
    e, r = x - recent, x - usual
    same_side = (e > 0 and r > 0) or (e < 0 and r < 0)
    assert told(x, recent, usual) == (min(abs(e), abs(r)) if same_side else 0.0)


def test_the_return_after_an_event_is_usual() -> None:
    assert told(1.0, recent=90.0, usual=1.5) == 0.5


def test_a_slow_drift_is_recent() -> None:
    assert told(90.0, recent=89.0, usual=1.0) == 1.0


def test_a_real_oddity_is_neither() -> None:
    assert told(500.0, recent=89.0, usual=1.0) == 411.0


def test_between_the_two_is_no_surprise() -> None:
    assert told(50.0, recent=89.0, usual=1.0) == 0.0


def test_not_observed() -> None:
    assert np.isnan(told(nan, nan, nan))
