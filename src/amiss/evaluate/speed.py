"""How fast the default detectors are, and how much they remember: made-up numbers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from amiss.data import SECOND, Frame
from amiss.decide import budget
from amiss.evaluate.metrics import SINGLE
from amiss.evaluate.stream import Stream
from amiss.steps.judge import States, judge
from amiss.threads import each

ROUNDS = 7
POINTS = 400_000  # of one round
BATCH = 2000  # points in one call of few series
DAY = 288  # ticks before it counts
BEFORE = 30_000_000  # points before it counts, at most
EVERY = 300 * SECOND


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured."""

    series: int
    ticks_per_call: int
    threads: int
    points_per_second: int
    bytes_per_series: int


def measure(
    series: int,
    ticks: int | None = None,
    threads: int = 1,
    rounds: int = ROUNDS,
    points: int = POINTS,
) -> Speed:
    """Ticks for so many series, after a day of them: expect, detect, calibrate, fuse, ration.

    By the processor time of this thread, or by the clock where there are several; the best of
    some rounds, as others may share the machine. So many ticks are handed over in a call.
    """
    noise = np.random.default_rng(0)
    ticks = ticks or max(1, BATCH // series)
    keys = tuple(f"series{i}" for i in range(series))
    values = noise.normal(size=(ticks + (15 if series < BEFORE // DAY else 1), series, 1)) + 10.0
    states: States = {}
    controllers = budget.init(series)
    now = 1_750_000_000 * SECOND
    clock = time.thread_time if threads == 1 else time.perf_counter

    def feed() -> float:
        nonlocal states, controllers, now
        at = now + EVERY * np.arange(1, ticks + 1)
        now = int(at[-1])
        first = noise.integers(0, len(values) - ticks + 1)
        frame = Frame(at, keys, ("value",), values[first : first + ticks])
        began = clock()
        states, opinion = judge(SINGLE, states, frame, each(threads))
        controllers, _ = budget.ration(
            controllers, at, opinion.scores.values, opinion.interval, 1.0
        )
        return clock() - began

    for _ in range(max(min(DAY, BEFORE // series) // ticks, 2)):
        feed()
    calls = max(1, points // (series * ticks))
    best = _best(rounds, lambda: sum(feed() for _ in range(calls)))
    held = sum(a.nbytes for state in (*states.values(), controllers) for a in state.values())
    speed = round(calls * ticks * series / best)
    return Speed(series, ticks, threads, speed, round(held / series))


def row_by_row(rounds: int = ROUNDS, rows: int = 5000) -> float:
    """Microseconds of processor time for a sample of a lone series, by `Stream.observe`."""
    stream, now = Stream(), 1_750_000_000.0
    values = np.random.default_rng(0).normal(size=rows).tolist()

    def feed() -> float:
        nonlocal now
        began = time.thread_time()
        for value in values:
            now += 300.0
            stream.observe(now, value)
        return time.thread_time() - began

    return 1e6 * _best(rounds, feed) / rows


def _best(rounds: int, feed: Callable[[], float]) -> float:
    return min(feed() for _ in range(rounds))
