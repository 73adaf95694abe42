"""What a checkpoint adds to the history: blocks of ticks x series, taken apart into series."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from amiss.data import Floats, Times
from amiss.store.chunks import Points, merge


@dataclass(frozen=True, slots=True)
class Block:
    """T ticks of S series, as they were judged. NaN is not observed, no opinion, no band."""

    keys: tuple[str, ...]  # S
    time: Times  # (T,)
    value: Floats  # (T, S), as are all that follow
    score: Floats  # nats
    expected: Floats
    lower: Floats
    upper: Floats


def by_series(blocks: Iterable[Block]) -> Iterator[tuple[str, Points]]:
    """The points of each series, without what comes before its first and after its last one.

    A point has a value or a score; series without any are left out.
    """
    found: dict[str, list[Points]] = {}
    for keys, run in groupby(blocks, key=lambda block: block.keys):
        some = list(run)
        time = np.concatenate([block.time for block in some])
        columns = [
            np.concatenate([getattr(block, name) for block in some]).T
            for name in ("value", "score", "expected", "lower", "upper")
        ]
        for s, key in enumerate(keys):
            found.setdefault(key, []).append(Points(time, *(column[s] for column in columns)))
    for key, parts in found.items():
        points = merge(parts)
        there = np.flatnonzero(np.isfinite(points.value) | np.isfinite(points.score))
        if len(there):
            yield key, points[there[0] : there[-1] + 1]
