"""What only grows, into how fast it grows. Pure functions on plain mappings."""

from collections.abc import Mapping
from math import isfinite, isnan, nan

import numpy as np

from amiss.data import Array, Floats

WRAP = 2**32
"""Where a 32-bit counter begins again."""
NEAR = WRAP // 8
"""A counter that fell has wrapped if it need not have grown by more than this, else was reset."""


def growth(before: float, after: float) -> float:
    """How far a counter went from one reading to the next; NaN if it was reset in between.

    A counter of 64 bits does not wrap in our time, one of 32 bits does.
    """
    if after >= before:
        return after - before
    wrapped = after - before + WRAP
    return wrapped if before < WRAP and wrapped < NEAR else nan


def rates(
    before: Mapping[str, float], after: Mapping[str, float], elapsed: float
) -> tuple[dict[str, float], dict[str, int]]:
    """Growth per second of each counter, and how many gave none, by reason.

    `elapsed` is in seconds. A counter that was not there before has no rate yet, and that
    is no fault; one that is gone is forgotten. No rate comes out below 0 or not finite.
    """
    found: dict[str, float] = {}
    lost: dict[str, int] = {}
    for key in after.keys() & before.keys():
        if not (isfinite(before[key]) and isfinite(after[key])):
            reason = "not a number"
        elif elapsed <= 0:
            reason = "no time passed"
        elif isnan(grown := growth(before[key], after[key])):
            reason = "counter reset"
        else:
            found[key] = grown / elapsed
            continue
        lost[reason] = lost.get(reason, 0) + 1
    return {key: found[key] for key in after if key in found}, lost


def shares(
    before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, int]]:
    """How growth was divided among counters, in percent adding up to 100; needs no clock.

    For the modes of a processor, of which some (iowait) now and then fall by a little: such
    a one did not grow. If all together fell they were reset, and there is no answer.
    """
    grown = {key: after[key] - before[key] for key in after if key in before}
    if not grown:
        return {}, {}
    whole = sum(grown.values())
    if not isfinite(whole):
        return {}, {"not a number": 1}
    if whole < 0:
        return {}, {"counter reset": 1}
    grown = {key: max(0.0, value) for key, value in grown.items()}
    if not (whole := sum(grown.values())):
        return {}, {"no time passed": 1}
    return {key: 100 * value / whole for key, value in grown.items()}, {}


def slopes(reading: Floats, at: Floats, longest: float) -> tuple[Floats, Array]:
    """Growth a second of S counters, each since its reading before.

    `reading` and `at` (seconds) are (T + 1, S), the first row what was known before; NaN is no
    reading. Returns (T, S), NaN where there is no reading, none within `longest` seconds
    before it, or the counter fell; and (S,) the row of the last reading, 0 if there is none.
    """
    rows = np.where(np.isfinite(reading), np.arange(len(reading))[:, None], 0)
    latest = np.maximum.accumulate(rows, axis=0)
    before = latest[:-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        grown = reading[1:] - np.take_along_axis(reading, before, axis=0)
        elapsed = at[1:] - np.take_along_axis(at, before, axis=0)
        slope = np.where(
            (grown >= 0) & (elapsed > 0) & (elapsed <= longest), grown / elapsed, np.nan
        )
    return slope, latest[-1]
