"""Far from the sample before."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Frame, Scores, State
from amiss.kernel import borrowing


class Step(Detector):
    """Distance from the previous sample, in the unit of the series.

        score = |x - last|

    NaN changes nothing: after a gap the last sample seen counts. O(1) memory, O(T S) time.
    """

    state_bytes: ClassVar[int] = 8

    type: Literal["step"] = "step"

    def init(self, series: int, features: int) -> State:
        """The last sample; NaN before the first."""
        return {"last": np.full(series, np.nan)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """|x - last|, 0 for the first sample, then remember x."""
        value = frame.column("value")
        scores = np.empty(value.shape)
        _step(value, scores, state["last"])
        return state, Scores(frame.time, frame.keys, scores)


@borrowing
def _step(value: Array, scores: Array, last: Array) -> None:
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            x = value[t, s]
            if not isfinite(x):
                scores[t, s] = np.nan
                continue
            scores[t, s] = abs(x - last[s]) if last[s] == last[s] else 0.0
            last[s] = x
