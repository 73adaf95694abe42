"""Training with a fixed number of steps, checked on what comes later in time."""

from collections.abc import Callable

import numpy as np

from amiss.data import Array
from amiss.networks.adam import Adam

CHECKS = 10  # in a training; the best weights of them are kept


def train(
    weights: Array,
    learn: Callable[[Array, Array], float],
    check: Callable[[], float] | None,
    chance: np.random.Generator,
    *,
    windows: Array,
    steps: int,
    batch: int,
    rate: float,
) -> Array:
    """Move `weights` (P,) along the gradients of batches; afterwards they are the best there were.

    `learn` is given a batch, drawn at random from `windows` (N,), and where to put the gradient
    (P,), and says how large the error of the batch was. `check` says how large the error of the
    weights as they are now is; where it is None, the last weights stay. Back comes how it went, a
    column for each look (3, L): epochs so far (windows that were drawn, over N), the mean error of
    the batches since the look before, and what `check` said, NaN without.
    """
    gradient, adam = np.empty_like(weights), Adam.of(weights)
    best, least = weights.copy(), np.inf
    due = {(steps * (n + 1)) // CHECKS for n in range(CHECKS)}
    curve, since = list[tuple[float, float, float]](), list[float]()
    for step in range(1, steps + 1):
        since.append(learn(windows[chance.integers(0, len(windows), batch)], gradient))
        adam.step(weights, gradient, rate)
        if step not in due:
            continue
        error = check() if check is not None else np.nan
        curve.append((step * batch / len(windows), float(np.mean(since)), error))
        since.clear()
        if error < least:
            best[:], least = weights, error
    if least < np.inf:
        weights[:] = best
    return np.array(curve).T
