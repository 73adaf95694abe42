"""Alerts at a rate per row: rows of a table that carry no time are rationed by their number.

    alert where s >= theta;  theta = max(ln(1/b) - 2, theta + alert - b)

for b alerts a row (`a_row`). Whatever the scores, no more than b of the rows alert in the long run:
each alert makes the next one a nat dearer, and each row a little cheaper.
"""

from math import isfinite, log

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel

SLACK = 2.0


def step(state: State, scores: Floats, a_row: float) -> tuple[State, Array]:
    """Scores in nats (N,) -> alerts (N,). NaN is no alert and changes nothing."""
    theta = state.get("theta", np.full(1, -np.inf)).copy()
    alert = np.zeros(len(scores), np.bool_)
    _step(scores, a_row, theta, alert)
    return {"theta": theta}, alert


@kernel
def _step(scores: Array, a_row: float, theta: Array, alert: Array) -> None:
    least = log(1.0 / a_row) - SLACK
    for i in range(len(scores)):
        if isfinite(scores[i]):
            theta[0] = max(theta[0], least)
            alert[i] = scores[i] >= theta[0]
            theta[0] += (1.0 if alert[i] else 0.0) - a_row
