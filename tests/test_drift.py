"""The mean residual over many samples, against the equation."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amiss.decide import expect
from amiss.detectors.drift import Drift
from made import Chance, frame
from test_level import told


@given(st.integers(0, 10**6), st.integers(0, 300), st.sampled_from([2, 24, 144]))
def test_reads_like_the_equation(seed: int, n: int, span: int) -> None:
    """d += 2/(span + 1) (x - usual - d); the score is |d|."""
    chance = Chance(seed)
    x = 100 * chance.normal(n)
    x[chance.uniform(n) < 0.2] = nan
    usual = expect.step(expect.init(1), frame(x[:, None]))[1].column("usual")[:, 0]
    d, expected = 0.0, []
    for v, b in zip(x.tolist(), usual.tolist(), strict=True):
        if not np.isnan(v):
            d += 2 / (span + 1) * (v - b - d)
        expected.append(nan if np.isnan(v) else abs(d))
    np.testing.assert_allclose(told(Drift(span=span), x), expected, rtol=1e-12)


def test_sees_what_no_single_sample_shows() -> None:
    """Half a deviation off for a hundred samples: the mean knows, the samples do not."""
    x = Chance(1).normal(2000)
    x[1500:1600] += 0.7
    scores = told(Drift(span=144), x)
    assert scores[1500:1640].max() > 1.8 * np.quantile(scores[300:1500], 0.99)


def test_a_span_of_one_is_no_mean() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        Drift(span=1)
