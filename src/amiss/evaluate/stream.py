"""`amiss.Stream`: samples as they come, one by one."""

from typing import NamedTuple, Self

import numpy as np

from amiss import memory
from amiss.data import SECOND, Array, Floats
from amiss.decide.fuse import p_of
from amiss.errors import ConfigError, StateError
from amiss.evaluate.scorer import a_week
from amiss.evaluate.tick import PLANES, SAID, fresh, tick
from amiss.evaluate.times import LARGEST
from amiss.steps.judge import States

ALIGNED = 8  # bytes


class Opinion(NamedTuple):
    """What is thought of a sample. NaN is nothing: a value is missing, or there is no band yet."""

    score: float  # nats, -ln p
    p: float
    expected: float
    lower: float
    upper: float
    alert: bool


class Stream:
    """Judges each sample of a series as it comes, by what came before it, and learns it.

    It says what `amiss.score` says of the same samples in one piece. Several series that share
    their times are judged together: `Stream(3)`. Memory does not grow, and takes about 1.6 kB a
    series. Cost: some microseconds a call and .5 us a series. Not for two threads at once.
    """

    def __init__(self, series: int = 1, *, budget: str = "1/week") -> None:
        """A memory of so many series never seen before; alerts to put up with, of each.

        Raises ConfigError for a budget that is none, and for no series at all.
        """
        if series < 1:
            raise ConfigError(f"series: at least one is wanted, not {series}")
        self.series, self._a_week = series, a_week(budget, "budget")
        self._states, self._bytes, self._at = _laid_out(fresh(series))
        self._time = np.zeros(1, np.int64)
        self._planes = np.zeros((PLANES, 1, series))
        self._flags = np.zeros((2, 1, series), np.bool_)
        self._said = self._planes[SAID, 0]

    def observe(self, time: float, value: float) -> Opinion:
        """Judge one sample, at a time in Unix seconds. For a stream of one series.

        A NaN is a missing sample: nothing is thought of it, and nothing learned. ValueError for
        a time that is none or beyond the year 2261.
        """
        if self.series != 1:
            raise ValueError(f"there are {self.series} series: call observe_all")
        self._planes[0, 0, 0] = value
        self._step(time)
        score, expected, lower, upper = self._said[:, 0].tolist()
        p = float(np.exp(-score)) if score > 0.0 else score * 0.0 + 1.0  # NaN stays
        return Opinion(score, p, expected, lower, upper, bool(self._flags[0, 0, 0]))

    def observe_all(self, time: float, values: Floats) -> Array:
        """Judge a sample of each series (S,): an array (S,) with the fields of an `Opinion`."""
        if np.shape(values) != (self.series,):
            raise ValueError(f"{self.series} values are wanted, not shape {np.shape(values)}")
        self._planes[0, 0] = values
        self._step(time)
        kinds = {"alert": np.bool_}
        found = np.empty(self.series, [(n, kinds.get(n, np.float64)) for n in Opinion._fields])
        score, *bands = self._said
        said = (score, p_of(score), *bands, self._flags[0, 0])
        for name, column in zip(Opinion._fields, said, strict=True):
            found[name] = column
        return found

    def dump(self) -> bytes:
        """What it remembers, as an `.npz` without code."""
        return memory.dump(self._states)

    @classmethod
    def load(cls, snapshot: bytes, *, budget: str = "1/week") -> Self:
        """A stream that goes on from what `dump` gave.

        Raises StateError if that is damaged, or is of another version of Amiss.
        """
        states = memory.load(snapshot)
        stream = cls(max(len(states.get("ration", {}).get("last", ())), 1), budget=budget)
        for name, state in stream._states.items():
            for column, kept in state.items():
                array = states.get(name, {}).get(column)
                if array is None or (array.dtype, array.shape) != (kept.dtype, kept.shape):
                    raise StateError("a stored stream is of another version of Amiss")
                kept[...] = array
        return stream

    def _step(self, time: float) -> None:
        if not abs(time) <= LARGEST:
            raise ValueError(f"the time {time} is not between the years 1678 and 2261")
        self._time[0] = round(float(time) * SECOND)
        tick(self._bytes, self._at, self._time, self._planes, self._flags, self._a_week)


def _laid_out(states: States) -> tuple[States, Array, Array]:
    """The same states in one array of bytes, that array, and where each column begins in it."""
    columns = [a for state in states.values() for a in state.values()]
    at = np.cumsum([0, *(-(-a.nbytes // ALIGNED) * ALIGNED for a in columns)], dtype=np.int64)
    whole = np.zeros(int(at[-1]), np.uint8)
    views = [
        np.ndarray(a.shape, a.dtype, whole, k) for a, k in zip(columns, at.tolist(), strict=False)
    ]
    for view, a in zip(views, columns, strict=True):
        view[...] = a
    own = iter(views)
    return {name: {c: next(own) for c in state} for name, state in states.items()}, whole, at
