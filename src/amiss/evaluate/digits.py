"""Numbers and lines of CSV as bytes, compiled: half the time that general ways take."""

from math import floor, isfinite, log10

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing, inlined

WIDEST = 26  # bytes of a number and the comma before it
ROOM = 16  # bytes behind the last line that may be written over
LONGEST = 16  # digits before the point; beyond it and below .00001 there is an exponent
SURE = 15  # digits at most; so many are as good as all for what was read
POWERS = np.append(10.0 ** np.arange(309), np.inf)  # 10^308 is the largest
EXACT = 22  # the largest power of ten that is told exactly
TENS = 10 ** np.arange(20, dtype=np.uint64)
MINUS, POINT, COMMA, NEWLINE, ZERO, E = np.frombuffer(b"-.,\n0e", np.uint8)
ZEROS = np.uint64(0x3030303030303030)
TEN, HUNDRED, FOUR, EIGHT = np.uint64(10), np.uint64(100), np.uint64(10**4), np.uint64(10**8)
OCTAVE = log10(2.0)
SMALL = 1e-290  # below it logarithms are sure enough


@inlined
def _shifted(x: float, power: int) -> np.uint64:
    """The whole number nearest to x 10^power; a power over 300 takes two steps."""
    if power < 0:
        x /= POWERS[-power]
    elif power > 300:
        x *= POWERS[300]
        x *= POWERS[power - 300]
    else:
        x *= POWERS[power]
    return np.uint64(np.int64(np.rint(x)))


@inlined
def _octave(x: float) -> int:
    """The exponent of the largest power of two up to x, for x >= SMALL."""
    return int(np.float64(x).view(np.uint64) >> np.uint64(52)) - 1023


@inlined
def _decimal(x: float, digits: int) -> tuple[np.uint64, int]:
    """x > 0 as a number of so many digits, and the exponent of the first."""
    if x < SMALL:
        e = floor(log10(x))
    else:
        e = floor(_octave(x) * OCTAVE)  # or one too small
        if e < -1:
            e += x * POWERS[-1 - e] >= 1.0
        else:
            e += x >= POWERS[e + 1]
    number = _shifted(x, digits - 1 - e)
    while number >= TENS[digits]:  # 9.9996
        e += 1
        number = _shifted(x, digits - 1 - e)
    if number < TENS[digits - 1]:  # the power above is not exact
        e -= 1
        number = _shifted(x, digits - 1 - e)
    return number, e


@inlined
def _is(number: np.uint64, power: int, x: float) -> bool:
    """Whether x is the number nearest to this many digits times 10^power."""
    if not -EXACT <= power <= EXACT:
        return False
    whole = float(np.int64(number))
    near: float = whole * POWERS[power] if power >= 0 else whole / POWERS[-power]
    return near == x


@inlined
def _eight(number: np.uint64) -> np.uint64:
    """Eight digits as bytes from 0 to 9, the first one lowest: halved thrice, all at once."""
    high = number // FOUR
    both = high | (number - high * FOUR) << np.uint64(32)
    high = (both * np.uint64(10486)) >> np.uint64(20) & np.uint64(0x7F0000007F)
    both = high | (both - high * HUNDRED) << np.uint64(16)
    high = (both * np.uint64(103)) >> np.uint64(10) & np.uint64(0x000F000F000F000F)
    return high | (both - high * TEN) << np.uint64(8)


@inlined
def _used(word: np.uint64) -> int:
    """How many bytes there are up to the last that is not 0."""
    return (_octave(np.float64(np.int64(word))) >> 3) + 1


@inlined
def _store(out: Array, at: int, word: np.uint64) -> None:
    """Eight bytes, the lowest first: one instruction."""
    k = np.uint64(at)
    for i in range(8):
        out[k + np.uint64(i)] = np.uint8(word >> np.uint64(8 * i))


