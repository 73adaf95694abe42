"""Whether a budget is kept in the long run: alerts told for one asked, on ten kinds of series.

    python benchmarks/budget.py [--series 1000] [--weeks 8] [--json]

So many made-up series of each kind, a sample each 15 minutes, nothing amiss in any of them. One
alert a week is asked of each; the first two weeks do not count. `p01` is the share of samples
with p <= .01, `p001` with p <= .001, over the same weeks. Prints the table of docs/benchmarks.md.
"""

import argparse
import json
from collections.abc import Callable

import numpy as np

from amiss.data import SECOND, Floats, Frame
from amiss.evaluate.metrics import SINGLE
from amiss.evaluate.scorer import alerts
from amiss.steps.judge import States, judge

START = 1_750_032_000 * SECOND  # midnight
EVERY = 900 * SECOND
DAY, WEEK = 96, 672  # samples
WARM = 2  # weeks
AT_ONCE = 500  # series
HEADER = """\
| kind | told for one asked | series within half and double | most, of any series \
| share of p <= .01 | share of p <= .001 |
|-|-|-|-|-|-|"""

Noise = np.random.Generator
Kind = Callable[[Noise, int, int], Floats]


def autoregressive(noise: Noise, ticks: int, series: int) -> Floats:
    """Each sample is nine tenths of the last one."""
    x = noise.normal(size=(ticks, series))
    for t in range(1, ticks):
        x[t] += 0.9 * x[t - 1]
    return x


def seasonal(noise: Noise, ticks: int, series: int) -> Floats:
    """Days, half as high on weekends."""
    t = np.arange(ticks)[:, None]
    height = np.where((t // DAY) % 7 >= 5, 0.5, 1.0)
    return 10 * height * np.sin(2 * np.pi * t / DAY) + noise.normal(size=(ticks, series))


def bursty(noise: Noise, ticks: int, series: int) -> Floats:
    """Bursts of exponential height at a fiftieth of the samples."""
    on = noise.random((ticks, series)) < 0.02
    return np.where(on, 50 * noise.exponential(size=on.shape), 0.0) + noise.random(on.shape)


def switching(noise: Noise, ticks: int, series: int) -> Floats:
    """Two levels, a day and a half each on average."""
    flips = noise.random((ticks, series)) < 1 / 144
    return 5.0 * (np.cumsum(flips, axis=0) % 2) + 0.5 * noise.normal(size=flips.shape)


KINDS: dict[str, Kind] = {
    "white": lambda noise, t, s: noise.normal(size=(t, s)),
    "autoregressive": autoregressive,
    "heavy-tailed": lambda noise, t, s: noise.standard_t(3, size=(t, s)),
    "seasonal": seasonal,
    "trending": lambda noise, t, s: 0.01 * np.arange(t)[:, None] + noise.normal(size=(t, s)),
    "bursty": bursty,
    "quantised": lambda noise, t, s: np.round(2 * noise.normal(size=(t, s))),
    "sparse": lambda noise, t, s: np.where(noise.random((t, s)) < 0.02, 1.0, 0.0),
    "drifting": lambda noise, t, s: np.cumsum(0.1 * noise.normal(size=(t, s)), axis=0),
    "regime-switching": switching,
}


def measure(kind: str, series: int, weeks: int) -> dict[str, float | str]:
    """Judge so many series of one kind."""
    noise = np.random.default_rng(list(KINDS).index(kind))
    told, rare = [], []
    for first in range(0, series, AT_ONCE):
        count = min(AT_ONCE, series - first)
        x = KINDS[kind](noise, weeks * WEEK, count)
        keys = tuple(f"series{s}" for s in range(count))
        states: States = {}
        for week in range(weeks):
            ticks = np.arange(week * WEEK, (week + 1) * WEEK)
            frame = Frame(START + EVERY * ticks, keys, ("value",), x[ticks][:, :, None])
            states, opinion = judge(SINGLE, states, frame)
            scores = opinion.scores.values
            fired = alerts(states, frame.time, scores, opinion.interval, opinion.before, 1.0)
            if week >= WARM:
                told.append(fired.sum(axis=0))
                rare.append([(scores >= -np.log(p)).mean() for p in (0.01, 0.001)])
    each = np.concatenate(
        [sum(told[i : i + weeks - WARM]) for i in range(0, len(told), weeks - WARM)]
    ) / (weeks - WARM)
    p01, p001 = np.mean(rare, axis=0)
    return {
        "kind": kind,
        "series": series,
        "told_per_asked": round(float(each.mean()), 3),
        "within_half_and_double": round(float(((each >= 0.5) & (each <= 2)).mean()), 3),
        "most": round(float(each.max()), 2),
        "p01": round(float(p01), 4),
        "p001": round(float(p001), 5),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [measure(kind, asked.series, asked.weeks) for kind in KINDS]
    if asked.json:
        print(json.dumps(rows))
        return
    print(HEADER)
    for row in rows:
        print(
            f"| {row['kind']} | {row['told_per_asked']:.2f} | {row['within_half_and_double']:.2f}"
            f" | {row['most']:.1f} | {row['p01']:.4f} | {row['p001']:.4f} |".replace(" 0.0", " .0")
        )


if __name__ == "__main__":
    main()
