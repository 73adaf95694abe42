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
from amiss.store.packing import Inflated, Ints, changes, deflate, filled, masks, planes, signed

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


def write_times(time: Times) -> list[bytes]:
    """Times, exactly; what many have in common is made once."""
    if (time == time[:1]).all():
        return [_write_time(time[0])] * len(time)
    return [_write_time(row) for row in time]


def _write_time(time: Times) -> bytes:
    if not len(time):
        return b""
    gaps = np.diff(time)
    tick = max(int(np.gcd.reduce(gaps)), 1) if len(gaps) else 1
    clock = CLOCK.pack(int(time[0]), tick)
    if (gaps == tick).all():
        return clock
    ticks = (time - time[0]) // tick
    return clock + deflate(signed(changes(ticks[None])))


def read_time(stream: bytes, n: int) -> Times:
    """What `write_times` wrote of one."""
    if not n:
        return np.empty(0, np.int64)
    first, tick = CLOCK.unpack_from(stream)
    rest = stream[CLOCK.size :]
    ticks = np.cumsum(Inflated(rest, n).signed()) if rest else np.arange(n, dtype=np.int64)
    time: Times = first + ticks * tick
    return time


def write_values(value: Floats) -> list[bytes]:
    """Values that `single` has rounded, each row in the way that is shortest."""
    seen = ~np.isnan(value)
    x = filled(value, seen)
    bits, head = x.astype(np.float32).view(np.uint32), masks(seen)
    found = [
        [deflate([bytes([way]), mask, part]) for mask, part in zip(head, parts, strict=True)]
        for way, parts in ((FLOATS, planes(bits)), (ORDERED, signed(changes(_order(bits)))))
    ]
    best = [min(ways, key=len) for ways in zip(*found, strict=True)]
    left = np.arange(len(x))
    for i, scale in enumerate(SCALES):
        whole = np.rint(x[left] / scale)
        small = np.abs(whole).max(axis=1, initial=0) < WHOLE
        fits = small & ((whole * scale).astype(np.float32) == x[left]).all(axis=1)
        if fits.any():
            parts = signed(changes(whole[fits].astype(np.int64)))
            for row, part in zip(left[fits].tolist(), parts, strict=True):
                other = deflate([bytes([DECIMAL + i]), head[row], part])
                best[row] = min(best[row], other, key=len)
        if not len(left := left[small & ~fits]):
            break
    return best


def read_value(stream: bytes, n: int) -> Floats:
    """What `write_values` wrote of one."""
    parts = Inflated(stream, n)
    way, seen = parts.byte(), parts.mask()
    if way == FLOATS:
        x = parts.planes().astype(np.uint32).view(np.float32)
    elif way == ORDERED:
        x = _unorder(np.cumsum(parts.signed()))
    else:
        x = (np.cumsum(parts.signed()) * SCALES[way - DECIMAL]).astype(np.float32)
    return np.where(seen, x.astype(np.float64), np.nan)


def write_scores(score: Floats) -> list[bytes]:
    """Scores in steps of .01 nats, cut off where they no longer matter."""
    seen = np.isfinite(score)
    steps = np.rint(np.clip(filled(score, seen), -MOST_NATS, MOST_NATS) * NATS)
    parts = zip(masks(seen), signed(changes(steps.astype(np.int64))), strict=True)
    return list(map(deflate, parts))


def read_score(stream: bytes, n: int) -> Floats:
    """What `write_scores` wrote of one."""
    parts = Inflated(stream, n)
    seen = parts.mask()
    return np.where(seen, np.cumsum(parts.signed()) / NATS, np.nan)


