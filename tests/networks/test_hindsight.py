"""Scores of rows of which all is known, against the same written out."""

from statistics import median

import numpy as np
import pytest

from amiss.data import Floats
from amiss.networks import hindsight as module
from amiss.networks.hindsight import hindsight


def test_a_row_is_given_back_as_the_median_of_its_windows() -> None:
    windows = np.random.default_rng(0).normal(size=(9, 4))
    found = np.empty(12)
    module._unfold(windows, found)
    for i in range(12):
        said = [windows[n, i - n] for n in range(9) if 0 <= i - n < 4]
        assert found[i] == pytest.approx(median(said))


def test_what_is_a_little_late_is_not_far() -> None:
    wave = np.sin(np.arange(60) / 4)
    late = np.roll(wave, 1)
    warped = module._warped(wave, late, 5)[6:-6]
    straight = [np.sqrt(((wave - late)[i - 5 : i + 6] ** 2).sum()) for i in range(6, 54)]
    assert warped.mean() < 0.5 * np.mean(straight)
    assert module._warped(wave, wave, 5).max() == 0.0


def by_recursion(a: Floats, b: Floats) -> float:
    """The warped distance as it is defined."""
    if not len(a) and not len(b):
        return 0.0
    if not len(a) or not len(b):
        return np.inf
    before = by_recursion(a[:-1], b), by_recursion(a, b[:-1]), by_recursion(a[:-1], b[:-1])
    return float((a[-1] - b[-1]) ** 2) + min(before)


def test_the_warped_distance_is_that_of_its_definition() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, 5))
    assert module._warped(a, b, 2)[2] == pytest.approx(by_recursion(a, b) ** 0.5)


def test_running_errors_are_weighed_means_of_those_so_far() -> None:
    x = np.random.default_rng(2).normal(size=30)
    kept = 1 - 2 / (7 + 1)
    for i, found in enumerate(module._running(x, 7)):
        weight = kept ** np.arange(i, -1, -1)
        assert found == pytest.approx((weight * x[: i + 1]).sum() / weight.sum())


def test_a_row_that_nothing_foresaw_stands_out() -> None:
    x = np.sin(np.arange(400) / 5)
    back = np.lib.stride_tricks.sliding_window_view(x, 20).copy()
    x[250] += 3
    scores = hindsight(x, back)
    assert np.isfinite(scores).all()
    assert abs(int(scores.argmax()) - 250) <= 5
    assert scores[:200].max() < scores.max() / 3


@pytest.mark.parametrize("rows", [20, 21, 40])
def test_a_few_rows_of_which_nothing_is_wrong(rows: int) -> None:
    x = np.arange(rows, dtype=float)
    back = np.lib.stride_tricks.sliding_window_view(x, 20)
    np.testing.assert_array_equal(hindsight(x, back), np.zeros(rows))
