"""Layers of LSTM and a fully connected output: from the rows so far to the next one.

    forecast = V h + c + a x        h of the last layer; a: a weight of its own for each metric

`a` begins as the correlation of a row with the next, so that the first forecast is already as good
as that of an autoregression, and the layers learn what is left.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from amiss.data import Array
from amiss.networks import lstm
from amiss.networks.parameters import Shapes, glorot, parts, under, within


def shapes(metrics: int, units: Sequence[int]) -> Shapes:
    """The parameters, layer by layer, then those of the output."""
    found: dict[str, tuple[int, ...]] = {}
    width = metrics
    for n, size in enumerate(units):
        found |= under(f"{n}.", lstm.shapes(width, size))
        width = size
    return found | {"weight": (width, metrics), "bias": (metrics,), "last": (metrics,)}


class Forecaster:
    """The network, with room for `batch` windows of `ticks` rows of F metrics.

    `weights` and `gradient` are flat (P,), in the order of `shapes`. `dropout` is the share of what
    leaves a layer that is left out of a step of training.
    """

    def __init__(
        self,
        metrics: int,
        units: Sequence[int],
        ticks: int,
        batch: int,
        *,
        dropout: float = 0.0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.shapes, self.dropout = shapes(metrics, units), dropout
        self.rooms = [lstm.room(ticks, batch, size, dtype) for size in units]
        self.outputs = [np.zeros((ticks, batch, size), dtype) for size in units]
        self.masks = [np.ones((ticks, batch, size), dtype) for size in units]

    def start(self, weights: Array, alike: Array, chance: np.random.Generator) -> None:
        """First weights; `alike` (F,) is how each metric correlates with itself a row later."""
        named = parts(weights, self.shapes)
        for n in range(len(self.rooms)):
            lstm.start(within(f"{n}.", named), chance)
        glorot(chance, named["weight"])
        named["bias"][:], named["last"][:] = 0.0, alike

    def forward(self, weights: Array, x: Array, chance: np.random.Generator | None = None) -> Array:
        """Rows (T, B, F) -> forecasts of each next one (T, B, F); in training with `chance`."""
        named, inputs = parts(weights, self.shapes), x
        for n, kept in enumerate(self.rooms):
            hidden = lstm.forward(within(f"{n}.", named), inputs, kept)
            if chance is not None and self.dropout:
                stays = chance.random(hidden.shape, np.float32) >= self.dropout
                self.masks[n][:] = stays / (1.0 - self.dropout)
                hidden = np.multiply(hidden, self.masks[n], out=self.outputs[n])
            inputs = hidden
        found: Array = inputs @ named["weight"]
        found += named["bias"]
        found += x * named["last"]
        return found

    def backward(self, weights: Array, x: Array, change: Array, gradient: Array) -> None:
        """The gradient of the weights from that of the forecasts (T, B, F), after `forward`."""
        named, wanted = parts(weights, self.shapes), parts(gradient, self.shapes)
        dropped = self.dropout > 0.0
        given = [room.hidden[1:] for room in self.rooms]
        given = self.outputs if dropped else given
        flat = change.reshape(-1, change.shape[2])
        wanted["weight"][:] = given[-1].reshape(len(flat), -1).T @ flat
        wanted["bias"][:] = flat.sum(axis=0)
        wanted["last"][:] = (change * x).sum(axis=(0, 1))
        back = change @ named["weight"].T
        for n in range(len(self.rooms) - 1, -1, -1):
            if dropped:
                back *= self.masks[n]
            own, inputs = within(f"{n}.", named), given[n - 1] if n else x
            back = lstm.backward(own, inputs, self.rooms[n], back, within(f"{n}.", wanted))


def error(forecast: Array, wanted: Array) -> tuple[float, Array]:
    """Mean squared error over what is there (NaN is not), and its gradient (T, B, F)."""
    away = np.nan_to_num(forecast - wanted)
    there = max(int(np.isfinite(wanted).sum()), 1)
    return float((away * away).sum()) / there, away * away.dtype.type(2.0 / there)
