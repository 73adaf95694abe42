"""Slowly leaving what is usual."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Frame, Scores, State
from amiss.kernel import borrowing


class Drift(Detector):
    """Size of the mean residual, in the unit of the series.

        residual <- residual + 2/(span + 1) (x - usual - residual)
        score = |residual|

    Finds what stays a little off for long and what no single sample shows. NaN changes
    nothing. O(1) memory, O(T S) time.
    """

    needs: ClassVar[tuple[str, ...]] = ("value", "usual")
    state_bytes: ClassVar[int] = 8

    type: Literal["drift"] = "drift"
    span: int = Field(60, ge=2)
    """Samples that the mean spans."""

    def init(self, series: int, features: int) -> State:
        """The mean residual."""
        return {"residual": np.zeros(series)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """|residual|, this sample included: a view of the sample, not of the past alone."""
        value = frame.column("value")
        scores = np.empty(value.shape)
        _drift(value, frame.column("usual"), 2.0 / (self.span + 1.0), scores, state["residual"])
        return state, Scores(frame.time, frame.keys, scores)


@borrowing
def _drift(value: Array, usual: Array, gain: float, scores: Array, residual: Array) -> None:
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            x = value[t, s]
            if not isfinite(x):
                scores[t, s] = np.nan
                continue
            residual[s] += gain * (x - usual[t, s] - residual[s])
            scores[t, s] = abs(residual[s])
