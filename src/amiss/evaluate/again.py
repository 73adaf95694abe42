"""A source that can be read again from its beginning, as the recording of its own past."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from amiss.component import Source
from amiss.data import Records
from amiss.errors import ConfigError, Unreachable
from amiss.world import World


@dataclass(frozen=True, slots=True)
class Again:
    """What the polls of a source give from an empty cursor on, batch by batch as live has them."""

    name: str
    source: Source
    world: World
    first: int  # ns
    last: int

    def records(self, start: int, end: int) -> Iterator[Records]:
        """See Recording; but batches are those of the polls, in the order that they came.

        Raises ConfigError if the source does not answer any more.
        """
        for records in polls(self.source, self.world, self.name):
            there = (records.time >= start) & (records.time <= end)
            mark = records.watermark
            if there.any():
                yield replace(records[there], watermark=None if mark is None else min(mark, end))


def look_over(source: Source, world: World, name: str) -> Again:
    """Poll all of it once, for its span.

    Raises ConfigError if it does not answer, or has nothing.
    """
    first, last = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    for records in polls(source, world, name):
        if len(records):
            first = min(first, int(records.time.min()))
            last = max(last, int(records.time.max()))
    if first > last:
        raise ConfigError(f"{name}: there is nothing to read")
    return Again(name, source, world, first, last)


def polls(source: Source, world: World, name: str) -> Iterator[Records]:
    """All that is there now, from the beginning on. Raises ConfigError if it does not answer."""
    cursor, more = dict[str, object](), True
    while more:
        try:
            cursor, records = source.poll(cursor, world)
        except Unreachable as exc:
            raise ConfigError(f"{name}: {exc}") from None
        more = records.more
        yield records
