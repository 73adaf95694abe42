"""`amiss.score`: tables in memory in, scores of the same kind out."""

from typing import Any

import numpy as np
import pyarrow as pa

from amiss.data import SECOND, Array, Times
from amiss.decide.fuse import p_of
from amiss.errors import ConfigError
from amiss.evaluate import arrow
from amiss.evaluate.answer import Verdict
from amiss.evaluate.columns import Asked, Notes, Piece, choose
from amiss.evaluate.metrics import Metrics
from amiss.evaluate.scorer import Memories, a_week
from amiss.evaluate.times import clock
from amiss.threads import cores

ROWS = 1 << 16  # at once
EVERY = 300  # seconds between rows that carry no time
WHAT = "the frame"
SAID = ("score", "p", "expected", "lower", "upper")
FIELDS = [*((name, np.float64) for name in SAID), ("alert", np.bool_)]
INDEX = "__index_level_0__"  # what Arrow calls an index of pandas that has no name


def score(
    frame: Any,
    *,
    time: Any = "time",
    by: tuple[str, ...] = (),
    budget: str = "1/week",
    history: Any = None,
    threads: int | None = None,
) -> Any:
    """Judge each sample of each numeric column by what came before it, and nothing else.

    frame    a table of pandas, polars, pyarrow or whatever else hands itself on as Arrow, or a
             numpy array (T,) or (T, C)
    time     the column of times (seconds, dates or ISO 8601), or the index of pandas; for numpy
             an array (T,) of seconds or datetime64, five minutes apart if it is not given
    by       columns that say whose the numbers are
    budget   alerts to put up with, of each series
    history  a frame of the same kind to learn from before
    threads  how many to use; one for each core if it is not given. It changes no result

    A table gives a table of the same library, a row for each sample: time, the columns of `by`,
    series, value, score (nats), p, expected, lower, upper and alert. A numpy array gives a
    structured array of its shape with the fields score, p, expected, lower, upper and alert.
    Missing values are NaN or null, and have no score. About a microsecond a sample.
    Raises ConfigError for what cannot be scored.
    """
    used = cores() if threads is None else threads
    scorer, memories = Metrics(a_week(budget, "budget"), threads=used), Memories()
    if isinstance(frame, np.ndarray):
        if by or history is not None:
            raise ConfigError(f"{WHAT}: an array has no columns; put its history before its rows")
        found, piece = np.zeros(frame.shape, FIELDS), _piece(frame, time)
        if frame.size:
            said, *_ = scorer.judge(memories, piece)
            for name in found.dtype.names or ():
                found[name] = _column(said, name).reshape(frame.shape)
        return found
    if history is not None:
        _judged(history, time, by, scorer, memories)
    return _like(frame, _judged(frame, time, by, scorer, memories))


def _piece(array: Array, time: Any) -> Piece:
    """(T,) or (T, C) numbers and the times of its rows."""
    if array.ndim not in (1, 2) or array.dtype.kind not in "biuf":
        raise ConfigError(
            f"{WHAT}: numbers (T,) or (T, C) are wanted, not {array.dtype} of shape {array.shape}"
        )
    rows, columns = len(array), array.shape[1] if array.ndim == 2 else 1
    values = np.ma.filled(array.astype(np.float64), np.nan).reshape(rows, columns)
    values[~np.isfinite(values)] = np.nan
    ns = EVERY * np.arange(rows) * SECOND if isinstance(time, str) else _times(time, rows)
    return Piece(None, ns, tuple(str(c) for c in range(columns)), values)


def _times(time: Any, rows: int) -> Times:
    """Seconds, or datetime64, as nanoseconds."""
    time = np.asarray(time)
    if time.shape != (rows,):
        raise ConfigError(
            f"time: {rows} times are wanted, one for each row, not shape {time.shape}"
        )
    if time.dtype.kind == "M":
        units = ("s", "ms", "us", "ns")  # those of Arrow; coarser ones are seconds
        unit = next((u for u in units if time.dtype == f"M8[{u}]"), "s")
        column = arrow.moments(time.astype(f"M8[{unit}]"), unit)
    elif time.dtype.kind in "biuf":
        column = arrow.numbers(time)
    else:
        raise ConfigError(f"time: seconds or datetime64 are wanted, not {time.dtype}")
    return clock(WHAT, "time", "").values(column, 1)[1]


def _column(said: Verdict, name: str) -> Array:
    return p_of(said.score) if name == "p" else np.asarray(getattr(said, name))


def _judged(frame: Any, time: Any, by: tuple[str, ...], scorer: Metrics, memories: Memories) -> Any:
    """The scores of a table, as an Arrow table."""
    try:
        if isinstance(frame, dict):
            raise TypeError("it cannot be handed back")
        table = pa.table(frame)
    except (TypeError, ValueError, OverflowError, pa.ArrowException) as exc:
        raise ConfigError(
            f"{WHAT}: a table of pandas, polars or pyarrow or a numpy array is wanted, "
            f"not {type(frame).__name__} ({exc})"
        ) from None
    table, names = arrow.plain(table), table.schema.names
    asked = Asked(INDEX if time == "time" not in names and INDEX in names else time, tuple(by))
    asked.check(WHAT, names)
    found, columns = [], None
    for batch in table.combine_chunks().to_batches(max_chunksize=ROWS):
        columns = columns or choose(WHAT, asked, Notes(), batch)
        piece = columns.take(batch)
        said, series, which = scorer.judge(memories, piece)
        rows = arrow.whole(np.repeat(np.arange(len(piece.time)), len(piece.names)), pa.int64())
        kept = {"time": asked.time} | {name: name for name in asked.by}
        own = {name: batch.column(column).take(rows) for name, column in kept.items()}
        of = arrow.strings(series).take(arrow.whole(which.ravel(), pa.int64()))
        own |= {"series": of, "value": arrow.numbers(piece.values)}
        own |= {name: arrow.numbers(_column(said, name)) for name in SAID}
        found.append(pa.table(own | {"alert": arrow.truths(said.alert)}))
    return pa.concat_tables(found) if found else table.slice(0, 0)


def _like(frame: Any, table: Any) -> Any:
    """An Arrow table as the library of `frame` has it."""
    if isinstance(frame, pa.Table | pa.RecordBatch):
        return table
    if type(frame).__module__.partition(".")[0] == "pandas":
        return table.to_pandas()
    return type(frame)(table)
