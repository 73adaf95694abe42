"""How badly each column of an event is predicted by all the others.

    r = (m - mean) P / sqrt(diag P),  P = (C + .001 I)^-1,  C the covariance of the sample
    score = ln mean_j 1/p_j(|r_j|)                      (harmonic mean over the columns of m)

r_j is the residual of column j given the others, in units of its spread: linear regression of
each on the rest, by one inversion. p_j is its rank in the sample, in 128 bins, 8 an octave.
"""

from math import log, log2

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel

RIDGE = 1e-3
BINS, PER_OCTAVE, ZERO = 128, 8.0, 80.0  # bin 80 begins at a residual of 1
LEAST = 1e-6


def fit(x: Floats, asked: Array) -> tuple[State, Floats]:
    """The relations of a sample (n, D), and the scores of its rows `asked`.

    A row counts itself, as those that come later do not: (k + 1)/(n + 1) either way.
    Cost: O(n D^2 + D^3).
    """
    n, columns = x.shape
    mean = x.mean(axis=0)
    away = x - mean
    precision = np.linalg.inv(away.T @ away / max(n - 1, 1) + RIDGE * np.eye(columns))
    projection = (precision / np.sqrt(np.diag(precision))).astype(np.float32)
    places = np.empty((n, columns), np.int32)
    _places(_residuals(away, projection), places)
    inverse = np.empty((columns, BINS))
    for j in range(columns):
        tail = np.cumsum(np.bincount(places[:, j], minlength=BINS)[::-1])[::-1]
        inverse[j] = (n + 1) / (tail + 1)
    state = {"mean": mean, "projection": projection, "inverse": inverse}
    past = np.empty(len(asked))
    _score(places[asked], inverse, past)
    return state, past


def score(state: State, x: Floats) -> Floats:
    """Rows (N, D) -> nats (N,). To the last digit where N is always the same: it is a product."""
    found = np.empty(len(x))
    _score(_read(state, x), state["inverse"], found)
    return found


def blame(state: State, x: Floats) -> Floats:
    """1/p of each residual (N, D)."""
    rare: Floats = state["inverse"][np.arange(x.shape[1]), _read(state, x)]
    return rare


def _read(state: State, x: Floats) -> Array:
    places = np.empty(x.shape, np.int32)
    _places(_residuals(x - state["mean"], state["projection"]), places)
    return places


def _residuals(away: Floats, projection: Array) -> Array:
    residuals: Array = away.astype(np.float32) @ projection
    return residuals


@kernel
def _places(residuals: Array, places: Array) -> None:
    """The bin of each |r|."""
    for i in range(residuals.shape[0]):
        for j in range(residuals.shape[1]):
            at = PER_OCTAVE * log2(max(abs(residuals[i, j]), LEAST)) + ZERO
            places[i, j] = int(min(max(at, 0.0), BINS - 1.0))


@kernel
def _score(places: Array, inverse: Array, found: Array) -> None:
    for i in range(places.shape[0]):
        total = 0.0
        for j in range(places.shape[1]):
            total += inverse[j, places[i, j]]
        found[i] = log(total / places.shape[1])
