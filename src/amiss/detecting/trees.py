"""Isolation trees as plain arrays: how few splits at random set a row apart from a sample.

    score = 2^(-mean depth / c(n)),   c(n) = 2 (ln(n - 1) + .5772) - 2 (n - 1) / n

for a subsample of n rows; c(2) = 1, c(1) = 0. Each tree splits one at a random value of a random
column until a row is alone or the tree is log2(n) deep, where c of those that are left is added.
What a score ranks by is mass: a value that 5 % of the sample share stays near, one that none has
comes away at once, but no further than that. So a kind of row that is new is not more strange than
one that is rare, and what comes often is soon usual.

A forest is five columns over (trees, nodes): `feature`, -1 at a leaf; `threshold`; `left`, where
a value is at most that; `right`; and `path`, the depth, with that of what a leaf still holds. And
`norm`, c(n). Trees that were grown elsewhere are scored by the same walk (scikit-learn's are, in
detectors/isolation_forest.py). Values are compared as float32, as they are there.
Liu, Ting and Zhou, "Isolation forest", ICDM 2008.
"""

from math import log2

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel

TREES, SAMPLES = 100, 256
EULER = 0.5772156649015329
LARGEST = 3e38  # of a float32
SEED = 0


def grow(rows: Floats) -> State:
    """A forest over (N, F) finite numbers; the same for the same rows.

    Trees are heaps: the children of node i are 2 i + 1 and 2 i + 2. Cost: 20 ms for 8 columns.
    """
    rng = np.random.default_rng(SEED)
    size = min(SAMPLES, len(rows))
    depth = max(1, int(np.ceil(log2(max(size, 2)))))
    nodes = 2 ** (depth + 1) - 1
    feature = np.full((TREES, nodes), -1, np.int32)
    threshold, path = np.zeros((TREES, nodes)), np.zeros((TREES, nodes))
    usual = average_path(np.arange(size + 1))
    for tree in range(TREES):
        some = _narrow(rows[rng.choice(len(rows), size, replace=False)])
        draws = rng.random((nodes, 2))
        _grow(some, draws, depth, usual, feature[tree], threshold[tree], path[tree])
    child = np.tile(2 * np.arange(nodes, dtype=np.int32) + 1, (TREES, 1))
    return {
        "feature": feature,
        "threshold": threshold,
        "left": child,
        "right": child + np.int32(1),
        "path": path,
        "norm": usual[-1:],
    }


def score(forest: State, rows: Floats) -> Floats:
    """(N, F) finite numbers -> (N,), in (0, 1), the larger the stranger. Cost: 5 us a row."""
    return _strange(forest, mean(forest, rows))


def mean(forest: State, rows: Floats) -> Floats:
    """(N, F) finite numbers -> (N,), the mean over the trees of `path` where they end."""
    found = np.empty(len(rows))
    _paths(_narrow(rows), *_walked(forest), forest["path"], found)
    return found


def moved(forest: State, rows: Floats) -> Floats:
    """(N, F) finite numbers -> (N, F): by how much the cuts of each column moved that mean."""
    found = np.zeros(rows.shape)
    _moved(_narrow(rows), *_walked(forest), forest["path"], found)
    return found


def leaves(forest: State, rows: Floats) -> Array:
    """(N, F) finite numbers -> the leaf of each tree that a row falls in (N, trees)."""
    found = np.empty((len(rows), len(forest["feature"])), np.int16)
    _leaves(_narrow(rows), *_walked(forest), found)
    return found


def score_leaves(forest: State, found: Array) -> Floats:
    """What `score` says of rows in these leaves (N, trees) -> (N,)."""
    each = forest["path"][np.arange(found.shape[1]), found]
    return _strange(forest, each.mean(axis=1))


def average_path(samples: Array) -> Floats:
    """c(n): mean length of an unsuccessful search in a binary tree of n samples."""
    n = np.asarray(samples, float)
    more = np.maximum(n, 3.0)
    long = 2.0 * (np.log(more - 1.0) + EULER) - 2.0 * (more - 1.0) / more
    found: Floats = np.select([n <= 1, n == 2], [0.0, 1.0], long)
    return found


def _strange(forest: State, mean: Floats) -> Floats:
    found: Floats = np.exp2(-mean / max(float(forest["norm"][0]), 1.0))
    return found


def _narrow(rows: Floats) -> Array:
    return np.clip(rows, -LARGEST, LARGEST).astype(np.float32)


def _walked(forest: State) -> tuple[Array, Array, Array, Array]:
    return forest["feature"], forest["threshold"], forest["left"], forest["right"]


@kernel
def _grow(
    rows: Array,
    draws: Array,
    depth: int,
    usual: Array,
    feature: Array,
    threshold: Array,
    path: Array,
) -> None:
    where = np.zeros(len(rows), np.int64)  # the node that each row is in
    low, high = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    for node in range(len(feature)):
        level = int(log2(node + 1.0))
        held = _span(rows, where, node, low, high)
        path[node] = level + usual[held]
        j = _drawn(low, high, draws[node, 0]) if held > 1 and level < depth else -1
        feature[node] = j
        if j < 0:
            continue
        threshold[node] = low[j] + draws[node, 1] * (high[j] - low[j])
        for r in range(len(rows)):
            if where[r] == node:
                where[r] = 2 * node + (1 if rows[r, j] <= threshold[node] else 2)


@kernel
def _span(rows: Array, where: Array, node: int, low: Array, high: Array) -> int:
    """The least and the largest of each column in a node; how many rows it has."""
    held = 0
    low[:], high[:] = np.inf, -np.inf
    for r in range(len(rows)):
        if where[r] == node:
            held += 1
            for j in range(len(low)):
                low[j], high[j] = min(low[j], rows[r, j]), max(high[j], rows[r, j])
    return held


@kernel
def _drawn(low: Array, high: Array, draw: float) -> int:
    """One of the columns that vary, -1 if none does."""
    left = int(draw * (high > low).sum())
    for j in range(len(low)):
        if high[j] > low[j]:
            if left == 0:
                return j
            left -= 1
    return -1


@kernel
def _paths(
    rows: Array,
    feature: Array,
    threshold: Array,
    left: Array,
    right: Array,
    path: Array,
    out: Array,
) -> None:
    out[:] = 0.0
    for t in range(len(feature)):  # one tree stays in the cache
        for r in range(len(rows)):
            node = 0
            while feature[t, node] >= 0:
                below = rows[r, feature[t, node]] <= threshold[t, node]
                node = left[t, node] if below else right[t, node]
            out[r] += path[t, node]
    out /= len(feature)


@kernel
def _moved(
    rows: Array,
    feature: Array,
    threshold: Array,
    left: Array,
    right: Array,
    path: Array,
    out: Array,
) -> None:
    for t in range(len(feature)):
        for r in range(len(rows)):
            node = 0
            while feature[t, node] >= 0:
                j = feature[t, node]
                child = left[t, node] if rows[r, j] <= threshold[t, node] else right[t, node]
                out[r, j] += (path[t, child] - path[t, node]) / len(feature)
                node = child


@kernel
def _leaves(
    rows: Array, feature: Array, threshold: Array, left: Array, right: Array, out: Array
) -> None:
    for t in range(len(feature)):
        for r in range(len(rows)):
            node = 0
            while feature[t, node] >= 0:
                below = rows[r, feature[t, node]] <= threshold[t, node]
                node = left[t, node] if below else right[t, node]
            out[r, t] = node
