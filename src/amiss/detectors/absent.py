"""Silent for longer than it ever was."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import DAY, SECOND, Array, Frame, Scores, State
from amiss.detecting import longest
from amiss.detecting.chosen import chosen
from amiss.kernel import kernel
from amiss.spans import Span
from amiss.words.units import write_days


class Absent(Detector):
    """A series that came regularly and stopped.

        score = ln(n + 1) + ln(k/L)      for a silence of k seconds, k > `times` L
        score = 0                        otherwise

    for n silences between two samples that ended, the longest of them L (detecting/longest.py). No
    opinion before 30 samples, nor after `gone`: then it is no longer expected. If a whole source
    falls silent, what it promised (its watermark) says how late it is. Told in words, not fused
    with others; the length of a silence is read at ticks without a sample. O(1) memory, O(T S)
    time.
    """

    apart: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ("value", "silent")
    state_bytes: ClassVar[int] = 24

    type: Literal["absent"] = "absent"
    metric: str = Field("*", min_length=1)
    """The series that it is about, by name; * stands for anything."""
    where: dict[str, str] = Field({})
    """Labels that the series has; * stands for anything."""
    times: float = Field(3.0, ge=1)
    """How many times as long as ever before it must be silent."""
    gone: Span = Field(DAY, gt=0, le=DAY)
    """Silence after which it is no longer expected."""
    memory: Span = Field(30 * DAY, gt=0)
    """How long earlier silences count."""

    def chosen(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """Those that are called so."""
        return chosen(self.metric, self.where, keys)

    def init(self, series: int, features: int) -> State:
        """No sample yet."""
        return {name: np.zeros(series) for name in ("ended", "longest", "usual")}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Nats; `blame` (T, S, 3): seconds of silence, the longest before, and the mean of them."""
        value, silent = frame.column("value"), frame.column("silent")
        scores, spans = np.full(value.shape, np.nan), np.full((*value.shape, 3), np.nan)
        _absent(
            value, silent, self.times, self.gone / SECOND, self.memory / SECOND, scores, spans,
            state["ended"], state["longest"], state["usual"],
        )  # fmt: skip
        return state, Scores(frame.time, frame.keys, scores, blame=spans)

    def tell(self, frame: Frame, scores: Scores, t: int, s: int) -> str:
        """has been silent for 12 minutes (a sample every 30 s expected)."""
        spans = [0.0] * 3 if scores.blame is None else scores.blame[t, s].tolist()
        silent, ever, usual = (write_days(span * SECOND / DAY) for span in spans)
        most = "" if ever == usual else f", {ever} at most before"
        return f"has been silent for {silent} (a sample every {usual} expected{most})"


LEAST_SEEN = 30


@kernel
def _absent(
    value: Array, silent: Array, times: float, gone: float, memory: float,
    scores: Array, spans: Array, ended: Array, longest_: Array, usual: Array,
) -> None:  # fmt: skip
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            gap = silent[t, s]
            if not isfinite(gap):
                continue
            if isfinite(value[t, s]):
                ended[s] = longest.faded(ended[s], gap, memory) + 1.0
                longest_[s] = max(longest.faded(longest_[s], gap, memory), gap)
                usual[s] += (gap - usual[s]) / min(ended[s], 1000.0)
                scores[t, s] = 0.0
                continue
            if gap > gone or ended[s] < LEAST_SEEN:
                continue
            spans[t, s, 0], spans[t, s, 1], spans[t, s, 2] = gap, longest_[s], usual[s]
            strange = gap > times * longest_[s] and longest_[s] > 0.0
            scores[t, s] = longest.nats(gap, longest_[s], ended[s]) if strange else 0.0
