"""64-bit hashes, and tables of counts by them, compiled.

A table is one array of cells, a power of two of them, with open addressing: the upper 40 bits of
a cell are those of the hash, which also say where to look first, the lower 24 are the count; 0 is
free. So 2^19 cells take 4 MB, and one of 2^21 hashes that should be new is taken for a known one.
"""

from typing import Any

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing, inlined, kernel

PRIME, START = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)  # FNV-1a
ONE, TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
COUNT = np.uint64((1 << 24) - 1)
TAG = ~COUNT
LARGEST = 1 << 23
A, B, C, HALF = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
NONE = np.uint64(0)


@inlined
def mixed(x: np.uint64) -> np.uint64:
    """All bits depend on all bits (Steele, Lea and Flood, "SplitMix", OOPSLA 2014)."""
    x = (x ^ (x >> A)) * ONE
    x = (x ^ (x >> B)) * TWO
    return x ^ (x >> C)


@inlined
def cell(cells: Array, key: np.uint64) -> Any:
    """Where a hash is, or where it would go: a cell that is 0."""
    tag, one = key & TAG, np.uint64(1)
    size = np.uint64(len(cells))
    at = ((key >> HALF) * size) >> HALF  # Lemire, ACM Trans. Model. Comput. Simul. 29, 2019
    while cells[at] != NONE and cells[at] & TAG != tag:
        at += one
        if at == size:
            at = NONE
    return np.int64(at)


@inlined
def had(cells: Array, key: np.uint64) -> Any:
    """How often a hash was counted."""
    return np.int64(cells[cell(cells, key)] & COUNT)


@borrowing
def touched(cells: Array, keys: Array) -> np.uint64:
    """Have the cells of many hashes at hand: their memory is waited for at once, not in turn."""
    size, some = np.uint64(len(cells)), NONE
    for key in keys:
        some ^= cells[((key >> HALF) * size) >> HALF]
    return some


@inlined
def count(cells: Array, used: Array, key: np.uint64, weight: int) -> bool:
    """Count a hash; whether it was new. New ones have no room if three cells of four are used."""
    at = cell(cells, key)
    new = cells[at] == NONE
    if new:
        if 4 * used[0] >= 3 * len(cells):
            return False
        used[0] += 1
        cells[at] = key & TAG
    known = min(np.int64(cells[at] & COUNT) + weight, np.int64(LARGEST))
    cells[at] = (cells[at] & TAG) | np.uint64(known)
    return bool(new)


@kernel
def halve(cells: Array, used: Array) -> None:
    """Halve all counts, and forget those that were 1."""
    old = cells.copy()
    cells[:] = NONE
    used[0] = 0
    for one in old:
        half = (one & COUNT) >> np.uint64(1)
        if half > NONE:
            cells[cell(cells, one)] = (one & TAG) | half
            used[0] += 1


def full(used: Array, cells: Array) -> bool:
    """Whether half of the cells are used: beyond that they are slow to search."""
    return bool(2 * used[0] >= len(cells))


@borrowing
def told(cells: Array, key: np.uint64) -> Any:
    """What a hash stands for, 0 or more, or -1."""
    return np.int64(cells[cell(cells, key)] & COUNT) - 1


@borrowing
def tell(cells: Array, used: Array, which: int, key: np.uint64, value: int) -> None:
    """Let a hash stand for a value, if there is room; `used[which]` counts the cells in use."""
    at = cell(cells, key)
    if cells[at] == NONE:
        if 4 * used[which] >= 3 * len(cells):
            return
        used[which] += 1
    cells[at] = (key & TAG) | np.uint64(value + 1)
