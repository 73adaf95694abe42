"""How few cuts tell this snapshot from the others."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Floats, Frame, Scores, State, measured
from amiss.detecting import trees
from amiss.detecting.trees import LARGEST, average_path

FEWEST = 2  # snapshots that can be told apart


class IsolationForest(Detector):
    """Isolation forest over all metrics of a system at one moment.

    score = 2^(-mean path length / c(n)), between 0 and 1, higher is stranger; no opinion before
    the first fit. A metric that is not there counts as its median, one that the model has not
    seen is left out. Fitting is scikit-learn's, in a worker process; scoring runs on plain
    arrays (detecting/trees.py), O(trees x depth) a snapshot. Blame: distance from the median in
    median deviations.

    Liu, Ting and Zhou, "Isolation forest", ICDM 2008.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 0
    zero: ClassVar[float] = 0.5  # "no distinct anomaly", section 2 of the paper
    shared: ClassVar[frozenset[str]] = frozenset(
        ("names", "median", "spread", "feature", "threshold", "left", "right", "path", "norm")
    )

    type: Literal["isolation_forest"] = "isolation_forest"
    trees: int = Field(100, ge=1, le=5000)
    """How many trees."""
    samples: int = Field(256, ge=2)
    """Snapshots that each tree is grown on, at most."""
    seed: int = Field(0, ge=0)
    """Same seed, same data, same forest."""

    def init(self, series: int, features: int) -> State:
        """No forest yet; nothing is kept of a system."""
        nodes, columns = np.zeros((0, 0), np.int32), np.zeros(0)
        return {
            "names": np.zeros(0, "U1"),
            "median": columns,
            "spread": columns.copy(),
            "feature": nodes,
            "threshold": np.zeros((0, 0)),
            "left": nodes.copy(),
            "right": nodes.copy(),
            "path": np.zeros((0, 0)),
            "norm": np.ones(1),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score each snapshot; the forest learns by `fit` alone."""
        shape = frame.values.shape
        if not len(state["feature"]):
            return state, Scores(frame.time, frame.keys, np.full(shape[:2], np.nan))
        x, away = _snapshots(state, frame)
        seen = np.isfinite(x).any(axis=1)
        filled = np.where(np.isnan(x), state["median"], x)
        scores = np.where(seen, trees.score(state, filled), np.nan)
        blame = np.full(shape, np.nan)
        column = {name: f for f, name in enumerate(frame.features)}
        for i, name in enumerate(state["names"].tolist()):
            if name in column:
                blame[:, :, column[name]] = away[:, i].reshape(shape[:2])
        return state, Scores(frame.time, frame.keys, scores.reshape(shape[:2]), blame=blame)

    def fit(self, state: State, history: Frame) -> State:
        """A new forest from the snapshots of all systems, (T, S, F), in which NaN is unseen.

        The old one stays where there is next to nothing to learn from.
        """
        from sklearn.ensemble import IsolationForest as Forest

        x = measured(history.values).reshape(-1, len(history.features))
        x = x[np.isfinite(x).any(axis=1)]  # not the time before a system joined
        names = np.array(history.features, dtype=str)
        told = np.isfinite(x).sum(axis=0) > len(x) // 2
        x, names = x[:, told], names[told]
        x = np.clip(x[np.isfinite(x).any(axis=1)], -LARGEST, LARGEST)
        if len(x) < FEWEST:
            return state
        median = np.nanmedian(x, axis=0)
        x = np.where(np.isnan(x), median, x)
        most = min(self.samples, len(x))
        forest = Forest(n_estimators=self.trees, max_samples=most, random_state=self.seed).fit(x)
        nodes = max(tree.tree_.node_count for tree in forest.estimators_)
        arrays = {name: np.zeros((self.trees, nodes)) for name in ("threshold", "path")}
        places = {
            name: np.full((self.trees, nodes), -1, np.int32)
            for name in ("feature", "left", "right")
        }
        for i, one in enumerate(forest.estimators_):
            tree, n = one.tree_, one.tree_.node_count
            leaf = tree.children_left == -1
            places["feature"][i, :n] = np.where(leaf, -1, tree.feature)
            places["left"][i, :n], places["right"][i, :n] = tree.children_left, tree.children_right
            arrays["threshold"][i, :n] = tree.threshold
            arrays["path"][i, :n] = _depths(tree) + average_path(tree.n_node_samples)
        spread = 1.4826 * np.median(np.abs(x - median), axis=0)
        return {
            "names": names,
            "median": median,
            "spread": np.maximum(spread, 1e-9 + 1e-3 * np.abs(median)),
            **places,
            **arrays,
            "norm": average_path(np.array([most])),
        }


def _snapshots(state: State, frame: Frame) -> tuple[Floats, Floats]:
    """The frame's metrics in the order of the model (T S, F), and how far each is from usual."""
    column = {name: f for f, name in enumerate(frame.features)}
    values = measured(frame.values)
    x = np.full((*values.shape[:2], len(state["names"])), np.nan)
    for i, name in enumerate(state["names"].tolist()):
        if name in column:
            x[:, :, i] = values[:, :, column[name]]
    flat = x.reshape(-1, len(state["names"]))
    return flat, np.abs(flat - state["median"]) / state["spread"]


def _depths(tree: Any) -> Floats:
    """The number of cuts above each node."""
    left, right = tree.children_left, tree.children_right
    depth = np.zeros(len(left))
    for node in range(len(left)):  # children come after their parents
        for child in (left[node], right[node]):
            if child != -1:
                depth[child] = depth[node] + 1.0
    return depth
