"""How fast the default detectors are, and how much they remember: made-up numbers, one core."""

import time
from dataclasses import dataclass

import numpy as np

from amiss.data import SECOND, Frame
from amiss.decide import budget
from amiss.evaluate.metrics import SINGLE
from amiss.judge import States, judge

ROUNDS = 7
POINTS = 400_000  # of one round
BATCH = 2000  # points in one call of few series
DAY = 288  # ticks before it counts
EVERY = 300 * SECOND


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured."""

    series: int
    ticks_per_call: int
    points_per_second: int
    bytes_per_series: int


def measure(series: int, rounds: int = ROUNDS, points: int = POINTS) -> Speed:
    """Ticks for so many series, after a day of them: expect, detect, calibrate, fuse, ration.

    By the processor time of this thread; the best of several rounds, as others may share the
    machine.
    """
    noise = np.random.default_rng(0)
    ticks = max(1, BATCH // series)
    keys = tuple(f"series{i}" for i in range(series))
    values = noise.normal(size=(max(ticks, 16), series, 1)) + 10.0
    states: States = {}
    controllers = budget.init(series)
    now = 1_750_000_000 * SECOND

    def feed() -> float:
        nonlocal states, controllers, now
        at = now + EVERY * np.arange(1, ticks + 1)
        now = int(at[-1])
        first = noise.integers(0, len(values) - ticks + 1)
        frame = Frame(at, keys, ("value",), values[first : first + ticks])
        began = time.thread_time()
        states, opinion = judge(SINGLE, states, frame)
        controllers, _ = budget.ration(
            controllers, at, opinion.scores.values, opinion.interval, 1.0
        )
        return time.thread_time() - began

    for _ in range(max(DAY // ticks, 2)):
        feed()
    calls = max(1, points // (series * ticks))
    best = min(sum(feed() for _ in range(calls)) for _ in range(rounds))
    held = sum(a.nbytes for state in (*states.values(), controllers) for a in state.values())
    return Speed(series, ticks, round(calls * ticks * series / best), round(held / series))
