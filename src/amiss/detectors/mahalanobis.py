"""How far the metrics of a system are from how they usually go together."""

from collections.abc import Collection
from math import asinh, isfinite, sqrt
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import DAY, HOUR, Array, Floats, Frame, Scores, State, measured
from amiss.detecting.precision import distance, invert, predict
from amiss.kernel import kernel
from amiss.memory import place

FLOOR = 0.03  # the scale is at least this share of the range seen so far
MEMORY = 50_000.0  # rows: memory of means, scales and covariance
PROFILE = 0.1  # gain a day of an hour of the profile
LAG = 3  # rows: the second instant of the seasonal view
RIDGE = 0.1  # added to the covariance, whose columns have a spread of about 1
EVERY = 60  # rows between two inversions
YOUNG = 64  # rows before clipping


class Mahalanobis(Detector):
    """Streaming Mahalanobis distance of asinh-scaled metrics, with a robust running covariance.

        y_j = asinh((x_j - m_j) / c_j),  c_j = 1.2533 mean |x_j - m_j| + .03 range_j
        score = sqrt(v' (C + .1 I)^-1 v),  v = y - mean y,  C the running covariance of y

    With `seasonal`, x_j is first taken relative to its profile of 24 hours, and v holds y now and
    three samples ago, so that a course is judged, not only a moment. Metrics that are missing
    count as usual. Blame is how badly all others predict a metric: |(M v)_j| / sqrt(M_jj). What
    they predict is the expectation, v_j - (M v)_j / M_jj with a spread of 1/sqrt(M_jj), in the unit
    of the metric; NaN where it is missing, and where the distance is below its mean.
    Cost: O(F^2) a sample, O(F^3) each 60. Mahalanobis 1936; the scales are our own.
    """

    joint: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size"]] = "size"
    state_bytes: ClassVar[int] = 700_000  # seasonal, with 100 metrics
    shared: ClassVar[frozenset[str]] = frozenset(("names",))
    tolerance: ClassVar[float] = 1e-9

    type: Literal["mahalanobis"] = "mahalanobis"
    seasonal: bool = False
    """Judge the course of what differs from the day's profile."""
    most: int = Field(100, ge=2, le=500)
    """Most metrics of a system; those that come later are left out."""

    def init(self, series: int, features: int) -> State:
        """Nothing seen; the columns come with the metrics, in the order of their names."""
        return {"names": np.zeros(0, "U1")} | self._columns(series, 0)

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Metrics (T, S, F) -> distances (T, S), with blame and expectations (T, S, F)."""
        state = self._known(state, frame)
        names = tuple(state["names"].tolist())
        values = np.moveaxis(measured(frame.values), 2, 1)  # (T, F, S): `place` wants keys there
        x = np.ascontiguousarray(place(values, frame.features, names).transpose(2, 0, 1))
        scores = np.full(frame.values.shape[:2], np.nan)
        said = np.full((4, *scores.shape, len(names)), np.nan)  # expected, lower, upper, blame
        said[3] = 0.0
        for s in range(x.shape[0]):
            self._follow(state, s, frame.time, x[s], scores[:, s], said[:, :, s])
        said[3, np.isnan(scores)] = np.nan
        told = place(said.transpose(1, 3, 2, 0), names, frame.features)
        columns = np.ascontiguousarray(told.transpose(3, 0, 2, 1))
        return state, Scores(frame.time, frame.keys, scores, *columns)

    def retain(self, state: State, features: Collection[str]) -> State:
        """Without the columns of metrics that are not among these."""
        names = state["names"].tolist()
        left = np.array([j for j, name in enumerate(names) if name in features], np.int64)
        if len(left) == len(names):
            return state
        both = np.concatenate([left, len(names) + left]) if self.seasonal else left
        state = state | {name: state[name][..., left] for name in BY_METRIC}
        state["centre"] = state["centre"][:, both]
        for name in ("covariance", "inverse"):
            state[name] = state[name][:, both[:, None], both]
        return state | {"names": state["names"][left]}

    def _follow(
        self, state: State, s: int, time: Array, x: Floats, scores: Floats, said: Floats
    ) -> None:
        """The rows of one system, with an inversion whenever one is due."""
        own = [state[name][s] for name in COLUMNS]
        done = 0
        while np.isfinite(x[done:]).any():  # what is not observed changes nothing
            if state["rows"][s] >= state["due"][s]:
                state["inverse"][s] = invert(state["covariance"][s], RIDGE)
                rows = int(state["rows"][s])
                state["due"][s] = rows + min(EVERY, max(8, rows // 4))
            left = int(state["due"][s] - state["rows"][s])
            count = state["rows"][s : s + 1], state["last"][s : s + 1], state["counts"][s]
            done += _walk(time[done:], x[done:], scores[done:], said[:, done:], left, *count, *own)

    def _columns(self, series: int, metrics: int) -> State:
        wide = 2 * metrics if self.seasonal else metrics
        hours, back = (24, LAG) if self.seasonal else (0, 0)
        return {
            "rows": np.zeros(series, np.int64),
            "due": np.full(series, 8),
            "last": np.zeros(series, np.int64),  # ns
            "counts": np.zeros((series, 2)),  # rows that count, mean distance
            "seen": np.zeros((series, metrics), np.int32),
            "scaling": np.zeros((series, 4, metrics)),  # mean, spread, lowest, highest
            "profile": np.zeros((series, hours, metrics)),
            "known": np.zeros((series, hours, metrics), np.uint16),
            "past": np.zeros((series, back, metrics)),
            "centre": np.zeros((series, wide)),
            "covariance": np.tile(0.5 * np.eye(wide), (series, 1, 1)),
            "inverse": np.tile(np.eye(wide), (series, 1, 1)),
        }

    def _known(self, state: State, frame: Frame) -> State:
        """With columns for the metrics that are new."""
        old = state["names"].tolist()
        known = frozenset(old)
        there = np.asarray(np.isfinite(measured(frame.values)).any(axis=(0, 1)))
        seen = zip(frame.features, there.tolist(), strict=True)
        fresh = [name for name, was in seen if was and name not in known]
        fresh = sorted(fresh)[: max(0, self.most - len(old))]
        if not fresh:
            return state
        names = sorted([*old, *fresh])
        series, metrics = len(state["rows"]), len(names)
        at = np.array([names.index(name) for name in old], np.int64)
        both = np.concatenate([at, metrics + at]) if self.seasonal else at
        wider = self._columns(series, metrics)
        for name in ("rows", "due", "last", "counts"):
            wider[name] = state[name]
        for name in BY_METRIC:
            wider[name][..., at] = state[name]
        wider["centre"][:, both] = state["centre"]
        for name in ("covariance", "inverse"):
            wider[name][:, both[:, None], both] = state[name]
        return wider | {"names": np.array(names)}


BY_METRIC = ("seen", "scaling", "profile", "known", "past")
COLUMNS = (*BY_METRIC, "centre", "covariance", "inverse")


@kernel
def _relative(time: int, x: Array, out: Array, profile: Array, known: Array, hours: float) -> None:
    """x minus the profile of the day, linear between the hours' centres; then it is learned.

    With a gain of .1 for an hour that has passed: the profile is that of some ten days.
    """
    since = time % DAY
    first = (since + HOUR // 2) // HOUR - 1
    weight = (since - HOUR // 2 - first * HOUR) / HOUR
    second = first + 1 if first < 23 else 0
    first = first if first >= 0 else 23
    near = first if weight < 0.5 else second
    for j in range(len(x)):
        if not isfinite(x[j]):
            out[j] = np.nan
            continue
        if known[first, j] > 0 and known[second, j] > 0:
            usual = (1.0 - weight) * profile[first, j] + weight * profile[second, j]
        elif known[first, j] > 0:
            usual = profile[first, j]
        elif known[second, j] > 0:
            usual = profile[second, j]
        else:
            usual = x[j]
        out[j] = x[j] - usual
        if known[near, j] == 0:
            profile[near, j] = x[j]
        if known[near, j] < 65535:
            known[near, j] += 1
        gain = max(1.0 / known[near, j], PROFILE * hours)
        profile[near, j] += gain * (x[j] - profile[near, j])


@kernel
def _scaled(x: Array, y: Array, unit: Array, seen: Array, scaling: Array) -> None:
    """asinh of the deviation from a robust running mean, in units of a robust running scale."""
    mean, spread, low, high = scaling[0], scaling[1], scaling[2], scaling[3]
    for j in range(len(x)):
        y[j] = 0.0
        if not isfinite(x[j]):
            continue
        if seen[j] == 0:
            mean[j] = low[j] = high[j] = x[j]
        if seen[j] < 2147483647:
            seen[j] += 1
        low[j], high[j] = min(low[j], x[j]), max(high[j], x[j])
        away = x[j] - mean[j]
        scale = unit[j] = 1.2533 * spread[j] + FLOOR * (high[j] - low[j])
        if scale > 0.0:
            y[j] = asinh(away / scale)
        if seen[j] >= YOUNG:
            away = min(max(away, -4.0 * scale), 4.0 * scale)
        gain = max(1.0 / seen[j], 1.0 / MEMORY)
        mean[j] += gain * away
        spread[j] += gain * (abs(away) - spread[j])


@kernel
def _learn(
    v: Array, distance: float, rows: Array, counts: Array, centre: Array, covariance: Array
) -> None:
    """Centre, covariance and mean distance."""
    rows[0] += 1
    counts[0] = min(counts[0] + 1.0, MEMORY)
    gain = 1.0 / counts[0]
    counts[1] += gain * (distance - counts[1])
    for i in range(len(v)):
        centre[i] += gain * v[i]
        for j in range(len(v)):
            covariance[i, j] += gain * (v[i] * v[j] - covariance[i, j])


@kernel
def _join(x: Array, seen: Array, centre: Array, covariance: Array, inverse: Array) -> None:
    """A metric seen for the first time begins as if there had been no column for it before."""
    for j in range(len(x)):
        if seen[j] == 0 and isfinite(x[j]):
            for k in range(j, len(centre), len(x)):
                centre[k] = 0.0
                covariance[k, :] = covariance[:, k] = 0.0
                inverse[k, :] = inverse[:, k] = 0.0
                covariance[k, k], inverse[k, k] = 0.5, 1.0


@kernel
def _any(x: Array) -> bool:
    for j in range(len(x)):
        if isfinite(x[j]):
            return True
    return False


@kernel
def _walk(
    time: Array, x: Array, scores: Array, said: Array, most: int,
    rows: Array, last: Array, counts: Array, seen: Array, scaling: Array,
    profile: Array, known: Array, past: Array, centre: Array, covariance: Array, inverse: Array,
) -> int:  # fmt: skip
    """Score and learn rows until `most` were observed; how many were passed."""
    wide, metrics, back = len(centre), x.shape[1], past.shape[0]
    y, v, g = np.zeros(wide), np.zeros(wide), np.zeros(wide)
    relative, unit = np.zeros(metrics), np.zeros(metrics)
    passed = observed = 0
    while passed < len(x) and observed < most:
        t = passed
        passed += 1
        if not _any(x[t]):
            continue
        observed += 1
        _join(x[t], seen, centre, covariance, inverse)
        if back > 0:
            hours = min(max(time[t] - last[0], 0) / HOUR, 1.0)
            last[0] = time[t]
            _relative(time[t], x[t], relative, profile, known, hours)
            _scaled(relative, y[:metrics], unit, seen, scaling)
            y[metrics:] = past[0]
            past[: back - 1] = past[1:].copy()
            past[back - 1] = y[:metrics]
        else:
            _scaled(x[t], y, unit, seen, scaling)
        scores[t] = distance(y, centre, inverse, v, g)
        for j in range(metrics):
            if seen[j] > 0:  # else there is nothing in its column
                said[3, t, j] = abs(g[j]) / sqrt(inverse[j, j])
        if scores[t] > counts[1]:
            predict(x[t], y, unit, g, inverse, said[:, t])
        _learn(v, scores[t], rows, counts, centre, covariance)
    return passed
