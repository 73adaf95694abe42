"""How good are scores and alerts on labelled data, by the figures of amiss/evaluate/quality.

nab      of alerts where the score reaches 6, then 12 h of silence unless it rises by 2 (nab.py)
recall   events found at one false alert a series and week, and the false alerts that it came with
         (recall.py)
budget   alerts told for one asked; the share of series within half and double; events with one
"""

from collections.abc import Sequence

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality import nab as numenta
from amiss.evaluate.quality import recall as found_at
from amiss.evaluate.quality.inputs import Curve


def nab(curves: Sequence[Curve], scores: Sequence[Floats], theta: float = numenta.THETA) -> float:
    """NAB's score of one threshold, standard profile: 100 at best, 0 for silence."""
    alerts = [numenta.told(s, c.time, theta) for c, s in zip(curves, scores, strict=True)]
    return numenta.score(list(map(numenta.worth, curves)), alerts, numenta.PROFILES["standard"])


def recall(curves: Sequence[Curve], scores: Sequence[Floats]) -> tuple[float, float]:
    """The share of events found, and false alerts a series and week that it came with."""
    theta = found_at.thetas([s[c.start :] for c, s in zip(curves, scores, strict=True)])
    return found_at.crossed(found_at.count(curves, scores, theta))


def budget(curves: Sequence[Curve], alerts: Sequence[Array]) -> tuple[float, float, float]:
    """Told for one asked, share of series within half and double, share of events found."""
    told, weeks, hits = np.zeros(len(curves)), np.array([c.weeks() for c in curves]), 0
    for n, (curve, alert) in enumerate(zip(curves, alerts, strict=True)):
        told[n] = alert[curve.start :].sum()
        hits += sum(bool(alert[a:b].any()) for a, b in curve.judged())
    each = told / weeks
    within = float(((each >= 0.5) & (each <= 2.0)).mean())
    events = sum(len(curve.judged()) for curve in curves)
    return float(told.sum() / weeks.sum()), within, hits / events
