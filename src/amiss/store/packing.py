"""Whole numbers in few bytes: differences, byte planes, deflate.

A stream is a row of parts, deflated together; each part says itself how long it is, given
how many points there are. Many streams of as many points are made at once, each of a row.
"""

import zlib
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from amiss.data import Floats

Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

WIDTHS = (1, 2, 4, 8)


def deflate(parts: Iterable[bytes]) -> bytes:
    """The stream of these parts."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_FILTERED)
    return squeeze.compress(b"".join(parts)) + squeeze.flush()


def planes(numbers: NDArray[np.unsignedinteger]) -> list[bytes]:
    """Each row in as few bytes as its largest needs, bytes of equal weight side by side."""
    most = numbers.max(axis=1, initial=0).tolist()
    widths = [next(w for w in WIDTHS if one < 256**w) for one in most]
    found = [b""] * len(numbers)
    for width in set(widths):
        rows = [row for row, one in enumerate(widths) if one == width]
        raw = numbers[rows].astype(f"<u{width}")[:, :, None].view(np.uint8)
        for row, part in zip(rows, raw.transpose(0, 2, 1), strict=True):
            found[row] = bytes([width]) + part.tobytes()
    return found


def changes(numbers: Ints) -> Ints:
    """Each number of a row less the one before; the first as it is."""
    less = numbers.copy()
    less[:, 1:] -= numbers[:, :-1]
    return less


def signed(numbers: Ints) -> list[bytes]:
    """Planes of numbers that are small either way: 0, -1, 1, -2, 2 are written 0 to 4."""
    return planes(((numbers << 1) ^ (numbers >> 63)).view(np.uint64))


def masks(seen: Mask) -> list[bytes]:
    """Where a row has something; one byte where it has something everywhere, or nowhere."""
    whole: Mask = np.asarray(seen.all(axis=1))
    found = [b"\1" if one else b"\0" for one in whole.tolist()]
    part = np.flatnonzero(seen.any(axis=1) & ~whole)
    for row, bits in zip(part.tolist(), np.packbits(seen[part], axis=1), strict=True):
        found[row] = b"\2" + bits.tobytes()
    return found


def filled(column: Floats, seen: Mask) -> Floats:
    """Rows with each gap closed by the number before it (or the first after it), or by 0."""
    if seen.all():
        return column
    place = np.arange(column.shape[-1])
    last = np.where(seen, place, seen.argmax(axis=-1, keepdims=True))
    closed = np.take_along_axis(column, np.maximum.accumulate(last, axis=-1), axis=-1)
    return np.where(seen.any(axis=-1, keepdims=True), closed, 0.0)


class Inflated:
    """Reads the parts of a stream of n points, one after the other.

    Raises zlib.error, ValueError or IndexError where it is damaged.
    """

    def __init__(self, stream: bytes, n: int) -> None:
        self.bytes = zlib.decompress(stream, -zlib.MAX_WBITS)
        self.n = n
        self.at = 0

    def take(self, size: int) -> bytes:
        """So many bytes as they are."""
        part = self.bytes[self.at : self.at + size]
        if len(part) < size:
            raise ValueError("it ends too early")
        self.at += size
        return part

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def planes(self) -> NDArray[np.uint64]:
        """What `planes` wrote."""
        width = WIDTHS[WIDTHS.index(self.byte())]
        raw = np.frombuffer(self.take(width * self.n), np.uint8).reshape(width, self.n)
        return np.ascontiguousarray(raw.T).view(f"<u{width}").ravel().astype(np.uint64)

    def signed(self) -> Ints:
        """What `signed` wrote."""
        numbers = self.planes()
        return (numbers >> np.uint64(1)).view(np.int64) ^ -(numbers & np.uint64(1)).view(np.int64)

    def mask(self) -> Mask:
        """What `mask` wrote."""
        kind = self.byte()
        if kind < 2:
            return np.full(self.n, kind == 1)
        bits = np.frombuffer(self.take((self.n + 7) // 8), np.uint8)
        return np.unpackbits(bits, count=self.n).astype(bool)
