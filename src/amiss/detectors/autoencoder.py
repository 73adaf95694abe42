"""How badly the last rows of a system go through a narrow passage and back."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State, measured
from amiss.linear_algebra import one_thread
from amiss.networks import dense, gaps, scaling, sliding
from amiss.networks.columns import share, taken
from amiss.networks.components import Components, principal
from amiss.networks.rows import history_rows, typical
from amiss.networks.scaling import Scaling
from amiss.networks.windowed import trained


class Autoencoder(Detector):
    """Dense auto-encoder of the last rows of a system, by a few principal components of them.

        e_j = ((z - z')^2 of the newest row + their mean over the window) / 2     z' given back
        score = mean over the metrics of e_j / (what e_j usually is)

    z are deviations from the mean, both of the history; what e_j usually is was measured on its
    last fifth, which was not trained on. No opinion before the first fit, nor until the window is
    full, at the beginning and after a gap of more than four intervals. A metric that is not there
    counts as its mean and is not scored, one that the model has not seen is left out, one that
    never moved counts for five deviations at most. The network is shown five deviations at most;
    what is scored is not cut. Blame is the share of a metric in the score.
    Cost: O(window x components x first layer) a row.

    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 399_220  # with as many rows and metrics as there may be
    shared: ClassVar[frozenset[str]] = frozenset(
        ("names", "scaling", "into", "out", "interval", "usual", "weights")
    )
    tolerance: ClassVar[float] = 1e-9

    type: Literal["autoencoder"] = "autoencoder"
    window: int = Field(50, ge=2, le=500)
    """Rows that are looked at together."""
    layers: tuple[Annotated[int, Field(ge=1, le=1024)], ...] = Field(
        (60, 20), min_length=1, max_length=5
    )
    """Width of each layer down to the narrowest; back up they are the same."""
    components: int = Field(5, ge=1, le=50)
    """Principal components of the metrics, at most."""
    steps: int = Field(500, ge=1, le=100_000)
    """Steps of training."""
    batch: int = Field(64, ge=1, le=4096)
    """Windows in a step."""
    rate: float = Field(0.003, gt=0.0, le=1.0)
    """Learning rate."""
    seed: int = Field(0, ge=0)
    """Same seed, same data, same weights."""

    def init(self, series: int, features: int) -> State:
        """No weights yet; of each system the last rows."""
        return {
            "names": np.zeros(0, "U1"),
            "scaling": np.zeros((3, 0)),
            "into": np.zeros((0, 0)),
            "out": np.zeros((0, 0)),
            "interval": np.zeros(1, np.int64),
            "usual": np.zeros(0),
            "weights": np.zeros(0, np.float32),
            **gaps.init(series),
            **sliding.init(series, self.window, 0),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score the newest row with those before it; the network learns by `fit` alone."""
        if not len(state["weights"]):
            nothing = np.full(frame.values.shape[:2], np.nan)
            return state, Scores(frame.time, frame.keys, nothing)
        names = state["names"].tolist()
        away = Scaling(*state["scaling"])(taken(measured(frame.values), frame.features, names))
        scores, blame = share(self._errors(state, frame.time, away) / state["usual"])
        told = taken(blame, names, frame.features)
        return state, Scores(frame.time, frame.keys, scores, blame=told)

    def fit(self, state: State, history: Frame) -> State:
        """New weights from the rows of all systems (T, S, F), in which NaN is unseen.

        The old ones stay where no window is whole.
        """
        with one_thread():
            return self._fitted(state, history)

    def _fitted(self, state: State, history: Frame) -> State:
        rows, kept, table = history_rows(history, sliding.METRICS)
        windows = rows.windows(self.window)
        if not len(kept) or not len(windows[0]):
            return state
        scale = scaling.learn(table[~rows.held])
        shown = scaling.shown(scale(table))
        parts = principal(shown[~rows.held], self.components)
        weights, curve = trained(
            dense.Dense(self._sizes(len(parts.out)), self.batch),
            parts(shown).astype(np.float32), windows, np.full(self.window, 1.0 / self.window),
            edge=0, steps=self.steps, batch=self.batch, rate=self.rate, seed=self.seed,
        )  # fmt: skip
        fitted = self.init(len(history.keys), len(kept)) | {
            "names": np.array(history.features, dtype=str)[kept],
            "scaling": np.array([scale.mean, scale.scale, scale.most]),
            "into": parts.into,
            "out": parts.out,
            "interval": gaps.usual(history.time),
            "weights": weights,
        }
        away = scale(measured(history.values)[:, :, kept])
        errors = self._errors(dict(fitted), history.time, away)[rows.place]
        return fitted | {
            "usual": typical(errors, rows.held, scale),
            "loss": curve,
            **gaps.init(len(history.keys)),
            **sliding.init(len(history.keys), self.window, 0),
        }

    def _errors(self, state: State, time: Array, away: Floats) -> Floats:
        """e_j of each row (T, S, F); the state goes on."""
        parts, weights = Components(state["into"], state["out"]), state["weights"].astype(float)
        sizes = self._sizes(len(parts.out))

        def network(windows: Floats) -> Floats:
            x = parts(windows)
            back = dense.forward(weights, sizes, x.reshape(len(x), -1))
            return parts.back(back.reshape(x.shape))

        found = np.full(away.shape, np.nan)
        for s, ticks, given, back in sliding.through(state, time, away, network):
            square = (given - back) ** 2
            there = np.maximum(np.isfinite(square).sum(axis=1), 1)
            found[ticks, s] = (square[:, -1] + np.nan_to_num(square).sum(axis=1) / there) / 2.0
        return found

    def _sizes(self, width: int) -> tuple[int, ...]:
        ends = self.window * width
        return (ends, *self.layers, *self.layers[-2::-1], ends)
