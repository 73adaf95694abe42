"""Lines of text without the time that they were written at: each day would begin with new words."""

import re

import numpy as np

from amiss.data import Array
from amiss.formats.times import WITHIN
from amiss.kernel import borrowing
from amiss.text.lines import Lines

HEAD = 128
"""Bytes of a line in which its own time is looked for."""
TIME = re.compile(WITHIN.pattern.encode())
COLON, APART = 58, 3


def timeless(lines: Lines) -> Lines:
    """The same lines without the first time of each, such as 2026-03-07T14:02:10Z or 7/Mar/2026:..

    Cost: .1 us a line without one; 2 to 4 us with one, which its shorter line gives back later.
    """
    clock = np.zeros(len(lines.begin), np.bool_)
    _clocks(lines.frozen(), lines.begin, lines.end, clock)
    first, last = lines.begin.copy(), lines.begin.copy()
    where = np.flatnonzero(clock)
    if not len(where):
        return lines
    raw, head = lines.text.tobytes(), np.minimum(lines.end, lines.begin + HEAD)
    heads = zip(where.tolist(), lines.begin[where].tolist(), head[where].tolist(), strict=True)
    for n, a, b in heads:
        if found := TIME.search(raw, a, b):
            first[n], last[n] = found.span()
    size = lines.end - lines.begin - (last - first)
    end = np.cumsum(size)
    text = np.empty(int(end[-1]), np.uint8)
    _copy(lines.frozen(), lines.begin, lines.end, first, last, text)
    return Lines(text, end - size, end)


@borrowing
def _clocks(text: Array, begin: Array, end: Array, clock: Array) -> None:
    """Which lines have two colons in their beginning as 14:02:10 has them."""
    for n in range(len(begin)):
        for j in range(begin[n], min(end[n], begin[n] + HEAD) - APART):
            if text[j] == COLON and text[j + APART] == COLON:
                clock[n] = True
                break


@borrowing
def _copy(text: Array, begin: Array, end: Array, first: Array, last: Array, out: Array) -> None:
    """Lines one after the other, each without what is from `first` to before `last`."""
    at = 0
    for n in range(len(begin)):
        for j in range(begin[n], first[n]):
            out[at] = text[j]
            at += 1
        for j in range(last[n], end[n]):
            out[at] = text[j]
            at += 1
