"""Events last: half of a score is what it was over the last rows."""

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel


def init(series: int, rows: int) -> State:
    """The last scores of each system, NaN where there were none."""
    return {"recent": np.full((series, rows), np.nan)}


@kernel
def last(scores: Floats, first: Array, recent: Floats) -> None:
    """Scores (T, S) become the mean of each and of those of the last rows, in place.

    NaN stays and is passed over; `first` (T, S) rows of a sequence forget those before.
    `recent` (S, rows), newest last, goes on.
    """
    rows = recent.shape[1]
    for s in range(scores.shape[1]):
        for t in range(scores.shape[0]):
            if first[t, s]:
                recent[s, :] = np.nan
            if np.isnan(scores[t, s]):
                continue
            for k in range(rows - 1):
                recent[s, k] = recent[s, k + 1]
            recent[s, rows - 1] = scores[t, s]
            total, count = 0.0, 0
            for k in range(rows):
                if not np.isnan(recent[s, k]):
                    total += recent[s, k]
                    count += 1
            scores[t, s] = (scores[t, s] + total / count) / 2.0
