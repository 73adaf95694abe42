"""What charts are made of: everything that is there, nothing that is not."""

import json
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from amiss.data import SECOND
from amiss.store import Points
from amiss.store.thin import thin
from amiss.web.dashboard.charts import FAINT, histogram, number, series_chart
from amiss.web.dashboard.drawn import READ, distribution, table

EVERY = 5.0
BEGIN = 1_772_892_130 * SECOND
NAMES = ("cpu_percent", "x_bytes_per_second", "x_bytes", "x_seconds", "x_per_second", "load1")


def points(n: int = 100, **columns: object) -> Points:
    time = BEGIN + np.arange(n) * 5 * SECOND
    value = 50 + 10 * np.sin(np.arange(n) / 7)
    given = {"time": time, "value": value, "score": np.full(n, 0.5), "expected": value,
             "lower": value - 60, "upper": value + 60}  # fmt: skip
    return Points(**(given | columns))


def drawn(
    found: Points, name: str = "cpu_percent", bar: float = 6.0, stretches=(), most: int = 300
) -> dict:
    return table(found, name, EVERY, bar, stretches, most).to_pydict()


def test_every_point_is_there() -> None:
    found = points()
    shown = drawn(found)
    np.testing.assert_allclose(shown["t"], found.time / 1e6)
    np.testing.assert_allclose(shown["v"], found.value, rtol=1e-6)


def test_the_band_ends_where_the_series_cannot_be() -> None:
    assert min(drawn(points())["lo"]) == 0
    assert max(drawn(points())["hi"]) == 100
    free = points(value=np.linspace(-5, 150, 100))
    shown = drawn(free, "x_celsius")
    assert min(shown["lo"]) < 0
    assert max(shown["hi"]) > 100


def test_what_is_over_the_bar_is_marked_and_nothing_before_there_is_one() -> None:
    found = points(score=np.where(np.arange(100) == 40, 7.0, 0.5))
    assert np.flatnonzero(drawn(found)["m"]).tolist() == [40]
    assert not any(drawn(found, bar=nan)["m"])


def test_usual_moments_leave_the_strip_empty() -> None:
    score = np.linspace(0, 10, 100)
    shown = drawn(points(score=score))["s"]
    assert [s is not None for s in shown] == (score >= FAINT).tolist()


@pytest.mark.parametrize("most", [2000, 900, 700, 300, 30])
def test_a_gap_is_a_gap_and_nothing_else_is(most: int) -> None:
    n = 1000
    time = BEGIN + np.arange(n) * 5 * SECOND
    value = np.random.default_rng(5).random(n)
    whole = drawn(points(n, time=time, value=value), most=most)
    assert None not in whole["v"]
    assert len(whole["t"]) <= most
    assert {np.float32(value.max()), np.float32(value.min())} <= {np.float32(v) for v in whole["v"]}
    torn = points(n, time=time + np.where(np.arange(n) >= 500, 60 * SECOND, 0), value=value)
    shown = drawn(torn, most=most)
    (hole,) = [i for i, v in enumerate(shown["v"]) if v is None]
    assert all(shown[name][hole] is None for name in ("v", "e", "lo", "hi", "s"))
    assert shown["t"][hole - 1] <= time[499] / 1e6 < shown["t"][hole] < shown["t"][hole + 1]


def test_what_came_thinned_shows_its_large_gaps_and_no_others() -> None:
    n = 200_000
    time = BEGIN + (np.arange(n) + np.where(np.arange(n) >= n // 2, n // 10, 0)) * 5 * SECOND
    value = np.random.default_rng(5).random(n)
    shown = drawn(thin(points(n, time=time, value=value), READ))
    assert shown["v"].count(None) == 1


def test_what_was_odd_while_an_incident_lasted_stays_marked_when_the_bar_rises() -> None:
    found = points(score=np.where(np.arange(100) >= 40, 7.0, 0.5))
    lasted = (BEGIN + 200 * SECOND, BEGIN + 300 * SECOND)
    shown = drawn(found, bar=9.0, stretches=(lasted,))
    assert np.flatnonzero(shown["m"]).tolist() == list(range(40, 61))


def test_a_stretch_is_a_row_of_its_own() -> None:
    shown = drawn(points(), stretches=((BEGIN, BEGIN + 60 * SECOND),))
    assert shown["b"] == [None] * 100 + [60_000.0]
    assert shown["t"][-1] == BEGIN / 1e6
    assert shown["v"][-1] is None
    assert not shown["m"][-1]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_very_few_points_are_drawn_as_well(n: int) -> None:
    assert len(drawn(points(n), stretches=((BEGIN, BEGIN + 1),))["t"]) == n + 1


ODD = [nan, inf, -inf, 1e30, 1e150, -1e150]
numbers = some.one_of(some.floats(-1e9, 1e9), some.sampled_from(ODD))


@given(value=some.lists(numbers, max_size=30), steps=some.data())
def test_whatever_is_seen_can_be_drawn(value: list[float], steps: some.DataObject) -> None:
    n = len(value)
    gaps = steps.draw(some.lists(some.integers(1, 10**5), min_size=n, max_size=n))
    time = BEGIN + np.cumsum(np.array(gaps, np.int64)) * SECOND
    v = np.array(value, float)
    found = Points(time, v, v, v, v - 1, v + 1)
    shown = table(found, "cpu_percent", EVERY, 6.0)
    seen = [t for t, x in zip(*(shown[c].to_pylist() for c in "tv"), strict=True) if x is not None]
    assert len(seen) == np.count_nonzero(~np.isnan(v))
    assert shown["t"].to_pylist() == sorted(shown["t"].to_pylist())
    distribution(found)


def test_the_distribution_counts_each_value_once() -> None:
    found = points(value=np.where(np.arange(100) < 10, nan, np.arange(100.0)))
    shown = distribution(found).to_pydict()
    assert sum(n for n in shown["n"] if n is not None) == 90
    assert [a for a in shown["at"] if a is not None] == [99.0]
    assert sum(distribution(points(3, value=np.full(3, nan)))["n"].to_pylist()[:-1]) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dark", [True, False])
def test_a_chart_of_the_same_series_and_size_is_the_same_chart(name: str, dark: bool) -> None:
    once = series_chart(name, dark, 300, EVERY, zoom=True)
    assert json.dumps(once) == json.dumps(series_chart(name, dark, 300, EVERY, zoom=True))
    assert json.loads(json.dumps(histogram(name, dark)))["layer"]
    assert "BEGIN" not in json.dumps(once)


def test_light_and_dark_differ_in_colours_alone() -> None:
    light, dark = (series_chart("load1", way, 116, EVERY) for way in (False, True))
    assert light != dark
    assert [layer.keys() for layer in light["layer"]] == [layer.keys() for layer in dark["layer"]]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_written_with_their_unit(name: str) -> None:
    said = number("datum.v", name)
    unit = {"cpu_percent": "%", "x_bytes_per_second": "B/s", "x_bytes": "B", "x_seconds": "s",
            "x_per_second": "/s", "load1": ""}[name]  # fmt: skip
    assert unit in said
    assert said.count("(") == said.count(")")
