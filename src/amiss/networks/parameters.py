"""Parameters of a network: one array of numbers, and names for its parts."""

from collections.abc import Mapping

import numpy as np

from amiss.data import Array

Shapes = Mapping[str, tuple[int, ...]]
"""The parts of a network's parameters, in the order in which they stand."""
Parts = dict[str, Array]
"""Views of parameters, or of their gradient, by name."""


def count(shapes: Shapes) -> int:
    """How many numbers they are."""
    return sum(int(np.prod(shape)) for shape in shapes.values())


def parts(flat: Array, shapes: Shapes) -> Parts:
    """Views of `flat` (P,) by name: what is written to them is written to it."""
    found, at = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        found[name] = flat[at : at + size].reshape(shape)
        at += size
    return found


def under(prefix: str, shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """The same shapes with names of their own: `first.` + `bias`."""
    return {prefix + name: shape for name, shape in shapes.items()}


def within(prefix: str, found: Parts) -> Parts:
    """The parts whose names begin so, without the beginning."""
    return {name[len(prefix) :]: part for name, part in found.items() if name.startswith(prefix)}


def glorot(chance: np.random.Generator, weights: Array) -> None:
    """Uniform weights that keep the variance of what goes through.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    most = np.sqrt(6.0 / sum(weights.shape))
    weights[:] = chance.uniform(-most, most, weights.shape)


def orthogonal(chance: np.random.Generator, weights: Array) -> None:
    """Weights (rows, columns), rows <= columns, with orthonormal rows, block by square block.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", ICLR 2014.
    """
    side = len(weights)
    for at in range(0, weights.shape[1], side):
        weights[:, at : at + side] = np.linalg.qr(chance.standard_normal((side, side)))[0]
