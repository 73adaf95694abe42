"""What a subject does for the first time: a device, a rank, a place too far away. Pure.

first    (events + 1)/(different ones + 1) before it, of an item that is not among the latest 16;
         0 of a known one, and in the first event of a subject
risen    events of the subject so far, where its rank is higher than ever before
speed    great-circle distance from the place before over the time since, km/h; 0 below 100 km,
         which is how far off places of addresses are; a time below a minute counts as one
"""

from math import asin, cos, isfinite, radians, sin, sqrt

import numpy as np

from amiss.data import HOUR, MINUTE, Array, Floats, State, Times
from amiss.kernel import inlined, kernel
from amiss.subjects import slots
from amiss.subjects.slots import place

ITEMS = 16
EARTH = 6371.0  # km, its radius
NEAR = 100.0  # km


def init_first(most: int) -> State:
    """Nobody has anything yet."""
    table = slots.init(most)
    room = len(table["tag"])
    return table | {
        "events": np.zeros(room, np.int64),
        "different": np.zeros(room, np.int64),
        "item": np.zeros((room, ITEMS), np.int64),
    }


def init_risen(most: int) -> State:
    """Nobody has a rank yet."""
    table = slots.init(most)
    room = len(table["tag"])
    return table | {"events": np.zeros(room, np.int64), "rank": np.full(room, -np.inf)}


def init_speed(most: int) -> State:
    """Nobody is anywhere yet."""
    table = slots.init(most)
    room = len(table["tag"])
    return table | {
        "since": np.zeros(room, np.int64),
        "latitude": np.zeros(room),
        "longitude": np.zeros(room),
    }


def first(state: State, gone: Array, time: Times, key: Array, item: Array, ttl: int) -> Floats:
    """How much a new item says (N,). Hashes of 0 are nobody and nothing. Cost: 30 ns an event."""
    out = np.zeros(len(time))
    _first(time, key, item, ttl, out, gone, *(state[name] for name in init_first(1)))
    return out


def risen(state: State, gone: Array, time: Times, key: Array, rank: Floats, ttl: int) -> Floats:
    """How much a higher rank says (N,); a NaN is none."""
    out = np.zeros(len(time))
    _risen(time, key, rank, ttl, out, gone, *(state[name] for name in init_risen(1)))
    return out


def speed(state: State, gone: Array, time: Times, key: Array, where: Floats, ttl: int) -> Floats:
    """km/h (N,) between the places (N, 2), degrees north and east; NaN is nowhere."""
    out = np.zeros(len(time))
    _speed(time, key, where, ttl, out, gone, *(state[name] for name in init_speed(1)))
    return out


@kernel
def _first(
    time: Array, key: Array, item: Array, ttl: int, out: Array, gone: Array,
    tag: Array, seen: Array, events: Array, different: Array, items: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        if key[t] == 0 or item[t] == 0:
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        if fresh:
            events[at], different[at], items[at] = 0, 0, 0
        known = False
        for k in range(ITEMS):
            if items[at, k] == item[t]:
                known = True
        if not known:
            if events[at] > 0:
                out[t] = (events[at] + 1.0) / (different[at] + 1.0)
            items[at, different[at] % ITEMS] = item[t]
            different[at] += 1
        events[at] += 1


@kernel
def _risen(
    time: Array, key: Array, rank: Array, ttl: int, out: Array, gone: Array,
    tag: Array, seen: Array, events: Array, highest: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        if key[t] == 0:
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        if fresh:
            events[at], highest[at] = 0, -np.inf
        if rank[t] > highest[at]:
            out[t], highest[at] = events[at], rank[t]
        events[at] += 1


@inlined
def _distance(north: float, east: float, other_north: float, other_east: float) -> float:
    """Kilometres between two places (the haversine)."""
    a, b = radians(north), radians(other_north)
    up, along = sin((b - a) / 2.0), sin(radians(other_east - east) / 2.0)
    return 2.0 * EARTH * asin(sqrt(min(up * up + cos(a) * cos(b) * along * along, 1.0)))


@kernel
def _speed(
    time: Array, key: Array, where: Array, ttl: int, out: Array, gone: Array,
    tag: Array, seen: Array, since: Array, latitude: Array, longitude: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        north, east = where[t, 0], where[t, 1]
        if key[t] == 0 or not (isfinite(north) and isfinite(east)):
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        if not fresh:
            far = _distance(latitude[at], longitude[at], north, east)
            if far >= NEAR:
                out[t] = far / (max(time[t] - since[at], MINUTE) / HOUR)
        since[at], latitude[at], longitude[at] = time[t], north, east
