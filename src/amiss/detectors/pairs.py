"""How rarely the values of an event were met together, two columns at a time.

    p_ab = (rows of the sample in cells of the table of a and b no fuller than this one + 1)/(n + 1)
    score = ln mean_ab 1/p_ab                                        (harmonic mean of the p_ab)

over all pairs of columns, or 512 of them chosen at random with a fixed seed. A pair that is
always new has p of about 1, so that columns of many values do no harm. Marginals are in it: a
value never seen makes all its pairs new.
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
    n, columns = code.shape
    first, second = np.triu_indices(columns, min(1, columns - 1))
    if len(first) > PAIRS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(first), PAIRS, replace=False))
        first, second = first[chosen], second[chosen]
    inverse = np.empty((len(first), codes * codes), np.float32)
    total = np.zeros(len(asked))
    for k, (a, b) in enumerate(zip(first, second, strict=True)):
        cell = code[:, a] * codes + code[:, b]
        count = np.bincount(cell, minlength=codes * codes)
        order = np.sort(count)
        rows = np.concatenate([[0], np.cumsum(order)])
        with_it = rows[np.searchsorted(order, count + 1, "right")] + 1
        without = rows[np.searchsorted(order, count, "right")]
        inverse[k] = (n + 1) / with_it
        total += n / np.maximum(without, 1)[cell[asked]]
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
    first, second, codes = state["first"], state["second"], int(state["codes"][0])
    cells = code[:, first] * codes + code[:, second]
    rare = np.take_along_axis(state["inverse"].T, cells, axis=0)
    for k in range(len(first)):
        said[:, first[k]] += rare[:, k]
        said[:, second[k]] += rare[:, k]
    least: Floats = said - said.min(axis=1, keepdims=True)
    return least


@kernel
def _score(
    code: Array, first: Array, second: Array, inverse: Array, codes: int, found: Array
) -> None:
    for i in range(len(code)):
        total = 0.0
        for k in range(len(first)):
            total += inverse[k, code[i, first[k]] * codes + code[i, second[k]]]
        found[i] = np.log(total / len(first))
