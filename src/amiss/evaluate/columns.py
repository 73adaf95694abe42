"""The columns of a table: which of them are series, and their numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amiss.data import Array, Floats, Times
from amiss.errors import ConfigError
from amiss.evaluate import arrow
from amiss.evaluate.times import Clock, clock

HEAD = 1000  # rows that decide which columns are numbers
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
NUMERIC = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_null,
)
NOTHING = r"(?i)^(#?n/?a|-?nan|null)?$"
SHOWN = 12  # columns named in a message


@dataclass(frozen=True, slots=True)
class Asked:
    """Which columns a user named."""

    time: str | None = "time"  # none for events, which carry no time
    by: tuple[str, ...] = ()

    def check(self, table: str, names: Sequence[str]) -> None:
        """Raise ConfigError if a column is missing, or if two have the same name."""
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(f"{table}: two columns are called {twice!r}")
        for option, name in (("time", self.time), *(("by", name) for name in self.by)):
            if name is not None and name not in names:
                raise ConfigError(
                    f"{table}: there is no column {name!r} (there is {listed(names)}); "
                    f"name another one with --{option}"
                )


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table. NaN is missing."""

    text: Any  # (T,) Arrow strings, the times as they were written
    time: Times  # (T,) ns
    names: tuple[str, ...]  # C
    values: Floats  # (T, C)
    groups: Mapping[str, Any] = field(default_factory=dict)  # (T,) Arrow strings, by column

    def __len__(self) -> int:
        return len(self.time)

    def apart(self) -> Iterator[tuple[dict[str, str], Array]]:
        """The rows of each group, in order, with what the grouping columns say of it."""
        code, said = np.zeros(len(self.time), np.int64), [dict[str, str]()]
        for column, texts in self.groups.items():
            encoded = pc.dictionary_encode(texts)
            labels = encoded.dictionary.to_pylist()
            code = code * len(labels) + arrow.ints(encoded.indices)
            said = [known | {column: label} for known in said for label in labels]
        few = code.max(initial=0) < 1 << 16  # then there is a faster way to sort
        order = np.argsort(code.astype(np.uint16) if few else code, kind="stable")
        first = np.flatnonzero(np.diff(code[order], prepend=-1))
        for rows in np.split(order, first[1:]):
            yield said[int(code[rows[0]])], rows


@dataclass(slots=True)
class Notes:
    """What a user should know of a table that was read nevertheless."""

    left_out: tuple[str, ...] = ()  # columns of text
    unknown: tuple[str, ...] = ()  # columns that the history does not have
    silent: tuple[str, ...] = ()  # columns that say which row it is, not what it is like
    unread: dict[str, tuple[int, int]] = field(default_factory=dict)  # cells, and the first row

    def count(self, name: str, cells: int, row: int) -> None:
        """Remember cells of a column that are no numbers, the first of them in this row."""
        before, first = self.unread.get(name, (0, row))
        self.unread[name] = before + cells, first

    def sentences(self) -> Iterator[str]:
        """One for each."""
        if self.left_out:
            yield f"left out, as they hold no numbers: {listed(self.left_out)}"
        if self.unknown:
            yield f"left out, as the history does not have them: {listed(self.unknown)}"
        if self.silent:
            alike = "they only grow, or are hardly ever the same twice"
            yield f"not judged, as {alike}: {listed(self.silent)}"
        for name, (cells, row) in self.unread.items():
            many = "1 cell is" if cells == 1 else f"{cells:,} cells are"
            yield f"{name!r}: {many} no number (the first in row {row}) and counted as missing"


@dataclass(slots=True)
class Columns:
    """Makes pieces of a table's batches."""

    table: str
    asked: Asked
    time: str
    notes: Notes
    chosen: tuple[str, ...]
    clock: Clock
    row: int = 1  # the number of the next one

    def take(self, batch: Any) -> Piece:
        """An Arrow batch as a piece. Raises ConfigError for a time that is none."""
        column = batch.column(self.time)
        read = self.clock.texts if is_text(column.type) else self.clock.values
        text, time = read(column, self.row)
        values = np.empty((batch.num_rows, len(self.chosen)))
        for c, name in enumerate(self.chosen):
            values[:, c] = numbers(batch.column(name), name, self.notes, self.row)
        values[~np.isfinite(values)] = np.nan
        empty = arrow.strings([""]).take(arrow.whole(np.zeros(len(time)), pa.int32()))
        groups = {
            name: pc.coalesce(texts(batch.column(name), name, self.table), empty)
            for name in self.asked.by
        }
        self.row += batch.num_rows
        return Piece(text, time, self.chosen, values, groups)


def numbers(column: Any, name: str, notes: Notes, row: int) -> Floats:
    """A column as numbers, of which the first is in this row; NaN where it says nothing.

    A cell that is no number is missing too, and counted in the notes.
    """
    try:
        return arrow.floats(column)
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(column)
        good = pc.match_substring_regex(trimmed, NUMBER)
        bad = _said(trimmed) & ~arrow.bools(good)
        if bad.any():
            notes.count(name, int(bad.sum()), row + int(bad.argmax()))
        nothing = pa.nulls(len(column), column.type)
        return arrow.floats(pc.if_else(good, trimmed, nothing))


def texts(column: Any, name: str, table: str) -> Any:
    """A column as text. Raises ConfigError for one that is none, such as lists."""
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise ConfigError(
            f"{table}: {name!r} is of type {column.type}, which cannot be read as text"
        ) from None


def choose(table: str, asked: Asked, notes: Notes, batch: Any) -> Columns:
    """What a table's first batch says of its columns; a column of times is asked for.

    Which ones are series follows from the first rows alone, so that what comes later changes
    nothing of what was said before. Raises ConfigError if there is none.
    """
    if asked.time is None:
        raise ValueError("series need times")
    head = batch[:HEAD]
    named = (asked.time, *asked.by)
    rest = [name for name in batch.schema.names if name not in named]
    chosen = tuple(name for name in rest if mostly_numbers(head.column(name)))
    notes.left_out = tuple(name for name in rest if name not in chosen)
    if not chosen:
        raise ConfigError(f"{table}: there is no numeric column beside {listed(named)}")
    times = head.column(asked.time)
    first = str(times[0].as_py()) if is_text(times.type) else ""
    return Columns(table, asked, asked.time, notes, chosen, clock(table, asked.time, first))


def listed(names: Sequence[str]) -> str:
    """Names for a message, cut off if there are many."""
    said = ", ".join(repr(name[:40]) for name in names[:SHOWN])
    return f"{said} and {len(names) - SHOWN} more" if len(names) > SHOWN else said


def is_text(kind: Any) -> bool:
    """Whether a column of this Arrow type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _said(trimmed: Any) -> Array:
    """Which cells say anything: not those that are empty or one of the words for nothing."""
    nothing = arrow.bools(pc.match_substring_regex(trimmed, NOTHING))
    return ~(nothing | arrow.bools(pc.is_null(trimmed)))


def mostly_numbers(column: Any) -> bool:
    """Whether at least half of what a column says is numbers."""
    if not is_text(column.type):
        return any(is_so(column.type) for is_so in NUMERIC)
    trimmed = pc.utf8_trim_whitespace(column)
    said = _said(trimmed)
    good = arrow.bools(pc.match_substring_regex(trimmed, NUMBER))
    return 2 * int(good.sum()) >= int(said.sum())
