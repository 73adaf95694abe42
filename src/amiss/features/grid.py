"""Average records into ticks of equal length."""

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field

from amiss.component import Features
from amiss.data import (
    AHEAD,
    HOUR,
    SECOND,
    Array,
    Floats,
    Frame,
    Records,
    State,
    Strings,
    measured,
    series_key,
)
from amiss.rates import slopes
from amiss.spans import Span
from amiss.text.dictionary import encoded

BACK = HOUR // 2  # a step back in time that no late record makes
KEPT = 3600.0  # seconds that a counter is known for after its last reading


class Grid(Features):
    """One tick per `every`, one series per name and labels, the mean of its records as value.

    A tick is the interval (t - every, t] and is called t. It leaves once the source has promised
    that nothing of it is still to come (the watermark), or once a record `late` after its end has
    come. A record for a tick that has left is late: dropped and counted. If the watermark falls
    back, or all records of a batch are more than half an hour too late, the clock was set back,
    and the grid begins anew there. A record an hour and more ahead of the watermark is from a
    clock that is wrong: dropped and counted. The order of records within a batch does not matter.
    Records with text are not numbers and pass by. O(N log N) time; memory is the open ticks.

    A series that only grows (`counters`) becomes its growth a second since its tick before, and
    nothing where it fell, as it was reset then. Memory is one reading of each.
    """

    type: Literal["grid"] = "grid"
    every: Span = Field(5 * SECOND, gt=0)
    """Length of a tick."""
    late: Span = Field(0, ge=0)
    """How long to wait for late records where the source promises nothing."""

    counters: tuple[str, ...] = ("*_total",)
    """Names of series that only grow, with * and ? if need be; of Prometheus's histograms and
    summaries also `*_count`, `*_sum` and `*_bucket`."""

    @property
    def grid(self) -> int:
        """The length of a tick."""
        return self.every

    def init(self) -> State:
        """No record yet."""
        return {
            "time": np.zeros(0, np.int64),
            "key": np.zeros(0, "U1"),
            "value": np.zeros(0),
            "closed": np.full(1, np.iinfo(np.int64).min // 2),
            "late": np.zeros(1, np.int64),
            "ahead": np.zeros(1, np.int64),
            "counter": np.zeros(0, "U1"),
            "counted": np.zeros(0),
            "when": np.zeros(0),
        }

    def step(self, state: State, records: Records) -> tuple[State, Frame]:
        """(N,) records -> (T, S, 1) frame of the ticks that are complete."""
        state = self.init() | state  # that of an older version knows no counters
        number = np.ones(len(records), np.bool_) if records.text is None else records.text == ""
        if records.watermark is not None:
            ahead = number & (records.time > records.watermark + AHEAD)
            state = state | {"ahead": state["ahead"] + ahead.sum()}
            number &= ~ahead
        names, key = _both(state["key"], *keys_of(records), number)
        time = np.concatenate([state["time"], records.time[number]])
        value = np.concatenate([state["value"], records.value[number]])
        closed, held, late = int(state["closed"][0]), len(state["time"]), 0
        came = len(time) > held
        if came and self._set_back(int(time[held:].max()), records.watermark, closed):
            # what is still open belongs to a time that is to come again
            key, time, value, late = key[held:], time[held:], value[held:], held
            closed = _tick(int(time.min()), self.every) - 1
        last = closed
        if records.watermark is not None:
            last = max(records.watermark // self.every, closed)
        elif came:
            last = max(_tick(int(time.max()) - self.late, self.every) - 1, closed)
        tick = _tick(time, self.every)
        done, rest = (tick <= last) & (tick > closed), tick > last
        late += int((tick <= closed).sum())
        frame = self._mean(tick[done], names, key[done], value[done])
        counters = {name: state[name] for name in ("counter", "counted", "when")}
        if any(map(self._grows, frame.keys)):
            when = self._mean(tick[done], names, key[done], _measured_at(time[done], value[done]))
            counters, frame = self._growth(counters, frame, when.values[:, :, 0])
        if len(frame.time) and len(counters["when"]):
            counters = _remembered(counters, frame.time[-1] / SECOND)
        state = {
            "time": time[rest],
            "key": names[key[rest]],
            "value": value[rest],
            "closed": np.array([last]),
            "late": state["late"] + late,
            "ahead": state["ahead"],
            **counters,
        }
        return state, frame

    def _grows(self, key: str) -> bool:
        name = key.partition("{")[0]
        return any(_fits(name, pattern) for pattern in self.counters)

    def _growth(self, state: State, frame: Frame, when: Floats) -> tuple[State, Frame]:
        """Counters as growth a second; `when` (T, S) is the mean time of their readings, in s."""
        mine = np.array([s for s, key in enumerate(frame.keys) if self._grows(key)])
        keys = [frame.keys[s] for s in mine]
        place = {key: i for i, key in enumerate(state["counter"].tolist())}
        row = np.array([place.get(key, -1) for key in keys])
        before = [
            np.where(row >= 0, np.append(state[name], np.nan)[row], np.nan)
            for name in ("counted", "when")
        ]
        reading = np.vstack([before[0][None], frame.values[:, mine, 0]])
        at = np.vstack([before[1][None], when[:, mine]])
        grown, last = slopes(reading, at, KEPT)
        values = frame.values.copy()
        values[:, mine, 0] = grown
        every = dict(zip(place, zip(state["counted"], state["when"], strict=True), strict=True))
        every |= {
            key: (reading[end, i], at[end, i])
            for i, (key, end) in enumerate(zip(keys, last, strict=True))
        }
        known = sorted(every)
        return {
            "counter": np.array(known, str),
            "counted": np.array([every[key][0] for key in known], np.float64),
            "when": np.array([every[key][1] for key in known], np.float64),
        }, replace(frame, values=values)

    def _set_back(self, newest: int, watermark: int | None, closed: int) -> bool:
        """Whether the clock was: a promise that falls behind an earlier one, or long lateness."""
        if watermark is not None:
            return watermark // self.every < closed and _tick(newest, self.every) <= closed
        return newest < closed * self.every - BACK

    def _mean(self, tick: Array, names: Strings, key: Array, value: Array) -> Frame:
        """The mean of each tick and key, one of `names`; what is no measurement counts as not
        observed.
        """
        times, t = _sorted(tick)
        there, s = _sorted(key)
        order = np.argsort(names[there])
        keys, s = names[there[order]], np.argsort(order)[s]
        known = np.isfinite(measured(value))
        cell = (t * len(keys) + s)[known]
        size = len(times) * len(keys)
        value = value[known]
        count = np.bincount(cell, minlength=size)
        if count.max(initial=0) > 2:  # a sum of more than two floats depends on their order
            order = np.lexsort((value, cell))
            cell, value = cell[order], value[order]
        total = np.bincount(cell, value, minlength=size)
        mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
        shape = (len(times), len(keys), 1)
        return Frame(times * self.every, tuple(keys.tolist()), ("value",), mean.reshape(shape))


def _remembered(counters: State, now: float) -> State:
    """Without those whose last reading is too long ago, or that never had one."""
    kept = now - counters["when"] <= KEPT
    names = np.array(counters["counter"][kept].tolist(), str)
    return {"counter": names, "counted": counters["counted"][kept], "when": counters["when"][kept]}


def _measured_at(time: Array, value: Array) -> Floats:
    """In seconds, of those that are measurements."""
    return np.where(np.isfinite(measured(value)), time / SECOND, np.nan)


@lru_cache(maxsize=100_000)
def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern)


T = TypeVar("T", int, Array)


def _tick(time: T, every: int) -> T:
    """The number of the tick (t - every, t] that a time lies in."""
    return -(-time // every)


def _sorted(numbers: Array) -> tuple[Array, Array]:
    """Each whole number once, in order, and which of them each of N is. O(N) if they are close."""
    if not len(numbers):
        return numbers, np.zeros(0, np.int64)
    first, last = int(numbers.min()), int(numbers.max())
    if last - first > 4 * len(numbers):
        found, which = np.unique(numbers, return_inverse=True)
        return found, which
    there = np.zeros(last - first + 1, np.bool_)
    there[numbers - first] = True
    return np.flatnonzero(there) + first, (np.cumsum(there) - 1)[numbers - first]


def keys_of(records: Records) -> tuple[Strings, Array]:
    """The keys of series (K,), and which of them each record has (N,)."""
    if not len(records):
        return np.zeros(0, "U1"), np.zeros(0, np.int64)
    names = tuple(sorted(records.labels))
    columns = [records.name, *(records.labels[name] for name in names)]
    first, which = encoded(*columns)
    rows = zip(*(column[first].tolist() for column in columns), strict=True)
    return np.array([_key(names, row) for row in rows]), which


def _both(held: Strings, keys: Strings, which: Array, number: Array) -> tuple[Strings, Array]:
    """Each key once, and which of them have the records that are held, and those that came."""
    both = np.concatenate([held, keys])
    first, place = encoded(both)
    came = place[len(held) :][which[number]] if len(keys) else np.zeros(0, np.int64)
    return both[first], np.concatenate([place[: len(held)], came])


@lru_cache(maxsize=100_000)
def _key(names: tuple[str, ...], row: tuple[str, ...]) -> str:
    """The key of a series from its name and the values of these labels; most come every tick."""
    return series_key(row[0], dict(zip(names, row[1:], strict=True)))
