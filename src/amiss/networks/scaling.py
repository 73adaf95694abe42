"""Metrics in standard deviations from their mean, as training saw them."""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats

CLIP = 5.0  # deviations: networks are trained on no more, and shown no more
FARTHEST = 1e9  # deviations that are scored; beyond it there is nothing to tell apart
STILL = 1e-9  # of its mean: what moves less in training does not move


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and deviation of F metrics, and how far each may be said to be off.

    A metric that never moved in training has no scale of its own: whatever it does later is
    CLIP deviations, in its direction.
    """

    mean: Floats  # (F,)
    scale: Floats  # (F,)
    most: Floats  # (F,) deviations

    def __call__(self, values: Floats) -> Floats:
        """Values (.., F) -> deviations (.., F). NaN stays."""
        away = (values - self.mean) / self.scale
        found: Floats = np.clip(away, -self.most, self.most)
        return found

    def back(self, away: Array) -> Floats:
        """Deviations (.., F) -> values."""
        found: Floats = self.mean + self.scale * away
        return found


def learn(rows: Floats) -> Scaling:
    """From rows (N, F), in which NaN is unseen and each metric is seen at least once."""
    mean, spread = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
    least = STILL * (1.0 + np.abs(mean))
    moved = spread > least
    return Scaling(mean, np.where(moved, spread, least), np.where(moved, FARTHEST, CLIP))


def shown(away: Floats) -> Array:
    """What a network is shown: no more than CLIP deviations, the mean for what is not there."""
    found: Array = np.nan_to_num(np.clip(away, -CLIP, CLIP)).astype(np.float32)
    return found
