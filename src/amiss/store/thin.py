"""Fewer points for the same picture."""

import numpy as np

from amiss.data import Array, Floats
from amiss.store.chunks import Points


def thin(found: Points, points: int) -> Points:
    """About so many rows: the ends, and the extremes of value and score of each stretch."""
    n = len(found)
    if n <= points:
        return found
    edges = np.linspace(0, n, max((points - 2) // 3, 1) + 1).astype(int)[:-1]
    bucket = np.repeat(np.arange(len(edges)), np.diff(np.append(edges, n)))
    kept = [
        _first_of(bucket, np.nan_to_num(extreme, nan=-np.inf))
        for extreme in (found.value, -found.value, found.score)
    ]
    return found[np.unique(np.concatenate([*kept, [0, n - 1]]))]


def _first_of(bucket: Array, x: Floats) -> Array:
    """The row of the largest x in each bucket."""
    order = np.lexsort((-x, bucket))
    return order[np.unique(bucket[order], return_index=True)[1]]
