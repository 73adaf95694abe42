"""Lines of text as bytes: one array for all, and where each begins and ends."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing

RETURN, NEWLINE = 13, 10


class Lines(NamedTuple):
    """N lines: line n is text[begin[n]:end[n]], without its end; as a rule UTF-8."""

    text: Array  # uint8
    begin: Array  # (N,) int64
    end: Array  # (N,) int64

    def part(self, first: int, last: int) -> "Lines":
        """Lines from the first to before the last."""
        return Lines(self.text, self.begin[first:last], self.end[first:last])

    def frozen(self) -> Array:
        """The text, not to be written to: of both kinds each kernel would be compiled twice."""
        text = self.text.view()
        text.flags.writeable = False
        return text

    def of(self, number: int) -> bytes:
        """One of them."""
        return self.text[self.begin[number] : self.end[number]].tobytes()


def lines_of(some: Iterable[str | bytes]) -> Lines:
    """Some texts as lines."""
    raw = [one.encode("utf-8", "replace") if isinstance(one, str) else one for one in some]
    ends = np.cumsum([0, *map(len, raw)], dtype=np.int64)
    return Lines(np.frombuffer(b"".join(raw), np.uint8), ends[:-1], ends[1:])


def joined(first: Lines, then: Lines) -> Lines:
    """The lines of both, in an array of their own, with nothing between them."""
    sizes = np.concatenate([first.end - first.begin, then.end - then.begin])
    end = np.cumsum(sizes)
    text = np.empty(int(end[-1]) if len(end) else 0, np.uint8)
    _copy(first.frozen(), first.begin, first.end, text, 0)
    _copy(then.frozen(), then.begin, then.end, text, int((first.end - first.begin).sum()))
    return Lines(text, end - sizes, end)


def split(block: bytes, longest: int) -> tuple[Lines, int]:
    r"""The whole lines of a block, each cut after so many bytes; where the rest begins.

    A line ends with \n; a \r before it belongs to the end. Cost: 1 ns a byte.
    """
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == NEWLINE)
    begin = np.concatenate([np.zeros(1, np.int64), ends + 1])
    end = ends.astype(np.int64)
    there = end > begin[:-1]
    end[there] -= text[end[there] - 1] == RETURN
    return Lines(text, begin[:-1], np.minimum(end, begin[:-1] + longest)), int(begin[-1])


@borrowing
def _copy(text: Array, begin: Array, end: Array, out: Array, at: int) -> None:
    for n in range(len(begin)):
        first, size = begin[n], end[n] - begin[n]
        for k in range(size):
            out[at + k] = text[first + k]
        at += size
