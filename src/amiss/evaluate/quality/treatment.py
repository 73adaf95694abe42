"""From scores to alerts: the same plain treatment for every method, or the layer of Amiss.

plain   the score is what the method says it is; an alert where it reaches ln(N/B), for N samples
        and B alerts a week, then silence for 12 h / B
layer   the raw score by its rank in its own past (decide/rank.py, decide/fuse.py); alerts by the
        controller of Amiss (decide/budget.py)
"""

from math import log

import numpy as np

from amiss.data import SECOND, Array, Times
from amiss.decide import fuse, rank
from amiss.decide.budget import WEEK
from amiss.evaluate.quality.baselines import Opinion
from amiss.evaluate.quality.said import Said
from amiss.evaluate.scorer import alerts
from amiss.kernel import kernel

SILENCE = 12 * 3600.0  # seconds at 1 a week


def plain(time: Times, opinion: Opinion, interval: float, a_week: float) -> Said:
    """Times (T,) in seconds, seconds between samples, and the budget -> scores and alerts."""
    alert = np.zeros(len(time), np.bool_)
    bar = log(WEEK / interval / a_week)
    _fixed(opinion.nats, time, bar, SILENCE / a_week, alert)
    return Said(opinion.nats, alert)


def layered(
    time: Times,
    opinion: Opinion,
    interval: float,
    a_week: float,
    control: tuple[float, float] = (1.0, 0.125),
) -> Said:
    """The same, calibrated and rationed as any detector of Amiss is."""
    _, inverse = rank.step(rank.init(1), opinion.raw[:, None])
    nothing = np.zeros(inverse.shape)
    nats = fuse.fuse(inverse[None], nothing > 0, nothing, nothing)
    every, before = np.full(nats.shape, interval), np.arange(len(time))[:, None]
    alert = alerts({}, time * SECOND, nats, every, before, a_week, control)
    return Said(nats[:, 0], alert[:, 0])


def interval_of(time: Times, start: int) -> float:
    """Seconds between samples, as the first `start` of them have it."""
    return max(float(np.median(np.diff(time[: max(start, 2)]))), 1.0)


@kernel
def _fixed(nats: Array, time: Array, bar: float, silence: float, alert: Array) -> None:
    last = -1
    for t in range(len(nats)):
        if nats[t] >= bar and (last < 0 or time[t] - time[last] > silence):
            alert[t], last = True, t
