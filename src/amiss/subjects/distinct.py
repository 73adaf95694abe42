"""How many different ones, and how many in all, a subject had within a window. Pure.

`many` keeps for each of 256 places that the hash of an item allows when it was hit last; c of them
within the window are

    n = -256 ln(1 - c/256),  c at most 255

items (linear counting: Whang, Vander-Zanden and Taylor, ACM Transactions on Database Systems
1990). Its standard error is sqrt(256 (e^t - t - 1))/n of n = 256 t: 4.5 % of 50, 5 % of 256, 8 % of
700; 1,420 is the most it says. `often` counts in a window of ten parts, the first of which goes
as a whole.
"""

from math import log

import numpy as np

from amiss.data import SECOND, Array, State, Times
from amiss.kernel import kernel
from amiss.subjects import slots
from amiss.subjects.slots import place, spread

PLACES = 256
PARTS = 10


def init(most: int) -> State:
    """Nothing seen: 1 kB for each of `most` subjects."""
    table = slots.init(most)
    return table | {"hit": np.zeros((len(table["tag"]), PLACES), np.uint32)}


def init_often(most: int) -> State:
    """Nothing counted."""
    table = slots.init(most)
    room = len(table["tag"])
    return table | {
        "count": np.zeros((room, PARTS), np.int32),
        "part": np.zeros((room, PARTS), np.int64),
    }


def many(
    state: State, gone: Array, time: Times, key: Array, item: Array, window: int, ttl: int
) -> Array:
    """Different items (N,) of each subject within `window` ns, where one is new among them.

    0 where it is not, and where the hash of subject or item is 0. Cost: some 100 ns an event.
    """
    out = np.zeros(len(time))
    tables = state["tag"], state["seen"], state["hit"]
    _many(time, key, item, window // SECOND, max(ttl, window), out, gone, *tables)
    return out


def often(
    state: State,
    gone: Array,
    time: Times,
    key: Array,
    adds: Array,
    asks: Array,
    window: int,
    ttl: int,
) -> Array:
    """How many events that count (`adds`) a subject had within `window`, where one `asks`; else 0.

    One that counts and asks counts itself. Cost: some 30 ns an event.
    """
    out = np.zeros(len(time))
    tables = state["tag"], state["seen"], state["count"], state["part"]
    _often(time, key, adds, asks, window // PARTS, max(ttl, window), out, gone, *tables)
    return out


@kernel
def _many(
    time: Array, key: Array, item: Array, window: int, ttl: int,
    out: Array, gone: Array, tag: Array, seen: Array, hit: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        if key[t] == 0 or item[t] == 0:
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        if fresh:
            hit[at] = 0
        now = min(time[t] // SECOND, 4294967295)
        first, mine = np.uint32(max(now - window + 1, 1)), spread(item[t], PLACES)
        known = hit[at, mine] >= first
        hit[at, mine] = now
        if known:
            continue
        count = np.uint32(0)
        for k in range(PLACES):
            count += np.uint32(hit[at, k] >= first)
        share = min(float(count), PLACES - 1.0) / PLACES
        out[t] = round(-PLACES * log(1.0 - share))


@kernel
def _often(
    time: Array, key: Array, adds: Array, asks: Array, width: int, ttl: int,
    out: Array, gone: Array, tag: Array, seen: Array, count: Array, part: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        if key[t] == 0 or not (adds[t] or asks[t]):
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        if fresh:
            count[at] = 0
        now = time[t] // width
        if adds[t]:
            if part[at, now % PARTS] != now:
                part[at, now % PARTS], count[at, now % PARTS] = now, 0
            count[at, now % PARTS] += 1
        if asks[t]:
            for k in range(PARTS):
                if part[at, k] > now - PARTS:
                    out[t] += count[at, k]
