"""What a server keeps under times, read in pages: each line once, whatever lies at their edges.

A server gives the first `page` lines of a span. If that is all it has, the span is done. Else the
last time of the page may go on beyond it: it is left for the next page, unless the page is of one
time alone. Then all lines of that time are asked for in another way, which the server's own file
knows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from amiss.data import DAY
from amiss.reading.entries import Entries, Taken
from amiss.reading.late import Tally

CHUNK = DAY  # the longest span that is asked for at once: servers refuse too long ones
SPANS = 32  # spans of one poll, of which most may be empty


@dataclass(frozen=True, slots=True)
class Pages:
    """A server's lines: the first of a span [start, end), and all of one nanosecond."""

    first: Callable[[int, int], Entries]
    moment: Callable[[int], Entries]
    page: int  # most lines that `first` gives

    def read(self, at: int, end: int, most: int, taken: Taken, tally: Tally) -> int:
        """Take, and count, what lies in [at, end), about `most` lines; says where that ends.

        Raises what `first` and `moment` raise: what was taken before is then not to be used.
        """
        span = CHUNK
        for _ in range(SPANS):
            if at >= end or len(taken.batch.time) >= most:
                break
            until = min(end, at + span)
            entries = self.first(at, until)
            span = min(4 * span, CHUNK)
            if len(entries) >= self.page:
                entries, until = self._cut(entries)
                span = until - at  # servers look through all that they are asked for
            again = taken.take(entries)
            time = entries.time if again is None else entries.time[entries.time < again]
            tally.add(time, sure=not entries.cut)
            if again is not None:
                return again
            at = until
        return at

    def _cut(self, entries: Entries) -> tuple[Entries, int]:
        """Without the last time of a full page; or all of the only one."""
        last = int(entries.time[-1])
        if entries.time[0] < last:
            return entries.until(int(np.searchsorted(entries.time, last))), last
        return self.moment(last), last + 1
