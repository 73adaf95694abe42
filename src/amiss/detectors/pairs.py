"""How rarely the values of an event were met together, two columns at a time.

    p_ab = (rows of the sample in cells of the table of a and b no fuller than this, + 1)/(n + 1)
    score = ln mean_ab 1/p_ab                                        (harmonic mean of the p_ab)

the event counted in its own cell, and over all pairs of columns, or 512 of them chosen at random
with a fixed seed. A pair that is always new has p of about 1, so that columns of many values do no
harm. Marginals are in it: a value never seen makes all its pairs new.
"""

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel

PAIRS = 512


def fit(code: Array, codes: int, asked: Array, seed: int) -> tuple[State, Floats]:
    """Tables of a sample's codes (n, F), all below `codes`; the scores of its rows `asked`.

    Each row is scored as if it had not been in the sample. One column is paired with itself.
    Cost: O(n) a pair.
    """
    columns = code.shape[1]
    first, second = np.triu_indices(columns, min(1, columns - 1))
    if len(first) > PAIRS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(first), PAIRS, replace=False))
        first, second = first[chosen], second[chosen]
    inverse = np.empty((len(first), codes * codes), np.float32)
    total = np.zeros(len(asked))
    _fit(np.ascontiguousarray(code.T), first, second, codes, asked, inverse, total)
    state: State = {"first": first, "second": second, "inverse": inverse}
    state["codes"] = np.array([codes])
    return state, np.log(total / len(first))


def score(state: State, code: Array) -> Floats:
    """Codes (N, F) -> nats (N,). Cost: about 2 ns a pair."""
    found = np.empty(len(code))
    _score(code, state["first"], state["second"], state["inverse"], int(state["codes"][0]), found)
    return found


def blame(state: State, code: Array) -> Floats:
    """What each column adds (N, F): 1/p of its pairs, above that of the least of them."""
    said = np.zeros(code.shape)
    _blame(code, state["first"], state["second"], state["inverse"], int(state["codes"][0]), said)
    least: Floats = said - said.min(axis=1, keepdims=True)
    return least


@kernel
def _fit(
    code: Array,
    first: Array,
    second: Array,
    codes: int,
    asked: Array,
    inverse: Array,
    total: Array,
) -> None:
    """Of each pair, n + 1 by the rows in cells no fuller, with a row of its own and without."""
    n = code.shape[1]
    cell = np.empty(n, np.int64)
    for k in range(len(first)):
        count, rows = np.zeros(codes * codes, np.int64), np.zeros(codes * codes + 1, np.int64)
        for i in range(n):
            cell[i] = code[first[k], i] * codes + code[second[k], i]
            count[cell[i]] += 1
        order = np.sort(count)
        rows[1:] = np.cumsum(order)
        with_it = rows[np.searchsorted(order, count + 1, "right")] + 1
        without = rows[np.searchsorted(order, count, "right")]
        for c in range(codes * codes):
            inverse[k, c] = (n + 1) / with_it[c]
        for i in range(len(asked)):
            total[i] += n / max(without[cell[asked[i]]], 1)


@kernel
def _score(
    code: Array, first: Array, second: Array, inverse: Array, codes: int, found: Array
) -> None:
    for i in range(len(code)):
        total = 0.0
        for k in range(len(first)):
            total += inverse[k, code[i, first[k]] * codes + code[i, second[k]]]
        found[i] = np.log(total / len(first))


@kernel
def _blame(
    code: Array, first: Array, second: Array, inverse: Array, codes: int, said: Array
) -> None:
    for i in range(len(code)):
        for k in range(len(first)):
            rare = inverse[k, code[i, first[k]] * codes + code[i, second[k]]]
            said[i, first[k]] += rare
            said[i, second[k]] += rare
