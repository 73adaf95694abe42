"""Between the metrics of a frame and those of a model, which go by name."""

from collections.abc import Sequence

import numpy as np

from amiss.data import Array, Floats


def taken(values: Array, features: Sequence[str], names: Sequence[str]) -> Array:
    """Columns (T, S, features) -> (T, S, names), NaN where a metric is not there."""
    column = {name: f for f, name in enumerate(features)}
    pairs = [(i, column[name]) for i, name in enumerate(names) if name in column]
    found = np.full((*values.shape[:2], len(names)), np.nan, values.dtype)
    found[:, :, [i for i, _ in pairs]] = values[:, :, [f for _, f in pairs]]
    return found


def observed(values: Floats) -> Array:
    """Whether anything of a system is there (T, S), of (T, S, F)."""
    return np.asarray(np.isfinite(values).any(axis=2))


def share(square: Floats) -> tuple[Floats, Floats]:
    """Squared errors (T, S, F) -> their mean over the metrics (T, S), and what each adds to it.

    NaN is not counted; the mean of nothing is NaN.
    """
    there = np.isfinite(square).sum(axis=2)
    blame = square / np.maximum(there, 1)[:, :, None]
    mean: Floats = np.where(there > 0, np.nan_to_num(blame).sum(axis=2), np.nan)
    return mean, blame
