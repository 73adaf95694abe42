"""The rows of a table as events: all columns, numbers and text, in order of their names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amiss.data import LARGEST, Array, Floats
from amiss.errors import ConfigError
from amiss.evaluate import arrow
from amiss.evaluate.columns import (
    HEAD,
    Asked,
    Notes,
    listed,
    mostly_numbers,
    numbers,
    texts,
)
from amiss.evaluate.tables import Table
from amiss.text.names import hashed

MOST = 500  # columns: what is computed of them grows with their square


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a table, as they were read."""

    table: str
    notes: Notes
    first: int  # the number of the first, from 1
    batch: Any  # Arrow

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def kinds(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Which columns are numbers and which are text, as its first rows have it.

        Raises ConfigError if there is none, or too many.
        """
        head = self.batch[:HEAD]
        names = sorted(self.batch.schema.names)
        if not 0 < len(names) <= MOST:
            raise ConfigError(
                f"{self.table}: it has {len(names):,} columns; events have between 1 and {MOST}"
            )
        number = tuple(name for name in names if mostly_numbers(head.column(name)))
        return number, tuple(name for name in names if name not in number)

    def read(self, number: tuple[str, ...], text: tuple[str, ...]) -> tuple[Floats, Array]:
        """These columns as numbers (N, A), NaN where missing, and as hashes (N, B), 0 there.

        Raises ConfigError if one is not there. Columns that are not asked for are left out.
        """
        there = self.batch.schema.names
        gone = next((name for name in (*number, *text) if name not in there), None)
        if gone is not None:
            raise ConfigError(
                f"{self.table}: there is no column {gone!r}, as there is in the history "
                f"(there is {listed(there)})"
            )
        self.notes.unknown = tuple(name for name in there if name not in (*number, *text))
        values = np.empty((len(self), len(number)))
        for j, name in enumerate(number):
            column = self.batch.column(name)
            values[:, j] = numbers(column, name, self.notes, self.first)
        hashes = np.empty((len(self), len(text)), np.int64)
        for j, name in enumerate(text):
            hashes[:, j] = _hashes(texts(self.batch.column(name), name, self.table))
        values[~np.isfinite(values)] = np.nan
        return np.clip(values, -LARGEST, LARGEST), hashes


def rows_of(
    table: Table, asked: Asked, notes: Notes, tell: Callable[[int], None]
) -> Iterator[Rows]:
    """A table in pieces. Raises ConfigError if it cannot be read."""
    first = 1
    for batch in table.batches(asked, tell):
        yield Rows(table.name, notes, first, batch)
        first += batch.num_rows


def _hashes(column: Any) -> Array:
    encoded = pc.dictionary_encode(column)
    known = np.concatenate([hashed(encoded.dictionary.to_pylist()), np.zeros(1, np.int64)])
    missing = ~arrow.bools(encoded.indices.is_valid())
    there = pc.coalesce(encoded.indices, arrow.whole(np.zeros(len(column)), pa.int32()))
    places = arrow.ints(there)
    places[missing] = len(known) - 1
    return known[places]
