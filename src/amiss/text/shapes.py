"""What has the shape of a value in a log line, and the words that are left. Compiled.

From left to right, at each place the first of these that fits, capitals or not:
    quantity   a number with its unit, and a second one in brackets: 14 KB (14,336 bytes)
    assigned   the right side of key=value: a quantity, quoted, or with balanced brackets
    path       /a/b or scheme://a/b, of two parts at least
    truth      true, false, null
    label      letters with a colon before something with a digit: it stays
    word       whatever else has a digit
Tokens are what is left between blanks, and punctuation one by one. Slots with nothing but
punctuation between them are one slot.
"""

import numpy as np

from amiss.data import Array
from amiss.kernel import kernel
from amiss.text.hashes import PRIME, START, mixed

LONGEST, WORDS = 2000, 100  # of a line: bytes and tokens looked at
SPREAD = 5  # bytes that a byte may become
SLOT = np.uint64(11)
MARK, SPACE, EQUALS, COLON, DOT, SLASH, MINUS, LESS, GREATER = (np.uint8(n) for n in b"\0 =:./-<>")
UNITS = tuple(
    "b kb mb gb tb kib mib gib tib byte bytes s ms us ns sec secs second seconds min mins minute "
    "minutes hour hours day days hz khz mhz ghz %".split()
)
LETTER, DIGIT, WORD, BLANK, INSIDE, TOKEN, GLUED, VALUE, REST, PATH, SEGMENT, SCHEME = (
    1 << n for n in range(12)
)
NUMBER, COMPARES, JOINS = (1 << n for n in range(12, 15))


def _kinds() -> Array:
    """Of each byte, what it can be a part of."""
    every = bytes(range(256))
    letters, digits = bytes(range(97, 123)) + bytes(range(65, 91)), b"0123456789"
    blank = b" \t\n\r\x0b\x0c"

    def without(some: bytes) -> bytes:
        return bytes(set(every) - set(some) - set(blank))

    out = np.zeros(256, np.int64)
    for bit, some in (
        (LETTER, letters), (DIGIT, digits), (WORD, letters + digits + b"_" + every[128:]),
        (BLANK, blank), (INSIDE, without(b",;=()[]{}'\"|<>")),
        (TOKEN, without(b",;:=()[]{}'\"|<>")), (GLUED, b",;:()[]{}'\"|<>-."),
        (VALUE, without(b",;=(){}[]'\"|<>&")),
        (REST, without(b",;(){}[]&|")), (PATH, without(b",;:()[]{}'\"|")),
        (SEGMENT, without(b",;:()[]{}'\"|/")), (SCHEME, letters + b"+."),
        (NUMBER, digits + b"<>-+"), (COMPARES, b"=<>!"), (JOINS, b".:/@-"),
    ):  # fmt: skip
        for byte in some:
            out[byte] |= bit
    return out


def _units() -> Array:
    out = np.zeros((len(UNITS), 8), np.uint8)
    for n, unit in enumerate(UNITS):
        out[n, : len(unit)] = np.frombuffer(unit.encode(), np.uint8)
    return out


KINDS, UNIT = _kinds(), _units()
OPENING, CLOSING = np.frombuffer(b"{([\"'", np.uint8), np.frombuffer(b"})]\"'", np.uint8)
TRUTH = np.zeros((3, 5), np.uint8)
for _n, _word in enumerate((b"true", b"false", b"null")):
    TRUTH[_n, : len(_word)] = np.frombuffer(_word, np.uint8)


@kernel
def _one_of(text: Array, a: int, b: int, words: Array) -> bool:
    """Whether text[a:b] is one of some words, capitals or not."""
    if b - a > words.shape[1]:
        return False
    for n in range(len(words)):
        same = b - a == words.shape[1] or words[n, b - a] == 0
        for k in range(b - a):
            c = text[a + k]
            same &= words[n, k] == (c | 32 if KINDS[c] & LETTER else c)
        if same:
            return True
    return False


@kernel
def _number(text: Array, k: int, b: int) -> int:
    """Where a quantity that begins here ends, or -1."""
    if k < b and (text[k] == LESS or text[k] == GREATER):
        k += 1
    if k < b and (text[k] == MINUS or text[k] == 43):
        k += 1
    if k >= b or not KINDS[text[k]] & DIGIT:
        return -1
    while k < b and (KINDS[text[k]] & DIGIT or text[k] == DOT or text[k] == 44 or text[k] == COLON):
        k += 1
    if k < b and text[k] == SPACE:
        k += 1
    end = k
    if k < b and text[k] == 37:
        end = k + 1
    else:
        while end < b and KINDS[text[end]] & LETTER:
            end += 1
    return end if end > k and _one_of(text, k, end, UNIT) else -1


@kernel
def _quantity(text: Array, a: int, k: int, b: int) -> int:
    if k > a and (KINDS[text[k - 1]] & WORD or text[k - 1] == DOT):
        return -1
    end = _number(text, k, b)
    if end < 0:
        return -1
    at = end + 1 if end < b and KINDS[text[end]] & BLANK else end
    if at < b and text[at] == 40:
        second = _number(text, at + 1, b)
        if 0 <= second < b and text[second] == 41:
            if second + 1 == b or not KINDS[text[second + 1]] & WORD:
                return second + 1
    return -1 if end < b and KINDS[text[end]] & WORD else end


@kernel
def _closed(text: Array, k: int, b: int, first: int, last: int) -> int:
    """The end of what is in such brackets and begins here, or -1."""
    for n in range(first, last):
        if k < b and text[k] == OPENING[n]:
            for end in range(k + 1, b):
                if text[end] == CLOSING[n]:
                    return end + 1
    return -1


