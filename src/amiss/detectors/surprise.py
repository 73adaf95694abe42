"""What no plausible explanation covers."""

from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import Frame, Scores, State


class Surprise(Detector):
    """Smallest surprise over the plausible explanations.

    e = x - recent, r = x - usual;  u = min(|e|, |r|) where both point the same way, else 0.
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
        e, r = value - recent, value - frame.column("usual")
        least = np.minimum(np.abs(e), np.abs(r))
        agree = np.sign(e) * np.sign(r) >= 0.0  # NaN stays NaN: the comparison is false
        scores = np.where(agree | np.isnan(least), least, 0.0)
        return state, Scores(frame.time, frame.keys, scores, expected=recent[:, :, None])