@inlined
def put(out: Array, at: int, x: float, digits: int) -> int:
    """Write x at a place of the buffer; the place after it, behind which there is ROOM.

    With so many significant digits, at most 15, without zeros at the end: 97.2, 1.7e-09. The
    last of 14 or 15 may be off by one. Nothing for NaN and infinities.
    """
    if not isfinite(x):
        return at
    if x == 0.0:
        out[at] = ZERO
        return at + 1
    out[at] = MINUS
    at += x < 0.0
    x = abs(x)
    low = np.uint64(0)
    number, e = _decimal(x, 8 if digits == SURE else digits)
    if digits == SURE and not _is(number, e - 7, x):
        number, e = _decimal(x, digits)
    elif digits == SURE:
        digits = 8
    if digits <= 8:
        number *= TENS[8 - digits]
    else:
        number *= TENS[LONGEST - digits]
        high = number // EIGHT
        low = _eight(number - high * EIGHT)
        number = high
    high = _eight(number)
    used = 8 + _used(low) if low else _used(high)
    high, low = high | ZEROS, low | ZEROS
    if -5 <= e < 0:
        _store(out, at, ZEROS)
        out[at + 1] = POINT
        _store(out, at + 1 - e, high)
        _store(out, at + 9 - e, low)
        return at + 1 - e + used
    before = e + 1 if 0 <= e < LONGEST else 1  # digits before the point
    _store(out, at, high)
    if used <= before:
        _store(out, at + 8, low)
        at += before
    else:
        at = _pointed(out, at, high, low, before) + used - before
    if before == 1 and e != 0:
        at = _exponent(out, at, e)
    return at


@inlined
def _pointed(out: Array, at: int, high: np.uint64, low: np.uint64, before: int) -> int:
    """Of 16 digits so many, a point, and the others; `high` is there. The place of the others."""
    rest, last = low, ZEROS
    if before < 8:
        some = np.uint64(8 * before)
        rest = high >> some | low << (np.uint64(64) - some)
        last = low >> some
    elif before > 8:
        _store(out, at + 8, low)
        rest = low >> np.uint64(8 * (before - 8))
    out[at + before] = POINT
    _store(out, at + before + 1, rest)
    _store(out, at + before + 9, last)
    return at + before + 1


@borrowing
def _exponent(out: Array, at: int, e: int) -> int:
    """As in e-09, or e17; the place after it."""
    out[at] = E
    at += 1
    if e < 0:
        out[at] = MINUS
        at += 1
    return _whole(out, at, np.uint64(abs(e)), 3 if abs(e) > 99 else 2)


@inlined
def _whole(out: Array, at: int, number: np.uint64, width: int) -> int:
    """A whole number in so many digits."""
    for k in range(at + width - 1, at - 1, -1):
        rest = number // TEN
        out[k] = ZERO + np.uint8(number - rest * TEN)
        number = rest
    return at + width


@borrowing
def lines(
    out: Array, text: Array, ends: Array, names: Array, name_ends: Array, which: Array,
    numbers: Array, digits: Array, flag: Array, each: int,
) -> int:  # fmt: skip
    """N samples -> N lines in `out`; the bytes they take. Cost: about .2 us a line.

    A line is the time, the name, the numbers (K, N) with so many digits each, and the flag, with
    commas between. Sample n has the time text[ends[t]:ends[t + 1]] with t = n // each, and the
    name that which[n] says in the same way.
    """
    at = 0
    for n in range(len(which)):
        t, name = n // each, which[n]
        for k in range(ends[t], ends[t + 1]):
            out[at] = text[k]
            at += 1
        out[at] = COMMA
        at += 1
        for k in range(name_ends[name], name_ends[name + 1]):
            out[at] = names[k]
            at += 1
        for c in range(len(numbers)):
            out[at] = COMMA
            at = put(out, at + 1, numbers[c, n], digits[c])
        out[at] = COMMA
        out[at + 1] = ZERO + np.uint8(flag[n])
        out[at + 2] = NEWLINE
        at += 3
    return at


@borrowing
def judged(out: Array, first: int, score: Array, p: Array, flag: Array, digits: int) -> int:
    """N lines of number, score, p and flag into `out`; the bytes they take. About .2 us a line."""
    at = 0
    for n in range(len(score)):
        width, number = 1, np.uint64(first + n)
        while number >= TENS[width]:
            width += 1
        at = _whole(out, at, number, width)
        out[at] = COMMA
        at = put(out, at + 1, score[n], digits)
        out[at] = COMMA
        at = put(out, at + 1, p[n], digits)
        out[at] = COMMA
        out[at + 1] = ZERO + np.uint8(flag[n])
        out[at + 2] = NEWLINE
        at += 3
    return at


@borrowing
def endings(out: Array, first: int, which: Array, text: Array, ends: Array) -> int:
    """N lines of number and the text which[n], text[ends[w]:ends[w + 1]]; the bytes they take."""
    at = 0
    for n in range(len(which)):
        width, number = 1, np.uint64(first + n)
        while number >= TENS[width]:
            width += 1
        at = _whole(out, at, number, width)
        out[at] = COMMA
        at += 1
        for k in range(ends[which[n]], ends[which[n] + 1]):
            out[at] = text[k]
            at += 1
    return at
