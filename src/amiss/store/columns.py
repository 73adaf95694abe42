"""The columns of a chunk as streams: what each looks like, and what is therefore cheap.

time      a regular clock costs nothing
value     decimals and whole numbers by their differences; rates as float32
score     differences of steps of .01 nats
expected  often the median of the last three values, which needs no bytes
band      often [min(expected, c) - v, max(expected, c) + v]: c and v change slowly, so they
          are what is written; any other band comes back as exactly
"""

import struct

import numpy as np
from numpy.typing import NDArray

from amiss.data import Floats, Times
from amiss.store.packing import Inflated, Ints, changes, deflate, filled, mask, planes, signed

CLOCK = struct.Struct("<qq")  # first time, step
STEP = struct.Struct("<h")  # exponent of 2
SCALES = (1.0, 0.1, 0.01, 0.001)
FLOATS, ORDERED, DECIMAL = 0, 1, 2  # how values are written; DECIMAL + i is SCALES[i]
LARGEST = float(np.finfo(np.float32).max)
NATS, MOST_NATS = 100.0, 327.0  # steps in a nat; most nats either way
MOST_STEPS = 60  # as a power of 2
WHOLE = 2.0**40  # below it, whole numbers times a scale are exact


def single(column: Floats) -> Floats:
    """Rounded to float32; infinities are NaN."""
    x = np.where(np.isfinite(column), column, np.nan)
    return np.clip(x, -LARGEST, LARGEST).astype(np.float32).astype(np.float64)


