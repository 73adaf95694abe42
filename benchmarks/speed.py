"""Points per second on one core and bytes of state per series, for the default detectors.

    python benchmarks/speed.py [--series 1 --series 1000 --series 100000] [--json]

Made-up numbers go through the step that live, back-test and `amiss score` share: expect, detect,
calibrate, fuse, and the controller of each series. CPU seconds of this thread; the best of
several rounds, as the machine may be shared.
"""

import argparse
import json
import time

import numpy as np

from amiss.data import Frame
from amiss.decide import budget
from amiss.judge import States, judge
from amiss.settings import default

ROUNDS = 7
POINTS = 400_000  # of one round


def measure(series: int) -> dict[str, float]:
    """Rounds of ticks for so many series, after a day of them."""
    detectors = [d for d in default().pipelines[0].detectors if not d.joint]
    rng = np.random.default_rng(0)
    ticks = max(1, 2000 // series)  # in one call: a lone series is fed in batches
    keys = tuple(f"series{i}" for i in range(series))
    states: States = {}
    controllers = budget.init(series)
    noise = rng.normal(size=(max(ticks, 16), series, 1)) + 10.0
    now = 1_750_000_000 * 10**9

    def feed() -> float:
        nonlocal states, controllers, now
        time_ns = now + 300 * 10**9 * np.arange(1, ticks + 1)
        now = int(time_ns[-1])
        first = rng.integers(0, len(noise) - ticks + 1)
        frame = Frame(time_ns, keys, ("value",), noise[first : first + ticks])
        began = time.thread_time()
        states, opinion = judge(detectors, states, frame)
        scores, interval = opinion.scores.values, opinion.interval
        controllers, _ = budget.ration(controllers, time_ns, scores, interval, 1.0)
        return time.thread_time() - began

    for _ in range(max(288 // ticks, 2)):
        feed()
    calls = max(1, POINTS // (series * ticks))
    best = min(sum(feed() for _ in range(calls)) for _ in range(ROUNDS))
    held = [*states.values(), controllers]
    return {
        "series": series,
        "ticks_per_call": ticks,
        "points_per_second": round(calls * ticks * series / best),
        "bytes_per_series": round(sum(a.nbytes for s in held for a in s.values()) / series),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, action="append")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [measure(series) for series in asked.series or (1, 1000, 100_000)]
    if asked.json:
        print(json.dumps(rows))
        return
    print("series   ticks a call   points/s   bytes a series")
    for row in rows:
        print(
            f"{row['series']:>6}   {row['ticks_per_call']:>12}"
            f"   {row['points_per_second']:>8,}   {row['bytes_per_series']:>14}"
        )


if __name__ == "__main__":
    main()
