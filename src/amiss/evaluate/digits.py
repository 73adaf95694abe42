"""Numbers and lines of CSV as bytes, compiled: half the time that general ways take."""

from math import floor, isfinite, log10

import numpy as np

from amiss.data import Array
from amiss.kernel import kernel

WIDEST = 26  # bytes of a number and the comma before it
LONGEST = 16  # digits before the point; beyond it and below .00001 there is an exponent
POWERS = 10.0 ** np.arange(309)  # 10^308 is the largest
TENS = 10 ** np.arange(20, dtype=np.uint64)
MINUS, POINT, COMMA, NEWLINE, ZERO, E = np.frombuffer(b"-.,\n0e", np.uint8)
TEN = np.uint64(10)


@kernel
def _shifted(x: float, power: int) -> np.uint64:
    """The whole number nearest to x 10^power; a power over 300 takes two steps."""
    if power < 0:
        x /= POWERS[-power]
    elif power > 300:
        x *= POWERS[300]
        x *= POWERS[power - 300]
    else:
        x *= POWERS[power]
    return np.uint64(np.rint(x))


@kernel
def _whole(out: Array, at: int, number: np.uint64, width: int) -> int:
    """A whole number in so many digits."""
    for k in range(at + width - 1, at - 1, -1):
        rest = number // TEN
        out[k] = ZERO + np.uint8(number - rest * TEN)
        number = rest
    return at + width


@kernel
def _decimal(x: float, digits: int) -> tuple[np.uint64, int, int]:
    """x > 0 as number, its digits and the exponent of the first, without zeros at the end."""
    e = floor(log10(x))
    number = _shifted(x, digits - 1 - e)
    if number >= TENS[digits]:  # 9.9996, or the logarithm was a little too small
        e += 1
        number = _shifted(x, digits - 1 - e)
    elif number < TENS[digits - 1]:  # or too large
        e -= 1
        number = _shifted(x, digits - 1 - e)
    for k in (8, 4, 2, 1):
        rest = number // TENS[k]
        if digits > k and rest * TENS[k] == number:
            number = rest
            digits -= k
    return number, digits, e


@kernel
def put(out: Array, at: int, x: float, digits: int) -> int:
    """Write x at a place of the buffer; the place after it.

    With so many significant digits, at most 15, without zeros at the end: 97.2, 1.7e-09. The
    last of 14 or 15 may be off by one. Nothing for NaN and infinities.
    """
    if not isfinite(x):
        return at
    if x == 0.0:
        out[at] = ZERO
        return at + 1
    if x < 0.0:
        out[at] = MINUS
        at += 1
    number, digits, e = _decimal(abs(x), digits)
    before = 1  # digits before the point
    if -5 <= e < 0:
        out[at] = ZERO
        out[at + 1] = POINT
        out[at + 2 : at + 1 - e] = ZERO
        return _whole(out, at + 1 - e, number, digits)
    if 0 <= e < LONGEST:
        before = e + 1
    if digits <= before:
        at = _whole(out, at, number, digits)
        out[at : at + before - digits] = ZERO
        at += before - digits
    else:
        end = _whole(out, at + 1, number, digits)
        for k in range(at, at + before):
            out[k] = out[k + 1]
        out[at + before] = POINT
        at = end
    if before == 1 and e != 0:
        out[at] = E
        at += 1
        if e < 0:
            out[at] = MINUS
            at += 1
        at = _whole(out, at, np.uint64(abs(e)), 3 if abs(e) > 99 else 2)
    return at


@kernel
def lines(
    out: Array, text: Array, ends: Array, names: Array, name_ends: Array, which: Array,
    numbers: tuple[Array, ...], digits: Array, flag: Array, each: int,
) -> int:  # fmt: skip
    """N samples -> N lines in `out`; the bytes they take.

    A line is the time, the name, the numbers with so many digits each, and the flag, with commas
    between. Sample n has the time text[ends[t]:ends[t + 1]] with t = n // each, and the name
    that which[n] says in the same way. About .3 us a line.
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
            at = put(out, at + 1, numbers[c][n], digits[c])
        out[at] = COMMA
        out[at + 1] = ZERO + np.uint8(flag[n])
        out[at + 2] = NEWLINE
        at += 3
    return at


@kernel
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


@kernel
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