def write_time(time: Times) -> bytes:
    """Times, exactly."""
    if not len(time):
        return b""
    gaps = np.diff(time)
    tick = max(int(np.gcd.reduce(gaps)), 1) if len(gaps) else 1
    clock = CLOCK.pack(int(time[0]), tick)
    if (gaps == tick).all():
        return clock
    return clock + deflate([signed(changes((time - time[0]) // tick))])


def read_time(stream: bytes, n: int) -> Times:
    """What `write_time` wrote."""
    if not n:
        return np.empty(0, np.int64)
    first, tick = CLOCK.unpack_from(stream)
    rest = stream[CLOCK.size :]
    ticks = np.cumsum(Inflated(rest, n).signed()) if rest else np.arange(n, dtype=np.int64)
    time: Times = first + ticks * tick
    return time


def write_value(value: Floats) -> bytes:
    """Values that `single` has rounded."""
    seen = ~np.isnan(value)
    x = filled(value, seen)
    bits = x.astype(np.float32).view(np.uint32)
    ways = [(FLOATS, planes(bits)), (ORDERED, signed(changes(_order(bits))))]
    for i, scale in enumerate(SCALES):
        whole = np.rint(x / scale)
        if np.abs(whole).max(initial=0) >= WHOLE:
            break
        if np.array_equal((whole * scale).astype(np.float32), x):
            ways.append((DECIMAL + i, signed(changes(whole.astype(np.int64)))))
            break
    return min((deflate([bytes([way]), mask(seen), part]) for way, part in ways), key=len)


def read_value(stream: bytes, n: int) -> Floats:
    """What `write_value` wrote."""
    parts = Inflated(stream, n)
    way, seen = parts.byte(), parts.mask()
    if way == FLOATS:
        x = parts.planes().astype(np.uint32).view(np.float32)
    elif way == ORDERED:
        x = _unorder(np.cumsum(parts.signed()))
    else:
        x = (np.cumsum(parts.signed()) * SCALES[way - DECIMAL]).astype(np.float32)
    return np.where(seen, x.astype(np.float64), np.nan)


def write_score(score: Floats) -> bytes:
    """Scores in steps of .01 nats, cut off where they no longer matter."""
    seen = np.isfinite(score)
    steps = np.rint(np.clip(filled(score, seen), -MOST_NATS, MOST_NATS) * NATS)
    return deflate([mask(seen), signed(changes(steps.astype(np.int64)))])


def read_score(stream: bytes, n: int) -> Floats:
    """What `write_score` wrote."""
    parts = Inflated(stream, n)
    seen = parts.mask()
    return np.where(seen, np.cumsum(parts.signed()) / NATS, np.nan)


def write_bands(value: Floats, expected: Floats, lower: Floats, upper: Floats) -> bytes:
    """Expected value and band, rounded to one step for all three."""
    three = [
        np.where(np.isfinite(x), np.clip(x, -LARGEST, LARGEST), np.nan)
        for x in (expected, lower, upper)
    ]
    seen = [~np.isnan(x) for x in three]
    if not any(s.any() for s in seen):
        return b""
    power = step(*three)
    full = [filled(x, s) for x, s in zip(three, seen, strict=True)]
    # without a band it lies where it costs nothing
    e, lo, up = (_steps(x if s.any() else full[0], power) for x, s in zip(full, seen, strict=True))
    centre = lo + up - e
    spread = up - lo - np.abs(e - centre)
    median, first = _cheaper(changes(e), e - _steps(recent(value), power))
    tied, second = _cheaper(changes(centre), centre - e)
    return deflate(
        [
            STEP.pack(power),
            bytes([median, tied]),
            *map(mask, seen),
            *map(signed, (first, second, changes(spread))),
        ]
    )


def read_bands(stream: bytes, n: int, value: Floats) -> tuple[Floats, Floats, Floats]:
    """What `write_bands` wrote, beside the same values."""
    if not stream:
        return (np.full(n, np.nan),) * 3
    parts = Inflated(stream, n)
    (power,) = STEP.unpack(parts.take(STEP.size))
    median, tied = parts.byte(), parts.byte()
    seen = [parts.mask() for _ in range(3)]
    first, second, third = parts.signed(), parts.signed(), parts.signed()
    e = first + _steps(recent(value), power) if median else np.cumsum(first)
    centre = second + e if tied else np.cumsum(second)
    width = np.cumsum(third) + np.abs(e - centre)
    expected, lower, upper = (
        np.where(s, np.ldexp(x.astype(np.float64), power), np.nan)
        for s, x in zip(
            seen, (e, (e + centre - width) >> 1, (e + centre + width) >> 1), strict=True
        )
    )
    return expected, lower, upper


def step(expected: Floats, lower: Floats, upper: Floats) -> int:
    """The power of 2 that all three are rounded to: 1/512 of the narrowest band, or less."""
    size = np.abs(np.concatenate([expected, lower, upper]))
    size = size[np.isfinite(size) & (size > 0)]
    if not len(size):
        return 0
    width = upper - lower
    width = width[width > 0]
    finest = _power(width.min()) - 9 if len(width) else _power(size.min()) - 23
    return max(finest, _power(size.max()) - 40)


def recent(value: Floats) -> Floats:
    """The median of the three values before each, gaps left out of account."""
    x = filled(value, ~np.isnan(value))
    row = np.arange(len(x))
    a, b, c = (x[np.maximum(row - lag, 0)] for lag in (1, 2, 3))
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _power(x: float) -> int:
    return int(np.frexp(x)[1]) - 1


def _steps(x: Floats, power: int) -> Ints:
    # a value can be far out of all bands; cut off, it is no worse a guess at what is expected
    most = np.ldexp(1.0, power + MOST_STEPS)
    steps: Floats = np.rint(np.ldexp(np.clip(x, -most, most), -power))
    return steps.astype(np.int64)


def _cheaper(*ways: Ints) -> tuple[int, Ints]:
    """Which of two ways to write a column needs fewer bits, about, and that column."""
    one, other = (float(np.log2(1.0 + np.abs(way)).sum()) for way in ways)
    return (1, ways[1]) if other < one else (0, ways[0])


def _order(bits: NDArray[np.uint32]) -> Ints:
    """Bits of float32 as whole numbers that are in the same order as the floats."""
    low = (bits & np.uint32(0x7FFFFFFF)).astype(np.int64)
    return np.where(bits >> np.uint32(31), -low, low)


def _unorder(numbers: Ints) -> NDArray[np.float32]:
    sign = np.where(numbers < 0, np.uint32(0x80000000), np.uint32(0))
    return (np.abs(numbers).astype(np.uint32) | sign).view(np.float32)
