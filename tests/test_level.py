"""Distance from the running mean, against the equation."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amiss.component import Detector
from amiss.data import DAY, Floats
from amiss.decide import expect
from amiss.detectors.level import Level
from made import Chance, frame


def told(detector: Detector, x: Floats, every: int = 300) -> Floats:
    """The scores of one series, with the features that a detector may ask for."""
    _, features, _ = expect.step(expect.init(1), frame(x[:, None], every))
    return detector.step(detector.init(1, 4), features)[1].values[:, 0]


def naive(x: list[float], intervals: list[float], memory: float) -> list[float]:
    """|x - mean|, then mean <- mean + min(max(1/n, dt/memory), 1) (x - mean)."""
    mean, n, scores = 0.0, 0, []
    for v, dt in zip(x, intervals, strict=True):
        if np.isnan(v):
            scores.append(nan)
            continue
        n += 1
        mean = v if n == 1 else mean
        scores.append(abs(v - mean))
        mean += min(max(1 / n, dt / memory), 1) * (v - mean)
    return scores


@given(st.integers(0, 10**6), st.integers(0, 400), st.sampled_from([60, 3600, 40_000]))
def test_reads_like_the_equation(seed: int, n: int, every: int) -> None:
    chance = Chance(seed)
    x = 100 * chance.normal(n)
    x[chance.uniform(n) < 0.2] = nan
    intervals = expect.step(expect.init(1), frame(x[:, None], every))[1].column("interval")
    expected = naive(x.tolist(), intervals[:, 0].tolist(), 30 * 86400)
    np.testing.assert_allclose(told(Level(), x, every), expected, rtol=1e-12)


def test_a_plain_mean_while_young() -> None:
    x = np.array([4.0, 8.0, 0.0, nan, 10.0])
    assert told(Level(), x).tolist() == pytest.approx([0, 4, 6, nan, 6], nan_ok=True)


def test_forgets_as_told() -> None:
    """A level shift is strange for long with a long memory, and soon usual with a short one."""
    x = np.repeat([0.0, 1.0], 2 * 288)
    assert told(Level(), x)[-1] > 0.4
    assert told(Level(memory=DAY // 8), x)[-1] < 0.01


def test_a_memory_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Level.model_validate({"memory": "0s"})
