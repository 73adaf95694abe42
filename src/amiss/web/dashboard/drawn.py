"""What charts draw, as small tables: a value, what was expected, how rare it was, gaps as gaps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amiss.data import SECOND, Floats
from amiss.run.recent import thin
from amiss.store import Points
from amiss.web.dashboard import words
from amiss.web.dashboard.charts import FAINT

Stretch = tuple[int, int]  # ns, from and to

MS = 10**6
NARROW = 1e-9  # of the largest value
READ = 20_000
"""Points to ask of a history, so that it comes as it is: thinned, it does not show all gaps."""
GAP = 3.5  # samples that may be missing before the line is broken


def table(
    points: Points,
    name: str,
    every: float,
    bar: float,
    stretches: Sequence[Stretch] = (),
    most: int = 300,
) -> pa.Table:
    """What a chart of one series draws, as few bytes as will do; NaN is null.

    `points` are all there are, up to READ of them; about `most` are left, the extremes among
    them. `stretches` are when it was a member of an incident.

    t: milliseconds; v, e, lo, hi: value, expected and band; s: nats, where they are worth a
    word; w: milliseconds to the next row; m: whether it is to be marked. In rows of their own,
    b: milliseconds from t on that are to be shaded.
    """
    time, *columns = _broken(points, every, most)
    value, score, expected, lower, upper = columns
    low, high = _cut(value, expected, lower, upper, name)
    shown = {
        "t": time,
        "v": value,
        "e": expected,
        "lo": low,
        "hi": high,
        "s": np.where(score >= FAINT, score, np.nan),
        "w": np.diff(time, append=time[-1:] + every * SECOND / MS),
        "b": np.full(len(time), np.nan),
    }
    marked = _marked(time, score, bar, stretches)
    if stretches:
        ends = np.array(stretches, float).T / MS
        rest = dict.fromkeys(shown, np.full(len(stretches), np.nan))
        rest |= {"t": ends[0], "b": ends[1] - ends[0]}
        shown = {name: np.concatenate([column, rest[name]]) for name, column in shown.items()}
        marked = np.append(marked, np.zeros(len(stretches), bool))
    arrays = {
        name: pa.array(column if name == "t" else single(column), from_pandas=True)
        for name, column in shown.items()
    }
    return pa.table({**arrays, "m": pa.array(marked)})


def single(column: Floats) -> NDArray[np.float32]:
    """Half the bytes; what is too large for that is the largest there is."""
    most = float(np.finfo(np.float32).max)
    return np.clip(column, -most, most).astype(np.float32)


def _marked(time: Floats, score: Floats, bar: float, stretches: Sequence[Stretch]) -> NDArray[Any]:
    """What would open an incident by itself now, and what was odd while one lasted."""
    marked = score >= (bar if np.isfinite(bar) else np.inf)
    for start, end in stretches:
        marked |= (time >= start / MS) & (time <= end / MS) & (score >= FAINT)
    return marked


def _broken(points: Points, every: float, most: int) -> list[Floats]:
    """All columns, time in milliseconds, with an empty row in each gap: no line is drawn there."""
    every = every * SECOND / MS
    time = points.time / MS
    longest = GAP * every
    if len(time) and (time[-1] - time[0]) / every > READ:
        # thinned already: three points of each stretch are left, at any place in it
        longest = max(longest, 6.5 * (time[-1] - time[0]) / len(time))
    after = np.flatnonzero(np.diff(time) > longest)
    inside = (time[after] + time[after + 1]) / 2
    time, *rest = thin(points, most).columns()
    time = time / MS
    gaps = np.searchsorted(time, inside)
    return [np.insert(time, gaps, inside), *(np.insert(column, gaps, np.nan) for column in rest)]


def _cut(
    value: Floats, expected: Floats, lower: Floats, upper: Floats, name: str
) -> tuple[Floats, Floats]:
    """The band, not beyond where the series can be: see `words.shown`."""
    known = np.concatenate([value, expected])
    known = known[np.isfinite(known)]
    if not len(known):
        return lower, upper
    least, most = words.shown(float(known.min()), -np.inf, np.inf, float(known.max()), name)
    least = least if known.min() >= 0 else -np.inf
    return np.maximum(lower, least), np.minimum(upper, most)


def distribution(points: Points, bins: int = 32) -> pa.Table:
    """How often each value was seen. x, x2, n: a bin and its samples; at, in a row of its own: the
    last value."""
    value = points.value[np.isfinite(points.value)]
    low, high = (value.min(), value.max()) if len(value) else (0.0, 1.0)
    if high - low <= NARROW * max(abs(low), abs(high)):  # too narrow to be told apart
        wide = max(NARROW * max(abs(low), abs(high)), 0.5)
        low, high = low - wide, high + wide
    many, edges = np.histogram(value, bins, (low, high))
    shown = {"x": edges[:-1], "x2": edges[1:], "n": many.astype(float)}
    shown = {name: np.append(column, np.nan) for name, column in shown.items()}
    shown["at"] = np.append(np.full(bins, np.nan), value[-1:] if len(value) else np.nan)
    return pa.table({n: pa.array(c, pa.float64(), from_pandas=True) for n, c in shown.items()})
