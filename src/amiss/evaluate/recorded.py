"""Files as the records of a past: their columns are series, one recording of all together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from amiss.data import Records, Times
from amiss.errors import ConfigError
from amiss.evaluate import arrow
from amiss.evaluate.columns import Asked, Notes, Piece
from amiss.evaluate.recording import MOST, in_turn
from amiss.evaluate.tables import Table


@dataclass(slots=True)
class File:
    """One file, looked over: its span, and whether its rows are in the order of their times."""

    table: Table
    asked: Asked
    notes: Notes
    first: int
    last: int
    sorted: bool
    held: list[Piece] = field(default_factory=list)  # all of it, in order, where it was not

    def pieces(self) -> Iterator[Piece]:
        """In the order of their times. What is not in order is held in memory, 8 bytes a number."""
        if not self.sorted and not self.held:
            self.held = [in_order(list(self.table.pieces(self.asked, Notes())))]
        yield from self.held or self.table.pieces(self.asked, Notes())


@dataclass(frozen=True, slots=True)
class Files:
    """Several files, each with its series; the same series in two of them is one."""

    name: str
    files: Sequence[File]
    most: int = MOST

    @property
    def first(self) -> int:
        """ns, of the first row."""
        return min(file.first for file in self.files)

    @property
    def last(self) -> int:
        """ns, of the last row."""
        return max(file.last for file in self.files)

    def records(self, start: int, end: int) -> Iterator[Records]:
        """See Recording. Raises ConfigError if a file cannot be read any more."""
        return in_turn([_between(file, start, end) for file in self.files], self.most)


def look_over(
    tables: Sequence[Table], asked: Asked, tell: Callable[[int], None] = lambda _: None
) -> Files:
    """Read all of them once, so that what is wrong is said before anything is judged.

    `tell` hears about how many bytes were done with. Raises ConfigError if one cannot be read,
    has no rows, or is standard input, which cannot be read twice.
    """
    files = []
    for table in tables:
        if table.path == "-":
            raise ConfigError("--data -: standard input cannot be read twice; name a file")
        files.append(_look(table, asked, tell))
    many = f"{tables[0].name} and {len(tables) - 1} more"
    return Files(tables[0].name if len(tables) == 1 else many, files)


def in_order(pieces: Sequence[Piece]) -> Piece:
    """All rows as one piece, by time; those of the same time as they stood."""
    time = np.concatenate([piece.time for piece in pieces])
    order = np.argsort(time, kind="stable")
    values = np.concatenate([piece.values for piece in pieces])[order]
    take = arrow.whole(order, pa.int64())
    groups = {
        column: pa.concat_arrays([piece.groups[column] for piece in pieces]).take(take)
        for column in pieces[0].groups
    }
    return Piece(None, time[order], pieces[0].names, values, groups)


def _look(table: Table, asked: Asked, tell: Callable[[int], None]) -> File:
    notes, ordered = Notes(), True
    first, last, newest = np.iinfo(np.int64).max, np.iinfo(np.int64).min, None
    for piece in table.pieces(asked, notes, tell):
        time: Times = piece.time
        before = time[:1] if newest is None else np.array([newest])
        ordered = ordered and not (np.diff(time, prepend=before) < 0).any()
        newest = int(time[-1])
        first, last = min(first, int(time.min())), max(last, int(time.max()))
    if newest is None:
        raise ConfigError(f"{table.name}: there is no row in it")
    return File(table, asked, notes, first, last, ordered)


def _between(file: File, start: int, end: int) -> Iterator[Records]:
    if file.first > end or file.last < start:
        return
    for piece in file.pieces():
        inside = np.flatnonzero((piece.time >= start) & (piece.time <= end))
        rows = max(MOST // len(piece.names), 1)
        for at in range(0, len(inside), rows):
            yield _records(piece, inside[at : at + rows])
        if piece.time[0] > end:
            return


def _records(piece: Piece, which: Times) -> Records:
    values = piece.values[which]
    t, c = np.nonzero(np.isfinite(values))
    labels = {
        column: np.array(texts.take(arrow.whole(which, pa.int64())).to_pylist(), str)[t]
        for column, texts in piece.groups.items()
    }
    name = np.array(piece.names, str)[c]
    return Records(piece.time[which][t], name, values[t, c], labels)
