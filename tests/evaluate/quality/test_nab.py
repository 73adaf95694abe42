"""The score of NAB, by hand and against a version that reads like the rules."""

from math import exp, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.evaluate.quality import nab
from amiss.evaluate.quality.inputs import Curve

STANDARD = nab.PROFILES["standard"]


def curve(rows: int, *events: tuple[int, int], start: int = 0) -> Curve:
    return Curve("a", np.arange(rows) * 300, np.zeros(rows), events, start)


def scored(it: Curve, *rows: int, profile: nab.Profile = STANDARD) -> float:
    alert = np.isin(np.arange(len(it.time)), rows)
    return nab.score([nab.worth(it)], [alert], profile)


def sigmoid(x: float) -> float:
    return -1.0 if x > 3 else 2 / (1 + exp(5 * x)) - 1


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        ((), 0.0),  # nothing is said
        ((10,), 100.0),  # at the left edge
        ((13,), 100 * (0.5546 / 0.98661 + 1) / 2),  # at the right edge, a quarter from the end
        ((11, 10, 13), 100.0),  # the earliest counts
        ((2,), -100 * 0.11 / 2),  # before any window
        ((10, 14), 100 - 100 * 0.11 * 0.68227 / 2),  # one of three rows after it: less
        ((10, 30), 100 - 100 * 0.11 / 2),  # long after it: all
    ],
)
def test_by_hand(rows: tuple[int, ...], value: float) -> None:
    assert scored(curve(40, (10, 14)), *rows) == pytest.approx(value, abs=1e-3)


def test_a_window_that_is_over_before_the_judging_begins_does_not_count() -> None:
    it = curve(40, (2, 4), (20, 24), start=10)
    assert nab.worth(it).windows == 1
    assert scored(it, 2, 3, 20) == pytest.approx(100.0)
    assert isnan(scored(curve(40, (2, 4), start=10), 20))


def test_profiles_weigh_alerts_and_misses() -> None:
    it = curve(40, (10, 14))
    assert scored(it, 2, profile=nab.PROFILES["low_fp"]) == pytest.approx(-100 * 0.22 / 2)
    assert scored(it, 2, profile=nab.PROFILES["low_fn"]) == pytest.approx(-100 * 0.11 / 3)


def naive(it: Curve, alert: np.ndarray, p: nab.Profile) -> float:
    """Row by row, as the rules say it."""
    best = dict.fromkeys((n for n, (_, b) in enumerate(it.events) if b > it.start), -p.missed)
    outside = 0.0
    for row in range(it.start, len(alert)):
        if not alert[row]:
            continue
        inside = [n for n, (a, b) in enumerate(it.events) if a <= row < b]
        before = [(a, b) for a, b in it.events if b <= row]
        if inside:
            a, b = it.events[inside[0]]
            earned = p.found * sigmoid(-(b - row) / (b - a)) / sigmoid(-1)
            best[inside[0]] = max(best[inside[0]], earned)
        elif before:
            a, b = before[-1]
            outside += p.false * sigmoid((row - (b - 1)) / max(b - a - 1, 1))
        else:
            outside -= p.false
    windows = len(best)
    raw = sum(best.values()) + outside
    return 100 * (raw + p.missed * windows) / ((p.found + p.missed) * windows)


@given(st.integers(0, 10**6), st.sampled_from(list(nab.PROFILES)))
def test_as_the_rules_say_it(seed: int, profile: str) -> None:
    chance = np.random.default_rng(seed)
    cuts = np.sort(chance.choice(np.arange(5, 120), 6, replace=False)).tolist()
    events = [(cuts[n], cuts[n + 1]) for n in (0, 2, 4)]
    it = curve(120, *events, start=int(chance.integers(0, cuts[3])))
    alert = chance.random(120) < chance.random() / 2
    alert[: it.start] = False
    expected = naive(it, alert, nab.PROFILES[profile])
    found = nab.score([nab.worth(it)], [alert], nab.PROFILES[profile])
    assert found == pytest.approx(expected, abs=1e-9)


def test_silence_after_an_alert_and_what_breaks_it() -> None:
    hours = np.arange(0, 40) * 3600
    scores = np.full(40, 7.0)
    scores[[3, 5]] = 9.0, 9.1
    scores[20:26] = np.nan
    assert np.flatnonzero(nab.told(scores, hours, 6.0)).tolist() == [0, 5, 18, 31]


def test_thresholds_are_the_fixed_one_and_quantiles_of_the_tail() -> None:
    assert nab.thetas([np.full(5, np.nan)]).tolist() == [6.0]
    found = nab.thetas([np.arange(1000.0), np.full(9, np.nan)])
    assert found[0] == 6.0
    assert found[1] == pytest.approx(949.05)
    assert found[-1] <= 999.0
