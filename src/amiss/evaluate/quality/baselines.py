"""What is simple: methods that anything worth running has to be better than.

Each is causal and sees the same rows: `start` of them to learn from, then those that are judged.
Each says -ln p of a row by the assumption of its textbook:

random            U uniform: -ln U
flag-all          every row is strange
|difference|      the difference to the row before is exponential: over its mean so far
EWMA z            what is left of a running mean is normal: -ln of its two-sided tail
isolation forest  scikit-learn's, fitted on the first `start` rows; its rank among their scores

With F columns it is the mean over them, but for the forest, which takes them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, isnan, log, sqrt
from typing import Protocol

import numpy as np

from amiss.data import Array, Floats
from amiss.kernel import kernel
from amiss.steps.judge import MOST

GAIN = 0.05  # of the running mean and variance
NORMAL = 25.0  # deviations from which the tail of the normal distribution is its asymptote


@dataclass(frozen=True, slots=True)
class Opinion:
    """Of T rows: a raw score of at least 0, and what the baseline itself takes it for."""

    raw: Floats  # (T,) any unit
    nats: Floats  # (T,) -ln p


class Baseline(Protocol):
    """A way to score rows."""

    def __call__(self, values: Floats, start: int) -> Opinion:
        """Rows (T, F), the first `start` of them the past -> what it says of each of T rows.

        A missing value is NaN, and leaves its column out; a row of nothing else is 0.
        """


def random(values: Floats, start: int) -> Opinion:
    """Numbers by chance, always the same ones."""
    chance = 1.0 - np.random.default_rng(0).random(len(values))
    return Opinion(1.0 - chance, -np.log(chance))


def flag_all(values: Floats, start: int) -> Opinion:
    """All rows alike."""
    return Opinion(np.ones(len(values)), np.full(len(values), MOST))


def difference(values: Floats, start: int) -> Opinion:
    """How far from the row before, over how far rows were apart so far."""
    return _mean(values, _difference)


def ewma_z(values: Floats, start: int) -> Opinion:
    """How far from a running mean, in running standard deviations."""
    return _mean(values, _ewma)


def isolation_forest(values: Floats, start: int) -> Opinion:
    """With the defaults of scikit-learn. A single column comes with its differences."""
    from sklearn.ensemble import IsolationForest

    rows = np.nan_to_num(values)
    if rows.shape[1] == 1:
        rows = np.column_stack([rows, np.diff(rows, axis=0, prepend=rows[:1])])
    forest = IsolationForest(random_state=0).fit(rows[:start])
    raw = -forest.score_samples(rows)
    return Opinion(np.maximum(raw - 0.5, 0.0), among(raw, start))


def among(raw: Floats, start: int) -> Floats:
    """-ln of how many of the first `start` scores (T,) are as high; what is above all keeps order.

    The plain conformal p-value: it goes no further than one in start + 1.
    """
    above = start - np.searchsorted(np.sort(raw[:start]), raw)
    order: Floats = 1e-3 * raw / (1.0 + np.abs(raw))
    nats: Floats = np.log((start + 1.0) / (above + 1.0)) + order
    return nats


BASELINES: Mapping[str, Baseline] = {
    "random": random,
    "flag-all": flag_all,
    "|difference|": difference,
    "EWMA z": ewma_z,
    "isolation forest": isolation_forest,
}


def _mean(values: Floats, step: object) -> Opinion:
    columns = np.ascontiguousarray(values, np.float64)
    raw, nats = (np.zeros(columns.shape) for _ in range(2))
    step(columns, raw, nats)  # type: ignore[operator]
    return Opinion(raw.mean(axis=1), nats.mean(axis=1))


@kernel
def _difference(values: Array, raw: Array, nats: Array) -> None:
    rows, columns = values.shape
    for f in range(columns):
        before, total, count = np.nan, 0.0, 0
        for t in range(rows):
            x = values[t, f]
            if isnan(x):
                continue
            if not isnan(before):
                far = abs(x - before)
                if total > 0.0:
                    raw[t, f] = nats[t, f] = far * count / total
                elif far > 0.0 and count > 0:
                    raw[t, f] = nats[t, f] = MOST
                total += far
                count += 1
            before = x


@kernel
def _ewma(values: Array, raw: Array, nats: Array) -> None:
    rows, columns = values.shape
    for f in range(columns):
        mean, variance = np.nan, 0.0
        for t in range(rows):
            x = values[t, f]
            if isnan(x):
                continue
            if isnan(mean):
                mean = x
                continue
            far = x - mean
            if variance > 0.0:
                z = abs(far) / sqrt(variance)
                raw[t, f] = z
                if z < NORMAL:
                    nats[t, f] = -log(erfc(z / sqrt(2.0)))
                else:
                    nats[t, f] = 0.5 * z * z + log(z * sqrt(np.pi / 2.0))
            mean += GAIN * far
            variance = (1.0 - GAIN) * (variance + GAIN * far * far)
