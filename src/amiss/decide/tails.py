"""How rare is a number among those of its own group, in nats.

As decide/tail.py says, for many groups at once, and with a least b for each kind of number. Most of
these are wanted as 1/p, so it is that which is computed, without a logarithm:

    1/p = (n + 1)/(number of past >= x, + 1)                               up to u
    1/p = (n + 1)/t (1 + (x - u)/(4 b))^4                                  above u

A group with fewer than 24 numbers is judged by those of all groups of its kind.
"""

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide.tail import FEWEST, HEAVY, LARGEST, SHARE
from amiss.kernel import borrowing
from amiss.text.hashes import COUNT, NONE, TAG, cell, mixed

LEAST = 24  # numbers of a group of its own
MOST = float(np.exp(LARGEST))
KIND = np.uint64(0x9E3779B97F4A7C15)


def past(kind: Array, group: Array, x: Floats, least: Floats) -> State:
    """The past of kinds (N,), groups (N,) by their hashes and numbers (N,), with a least beta
    for each kind. Cost: 200 ns a number.
    """
    cells = np.zeros(1 << (4 * len(x) + 64).bit_length(), np.uint64)
    which, kinds = np.empty((2, len(x)), np.int32), np.empty(len(x) + len(least), np.int64)
    count = _grouped(kind, group, cells, which, kinds)
    size = np.bincount(which.ravel(), minlength=count)
    kept = (size >= LEAST) | (np.arange(count) < len(least))
    size = np.where(kept, size, 0)
    end = np.cumsum(size)
    start = end - size
    numbers = np.empty(int(size.sum()))
    _spread(x, which, kept, start.copy(), numbers)
    for a, b in zip(start[kept].tolist(), end[kept].tolist(), strict=True):
        numbers[a:b].sort()
    top = np.minimum(np.maximum(FEWEST, size // SHARE), size)
    total = np.concatenate([[0.0], np.cumsum(numbers)])
    u = np.append(numbers, 0.0)[end - top]
    excess = (total[end] - total[end - top]) / np.maximum(top, 1) - u
    return {
        "cells": cells, "start": start, "size": size, "top": top, "u": u,
        "beta": np.maximum(excess, least[kinds[:count]]), "numbers": numbers,
    }  # fmt: skip


def inverse(
    state: State, first: int, own: int, to: Array, group: Array, x: Floats, alike: Floats,
    out: Floats, total: Floats,
) -> None:  # fmt: skip
    """1/p of numbers x, put into `out` and added to the total of each line (N,).

    Each group (M,) has several numbers, one of each kind from the first on; those of a kind before
    `own` are under no group. `to` (N + 1,) is where the groups of each line end. 1/p is 1 for a
    kind that has no past. What is `alike`, of each kind, is taken off.
    """
    last = np.full((len(state["size"]), 2), np.nan)
    _inverse(
        state["cells"], state["start"], state["size"], state["top"], state["u"], state["beta"],
        state["numbers"], first, own, to, group, x, alike, last, out, total,
    )  # fmt: skip


@borrowing
def _grouped(kind: Array, group: Array, cells: Array, which: Array, kinds: Array) -> int:
    """The number of each group, the kinds first, and of which kind it is; how many there are."""
    many = len(kinds) - len(kind)
    for k in range(many):
        kinds[k] = k
    for k in range(len(kind)):
        which[0, k] = kind[k]
        key = mixed(group[k] + np.uint64(kind[k] + 1) * KIND)
        at = cell(cells, key)
        if cells[at] == NONE:
            cells[at] = (key & TAG) | np.uint64(many + 1)
            kinds[many] = kind[k]
            many += 1
        which[1, k] = np.int64(cells[at] & COUNT) - 1
    return many


@borrowing
def _spread(x: Array, which: Array, kept: Array, at: Array, numbers: Array) -> None:
    """Put numbers into the stretches of their kinds and groups."""
    for k in range(len(x)):
        for one in range(2):
            g = which[one, k]
            if kept[g]:
                numbers[at[g]] = x[k]
                at[g] += 1


@borrowing
def _inverse(
    cells: Array, start: Array, size: Array, top: Array, u: Array, beta: Array, numbers: Array,
    first: int, own: int, to: Array, group: Array, xs: Array, alike: Array, last: Array,
    out: Array, total: Array,
) -> None:  # fmt: skip
    """`last` (groups, 2) is the last number of each group and what it was: many are the same."""
    kinds = len(xs) // max(len(group), 1)
    for line in range(len(total)):
        whole = total[line]
        for m in range(to[line], to[line + 1]):
            for kind in range(first, first + kinds):
                k = m * kinds + kind - first
                x = xs[k] - alike[kind]
                name = group[m] if kind >= own else NONE
                found = cells[cell(cells, mixed(name + np.uint64(kind + 1) * KIND))]
                g = np.int64(found & COUNT) - 1 if found != NONE else kind
                if size[g] == 0:
                    g = kind
                if x != last[g, 0]:
                    last[g, 0] = x
                    last[g, 1] = _one(start[g], size[g], top[g], u[g], beta[g], numbers, x)
                out[k] = last[g, 1]
                whole += out[k]
        total[line] = whole


@borrowing
def _one(a: int, n: int, top: int, u: float, beta: float, numbers: Array, x: float) -> float:
    """1/p of x among n sorted numbers from a on."""
    if n == 0:
        return 1.0
    if x > u:
        size = 1.0 + (x - u) / (HEAVY * beta)
        return min((n + 1) / top * float(size**HEAVY), MOST)
    low, left = a, n  # the first that is not less, with no branch to be guessed
    while left > 1:
        half = left >> 1
        low += half * (numbers[low + half - 1] < x)
        left -= half
    low += numbers[low] < x
    inverse: float = (n + 1) / (n - (low - a) + 1)
    return inverse
