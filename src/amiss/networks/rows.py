"""History as rows to train on: sequences without gaps, those held out last in time."""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats, Times
from amiss.networks import gaps

HELD = 0.2  # of the rows: not trained on


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of all systems one after the other, in order of time."""

    place: tuple[Array, Array]  # (N,) tick and system of each
    sequence: Array  # (N,) number of the sequence without gaps that it belongs to
    held: Array  # (N,) whether it is held out: it is later than HELD of all rows are

    def windows(self, length: int) -> tuple[Array, Array]:
        """Rows at which windows of this length begin: those to train on, those to check with.

        What is checked is in the part held out; a window across its edge is left out.
        """
        first = np.arange(max(len(self.sequence) - length + 1, 0))
        last = first + length - 1
        whole = self.sequence[first] == self.sequence[last]
        return first[whole & ~self.held[last]], first[whole & self.held[first]]

    def longest(self) -> int:
        """The most rows to train on without a gap."""
        kept = self.sequence[~self.held]
        return int(np.bincount(kept).max()) if len(kept) else 0


def rows_of(time: Times, seen: Array, interval: Array) -> Rows:
    """From which systems were seen when, (T, S)."""
    known = gaps.init(seen.shape[1])
    first = np.zeros(seen.shape, np.bool_)
    gaps.breaks(time, seen, interval, known["last"], known["pace"], first)
    system, tick = np.nonzero(seen.T)
    begins = first[tick, system]
    when = np.sort(time[tick])
    edge = when[len(when) - 1 - int(HELD * len(when))] if len(when) else 0
    return Rows((tick, system), np.cumsum(begins), time[tick] > edge)


def often(values: Floats) -> Array:
    """Which metrics of (T, S, F) are seen in more than half of the rows that there are."""
    there = np.isfinite(values).reshape(-1, values.shape[2])
    found: Array = np.flatnonzero(there.sum(axis=0) > there.any(axis=1).sum() // 2)
    return found


def evenly(windows: Array, most: int) -> Array:
    """So many of the windows (N,) as they lie in time; some twice where there are fewer."""
    if not len(windows):
        return windows
    found: Array = windows[np.linspace(0, len(windows) - 1, most).astype(int)]
    return found
