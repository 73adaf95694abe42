"""From the scores of a whole series to intervals, and how many of the labelled ones they meet.

Hundman and others, "Detecting spacecraft anomalies using LSTMs and nonparametric dynamic
thresholding", KDD 2018, with the fixed threshold of Orion: in windows of a third of the series, a
tenth of it apart, what is above mean + 4 deviations, 50 rows wider on both sides; intervals whose
peaks, from high to low, are no more than a tenth above the next are dropped from the end.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
from _labelled import runs

from amiss.data import Floats

SHARE, APART, DEVIATIONS, WIDER, LEAST = 0.33, 0.1, 4.0, 50, 0.1
Span = tuple[int, int]


def intervals(scores: Floats) -> list[Span]:
    """Scores (N,) -> half-open ranges of rows."""
    size = ceil(len(scores) * SHARE)
    found: list[Span] = []
    begin = 0
    while True:
        found += [(begin + a, begin + b) for a, b in _within(scores[begin : begin + size])]
        if begin + size >= len(scores):
            return joined(found)
        begin += ceil(size * APART)


def joined(spans: Sequence[Span]) -> list[Span]:
    """The same ranges; those that touch are one."""
    found: list[Span] = []
    for a, b in sorted(spans):
        if found and a <= found[-1][1]:
            found[-1] = found[-1][0], max(b, found[-1][1])
        else:
            found.append((a, b))
    return found


def met(found: Sequence[Span], wanted: Sequence[Span]) -> tuple[int, int, int]:
    """Labelled ranges that are met, ranges that meet none, labelled ranges that are missed."""

    def touch(one: Span, others: Sequence[Span]) -> bool:
        return any(one[0] < b and a < one[1] for a, b in others)

    hits = sum(touch(one, found) for one in wanted)
    return hits, sum(not touch(one, wanted) for one in found), len(wanted) - hits


def _within(scores: Floats) -> list[Span]:
    above = np.zeros(len(scores), np.bool_)
    for row in np.flatnonzero(scores > scores.mean() + DEVIATIONS * scores.std()).tolist():
        above[max(row - WIDER, 0) : row + WIDER + 1] = True
    spans = sorted(runs(above), key=lambda span: -scores[slice(*span)].max())
    peaks = [float(scores[slice(*span)].max()) for span in spans]
    peaks.append(float(scores[~above].max()) if not above.all() else 0.0)
    falls = [k for k in range(len(spans)) if peaks[k] - peaks[k + 1] > LEAST * peaks[k]]
    return spans[: falls[-1] + 1] if falls else []
