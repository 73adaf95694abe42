"""Fully connected layers, all but the last followed by max(0, x): forward and backward."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from amiss.data import Array
from amiss.networks.parameters import Shapes, glorot, parts


def shapes(sizes: Sequence[int]) -> Shapes:
    """The parameters of layers between vectors of these lengths, from input to output."""
    found: dict[str, tuple[int, ...]] = {}
    for n, (given, wanted) in enumerate(pairwise(sizes)):
        found |= {f"{n}.weight": (given, wanted), f"{n}.bias": (wanted,)}
    return found


def forward(weights: Array, sizes: Sequence[int], x: Array) -> Array:
    """Inputs (N, first size) -> outputs (N, last size). Weights (P,)."""
    named = parts(weights, shapes(sizes))
    for n in range(len(sizes) - 1):
        x = x @ named[f"{n}.weight"]
        x += named[f"{n}.bias"]
        if n < len(sizes) - 2:
            np.maximum(x, 0, out=x)
    return x


class Dense:
    """The same with room for a batch, to be trained."""

    def __init__(self, sizes: Sequence[int], batch: int, dtype: DTypeLike = np.float32) -> None:
        self.sizes, self.shapes = sizes, shapes(sizes)
        self.rooms = [np.empty((batch, size), dtype) for size in sizes[1:]]
        self.backs = [np.empty((batch, size), dtype) for size in sizes[1:-1]]

    def start(self, weights: Array, chance: np.random.Generator) -> None:
        """First weights (P,)."""
        named = parts(weights, self.shapes)
        for n in range(len(self.rooms)):
            glorot(chance, named[f"{n}.weight"])
            named[f"{n}.bias"][:] = 0.0

    def forward(self, weights: Array, x: Array) -> Array:
        """Inputs (B, first size) -> outputs (B, last size), which stay until the next call."""
        named, last = parts(weights, self.shapes), len(self.rooms) - 1
        for n, room in enumerate(self.rooms):
            np.matmul(x, named[f"{n}.weight"], out=room)
            np.add(room, named[f"{n}.bias"], out=room)
            if n < last:
                np.maximum(room, 0, out=room)
            x = room
        return x

    def backward(self, weights: Array, x: Array, change: Array, gradient: Array) -> None:
        """The gradient of the weights (P,) from that of the outputs, after `forward`."""
        named, wanted = parts(weights, self.shapes), parts(gradient, self.shapes)
        for n in range(len(self.rooms) - 1, -1, -1):
            given = self.rooms[n - 1] if n else x
            np.matmul(given.T, change, out=wanted[f"{n}.weight"])
            np.sum(change, axis=0, out=wanted[f"{n}.bias"])
            if n:
                back = np.matmul(change, named[f"{n}.weight"].T, out=self.backs[n - 1])
                back *= given > 0
                change = back
