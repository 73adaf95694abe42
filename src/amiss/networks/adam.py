"""Adam: steps along a running mean of gradients, over the root of that of their squares."""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array

MEAN, SQUARE = 0.9, 0.999  # what is kept of the running means at each step
LEAST = 1e-8
LONGEST = 1.0  # of a gradient: one of a steep place is cut to it


@dataclass(slots=True)
class Adam:
    """The memory of an optimiser of parameters (P,). Cost: O(P) a step.

    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015; long gradients are cut
    as in Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013.
    """

    mean: Array
    square: Array
    spare: Array
    steps: int = 0

    @classmethod
    def of(cls, weights: Array) -> "Adam":
        """One that has not moved yet."""
        return cls(np.zeros_like(weights), np.zeros_like(weights), np.empty_like(weights))

    def step(self, weights: Array, gradient: Array, rate: float) -> None:
        """Move the weights; the gradient is used up."""
        kind = weights.dtype.type
        self.steps += 1
        length = float(np.sqrt(gradient @ gradient))
        if length > LONGEST:
            gradient *= kind(LONGEST / length)
        np.subtract(gradient, self.mean, out=self.spare)
        self.spare *= kind(1.0 - MEAN)
        self.mean += self.spare
        gradient *= gradient
        gradient -= self.square
        gradient *= kind(1.0 - SQUARE)
        self.square += gradient
        unbiased = np.sqrt(1.0 - SQUARE**self.steps)
        np.sqrt(self.square, out=self.spare)
        self.spare += kind(LEAST * unbiased)
        np.divide(self.mean, self.spare, out=self.spare)
        self.spare *= kind(rate * unbiased / (1.0 - MEAN**self.steps))
        weights -= self.spare
