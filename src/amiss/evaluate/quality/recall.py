"""Events found at one false alert per series-week, by a threshold that was fixed before.

One threshold for all curves. An event is found if a score in it reaches the threshold. Rows that
reach it outside of all events are false alerts; those at most ten rows apart are one. A threshold
that more than 2 % of rows reach is none: to flag everything would be one long false alert.

Fixed on other curves (`crossed`): the lowest threshold that keeps to the budget on half of the
curves is used on the other half; the mean of ten random halvings, both ways. Fixed on the curves'
own past (`past`): without labels, the lowest that gives at most one alert, true or false.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality.inputs import Curve

BUDGET = 1.0  # false alerts per series-week
APART = 10  # rows
MOST = 0.02  # of all rows
HALVINGS = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """For C curves at K thresholds, which ascend."""

    theta: Floats  # (K,)
    found: Floats  # (C, K) events
    false: Floats  # (C, K) alerts
    events: Floats  # (C,)
    weeks: Floats  # (C,)

    def at(self, some: Array, k: int) -> tuple[float, float]:
        """Recall and false alerts a week of some curves at one threshold."""
        found, false = self.found[some, k].sum(), self.false[some, k].sum()
        return float(found / max(self.events[some].sum(), 1)), float(false / self.weeks[some].sum())

    def lowest(self, some: Array) -> int | None:
        """Which threshold is the lowest that keeps to the budget on some curves."""
        kept = np.flatnonzero(self.false[some].sum(0) <= BUDGET * self.weeks[some].sum())
        return int(kept[0]) if len(kept) else None


def alerts(rows: Array) -> int:
    """How many alerts these rows are, as those close together are one."""
    return int((np.diff(rows) > APART).sum()) + 1 if len(rows) else 0


def thetas(scores: Sequence[Floats]) -> Floats:
    """200 quantiles of the highest 2 % of all scores, but those that many more rows reach.

    NaN is below all others.
    """
    every = np.sort(np.concatenate([_known(s) for s in scores]))
    tail = np.quantile(every, 1.0 - np.geomspace(1e-6, MOST, 200), method="higher")
    tail = np.unique(tail[np.isfinite(tail)])
    reached = 1.0 - np.searchsorted(every, tail) / len(every)
    return tail[reached <= 1.01 * MOST]


def count(curves: Sequence[Curve], scores: Sequence[Floats], theta: Floats) -> Counts:
    """What each threshold would have done in the judged part of each curve."""
    found, false = (np.zeros((len(curves), len(theta))) for _ in range(2))
    for c, (curve, said) in enumerate(zip(curves, scores, strict=True)):
        known = _known(said)
        for a, b in curve.judged():
            found[c] += known[a:b].max() >= theta
        rows = np.flatnonzero(curve.normal() & (known >= theta.min(initial=np.inf)))
        for k, limit in enumerate(theta):
            rows = rows[known[rows] >= limit]
            false[c, k] = alerts(rows)
    events = np.array([float(len(curve.judged())) for curve in curves])
    return Counts(theta, found, false, events, np.array([curve.weeks() for curve in curves]))


def crossed(counts: Counts) -> tuple[float, float]:
    """Recall and false alerts a week, thresholds from the other half of the curves."""
    order, size = np.random.default_rng(0), len(counts.events)
    seen = []
    for _ in range(HALVINGS):
        half = np.isin(np.arange(size), order.permutation(size)[: size // 2])
        for known in (half, ~half):
            k = counts.lowest(known)
            seen.append((0.0, 0.0) if k is None else counts.at(~known, k))
    recall, false = np.mean(seen, axis=0)
    return float(recall), float(false)


def past(curves: Sequence[Curve], scores: Sequence[Floats]) -> float:
    """The lowest threshold that gives one alert per series-week in the past; inf if none does.

    The past is the second half of what is not judged: there a detector has warmed up.
    """
    parts = [_known(s[c.start // 2 : c.start]) for c, s in zip(curves, scores, strict=True)]
    weeks = sum(curve.weeks(curve.start // 2) - curve.weeks() for curve in curves)
    for theta in thetas(parts):
        if sum(alerts(np.flatnonzero(part >= theta)) for part in parts) <= BUDGET * weeks:
            return float(theta)
    return np.inf


def _known(scores: Floats) -> Floats:
    return np.where(np.isnan(scores), -np.inf, scores)
