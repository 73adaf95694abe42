"""The last stretch of every series in memory: what charts show first and training needs most."""

import threading
from collections.abc import Callable

import numpy as np

from amiss.data import Array, Floats, Frame, Scores, Times
from amiss.store import Points
from amiss.store.chunks import empty, merge

COLUMNS = ("value", "score", "expected", "lower", "upper")
TICKS = 720
BYTES = 64 * 2**20


def join(recent: Points, stored: Callable[[int, int], Points], start: int, end: int) -> Points:
    """A series between two times in ns: what is in memory, and what is `stored` before it."""
    # of a clock that was set back there is more in the store, between what is in memory
    until, steady = end, bool((recent.time[1:] > recent.time[:-1]).all())
    if len(recent) and steady:
        until = min(end, int(recent.time[0]) - 1)
    found = recent[(recent.time >= start) & (recent.time <= end)]
    return merge([stored(start, until) if start <= until else empty(), found])


class Recent:
    """A ring of the last ticks of all series, capped in ticks and bytes. One writer only."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keys: tuple[str, ...] = ()
        self.time = np.zeros(0, np.int64)
        self.cells = np.zeros((0, 0, len(COLUMNS)), np.float32)
        self.used = 0  # ticks ever written

    def append(self, frame: Frame, scores: Scores) -> None:
        """Add (T, S, 1) values with their scores (T, S) and bands (T, S, 1)."""
        bands = (scores.expected, scores.lower, scores.upper)
        nothing = np.full(scores.values.shape, np.nan)
        shown = [nothing if band is None else band[:, :, 0] for band in bands]
        cells = np.stack([frame.values[:, :, 0], scores.values, *shown], axis=2)
        with self.lock, np.errstate(over="ignore"):
            if frame.keys != self.keys or not len(self.time):
                self._relayout(frame.keys)
            for t in range(len(frame.time)):
                row = self.used % len(self.time)
                self.time[row], self.cells[row] = frame.time[t], cells[t]
                self.used += 1

    def read(self, key: str) -> Points:
        """All that is there of one series, by time; empty if it is unknown."""
        with self.lock:
            if key not in self.keys:
                return Points(np.zeros(0, np.int64), *(np.zeros(0) for _ in COLUMNS))
            order = self._order()
            cells = self.cells[order, self.keys.index(key)].astype(float)
            return Points(self.time[order], *cells.T)

    def after(self, time: int) -> tuple[tuple[str, ...], Times, Floats, int]:
        """Keys, times (T,) and cells (T, S, 5) of the ticks after a time, and the oldest there is
        (ns); that is the greatest number if there is none.
        """
        with self.lock:
            order = self._order()
            oldest = int(self.time[order[0]]) if len(order) else np.iinfo(np.int64).max
            order = order[self.time[order] > time]
            return self.keys, self.time[order], self.cells[order].astype(float), oldest

    def frame(self, ticks: int) -> Frame:
        """The values of the last ticks, (T, S, 1)."""
        with self.lock:
            order = self._order()[-ticks:]
            values = self.cells[order, :, :1].astype(float)
            return Frame(self.time[order], self.keys, ("value",), values)

    def _order(self) -> Array:
        size = len(self.time)
        first = self.used % size if self.used > size else 0
        return (first + np.arange(min(self.used, size))) % max(size, 1)

    def _relayout(self, keys: tuple[str, ...]) -> None:
        """Room for other series; what is there of the ones that stay is kept."""
        per_tick = max(len(keys), 1) * len(COLUMNS) * 4
        size = int(min(TICKS, max(BYTES // per_tick, 12)))
        order = self._order()[-size:] if self.used else np.zeros(0, int)
        time = np.zeros(size, np.int64)
        cells = np.full((size, len(keys), len(COLUMNS)), np.nan, np.float32)
        old = {key: i for i, key in enumerate(self.keys)}
        both = [(i, old[key]) for i, key in enumerate(keys) if key in old]
        time[: len(order)] = self.time[order]
        if both and len(order):
            new_columns, old_columns = (list(column) for column in zip(*both, strict=True))
            cells[: len(order), new_columns] = self.cells[np.ix_(order, old_columns)]
        self.keys, self.time, self.cells, self.used = keys, time, cells, len(order)
