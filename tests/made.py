"""Made-up series: seeded, and made of uniform numbers alone, so that they are the same for ever.

The generator of uniform numbers is the one part of numpy's random numbers that has never
changed; all other distributions are worked out here.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from amiss.data import SECOND, Floats, Frame, Records, Times, parse_key

START = 1_700_000_000  # Tuesday 14 November 2023, 22:13:20 UTC
DAY = 86400


class Chance:
    """Random numbers of many kinds from one seed."""

    def __init__(self, seed: int) -> None:
        self.uniform = np.random.default_rng(seed).random

    def normal(self, n: int) -> Floats:
        """Box and Muller."""
        return np.sqrt(-2 * np.log1p(-self.uniform(n))) * np.cos(2 * np.pi * self.uniform(n))

    def exponential(self, n: int) -> Floats:
        return -np.log1p(-self.uniform(n))

    def student3(self, n: int) -> Floats:
        """Student's t with three degrees of freedom: heavy tails."""
        square = sum(self.normal(n) ** 2 for _ in range(3))
        return self.normal(n) / np.sqrt(square / 3)


def white(n: int, t: Times, chance: Chance) -> Floats:
    return chance.normal(n)


def autoregressive(n: int, t: Times, chance: Chance) -> Floats:
    x, noise = np.zeros(n), chance.normal(n)
    for i in range(1, n):
        x[i] = 0.9 * x[i - 1] + noise[i]
    return x


def heavy(n: int, t: Times, chance: Chance) -> Floats:
    return chance.student3(n)


def seasonal(n: int, t: Times, chance: Chance) -> Floats:
    """Days and weekends: half the height on Saturdays and Sundays."""
    weekend = (t // DAY + 3) % 7 >= 5
    return 10 * np.sin(2 * np.pi * t / DAY) * np.where(weekend, 0.5, 1.0) + chance.normal(n)


def trending(n: int, t: Times, chance: Chance) -> Floats:
    return 0.01 * np.arange(n) + chance.normal(n)


def bursty(n: int, t: Times, chance: Chance) -> Floats:
    bursts = np.where(chance.uniform(n) < 0.02, 50 * chance.exponential(n), 0.0)
    return bursts + chance.uniform(n)


def quantised(n: int, t: Times, chance: Chance) -> Floats:
    return np.round(2 * chance.normal(n))


def sparse(n: int, t: Times, chance: Chance) -> Floats:
    return np.where(chance.uniform(n) < 0.02, 1.0, 0.0)


def drifting(n: int, t: Times, chance: Chance) -> Floats:
    return np.cumsum(0.1 * chance.normal(n))


def switching(n: int, t: Times, chance: Chance) -> Floats:
    return np.where((np.arange(n) // 700) % 2, 5.0, 0.0) + 0.5 * chance.normal(n)


Kind = Callable[[int, Times, Chance], Floats]
KINDS: dict[str, tuple[Kind, int]] = {
    "white": (white, 300),
    "autoregressive": (autoregressive, 300),
    "heavy": (heavy, 60),
    "seasonal": (seasonal, 3600),
    "trending": (trending, 300),
    "bursty": (bursty, 60),
    "quantised": (quantised, 300),
    "sparse": (sparse, 900),
    "drifting": (drifting, 300),
    "switching": (switching, 300),
}
"""Ten kinds, with the seconds between two samples."""


def series(kind: str, n: int = 4000) -> tuple[Times, Floats]:
    """Unix seconds and values of one of the kinds, with a few events and a hole planted."""
    make, every = KINDS[kind]
    t = START + every * np.arange(n)
    chance = Chance(sorted(KINDS).index(kind) + 1)
    x = make(n, t, chance)
    size = x[: n // 2].std() + 0.1
    x[n // 2] += 30 * size
    x[5 * n // 8] -= 12 * size
    x[3 * n // 4 : 3 * n // 4 + 30] += 8 * size
    x[7 * n // 8 :] += 3 * size
    x[n // 3 : n // 3 + 40] = np.nan
    return t, x


def values(ticks: int, count: int, seed: int = 0) -> Floats:
    """Plain noise of different heights (ticks, count), some of it missing."""
    chance = Chance(seed)
    x = np.column_stack([chance.normal(ticks) + 10 * s for s in range(count)])
    x[chance.uniform(x.size).reshape(x.shape) < 0.05] = np.nan
    return x


def frame(x: Floats, every: int = 300, start: int = START) -> Frame:
    """(T, S) values as a frame of series a, b, ..."""
    keys = tuple(f'm{{host="{chr(97 + s // 26)}{chr(97 + s % 26)}"}}' for s in range(x.shape[1]))
    time = (start + every * np.arange(len(x))) * SECOND
    return Frame(time, keys, ("value",), x[:, :, None])


def records(
    time: Times, keys: Sequence[str], x: Floats, watermark: bool = True, labels: Sequence[str] = ()
) -> Records:
    """(T, S) values at `time` (ns) as records, tick by tick; the watermark is the last tick."""
    parsed = [parse_key(key) for key in keys]
    names = sorted({label for _, of in parsed for label in of} | set(labels))
    ticks = len(time)
    return Records(
        time=np.repeat(time, len(keys)),
        name=np.tile(np.array([name for name, _ in parsed], str), ticks),
        value=x.ravel(),
        labels={
            label: np.tile(np.array([of.get(label, "") for _, of in parsed], str), ticks)
            for label in names
        },
        watermark=int(time[-1]) if watermark and ticks else None,
    )


def part(whole: Records, rows: slice | NDArray[np.bool_], watermark: int | None) -> Records:
    """Some of the records, with a watermark of their own."""
    return Records(
        whole.time[rows],
        whole.name[rows],
        whole.value[rows],
        {label: column[rows] for label, column in whole.labels.items()},
        None if whole.text is None else whole.text[rows],
        watermark,
    )
