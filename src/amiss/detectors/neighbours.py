"""How far an event is from the nearest of those that were kept.

    score = min_s |a - s|

over 2,048 stored rows s: 1,024 of the sample at random, and the 1,024 of the rest that are farthest
from these, so that what is rare and usual is among them. Condensed so, it is as good as all 16,384
rows at an eighth of the cost; 2,048 rows at random are not.

Knorr and Ng, "Algorithms for mining distance-based outliers", VLDB 1998; the condensing is near
to Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.
"""

import numpy as np

from amiss.data import Array, Floats, State

STORED = 2048
ROWS = 256  # compared at once
LEAST = 1e-6  # squared distance: float32 tells no smaller ones apart


def fit(x: Floats, order: Array, asked: int) -> tuple[State, Floats]:
    """What is stored of a sample (n, D) in this random order; the scores of the first `asked`.

    A row is not its own neighbour. Cost: O(n STORED D) flops.
    """
    x = x.astype(np.float32)
    kept, rest = order[: STORED // 2], order[STORED // 2 :]
    if len(order) > STORED:
        far, _ = nearest(_stored(x[kept]), x[rest])
        kept = np.concatenate([kept, rest[np.argsort(-far, kind="stable")[: STORED - len(kept)]]])
    else:
        kept = order
    place = np.full(len(x), -1)
    place[kept] = np.arange(len(kept))
    state = _stored(x[kept])
    past, _ = nearest(state, x[order[:asked]], place[order[:asked]])
    return state, past


def nearest(state: State, x: Array, itself: Array | None = None) -> tuple[Floats, Array]:
    """Rows (N, D) -> the distance (N,) to the nearest stored row, and which one that is (N,).

    `itself` is where a row is itself stored, or -1. To the last digit where N is always the same.
    """
    distance, which = np.empty(len(x)), np.empty(len(x), np.int64)
    x = x.astype(np.float32)
    own = (x * x).sum(axis=1)
    for at in range(0, len(x), ROWS):
        part = slice(at, at + ROWS)
        away = x[part] @ state["rows"]
        away += state["squares"]
        if itself is not None:
            mine = np.flatnonzero(itself[part] >= 0)
            away[mine, itself[part][mine]] = np.inf
        which[part] = away.argmin(axis=1)
        least = np.take_along_axis(away, which[part, None], axis=1)[:, 0]
        distance[part] = np.sqrt(np.maximum(least + own[part], LEAST))
    return distance, which


def blame(state: State, x: Array, which: Array) -> Floats:
    """The squared differences to these stored rows, column by column (N, D)."""
    stored = state["rows"].T[which] / -2.0
    away: Floats = (x - stored).astype(np.float64) ** 2
    return away


def _stored(rows: Array) -> State:
    """-2 s by column, and |s|^2: one product then gives |a - s|^2 - |a|^2."""
    return {"rows": np.ascontiguousarray(-2.0 * rows.T), "squares": (rows * rows).sum(axis=1)}
