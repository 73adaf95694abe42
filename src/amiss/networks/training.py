"""Training with a fixed number of steps, checked on what comes later in time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from amiss.data import Array
from amiss.networks.adam import Adam

CHECKS = 10  # in a training; the best weights of them are kept


@contextmanager
def alone() -> Iterator[None]:
    """Linear algebra in one thread, so that the same seed gives the same weights to the bit.

    Models are trained side by side in processes of their own.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield


def train(
    weights: Array,
    learn: Callable[[Array, Array], None],
    check: Callable[[], float] | None,
    chance: np.random.Generator,
    *,
    windows: Array,
    steps: int,
    batch: int,
    rate: float,
) -> None:
    """Move `weights` (P,) along the gradients of batches; afterwards they are the best there were.

    `learn` is given a batch, drawn at random from `windows` (N,), and where to put the gradient
    (P,). `check` says how large the error of the weights as they are now is; where it is None,
    the last weights stay.
    """
    gradient, adam = np.empty_like(weights), Adam.of(weights)
    best, least = weights.copy(), np.inf
    due = {(steps * (n + 1)) // CHECKS for n in range(CHECKS)}
    for step in range(1, steps + 1):
        learn(windows[chance.integers(0, len(windows), batch)], gradient)
        adam.step(weights, gradient, rate)
        if check is not None and step in due:
            error = check()
            if error < least:
                best[:], least = weights, error
    if least < np.inf:
        weights[:] = best