@kernel
def _assigned(text: Array, a: int, k: int, b: int) -> int:
    if text[k] != EQUALS or k + 1 >= b or text[k + 1] == EQUALS or KINDS[text[k + 1]] & BLANK:
        return -1
    if k > a:
        if KINDS[text[k - 1]] & COMPARES:
            return -1
    k += 1
    end = _number(text, k, b)
    if end >= 0 and (end == b or KINDS[text[end]] & BLANK):
        return end
    end = _closed(text, k, b, 3, 5)
    if end >= 0:
        return end
    while k < b and KINDS[text[k]] & VALUE:
        k += 1
    end = _closed(text, k, b, 0, 3)
    k = max(end, k)
    while k < b and KINDS[text[k]] & REST:
        k += 1
    return k


@kernel
def _path(text: Array, a: int, k: int, b: int) -> int:
    c = text[k]
    if c != SLASH and not KINDS[c] & LETTER:
        return -1
    if k > a and (KINDS[text[k - 1]] & WORD or text[k - 1] == DOT or text[k - 1] == GREATER):
        return -1
    if c != SLASH:
        while k < b and KINDS[text[k]] & SCHEME:
            k += 1
        if k + 2 >= b or text[k] != COLON or text[k + 1] != SLASH or text[k + 2] != SLASH:
            return -1
        k += 2
    k += 1
    first = k
    while k < b and KINDS[text[k]] & SEGMENT:
        k += 1
    if k == first or k >= b or text[k] != SLASH:
        return -1
    while k < b and KINDS[text[k]] & PATH:
        k += 1
    return k


@kernel
def _truth(text: Array, a: int, k: int, b: int) -> int:
    if not KINDS[text[k]] & LETTER:
        return -1
    if k > a and (KINDS[text[k - 1]] & WORD or text[k - 1] == DOT or text[k - 1] == MINUS):
        return -1
    end = k
    while end < b and end < k + 6 and KINDS[text[end]] & LETTER:
        end += 1
    if end < b and (KINDS[text[end]] & WORD or text[end] == MINUS):
        return -1
    return end if _one_of(text, k, end, TRUTH) else -1


@kernel
def _label(text: Array, a: int, k: int, b: int) -> int:
    if k > a:
        c = text[k - 1]
        if KINDS[c] & WORD or KINDS[c] & JOINS:
            return -1
    end = k
    while end < b and (KINDS[text[end]] & LETTER or text[end] == 95):
        end += 1
    if end == k or end >= b or text[end] != COLON:
        return -1
    while end < b and text[end] == COLON:
        end += 1
    for j in range(end, b):
        if not KINDS[text[j]] & TOKEN:
            return -1
        if KINDS[text[j]] & DIGIT:
            return end
    return -1


@kernel
def _shape(text: Array, a: int, k: int, b: int) -> tuple[int, bool]:
    """The end of what has a shape here, or -1; and whether it stays as it is."""
    end = _quantity(text, a, k, b) if KINDS[text[k]] & NUMBER else -1
    if end < 0:
        end = _assigned(text, a, k, b)
    if end < 0:
        end = _path(text, a, k, b)
    if end < 0:
        end = _truth(text, a, k, b)
    if end >= 0:
        return end, False
    return _label(text, a, k, b), True


@kernel
def masked(text: Array, a: int, b: int, out: Array) -> int:
    """Copy a line, values as MARK; how many bytes there are. `out` has SPREAD for each byte."""
    at, k, plain = 0, a, a  # before `plain` there is no more word with a digit
    while k < b:
        c = text[k]
        end, stays = _shape(text, a, k, b)
        if end < 0 and k >= plain:
            stays, plain, digit = False, k, False
            while plain < b and KINDS[text[plain]] & INSIDE:
                digit |= KINDS[text[plain]] & DIGIT != 0
                plain += 1
            end = plain if digit else -1
        if end < 0 or stays:
            end = max(end, k + 1)
            for j in range(k, end):
                out[at] = SPACE if text[j] == MARK else text[j]
                at += 1
        elif c == EQUALS:
            out[at], out[at + 1] = EQUALS, MARK
            at += 2
        else:
            out[at], out[at + 1], out[at + 2] = SPACE, MARK, SPACE
            at += 3
            if text[end - 1] == COLON or text[end - 1] == DOT:
                out[at] = text[end - 1]
                at += 1
        k = end
    return at


@kernel
def tokens(text: Array, size: int, begin: Array, end: Array, word: Array, fixed: Array) -> int:
    """The tokens of a masked line: where they are, their hashes, and which are no words.

    How many there are, WORDS + 1 at most.
    """
    n, k, slot = 0, 0, -1
    while k < size:
        if KINDS[text[k]] & BLANK:
            k += 1
            continue
        first, marked, h = k, False, START
        while True:
            marked |= text[k] == MARK
            h = (h ^ np.uint64(text[k])) * PRIME
            k += 1
            if k >= size or not KINDS[text[k]] & TOKEN or not KINDS[text[first]] & TOKEN:
                break
        if marked:
            if slot >= 0:
                n = slot + 1
                continue
            slot = n
        else:
            if not (k == first + 1 and KINDS[text[first]] & GLUED):
                slot = -1
            if n >= WORDS:
                break
        begin[n], end[n] = first, k
        word[n] = SLOT if marked else mixed(h)
        sign = KINDS[text[first]] & GLUED or text[first] == EQUALS
        fixed[n] = marked or (k == first + 1 and sign != 0)
        n += 1
    return n
