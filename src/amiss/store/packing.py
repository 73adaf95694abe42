"""Whole numbers in few bytes: differences, byte planes, deflate.

A stream is a row of parts, deflated together; each part says itself how long it is, given
how many points there are.
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


def planes(numbers: NDArray[np.unsignedinteger]) -> bytes:
    """The numbers in as few bytes as the largest needs, bytes of equal weight side by side."""
    most = int(numbers.max(initial=0))
    width = next(w for w in WIDTHS if most < 256**w)
    raw = numbers.astype(f"<u{width}").view(np.uint8).reshape(len(numbers), width)
    return bytes([width]) + raw.T.tobytes()


def changes(numbers: Ints) -> Ints:
    """Each number less the one before; the first as it is."""
    less = numbers.copy()
    less[1:] -= numbers[:-1]
    return less


def signed(numbers: Ints) -> bytes:
    """Planes of numbers that are small either way: 0, -1, 1, -2, 2 are written 0 to 4."""
    return planes(((numbers << 1) ^ (numbers >> 63)).view(np.uint64))


def mask(seen: Mask) -> bytes:
    """Where there is something; one byte where there is something everywhere, or nowhere."""
    if seen.all():
        return b"\1"
    return b"\2" + np.packbits(seen).tobytes() if seen.any() else b"\0"


def filled(column: Floats, seen: Mask) -> Floats:
    """The column with each gap closed by the number before it (or the first after it)."""
    if seen.all():
        return column
    if not seen.any():
        return np.zeros(len(column))
    last = np.where(seen, np.arange(len(column)), int(np.argmax(seen)))
    return column[np.maximum.accumulate(last)]


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
