"""The network that forecasts: its gradient, and that serving says what training saw."""

import numpy as np
import pytest

from amiss.data import Array
from amiss.networks.forecaster import Forecaster, error
from amiss.networks.parameters import count
from amiss.networks.stateful import follow

TICKS, BATCH, METRICS = 5, 4, 3


def made(units: tuple[int, ...], dtype: type = float, **said: float) -> tuple[Forecaster, Array]:
    network = Forecaster(METRICS, units, TICKS, BATCH, dtype=dtype, **said)
    weights = np.empty(count(network.shapes), dtype)
    network.start(weights, np.array([0.9, 0.1, -0.3]), np.random.default_rng(1))
    return network, weights


@pytest.mark.parametrize("units", [(3,), (4, 2), (2, 3, 4)])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_its_gradient_is_that_of_differences(units: tuple[int, ...], dropout: float) -> None:
    """With a part left out, the same part each time."""
    network, weights = made(units, dropout=dropout)
    chance = np.random.default_rng(2)
    x, wanted = chance.normal(size=(2, TICKS, BATCH, METRICS))
    wanted[1, 2], wanted[:, 0, 1] = np.nan, np.nan

    def forecast() -> Array:
        return network.forward(weights, x, np.random.default_rng(3))

    _, change = error(forecast(), wanted)
    gradient = np.full_like(weights, np.nan)
    network.backward(weights, x, change, gradient)
    found = np.zeros_like(weights)
    for n, was in enumerate(weights.tolist()):
        ends = []
        for step in (1e-6, -1e-6):
            weights[n] = was + step
            ends.append(error(forecast(), wanted)[0])
        weights[n], found[n] = was, (ends[0] - ends[1]) / 2e-6
    np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-8)


def test_what_is_not_there_pulls_nothing() -> None:
    loss, change = error(np.ones((1, 1, 2)), np.array([[[np.nan, 3.0]]]))
    assert loss == 4.0
    assert change.tolist() == [[[0.0, -4.0]]]
    assert error(np.ones((1, 1, 1)), np.full((1, 1, 1), np.nan))[0] == 0.0


def test_going_on_from_row_to_row_is_going_through_the_window() -> None:
    units = (4, 2)
    network, weights = made(units, np.float32)
    x = np.random.default_rng(5).normal(size=(TICKS, BATCH, METRICS)).astype(np.float32)
    ahead = network.forward(weights, x)
    cells = np.zeros((2, BATCH, sum(units)), np.float32)
    next_one = np.zeros((BATCH, METRICS), np.float32)
    said = np.empty((TICKS, BATCH, METRICS), np.float32)
    seen, first = np.ones((TICKS, BATCH), bool), np.zeros((TICKS, BATCH), bool)
    first[0] = True
    follow(x, seen, first, weights, np.array(units), *cells, next_one, said)
    assert np.isnan(said[0]).all()
    np.testing.assert_allclose(said[1:], ahead[:-1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(next_one, ahead[-1], rtol=1e-5, atol=1e-6)
