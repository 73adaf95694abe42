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
from typing import NamedTuple

import numpy as np

from amiss.data import Array, State
from amiss.kernel import inlined, kernel
from amiss.text.hashes import COUNT, LARGEST, NONE, TAG, cell

CONTEXTS, GRAMS = 17, 19  # cells: 2^so many
LEAST, ENOUGH = 1e-12, 1e-3
SMALL = 1e-200
END, BEGIN = 0, 1  # characters
NOUGHT, NINE, TEN = (np.uint64(n) for n in (48, 57, 10))
EIGHT, LOW, ANY, SPAN = (np.uint64(n) for n in (8, 255, 256, 511))
FIELD = ~np.uint64((1 << 17) - 1)
CELLS = 14  # of what is known of a block of lines

AFTER = np.uint64(0x9E3779B97F4A7C15)
BYTE, MIX = np.uint64(0xD6E8FEB86659FD93), np.uint64(0xBF58476D1CE4E5B9)
ALL = np.uint64(0x165667B19E3779F9)
FIRST, SECOND, DOWN = (np.uint64(n) for n in (1, 2, 32))


class Memo(NamedTuple):
    """The probabilities of characters that were asked for, for as long as nothing is learned."""

    key: Array  # uint64
    p: Array  # 0 where there is none
    used: Array  # how many there are, half of the cells at most


class Seen(NamedTuple):
    """How often characters came after others in fields, of a block of lines."""

    key: Array  # uint64
    weight: Array  # int64; 0 where there is none
    place: Array  # the cells of those there are
    field: Array  # ... and their fields


def memo(size: int) -> Memo:
    """Room for what is asked about so many characters: 256 kB at most."""
    cells = 1 << min(CELLS, (2 * size + 1).bit_length())
    return Memo(np.empty(cells, np.uint64), np.zeros(cells), np.zeros(1, np.int64))


def seen(size: int) -> Seen:
    """Room for so many characters, or for the most that are noted at once: 400 kB at most."""
    room = 1 << min(CELLS - 1, max(size, 8).bit_length())
    key, weight = np.empty(2 * room, np.uint64), np.zeros(2 * room, np.int64)
    return Seen(key, weight, np.empty(room, np.uint64), np.empty(room, np.uint64))


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


@inlined
def surprise(
    text: Array, a: int, b: int, field: np.uint64, alone: int, contexts: Array, grams: Array,
    memo: Memo,
) -> tuple[float, float]:  # fmt: skip
    """The largest -ln P of the characters text[a:b], and the sum over the root of their number.

    `alone`: they were learned themselves, which is left out. The memo is of these tables as they
    are. Cost: some 20 ns a character, more for one that the memo does not have.
    """
    keys, known, used = memo
    least, product, whole = 1.0, 1.0, 0.0
    before, last = np.uint64(BEGIN), np.uint64(len(keys) - 1)
    for k in range(a, b + 1):
        byte = np.uint64(text[k]) if k < b else np.uint64(END)
        if NINE - byte < TEN:
            byte = NOUGHT
        key = (field & FIELD) | (before << EIGHT) | byte
        at = ((key * AFTER) >> DOWN) & last
        while known[at] != 0.0 and keys[at] != key:
            at = (at + FIRST) & last
        p = known[at]
        if p == 0.0:
            p = _probability(field, before, byte, alone, contexts, grams)
            if 2 * used[0] < len(keys):
                keys[at], known[at] = key, p
                used[0] += 1
        least = min(least, p)
        product *= p
        if product < SMALL:
            whole -= log(product)
            product = 1.0
        before = byte
    return -log(least), (whole - log(product)) / sqrt(b + 1.0 - a)


@inlined
def _probability(
    field: np.uint64, before: np.uint64, byte: np.uint64, alone: int, contexts: Array, grams: Array
) -> float:
    p, rest = 0.0, 1.0
    for view in range(4):  # this field, then all; after the one before, then anywhere
        key = _key(ALL if view > 1 else field, before if view & 1 == 0 else ANY)
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
    return max(p + rest / 256.0, LEAST)


@inlined
def gather(
    text: Array, a: int, b: int, field: np.uint64, weight: int, seen: Seen, many: int
) -> int:
    """Note the characters text[a:b] so many times, for which there is room; how many there are."""
    keys, weights, places, fields = seen
    before, last = np.uint64(BEGIN), np.uint64(len(keys) - 1)
    for k in range(a, b + 1):
        byte = np.uint64(text[k]) if k < b else np.uint64(END)
        if NINE - byte < TEN:
            byte = NOUGHT
        key = (field & FIELD) | (before << EIGHT) | byte
        at = ((key * AFTER) >> DOWN) & last
        while weights[at] != 0 and keys[at] != key:
            at = (at + FIRST) & last
        if weights[at] == 0:
            keys[at], places[many], fields[many] = key, at, field
            many += 1
        weights[at] += weight
        before = byte
    return many


@kernel
def learn(
    seen: Seen, many: int, lower: Seen, contexts: Array, grams: Array, owner: Array, used: Array
) -> None:
    """Count all that was noted, and forget it there. What has no room is left out.

    `lower` is empty, and is so again.
    """
    keys, weights, places, fields = lower
    more, last = 0, np.uint64(len(keys) - 1)
    for n in range(many):
        key, field, weight = seen.key[seen.place[n]], seen.field[n], seen.weight[seen.place[n]]
        before, byte = (key >> EIGHT) & SPAN, key & LOW
        for view in range(3):  # what is not of this field after this character
            base = field if view == 0 else ALL
            one = before if view == 1 else ANY
            key = (base & FIELD) | (one << EIGHT) | byte
            at = ((key * AFTER) >> DOWN) & last
            while weights[at] != 0 and keys[at] != key:
                at = (at + FIRST) & last
            if weights[at] == 0:
                keys[at], places[more], fields[more] = key, at, base
                more += 1
            weights[at] += weight
        if more + 3 > len(places):
            _counted(lower, more, contexts, grams, owner, used)
            more = 0
    _counted(seen, many, contexts, grams, owner, used)
    _counted(lower, more, contexts, grams, owner, used)


@kernel
def _counted(
    seen: Seen, many: int, contexts: Array, grams: Array, owner: Array, used: Array
) -> None:
    keys, weights, places, fields = seen
    for n in range(many):
        place = places[n]
        weight, byte = weights[place], keys[place] & LOW
        weights[place] = 0
        key = _key(fields[n], (keys[place] >> EIGHT) & SPAN)
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


@inlined
def _key(base: np.uint64, before: np.uint64) -> np.uint64:
    """The hash of a context: a field or all, and the character before or ANY."""
    key = (base ^ (before * AFTER + SECOND if before != ANY else FIRST)) * MIX
    return key ^ (key >> DOWN)


@inlined
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
