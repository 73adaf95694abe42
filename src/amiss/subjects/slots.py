"""A table of subjects (a user, an address, two of them together), bounded. Pure.

A subject has a place among the eight that its hash allows. Where all are taken by subjects that
were seen within `ttl`, the one that was seen least recently leaves, and is counted.
"""

from typing import Any

import numpy as np

from amiss.data import Array, State
from amiss.kernel import kernel

WAYS = 8  # places that a hash allows
NEVER = np.iinfo(np.int64).min // 2
MIX, ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


def places(most: int) -> int:
    """Room for so many: the next power of two."""
    return 1 << max(most - 1, WAYS - 1).bit_length()


def init(most: int) -> State:
    """Nobody there yet."""
    room = places(most)
    return {"tag": np.zeros(room, np.int64), "seen": np.full(room, NEVER)}


def together(*columns: Array) -> Array:
    """Hashes (N,) of each column as one hash (N,); 0, which is nobody, where one of them is 0."""
    found = np.zeros(len(columns[0]), np.uint64)
    there = np.ones(len(columns[0]), np.bool_)
    for column in columns:
        found = (found ^ column.astype(np.uint64)) * MIX
        found ^= found >> np.uint64(31)
        there &= column != 0
    return np.where(there, found | np.uint64(1), np.uint64(0)).view(np.int64)


@kernel
def spread(key: int, places: int) -> int:
    """One of so many places, a power of two, by the hash of a key."""
    mixed = np.uint64(key) * ODD
    return int((mixed ^ (mixed >> np.uint64(29))) * MIX >> np.uint64(20)) & (places - 1)


@kernel
def place(tag: Array, seen: Array, gone: Array, key: int, now: int, ttl: int) -> tuple[int, Any]:
    """The place of a subject, and whether it is new there: what is kept of it is to be cleared."""
    begin = spread(key, len(tag)) & -WAYS
    oldest = begin
    for k in range(begin, begin + WAYS):
        if tag[k] == key:
            fresh = now - seen[k] > ttl
            seen[k] = now
            return k, fresh
        if seen[k] < seen[oldest]:
            oldest = k
    if tag[oldest] != 0 and now - seen[oldest] <= ttl:
        gone[0] += 1
    tag[oldest], seen[oldest] = key, now
    return oldest, True
