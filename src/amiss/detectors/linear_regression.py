"""What the next value should be, going by everything seen now."""

from typing import ClassVar, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from amiss.component import Detector
from amiss.data import Floats, Frame, Scores, State, measured

PENALTIES = (1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
LARGEST = 3e38  # the past is kept in float32


class LinearRegression(Detector):
    """Ridge regression of the next value of each target on all metrics now and its own past.

    score = the largest |x - forecast| / (typical error) over the targets; NaN before the first
    fit and where no target is seen. Expected is the forecast made a tick before, lower and upper
    its 95 % interval: quantiles of the errors on the last fifth of the history, which the
    weights that made them had not seen. The penalty is chosen there too.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 4960  # with all targets and lags that may be asked for
    shared: ClassVar[frozenset[str]] = frozenset(("names", "mean", "scale", "weights", "errors"))
    tolerance: ClassVar[float] = 1e-9

    type: Literal["linear_regression"] = "linear_regression"
    targets: tuple[str, ...] = Field(("cpu_percent",), min_length=1, max_length=20)
    """The metrics to forecast."""
    lags: int = Field(6, ge=0, le=60)
    """Past values of each target that the forecast may use."""

    def init(self, series: int, features: int) -> State:
        """No weights yet; of each system the past of its targets and the forecast."""
        k = len(self.targets)
        return {
            "names": np.zeros(0, "U1"),
            "mean": np.zeros(0),
            "scale": np.ones(0),
            "weights": np.zeros((0, k)),
            "errors": np.full((3, k), np.nan),
            "past": np.full((series, k, self.lags), np.nan, np.float32),
            "forecast": np.full((series, k), np.nan),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Compare with the forecast of the tick before, then forecast the next."""
        y, x = self._columns(state, frame)
        scores = np.full(frame.values.shape[:2], np.nan)
        expected, lower, upper, blame = (np.full(frame.values.shape, np.nan) for _ in range(4))
        column = {name: f for f, name in enumerate(frame.features)}
        low, high, typical = state["errors"]
        for t in range(len(frame.time)):
            forecast = state["forecast"]
            away = np.abs(y[t] - forecast) / typical
            known = np.isfinite(away).any(axis=1)
            scores[t, known] = np.nanmax(away[known], axis=1)
            for k, name in enumerate(self.targets):
                if name in column:
                    at = (t, slice(None), column[name])
                    expected[at], blame[at] = forecast[:, k], away[:, k]
                    lower[at], upper[at] = forecast[:, k] + low[k], forecast[:, k] + high[k]
            seen = np.isfinite(y[t]).any(axis=1)
            past = np.concatenate([state["past"], y[t][:, :, None]], axis=2)[:, :, 1:]
            if self.lags:
                state["past"][seen] = past[seen]
            if len(state["weights"]):
                inputs = self._inputs(state, x[t], state["past"].astype(float))
                # silent systems keep the forecast that they had
                state["forecast"][seen] = (inputs @ state["weights"])[seen]
        return state, Scores(frame.time, frame.keys, scores, expected, lower, upper, blame)

    def forecast(self, state: State) -> dict[str, Floats]:
        """The next value of each target, for each system (S,)."""
        return {name: state["forecast"][:, k] for k, name in enumerate(self.targets)}

    def fit(self, state: State, history: Frame) -> State:
        """New weights from history (T, S, F); NaN counts as the mean.

        The old ones stay where there are fewer than twenty pairs of a tick and the next.
        """
        if len(history.time) < 2:
            return state
        names = np.array(history.features, dtype=str)
        values = np.clip(measured(history.values), -LARGEST, LARGEST).reshape(-1, len(names))
        there = np.isfinite(values)
        often = there.sum(axis=0) > there.any(axis=1).sum() // 2
        kept = np.where(often)[0]
        mean = np.array([np.nanmean(values[:, f]) for f in kept])
        spread = np.array([np.nanstd(values[:, f]) for f in kept])
        scale = np.where(spread > 1e-12 * (1.0 + np.abs(mean)), spread, np.inf)
        fitted = state | {"names": names[kept], "mean": mean, "scale": scale}
        y, x = self._columns(fitted, history)
        inputs, wanted = self._pairs(fitted, x, y)
        known = np.isfinite(wanted).all(axis=1)
        inputs, wanted = inputs[known], wanted[known]
        if len(inputs) < 20:
            return state
        last = len(inputs) - len(inputs) // 5
        tried = []
        for penalty in PENALTIES:
            weights = _ridge(inputs[:last], wanted[:last], penalty)
            errors = wanted[last:] - inputs[last:] @ weights
            tried.append((float(np.mean(np.abs(errors))), penalty, errors))
        _, penalty, errors = min(tried, key=lambda one: one[:2])
        typical = np.maximum(np.mean(np.abs(errors), axis=0), 1e-9)
        interval = np.quantile(errors, [0.025, 0.975], axis=0)
        fitted["weights"] = _ridge(inputs, wanted, penalty)
        fitted["errors"] = np.vstack([interval, typical])
        return fitted

    def _columns(self, state: State, frame: Frame) -> tuple[Floats, Floats]:
        """Targets (T, S, K) and the metrics of the model (T, S, F); NaN where there is none."""
        column = {name: f for f, name in enumerate(frame.features)}
        values, found = np.clip(measured(frame.values), -LARGEST, LARGEST), []
        for names in (self.targets, state["names"].tolist()):
            x = np.full((*values.shape[:2], len(names)), np.nan)
            for i, name in enumerate(names):
                if name in column:
                    x[:, :, i] = values[:, :, column[name]]
            found.append(x)
        return found[0], found[1]

    def _inputs(self, state: State, x: Floats, past: Floats) -> Floats:
        """Metrics (.., F) and past (.., K, lags) -> standardised inputs with a constant."""
        metrics = np.nan_to_num((x - state["mean"]) / state["scale"])
        column = {name: i for i, name in enumerate(state["names"].tolist())}
        own = []
        for k, name in enumerate(self.targets):
            i = column.get(name)
            mean, scale = (state["mean"][i], state["scale"][i]) if i is not None else (0.0, np.inf)
            own.append(np.nan_to_num((past[..., k, :] - mean) / scale))
        return np.concatenate([metrics, *own, np.ones((*x.shape[:-1], 1))], axis=-1)

    def _pairs(self, state: State, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Inputs at each tick with the targets of the next, over all systems."""
        padded = np.concatenate([np.full((max(self.lags - 1, 0), *y.shape[1:]), np.nan), y])
        if self.lags:
            # rounded as the state keeps it, so that fit and step see the same
            past = sliding_window_view(padded.astype(np.float32).astype(float), self.lags, axis=0)
        else:
            past = np.zeros((*y.shape, 0))
        inputs = self._inputs(state, x, past)[:-1]
        return inputs.reshape(-1, inputs.shape[-1]), y[1:].reshape(-1, y.shape[2])


def _ridge(x: Floats, y: Floats, penalty: float) -> Floats:
    """Weights of least squares with a penalty on all but the constant, the last input."""
    gram = x.T @ x
    ridge = np.full(len(gram), penalty)
    ridge[-1] = 1e-9
    solved = np.asarray(np.linalg.solve(gram + np.diag(ridge), x.T @ y), dtype=float)
    return solved
