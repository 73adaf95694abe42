"""How likely a snapshot is one of those that somebody called suspicious."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State, measured
from amiss.detecting import snapshots, trees
from amiss.errors import StateError

LEAST = 10  # labelled snapshots of each kind
MOST = 20_000  # that are learned from
HELD = 5  # one in so many, the latest of each kind, is kept to calibrate on
GROWN = 4_096  # that each tree is grown on
CERTAIN = 1e-6  # of a forest: no probability is nearer to 0 or 1 before it is calibrated
STEEPEST = 50.0  # log-odds


class Classifier(Detector):
    """Normal or suspicious, learned from snapshots that are labelled: all metrics of a system.

    score = ln(1 + e^v) = -ln(1 - P), v = a u + b, P = 1 / (1 + e^-v): the probability that it is
    suspicious, among moments such as those it learned from. `confidence` gives P back. No opinion
    before the first fit.

    Labels are a metric of the history, called `label`: above 0 is suspicious, 0 is normal, and what
    has none is not learned from. It is read in fitting alone, never to score. u is the log-odds of
    a random forest, or of a logistic regression on asinh of the metrics; each class weighs the
    same unless `weight` says otherwise. Both are fitted, by scikit-learn in a worker process, on
    the first four fifths by time of each kind, at most 20,000 snapshots, the normal ones thinned
    first, and each tree on at most 4,096 of these; a and b on the rest of them, which the model had
    not seen and which are as frequent as they come. Metrics are standardised, a missing one is its
    median (detecting/snapshots.py).

    Blame: how much each metric moved u, or the mean of the trees, towards suspicious. Scoring:
    O(trees x depth) a snapshot, on plain arrays (detecting/trees.py). Breiman, "Random forests",
    2001; Platt, "Probabilistic outputs for support vector machines", 1999, with his targets; paths
    are blamed as in Palczewska and others, "Interpreting random forest classification models",
    2013.
    """

    joint: ClassVar[bool] = True
    labelled: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 0
    shared: ClassVar[frozenset[str]] = snapshots.NAMES | {
        "feature", "threshold", "left", "right", "path", "weights", "platt",
    }  # fmt: skip

    type: Literal["classifier"] = "classifier"
    label: str = Field(min_length=1, examples=["suspicious"])
    """The metric that says which moments were suspicious: above 0 is, 0 is not; or `feedback`: what
    people said of incidents."""
    kind: Literal["forest", "logistic"] = "forest"
    """A random forest, or a logistic regression."""
    trees: int = Field(100, ge=1, le=1000)
    """Of a forest: how many trees."""
    weight: float | None = Field(None, gt=0, le=1e6)
    """What a suspicious sample weighs, a normal one being 1; both kinds the same in all if it is
    not said."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Same seed, same data, same model."""

    def init(self, series: int, features: int) -> State:
        """Nothing learned yet; nothing is kept of a system."""
        nodes, wide = np.zeros((0, 0), np.int32), np.zeros((0, 0))
        return snapshots.nothing() | {
            "feature": nodes,
            "threshold": wide,
            "left": nodes.copy(),
            "right": nodes.copy(),
            "path": wide.copy(),
            "weights": np.zeros(0),
            "platt": np.zeros(2),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score each snapshot; what is suspicious is learned by `fit` alone."""
        shape = frame.values.shape[:2]
        if not len(state["names"]):
            return state, Scores(frame.time, frame.keys, np.full(shape, np.nan))
        rows, seen = snapshots.rows_of(state, frame)
        u, moved = _odds(state, rows)
        a, b = state["platt"].tolist()
        scores = np.where(seen, np.logaddexp(0.0, a * u + b), np.nan).reshape(shape)
        away = np.where(seen[:, None], np.maximum(moved, 0.0), np.nan)
        blame = snapshots.blame_of(state, away, frame)
        return state, Scores(frame.time, frame.keys, scores, blame=blame)

    def confidence(self, scores: Floats) -> Floats:
        """P, the probability that it is suspicious."""
        return -np.expm1(-scores)

    def fit(self, state: State, history: Frame) -> State:
        """A new model from the labelled snapshots of all systems, (T, S, F); NaN is unseen.

        Raises StateError if there are fewer than ten of either kind.
        """
        known, x, which = snapshots.learn(history, without=self.label)
        y = self._labels(history)[which]
        x, y = x[np.isfinite(y)], y[np.isfinite(y)]
        suspicious, normal = np.flatnonzero(y > 0), np.flatnonzero(y <= 0)
        if min(len(suspicious), len(normal)) < LEAST:
            raise StateError(
                f"classifier: of {len(y)} samples with a label {len(suspicious)} are suspicious "
                f"and {len(normal)} normal; it learns from both, and needs {LEAST} of each"
            )
        first = [rows[: len(rows) - len(rows) // HELD] for rows in (suspicious, normal)]
        held = [rows[len(rows) - len(rows) // HELD :] for rows in (suspicious, normal)]
        some = first[0][snapshots.evenly(len(first[0]), MOST // 2)]
        others = first[1][snapshots.evenly(len(first[1]), MOST - len(some))]
        rows = np.sort(np.concatenate([some, others]))
        said = self.weight or len(others) / len(some)
        fitted = self._forest if self.kind == "forest" else self._logistic
        bad, late = y[rows] > 0, np.sort(np.concatenate(held))
        found = self.init(0, 0) | known | fitted(x[rows], bad, np.where(bad, said, 1.0))
        return found | {"platt": platt(_odds(found, x[late])[0], y[late] > 0)}

    def _labels(self, history: Frame) -> Floats:
        """(T S,), NaN where it is not said."""
        if self.label not in history.features:
            raise StateError(
                f"classifier: the history has no metric {self.label!r}, which is to say what was "
                "suspicious"
            )
        return measured(history.column(self.label)).reshape(-1)

    def _forest(self, x: Floats, y: Array, weight: Floats) -> State:
        from sklearn.ensemble import RandomForestClassifier

        model = RandomForestClassifier(
            self.trees,
            min_samples_leaf=5,
            max_samples=min(GROWN, len(x)),
            random_state=self.seed,
        )
        grown = [one.tree_ for one in model.fit(_narrow(x), y, weight).estimators_]
        nodes = max(tree.node_count for tree in grown)
        wide: dict[str, Array] = {
            name: np.full((len(grown), nodes), -1, np.int32)
            for name in ("feature", "left", "right")
        }
        wide |= {name: np.zeros((len(grown), nodes)) for name in ("threshold", "path")}
        for i, tree in enumerate(grown):
            _flatten(tree, {name: array[i] for name, array in wide.items()})
        return wide

    def _logistic(self, x: Floats, y: Array, weight: Floats) -> State:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(max_iter=1000).fit(np.arcsinh(x), y, weight)
        return {"weights": np.append(model.coef_[0], model.intercept_)}


def platt(u: Floats, y: Array) -> Floats:
    """a and b of P = 1 / (1 + exp(-a u - b)), most likely for log-odds u (N,) and labels y (N,).

    Targets are those of Platt, a little inside 0 and 1. a is at least 0: where more u does not
    mean more suspicious, P is the same for all. Newton's steps, halved where they do not help.
    """
    count = int(y.sum())
    target = np.where(y, (count + 1) / (count + 2), 1 / (len(y) - count + 2))
    inputs = np.column_stack([u, np.ones(len(u))])
    share = target.mean()
    found = np.array([0.0, np.log(share / (1.0 - share))])
    loss = _loss(inputs @ found, target)
    for _ in range(100):
        p = 0.5 + 0.5 * np.tanh(inputs @ found / 2.0)
        slope = inputs.T @ (p - target)
        curve = (inputs * (p * (1.0 - p))[:, None]).T @ inputs + 1e-9 * np.eye(2)
        move, length = np.linalg.solve(curve, slope), 1.0
        while (less := _loss(inputs @ (found - length * move), target)) > loss and length > 1e-6:
            length /= 2.0
        if less > loss or np.abs(length * move).max() < 1e-9:
            break
        found, loss = found - length * move, less
    return found if found[0] > 0.0 else np.array([0.0, np.log(share / (1.0 - share))])


def _loss(v: Floats, target: Floats) -> float:
    return float((np.logaddexp(0.0, v) - target * v).sum())


def _odds(state: State, rows: Floats) -> tuple[Floats, Floats]:
    """Log-odds (N,) before calibration of standardised rows (N, F), and what moved them (N, F)."""
    if len(state["weights"]):
        parts = np.arcsinh(rows) * state["weights"][:-1]
        u = np.array([row.sum() for row in parts]) + state["weights"][-1]
        return np.clip(u, -STEEPEST, STEEPEST), parts
    mean = np.clip(trees.mean(state, rows), CERTAIN, 1.0 - CERTAIN)
    return np.log(mean / (1.0 - mean)), trees.moved(state, rows)


def _narrow(x: Floats) -> Array:
    return x.astype(np.float32)


def _flatten(tree: Any, into: dict[str, Array]) -> None:
    """A tree of scikit-learn's as columns; `path` is the share of suspicious ones in each node."""
    n = tree.node_count
    value = tree.value[:, 0, :]
    into["feature"][:n] = np.where(tree.children_left == -1, -1, tree.feature)
    into["left"][:n], into["right"][:n] = tree.children_left, tree.children_right
    into["threshold"][:n] = tree.threshold
    into["path"][:n] = value[:, 1] / value.sum(axis=1)
