"""A line taken apart: its skeleton of words, its keys, and the values in their fields.

Nothing is known of the format. A query string (?k=v&...) is split and decoded; k=v, k: v and
k=>v are pairs wherever they stand; what is in quotation marks is a value; the rest is split at
blanks and slashes. A word with a digit, or one that was met in fewer than OFTEN lines so far, is
a value too, and neighbours of that kind are one. The skeleton is the words with slots; a field is
a key, or the place of a slot, under its skeleton. All is handed on as 64-bit hashes.
Lines are bytes. What is not ASCII is taken for letters.
"""

from typing import NamedTuple

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing
from amiss.text.hashes import NONE, PRIME, START, had, mixed
from amiss.text.lines import Lines
from amiss.text.syntax import (
    AND,
    BEFORE,
    BLANK,
    COLON,
    DIGIT,
    EQUALS,
    GREATER,
    KINDS,
    QUERY,
    QUESTION,
    QUOTE,
    SPACE,
    ZERO,
    asked,
    decoded,
    end_of,
    hashed,
    pair,
    query,
    quotes_in,
    word_to,
)

OFTEN = 8  # lines with a word before it is a part of the skeleton
LONG = 256  # bytes of a value that are looked at
LONGEST = 4096  # bytes of a line that are looked at
NEAR = 64  # how far back in a line is looked for the same
SLOT, QUOTED, EDGE = (np.uint64(n) for n in (11, 12, 13))
PLACE = np.uint64(0x9E3779B97F4A7C15)
PLAIN = 1 << 40


class Parts(NamedTuple):
    """What N lines are made of, as hashes; `.._to` says where the parts of each line end."""

    skeleton: Array  # (N,)
    sequence: Array  # (N,) of its keys, under the skeleton
    pairs_to: Array  # (N + 1,)
    values_to: Array  # (N + 1,)
    words_to: Array  # (N + 1,)
    pair: Array  # of neighbouring words, each once
    pair_span: Array  # (.., 2) where they are in `plain`
    beside: Array  # (.., 2) what stands there, before and after
    word: Array  # those that may come to be a part of a skeleton, each once
    field: Array  # of each value
    itself: Array  # a value under its field
    form: Array  # the same with all digits 0
    length: Array  # its characters
    text_to: Array  # (values + 1,) where its bytes end
    text: Array  # the first bytes of all values
    named: (
        Array  # (values, 2) where its key is in the line; or in `plain` the word before, less PLAIN
    )
    plain: Array  # of one line: without its pairs and query string


def parts(lines: Lines, words: Array) -> Parts:
    """Take lines apart; `words` is a table of the words met so far. Cost: 8 ns a byte."""
    count = len(lines.begin)
    most = np.minimum(lines.end - lines.begin, LONGEST)
    room = int(most.sum()) + 4 * count + 4
    longest = int(most.max(initial=0))
    pair, word, field, itself, form = (np.empty(room, np.uint64) for _ in range(5))
    found = Parts(
        skeleton=np.empty(count, np.uint64),
        sequence=np.empty(count, np.uint64),
        pairs_to=np.zeros(count + 1, np.int64),
        values_to=np.zeros(count + 1, np.int64),
        words_to=np.zeros(count + 1, np.int64),
        pair=pair,
        pair_span=np.empty((room, 2), np.int64),
        beside=np.empty((room, 2), np.uint64),
        word=word,
        field=field,
        itself=itself,
        form=form,
        length=np.empty(room, np.int64),
        text_to=np.empty(room + 1, np.int64),
        text=np.empty(2 * room, np.uint8),
        named=np.empty((room, 2), np.int64),
        plain=np.empty(8 * longest + 64, np.uint8),
    )
    found.text_to[0] = 0
    _apart(lines.frozen(), lines.begin, lines.end, words, found)
    return found


@borrowing
def fresh(some: Array, first: int, last: int) -> bool:
    """Whether the last of some hashes is not among those before it."""
    for k in range(max(first, last - NEAR), last):
        if some[k] == some[last]:
            return False
    return True


@borrowing
def _value(source: Array, a: int, b: int, key: np.uint64, out: Parts, n: int, more: bool) -> int:
    """Add a value, or more to the last one, after a blank; how many values there are then."""
    hashes, forms, lengths, text, text_to = (
        out.itself, out.form, out.length, out.text, out.text_to,
    )  # fmt: skip
    if more:
        n -= 1
        h, form, length = hashes[n], forms[n], lengths[n]
        first, at = text_to[n], text_to[n + 1]
    else:
        h, form, length = START, START, 0
        first = at = text_to[n]
        out.field[n] = key
    for k in range(a - 1 if more else a, b):
        c = SPACE if k < a else source[k]
        if c & 0xC0 != 0x80:
            length += 1
        if at - first < LONG:
            h = (h ^ np.uint64(c)) * PRIME
            text[at] = c
            at += 1
            form = (form ^ np.uint64(ZERO if KINDS[c] & DIGIT else c)) * PRIME
    hashes[n], forms[n], lengths[n], text_to[n + 1] = h, form, length, at
    return n + 1


@borrowing
def _items(text: Array, a: int, b: int, out: Parts, n: int) -> int:
    """The keys and values of a query string."""
    plain, k = out.plain, a
    spare = len(plain) // 2
    while k <= b:
        end = k
        while end < b and text[end] != AND:
            end += 1
        sign = k
        while sign < end and text[sign] != EQUALS:
            sign += 1
        keyed = sign < end
        last = min(sign, k + QUERY) if keyed else k
        begin = sign + 1 if keyed else k
        out.named[n, 0], out.named[n, 1] = k, last
        to = decoded(text, begin, end, plain, spare)
        n = _value(plain, spare, to, hashed(text, k, last), out, n, False)
        k = end + 1
    return n


