"""Which file is read next: that with the oldest record, of the oldest generations.

Files without times come last, as what is in them is of now.
"""

import sys
from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from amiss.doors.files import Found
from amiss.tail.followed import Followed, Id
from amiss.tail.names import number, stem

Pair = tuple[Followed, Found]


class Queue:
    """Files that wait; of those that rotation made of one, the oldest is read to its end first."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._later: dict[str, list[Pair]] = {}
        for pair in sorted(pairs, key=lambda one: _age(one[0]), reverse=True):
            self._later.setdefault(stem(pair[0].path), []).append(pair)
        first = [waiting.pop() for waiting in self._later.values()]
        self._first = [(*_order(followed), followed, found) for followed, found in first]
        heapify(self._first)

    def __bool__(self) -> bool:
        return bool(self._first)

    def next(self) -> Pair:
        """The file to read from; it is `back` or at its `end` before the next."""
        *_, followed, found = heappop(self._first)
        return followed, found

    def back(self, followed: Followed, found: Found) -> None:
        """There is more of it."""
        heappush(self._first, (*_order(followed), followed, found))

    def end(self, followed: Followed) -> None:
        """There is no more of it: the generation after it may be read."""
        if waiting := self._later[stem(followed.path)]:
            self.back(*waiting.pop())


def _age(followed: Followed) -> tuple[bool, int, int]:
    return not followed.moved, number(followed.path), followed.modified


def _order(followed: Followed) -> tuple[int, str, Id]:
    newest = (followed.newest or 0) if followed.form.get("stamp") else sys.maxsize
    return newest, followed.path, followed.id
