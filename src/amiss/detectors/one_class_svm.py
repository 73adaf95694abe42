"""On which side of the boundary around what was usual a snapshot lies."""

from math import exp, inf
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State
from amiss.detecting import snapshots
from amiss.kernel import kernel

FEWEST = 2  # snapshots that can be told apart
EXACT, MOST = 10_000, 20_000  # snapshots: exact up to there, and most that are learned from
LEAST = 1e-12


class OneClassSvm(Detector):
    """One-class support vector machine with a radial kernel over all metrics of a system.

        f(x) = sum_i a_i exp(-gamma |x - v_i|^2) - rho
        score = (max f - f(x)) / max f, max over the snapshots learned from, and at least 0

    so 1 is the boundary, with a share of about `nu` of the past beyond it, and 0 as far inside as
    any were. Far out the kernel is 0 and all scores are the same: it says that, not how far. No
    opinion before the first fit. Metrics are standardised, a missing one is its median
    (detecting/snapshots.py). Blame: distance, in deviations, from the mean of the vectors nearby,
    each weighted by |a_i| and its nearness.

    Fitting is scikit-learn's, in a worker process. `exact` solves for the support vectors on at
    most 10,000 snapshots, evenly spaced in time where there are more; `nystroem` takes the kernel
    to `landmarks` of up to 20,000 and finds a plane by stochastic gradient descent: its cost grows
    with the snapshots, that of exact with their square, and it is less sharp. Scoring:
    O(vectors x metrics) a snapshot, on plain arrays.
    Schoelkopf and others, "Estimating the support of a high-dimensional distribution", 2001;
    Williams and Seeger, "Using the Nystroem method to speed up kernel machines", 2001.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 0
    zero: ClassVar[float] = 1.0  # the boundary
    shared: ClassVar[frozenset[str]] = snapshots.NAMES | {"vectors", "dual", "rho", "gamma", "top"}

    type: Literal["one_class_svm"] = "one_class_svm"
    nu: float = Field(0.05, gt=0, lt=1)
    """Share of the past to leave outside, at most; also the least share of support vectors."""
    gamma: float | None = Field(None, gt=0, le=1e6)
    """How fast likeness falls with distance in deviations; 1 / metrics if it is not said."""
    kind: Literal["exact", "nystroem"] | None = None
    """How it is fitted; exact up to 10,000 snapshots and nystroem beyond if it is not said."""
    landmarks: int = Field(256, ge=2, le=2048)
    """Of nystroem: snapshots that the kernel is taken to, at most."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Of nystroem: same seed, same data, same boundary."""

    def init(self, series: int, features: int) -> State:
        """No boundary yet; nothing is kept of a system."""
        one = np.zeros(1)
        arrays = {"vectors": np.zeros((0, 0)), "dual": np.zeros(0)}
        return snapshots.nothing() | arrays | {name: one for name in ("rho", "gamma", "top")}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score each snapshot; the boundary learns by `fit` alone."""
        shape = frame.values.shape[:2]
        if not len(state["vectors"]):
            return state, Scores(frame.time, frame.keys, np.full(shape, np.nan))
        rows, seen = snapshots.rows_of(state, frame)
        f, away = decision(state, rows)
        top = float(state["top"][0])
        scores = np.where(seen, np.maximum((top - f) / top, 0.0), np.nan).reshape(shape)
        away[~seen] = np.nan
        blame = snapshots.blame_of(state, away, frame)
        return state, Scores(frame.time, frame.keys, scores, blame=blame)

    def fit(self, state: State, history: Frame) -> State:
        """A new boundary from the snapshots of all systems, (T, S, F), in which NaN is unseen.

        The old one stays where there is next to nothing to learn from.
        """
        known, x, _ = snapshots.learn(history)
        if len(x) < FEWEST:
            return state
        kind = self.kind or ("exact" if len(x) <= EXACT else "nystroem")
        x = x[snapshots.evenly(len(x), EXACT if kind == "exact" else MOST)]
        gamma = self.gamma or 1.0 / x.shape[1]
        fitted = self._exact(x, gamma) if kind == "exact" else self._nystroem(x, gamma)
        found = known | fitted | {"gamma": np.array([gamma])}
        highest = float(decision(found, x)[0].max())
        scale = max(float(np.abs(fitted["rho"][0])), 1.0)
        return found | {"top": np.array([max(highest, LEAST * scale)])}

    def _exact(self, x: Floats, gamma: float) -> State:
        from sklearn.svm import OneClassSVM

        model = OneClassSVM(kernel="rbf", gamma=gamma, nu=self.nu).fit(x)
        dual = np.ascontiguousarray(model.dual_coef_[0])
        return {"vectors": model.support_vectors_, "dual": dual, "rho": -model.intercept_}

    def _nystroem(self, x: Floats, gamma: float) -> State:
        from sklearn.kernel_approximation import Nystroem
        from sklearn.linear_model import SGDOneClassSVM

        count = min(self.landmarks, len(x))
        near = Nystroem(gamma=gamma, n_components=count, random_state=self.seed)
        model = SGDOneClassSVM(nu=self.nu, random_state=self.seed).fit(near.fit_transform(x))
        dual = near.normalization_.T @ model.coef_
        return {"vectors": near.components_, "dual": dual, "rho": model.offset_}


def decision(state: State, rows: Floats) -> tuple[Floats, Floats]:
    """f (N,) of standardised rows (N, F), and how far each is from the vectors nearby (N, F)."""
    f, away = np.empty(len(rows)), np.empty(rows.shape)
    gamma, rho = float(state["gamma"][0]), float(state["rho"][0])
    _decide(rows, np.ascontiguousarray(state["vectors"]), state["dual"], gamma, rho, f, away)
    return f, away


@kernel
def _decide(
    rows: Array, vectors: Array, dual: Array, gamma: float, rho: float, f: Array, away: Array
) -> None:
    count, metrics = vectors.shape
    square = np.empty(count)
    for r in range(len(rows)):
        nearest = inf
        total = 0.0
        for i in range(count):
            square[i] = 0.0
            for j in range(metrics):
                apart = rows[r, j] - vectors[i, j]
                square[i] += apart * apart
            nearest = min(nearest, square[i])
            total += dual[i] * exp(-gamma * square[i])
        f[r] = total - rho
        weights = 0.0
        away[r] = 0.0
        for i in range(count):  # relative to the nearest, so that far out something is left
            if gamma * (square[i] - nearest) < 40.0:
                weight = abs(dual[i]) * exp(-gamma * (square[i] - nearest)) + 1e-300
                weights += weight
                for j in range(metrics):
                    away[r, j] += weight * (rows[r, j] - vectors[i, j])
        for j in range(metrics):
            away[r, j] = abs(away[r, j]) / weights
