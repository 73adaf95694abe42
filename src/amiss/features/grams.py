"""How surprising are the characters of a value, after those of its field and of all fields.

P = 1/256, then for each level (all fields, this field) and each order (1, 2):
    P = (c + d P) / (t + d)
with c how often the character came in its context, t how often the context did, and d how many
different characters came in it: anywhere (order 1), or after the character before it (order 2).
A value ends with a character of its own. Characters are bytes, all digits the same. From the last
level back, what is left to the others is the product of d / (t + d): where that is less than a
thousandth of P, they are not asked.
Witten and Bell, "The zero-frequency problem", IEEE Trans. Inf. Theory 37, 1991.

When half of the cells of a table are in use, all counts are halved, and t and d are made again of
what is left.
"""

from math import log, sqrt

import numpy as np

from amiss.data import Array, State
from amiss.kernel import kernel
from amiss.text.hashes import COUNT, LARGEST, NONE, TAG, cell

CONTEXTS, GRAMS = 17, 19  # cells: 2^so many
LEAST, ENOUGH = 1e-12, 1e-3
SMALL = 1e-200
END, BEGIN = 0, 1  # characters
NOUGHT, NINE, TEN = (np.uint64(n) for n in (48, 57, 10))

AFTER = np.uint64(0x9E3779B97F4A7C15)
BYTE, MIX = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xBF58476D1CE4E5B9)
ALL = np.uint64(0x165667B19E3779F9)
FIRST, SECOND, DOWN = (np.uint64(n) for n in (1, 2, 32))


def init() -> State:
    """No value yet: 8 MB."""
    return {
        # two a context: the upper 40 bits of its hash with how many different characters came
        # after it, and how often it came
        "contexts": np.zeros((1 << CONTEXTS, 2), np.uint64),
        "grams": np.zeros(1 << GRAMS, np.uint64),
        "owner": np.zeros(1 << GRAMS, np.int32),  # the cell of the context
        "used": np.zeros(3, np.int64),  # cells of either table; the largest total
    }


def full(state: State) -> bool:
    """Whether it is time to halve."""
    used = state["used"]
    return bool(
        2 * used[0] >= len(state["contexts"]) or 2 * used[1] >= len(state["grams"])
        or used[2] >= LARGEST
    )  # fmt: skip


def halved(state: State) -> State:
    """All counts halved, and forgotten where they were 1. Cost: 30 ms."""
    new = {name: np.zeros_like(array) for name, array in state.items()}
    _halve(
        state["contexts"], state["grams"], state["owner"],
        new["contexts"], new["grams"], new["owner"], new["used"],
    )  # fmt: skip
    return new


@kernel
def surprise(
    text: Array, a: int, b: int, field: np.uint64, alone: int, contexts: Array, grams: Array
) -> tuple[float, float]:
    """The largest -ln P of the characters text[a:b], and the sum over the root of their number.

    `alone`: they were learned themselves, which is left out. Cost: 60 ns a character.
    """
    least, product, whole = 1.0, 1.0, 0.0
    before = np.uint64(BEGIN)
    for k in range(a, b + 1):
        byte = np.uint64(text[k]) if k < b else np.uint64(END)
        if NINE - byte < TEN:
            byte = NOUGHT
        p, rest = 0.0, 1.0
        for view in range(4):  # this field, then all; after the one before, then anywhere
            key = _key(ALL if view > 1 else field, before, 1 - (view & 1))
            at = _context(contexts, key)
            if contexts[at, 0] == NONE:
                continue
            t, d = np.int64(contexts[at, 1]) - alone, np.int64(contexts[at, 0] & COUNT)
            c = np.int64(grams[cell(grams, (key + byte * BYTE) * MIX)] & COUNT)
            if alone:
                d -= c == 1
                c = max(c - 1, np.int64(0))
            if t > 0:
                share = 1.0 / (t + d)
                p += rest * c * share
                rest *= d * share
                if rest < ENOUGH * p:
                    break
        p += rest / 256.0
        p = max(p, LEAST)
        least = min(least, p)
        product *= p
        if product < SMALL:
            whole -= log(product)
            product = 1.0
        before = byte
    return -log(least), (whole - log(product)) / sqrt(b + 1.0 - a)


@kernel
def learn(
    text: Array, a: int, b: int, field: np.uint64, weight: int,
    contexts: Array, grams: Array, owner: Array, used: Array,
) -> None:  # fmt: skip
    """Count the characters text[a:b] so many times. What has no room is left out."""
    before = np.uint64(BEGIN)
    for k in range(a, b + 1):
        byte = np.uint64(text[k]) if k < b else np.uint64(END)
        if NINE - byte < TEN:
            byte = NOUGHT
        for view in range(4):
            key = _key(field if view > 1 else ALL, before, view & 1)
            at = _context(contexts, key)
            if contexts[at, 0] == NONE:
                if 4 * used[0] >= 3 * len(contexts):
                    continue
                contexts[at, 0] = key & TAG
                used[0] += 1
            gram = (key + byte * BYTE) * MIX
            to = cell(grams, gram)
            if grams[to] == NONE:
                if 4 * used[1] >= 3 * len(grams):
                    continue
                grams[to], owner[to] = gram & TAG, at
                used[1] += 1
                contexts[at, 0] += FIRST
            known = min(np.int64(grams[to] & COUNT) + weight, np.int64(LARGEST))
            grams[to] = (grams[to] & TAG) | np.uint64(known)
            contexts[at, 1] += np.uint64(weight)
            used[2] = max(used[2], np.int64(contexts[at, 1]))
        before = byte


@kernel
def _key(base: np.uint64, before: np.uint64, after: int) -> np.uint64:
    """The hash of a context: a field or all, and the character before or any."""
    key = (base ^ (before * AFTER + SECOND if after else FIRST)) * MIX
    return key ^ (key >> DOWN)


@kernel
def _context(contexts: Array, key: np.uint64) -> np.uint64:
    """Where a context is, or would go."""
    size = np.uint64(len(contexts))
    at = ((key >> DOWN) * size) >> DOWN
    while contexts[at, 0] != NONE and (contexts[at, 0] ^ key) & TAG != NONE:
        at += FIRST
        if at == size:
            at = NONE
    return at


@kernel
def _halve(
    contexts: Array, grams: Array, owner: Array,
    new_contexts: Array, new_grams: Array, new_owner: Array, used: Array,
) -> None:  # fmt: skip
    for k in range(len(grams)):
        half = (grams[k] & COUNT) >> FIRST
        if half == NONE:
            continue
        context = contexts[owner[k], 0] & TAG
        at, to = _context(new_contexts, context), cell(new_grams, grams[k])
        if new_contexts[at, 0] == NONE:
            new_contexts[at, 0] = context
            used[0] += 1
        new_grams[to], new_owner[to] = (grams[k] & TAG) | half, at
        new_contexts[at, 0] += FIRST
        new_contexts[at, 1] += half
        used[1] += 1
        used[2] = max(used[2], np.int64(new_contexts[at, 1]))
