"""Metrics that go together as a few components: what windows of networks are made of."""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats
from amiss.networks.scaling import CLIP

LEAST = 1e-6  # variance of a component that there is


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components of F metrics, K of them, each with a variance of one.

    Jolliffe, "Principal component analysis", 2002. NaN is not known here.
    """

    into: Floats  # (F, K)
    out: Floats  # (K, F)

    def __call__(self, shown: Array) -> Array:
        """Deviations (.., F) -> components (.., K), no further than networks are shown."""
        found: Array = np.clip(shown @ self.into, -CLIP, CLIP)
        return found

    def back(self, components: Array) -> Array:
        """Components (.., K) -> deviations (.., F)."""
        found: Array = components @ self.out
        return found


def principal(shown: Array, most: int) -> Components:
    """The components of rows (N, F) with the most variance. Cost: O(N F^2 + F^3)."""
    rows = shown.astype(np.float64)
    rows -= rows.mean(axis=0)
    variance, direction = np.linalg.eigh(rows.T @ rows / max(len(rows), 1))
    variance, direction = variance[::-1][:most], direction[:, ::-1][:, :most]
    kept = max(int((variance > LEAST).sum()), 1)
    size = np.sqrt(np.maximum(variance[:kept], LEAST))
    return Components(direction[:, :kept] / size, direction[:, :kept].T * size[:, None])
