"""What stands in a line of text: pairs, query strings, kinds of bytes. Compiled.

    query   ?key=value&key=value...   up to a quotation mark, or a blank with HTTP/ or nothing after
    pair    key=value   key=>value   key: value, if it is quoted, in brackets or begins with a digit

Lines are bytes. What is not ASCII is taken for letters.
"""

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing
from amiss.text.hashes import PRIME, START, mixed

KEY = 41  # bytes of a key
QUERY = 60  # bytes of the first key of a query string


def _kinds() -> Array:
    """Of each byte, what it can be."""
    out = np.zeros(256, np.uint8)
    blank, letters = b" \t\n\r\x0b\x0c", bytes(range(97, 123)) + bytes(range(65, 91))
    for bit, some in (
        (1, blank),
        (2, b"0123456789"),
        (4, letters + b"_" + bytes(range(128, 256))),
        (8, letters + b"_0123456789.-[]" + bytes(range(128, 256))),
        (16, blank + b",;{([&?\"'"),
        (32, blank + b"&;,)}]"),
        (64, b"\"'[{0123456789"),
        (128, b"\"'"),
    ):
        for byte in some:
            out[byte] |= bit
    return out


KINDS = _kinds()
BLANK, DIGIT, LETTER, INSIDE, BEFORE, AFTER, CLEAR, MARK = 1, 2, 4, 8, 16, 32, 64, 128
SLASH, QUOTE, EQUALS, COLON, QUESTION, AND, PLUS, PERCENT, GREATER = b'/"=:?&+%>'
SPACE, ZERO = np.uint8(32), np.uint8(48)


@borrowing
def query(text: Array, a: int, b: int) -> int:
    """Where the question mark of a query string is, or -1."""
    for q in range(a, b):
        if text[q] == QUESTION:
            for k in range(q + 1, min(q + QUERY + 2, b)):
                c = text[k]
                if c == EQUALS:
                    return q
                if KINDS[c] & BLANK or c == AND:
                    break
                if c == QUESTION:
                    break
    return -1


@borrowing
def asked(text: Array, a: int, b: int) -> int:
    """Where a query string ends."""
    for k in range(a, b):
        c = text[k]
        if c == QUOTE or (KINDS[c] & BLANK and (k + 1 == b or text[k + 1] == QUOTE)):
            return k
        if KINDS[c] & BLANK and k + 5 < b and text[k + 1] == 72 and text[k + 2] == 84:
            if text[k + 3] == 84 and text[k + 4] == 80 and text[k + 5] == SLASH:
                return k
    return b


@borrowing
def _sign(text: Array, k: int, b: int) -> int:
    """Where the sign of a pair that is here ends, or -1."""
    if k < b and KINDS[text[k]] & BLANK:
        k += 1
    if k < b and text[k] == EQUALS:
        return k + 2 if k + 1 < b and text[k + 1] == GREATER else k + 1
    if k >= b or text[k] != COLON:
        return -1
    value = k + 2 if k + 1 < b and KINDS[text[k + 1]] & BLANK else k + 1
    return k + 1 if value < b and KINDS[text[value]] & CLEAR else -1


@borrowing
def _end(text: Array, k: int, b: int) -> int:
    """Where the value of a pair that begins here ends."""
    if k < b and KINDS[text[k]] & MARK:
        last = k + 1
        while last < b and text[last] != text[k]:
            last += 1
        if last < b:
            return last + 1
    while k < b and not KINDS[text[k]] & AFTER:
        k += 1
    return k


@borrowing
def pair(text: Array, k: int, b: int) -> tuple[int, int, int, int, int]:
    """A pair at this place: its end, its key from and to, the end of its sign, its value; or -1."""
    key = k + 1 if KINDS[text[k]] & MARK else k
    end = key
    while end < b and KINDS[text[end]] & INSIDE and end - key <= KEY:
        end += 1
    if end == key or end - key > KEY or not KINDS[text[key]] & LETTER:
        return -1, 0, 0, 0, 0
    sign = _sign(text, end + 1 if end < b and KINDS[text[end]] & MARK else end, b)
    if sign < 0:
        return -1, 0, 0, 0, 0
    value = sign + 1 if sign < b and KINDS[text[sign]] & BLANK else sign
    return _end(text, value, b), key, end, sign, value


@borrowing
def hashed(text: Array, a: int, b: int) -> np.uint64:
    """The hash of some bytes."""
    h = START
    for k in range(a, b):
        h = (h ^ np.uint64(text[k])) * PRIME
    return mixed(h)


@borrowing
def _hex(c: int) -> int:
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    return c - 87 if 97 <= c <= 102 else -1


@borrowing
def decoded(text: Array, a: int, b: int, out: Array, at: int) -> int:
    """A part of a query string as it was meant; where it ends."""
    k = a
    while k < b:
        c = text[k]
        if c == PERCENT and k + 2 < b and _hex(text[k + 1]) >= 0 and _hex(text[k + 2]) >= 0:
            out[at] = np.uint8(16 * _hex(text[k + 1]) + _hex(text[k + 2]))
            k += 2
        else:
            out[at] = SPACE if c == PLUS else c
        k += 1
        at += 1
    return at


@borrowing
def quotes_in(plain: Array, size: int) -> int:
    """How many quotation marks there are."""
    many = 0
    for c in plain[:size]:
        many += c == QUOTE
    return many


@borrowing
def end_of(plain: Array, k: int, size: int, quoted: bool) -> int:
    """Where a word ends, or what is in quotation marks; these end a word if another follows."""
    end = k + 1
    if quoted and plain[k] == QUOTE:
        while plain[end] != QUOTE:
            end += 1
        return end
    while end < size and not KINDS[plain[end]] & BLANK and not (quoted and plain[end] == QUOTE):
        end += 1
    return end


@borrowing
def word_to(plain: Array, k: int, end: int, whole: bool) -> tuple[int, bool, np.uint64]:
    """Up to a slash: where that is, whether there is a digit before it, the hash."""
    digit, h = False, START
    while k < end and (whole or plain[k] != SLASH):
        digit |= KINDS[plain[k]] & DIGIT != 0
        h = (h ^ np.uint64(plain[k])) * PRIME
        k += 1
    return k, digit, mixed(h)
