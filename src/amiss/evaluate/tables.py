"""Tables, read in pieces: memory does not grow with the table."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from amiss.errors import ConfigError
from amiss.evaluate.columns import Asked, Notes, Piece, choose
from amiss.evaluate.text import BLOCK, csv_batches, json_batches, opened

JSON = (".jsonl", ".ndjson", ".json")
ROWS = 1 << 16  # of a Parquet file, read at once
GATHERED = 1 << 17  # rows judged at once where they belong to many


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV, JSON-lines or Parquet file, told apart by its name; `-` is CSV on standard input."""

    path: str

    @property
    def name(self) -> str:
        """What to call it."""
        return "standard input" if self.path == "-" else self.path

    @property
    def stem(self) -> str:
        """What to call what is made of it."""
        if self.path == "-":
            return "stdin"
        path = Path(self.path)
        return (Path(path.stem) if path.suffix == ".gz" else path).stem

    @property
    def size(self) -> int | None:
        """Its bytes, if that can be known."""
        path = Path(self.path)
        return path.stat().st_size if path.is_file() else None

    def pieces(
        self, asked: Asked, notes: Notes, tell: Callable[[int], None] = lambda _: None
    ) -> Iterator[Piece]:
        """Its numeric columns over time, rows in order.

        Raises ConfigError, with the row where there is one, if it cannot be read or makes no
        sense; a single cell that is no number is missing instead, and counted in `notes`.
        """
        columns, batches = None, self.batches(asked, tell)
        for batch in _gathered(batches) if asked.by else batches:
            if columns is None:
                columns = choose(self.name, asked, notes, batch)
            yield columns.take(batch)

    def batches(self, asked: Asked, tell: Callable[[int], None] = lambda _: None) -> Iterator[Any]:
        """Its rows in order, as Arrow has them; none of the batches is empty.

        `tell` hears about how many bytes were done with. Raises ConfigError if it cannot be read.
        """
        try:
            yield from (batch for batch in self._batches(asked, tell) if batch.num_rows)
        except pa.ArrowInvalid as exc:
            raise ConfigError(f"{self.name}: {_plain(str(exc))}") from None
        except (EOFError, zlib.error, pa.ArrowException) as exc:
            raise ConfigError(f"{self.name}: it is damaged: {_plain(str(exc))}") from None
        except OSError as exc:
            said = exc.strerror or _plain(str(exc))
            raise ConfigError(f"{self.name}: cannot be read: {said}") from None

    def _batches(self, asked: Asked, tell: Callable[[int], None]) -> Iterator[Any]:
        suffixes = Path(self.path).suffixes
        packed = suffixes[-1:] == [".gz"]
        kind = "".join((suffixes[:-1] if packed else suffixes)[-1:]).lower()
        if kind == ".parquet" and not packed:
            with parquet.ParquetFile(self.path) as file:
                asked.check(self.name, file.schema_arrow.names)
                per_row = (self.size or 0) / max(file.metadata.num_rows, 1)
                for batch in file.iter_batches(batch_size=ROWS):
                    yield batch
                    tell(int(per_row * batch.num_rows))
            return
        with opened(self.path, packed) as (stream, worth):
            read = json_batches if kind in JSON else csv_batches
            for batch in read(stream, self.name, asked):
                yield batch
                tell(int(BLOCK * worth()))  # Arrow makes a batch of each block


def _gathered(batches: Iterator[Any]) -> Iterator[Any]:
    """Larger batches: where rows belong to many, each of them has few in a small one."""
    held: list[Any] = []
    for batch in batches:
        held.append(batch)
        if sum(one.num_rows for one in held) >= GATHERED:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)


def _plain(said: str) -> str:
    """The first line of what Arrow says of a table, without where in its code."""
    if "straddl" in said:
        return f"a row is longer than {BLOCK:,} bytes, or a quotation mark is not closed"
    line = next(iter(said.splitlines()), "no reason given").removeprefix("CSV parse error: ")
    return line[:1].lower() + line[1:300]
