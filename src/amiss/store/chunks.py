"""History in few bytes: up to an hour of one series as one blob.

    time      exactly
    value     as float32: 24 bits, a part in 16 million
    score     to .01 nats, between -327 and 327
    expected, lower, upper
              to 1/512 of the narrowest band in the chunk (without a band, to 24 bits of the
              smallest number), or to a part in 10^12 of the largest number where that is more

and NaN everywhere. Decoding and encoding again, as a chunk fills up, changes nothing more in
times, values and scores, and bands by such a step at most.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amiss.data import Floats, Times
from amiss.errors import StateError
from amiss.store import columns
from amiss.store.packing import Ints, Mask

VERSION = 1
POINTS = 720
"""Most points of a chunk: an hour at 5 s."""
TOGETHER = 64
"""Chunks of one length that are made at once: beyond it there is nothing to save."""
SEAL = struct.Struct("<BI")  # version, checksum of all that follows
HEAD = struct.Struct("<I4I")  # points, bytes of the four streams


@dataclass(frozen=True, slots=True)
class Points:
    """What is kept of one series. NaN is not observed, no opinion, no band."""

    time: Times  # (N,), increasing
    value: Floats  # (N,), in the unit of the series
    score: Floats  # (N,), nats
    expected: Floats  # (N,)
    lower: Floats  # (N,)
    upper: Floats  # (N,)

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: "slice | Ints | Mask") -> "Points":
        return Points(*(column[rows] for column in self.columns()))

    def columns(self) -> tuple[NDArray[Any], ...]:
        """Time, value, score, expected, lower, upper."""
        return tuple(getattr(self, f.name) for f in fields(self))


def empty() -> Points:
    """No points at all."""
    return Points(np.empty(0, np.int64), *(np.empty(0) for _ in range(5)))


def merge(parts: Iterable[Points]) -> Points:
    """Sorted by time; of points with the same time the one in the later part is kept."""
    rows = [part for part in parts if len(part)]
    if not rows:
        return empty()
    whole = rows[0]
    if len(rows) > 1:
        whole = Points(*map(np.concatenate, zip(*(p.columns() for p in rows), strict=True)))
    if (np.diff(whole.time) > 0).all():
        return whole
    order = np.argsort(whole.time, kind="stable")
    time = whole.time[order]
    return whole[order[np.append(time[1:] != time[:-1], True)]]


def encode(points: Points) -> bytes:
    """The blob of a chunk. Infinities become NaN."""
    return encode_all([points])[0]


def encode_all(chunks: Sequence[Points]) -> list[bytes]:
    """The blob of each; of many of one length, made together, at a third of the cost."""
    blobs = [b""] * len(chunks)
    lengths = np.array([len(points) for points in chunks], np.int64)
    for n in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == n).tolist()
        for at in range(0, len(rows), TOGETHER):
            some = rows[at : at + TOGETHER]
            for row, blob in zip(some, _encoded([chunks[row] for row in some]), strict=True):
                blobs[row] = blob
    return blobs


def _encoded(chunks: Sequence[Points]) -> Iterator[bytes]:
    """Of chunks of one length."""
    time, value, *others = map(np.stack, zip(*(one.columns() for one in chunks), strict=True))
    value, (score, *bands) = columns.single(value), others
    every = zip(
        columns.write_times(time),
        columns.write_values(value),
        columns.write_scores(score),
        columns.write_bands(value, *bands),
        strict=True,
    )
    for streams in every:
        body = HEAD.pack(time.shape[1], *map(len, streams)) + b"".join(streams)
        yield SEAL.pack(VERSION, zlib.crc32(body)) + body


def decode(blob: bytes, bands: bool = True) -> Points:
    """What `encode` was given, as exactly as said above; without `bands` only times and values.

    Raises StateError if the blob is damaged or of another version.
    """
    try:
        version, checksum = SEAL.unpack_from(blob)
        if version != VERSION:
            raise StateError(f"a chunk of history has version {version}; this reads {VERSION}")
        if zlib.crc32(blob[SEAL.size :]) != checksum:
            raise ValueError("its checksum differs")
        n, *sizes = HEAD.unpack_from(blob, SEAL.size)
        ends = np.cumsum([SEAL.size + HEAD.size, *sizes]).tolist()
        time, value, score, band = (blob[a:b] for a, b in pairwise(ends))
        seen = columns.read_value(value, n)
        if not bands:
            return Points(columns.read_time(time, n), seen, *(np.full(n, np.nan),) * 4)
        return Points(
            columns.read_time(time, n),
            seen,
            columns.read_score(score, n),
            *columns.read_bands(band, n, seen),
        )
    except (struct.error, zlib.error, ValueError, IndexError) as exc:
        raise StateError(f"a chunk of history is damaged: {exc}") from exc
