"""How networks that give windows of rows back are trained."""

from typing import Protocol

import numpy as np

from amiss.data import Array
from amiss.networks.parameters import Shapes, count
from amiss.networks.rows import evenly
from amiss.networks.training import train

CHECKED = 512  # windows held out that are looked at, at most


class Network(Protocol):
    """What is trained: weights and gradients are flat (P,), a batch has always the same size."""

    @property
    def shapes(self) -> Shapes:
        """The parts of the weights."""

    def start(self, weights: Array, chance: np.random.Generator) -> None:
        """First weights."""

    def forward(self, weights: Array, x: Array) -> Array:
        """Inputs (B, D) -> outputs (B, W K)."""

    def backward(self, weights: Array, x: Array, change: Array, gradient: Array) -> None:
        """The gradient from that of the outputs, after `forward`."""


def trained(
    network: Network,
    rows: Array,
    windows: tuple[Array, Array],
    weight: Array,
    *,
    edge: int,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
) -> tuple[Array, Array]:
    """Weights (P,) that give windows of W rows back, from what is `edge` rows inside of them.

    `rows` (N, K) float32; `windows` the rows at which those to train on and those to check with
    begin; `weight` (W,) how much the error of each place counts. Also how training went, as
    `train` says it: mean squared errors, so weighed. Cost: O(steps batch P).
    """
    chance = np.random.default_rng(seed)
    length, width = len(weight), rows.shape[1]
    weights = np.empty(count(network.shapes), np.float32)
    network.start(weights, chance)
    counts = np.repeat(weight / width, width)
    pull = (2.0 * counts / batch).astype(np.float32)

    def away(begin: Array) -> tuple[Array, Array]:
        whole = rows[begin[:, None] + np.arange(length)]
        inner = whole[:, edge : length - edge].reshape(batch, -1)
        return inner, network.forward(weights, inner) - whole.reshape(batch, -1)

    def learn(begin: Array, gradient: Array) -> float:
        inner, change = away(begin)
        missed = float(((change**2) @ counts).mean())
        change *= pull
        network.backward(weights, inner, change, gradient)
        return missed

    def check() -> float:
        errors = (away(part)[1] for part in np.split(looked, len(looked) // batch))
        return sum(float(((error**2) @ counts).sum()) for error in errors) / len(looked)

    looked = evenly(windows[1], max(CHECKED // batch, 1) * batch)
    curve = train(
        weights, learn, check if len(looked) else None, chance,
        windows=windows[0], steps=steps, batch=batch, rate=rate,
    )  # fmt: skip
    return weights, curve
