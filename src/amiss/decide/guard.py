"""How much is to be learned from events that are strange, where one stored row is enough.

Rows whose score is above 4 are learned with the chance min(.1, share^2), the share of such rows
among the last 1,024. At 5 % that is next to nothing; more than a third of them is a new regime.
There is no least chance, as lines have one (decide/bulk.py): to an event the nearest row that was
kept is its like, and one in a hundred of the attacks of a day is enough to make all others usual.
"""

import numpy as np

from amiss.data import Array, Floats, State

STRANGE, LITTLE = 4.0, 0.1
LATELY = 1024.0
WARM = 4096  # rows that are learned whole, where there was no history


def init() -> State:
    """Nothing seen."""
    return {
        "share": np.zeros(1),  # of strange rows, lately
        "rows": np.zeros(1, np.int64),
        "warm": np.zeros(1, np.bool_),  # whether there was a history
    }


def step(state: State, score: Floats, history: bool) -> tuple[State, Array]:
    """Scores of a block (N,), NaN counts as usual -> how much each is to be learned (N,).

    A history is learned whole: to be careful before much is known would be never to learn what
    is rare and usual.
    """
    guarded = not history and bool(state["warm"][0] or state["rows"][0] >= WARM)
    strange = (score > STRANGE) & guarded
    chance = np.where(strange, min(LITTLE, float(state["share"][0]) ** 2), 1.0)
    lately = strange.sum() / max(len(score), 1) - state["share"]
    return {
        "share": state["share"] + lately * min(len(score) / LATELY, 1.0),
        "rows": state["rows"] + len(score),
        "warm": state["warm"] | history,
    }, chance
