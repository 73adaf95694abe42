"""A trained forecaster that goes on from row to row, by what it remembers: nothing is replayed.

The sums are the same whatever else is in the batch, so that a system is forecast alike alone and
in company, to the bit.
"""

from math import tanh

import numpy as np

from amiss.data import Array
from amiss.kernel import inlined, kernel

ONE, HALF = np.float32(1.0), np.float32(0.5)


@inlined
def _add(x: Array, rows: int, weights: Array, at: int, z: Array, width: int) -> None:
    """Add x W to z, for W (rows, width) that begins at `at`."""
    for i in range(rows):
        value = x[i]
        for j in range(width):
            z[j] += value * weights[at + j]
        at += width


@kernel
def follow(
    x: Array, seen: Array, first: Array, weights: Array, units: Array,
    hidden: Array, cell: Array, forecast: Array, out: Array,
) -> None:  # fmt: skip
    """Rows (T, S, F) -> the forecast that there was of each (T, S, F); NaN of a first one.

    `hidden` and `cell` (S, all units) and `forecast` (S, F), of the next row, go on. Rows that are
    not `seen` (T, S) change nothing. Weights are those of forecaster.py, float32; F metrics in
    standard deviations. Cost: O(weights) a row.
    """
    metrics, widest = x.shape[2], 0
    for layer in range(len(units)):
        widest = max(widest, units[layer])
    z = np.zeros(4 * widest, np.float32)
    for s in range(x.shape[1]):
        for t in range(x.shape[0]):
            out[t, s, :] = np.nan
            if not seen[t, s]:
                continue
            if first[t, s]:
                hidden[s, :] = np.float32(0.0)
                cell[s, :] = np.float32(0.0)
            else:
                out[t, s, :] = forecast[s]
            at, begin, size = 0, 0, metrics
            given = x[t, s]
            for layer in range(len(units)):
                n = units[layer]
                width = 4 * n
                h, c = hidden[s, begin : begin + n], cell[s, begin : begin + n]
                bias = at + (size + n) * width
                for j in range(width):
                    z[j] = weights[bias + j]
                _add(given, size, weights, at, z, width)
                _add(h, n, weights, at + size * width, z, width)
                for j in range(n):
                    i = HALF * np.float32(tanh(HALF * z[j])) + HALF
                    f = HALF * np.float32(tanh(HALF * z[n + j])) + HALF
                    o = HALF * np.float32(tanh(HALF * z[2 * n + j])) + HALF
                    c[j] = f * c[j] + i * np.float32(tanh(z[3 * n + j]))
                    h[j] = o * np.float32(tanh(c[j]))
                at, begin, size, given = bias + width, begin + n, n, h
            bias = at + size * metrics
            for j in range(metrics):
                forecast[s, j] = weights[bias + j] + weights[bias + metrics + j] * x[t, s, j]
            _add(given, size, weights, at, forecast[s], metrics)
