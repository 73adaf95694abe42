"""The bytes of a remote write request, walked by compiled loops.

A walk is made twice: with empty arrays it counts, then it fills arrays of that size. Fields that
are not known are passed by, as protobuf has it.
"""

from typing import Any, NamedTuple

import numpy as np

from amiss.data import Array, Floats, Times
from amiss.kernel import inlined, kernel

BROKEN = -1
MASK = np.uint64(0x7F)
FNV, START = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)


class Found(NamedTuple):
    """What a walk finds. Texts are places in the bytes."""

    size: Times  # (6,) samples, series, symbols, pairs of labels, histograms, exemplars
    time: Times  # (N,) ms
    value: Floats  # (N,)
    of: Times  # (N,) the series
    begin: Times  # (W,) of each symbol
    end: Times  # (W,)
    refs: Times  # (2 P,) the symbols of name and value in turn
    owner: Times  # (P,) the series
    table: Times  # of symbols by their hash, a power of two; -1 is free


def found(samples: int, symbols: int, pairs: int) -> Found:
    """Room for so many."""
    return Found(
        np.zeros(6, np.int64),
        np.zeros(samples, np.int64),
        np.zeros(samples),
        np.zeros(samples, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(2 * pairs, np.int64),
        np.zeros(pairs, np.int64),
        np.full(1 << (2 * symbols + 8).bit_length(), -1, np.int64),
    )


@kernel
def varint(raw: Array, at: int, end: int) -> tuple[Any, int]:
    """A number and where what follows begins; BROKEN in its place where it breaks off."""
    number, shift = np.uint64(0), np.uint64(0)
    for place in range(at, min(end, at + 10)):
        byte = np.uint64(raw[place])
        number |= (byte & MASK) << shift
        if byte < 128:
            return np.int64(number), place + 1
        shift += np.uint64(7)
    return 0, BROKEN


@kernel
def field(raw: Array, at: int, end: int) -> tuple[int, int, int, int]:
    """The next field: number, kind, where its body begins and ends; BROKEN as its number.

    The body of a number (kind 0) is its bytes.
    """
    tag, body = varint(raw, at, end)
    if body < 0 or tag < 8:
        return BROKEN, 0, 0, 0
    kind = tag & 7
    last = BROKEN
    if kind == 0:
        _, last = varint(raw, body, end)
    elif kind == 1:
        last = body + 8
    elif kind == 2:
        size, body = varint(raw, body, end)
        if body < 0 or size < 0 or size > end - body:
            return BROKEN, 0, 0, 0
        last = body + size
    elif kind == 5:
        last = body + 4
    if last < 0 or last > end:
        return BROKEN, 0, 0, 0
    return tag >> 3, kind, body, last


@kernel
def sample(raw: Array, at: int, end: int) -> tuple[float, int, bool]:
    """Value, time in ms, and whether it could be read."""
    value, time = 0.0, 0
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0:
            return value, time, False
        if number == 1 and kind == 1:
            value = raw[body : body + 8].copy().view(np.float64)[0]
        elif number == 2 and kind == 0:
            time, _ = varint(raw, body, at)
    return value, time, True


@inlined
def symbol(raw: Array, a: int, b: int, out: Found) -> int:
    """The place of a text among those seen; the next one if it is new."""
    begin, end, table, n = out.begin, out.end, out.table, out.size[2]
    found = START
    for i in range(a, b):
        found = (found ^ np.uint64(raw[i])) * FNV
    mask = len(table) - 1
    slot = np.int64((found ^ (found >> np.uint64(32))) & np.uint64(mask))
    while table[slot] >= 0:
        one = table[slot]
        same = end[one] - begin[one] == b - a
        if same:
            for i in range(b - a):
                if raw[begin[one] + i] != raw[a + i]:
                    same = False
                    break
        if same:
            return int(one)
        slot = (slot + 1) & mask
    table[slot] = n
    begin[n], end[n] = a, b
    return int(n)


@inlined
def pair(raw: Array, at: int, end: int) -> tuple[int, int, int, int]:
    """Where name and value of a label begin and end; BROKEN in the first place."""
    a, b, c, d = 0, 0, 0, 0
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0:
            return BROKEN, 0, 0, 0
        if number == 1 and kind == 2:
            a, b = body, at
        elif number == 2 and kind == 2:
            c, d = body, at
    return a, b, c, d


@inlined
def add_sample(raw: Array, at: int, end: int, out: Found) -> bool:
    """Take one sample of the series at hand; whether it could be read."""
    value, time, whole = sample(raw, at, end)
    n = out.size[0]
    if n < len(out.time):
        out.time[n], out.value[n], out.of[n] = time, value, out.size[1]
    out.size[0] += 1
    return whole


@inlined
def add_pair(raw: Array, at: int, end: int, out: Found) -> bool:
    """Take one label, spelled out, of the series at hand; whether it could be read."""
    a, b, c, d = pair(raw, at, end)
    n = out.size[3]
    out.size[3] += 1
    if n >= len(out.owner):
        out.size[2] += 2
        return a >= 0
    for place, x, y in ((0, a, b), (1, c, d)):
        one = symbol(raw, x, y, out)
        out.size[2] += one == out.size[2]
        out.refs[2 * n + place] = one
    out.owner[n] = out.size[1]
    return a >= 0


@inlined
def add_refs(raw: Array, at: int, end: int, out: Found, words: int) -> int:
    """Take the places of words in turn, of which there have been `words`; how many by now."""
    while at < end:
        ref, at = varint(raw, at, end)
        if at < 0 or ref < 0:
            return BROKEN
        n = out.size[3] + words // 2
        if n < len(out.owner):
            out.refs[2 * n + words % 2] = ref
            out.owner[n] = out.size[1]
        words += 1
    return words


@kernel
def first_series(raw: Array, at: int, end: int, out: Found) -> bool:
    """One prometheus.TimeSeries; whether it could be read."""
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0:
            return False
        if kind != 2:
            continue
        if number == 1 and not add_pair(raw, body, at, out):
            return False
        if number == 2 and not add_sample(raw, body, at, out):
            return False
        out.size[5] += number == 3
        out.size[4] += number == 4
    return True


@kernel
def second_series(raw: Array, at: int, end: int, out: Found) -> bool:
    """One io.prometheus.write.v2.TimeSeries; whether it could be read."""
    words = 0
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0:
            return False
        if number == 1 and kind in (0, 2):
            words = add_refs(raw, body, at, out, words)
            if words < 0:
                return False
        if number == 2 and kind == 2 and not add_sample(raw, body, at, out):
            return False
        out.size[4] += number == 3
        out.size[5] += number == 4
    out.size[3] += words // 2
    return words % 2 == 0


@kernel
def scan(raw: Array, version: int, out: Found) -> bool:
    """Walk prometheus.WriteRequest (1) or io.prometheus.write.v2.Request (2).

    Texts of the first that are equal become one symbol once they are kept; counted, each is one.
    """
    at = 0
    while at < len(raw):
        number, kind, body, at = field(raw, at, len(raw))
        if number < 0:
            return False
        if kind != 2:
            continue
        if version == 2 and number == 4:
            n = out.size[2]
            if n < len(out.begin):
                out.begin[n], out.end[n] = body, at
            out.size[2] += 1
        elif version == 2 and number == 5:
            if not second_series(raw, body, at, out):
                return False
            out.size[1] += 1
        elif version == 1 and number == 1:
            if not first_series(raw, body, at, out):
                return False
            out.size[1] += 1
    return True
