"""History as rows to train on: sequences without gaps, those held out last in time."""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats, Frame, Times, measured
from amiss.networks import gaps
from amiss.networks.columns import observed
from amiss.networks.scaling import FARTHEST, Scaling

HELD = 0.2  # of the rows: not trained on
LEAST = 1e-3  # squared deviations: smaller errors are not told apart


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of all systems one after the other, in order of time."""

    place: tuple[Array, Array]  # (N,) tick and system of each
    sequence: Array  # (N,) number of the sequence without gaps that it belongs to
    held: Array  # (N,) whether it is held out, as the last HELD of all rows are

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


def history_rows(history: Frame, most: int) -> tuple[Rows, Array, Floats]:
    """Rows, which metrics are worth training on (F,), and their values (N, F); NaN is unseen.

    They are seen in more than half of the rows, and at least once in those to train on.
    """
    values = measured(history.values)
    kept = often(values)[:most]
    rows = rows_of(history.time, observed(values[:, :, kept]), gaps.usual(history.time))
    table = values[rows.place][:, kept]
    there = np.isfinite(table[~rows.held]).any(axis=0)
    return rows, kept[there], table[:, there]


def typical(errors: Floats, held: Array, scale: Scaling) -> Floats:
    """What squared errors (N, F) usually are (F,): their mean over the rows held out.

    Over all rows where there are none; 1 at least for what never moved.
    """
    found = np.where(scale.most < FARTHEST, 1.0, LEAST)
    for f in range(errors.shape[1]):
        own = looked_at(errors[:, f], held)
        if len(own):
            found[f] = max(found[f], float(own.mean()))
    return found


def looked_at(errors: Floats, held: Array) -> Floats:
    """Of errors (N,) those of rows held out, or of all where there are none; without NaN."""
    there = np.isfinite(errors)
    found: Floats = errors[there & held] if (there & held).any() else errors[there]
    return found


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
