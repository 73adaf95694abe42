"""The bytes of a remote write request, walked by compiled loops.

A walk fills arrays as far as there is room, and counts: if there was not enough, it is made again.
Fields that are not known are passed by, as protobuf has it.
"""

from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from amiss.data import Array, Times
from amiss.kernel import inlined, kernel

BROKEN = -1
SAMPLE, PAIR, PAIRS = 16, 16, 1 << 16
"""Bytes of a sample and of a pair of labels that there is room for at first, and most pairs."""
MASK = np.uint64(0x7F)
FNV = np.uint64(0x100000001B3)


class Found(NamedTuple):
    """What a walk finds. Texts are places in the bytes."""

    size: Times  # (6,) samples, series, symbols, pairs of labels, histograms, exemplars
    time: Times  # (N,) ms
    bits: Array  # (N,) uint64 of the values
    of: Times  # (N,) the series
    begin: Times  # (W,) of each symbol
    end: Times  # (W,)
    refs: Times  # (2 P,) the symbols of name and value in turn
    owner: Times  # (P,) the series
    table: Times  # of symbols by their hash, a power of two; -1 is free
    start: Array  # (1,) uint64, what a hash begins with


def found(samples: int, symbols: int, pairs: int, start: Array) -> Found:
    """Room for so many."""
    return Found(
        np.zeros(6, np.int64),
        np.zeros(samples, np.int64),
        np.zeros(samples, np.uint64),
        np.zeros(samples, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(symbols, np.int64),
        np.zeros(2 * pairs, np.int64),
        np.zeros(pairs, np.int64),
        np.full(1 << (2 * symbols + 8).bit_length(), -1, np.int64),
        start,
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
def sample(raw: Array, at: int, end: int) -> tuple[np.uint64, int, bool]:
    """The bits of the value, time in ms, and whether it could be read."""
    bits, time = np.uint64(0), 0
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0:
            return bits, time, False
        if number == 1 and kind == 1:
            bits = np.uint64(0)
            for k in range(8):
                bits |= np.uint64(raw[body + k]) << np.uint64(8 * k)
        elif number == 2 and kind == 0:
            time, _ = varint(raw, body, at)
    return bits, time, True


@inlined
def symbol(raw: Array, a: int, b: int, out: Found) -> int:
    """The place of a text among those seen; the next one if it is new."""
    begin, end, table, n = out.begin, out.end, out.table, out.size[2]
    found = out.start[0]
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
    bits, time, whole = sample(raw, at, end)
    n = out.size[0]
    if n < len(out.time):
        out.time[n], out.bits[n], out.of[n] = time, bits, out.size[1]
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


def walked(raw: Array, version: int) -> Found | None:
    """What is in a message; None for what is none."""
    samples, pairs = len(raw) // SAMPLE + 1, min(len(raw) // PAIR + 1, PAIRS)
    # by the whole message: texts that meet in the table of one cannot be made beforehand
    said = raw.data if version == 1 else b""  # the other has a table of its own
    start = np.frombuffer(blake2b(said, digest_size=8).digest(), np.uint64)
    out = found(samples, 2 * pairs, pairs, start)
    if not scan(raw, version, out):
        return None
    size = out.size
    if size[0] > samples or size[3] > pairs or size[2] > 2 * pairs:
        symbols = size[2] if version == 2 else 2 * size[3]
        out = found(int(size[0]), int(symbols), int(size[3]), start)
        scan(raw, version, out)
    n, _, symbols, many = out.size[:4].tolist()
    return out._replace(
        time=out.time[:n], bits=out.bits[:n], of=out.of[:n], begin=out.begin[:symbols],
        end=out.end[:symbols], refs=out.refs[: 2 * many], owner=out.owner[:many],
    )  # fmt: skip


@kernel
def scan(raw: Array, version: int, out: Found) -> bool:
    """Walk prometheus.WriteRequest (1) or io.prometheus.write.v2.Request (2).

    Texts of the first that are equal become one symbol as long as there is room for their pairs;
    beyond it each is one.
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
