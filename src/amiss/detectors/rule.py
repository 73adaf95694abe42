"""What a person wrote: told whenever it holds."""

from collections.abc import Iterator
from math import inf, isfinite
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from amiss.component import Detector
from amiss.data import DAY, SECOND, Array, Floats, Frame, Scores, Severity, State, parse_key
from amiss.detecting import windows
from amiss.detecting.chosen import beside, chosen
from amiss.detecting.windows import Window
from amiss.kernel import kernel
from amiss.spans import Span
from amiss.words.units import write_days, write_number

OF = {
    "value": windows.SUM,
    "mean": windows.MEAN,
    "max": windows.MAX,
    "min": windows.MIN,
    "sum": windows.SUM,
    "count": windows.COUNT,
}
NEVER = np.iinfo(np.int64).min // 2


class Rule(Detector):
    """A threshold, a range, a rate of change, an absence or a ratio, that a person wrote.

    It is told wherever it holds, whatever is usual: it opens an incident or joins the one that is
    open, in its own words and with its severity. No calibration, warming up, price or silence
    holds it back; `for` is there to make it patient. Its incidents cost from the budget like all
    others, a day's budget at most.

    The value is first made a rate of change (`per`), then taken over a window (`of`, `over`),
    then divided by that of another metric with equal labels (`divided_by`), then compared. There
    is no opinion before a window has been filled once, nor where the series has no sample; only
    `absent` is about that. Sums and means over a window lie within a sixtieth of it
    (detecting/windows.py). With features `each` it is about fields of records that are numbers, and
    about their counts. Cost: O(T S), about 40 ns a sample, 10 times that with a window.
    """

    model_config = ConfigDict(
        serialize_by_alias=True, validate_by_name=True, validate_by_alias=True
    )

    apart: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ("value", "silent", "divisor")
    state_bytes: ClassVar[int] = 2 * 5 * 8 * windows.BUCKETS + 4 * 8

    type: Literal["rule"] = "rule"
    name: str = Field("", max_length=100)
    """What it is called in incidents; without one, what it says."""
    metric: str = Field(min_length=1, examples=["disk_used_percent"])
    """The series that it is about, by name; * stands for anything. Each is judged by itself."""
    where: dict[str, str] = Field({})
    """Labels that the series has, such as {mount: /var*}; * stands for anything."""
    of: Literal["value", "mean", "max", "min", "sum", "count"] = "value"
    """What of the samples in `over` is compared; `value` is each sample by itself."""
    over: Span | None = Field(None, gt=0)
    """How long the window of mean, max, min, sum and count is."""
    per: Span | None = Field(None, gt=0)
    """Compare the change in so long a time, from one sample to the next."""
    divided_by: str = ""
    """Divide by the metric of this name that has the same labels."""
    above: float | None = Field(None, allow_inf_nan=False, examples=[90])
    """It holds above this; with `below` between the two."""
    below: float | None = Field(None, allow_inf_nan=False)
    """It holds below this."""
    outside: tuple[float, float] | None = None
    """It holds below the first and above the second."""
    absent: Span | None = Field(None, gt=0, le=DAY)
    """It holds when nothing of the series has come for so long, a day at most."""
    lasting: Span = Field(0, alias="for", ge=0)
    """How long it must hold before it is told."""
    severity: Severity = "medium"
    """How bad that is: high, medium or low."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        for wrong in self._wrong():
            raise ValueError(wrong)
        return self

    def _wrong(self) -> Iterator[str]:
        bounds = [self.above is not None, self.below is not None]
        said = any(bounds) + (self.outside is not None) + (self.absent is not None)
        if not said:
            yield "a rule needs something to compare with: above, below, outside or absent"
        if said > 1:
            yield "write only one of above and below, outside, absent"
        if self.above is not None and self.below is not None and self.above >= self.below:
            yield (
                f"nothing is above {self.above:g} and below {self.below:g}; "
                f"write outside: [{self.below:g}, {self.above:g}]"
            )
        if self.outside is not None and not -inf < self.outside[0] < self.outside[1] < inf:
            yield "outside needs two numbers, the smaller one first, such as [10, 80]"
        if self.of != "value" and self.over is None:
            yield f"a {self.of} needs a window: write over: 5m"
        if self.of == "value" and self.over is not None:
            yield "over needs to know what of the window: write of: mean, max, min, sum or count"
        if self.divided_by and (self.of in ("max", "min", "count") or self.per):
            yield "divided_by goes with of: value, mean or sum, and without per"
        if self.absent is not None and (self.of != "value" or self.per or self.divided_by):
            yield "absent is about no value; leave out of, over, per and divided_by"

    @property
    def rule(self) -> tuple[str, Severity]:
        """Told wherever it holds."""
        return self.name or self.condition(), self.severity

    def condition(self) -> str:
        """What it says, in words: mean of status over 5 minutes above 400."""
        if self.absent is not None:
            return f"{self.metric} absent for {_span(self.absent)}"
        said = f"{self._what(self.metric)} {self._bounds()}"
        return said + (f" for {_span(self.lasting)}" if self.lasting else "")

    def _what(self, name: str) -> str:
        share = f" by {self.divided_by}" if self.divided_by else ""
        change = f"change of {name} in {_span(self.per)}" if self.per else f"{name}{share}"
        return f"{self.of} of {change} over {_span(self.over)}" if self.over else change

    def _bounds(self) -> str:
        if self.outside is not None:
            return f"outside {self._number(self.outside[0])} to {self._number(self.outside[1])}"
        if self.above is not None and self.below is not None:
            return f"between {self._number(self.above)} and {self._number(self.below)}"
        bound = self.below if self.above is None else self.above
        return f"{'below' if self.above is None else 'above'} {self._number(bound or 0.0)}"

    def _number(self, value: float) -> str:
        return write_number(value, "" if self.divided_by or self.of == "count" else self.metric)

    def chosen(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """Those that are called so."""
        return chosen(self.metric, self.where, keys)

    def beside(self, frame: Frame, keys: tuple[str, ...]) -> dict[str, Floats]:
        """What to divide by; NaN where there is none."""
        divisor = np.full((len(frame.time), len(keys)), np.nan)
        if self.divided_by:
            which = np.array(beside(self.divided_by, frame.keys, keys))
            divisor[:, which >= 0] = frame.values[:, which[which >= 0], 0]
        return {"divisor": divisor}

    def init(self, series: int, features: int) -> State:
        """No sample yet."""
        wanted = self.over is not None
        found: State = {f"own.{k}": a for k, a in windows.init(series, wanted).items()}
        other = windows.init(series, wanted and bool(self.divided_by))
        found |= {f"other.{k}": a for k, a in other.items()}
        found["last"] = np.full(series, np.nan)
        found["before"], found["first"] = np.full(series, NEVER), np.full(series, NEVER)
        return found | {"since": np.full(series, NEVER)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """1 where it holds, 0 where it does not; `blame` (T, S, 1) is what was compared."""
        if self.absent is not None:
            silent, seen = frame.column("silent"), np.isfinite(frame.column("value"))
            long = silent * SECOND >= self.absent + self.lasting
            held = np.where(~seen & long, 1.0, 0.0)
            held[~seen & np.isnan(silent)] = np.nan
            return state, Scores(frame.time, frame.keys, held, blame=silent[:, :, None])
        value, divisor = frame.column("value"), np.zeros((0, 0))
        if self.divided_by:
            divisor = frame.column("divisor")
        low, high = self.outside or (
            -inf if self.above is None else self.above,
            inf if self.below is None else self.below,
        )
        holds, found = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
        _rule(
            frame.time, value, divisor, bool(self.divided_by),
            OF[self.of], windows.width(self.over or 1), self.over or 0, self.per or 0,
            low, high, self.outside is not None, self.lasting, holds, found,
            windows.window(state, "own."), windows.window(state, "other."),
            *(state[name] for name in ("last", "before", "first", "since")),
        )  # fmt: skip
        return state, Scores(frame.time, frame.keys, holds, blame=found[:, :, None])

    def tell(self, frame: Frame, scores: Scores, t: int, s: int) -> str:
        """at 432, mean of 5 minutes, above 400 (rule "Too many errors")."""
        value = float(scores.blame[t, s, 0]) if scores.blame is not None else np.nan
        name = parse_key(frame.keys[s])[0]
        called = f' (rule "{self.name}")' if self.name else " (a rule)"
        if self.absent is not None:
            return f"absent for {write_days(value * SECOND / DAY)}{called}"
        said = [f"at {write_number(value, '' if self.of == 'count' or self.divided_by else name)}"]
        if self.divided_by:
            said[0] += f" of {self.divided_by.replace('_', ' ')}"
        if self.over:
            said.append(f"{self.of} over {_span(self.over)}")
        if self.per:
            said[0] = said[0].replace("at", "changing by", 1) + f" in {_span(self.per)}"
        lasting = f" for {_span(self.lasting)}" if self.lasting else ""
        return f"{', '.join([*said, self._bounds()])}{lasting}{called}"


def _span(ns: int | None) -> str:
    return write_days((ns or 0) / DAY)


@kernel
def _rule(
    time: Array, value: Array, divisor: Array, shared: bool,
    of: int, width: int, over: int, per: int,
    low: float, high: float, outside: bool, lasting: int, holds: Array, found: Array,
    own: Window, other: Window, last: Array, before: Array, first: Array, since: Array,
) -> None:  # fmt: skip
    ticks, series = value.shape
    for s in range(series):
        for t in range(ticks):
            now, y = time[t], divisor[t, s] if shared else 1.0
            x = _changed(value[t, s], now, per, s, last, before) if per > 0 else value[t, s]
            if not (isfinite(x) and isfinite(y)):
                continue
            if over > 0:
                at = now // width
                x = windows.latest(own, s, at, x, windows.SUM if shared else of)
                y = windows.latest(other, s, at, y, windows.SUM) if shared else 1.0
                if first[s] == NEVER or now < first[s]:
                    first[s] = now
                if now - first[s] < over - width:
                    continue
            if y == 0.0 or not isfinite(x / y):
                continue
            found[t, s] = x / y
            true = low < found[t, s] < high
            if outside:
                true = found[t, s] < low or found[t, s] > high
            holds[t, s] = _held(true, now, lasting, s, since)


@kernel
def _changed(x: float, now: int, per: int, s: int, last: Array, before: Array) -> float:
    """The change in `per` ns since the sample before; NaN for the first."""
    if not isfinite(x):
        return np.nan
    was, then = last[s], before[s]
    last[s], before[s] = x, now
    return (x - was) / (now - then) * per if now > then else np.nan


@kernel
def _held(true: bool, now: int, lasting: int, s: int, since: Array) -> float:
    """1 where it has been true for so long."""
    if not true:
        since[s] = NEVER
        return 0.0
    if since[s] == NEVER or since[s] > now:
        since[s] = now
    return 1.0 if now - since[s] >= lasting else 0.0
