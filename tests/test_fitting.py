"""What is learned of, and how a detector does on what came after."""

import numpy as np
import pytest

from amiss.data import Frame
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.linear_regression import LinearRegression
from amiss.fitting import INCIDENTS, Span, fit, spared, validate
from amiss.steps.judge import judge_jointly, name_of

SYSTEMS = ('host="a"', 'host="b"')


def walk(ticks: int = 400, seed: int = 3) -> Frame:
    chance = np.random.default_rng(seed)
    steps = chance.normal(size=(ticks, 2, 3))
    values = steps.copy()
    for t in range(1, ticks):
        values[t] = 0.9 * values[t - 1] + steps[t]
    return Frame(np.arange(ticks) * 5, SYSTEMS, ("x", "y", "z"), values)


def test_what_is_spared_is_not_there_and_is_counted_by_reason() -> None:
    history = walk()
    spans = [
        Span(50, 99, "incidents", 'host="a"'),
        Span(95, 104, "a person"),
        Span(9_999, 10**6, "no"),
    ]
    left, counts = spared(history, spans)
    wanted = history.values.copy()
    for t, tick in enumerate(history.time):
        if 50 <= tick <= 99:
            wanted[t, 0] = np.nan
        if 95 <= tick <= 104:
            wanted[t] = np.nan
    np.testing.assert_array_equal(left.values, wanted)
    assert counts == {"incidents": 10, "a person": 2}
    assert np.isfinite(history.values).all()  # the caller's stays


def test_who_learns_from_labels_is_not_spared_incidents() -> None:
    spans = [Span(50, 99, INCIDENTS, SYSTEMS[0]), Span(95, 104, "excluded by a person")]
    left, counts = spared(walk(), spans, labelled=True)
    assert np.isnan(left.values).any(axis=(1, 2)).sum() == 2
    assert counts == {"excluded by a person": 2}


def test_the_figures_are_of_a_part_that_was_not_fitted_on() -> None:
    """Naive: fit on the first four fifths by hand, judge the rest, count."""
    history, detector = walk(), LinearRegression(targets=("x",))
    found = validate(detector, history)
    early, late = history[:320], history[320:]
    states, *_ = judge_jointly(detector, fit(detector, {}, early), early)
    _, raw, nats, _ = judge_jointly(detector, states, late)
    assert found["samples"] == int(np.isfinite(nats.values).sum())
    assert found["from"] == late.time[0]
    assert found["told"]["0.01"] == np.mean(np.exp(-nats.values[np.isfinite(nats.values)]) <= 0.01)
    away = (late.values[1:, :, 0] - raw.expected[1:, :, 0]) ** 2
    assert found["error"]["x"] == pytest.approx(np.sqrt(np.mean(away)))
    naive = np.sqrt(np.mean(np.diff(late.values[:, :, 0], axis=0) ** 2))
    assert found["naive"] == {"x": pytest.approx(naive)}
    assert found["error"]["x"] < naive


def test_what_comes_later_changes_nothing_of_what_is_fitted_for_the_figures() -> None:
    history, other = walk(), walk()
    other.values[390:] = 1e6
    forest = IsolationForest(trees=10)
    name = name_of(forest)
    early = [fit(forest, {}, frame[:320])[name]["path"] for frame in (history, other)]
    np.testing.assert_array_equal(*early)
    told = [validate(forest, frame)["told"]["0.01"] for frame in (history, other)]
    assert told[1] > told[0]


def test_too_little_history_has_no_figures() -> None:
    assert validate(IsolationForest(trees=10), walk(60)) == {}
    silent = walk()
    silent.values[:320] = np.nan
    assert validate(IsolationForest(trees=10), silent) == {}
