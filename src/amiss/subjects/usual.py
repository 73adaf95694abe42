"""How far a number is beyond what its subject usually reaches in a day. Pure.

    z = ln((a + x)/(a + u)),  at least 0

u is the largest x of the first day on which a subject was there; after each later one, half way up
to the day's largest if that is more, an eighth of the way down if it is less. In its first day it
is the mean of what all others have reached, and of one more that has done nothing. `a` is what is
no difference: 1 of counts. All in the logarithm of a + x.
"""

from math import log

import numpy as np

from amiss.data import DAY, Array, Floats, State, Times
from amiss.kernel import kernel
from amiss.subjects import slots
from amiss.subjects.slots import place

UP, DOWN = 0.5, 0.125


def init(most: int) -> State:
    """Nobody known yet."""
    table = slots.init(most)
    room = len(table["tag"])
    return table | {
        "day": np.zeros(room, np.int64),
        "largest": np.zeros(room),
        "usual": np.full(room, np.nan),
        "part": np.full(room, -1.0),  # of the total
        "total": np.zeros(2),  # of all subjects, and how many they are
    }


def beyond(
    state: State, gone: Array, time: Times, key: Array, x: Floats, a: float, ttl: int
) -> Floats:
    """z (N,). A key of 0 is nobody: 0. Cost: some 40 ns an event."""
    out = np.zeros(len(time))
    _beyond(time, key, x, a, ttl, out, gone, *(state[name] for name in init(1)))
    return out


@kernel
def _beyond(
    time: Array, key: Array, x: Array, a: float, ttl: int, out: Array, gone: Array,
    tag: Array, seen: Array, days: Array, largest: Array, usual: Array, part: Array, total: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        if key[t] == 0:
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        day, now = time[t] // DAY, log(a + x[t]) - log(a)
        if fresh:
            if part[at] >= 0.0:  # of whom was there before
                total[0] -= part[at]
                total[1] -= 1.0
            days[at], largest[at], usual[at], part[at] = day, 0.0, np.nan, 0.0
            total[1] += 1.0
        if day != days[at]:
            away = largest[at] - usual[at]
            if np.isnan(away):
                usual[at] = largest[at]
            else:
                usual[at] += away * (UP if away > 0.0 else DOWN)
            days[at], largest[at] = day, 0.0
        before = (total[0] - part[at]) / total[1] if np.isnan(usual[at]) else usual[at]
        out[t] = max(now - before, 0.0)
        largest[at] = max(largest[at], now)
        reached = largest[at] if np.isnan(usual[at]) else max(largest[at], usual[at])
        total[0] += reached - part[at]
        part[at] = reached
