"""A layer of long short-term memory: forward, and backward through time.

    i, f, o = sigmoid(x W + h R + b)    input, forget and output gate
    g = tanh(x W + h R + b)             candidate
    c' = f c + i g,   h' = o tanh c'

Time comes first: (T, B, ..) for B sequences of T ticks. The four parts lie side by side in the
order i, f, o, g, so that one tanh does them all: sigmoid z = (1 + tanh(z / 2)) / 2.
Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 1997; forget gate: Gers,
Schmidhuber and Cummins, "Learning to forget", 2000.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from amiss.data import Array
from amiss.networks.parameters import Parts, glorot, orthogonal


def shapes(inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """The parameters of a layer."""
    return {"input": (inputs, 4 * units), "recurrent": (units, 4 * units), "bias": (4 * units,)}


def start(weights: Parts, chance: np.random.Generator) -> None:
    """First weights; a forget gate begins open (Jozefowicz and others, ICML 2015)."""
    units = len(weights["recurrent"])
    glorot(chance, weights["input"])
    orthogonal(chance, weights["recurrent"])
    weights["bias"][:] = 0.0
    weights["bias"][units : 2 * units] = 1.0


@dataclass(frozen=True, slots=True)
class Room:
    """What a forward pass leaves for the backward pass; made once, used for every batch."""

    gates: Array  # (T, B, 4 units) i, f, o, g
    cell: Array  # (T + 1, B, units), the first is where it begins
    squashed: Array  # (T, B, units) tanh of the cell
    hidden: Array  # (T + 1, B, units)
    change: Array  # (T, B, 4 units) gradient of what goes into the gates


def room(ticks: int, batch: int, units: int, dtype: DTypeLike = np.float32) -> Room:
    """Room for `batch` sequences, which begin with nothing in memory."""

    def zeros(n: int, width: int) -> Array:
        return np.zeros((n, batch, width), dtype)

    return Room(
        zeros(ticks, 4 * units),
        zeros(ticks + 1, units),
        zeros(ticks, units),
        zeros(ticks + 1, units),
        zeros(ticks, 4 * units),
    )


def forward(weights: Parts, x: Array, kept: Room) -> Array:
    """Inputs (T, B, D) -> hidden states (T, B, units), a view of `kept`.

    An x of one tick is the input of all ticks. Cost: O(T B units (D + units)).
    """
    units = len(weights["recurrent"])
    ticks, batch, width = kept.gates.shape
    if len(x) == ticks:
        rows = kept.gates.reshape(ticks * batch, width)
        np.matmul(x.reshape(ticks * batch, -1), weights["input"], out=rows)
        kept.gates[:] += weights["bias"]
    else:
        kept.gates[:] = x[0] @ weights["input"] + weights["bias"]
    half = kept.gates.dtype.type(0.5)
    for t in range(ticks):
        z, cell = kept.gates[t], kept.cell[t + 1]
        z += kept.hidden[t] @ weights["recurrent"]
        opening = z[:, : 3 * units]
        opening *= half
        np.tanh(z, out=z)
        opening *= half
        opening += half
        np.multiply(z[:, units : 2 * units], kept.cell[t], out=cell)
        cell += z[:, :units] * z[:, 3 * units :]
        np.tanh(cell, out=kept.squashed[t])
        np.multiply(z[:, 2 * units : 3 * units], kept.squashed[t], out=kept.hidden[t + 1])
    return kept.hidden[1:]


def backward(weights: Parts, x: Array, kept: Room, dhidden: Array, gradient: Parts) -> Array:
    """Gradient of the hidden states (T, B, units) -> that of x, and of the weights to `gradient`.

    To be called after `forward` with the same x.
    """
    units = len(weights["recurrent"])
    ticks, batch, width = kept.gates.shape
    later, memory = np.zeros_like(kept.hidden[0]), np.zeros_like(kept.cell[0])
    back = np.ascontiguousarray(weights["recurrent"].T)
    for t in range(ticks - 1, -1, -1):
        z, change, squashed = kept.gates[t], kept.change[t], kept.squashed[t]
        i, f, o, g = (z[:, at : at + units] for at in range(0, width, units))
        later += dhidden[t]
        memory += later * o * (1 - squashed * squashed)
        change[:, :units] = memory * g * i * (1 - i)
        change[:, units : 2 * units] = memory * kept.cell[t] * f * (1 - f)
        change[:, 2 * units : 3 * units] = later * squashed * o * (1 - o)
        change[:, 3 * units :] = memory * i * (1 - g * g)
        memory *= f
        np.matmul(change, back, out=later)
    rows = kept.change.reshape(ticks * batch, width)
    before = kept.hidden[:-1].reshape(ticks * batch, units)
    np.matmul(before.T, rows, out=gradient["recurrent"])
    np.sum(rows, axis=0, out=gradient["bias"])
    if len(x) == ticks:
        np.matmul(x.reshape(ticks * batch, -1).T, rows, out=gradient["input"])
        return np.asarray((rows @ weights["input"].T).reshape(x.shape))
    total = kept.change.sum(axis=0)
    np.matmul(x[0].T, total, out=gradient["input"])
    return np.asarray((total @ weights["input"].T)[None])
