"""The history that an installation keeps, as the records that it was made of."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import MINUTE, Frame, Records, parse_key
from amiss.errors import StateError
from amiss.evaluate.recording import MOST, batches
from amiss.store import Store
from amiss.store.history import Series

CELLS = 1 << 20  # read at once, on average


@dataclass(frozen=True, slots=True)
class Kept:
    """The history of some series. Values have 24 bits there, and no text is kept."""

    store: Store
    name: str
    series: tuple[Series, ...]
    most: int = MOST

    @property
    def first(self) -> int:
        """ns, of the first point."""
        return min(one.first for one in self.series)

    @property
    def last(self) -> int:
        """ns, of the last point."""
        return max(one.last for one in self.series)

    def records(self, start: int, end: int) -> Iterator[Records]:
        """See Recording. Raises Unreachable or StateError of the store."""
        start, end = max(start, self.first), min(end, self.last)
        points = sum(one.points for one in self.series)
        window = max((self.last - self.first + 1) * CELLS // max(points, 1), MINUTE)
        for at in range(start, end + 1, window):
            until = min(at + window - 1, end)
            keys = [one.key for one in self.series if one.first <= until and one.last >= at]
            if not keys:
                continue
            frame, ticks = self.store.past(keys, at, until), max(MOST // len(keys), 1)
            for t in range(0, len(frame.time), ticks):
                yield from batches(records_of(frame[t : t + ticks]), self.most)


def records_of(frame: Frame) -> Records:
    """The numbers of a frame (T, S, 1) as records; NaN is none."""
    parsed = [parse_key(key) for key in frame.keys]
    t, s = np.nonzero(np.isfinite(frame.values[:, :, 0]))
    known = dict.fromkeys(label for _, labels in parsed for label in labels)
    labels = {
        label: np.array([said.get(label, "") for _, said in parsed], str)[s] for label in known
    }
    name = np.array([name for name, _ in parsed], str)[s]
    return Records(frame.time[t], name, frame.values[t, s, 0], labels)


def series_of(store: Store, pipeline: str, others: Collection[str]) -> Sequence[Series]:
    """The series that a pipeline keeps the history of: those that no other one has seen.

    Of those that it has seen itself, too, if the store knows of both. Memory that is damaged
    says nothing.
    """
    mine = _seen(store, pipeline)
    taken = set().union(*(_seen(store, other) for other in others)) - mine
    return [one for one in store.series() if one.key not in taken]


def _seen(store: Store, pipeline: str) -> set[str]:
    try:
        return set(store.load(pipeline).states.get("series", {}).get("keys", np.zeros(0)).tolist())
    except StateError:
        return set()
