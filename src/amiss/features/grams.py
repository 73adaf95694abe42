"""How surprising are the characters of a value, after those of its field and of all fields.

P is 1/256, then for each level (all fields, this field) and each order (1, 2):

    P <- (c + d P) / (t + d)

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

from amiss.data import Array, Floats, State
from amiss.kernel import borrowing, inlined, kernel
from amiss.text.characters import AFTER, ANY, DOWN, EIGHT, LESS, LOW, SPAN, Characters, number
from amiss.text.hashes import COUNT, LARGEST, NONE, TAG, cell

CONTEXTS, GRAMS = 17, 19  # cells: 2^so many
LEAST, ENOUGH = 1e-12, 1e-3
SMALL = 1e-200
AHEAD = 64  # grams looked up at once
MIX = np.uint64(0xBF58476D1CE4E5B9)
BYTE = np.uint64(0xD6E8FEB86659FD93)
FIRST, SECOND = np.uint64(1), np.uint64(2)


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


def surprise(state: State, some: Characters, alone: bool) -> tuple[Floats, Floats]:
    """The largest -ln P of the characters of each value, and the sum over the root of their number.

    Both are (values,). `alone`: they were learned themselves, which is left out. Cost: some 4 ns a
    character, and 40 ns for each that is not the same.
    """
    largest, whole = np.empty((2, len(some.same)))
    _surprise(some, state["contexts"], state["grams"], int(alone), largest, whole)
    return largest, whole


def learn(state: State, some: Characters, times: Array) -> None:
    """Count the characters of values, each so many times (values,), in place.

    Of those that are the same, the first alone is counted. What has no room is left out.
    """
    _learn(some, times, state["contexts"], state["grams"], state["owner"], state["used"])


@kernel
def _surprise(
    some: Characters, contexts: Array, grams: Array, alone: int, largest: Array, whole: Array
) -> None:
    text_to, same, which = some.text_to, some.same, some.which
    shares, p, first = np.empty((len(some.key), LESS)), np.empty(len(some.key)), 0
    ahead = np.empty(AHEAD, np.uint64)
    while first < len(same):
        last = number(some, first)
        _shared(some, contexts, grams, alone, shares, ahead)
        _probabilities(some, shares, p)
        for k in range(first, last):
            if same[k] != k:
                largest[k], whole[k] = largest[same[k]], whole[same[k]]
                continue
            least, product, nats = 1.0, 1.0, 0.0
            for j in range(text_to[k] + k, text_to[k + 1] + k + 1):
                now = p[which[j]]
                least = min(least, now)
                product *= now
                if product < SMALL:
                    nats -= log(product)
                    product = 1.0
            many = text_to[k + 1] + 1.0 - text_to[k]
            largest[k], whole[k] = -log(least), (nats - log(product)) / sqrt(many)
        first = last


@borrowing
def _probabilities(some: Characters, shares: Array, p: Array) -> None:
    """P of each gram, by its `shares`."""
    less, many = some.less, some.span[2]
    for n in range(many):
        if less[n, 0] < 0:
            continue
        sure, rest = shares[n, 0] * shares[n, 1], shares[n, 2]
        for view in range(LESS):
            if rest < ENOUGH * sure:
                break
            one = less[n, view]
            sure += rest * shares[one, 0] * shares[one, 1]
            rest *= shares[one, 2]
        p[n] = max(sure + rest / 256.0, LEAST)


@borrowing
def _shared(
    some: Characters, contexts: Array, grams: Array, alone: int, shares: Array, ahead: Array
) -> None:
    """c, 1 / (t + d) and d / (t + d) of each gram; where they stand is noted for when it is
    learned. `ahead` is room for as many hashes.
    """
    keys, of = some.key, some.of
    context, place, many = some.context, some.place, some.span[2]
    for n in range(many):
        if n % AHEAD == 0:
            last = min(n + AHEAD, many)
            _touched(keys[n:last], of[n:last], contexts, grams, ahead)
        shares[n, 0], shares[n, 1], shares[n, 2] = 0.0, 0.0, 1.0
        key, byte = _key(of[n], (keys[n] >> EIGHT) & SPAN), keys[n] & LOW
        at = _context(contexts, key)
        if contexts[at, 0] == NONE:
            continue
        t, d = np.int64(contexts[at, 1]) - alone, np.int64(contexts[at, 0] & COUNT)
        to = cell(grams, (key + byte * BYTE) * MIX)
        c = np.int64(grams[to] & COUNT)
        if c:
            context[n], place[n] = at, to
        if alone:
            d -= c == 1
            c = max(c - 1, np.int64(0))
        if t > 0:
            share = 1.0 / (t + d)
            shares[n, 0], shares[n, 1], shares[n, 2] = c, share, d * share


@borrowing
def _touched(keys: Array, of: Array, contexts: Array, grams: Array, seen: Array) -> None:
    """Have the cells of some grams at hand: their memory is waited for at once, not in turn."""
    one, size = np.uint64(len(contexts)), np.uint64(len(grams))
    for n in range(len(keys)):
        key = _key(of[n], (keys[n] >> EIGHT) & SPAN)
        gram = (key + (keys[n] & LOW) * BYTE) * MIX
        context = contexts[((key >> DOWN) * one) >> DOWN, 0]
        seen[n] = context ^ grams[((gram >> DOWN) * size) >> DOWN]


@borrowing
def _learn(
    some: Characters, times: Array, contexts: Array, grams: Array, owner: Array, used: Array
) -> None:
    text_to, same, which, span = some.text_to, some.same, some.which, some.span
    less, weight, first = some.less, some.weight, 0
    while first < len(same):
        last = span[1] if span[0] == first else number(some, first)
        for k in range(first, last):
            if times[k]:
                for j in range(text_to[k] + k, text_to[k + 1] + k + 1):
                    weight[which[j]] += times[k]
        for n in range(span[2]):
            if less[n, 0] >= 0:
                for view in range(LESS):
                    weight[less[n, view]] += weight[n]
        _counted(some, contexts, grams, owner, used)
        first = last
    span[0] = -1


@borrowing
def _counted(some: Characters, contexts: Array, grams: Array, owner: Array, used: Array) -> None:
    keys, of, weights = some.key, some.of, some.weight
    for n in range(some.span[2]):
        weight, at, to = np.int64(weights[n]), np.int64(some.context[n]), np.int64(some.place[n])
        if weight == 0:
            continue
        if to < 0:
            byte = keys[n] & LOW
            key = _key(of[n], (keys[n] >> EIGHT) & SPAN)
            at = np.int64(_context(contexts, key))
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


@borrowing
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
