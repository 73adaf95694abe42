"""How often single records come, so that p of one can be held against incidents a day.

    count <- count fade + 1;   spent <- spent fade + day (1 - fade);   fade = e^(-dt/day)
    interval = spent/count

Records and time are counted, each forgotten with a day: so no more than a day is ever `spent`,
however long nothing came.
"""

from math import exp

import numpy as np

from amiss.data import Array, Floats, State, Times
from amiss.kernel import kernel

FORGET = 86400.0  # seconds
SHORTEST = 1e-6  # seconds


def init() -> State:
    """None came yet."""
    return {
        "count": np.zeros(1),
        "spent": np.zeros(1),
        "span": np.zeros(2, np.int64),
        "seen": np.zeros(1, np.int64),  # all that ever came
    }


def step(state: State, time: Times) -> tuple[State, Floats, Floats, Array]:
    """Records in order (T,) -> seconds between two, days since the first, how many so far (T,).

    Cost: O(T).
    """
    state = init() | {name: column.copy() for name, column in state.items()}
    interval = np.zeros(len(time))
    if len(time) and not state["count"][0]:
        state["span"][:] = time[0]
    _step(time, interval, state["count"], state["spent"], state["span"])
    seen = state["seen"] + np.arange(1, len(time) + 1)
    state["seen"] = state["seen"] + len(time)
    return state, interval, (time - state["span"][0]) / 1e9 / 86400.0, seen


@kernel
def _step(time: Array, interval: Array, count: Array, spent: Array, span: Array) -> None:
    for t in range(len(time)):
        dt = max(time[t] - span[1], 0) / 1e9
        fade = exp(-dt / FORGET)
        count[0] = count[0] * fade + 1.0
        spent[0] = spent[0] * fade + FORGET * (1.0 - fade)
        span[1] = max(span[1], time[t])
        interval[t] = max(spent[0] / count[0], SHORTEST)
