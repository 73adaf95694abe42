"""CSV and JSON lines as Arrow batches, from a file, a compressed file or standard input."""

import csv as lines
import gzip
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import orjson
import pyarrow as pa
from pyarrow import csv, json

from amiss.errors import ConfigError
from amiss.evaluate.columns import Asked

BLOCK = 1 << 20  # bytes read at once; no row may be longer. Arrow reads 32 of them ahead
LONGEST = 1 << 20  # bytes of a header
NO_TEXT = re.compile(r"CSV column #(\d+): Row #(\d+): .*invalid UTF8")
QUOTED = re.compile(r'"[^"]*"')
BOM = b"\xef\xbb\xbf"


class _Again(io.RawIOBase):
    """A stream, beginning with what was read of it already."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self.head, self.stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data, self.head = self.head[: len(buffer)], self.head[len(buffer) :]
        data = data or self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def opened(path: str, packed: bool) -> Iterator[tuple[BinaryIO, Callable[[], float]]]:
    """A file's bytes, unpacked; and how many bytes of the file one of these is worth."""
    with open(0 if path == "-" else path, "rb", buffering=BLOCK, closefd=path != "-") as file:
        if not packed:
            yield file, lambda: 1.0
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield cast(BinaryIO, unpacked), lambda: file.tell() / max(unpacked.tell(), 1)


def csv_batches(stream: BinaryIO, table: str, asked: Asked) -> Iterator[Any]:
    """All columns as text: what is a number is decided later, cell by cell if need be."""
    header, delimiter = _header(stream, table)
    asked.check(table, header)
    bad: list[Any] = []

    def refuse(row: Any) -> str:
        bad.append(row)
        return "error"

    reading = csv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=header)
    parsing = csv.ParseOptions(
        delimiter=delimiter,
        newlines_in_values=True,
        invalid_row_handler=refuse,
        ignore_empty_lines=len(header) > 1,  # of one column, an empty line is an empty cell
    )
    converting = csv.ConvertOptions(
        column_types={name: pa.string() for name in header},
        null_values=[""],  # NA may be a region
        strings_can_be_null=True,
    )
    try:
        yield from csv.open_csv(stream, reading, parsing, converting)
    except pa.ArrowInvalid as exc:
        if bad:
            raise ConfigError(
                f"{table}: row {bad[0].number} has {bad[0].actual_columns} columns, "
                f"where the header has {bad[0].expected_columns}"
            ) from None
        if found := NO_TEXT.search(str(exc)):
            column, row = header[int(found[1])], found[2]
            raise ConfigError(f"{table}: row {row}: {column!r} is not text in UTF-8") from None
        if "Empty CSV" not in str(exc):  # a header alone is a table without rows
            raise


def _header(stream: BinaryIO, table: str) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    raw = b""
    while not raw.strip() or raw.count(b'"') % 2:
        line = stream.readline(LONGEST)
        raw = raw + line if raw else line.removeprefix(BOM)
        if not line or len(raw) >= LONGEST:
            break
    if not raw.strip():
        raise ConfigError(f"{table}: it is empty; a line with the names of the columns is needed")
    try:
        text = raw.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{table}: its first line is not text in UTF-8") from None
    if re.search(r"\r(?!\n)", QUOTED.sub("", text)):
        raise ConfigError(f"{table}: its lines end with \\r alone; write them with \\n")
    delimiter = "," if "," in text else next((d for d in ";\t" if d in text), ",")
    names = next(lines.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    return [name.strip() for name in names], delimiter


def json_batches(stream: BinaryIO, table: str, asked: Asked) -> Iterator[Any]:
    """The fields of the first objects that hold numbers or text; all others are left out."""
    head = stream.read(LONGEST)
    whole = len(head) < LONGEST
    known = _fields(head.removeprefix(BOM).split(b"\n")[: None if whole else -1], table)
    if not known:
        return
    schema = pa.schema([(name, kind) for name, kind in known.items() if kind is not None])
    asked.check(table, schema.names)
    again = io.BufferedReader(_Again(head.removeprefix(BOM), stream), BLOCK)
    reading = json.ReadOptions(use_threads=False, block_size=BLOCK)
    parsing = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    done = 0
    try:
        for batch in json.open_json(again, reading, parsing):
            yield batch
            done += batch.num_rows
    except pa.ArrowInvalid as exc:
        said, _, row = str(exc).removeprefix("JSON parse error: ").rpartition(" in row ")
        if not row.isdigit():
            raise
        raise ConfigError(f"{table}: row {done + int(row) + 1}: {said.rstrip('.')}") from None


def _fields(rows: list[bytes], table: str) -> dict[str, Any]:
    """The fields of some objects, with their Arrow type, None where they hold neither."""
    found: dict[str, Any] = {}
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            said = orjson.loads(row)
        except orjson.JSONDecodeError as exc:
            raise ConfigError(f"{table}: row {number} is not JSON: {exc.msg}") from None
        if not isinstance(said, dict):
            raise ConfigError(f"{table}: row {number} is not a JSON object")
        for name, value in said.items():
            if found.get(name) is None:
                found[name] = _kind(value)
    return found


def _kind(value: object) -> Any:
    if isinstance(value, str):
        return pa.string()
    if isinstance(value, bool):
        return pa.bool_()
    return pa.float64() if isinstance(value, int | float) else None
