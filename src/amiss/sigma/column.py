"""A field of many records: its distinct texts, searched all at once where that is quicker."""

from bisect import bisect_right

import numpy as np

from amiss.data import Array, Strings
from amiss.sigma.values import Match, Plain

BREAK = "\n"


class Column:
    """The distinct texts of a field, the same in small letters, and which one each record has."""

    def __init__(self, column: Strings) -> None:
        place: dict[str, int] = {}
        where = [place.setdefault(text, len(place)) for text in column.tolist()]
        self.texts, self.where = list(place), np.array(where, np.int64)
        self.there = np.array([text != "" for text in self.texts], np.bool_)
        self.small = [text.lower() for text in self.texts]
        self.together = BREAK.join(self.small)
        lengths = np.fromiter(map(len, self.small), np.int64, len(self.small))
        self.begins = (np.cumsum(lengths + 1) - lengths - 1).tolist()

    def holds(self, test: Match, which: Array) -> Array:
        """Of the texts with these numbers (N,), which a test holds for."""
        if not isinstance(test, Plain):
            return np.array([test(self.texts[i]) for i in which.tolist()], np.bool_)
        whole = len(which) > len(self.texts) // 2
        if whole and test.placed == "contains" and test.lowered and BREAK not in test.text:
            return np.asarray(self._containing(test.text)[which])
        among = self.small if test.lowered else self.texts
        return np.array(test.over([among[i] for i in which.tolist()]), np.bool_)

    def _containing(self, text: str) -> Array:
        """Which texts it is in: one search of all, which goes on with the next where it is."""
        found, begins = np.zeros(len(self.texts), np.bool_), self.begins
        if not text:
            return ~found
        at = self.together.find(text)
        while at >= 0:
            i = bisect_right(begins, at) - 1
            found[i] = True
            if i + 1 == len(begins):
                break
            at = self.together.find(text, begins[i + 1])
        return found
