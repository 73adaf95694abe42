"""A series that stands still for longer than it ever did is told; constants are not."""

from math import exp, log

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, MINUTE, SECOND, Floats, Frame
from amiss.detectors.stuck import Stuck
from made import Chance
from test_rule import MONDAY, Site

HANGS = {"type": "stuck", "metric": "temperature_celsius"}


def scored(value: Floats) -> list[float]:
    frame = Frame(
        MONDAY + MINUTE * np.arange(len(value)),
        ("x",),
        ("value", "interval"),
        np.stack([value, np.where(np.isnan(value), np.nan, 60.0)], axis=1)[:, None, :],
    )
    return Stuck().step(Stuck().init(1, 2), frame)[1].values[:, 0].tolist()


def naive(value: Floats) -> list[float]:
    """By the list of all runs, each with its age in samples."""
    found, runs, run, last = [], [], 0, None
    keep = exp(-60 * SECOND / (30 * DAY))
    for x in value.tolist():
        if np.isnan(x):
            found.append(np.nan)
            continue
        runs = [(size * keep, weight * keep) for size, weight in runs]
        if x != last and run:
            runs.append((run, 1.0))
        run, last = (run + 1 if x == last else 1), x
        count, longest = sum(w for _, w in runs), max((size for size, _ in runs), default=0)
        strange = run > max(2 * longest, 10) and count >= 30
        found.append(log(count + 1) + log(run / longest) if strange else 0.0)
    return found


@given(st.integers(0, 2**32), st.sampled_from([0.3, 0.9]))
def test_says_what_a_naive_version_says(seed: int, moves: float) -> None:
    chance = Chance(seed)
    value = np.cumsum(chance.uniform(300) < moves).astype(float)
    value[200:240] = value[200]
    value[chance.uniform(300) < 0.1] = np.nan
    np.testing.assert_allclose(scored(value), naive(value), rtol=1e-9)


def test_a_constant_is_not_told_nor_one_that_moved_a_few_times() -> None:
    value = np.zeros(5000)
    assert not np.any(scored(value))
    value[:20:2] = 1.0
    assert not np.any(scored(value))


def test_a_sensor_that_hangs_is_told_in_words() -> None:
    site = Site(detectors=[HANGS])
    for x in Chance(4).normal(1500):
        site.minute(temperature_celsius=40 + float(np.round(x, 1)), fan_rpm=900.0)
    assert not site.told
    told = site.minutes(60, temperature_celsius=41.5, fan_rpm=900.0)
    assert len({i.id for i in told}) == 1
    assert told[0].members[0].series == 'temperature_celsius{host="web-1"}'
    assert "web-1: temperature has stood at 41.5 °C for " in told[0].sentence
    assert " minutes (for 2 minutes at most before) since " in told[0].sentence
    for x in Chance(5).normal(10):
        site.minute(temperature_celsius=40 + float(np.round(x, 1)), fan_rpm=900.0)
    assert site.told[-1].state == "resolved"
    assert "It lasted " in site.told[-1].sentence
