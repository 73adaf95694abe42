"""How strange is strange enough: thresholds that keep a budget, not thresholds of taste.

One series by itself (`ration`):

    alert where s >= ln(N/B) - 2 + price told + integral, and 12 hours / B since the last one
    integral <- max(0, integral + gain (alert - B/N)),   gain = 1/8
    told <- (told + alert) e^(-dt B / 14 days),          price = 1

for N samples and B alerts a week. So `told` forgets with twice the time between two alerts, and
all is in units of 1/B: a budget of 7 a week behaves in a day as one of 1 does in a week.

A whole installation (`bar`):

    an incident opens where s >= ln(N/B) - 2 + price
    price <- price + ln(S / S')/2          of S series, where there were S' (1 at first)
    price <- price + 1                     with each incident; with one of a rule to B at most
    price <- max(0, price - B dt)          after dt days

for N samples a day of that series and B incidents a day. ln(S)/2 is between "all are one" and "all
are alone". So the rate cannot stay above B, and a quiet installation is allowed to stay below it.
"""

from math import exp, isfinite, log

import numpy as np
from numpy.typing import NDArray

from amiss.data import DAY, Array, Floats, State, Times
from amiss.kernel import borrowing

WEEK = 604800.0
SLACK = 2.0
FORGET = 14 * 86400.0  # at 1 a week
SILENCE = 12 * 3600.0  # at 1 a week
PRICE, GAIN = 1.0, 0.125


def init(series: int) -> State:
    """The controllers of `series` series never seen before: 24 bytes each."""
    return {
        "told": np.zeros(series),
        "integral": np.zeros(series),
        "last": np.full(series, np.iinfo(np.int64).min // 2),
    }


COLUMNS = tuple(init(0))


def ration(
    state: State,
    time: Times,
    scores: Floats,
    interval: Floats,
    a_week: float,
    price: float = PRICE,
    gain: float = GAIN,
) -> tuple[State, NDArray[np.bool_]]:
    """Scores in nats (T, S), intervals in seconds (T, S) -> alerts (T, S), each series by itself.

    NaN is no alert and changes nothing. Cost: O(T S), about 20 ns a point.
    """
    alerts = np.zeros(scores.shape, np.bool_)
    _ration(time, scores, interval, a_week, price, gain, alerts, *(state[name] for name in COLUMNS))
    return state, alerts


@borrowing
def _ration(
    time: Array,
    scores: Array,
    interval: Array,
    a_week: float,
    price: float,
    gain: float,
    alerts: Array,
    told: Array,
    integral: Array,
    last: Array,
) -> None:
    ticks, series = scores.shape
    known = samples = usual = fade = np.nan  # of the interval before, which is mostly the same
    for s in range(series):
        for t in range(ticks):
            if not isfinite(scores[t, s]):
                continue
            dt = interval[t, s]
            if dt != known:
                known, samples = dt, WEEK / dt
                usual = log(samples / a_week) - SLACK
                fade = exp(-dt * a_week / FORGET)
            bar = usual + price * told[s] + integral[s]
            fire = scores[t, s] >= bar and (time[t] - last[s]) / 1e9 > SILENCE / a_week
            alerts[t, s] = fire
            if fire:
                last[s] = time[t]
                told[s] += 1.0
            alert = 1.0 if fire else 0.0
            integral[s] = max(0.0, integral[s] + gain * (alert - a_week / samples))
            told[s] *= fade


def bar(interval: Floats, a_day: float, price: float) -> Floats:
    """The score at which an incident opens, for series with these intervals in seconds."""
    threshold: Floats = np.log(86400.0 / (interval * a_day)) - SLACK + price
    return threshold


def widened(price: float, before: int, series: int) -> float:
    """The price when there are so many series instead of those before."""
    return price + 0.5 * log(max(series, 1) / max(before, 1))


def charged(price: float, a_day: float, rule: bool) -> float:
    """The price after an incident; those of rules can use up a day's budget, and no more."""
    return max(price, min(price + 1.0, a_day)) if rule else price + 1.0


def faded(price: float, ns: int, a_day: float) -> float:
    """The price after so much time without an incident."""
    return max(0.0, price - a_day * max(ns, 0) / DAY)
