"""A bounded sample of all rows so far: those that a model is fitted to.

The first 16,384 rows, then each new one with the chance 16,384/50,000 in the place of another, so
that the sample is of some 50,000 rows: what was usual long ago is forgotten in the end. Chance
is a function of the seed and the number of the row alone (Vitter, "Random sampling with a
reservoir", 1985; with a horizon).
"""

import numpy as np

from amiss.data import Array, State

ROWS = 16384
HORIZON = 50_000
FIRST, EVERY = 64, 32768  # rows: the first fit, then when they doubled, at the latest so often


def init(columns: State) -> State:
    """Nothing kept yet of rows in these columns (0, ..)."""
    return columns | {"rows": np.zeros(1, np.int64)}  # seen


def add(state: State, columns: State, weight: Array, seed: int) -> State:
    """With a block of rows, each kept with a chance that is its weight (N,) at first."""
    before = int(state["rows"][0])
    chance = np.random.default_rng((seed, before))
    draw = chance.random(len(weight))
    kept = len(next(state[name] for name in columns))
    first = np.flatnonzero(draw < weight)[: ROWS - kept]
    state = state | {"rows": state["rows"] + len(weight)}
    if len(first):
        state |= {
            name: np.concatenate([state[name], rows[first]]) for name, rows in columns.items()
        }
    if kept + len(first) < ROWS:
        return state
    late = np.arange(len(weight)) > (first[-1] if len(first) else -1)
    seen = min(before + len(weight), HORIZON)
    others = np.flatnonzero(late & (draw < weight * ROWS / seen))
    place = chance.integers(0, ROWS, len(others))
    for name, rows in columns.items():
        state[name][place] = rows[others]
    return state


def due(fitted: int, rows: int) -> bool:
    """Whether a fit is due after so many rows, if the last one was after so many (0: none)."""
    return rows >= max(FIRST, min(2 * fitted, fitted + EVERY))
