"""What no plausible explanation covers."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Frame, Scores, State
from amiss.kernel import borrowing


class Surprise(Detector):
    """Smallest surprise over the plausible explanations.

        e = x - recent,  r = x - usual
        u = min(|e|, |r|) where both point the same way, else 0

    The return after an event is far from the recent samples but usual; a slow drift is unusual
    but recent; a real oddity is far from both. No memory of its own, O(T S) time, NaN in,
    NaN out. Its size is judged, not its rank.
    """

    needs: ClassVar[tuple[str, ...]] = ("value", "recent", "usual")
    calibration: ClassVar[Literal["rank", "size"]] = "size"
    state_bytes: ClassVar[int] = 0

    type: Literal["surprise"] = "surprise"

    def init(self, series: int, features: int) -> State:
        """Nothing to remember."""
        return {}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """u, with the recent value as what was expected."""
        value, recent = frame.column("value"), frame.column("recent")
        usual, scores = frame.column("usual"), np.empty(value.shape)
        _surprise(value.ravel(), recent.ravel(), usual.ravel(), scores.ravel())
        return state, Scores(frame.time, frame.keys, scores, expected=recent[:, :, None])


@borrowing
def _surprise(value: Array, recent: Array, usual: Array, scores: Array) -> None:
    for i in range(len(value)):
        e, r = value[i] - recent[i], value[i] - usual[i]
        u = min(abs(e), abs(r)) if (e > 0.0) == (r > 0.0) else 0.0
        scores[i] = u if isfinite(e) and isfinite(r) else np.nan
