"""A layer of LSTM and its gradient, against the equations written out and differences."""

from math import exp, tanh

import numpy as np
import pytest

from amiss.data import Array, Floats
from amiss.networks import lstm
from amiss.networks.parameters import Parts, count, parts

TICKS, BATCH, INPUTS, UNITS = 6, 3, 2, 4


def made(seed: int = 0) -> tuple[Parts, Array, np.random.Generator]:
    chance = np.random.default_rng(seed)
    shapes = lstm.shapes(INPUTS, UNITS)
    flat = np.zeros(count(shapes))
    lstm.start(parts(flat, shapes), chance)
    return parts(flat, shapes), flat, chance


def by_hand(weights: Parts, x: Floats) -> Floats:
    """One sequence (T, D), gate by gate."""
    sigmoid = [lambda z: 1 / (1 + exp(-z))] * 3
    hidden, cell, found = [0.0] * UNITS, [0.0] * UNITS, []
    for row in x.tolist():
        parts = []
        for gate, squash in enumerate([*sigmoid, tanh]):
            for unit in range(UNITS):
                at = gate * UNITS + unit
                z = weights["bias"][at]
                z += sum(row[d] * weights["input"][d, at] for d in range(INPUTS))
                z += sum(hidden[u] * weights["recurrent"][u, at] for u in range(UNITS))
                parts.append(squash(z))
        i, f, o, g = (parts[k * UNITS : (k + 1) * UNITS] for k in range(4))
        cell = [f[u] * cell[u] + i[u] * g[u] for u in range(UNITS)]
        hidden = [o[u] * tanh(cell[u]) for u in range(UNITS)]
        found.append(hidden)
    return np.array(found)


def test_it_goes_forward_as_the_equations_say() -> None:
    weights, _, chance = made()
    x = chance.normal(size=(TICKS, BATCH, INPUTS))
    hidden = lstm.forward(weights, x, lstm.room(TICKS, BATCH, UNITS, float))
    for b in range(BATCH):
        np.testing.assert_allclose(hidden[:, b], by_hand(weights, x[:, b]), rtol=1e-12)


@pytest.mark.parametrize("given", [TICKS, 1], ids=["a row a tick", "the same row each tick"])
def test_its_gradient_is_that_of_differences(given: int) -> None:
    weights, flat, chance = made()
    x = chance.normal(size=(given, BATCH, INPUTS))
    pull = chance.normal(size=(TICKS, BATCH, UNITS))
    kept = lstm.room(TICKS, BATCH, UNITS, float)

    def loss() -> float:
        return float((lstm.forward(weights, x, kept) * pull).sum())

    loss()
    gradient = np.zeros_like(flat)
    wanted = parts(gradient, lstm.shapes(INPUTS, UNITS))
    back = lstm.backward(weights, x, kept, pull, wanted)
    np.testing.assert_allclose(gradient, differences(loss, flat), rtol=1e-6, atol=1e-8)
    found = differences(loss, x.reshape(-1)).reshape(x.shape)
    np.testing.assert_allclose(back, found, rtol=1e-6, atol=1e-8)


def differences(loss, x: Array, step: float = 1e-6) -> Array:
    """The gradient of a function of x (N,), which is changed in place."""
    found = np.zeros_like(x)
    for n in range(len(x)):
        was = x[n]
        x[n] = was + step
        more = loss()
        x[n] = was - step
        found[n] = (more - loss()) / (2 * step)
        x[n] = was
    return found
