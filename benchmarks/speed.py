"""Points per second on one core and bytes of state per series, for the default detectors.

    python benchmarks/speed.py [--series 1 --series 1000 --series 100000] [--json]
    python benchmarks/speed.py --sweep > benchmarks/results/speed.jsonl
    python benchmarks/speed.py --peer

The first is the same as `amiss benchmark speed`. The second tells, as a JSON object a line, the
cost of a point as series grow from 1 to 1,000,000 and as ticks in a call grow from 1 to 1,000,
up to a million points in a call, which take 2 GB of memory or so. The third feeds an
isolation forest of scikit-learn, row by row.
"""

import json
import sys
import time

import numpy as np

from amiss.cli.benchmark import benchmark
from amiss.evaluate.speed import POINTS, measure

SERIES = [10**k for k in range(7)]
TICKS = (1, 10, 100, 1000)
LARGEST = 1_000_000  # points in a call
CALLS = 1000  # at most, in a round
ROWS = 288


def sweep() -> None:
    """Nanoseconds a point over series and over ticks a call."""
    every = ((series, ticks) for ticks in TICKS for series in SERIES)
    for series, ticks in (it for it in every if it[0] * it[1] <= LARGEST):
        found = measure(series, ticks, rounds=3, points=min(POINTS, CALLS * series * ticks))
        said = {"series": series, "ticks_per_call": ticks}
        said["nanoseconds_per_point"] = round(1e9 / found.points_per_second)
        print(json.dumps(said), flush=True)


def peer() -> None:
    """What a forest that was fitted on a day takes for a row: a call for each."""
    from sklearn.ensemble import IsolationForest

    rows = np.random.default_rng(0).normal(size=(ROWS, 1))
    forest = IsolationForest(random_state=0).fit(rows)
    began = time.thread_time()
    for row in rows:
        forest.score_samples(row[None])
    each = (time.thread_time() - began) / ROWS
    print(json.dumps({"peer": "scikit-learn IsolationForest", "rows_per_second": round(1 / each)}))


if __name__ == "__main__":
    if "--sweep" in sys.argv:
        sweep()
    elif "--peer" in sys.argv:
        peer()
    else:
        benchmark(["speed", *sys.argv[1:]], prog_name="benchmarks")
