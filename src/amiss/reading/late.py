"""Lines that came too late to be read: told by asking a server anew how many it holds.

A source reads each moment once. How many lines it read of every five minutes is kept for a day,
and the server is asked for its own count of them when they are five minutes old, half an hour,
three hours and a day: it counts each line four times in all. What it holds beyond what was read,
and what was told before, has come too late.

Ages begin where reading ends, `delay` before now. A span that was read in part, as the first one,
is not counted, and neither is one with lines that cannot be asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from amiss.data import MINUTE, Times
from amiss.errors import Rejected, Unreachable

STEP = 5 * MINUTE
AGES = (1, 6, 36, 288)  # in steps
ONCE = 12  # steps that a server counts at once: after a pause, so that it is soon done
LATE = "lines that came later than delay"
FAILED = "counts of late lines that failed"


@dataclass(frozen=True, slots=True)
class Holds:
    """What a server is asked: how many lines it holds of each span from a first up to a last.

    Span i is [i * STEP, (i + 1) * STEP), moved by `edge` ns. Spans without lines may be left out.
    """

    count: Callable[[int, int], Mapping[int, int]]
    of: str  # a name of what is counted: numbers of something else are not compared
    edge: int = 0


@dataclass(slots=True)
class Tally:
    """How many lines were read of each span from `first` on; None where that is not known."""

    holds: Holds
    first: int
    looked: list[int]  # for each of AGES the span up to which the server was asked
    asked: int  # the span in which it was asked last
    read: list[int | None]

    @classmethod
    def of(cls, said: Mapping[str, Any] | None, at: int, end: int, holds: Holds) -> "Tally":
        """As a cursor says it; without one, from reading at `at` on. Reading ends at `end`."""
        now = end // STEP
        if said and said["of"] == holds.of:
            one = cls(holds, said["first"], [*said["looked"]], said["asked"], [*said["read"]])
        else:
            first = -((holds.edge - at) // STEP)  # the first that is read whole
            one = cls(holds, first, [max(first, now - age) for age in AGES], now, [])
        one._forget(max(one.looked[-1], now - AGES[-1] - ONCE))
        return one

    def dump(self) -> dict[str, Any]:
        """For a cursor: some 300 numbers at most."""
        return {
            "of": self.holds.of, "first": self.first, "looked": self.looked, "asked": self.asked,
            "read": self.read,
        }  # fmt: skip

    def add(self, time: Times, sure: bool = True) -> None:
        """Lines (N,) were read; unless `sure`, there are more of that time, which cannot be."""
        spans = (time - self.holds.edge) // STEP - self.first
        counts = np.bincount(spans[spans >= 0]).tolist()
        self._reach(self.first + len(counts))
        for i, n in enumerate(counts):
            known = self.read[i]
            if n:
                self.read[i] = known + n if sure and known is not None else None

    def late(self, until: int, end: int) -> dict[str, int]:
        """How many lines have come late since the last time, once all before `until` is read.

        Asks at most once each STEP. What a server does not answer is asked for again then.
        """
        if end // STEP <= self.asked:
            return {}
        self.asked, late, failed = end // STEP, 0, 0
        try:
            for look, first, last in self._due((until - self.holds.edge) // STEP):
                late += self._beyond(range(first, last), self.holds.count(first, last))
                self.looked[look] = last
        except (Unreachable, Rejected):  # the lines were read, and are not to wait for it
            failed = 1
        said = {LATE: late, FAILED: failed}
        return {why: n for why, n in said.items() if n}

    def _due(self, whole: int) -> Iterator[tuple[int, int, int]]:
        self._reach(whole)
        for look, age in enumerate(AGES):
            first = self.looked[look]
            last = min(self.asked - age, whole, first + ONCE)
            if last > first:
                yield look, first, last

    def _beyond(self, spans: range, held: Mapping[int, int]) -> int:
        late = 0
        for span in spans:
            known, n = self.read[span - self.first], held.get(span, 0)
            if known is not None and n > known:
                late += n - known
                self.read[span - self.first] = n
        return late

    def _reach(self, end: int) -> None:
        self.read += [0] * (end - self.first - len(self.read))

    def _forget(self, before: int) -> None:
        if before > self.first:
            self.read = self.read[before - self.first :]
            self.first = before
            self.looked = [max(one, before) for one in self.looked]
