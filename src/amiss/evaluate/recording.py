"""Records of the past, in the order of their times: what a pipeline is stepped through."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from amiss.data import Records, joined

MOST = 1 << 16
"""Records stepped at once, unless one time alone has more. It changes nothing of the result."""


class Recording(Protocol):
    """What was recorded somewhere: the history of an installation, files, or what a source keeps.

    Another kind needs no more than these.
    """

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def first(self) -> int:
        """ns, of the first record."""

    @property
    def last(self) -> int:
        """ns, of the last one."""

    def records(self, start: int, end: int) -> Iterator[Records]:
        """All from `start` to `end` (ns), both included, by time; no time is in two batches.

        The watermark of each batch is its last time. Memory is that of a batch.
        """


def in_turn(streams: Sequence[Iterator[Records]], most: int = MOST) -> Iterator[Records]:
    """Records of streams that are each in order, as one that is, in batches of whole times."""
    waiting = [_next(stream) for stream in streams]
    over = [held is None for held in waiting]
    while not all(over):
        ends = [int(w.time[-1]) for w, gone in zip(waiting, over, strict=True) if w and not gone]
        limit = min(ends)  # more of this time may come
        ready = []
        for s, held in enumerate(waiting):
            if held is None:
                continue
            cut = int(np.searchsorted(held.time, limit))
            ready.append(held[:cut])
            waiting[s] = held[cut:]
            if not over[s] and int(held.time[-1]) == limit:
                more = _next(streams[s])
                over[s] = more is None
                waiting[s] = joined([rest for rest in (waiting[s], more) if rest is not None])
        yield from batches(joined(ready), most)
    yield from batches(joined([held for held in waiting if held is not None]), most)


def batches(records: Records, most: int = MOST) -> Iterator[Records]:
    """Records in any order -> by time, in batches of about `most` that leave no time cut in two."""
    if (np.diff(records.time) < 0).any():
        records = records[np.argsort(records.time, kind="stable")]
    edges = np.append(np.flatnonzero(np.diff(records.time)) + 1, len(records))
    at = 0
    while at < len(records):
        last = int(np.searchsorted(edges, at + most, "right")) - 1
        end = int(edges[last]) if last >= 0 and edges[last] > at else int(edges[last + 1])
        yield replace(records[at:end], watermark=int(records.time[end - 1]))
        at = end


def _next(stream: Iterator[Records]) -> Records | None:
    """The next batch that is not empty."""
    return next((records for records in stream if len(records)), None)
