"""Far from where it has been for a month."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import DAY, SECOND, Array, Frame, Scores, State
from amiss.kernel import borrowing
from amiss.spans import Span


class Level(Detector):
    """Distance from the running mean, in the unit of the series.

        score = |x - mean|
        mean <- mean + min(max(1/n, dt/memory), 1) (x - mean)

    Not divided by a local scale: ranked against its own past, the raw distance tells more. NaN
    changes nothing. O(1) memory, O(T S) time.
    """

    needs: ClassVar[tuple[str, ...]] = ("value", "interval")
    state_bytes: ClassVar[int] = 12

    type: Literal["level"] = "level"
    memory: Span = Field(30 * DAY, gt=0)
    """How long the mean remembers."""

    def init(self, series: int, features: int) -> State:
        """A mean and a count."""
        return {"mean": np.zeros(series), "count": np.zeros(series, np.int32)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """|x - mean|, then learn x."""
        value = frame.column("value")
        scores = np.empty(value.shape)
        memory = self.memory / SECOND
        _level(value, frame.column("interval"), memory, scores, state["mean"], state["count"])
        return state, Scores(frame.time, frame.keys, scores)


@borrowing
def _level(
    value: Array, interval: Array, memory: float, scores: Array, mean: Array, count: Array
) -> None:
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            x = value[t, s]
            if not isfinite(x):
                scores[t, s] = np.nan
                continue
            if count[s] == 0:
                mean[s] = x
            if count[s] < 2147483647:
                count[s] += 1
            scores[t, s] = abs(x - mean[s])
            mean[s] += min(max(1.0 / count[s], interval[t, s] / memory), 1.0) * (x - mean[s])
