"""Numbers and lines of CSV as bytes, compiled: half the time that general ways take."""

from math import floor, frexp, isfinite, log10

import numpy as np

from amiss.data import Array
from amiss.kernel import inlined, kernel

WIDEST = 26  # bytes of a number and the comma before it
LONGEST = 16  # digits before the point; beyond it and below .00001 there is an exponent
POWERS = np.append(10.0 ** np.arange(309), np.inf)  # 10^308 is the largest
TENS = 10 ** np.arange(20, dtype=np.uint64)
MINUS, POINT, COMMA, NEWLINE, ZERO, E = np.frombuffer(b"-.,\n0e", np.uint8)
TEN, HUNDRED = np.uint64(10), np.uint64(100)
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
    return np.uint64(np.rint(x))


@inlined
def _whole(out: Array, at: int, number: np.uint64, width: int) -> int:
    """A whole number in so many digits, two at a time."""
    k = at + width
    while k >= at + 2:
        rest = number // HUNDRED
        pair = number - rest * HUNDRED
        first = pair // TEN
        k -= 2
        out[k] = ZERO + np.uint8(first)
        out[k + 1] = ZERO + np.uint8(pair - first * TEN)
        number = rest
    if k > at:
        out[at] = ZERO + np.uint8(number)
    return at + width


@kernel
def _decimal(x: float, digits: int) -> tuple[np.uint64, int]:
    """x > 0 as a number of so many digits, and the exponent of the first."""
    if x < SMALL:
        e = floor(log10(x))
    else:
        e = floor((frexp(x)[1] - 1) * OCTAVE)  # or one too small
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
    number, e = _decimal(abs(x), digits)
    before = 1  # digits before the point
    if -5 <= e < 0:
        out[at] = ZERO
        out[at + 1] = POINT
        at = _zeros(out, at + 2, -1 - e)
        return _shorn(out, _whole(out, at, number, digits))
    if 0 <= e < LONGEST:
        before = e + 1
    if digits <= before:
        at = _zeros(out, _whole(out, at, number, digits), before - digits)
    else:
        end = _whole(out, at + 1, number, digits)
        for k in range(at, at + before):
            out[k] = out[k + 1]
        out[at + before] = POINT
        at = _shorn(out, end)
    if before == 1 and e != 0:
        out[at] = E
        at += 1
        if e < 0:
            out[at] = MINUS
            at += 1
        at = _whole(out, at, np.uint64(abs(e)), 3 if abs(e) > 99 else 2)
    return at


@inlined
def _zeros(out: Array, at: int, count: int) -> int:
    """So many zeros."""
    for k in range(at, at + count):
        out[k] = ZERO
    return at + count


@inlined
def _shorn(out: Array, end: int) -> int:
    """Where digits end without the zeros after the last, and without a point after that."""
    while out[end - 1] == ZERO:
        end -= 1
    return end - 1 if out[end - 1] == POINT else end


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
