"""How badly a row is forecast from those before it, and they are given back from one another."""

from collections.abc import Callable
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field, model_validator

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State, Times, measured
from amiss.linear_algebra import one_thread
from amiss.networks import affine, dense, gaps, scaling, sliding
from amiss.networks.bidirectional import Bidirectional
from amiss.networks.columns import observed, share, taken
from amiss.networks.components import Components, principal
from amiss.networks.hindsight import hindsight
from amiss.networks.rows import LEAST, history_rows, looked_at, typical
from amiss.networks.scaling import Scaling
from amiss.networks.windowed import Network, trained

LAYERS = (60, 20, 60)
UNITS = 30
FEW = 32  # windows that LSTM reads at once: what it leaves behind for each is large
WIDEST = 4000  # of a window in closed form, which takes the third power of it
TOP = 0.99  # of the errors held out: the range that they are measured by


class Aer(Detector):
    """Auto-encoder with regression: a window of rows is given back from its middle.

    What is given back are the middle, the row before it and the row after it: the newest, which is
    thereby forecast. Their errors weigh .5, .25 and .25 in training. Of each metric, in deviations,

        f = |error of the newest row|, r = that of the row before it, w = root mean square of all
        score = mean over the metrics of (1 + f / F) (1 + r / R) w / W

    F and R are what 99 % of the errors on the last fifth of the history did not exceed, W is the
    mean of w there; it was not trained on. The score is provisional: a row is also in windows that
    come later, which say more of it. A score that was told is never changed; `hindsight` gives the
    final ones, when all rows are known. No opinion before the first fit, nor until the window is
    full, at the beginning and after a gap of more than four intervals. A metric that is not there
    counts as its mean and is not scored, one that the model has not seen is left out, one that
    never moved counts for five deviations at most. The network is shown five deviations at most, of
    a few principal components; what is scored is not cut. Blame is the share of a metric in the
    score. Cost of a row: O(window x components) with `dense`, the square of that with `linear`;
    `bilstm` takes some fifty times as long as `dense`.

    Wong and others, "AER: auto-encoder with regression for time series anomaly detection", IEEE
    BigData 2022.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 399_220  # with as many rows and metrics as there may be
    shared: ClassVar[frozenset[str]] = frozenset(
        ("names", "scaling", "into", "out", "interval", "usual", "weights")
    )
    tolerance: ClassVar[float] = 1e-9

    type: Literal["aer"] = "aer"
    kind: Literal["dense", "linear", "bilstm"] = "dense"
    """Three hidden layers; in closed form; or LSTM from both ends, as in the paper."""
    window: int = Field(100, ge=4, le=500)
    """Rows of a window, its ends included."""
    components: int = Field(5, ge=1, le=50)
    """Principal components of the metrics, at most."""
    steps: int = Field(100, ge=1, le=100_000)
    """Steps of training; `linear` needs none."""
    batch: int = Field(64, ge=1, le=4096)
    """Windows in a step."""
    rate: float = Field(0.003, gt=0.0, le=1.0)
    """Learning rate."""
    seed: int = Field(0, ge=0)
    """Same seed, same data, same weights."""

    @model_validator(mode="after")
    def _solvable(self) -> Self:
        if self.kind == "linear" and self.window * self.components > WIDEST:
            raise ValueError(f"linear: window times components must be at most {WIDEST}")
        return self

    def init(self, series: int, features: int) -> State:
        """No weights yet; of each system the last rows."""
        return {
            "names": np.zeros(0, "U1"),
            "scaling": np.zeros((3, 0)),
            "into": np.zeros((0, 0)),
            "out": np.zeros((0, 0)),
            "interval": np.zeros(1, np.int64),
            "usual": np.zeros((3, 0)),
            "weights": np.zeros(0, np.float32),
            **gaps.init(series),
            **sliding.init(series, self.window, 0),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Score the newest row as far as it is known by now; the network learns by `fit` alone."""
        if not len(state["weights"]):
            nothing = np.full(frame.values.shape[:2], np.nan)
            return state, Scores(frame.time, frame.keys, nothing)
        names = state["names"].tolist()
        away = Scaling(*state["scaling"])(taken(measured(frame.values), frame.features, names))
        errors = self._errors(state, frame.time, away)
        forward, back, whole = errors / state["usual"][:, None, None]
        scores, blame = share((1.0 + forward) * (1.0 + np.nan_to_num(back)) * whole)
        told = taken(blame, names, frame.features)
        return state, Scores(frame.time, frame.keys, scores, blame=told)

    def hindsight(self, state: State, frame: Frame) -> Scores:
        """The final scores of rows (T, S, F) of which all is known, by a fitted state.

        Of each metric forward and backward error, the error of the median of all that was given
        back of a row, warped, and the root mean square of its windows are multiplied; the score is
        their mean. NaN where nothing was seen, and in sequences shorter than two windows. Nothing
        of it is told live, and the state stays as it is. Cost: O(T S F W).
        """
        names, network = state["names"].tolist(), self._network(state)
        away = Scaling(*state["scaling"])(taken(measured(frame.values), frame.features, names))
        found, seen = np.full(away.shape, np.nan), observed(away)
        known, first = gaps.init(len(frame.keys)), np.zeros(seen.shape, np.bool_)
        gaps.breaks(frame.time, seen, state["interval"], known["last"], known["pace"], first)
        for s in range(len(frame.keys)):
            ticks = np.flatnonzero(seen[:, s])
            for part in np.split(ticks, np.flatnonzero(first[ticks, s])):
                if len(part) >= 2 * self.window:
                    found[part, s] = self._final(away[part, s], network) / state["usual"][2]
        found[np.isnan(away)] = np.nan
        scores, blame = share(found)
        return Scores(frame.time, frame.keys, scores, blame=taken(blame, names, frame.features))

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
        given, width = parts(shown).astype(np.float32), len(parts.out)
        if self.kind == "linear":
            weights, curve = affine.solved(given, windows[0], self.window), np.zeros((3, 0))
        else:
            weight = np.full(self.window, 0.5 / (self.window - 2))
            weight[[0, -1]] = 0.25
            network: Network = dense.Dense(self._sizes(width), self.batch)
            if self.kind == "bilstm":
                network = Bidirectional(self.window, width, UNITS, self.batch)
            weights, curve = trained(
                network, given, windows, weight,
                edge=1, steps=self.steps, batch=self.batch, rate=self.rate, seed=self.seed,
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
        errors = self._errors(dict(fitted), history.time, away)[:, *rows.place]
        return fitted | {
            "usual": _usual(errors, rows.held, scale),
            "loss": curve,
            **gaps.init(len(history.keys)),
            **sliding.init(len(history.keys), self.window, 0),
        }

    def _errors(self, state: State, time: Times, away: Floats) -> Floats:
        """Of each row the error, that of the row before, and the root mean square (3, T, S, F)."""
        found = np.full((3, *away.shape), np.nan)
        for s, ticks, given, back in sliding.through(state, time, away, self._network(state)):
            error = np.abs(given - back)
            there = np.maximum(np.isfinite(error).sum(axis=1), 1)
            found[0, ticks, s], found[1, ticks, s] = error[:, -1], error[:, -2]
            found[2, ticks, s] = np.sqrt(np.nan_to_num(error * error).sum(axis=1) / there)
        return found

    def _network(self, state: State) -> Callable[[Floats], Floats]:
        """Windows (N, W, F) as they may be shown -> as they are given back."""
        parts, weights = Components(state["into"], state["out"]), state["weights"].astype(float)
        width = len(parts.out)

        def network(windows: Floats) -> Floats:
            x = parts(windows)
            inner = x[:, 1:-1].reshape(len(x), -1)
            if self.kind == "bilstm":
                back = np.concatenate(
                    [
                        Bidirectional(self.window, width, UNITS, len(some), np.float64).forward(
                            weights, some
                        )
                        for some in np.split(inner, range(FEW, len(inner), FEW))
                    ]
                )
                return parts.back(back.reshape(x.shape))
            return parts.back(dense.forward(weights, self._sizes(width), inner).reshape(x.shape))

        return network

    def _final(self, away: Floats, network: Callable[[Floats], Floats]) -> Floats:
        """Final scores (N, F) of a sequence of rows."""
        rows = np.nan_to_num(away)
        windows = np.moveaxis(sliding_window_view(rows, self.window, axis=0), 2, 1)
        back = np.concatenate(
            [
                network(scaling.shown(windows[at : at + sliding.MOST]).astype(np.float64))
                for at in range(0, len(windows), sliding.MOST)
            ]
        )
        each = [hindsight(rows[:, f], back[:, :, f]) for f in range(rows.shape[1])]
        return np.stack(each, axis=1)

    def _sizes(self, width: int) -> tuple[int, ...]:
        hidden = LAYERS if self.kind == "dense" else ()
        return ((self.window - 2) * width, *hidden, self.window * width)


def _usual(errors: Floats, held: Array, scale: Scaling) -> Floats:
    """What the errors (3, N, F) of rows held out are measured by (3, F)."""
    found = np.empty((3, errors.shape[2]))
    for k, own in enumerate(errors[:2]):
        for f in range(errors.shape[2]):
            some = looked_at(own[:, f], held)
            found[k, f] = np.quantile(some, TOP) if len(some) else 0.0
    found[2] = np.sqrt(typical(errors[2] ** 2, held, scale))
    return np.asarray(np.maximum(found, LEAST**0.5))
