"""Two layers of LSTM one after the other, each read from both ends: a window from its middle.

The last states of the first layer, from either end, are all that the second is told, at each of
its W ticks; what it says at a tick, both ways, is made a row by one fully connected layer.
Wong and others, "AER: auto-encoder with regression for time series anomaly detection", 2022.
"""

import numpy as np
from numpy.typing import DTypeLike

from amiss.data import Array
from amiss.networks import lstm
from amiss.networks.parameters import glorot, parts, under, within


class Bidirectional:
    """The network, with room for `batch` windows of W rows of K columns."""

    def __init__(
        self, window: int, width: int, units: int, batch: int, dtype: DTypeLike = np.float32
    ) -> None:
        self.window, self.width, self.units, self.batch = window, width, units, batch
        layers = [lstm.shapes(width, units)] * 2 + [lstm.shapes(2 * units, units)] * 2
        self.shapes = {"weight": (2 * units, width), "bias": (width,)}
        for n, shapes in enumerate(layers):
            self.shapes |= under(f"{n}.", shapes)
        ticks = (window - 2, window - 2, window, window)
        self.rooms = [lstm.room(n, batch, units, dtype) for n in ticks]
        self.said = np.empty((window, batch, 2 * units), dtype)

    def start(self, weights: Array, chance: np.random.Generator) -> None:
        """First weights (P,)."""
        named = parts(weights, self.shapes)
        glorot(chance, named["weight"])
        named["bias"][:] = 0.0
        for n in range(len(self.rooms)):
            lstm.start(within(f"{n}.", named), chance)

    def forward(self, weights: Array, x: Array) -> Array:
        """Inner rows (B, (W - 2) K) -> whole windows (B, W K)."""
        named, units = parts(weights, self.shapes), self.units
        for n, rows in enumerate(self._both(x)):
            lstm.forward(within(f"{n}.", named), rows, self.rooms[n])
        code = self._code()
        for n in (2, 3):
            lstm.forward(within(f"{n}.", named), code, self.rooms[n])
        self.said[:, :, :units] = self.rooms[2].hidden[1:]
        self.said[:, :, units:] = self.rooms[3].hidden[:0:-1]
        rows = self.said @ named["weight"] + named["bias"]
        return np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(self.batch, -1)

    def backward(self, weights: Array, x: Array, change: Array, gradient: Array) -> None:
        """The gradient of the weights (P,) from that of the windows, after `forward`."""
        named, wanted, units = (
            parts(weights, self.shapes),
            parts(gradient, self.shapes),
            self.units,
        )
        pull = change.reshape(self.batch, self.window, self.width).transpose(1, 0, 2)
        flat = np.ascontiguousarray(pull).reshape(-1, self.width)
        wanted["weight"][:] = self.said.reshape(len(flat), -1).T @ flat
        wanted["bias"][:] = flat.sum(axis=0)
        back = (flat @ named["weight"].T).reshape(self.said.shape)
        code, told = self._code(), np.zeros((self.batch, 2 * units), change.dtype)
        for n, hidden in ((2, back[:, :, :units]), (3, back[::-1, :, units:])):
            own = within(f"{n}.", named), code, self.rooms[n], hidden, within(f"{n}.", wanted)
            told += lstm.backward(*own)[0]
        for n, rows in enumerate(self._both(x)):
            hidden = np.zeros_like(self.rooms[n].hidden[1:])
            hidden[-1] = told[:, n * units : (n + 1) * units]
            own = within(f"{n}.", named), rows, self.rooms[n], hidden, within(f"{n}.", wanted)
            lstm.backward(*own)

    def _both(self, x: Array) -> tuple[Array, Array]:
        """The rows of windows (T, B, K) from either end."""
        rows = np.ascontiguousarray(x.reshape(self.batch, -1, self.width).transpose(1, 0, 2))
        return rows, np.ascontiguousarray(rows[::-1])

    def _code(self) -> Array:
        """What the first layer ends with (1, B, 2 units)."""
        return np.concatenate([room.hidden[-1] for room in self.rooms[:2]], axis=1)[None]
