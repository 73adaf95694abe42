"""What charts draw, as small tables: a value, what was expected, how rare it was, gaps as gaps."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amiss.data import SECOND, Floats
from amiss.drawing.curve import MS, READ, Stretch, broken, cut, marked
from amiss.store import Points
from amiss.web.dashboard.charts import FAINT

__all__ = ["READ", "Stretch", "distribution", "single", "table"]

NARROW = 1e-9  # of the largest value


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
    time, *columns = broken(points, every, most)
    value, score, expected, lower, upper = columns
    low, high = cut(value, expected, lower, upper, name)
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
    odd = marked(time, score, bar, stretches)
    if stretches:
        ends = np.array(stretches, float).T / MS
        rest = dict.fromkeys(shown, np.full(len(stretches), np.nan))
        rest |= {"t": ends[0], "b": ends[1] - ends[0]}
        shown = {name: np.concatenate([column, rest[name]]) for name, column in shown.items()}
        odd = np.append(odd, np.zeros(len(stretches), bool))
    arrays = {
        name: pa.array(column if name == "t" else single(column), from_pandas=True)
        for name, column in shown.items()
    }
    return pa.table({**arrays, "m": pa.array(odd)})


def single(column: Floats) -> NDArray[np.float32]:
    """Half the bytes; what is too large for that is the largest there is."""
    most = float(np.finfo(np.float32).max)
    return np.clip(column, -most, most).astype(np.float32)


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