def write_bands(value: Floats, expected: Floats, lower: Floats, upper: Floats) -> list[bytes]:
    """Expected value and band, of each row rounded to one step for all three."""
    three = [
        np.where(np.isfinite(x), np.clip(x, -LARGEST, LARGEST), np.nan)
        for x in (expected, lower, upper)
    ]
    seen = [~np.isnan(x) for x in three]
    power = step(*three)
    full = [filled(x, s) for x, s in zip(three, seen, strict=True)]
    # without a band it lies where it costs nothing
    e, lo, up = (
        _steps(np.where(s.any(axis=1, keepdims=True), x, full[0]), power)
        for x, s in zip(full, seen, strict=True)
    )
    centre = lo + up - e
    spread = up - lo - np.abs(e - centre)
    median, first = _cheaper(changes(e), e - _steps(recent(value), power))
    tied, second = _cheaper(changes(centre), centre - e)
    head = map(STEP.pack, power[:, 0].tolist())
    ways = map(bytes, zip(median.tolist(), tied.tolist(), strict=True))
    numbers = map(signed, (first, second, changes(spread)))
    streams = map(deflate, zip(head, ways, *map(masks, seen), *numbers, strict=True))
    there = np.any([s.any(axis=1) for s in seen], axis=0).tolist()
    return [stream if any else b"" for stream, any in zip(streams, there, strict=True)]


def read_bands(stream: bytes, n: int, value: Floats) -> tuple[Floats, Floats, Floats]:
    """What `write_bands` wrote of one, beside the same values."""
    if not stream:
        return (np.full(n, np.nan),) * 3
    parts = Inflated(stream, n)
    (power,) = STEP.unpack(parts.take(STEP.size))
    median, tied = parts.byte(), parts.byte()
    seen = [parts.mask() for _ in range(3)]
    first, second, third = parts.signed(), parts.signed(), parts.signed()
    e = first + _steps(recent(value), np.int64(power)) if median else np.cumsum(first)
    centre = second + e if tied else np.cumsum(second)
    width = np.cumsum(third) + np.abs(e - centre)
    expected, lower, upper = (
        np.where(s, np.ldexp(x.astype(np.float64), power), np.nan)
        for s, x in zip(
            seen, (e, (e + centre - width) >> 1, (e + centre + width) >> 1), strict=True
        )
    )
    return expected, lower, upper


def step(expected: Floats, lower: Floats, upper: Floats) -> Ints:
    """The power of 2 (S, 1) that all three of a row are rounded to: 1/512 of the narrowest band,
    or less.
    """
    size, width = np.abs(np.concatenate([expected, lower, upper], axis=1)), upper - lower
    there = size > 0  # which NaN is not
    largest = size.max(axis=1, initial=0.0, where=there, keepdims=True)
    smallest = size.min(axis=1, initial=np.inf, where=there, keepdims=True)
    narrowest = width.min(axis=1, initial=np.inf, where=width > 0, keepdims=True)
    finest = np.where(narrowest < np.inf, _power(narrowest) - 9, _power(smallest) - 23)
    return np.where(largest > 0, np.maximum(finest, _power(largest) - 40), 0)


def recent(value: Floats) -> Floats:
    """The median of the three values before each, gaps left out of account."""
    x = filled(value, ~np.isnan(value))
    place = np.arange(x.shape[-1])
    a, b, c = (x[..., np.maximum(place - lag, 0)] for lag in (1, 2, 3))
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _power(x: Floats) -> Ints:
    return np.frexp(x)[1].astype(np.int64) - 1


def _steps(x: Floats, power: Ints | np.int64) -> Ints:
    # a value can be far out of all bands; cut off, it is no worse a guess at what is expected
    most = np.ldexp(1.0, power + MOST_STEPS)
    steps: Floats = np.rint(np.ldexp(np.clip(x, -most, most), -power))
    return steps.astype(np.int64)


def _cheaper(*ways: Ints) -> tuple[Ints, Ints]:
    """Which of two ways to write a row needs fewer bits, about (S,), and the rows so (S, N)."""
    one, other = (np.log2(1.0 + np.abs(way)).sum(axis=1) for way in ways)
    which = (other < one).astype(np.int64)
    return which, np.where(which[:, None], ways[1], ways[0])


def _order(bits: NDArray[np.uint32]) -> Ints:
    """Bits of float32 as whole numbers that are in the same order as the floats."""
    low = (bits & np.uint32(0x7FFFFFFF)).astype(np.int64)
    return np.where(bits >> np.uint32(31), -low, low)


def _unorder(numbers: Ints) -> NDArray[np.float32]:
    sign = np.where(numbers < 0, np.uint32(0x80000000), np.uint32(0))
    return (np.abs(numbers).astype(np.uint32) | sign).view(np.float32)
