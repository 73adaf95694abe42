"""Distance from the sample before."""

from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.detectors.step import Step
from made import frame
from test_level import told


@given(st.lists(st.floats(-1e9, 1e9) | st.just(nan), max_size=50))
def test_reads_like_its_name(x: list[float]) -> None:
    last, expected = None, []
    for v in x:
        expected.append(nan if np.isnan(v) else abs(v - last) if last is not None else 0.0)
        last = last if np.isnan(v) else v
    np.testing.assert_array_equal(told(Step(), np.array(x, float)), expected)


def test_after_a_gap_the_last_sample_counts() -> None:
    found = told(Step(), np.array([1.0, nan, nan, 5.0, 5.0]))
    np.testing.assert_array_equal(found, [0.0, nan, nan, 4.0, 0.0])


def test_needs_nothing_but_the_value() -> None:
    plain = frame(np.array([[1.0, 2.0], [4.0, 2.0]]))
    _, scores = Step().step(Step().init(2, 1), plain)
    assert scores.values.tolist() == [[0.0, 0.0], [3.0, 0.0]]
    assert scores.expected is None
