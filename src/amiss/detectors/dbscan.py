"""How far a snapshot is from the nearest crowd of usual ones."""

from math import inf, sqrt
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State
from amiss.detecting import snapshots
from amiss.kernel import kernel

MOST = 10_000  # snapshots learned from
CORES = 2_048  # of them kept
HEAD = 0.99  # share of the k-distances among which the bend is looked for
LEAST = 1e-6  # deviations: the smallest eps found by itself


class Dbscan(Detector):
    """Density-based clusters of all metrics of a system: distance to the nearest core sample.

    score = |x - nearest core| / eps: at most 1 belongs to a cluster, above it is noise; no opinion
    before the first fit, or where no crowd was found. A core is a snapshot with `min_samples`
    within `eps`, itself among them; to which cluster it belongs makes no difference to a score.
    Metrics are standardised, a missing one is its median (detecting/snapshots.py). Blame: the
    difference from the nearest core, in units of eps.

    If `eps` is not said it is where the k-distances bend, k = `min_samples`: of the distances of
    all snapshots to their k-th nearest, sorted, the farthest below the line from the first to the
    99th of a hundred. Fitting uses scikit-learn, in a worker process, on at most 10,000 snapshots,
    evenly spaced in time; where more than 2,048 are cores those are kept that are farthest from
    one another, which leaves none of the others far from all. Scoring: O(cores x metrics).
    Ester and others, "A density-based algorithm for discovering clusters", KDD 1996; Gonzalez,
    "Clustering to minimize the maximum intercluster distance", 1985.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 0
    zero: ClassVar[float] = 1.0  # the edge of a cluster
    shared: ClassVar[frozenset[str]] = snapshots.NAMES | {"cores", "eps"}

    type: Literal["dbscan"] = "dbscan"
    eps: float | None = Field(None, gt=0, le=1e6)
    """How near is near, in deviations; found from the data if it is not said."""
    min_samples: int = Field(5, ge=1, le=1000)
    """How many make a crowd."""

    def init(self, series: int, features: int) -> State:
        """No clusters yet; nothing is kept of a system."""
        return snapshots.nothing() | {"cores": np.zeros((0, 0)), "eps": np.ones(1)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score each snapshot; the clusters learn by `fit` alone."""
        shape = frame.values.shape[:2]
        if not len(state["cores"]):
            return state, Scores(frame.time, frame.keys, np.full(shape, np.nan))
        rows, seen = snapshots.rows_of(state, frame)
        distance, which = nearest(state["cores"], rows)
        eps = float(state["eps"][0])
        scores = np.where(seen, distance / eps, np.nan).reshape(shape)
        away = np.abs(rows - state["cores"][which]) / eps
        away[~seen] = np.nan
        blame = snapshots.blame_of(state, away, frame)
        return state, Scores(frame.time, frame.keys, scores, blame=blame)

    def fit(self, state: State, history: Frame) -> State:
        """New clusters from the snapshots of all systems, (T, S, F), in which NaN is unseen.

        The old ones stay where there are fewer snapshots than make a crowd, or no crowd.
        """
        known, x, _ = snapshots.learn(history)
        if len(x) < max(self.min_samples, 2):
            return state
        x = x[snapshots.evenly(len(x), MOST)]
        reach = _reach(x, self.min_samples)
        eps = self.eps or bend(np.sort(reach)) * (1.0 + 1e-9)  # no digit short of a row's own
        cores = x[reach <= eps]
        if not len(cores):
            return state
        return known | {"cores": _spread_out(cores, CORES), "eps": np.array([eps])}


def nearest(cores: Floats, rows: Floats) -> tuple[Floats, Array]:
    """Distance (N,) of rows (N, F) to the nearest of the cores (C, F), and which that is (N,)."""
    distance, which = np.empty(len(rows)), np.empty(len(rows), np.int64)
    _nearest(np.ascontiguousarray(rows), cores, distance, which)
    return distance, which


def bend(reach: Floats) -> float:
    """Where sorted k-distances (N,) begin to rise steeply: the knee of the curve."""
    head = reach[: max(int(np.ceil(HEAD * len(reach))), 1)]
    rise = head[-1] - head[0]
    if rise <= 0.0:
        return max(float(head[-1]), LEAST)
    along = np.arange(len(head)) / max(len(head) - 1, 1)
    return max(float(head[np.argmax(along - (head - head[0]) / rise)]), LEAST)


def _reach(x: Floats, k: int) -> Floats:
    """How far it is to the k-th nearest row, itself the first."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x)
    found = near.kneighbors(x)[1][:, -1]
    apart = x - x[found]  # anew: the library's is of squares, and loses digits near 0
    reach: Floats = np.sqrt((apart * apart).sum(axis=1))
    return reach


def _spread_out(x: Floats, most: int) -> Floats:
    """All rows, or so many, each the farthest from those before it."""
    if len(x) <= most:
        return np.ascontiguousarray(x)
    kept = np.empty(most, np.int64)
    _farthest(x, kept)
    return np.ascontiguousarray(x[np.sort(kept)])


@kernel
def _nearest(rows: Array, cores: Array, distance: Array, which: Array) -> None:
    for r in range(len(rows)):
        least = inf
        for c in range(len(cores)):
            square = 0.0
            for j in range(cores.shape[1]):
                apart = rows[r, j] - cores[c, j]
                square += apart * apart
            if square < least:
                least = square
                which[r] = c
        distance[r] = sqrt(least)


@kernel
def _farthest(rows: Array, kept: Array) -> None:
    away = np.full(len(rows), inf)
    last = 0
    for k in range(len(kept)):
        kept[k] = last
        farthest = -1.0
        following = last
        for r in range(len(rows)):
            square = 0.0
            for j in range(rows.shape[1]):
                apart = rows[r, j] - rows[last, j]
                square += apart * apart
            away[r] = min(away[r], square)
            if away[r] > farthest:
                farthest = away[r]
                following = r
        last = following
