"""Whether an alert budget is kept, and what is found within it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality.inputs import Curve

FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the judged rows of C curves: alerts, those outside events, events found, and so on."""

    told: Floats  # (C,)
    false: Floats  # (C,)
    found: Floats  # (C,)
    events: Floats  # (C,)
    weeks: Floats  # (C,)

    @property
    def ratio(self) -> float:
        """Alerts told for one asked, all curves together; one a week is asked of each."""
        return float(self.told.sum() / self.weeks.sum())

    @property
    def within(self) -> float:
        """The share of curves that are told between half and double of what was asked."""
        each = self.told / self.weeks
        return float(((each >= 1.0 / FACTOR) & (each <= FACTOR)).mean())

    @property
    def recall(self) -> float:
        """The share of events with an alert inside."""
        return float(self.found.sum() / max(self.events.sum(), 1.0))

    @property
    def precision(self) -> float:
        """The share of alerts that are in an event."""
        return 1.0 - float(self.false.sum() / max(self.told.sum(), 1.0))


def kept(curves: Sequence[Curve], alerts: Sequence[Array]) -> Kept:
    """Count alerts (T,) on curves."""
    rows = []
    for curve, alert in zip(curves, alerts, strict=True):
        normal, judged = curve.normal(), curve.judged()
        told = int(alert[curve.start :].sum())
        found = sum(bool(alert[a:b].any()) for a, b in judged)
        rows.append((told, int((alert & normal).sum()), found, len(judged), curve.weeks()))
    return Kept(*np.array(rows, np.float64).T)
