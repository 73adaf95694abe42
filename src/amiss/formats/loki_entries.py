"""The bytes of a push request of Loki, walked by a compiled loop as protobuf.py does it."""

from typing import NamedTuple

import numpy as np

from amiss.data import Array, Times
from amiss.formats.protobuf import field, varint
from amiss.kernel import kernel

HIGHEST = 1 << 29  # of the number of a field
NANOS = 1 << 31
SECONDS = 9_223_372_030  # beyond it, nanoseconds may not be whole numbers of 64 bits


class Pushed(NamedTuple):
    """What a walk finds. Texts are places in the bytes: from, to."""

    size: Times  # (3,) streams, entries, pairs of structured metadata
    labels: Array  # (S, 2)
    of: Times  # (N,) the stream of each entry
    time: Times  # (N,) ns
    line: Array  # (N, 2)
    pair: Array  # (P, 4) name and value
    owner: Times  # (P,) the entry


def pushed(raw: Array) -> Pushed | None:
    """The entries of a request; None for what is none, or is out of the ordinary in a way that
    another is to judge: groups, times beyond what fits.
    """
    counted = _room(0, 0, 0)
    if not _walk(raw, counted):
        return None
    found = _room(*counted.size.tolist())
    return found if _walk(raw, found) else None


def _room(streams: int, entries: int, pairs: int) -> Pushed:
    return Pushed(
        np.zeros(3, np.int64),
        np.zeros((streams, 2), np.int64),
        np.zeros(entries, np.int64),
        np.zeros(entries, np.int64),
        np.zeros((entries, 2), np.int64),
        np.zeros((pairs, 4), np.int64),
        np.zeros(pairs, np.int64),
    )


@kernel
def _moment(raw: Array, at: int, end: int, seconds: int, nanos: int) -> tuple[int, int, bool]:
    """A Timestamp, over what an earlier one of the same entry said; whether it could be read."""
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0 or number >= HIGHEST:
            return 0, 0, False
        if number == 1 and kind == 0:
            seconds, _ = varint(raw, body, at)
        elif number == 2 and kind == 0:
            nanos, _ = varint(raw, body, at)
    there = -SECONDS <= seconds <= SECONDS  # by its size the least of 64 bits would be there too
    return seconds, nanos, there and -NANOS <= nanos < NANOS


@kernel
def _pair(raw: Array, at: int, end: int, out: Pushed) -> bool:
    n, whole = out.size[2], True
    a, b, c, d = 0, 0, 0, 0
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0 or number >= HIGHEST:
            whole = False
            break
        if number == 1 and kind == 2:
            a, b = body, at
        elif number == 2 and kind == 2:
            c, d = body, at
    if n < len(out.owner):
        out.pair[n, 0], out.pair[n, 1], out.pair[n, 2], out.pair[n, 3] = a, b, c, d
        out.owner[n] = out.size[1]
    out.size[2] += 1
    return whole


@kernel
def _entry(raw: Array, at: int, end: int, out: Pushed) -> bool:
    seconds, nanos, a, b, whole = 0, 0, 0, 0, True
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0 or number >= HIGHEST:
            return False
        if kind != 2:
            continue
        if number == 1:
            seconds, nanos, whole = _moment(raw, body, at, seconds, nanos)
        elif number == 2:
            a, b = body, at
        elif number == 3:
            whole = _pair(raw, body, at, out)
        if not whole:
            return False
    n = out.size[1]
    if n < len(out.of):
        out.of[n], out.time[n] = out.size[0], seconds * 1_000_000_000 + nanos
        out.line[n, 0], out.line[n, 1] = a, b
    out.size[1] += 1
    return True


@kernel
def _stream(raw: Array, at: int, end: int, out: Pushed) -> bool:
    a, b = 0, 0
    while at < end:
        number, kind, body, at = field(raw, at, end)
        if number < 0 or number >= HIGHEST:
            return False
        if kind != 2:
            continue
        if number == 1:
            a, b = body, at
        elif number == 2 and not _entry(raw, body, at, out):
            return False
    n = out.size[0]
    if n < len(out.labels):
        out.labels[n, 0], out.labels[n, 1] = a, b
    out.size[0] += 1
    return True


@kernel
def _walk(raw: Array, out: Pushed) -> bool:
    at = 0
    while at < len(raw):
        number, kind, body, at = field(raw, at, len(raw))
        if number < 0 or number >= HIGHEST:
            return False
        if number == 1 and kind == 2 and not _stream(raw, body, at, out):
            return False
    return True
