"""What windows say of each row of one metric once all of it is known.

A row is forecast from the rows before it, from those after it, and given back by every window that
it is in the middle of. With each error drawn between 1 and 2 by its range in the whole,

    score = (forward and backward error) x (error of the median given back, warped) x (root mean
            squared error of the windows it is in)

Smoothed over a hundredth of the rows. Wong and others, "AER: auto-encoder with regression for time
series anomaly detection", 2022; the last factor is our own.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from amiss.data import Array, Floats
from amiss.kernel import kernel

SMOOTH = 0.01  # of all rows
WARP = 5  # rows to either side in which what is given back may be early or late
MOST = 200  # rows of the mean of warped errors


def hindsight(values: Floats, back: Floats) -> Floats:
    """Rows (N,) and what their windows gave back (N - W + 1, W), at least one -> scores (N,).

    Everything is known of every row: no score that is told live. Cost: O(N W).
    """
    count, length = back.shape
    rows, ahead = len(values), length - 1
    span, cut = max(int(count * SMOOTH), 1), int(count * SMOOTH)
    forward = _running(np.abs(values[ahead:] - back[:, -1]), span)
    backward = _running(np.abs(values[:count] - back[:, 0]), span)
    forward[:cut], backward[:cut] = 0.0, backward.min()
    ends = np.zeros((2, rows))
    ends[0, ahead:], ends[1, :count] = forward, backward
    both = np.zeros(rows)
    both[ahead + cut : count] = 1.0
    regression = ends.sum(axis=0) / (1.0 + both)
    middle = np.empty(rows - 2)
    _unfold(np.ascontiguousarray(back[:, 1:-1]), middle)
    warped = _mean(_warped(values[1:-1], middle, WARP), min(int(count * SMOOTH), MOST))
    warped[:cut] = warped.min()
    weight = np.full(length, 0.5 / (length - 2))
    weight[[0, -1]] = 0.25
    root = np.sqrt(((sliding_window_view(values, length) - back) ** 2) @ weight)
    sums = np.concatenate([[0.0], np.cumsum(root)])
    last = np.minimum(np.arange(rows), count - 1) + 1
    first = np.maximum(np.arange(rows) - ahead, 0)
    window = (sums[last] - sums[first]) / (last - first)
    found: Floats = _drawn(regression) * _drawn(np.concatenate([[0.0], warped, [0.0]])) * window
    return found


def _drawn(errors: Floats) -> Floats:
    """Between 1 and 2, by their range."""
    low, high = errors.min(), errors.max()
    found: Floats = 1.0 + (errors - low) / (high - low if high > low else 1.0)
    return found


def _mean(errors: Floats, rows: int) -> Floats:
    """The mean of the rows about each, as far as there are any."""
    sums = np.concatenate([[0.0], np.cumsum(errors)])
    at = np.arange(len(errors))
    first = np.maximum(at - rows // 2, 0)
    last = np.minimum(at + (rows - 1) // 2, len(errors) - 1) + 1
    last = np.maximum(last, first + 1)
    found: Floats = (sums[last] - sums[first]) / (last - first)
    return found


@kernel
def _running(errors: Floats, span: int) -> Floats:
    """The exponential mean of those so far, each weighed by 1 - 2 / (span + 1) of the next."""
    found = np.empty(len(errors))
    kept = 1.0 - 2.0 / (span + 1.0)
    total = weight = 0.0
    for i in range(len(errors)):
        total, weight = kept * total + errors[i], kept * weight + 1.0
        found[i] = total / weight
    return found


@kernel
def _unfold(windows: Array, found: Array) -> None:
    """The median of what all windows (N, W) say of a row, to `found` (N + W - 1,)."""
    count, length = windows.shape
    for i in range(len(found)):
        first, last = max(0, i - length + 1), min(i, count - 1)
        said = np.empty(last - first + 1)
        for j in range(first, last + 1):
            said[j - first] = windows[j, i - j]
        found[i] = np.median(said)


@kernel
def _warped(values: Floats, given: Floats, reach: int) -> Floats:
    """The distance of the rows about each (N,) by dynamic time warping, 0 near the ends.

    Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition", 1978.
    """
    length = 2 * reach + 1
    found = np.zeros(len(values))
    best = np.empty((length + 1, length + 1))
    for at in range(len(values) - length + 1):
        best[:] = np.inf
        best[0, 0] = 0.0
        for a in range(length):
            for b in range(length):
                away = values[at + a] - given[at + b]
                near = min(best[a, b], best[a, b + 1], best[a + 1, b])
                best[a + 1, b + 1] = away * away + near
        found[at + reach] = np.sqrt(best[length, length])
    return found
