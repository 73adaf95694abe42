"""The score of the Numenta Anomaly Benchmark, by its official rules.

A window that is found is worth what the earliest alert in it earns, from 1 at its left edge down
to nearly 0 at its right; one that is missed costs `missed`. Each alerting row outside of windows
costs up to `false`, less shortly after a window. 0 is to say nothing at all, 100 an alert at the
left edge of each window and no other.

Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly
Benchmark", ICMLA 2015; the rules are those of NAB 1.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from amiss.data import Array, Floats, Times
from amiss.evaluate.quality.inputs import Curve
from amiss.kernel import kernel

THETA = 6.0  # nats
SILENCE = 12 * 3600  # seconds after an alert
RISE = 2.0  # nats more break the silence


@dataclass(frozen=True, slots=True)
class Profile:
    """What a window that is found earns, one that is missed costs, an alert elsewhere costs."""

    found: float = 1.0
    missed: float = 1.0
    false: float = 0.11


PROFILES = {
    "standard": Profile(),
    "low_fp": Profile(false=0.22),
    "low_fn": Profile(missed=2.0),
}


@dataclass(frozen=True, slots=True)
class Worth:
    """What an alert at each row is worth before it is weighted, and in which window it is."""

    value: Floats  # (T,) earned in a window, at most 1; taken outside, at least -1
    window: Array  # (T,) -1 outside
    windows: int  # that have a judged row


def worth(curve: Curve) -> Worth:
    """What alerts on a curve are worth; what is not judged is worth nothing."""
    rows = len(curve.time)
    value, window = np.full(rows, -1.0), np.full(rows, -1)
    for n, ((a, b), (after, _)) in enumerate(pairwise([*curve.events, (rows, rows)])):
        width = b - a
        window[a:b] = n
        value[a:b] = _sigmoid((np.arange(a, b) - b) / width) / _sigmoid(np.array(-1.0))
        past = np.arange(b, after) - (b - 1)
        value[b:after] = _sigmoid(past / max(width - 1, 1))
    value[: curve.start], window[: curve.start] = 0.0, -1
    return Worth(value, window, len(np.unique(window[window >= 0])))


def score(worths: Sequence[Worth], alerts: Sequence[Array], profile: Profile) -> float:
    """The score of alerts (T,) on all curves together. NaN if they have no windows."""
    total, windows = 0.0, sum(of.windows for of in worths)
    for of, alert in zip(worths, alerts, strict=True):
        rows = np.flatnonzero(alert)
        inside = of.window[rows]
        total += profile.false * float(of.value[rows][inside < 0].sum())
        hit = np.unique(inside[inside >= 0])
        earned = (of.value[rows][inside == n].max() for n in hit)
        total += profile.found * float(sum(earned)) - profile.missed * (of.windows - len(hit))
    least, most = -profile.missed * windows, profile.found * windows
    return 100.0 * (total - least) / (most - least) if windows else np.nan


def told(scores: Floats, time: Times, theta: float) -> Array:
    """Alerts (T,) of a plain product: where a score reaches theta, then silence for 12 h.

    Unless a score is 2 more than that of the last alert. NaN is no alert; time in seconds.
    """
    alert = np.zeros(len(scores), np.bool_)
    _told(scores, time, theta, alert)
    return alert


def thetas(scores: Sequence[Floats]) -> Floats:
    """Thresholds to choose from: 120 quantiles of the highest 5 % of all scores, and 6."""
    known = np.concatenate([s[~np.isnan(s)] for s in scores] or [np.zeros(0)])
    tail = np.quantile(known, 1.0 - np.geomspace(1e-5, 0.05, 120)) if len(known) else []
    return np.unique(np.append(tail, THETA))


@kernel
def _told(scores: Array, time: Array, theta: float, alert: Array) -> None:
    last = -1
    for t in range(len(scores)):
        if scores[t] >= theta and (
            last < 0 or time[t] - time[last] > SILENCE or scores[t] > scores[last] + RISE
        ):
            alert[t], last = True, t


def _sigmoid(x: Floats) -> Floats:
    """NAB's: .987 at -1, the left edge of a window, 0 at its right edge, -1 from 3 on."""
    y: Floats = np.where(x > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(x, 3.0))) - 1.0)
    return y
