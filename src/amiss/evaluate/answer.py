"""What `amiss score` writes: one row for each sample, as CSV."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from amiss.data import Array, Floats
from amiss.errors import ConfigError, Unreachable
from amiss.evaluate import arrow

HEADER = ("time", "series", "value", "score", "p", "expected", "lower", "upper", "alert")
SPECIAL = frozenset(',"\r\n')


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of T rows of C columns; each (T, C). NaN is nothing."""

    value: Floats
    score: Floats  # nats
    expected: Floats
    lower: Floats
    upper: Floats
    alert: Array  # bool


class Answer:
    """A CSV that grows by the rows of one piece at a time."""

    def __init__(self, sink: Any) -> None:
        self.sink = sink
        self.rows = self.alerts = 0
        sink.write(f"{','.join(HEADER)}\n".encode())

    def write(self, text: Any, names: list[str], which: Array, said: Verdict) -> None:
        """Append T rows for each of C columns, all columns of a row together.

        `text` is the time of each row as it was written, `which` (T, C) the number of the name
        of each sample's series.
        """
        rows, columns = said.value.shape
        if columns > 1:
            again = np.repeat(np.arange(rows, dtype=np.int32), columns)
            text = text.take(arrow.whole(again, pa.int32()))
        quoted = arrow.strings([_quoted(name) for name in names])
        series = quoted.take(arrow.whole(which.ravel(), pa.int32()))
        told = np.isfinite(said.score)
        p = np.where(told, np.exp(-np.maximum(said.score, 0.0)), np.nan).astype(np.float32)
        shown = [said.value, np.round(said.score, 6), p, said.expected, said.lower, said.upper]
        arrays = [text, series, *(arrow.numbers(column.ravel()) for column in shown)]
        arrays.append(arrow.whole(said.alert.ravel(), pa.int8()))
        batch = pa.RecordBatch.from_arrays(arrays, HEADER)
        csv.write_csv(batch, self.sink, PLAIN)
        self.rows += rows * columns
        self.alerts += int(said.alert.sum())


PLAIN = csv.WriteOptions(include_header=False, quoting_style="none")
