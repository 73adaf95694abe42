"""Average records into ticks of equal length."""

from typing import Literal

import numpy as np
from pydantic import Field

from amiss.component import Features, Span
from amiss.data import SECOND, Array, Frame, Records, State, Strings, series_key


class Grid(Features):
    """One tick per `every`, one series per name and labels, the mean of its records as value.

    A tick is the interval (t - every, t] and is called t. It leaves once the source has promised
    that nothing of it is still to come (the watermark), or once a record `late` after its end has
    come. A record for a tick that has left is late: dropped and counted. If time jumps back
    by more than an hour, the clock was set back, and the grid begins anew there.
    Records with text are not numbers and pass by. O(N log N) time; memory is the open ticks.
    """

    type: Literal["grid"] = "grid"
    every: Span = Field(5 * SECOND, gt=0)
    """Length of a tick."""
    late: Span = Field(0, ge=0)
    """How long to wait for late records where the source promises nothing."""

    def init(self) -> State:
        """No record yet."""
        return {
            "time": np.zeros(0, np.int64),
            "key": np.zeros(0, "U1"),
            "value": np.zeros(0),
            "closed": np.full(1, np.iinfo(np.int64).min // 2),
            "late": np.zeros(1, np.int64),
        }

    def step(self, state: State, records: Records) -> tuple[State, Frame]:
        """(N,) records -> (T, S, 1) frame of the ticks that are complete."""
        number = np.ones(len(records), np.bool_) if records.text is None else records.text == ""
        key = np.concatenate([state["key"], keys_of(records)[number]])
        time = np.concatenate([state["time"], records.time[number]])
        value = np.concatenate([state["value"], records.value[number]])
        tick = -(-time // self.every)  # the end of (t - every, t], in ticks

        closed = int(state["closed"][0])
        newest = int(tick.max(initial=closed))
        if len(tick) and newest < closed - HOUR_BACK * 3600 * SECOND // self.every:
            closed = int(tick.min()) - 1
        if records.watermark is not None:
            last = records.watermark // self.every
        else:
            last = newest - 1 - self.late // self.every
        last = max(last, closed)
        done, rest = (tick <= last) & (tick > closed), tick > last
        late = int((tick <= closed).sum())
        frame = self._mean(tick[done], key[done], value[done])
        state = {
            "time": time[rest],
            "key": key[rest],
            "value": value[rest],
            "closed": np.array([last]),
            "late": state["late"] + late,
        }
        return state, frame

    def _mean(self, tick: Array, key: Strings, value: Array) -> Frame:
        """The mean of each tick and key; infinities count as not observed."""
        times, t = np.unique(tick, return_inverse=True)
        keys, s = np.unique(key, return_inverse=True)
        known = np.isfinite(value)
        cell = (t * len(keys) + s)[known]
        size = len(times) * len(keys)
        count = np.bincount(cell, minlength=size)
        total = np.bincount(cell, value[known], minlength=size)
        mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
        shape = (len(times), len(keys), 1)
        return Frame(times * self.every, tuple(keys.tolist()), ("value",), mean.reshape(shape))


HOUR_BACK = 0.5  # hours: a step back that is no late record


def keys_of(records: Records) -> Strings:
    """The series key of each record: equal label sets are put together once."""
    if not len(records):
        return np.zeros(0, "U1")
    names = sorted(records.labels)
    columns = [records.name, *(records.labels[name] for name in names)]
    known: dict[tuple[str, ...], str] = {}
    keys = []
    for row in zip(*(column.tolist() for column in columns), strict=True):
        if row not in known:
            known[row] = series_key(row[0], dict(zip(names, row[1:], strict=True)))
        keys.append(known[row])
    return np.array(keys)
