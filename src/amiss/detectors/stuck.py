"""Standing still for longer than it ever did."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import DAY, SECOND, Array, Frame, Scores, State, parse_key
from amiss.detecting import longest
from amiss.detecting.chosen import chosen
from amiss.kernel import kernel
from amiss.spans import Span
from amiss.words.units import write_days, write_number


class Stuck(Detector):
    """The same number again and again, in a series that otherwise moves: a sensor that hangs.

        score = ln(n + 1) + ln(k/L)      for k equal samples in a row, k > `times` L
        score = 0                        otherwise

    for n runs of equal samples that ended, the longest of them L (detecting/longest.py). No opinion
    in series that moved less than 30 times: constants are never told. NaN changes nothing: a gap
    is no movement. Told in words, not fused with others. O(1) memory, O(T S) time.
    """

    apart: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ("value", "interval")
    state_bytes: ClassVar[int] = 32

    type: Literal["stuck"] = "stuck"
    metric: str = Field("*", min_length=1)
    """The series that it is about, by name; * stands for anything."""
    where: dict[str, str] = Field({})
    """Labels that the series has; * stands for anything."""
    times: float = Field(2.0, ge=1)
    """How many times as long as ever before it must stand."""
    least: int = Field(10, ge=2)
    """Equal samples in a row that are no wonder."""
    memory: Span = Field(30 * DAY, gt=0)
    """How long earlier runs count."""

    def chosen(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """Those that are called so."""
        return chosen(self.metric, self.where, keys)

    def init(self, series: int, features: int) -> State:
        """No sample yet."""
        return {
            "last": np.full(series, np.nan),
            "run": np.zeros(series),
            "ended": np.zeros(series),
            "longest": np.zeros(series),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Nats; `blame` (T, S, 2) is how long it has stood and how long it ever did, in seconds."""
        value, interval = frame.column("value"), frame.column("interval")
        scores, spans = np.full(value.shape, np.nan), np.full((*value.shape, 2), np.nan)
        memory = self.memory / SECOND
        _stuck(
            value, interval, self.times, self.least, memory, scores, spans,
            state["last"], state["run"], state["ended"], state["longest"],
        )  # fmt: skip
        return state, Scores(frame.time, frame.keys, scores, blame=spans)

    def tell(self, frame: Frame, scores: Scores, t: int, s: int) -> str:
        """has stood at 37 °C for 12 minutes (never before for more than 40 s)."""
        name = parse_key(frame.keys[s])[0]
        stood, ever = (0.0, 0.0) if scores.blame is None else scores.blame[t, s].tolist()
        at = write_number(float(frame.column("value")[t, s]), name)
        before = write_days(ever * SECOND / DAY)
        return (
            f"has stood at {at} for {write_days(stood * SECOND / DAY)} "
            f"(for {before} at most before)"
        )


LEAST_RUNS = 30


@kernel
def _stuck(
    value: Array, interval: Array, times: float, least: int, memory: float,
    scores: Array, spans: Array, last: Array, run: Array, ended: Array, longest_: Array,
) -> None:  # fmt: skip
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            v, dt = value[t, s], interval[t, s]
            if not isfinite(v):
                continue
            if isfinite(dt):
                ended[s] = longest.faded(ended[s], dt, memory)
                longest_[s] = longest.faded(longest_[s], dt, memory)
            if v == last[s]:
                run[s] += 1.0
            else:
                if run[s] > 0.0:
                    ended[s] += 1.0
                    longest_[s] = max(longest_[s], run[s])
                last[s], run[s] = v, 1.0
            scores[t, s] = 0.0
            spans[t, s, 0], spans[t, s, 1] = run[s] * dt, longest_[s] * dt
            strange = run[s] > max(times * longest_[s], float(least))
            if strange and ended[s] >= LEAST_RUNS:
                scores[t, s] = longest.nats(run[s], longest_[s], ended[s])
