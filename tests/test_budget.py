"""Thresholds that keep a budget, against plain versions and over simulated months."""

from math import exp, inf, log, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, SECOND, Floats
from amiss.decide import budget
from made import START, Chance
from measured import benchmark as measured_by

benchmark = measured_by("budget")

WEEK = 604800.0


def naive(seconds: list[int], scores: list[float], dt: float, a_week: float) -> list[bool]:
    """alert where s >= ln(N_w / B) - 2 + a + I and 12 hours / B since the last one."""
    per_week, alerts = WEEK / dt, []
    a = integral = 0.0
    last = -inf
    for now, s in zip(seconds, scores, strict=True):
        if not np.isfinite(s):
            alerts.append(False)
            continue
        bar = log(per_week / a_week) - 2 + a + integral
        alert = s >= bar and now - last > 12 * 3600 / a_week
        if alert:
            last = now
            a += 1
        integral = max(0.0, integral + (alert - a_week / per_week) / 8)
        a *= exp(-dt * a_week / (14 * 86400))
        alerts.append(bool(alert))
    return alerts


def told(seconds: list[int], scores: Floats, dt: float, a_week: float) -> list[bool]:
    time = np.array(seconds) * SECOND
    interval = np.full((len(scores), 1), dt)
    _, alerts = budget.ration(budget.init(1), time, scores[:, None], interval, a_week)
    return alerts[:, 0].tolist()


@given(st.integers(0, 10**6), st.sampled_from([60, 3600]), st.sampled_from([0.2, 1.0, 10.0]))
def test_ration_reads_like_the_equations(seed: int, dt: int, a_week: float) -> None:
    chance, n = Chance(seed), 500
    scores = 3 * chance.exponential(n)
    scores[chance.uniform(n) < 0.1] = nan
    seconds = (START + dt * np.arange(n)).tolist()
    found = told(seconds, scores, dt, a_week)
    assert found == naive(seconds, scores.tolist(), dt, a_week)


@given(st.integers(0, 300))
def test_ration_does_not_care_for_batches(at: int) -> None:
    scores = 4 * Chance(at).exponential(300)[:, None]
    time, interval = (START + 3600 * np.arange(300)) * SECOND, np.full((300, 1), 3600.0)
    _, whole = budget.ration(budget.init(1), time, scores, interval, 1.0)
    state, first = budget.ration(budget.init(1), time[:at], scores[:at], interval[:at], 1.0)
    _, second = budget.ration(state, time[at:], scores[at:], interval[at:], 1.0)
    np.testing.assert_array_equal(whole, np.concatenate([first, second]))


@pytest.mark.parametrize("a_week", [0.5, 1.0, 5.0])
def test_ration_over_a_year_of_exponential_scores(a_week: float) -> None:
    """Scores that are what they say: told about as often as asked, never much more."""
    series, weeks, dt = 20, 52, 1800
    n = int(weeks * WEEK / dt)
    scores = Chance(3).exponential(n * series).reshape(n, series)
    time = (START + dt * np.arange(n)) * SECOND
    interval = np.full(scores.shape, float(dt))
    _, alerts = budget.ration(budget.init(series), time, scores, interval, a_week)
    rate = alerts.sum() / series / weeks
    assert 0.5 * a_week < rate < 1.6 * a_week


def test_bar_and_price() -> None:
    intervals = np.array([5.0, 300.0])
    assert budget.bar(intervals, 5.0, 0.0) == pytest.approx(np.log([17280 / 5, 288 / 5]) - 2)
    assert budget.bar(intervals, 5.0, 1.5) == pytest.approx(np.log([17280 / 5, 288 / 5]) - 0.5)
    assert budget.widened(0.0, 0, 100) == pytest.approx(log(100) / 2)
    assert budget.widened(1.0, 0, 1) == 1.0
    assert budget.faded(2.0, 6 * HOUR, 4.0) == pytest.approx(1.0)
    assert budget.faded(2.0, DAY, 4.0) == 0.0
    assert budget.faded(2.0, -DAY, 4.0) == 2.0  # the clock was set back


INCIDENT, OF_A_RULE = "incident", "rule"


@given(
    st.lists(st.sampled_from([INCIDENT, OF_A_RULE]) | st.integers(1, 500) | st.floats(0, 20)),
    st.sampled_from([0.2, 5.0]),
)
def test_the_price_reads_like_the_equations(then: list[str | int | float], B: float) -> None:
    """Incidents, so many series, so many days."""
    price = found = 0.0
    S = 0
    for one in then:
        if isinstance(one, float):
            price = max(0.0, price - B * one)
            found = budget.faded(found, round(one * DAY), B)
        elif isinstance(one, int) and one > S:
            price += log(one / max(S, 1)) / 2
            found, S = budget.widened(found, S, one), one
        elif one == INCIDENT:
            price += 1
            found = budget.charged(found, B, False)
        elif one == OF_A_RULE:
            price += max(0.0, min(1.0, B - price))
            found = budget.charged(found, B, True)
        assert found == pytest.approx(price, abs=1e-9)
        for dt in (5, 3600):
            bar = log((86400 / dt) / B) - 2 + price
            assert budget.bar(np.array([float(dt)]), B, found)[0] == pytest.approx(bar)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=10))
def test_series_that_come_one_by_one_cost_as_much_as_all_at_once(more: list[int]) -> None:
    price, before = 0.0, 0
    for count in more:
        price, before = budget.widened(price, before, before + count), before + count
    assert price == pytest.approx(budget.widened(0.0, 0, before))


@pytest.mark.parametrize("kind", benchmark.KINDS)
def test_the_budget_is_kept_on_ten_kinds_of_series(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told at most as often as asked, no series twice as often; without the controller, more.

    benchmarks/budget.py, with fewer series and weeks.
    """
    found = benchmark.measure(kind, series=60, weeks=5)
    assert 0.4 <= found["told_per_asked"] <= 1.0
    assert found["most"] <= 2.0
    ration = budget.ration
    monkeypatch.setattr(budget, "ration", lambda *of: ration(*of[:5], price=0.0, gain=0.0))
    assert benchmark.measure(kind, series=60, weeks=5)["told_per_asked"] > 1.1


def test_the_ten_kinds_are_those_of_the_documents() -> None:
    page = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text()
    _, _, table = page.partition(benchmark.HEADER)
    rows = table.split("\n\n")[0].strip().splitlines()
    assert [row.split("|")[1].strip() for row in rows] == [*benchmark.KINDS]
    assert len(rows) == 10
