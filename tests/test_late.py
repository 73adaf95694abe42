"""What comes too late to be read, as a server's own count tells it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, MINUTE, SECOND
from amiss.errors import Rejected, Unreachable
from amiss.reading.late import AGES, FAILED, LATE, ONCE, STEP, Holds, Tally

NOON = 19_675 * DAY + DAY // 2


@dataclass
class Reader:
    """A server that lines come to, and who reads it up to the clock; told is what came too late."""

    edge: int = 0
    of: str = "shop"
    now: int = NOON
    at: int = NOON
    cursor: dict[str, Any] | None = None
    held: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[int, int]] = field(default_factory=list)
    trouble: Exception | None = None

    def count(self, first: int, last: int) -> dict[int, int]:
        self.asked.append((first, last))
        if self.trouble:
            raise self.trouble
        return Counter((at - self.edge) // STEP for at in self.held)

    def poll(self, passed: int = 0) -> None:
        """After a time the next poll, with a cursor out of JSON."""
        self.now += passed
        tally = Tally.of(self.cursor, self.at, self.now, Holds(self.count, self.of, self.edge))
        new = [at for at in self.held if self.at <= at < self.now]
        tally.add(np.array(new, np.int64))
        self.read += new
        self.at = max(self.at, self.now)
        self.told.update(tally.late(self.at, self.now))
        self.cursor = orjson.loads(orjson.dumps(tally.dump()))

    def watch(self, passed: int) -> None:
        for _ in range(passed // MINUTE):
            self.poll(MINUTE)


def test_a_shipper_that_was_away_for_ten_minutes() -> None:
    one, began = Reader(), NOON
    one.held += range(began, began + 10 * MINUTE, SECOND)
    one.watch(20 * MINUTE)  # it goes away after ten minutes
    gap = [*range(began + 10 * MINUTE, began + 20 * MINUTE, SECOND)]
    one.held += gap  # and is back, with all of them
    one.held += range(began + 20 * MINUTE, began + 60 * MINUTE, SECOND)
    one.watch(40 * MINUTE)
    assert not set(gap) & set(one.read)
    assert one.told == {LATE: len(gap)}
    one.watch(DAY)
    assert one.told == {LATE: len(gap)}, "told once"


def test_what_comes_in_time_is_never_late() -> None:
    one = Reader(edge=1, at=NOON - 40 * MINUTE)
    one.held += range(NOON - 40 * MINUTE, NOON + 3 * HOUR, 20 * SECOND)
    one.watch(3 * HOUR)
    assert one.asked and not one.told


def test_hours_later_still() -> None:
    one = Reader()
    one.watch(4 * HOUR)
    one.held.append(NOON + 7 * MINUTE)
    one.watch(DAY - 5 * HOUR)
    assert not one.told
    one.watch(2 * HOUR)
    assert one.told == {LATE: 1}


@given(
    lines=st.lists(st.tuples(st.integers(1, 2400), st.integers(0, 7200)), max_size=30),
    edge=st.integers(0, 1),
    pauses=st.lists(st.integers(1, 7200), max_size=20),
)
def test_each_line_is_read_or_told_once(lines, edge, pauses) -> None:
    one = Reader(edge=edge)
    coming = [(NOON + (at + later) * SECOND, NOON + at * SECOND) for at, later in lines]
    steps = [pause * SECOND for pause in pauses] + [STEP] * (AGES[-1] + 30)
    for step in steps:
        one.held = [at for when, at in coming if when <= one.now + step]
        one.poll(step)
    assert len(one.held) == len(lines)
    assert len(one.read) + one.told[LATE] == len(lines) and not one.told[FAILED]


def test_a_span_that_was_read_in_part_is_not_counted() -> None:
    one = Reader(at=NOON + MINUTE, now=NOON + MINUTE)
    one.held += range(NOON, NOON + 5 * MINUTE, SECOND)  # a minute of which is not read
    one.watch(DAY + STEP)
    assert not one.told
    assert min(first for first, _ in one.asked) == NOON // STEP + 1


def test_a_past_that_is_read_at_once_is_not_counted_at_once() -> None:
    one = Reader(at=NOON - DAY)
    one.held += range(NOON - DAY, NOON, MINUTE)
    one.poll()
    one.poll()
    assert not one.asked
    one.held.append(NOON - DAY + STEP + 1)
    one.watch(3 * STEP)
    assert one.told == {LATE: 1}


@pytest.mark.parametrize("trouble", [Unreachable("a timeout"), Rejected("too many bytes")])
def test_a_count_that_fails_is_told_and_made_later(trouble: Exception) -> None:
    one = Reader()
    one.watch(STEP)
    one.held += [NOON + SECOND] * 3
    one.trouble = trouble
    one.watch(3 * STEP)
    assert one.told == {FAILED: 3}, "every five minutes once, and reading goes on"
    one.trouble = None
    one.watch(STEP)
    assert one.told == {FAILED: 3, LATE: 3}


def test_a_server_is_asked_little_at_once_after_a_pause() -> None:
    one = Reader()
    one.watch(STEP)
    one.held.append(NOON + DAY // 4)
    one.poll(DAY // 2)
    one.held.append(NOON + DAY // 4)
    one.watch(DAY // 8)
    assert one.told == {LATE: 1}
    assert max(last - first for first, last in one.asked) == ONCE


def test_what_cannot_be_asked_for_is_not_late() -> None:
    one = Tally.of(None, NOON, NOON, Holds(lambda first, last: {NOON // STEP: 9}, "shop"))
    one.add(np.array([NOON + SECOND] * 5), sure=False)
    one.add(np.array([NOON + 2 * SECOND]))
    assert one.late(NOON + 3 * STEP, NOON + 3 * STEP) == {}


def test_other_settings_begin_anew() -> None:
    one = Reader()
    one.watch(3 * STEP)
    one.of, one.held = "all", [NOON + SECOND] * 99  # were there before, and not asked for
    one.watch(DAY + STEP)
    assert not one.told


def test_a_clock_that_is_set_back_and_one_that_jumps() -> None:
    one = Reader()
    one.watch(2 * STEP)
    one.poll(-HOUR)
    one.held.append(NOON + SECOND)
    one.watch(HOUR + 6 * STEP)
    assert one.told == {LATE: 1}
    one.poll(1000 * DAY)
    assert one.cursor is not None and len(one.cursor["read"]) <= AGES[-1] + ONCE + 2


def test_a_cursor_is_bounded() -> None:
    one = Reader()
    one.trouble = Unreachable("always")
    for _ in range(1000):
        one.poll(STEP)
    assert one.cursor is not None and len(one.cursor["read"]) <= AGES[-1] + ONCE + 2
