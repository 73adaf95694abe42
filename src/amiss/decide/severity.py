"""How bad: from surprise, breadth and duration, on one scale for every kind of series.

    points = (peak - bar) / 2 + log2(breadth) / 2 + log10(1 + minutes / 5)
    low below 1.5, medium below 3, high from there

in nats above the bar at which the incident opened. One series just above the bar is low; ten
series four nats above it for half an hour are high.
"""

from math import log2, log10

from amiss.data import Severity

MEDIUM, HIGH = 1.5, 3.0
ORDER: dict[Severity, int] = {"low": 0, "medium": 1, "high": 2}


def severity(peak: float, bar: float, breadth: int, minutes: float) -> Severity:
    """The severity of an incident with this strangest score, in nats, and this extent."""
    points = (peak - bar) / 2 + log2(max(breadth, 1)) / 2 + log10(1 + max(minutes, 0.0) / 5)
    if points >= HIGH:
        return "high"
    return "medium" if points >= MEDIUM else "low"
