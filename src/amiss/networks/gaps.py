"""Where a sequence breaks: after a gap a system is begun anew."""

import numpy as np

from amiss.data import Array, Times
from amiss.kernel import kernel

LONG = 4  # intervals that make a gap
NEVER = -(1 << 62)


def init(series: int) -> dict[str, Array]:
    """Of each system the time of its last row, and how long it was since the one before, in ns."""
    return {"last": np.full(series, NEVER), "pace": np.zeros(series, np.int64)}


def usual(time: Times) -> Array:
    """The median of the times between rows (1,), 0 where there are none."""
    steps = np.diff(time)
    steps = steps[steps > 0]
    return np.array([int(np.median(steps)) if len(steps) else 0], np.int64)


@kernel
def breaks(
    time: Times, seen: Array, interval: Array, last: Array, pace: Array, first: Array
) -> None:
    """Whether a row (T, S) is the first of a sequence, to `first`; `last` and `pace` go on.

    It is where nothing was seen for more than four intervals, be it those that the model was
    trained at or those at which rows come now. Rows not `seen` (T, S) do not count.
    """
    for s in range(seen.shape[1]):
        for t in range(seen.shape[0]):
            first[t, s] = False
            if not seen[t, s]:
                continue
            away = time[t] - last[s]
            first[t, s] = last[s] == NEVER or away > LONG * max(interval[0], pace[s])
            if last[s] != NEVER:
                pace[s] = away
            last[s] = time[t]
