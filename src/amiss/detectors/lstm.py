"""How far the next values of a system are from what a neural network that remembers expects."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State, measured
from amiss.linear_algebra import one_thread
from amiss.networks import gaps, lasting, scaling
from amiss.networks.columns import observed, share, taken
from amiss.networks.forecaster import Forecaster, error
from amiss.networks.lasting import last
from amiss.networks.parameters import count
from amiss.networks.rows import Rows, evenly, history_rows, typical
from amiss.networks.scaling import Scaling
from amiss.networks.stateful import follow
from amiss.networks.training import train

FEWEST = 20  # rows to train on
CHECKED = 256  # windows held out that are looked at, at most
MOST = 500  # metrics of a system


class Lstm(Detector):
    """Layers of long short-term memory that forecast all metrics of a system, row by row.

        e = the mean over the metrics of ((x - forecast) / its usual error)^2
        score = (e + its mean over the last ten rows) / 2

    The usual error is the root mean square on the last fifth of the history, which was not trained
    on; with `relative: false` it is the deviation of the metric from its mean, and e the plain mean
    squared error. No opinion before the first fit, and on the first row after a gap of more than
    four intervals, where memory begins anew. A metric that is not there counts as its mean and
    is not scored, one that the model has not seen is left out, one that never moved counts for at
    most five deviations. The network is shown five deviations at most; what is scored is not cut.
    Expected is the forecast, lower and upper its 95 % interval by the errors on that last fifth.
    Blame is the share of a metric in e.
    Cost: O(weights) a row, which goes on from what is remembered of the rows before.

    Malhotra and others, "Long short term memory networks for anomaly detection in time series",
    ESANN 2015.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 11_008  # with all units and metrics that there may be
    shared: ClassVar[frozenset[str]] = frozenset(
        ("names", "scaling", "interval", "usual", "errors", "weights")
    )

    type: Literal["lstm"] = "lstm"
    units: tuple[Annotated[int, Field(ge=1, le=256)], ...] = Field(
        (32, 32), min_length=1, max_length=4
    )
    """Memory cells of each layer."""
    window: int = Field(50, ge=2, le=1000)
    """Rows of a sequence in training."""
    dropout: float = Field(0.2, ge=0.0, lt=1.0)
    """Share of what leaves a layer that is left out at each step of training."""
    steps: int = Field(500, ge=1, le=100_000)
    """Steps of training."""
    batch: int = Field(32, ge=1, le=1024)
    """Sequences in a step."""
    rate: float = Field(0.003, gt=0.0, le=1.0)
    """Learning rate."""
    relative: bool = True
    """Whether errors are measured against what is usual for the metric, and not its deviation."""
    rows: int = Field(10, ge=1, le=100)
    """Rows over which half of the score is a mean; 1 is the newest alone."""
    seed: int = Field(0, ge=0)
    """Same seed, same data, same weights."""

    def init(self, series: int, features: int) -> State:
        """No weights yet; of each system its memory and the forecast."""
        return {
            "names": np.zeros(0, "U1"),
            "scaling": np.zeros((3, 0)),
            "interval": np.zeros(1, np.int64),
            "usual": np.zeros(0),
            "errors": np.zeros((2, 0)),
            "weights": np.zeros(0, np.float32),
            **self._rows(series),
        }

    def _rows(self, series: int) -> State:
        cells = np.zeros((series, sum(self.units)), np.float32)
        nothing = np.zeros((series, 0), np.float32)
        return {
            **gaps.init(series),
            **lasting.init(series, self.rows),
            "hidden": cells,
            "cell": cells.copy(),
            "forecast": nothing,
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Compare with the forecast of the row before, then forecast the next."""
        shape = frame.values.shape
        if not len(state["weights"]):
            return state, Scores(frame.time, frame.keys, np.full(shape[:2], np.nan))
        names = state["names"].tolist()
        scale = Scaling(*state["scaling"])
        away = scale(taken(measured(frame.values), frame.features, names))
        forecast, first = self._follow(state, frame.time, away)
        scores, blame = share((away - forecast) ** 2 / state["usual"])
        last(scores, first, state["recent"])
        mean = scale.back(forecast)
        ends = (mean + end for end in state["errors"])
        said = (taken(x, names, frame.features) for x in (mean, *ends, blame))
        return state, Scores(frame.time, frame.keys, scores, *said)

    def forecast(self, state: State) -> dict[str, Floats]:
        """The next value of each metric, for each system (S,)."""
        if not state or not len(state["weights"]):
            return {}
        ahead = Scaling(*state["scaling"]).back(self._forecast(state))
        ahead[state["last"] == gaps.NEVER] = np.nan
        return {name: ahead[:, i] for i, name in enumerate(state["names"].tolist())}

    def fit(self, state: State, history: Frame) -> State:
        """New weights from the rows of all systems (T, S, F), in which NaN is unseen.

        The old ones stay where there are fewer than twenty rows to train on.
        """
        with one_thread():
            return self._fitted(state, history)

    def _fitted(self, state: State, history: Frame) -> State:
        rows, kept, table = history_rows(history, MOST)
        length = min(self.window, rows.longest() - 1)
        if not len(kept) or (~rows.held).sum() < FEWEST or length < 2:
            return state
        scale = scaling.learn(table[~rows.held])
        weights, curve = self._trained(rows, scale(table), length)
        fitted = self.init(len(history.keys), len(kept)) | {
            "names": np.array(history.features, dtype=str)[kept],
            "scaling": np.array([scale.mean, scale.scale, scale.most]),
            "interval": gaps.usual(history.time),
            "usual": np.ones(len(kept)),
            "weights": weights,
        }
        late = int(rows.place[0][rows.held].min(initial=len(history.time)))
        late = max(late - self.window, 0) if rows.held.any() else 0
        away = scale(measured(history.values)[late:, :, kept])
        errors = away - self._follow(dict(fitted), history.time[late:], away)[0]
        tick, system = (place[rows.held] for place in rows.place)
        checked = errors[tick - late, system] if rows.held.any() else errors[rows.place]
        if self.relative:
            fitted["usual"] = typical(checked**2, np.ones(len(checked), np.bool_), scale)
        fitted |= {"errors": scale.scale * _interval(checked), "loss": curve}
        return fitted | self._rows(len(errors[0]))

    def _trained(self, rows: Rows, away: Floats, length: int) -> tuple[Array, Array]:
        """Weights that forecast rows (N, F) from windows of so many before; how training went."""
        given = scaling.shown(away)
        wanted = np.clip(away, -scaling.CLIP, scaling.CLIP).astype(np.float32)
        windows, held = rows.windows(length + 1)
        chance = np.random.default_rng(self.seed)
        metrics, span = away.shape[1], np.arange(length)[:, None]
        network = Forecaster(metrics, self.units, length, self.batch, dropout=self.dropout)
        weights = np.empty(count(network.shapes), np.float32)
        network.start(weights, _alike(given, rows), chance)

        def learn(batch: Array, gradient: Array) -> float:
            x = given[batch + span]
            missed, change = error(network.forward(weights, x, chance), wanted[batch + span + 1])
            network.backward(weights, x, change, gradient)
            return missed

        def check() -> float:
            errors = [
                error(network.forward(weights, given[part + span]), wanted[part + span + 1])[0]
                for part in np.split(looked, len(looked) // self.batch)
            ]
            return sum(errors) / len(errors)

        looked = evenly(held, max(CHECKED // self.batch, 1) * self.batch)
        curve = train(
            weights, learn, check if len(held) else None, chance,
            windows=windows, steps=self.steps, batch=self.batch, rate=self.rate,
        )  # fmt: skip
        return weights, curve

    def _follow(self, state: State, time: Array, away: Floats) -> tuple[Array, Array]:
        """The forecasts that there were of these rows (T, S, F), and which had none (T, S).

        The state goes on.
        """
        state["forecast"] = self._forecast(state)
        seen = observed(away)
        first, out = np.zeros(seen.shape, np.bool_), np.empty(away.shape, np.float32)
        gaps.breaks(time, seen, state["interval"], state["last"], state["pace"], first)
        follow(
            scaling.shown(away), seen, first, state["weights"], np.array(self.units),
            state["hidden"], state["cell"], state["forecast"], out,
        )  # fmt: skip
        return out, first

    def _forecast(self, state: State) -> Array:
        """That of the next row (S, F), for as many metrics as the model has."""
        series, metrics = len(state["forecast"]), len(state["names"])
        if state["forecast"].shape[1] == metrics:
            return state["forecast"]
        return np.zeros((series, metrics), np.float32)


def _alike(given: Array, rows: Rows) -> Array:
    """How much of a row is still there in the next (F,): the slope of one on the other."""
    follows = (rows.sequence[1:] == rows.sequence[:-1]) & ~rows.held[1:]
    now, later = given[:-1][follows], given[1:][follows]
    slope: Array = (now * later).sum(axis=0) / np.maximum((now * now).sum(axis=0), 1e-6)
    return slope


def _interval(errors: Floats) -> Floats:
    """The 2.5 % and 97.5 % quantiles of errors (N, F), two deviations if there are none."""
    found = np.tile([[-2.0], [2.0]], errors.shape[1])
    for f in range(errors.shape[1]):
        own = errors[np.isfinite(errors[:, f]), f]
        if len(own):
            found[:, f] = np.quantile(own, [0.025, 0.975])
    return found