@borrowing
def _lifted(text: Array, a: int, b: int, out: Parts, n: int) -> tuple[int, int]:
    """Copy a line, its pairs taken out; how many values and bytes there are then."""
    plain, at, k = out.plain, 0, a
    while k < b:
        to = -1
        if k == a or KINDS[text[k - 1]] & BEFORE:
            to, key, end, sign, value = pair(text, k, b)
        if to < 0:
            plain[at] = text[k]
            at += 1
            k += 1
            continue
        out.named[n, 0], out.named[n, 1] = key, end
        n = _value(text, value, to, hashed(text, key, end), out, n, False)
        plain[at] = SPACE
        at += 1
        for j in range(key, sign):
            if j < end or text[j] == EQUALS or text[j] == COLON or text[j] == GREATER:
                plain[at] = text[j]
                at += 1
        plain[at] = SPACE
        at += 1
        k = to
    return n, at


@borrowing
def _plain(text: Array, a: int, b: int, out: Parts, n: int) -> tuple[int, int]:
    """The line without query string and pairs, in `plain`; how many values and bytes there are."""
    q = query(text, a, b)
    if q < 0:
        for k in range(a, b):
            c = text[k]
            if c == EQUALS or (c == QUOTE and k + 1 < b and text[k + 1] == COLON):
                return _lifted(text, a, b, out, n)
        return n, _copied(text, a, b, out.plain, 0)
    end = asked(text, q + 1, b)
    n = _items(text, q + 1, end, out, n)
    at = _copied(text, a, q, out.plain, 0)
    out.plain[at], out.plain[at + 1] = SPACE, QUESTION
    return n, _copied(text, end, b, out.plain, at + 2)


@borrowing
def _copied(text: Array, a: int, b: int, out: Array, at: int) -> int:
    """Copy some bytes to a place; where they end there."""
    for k in range(a, b):
        out[at + k - a] = text[k]
    return at + b - a


@borrowing
def _next(out: Parts, line: int, before: np.uint64, now: np.uint64, a: int, b: int) -> None:
    """Add a pair of neighbours that stand there, if the line has not had it."""
    at = out.pairs_to[line]
    out.pair[at] = mixed(before ^ (now * PRIME))
    out.pair_span[at, 0], out.pair_span[at, 1] = a, b
    out.beside[at, 0], out.beside[at, 1] = before, now
    if fresh(out.pair, out.pairs_to[line - 1], at):
        out.pairs_to[line] += 1


@borrowing
def _met(out: Parts, line: int, word: np.uint64) -> None:
    """Add a word, if the line has not had it."""
    at = out.words_to[line]
    out.word[at] = word
    if fresh(out.word, out.words_to[line - 1], at):
        out.words_to[line] += 1


@borrowing
def _slot(a: int, b: int, count: int, where: int, begin: int, out: Parts, n: int) -> int:
    """Add the value at a place among the words; how many values there are then."""
    out.named[n, 0], out.named[n, 1] = where - PLAIN, begin - PLAIN
    return _value(out.plain, a, b, PLACE * np.uint64(count), out, n, False)


@borrowing
def _words(size: int, words: Array, out: Parts, line: int, n: int) -> tuple[int, np.uint64]:
    """The words of `plain`, with slots for its values; how many values there are, the skeleton."""
    plain, k, count, slot = out.plain, 0, 0, False
    skeleton, before, where = START, EDGE, 0
    quotes = quotes_in(plain, size)
    while k < size:
        if KINDS[plain[k]] & BLANK:
            k += 1
            continue
        end = end_of(plain, k, size, quotes > 1)
        if plain[k] == QUOTE and quotes > 1:
            quotes -= 2
            count += 1
            n = _slot(k + 1, end, count, where, k, out, n)
            _next(out, line, before, QUOTED, where, end + 1)
            skeleton, before, where = mixed(skeleton ^ QUOTED), QUOTED, k
            slot, k = False, end + 1
            continue
        whole = end == k + 1
        while True:
            last, digit, now = word_to(plain, k, end, whole)
            if not digit:
                _met(out, line, now)
            value = digit or bool(had(words, now) < OFTEN)
            if value and slot:
                n = _value(plain, k, last, NONE, out, n, True)
            else:
                count += 1
                if value:
                    now = SLOT
                    n = _slot(k, last, count, where, k, out, n)
                _next(out, line, before, now, where, last)
                skeleton, before, where, slot = mixed(skeleton ^ now), now, k, value
            if last >= end:
                break
            k = last + 1
        k = end
    _next(out, line, before, EDGE, where, size)
    return n, skeleton


@borrowing
def _apart(text: Array, begin: Array, end: Array, words: Array, out: Parts) -> None:
    for line in range(len(begin)):
        a, first = begin[line], out.values_to[line]
        n, size = _plain(text, a, min(end[line], a + LONGEST), out, first)
        out.pairs_to[line + 1], out.words_to[line + 1] = out.pairs_to[line], out.words_to[line]
        n, skeleton = _words(size, words, out, line + 1, n)
        sequence = skeleton
        for k in range(first, n):
            sequence = mixed(sequence ^ out.field[k])
            field = mixed(skeleton + out.field[k])
            out.field[k] = field
            out.itself[k], out.form[k] = mixed(out.itself[k] ^ field), mixed(out.form[k] ^ field)
        out.skeleton[line], out.sequence[line], out.values_to[line + 1] = skeleton, sequence, n
