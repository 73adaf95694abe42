"""The time column of a table: as it was written, and as nanoseconds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amiss.data import SECOND, Times
from amiss.errors import ConfigError
from amiss.evaluate import arrow

LARGEST = 9.2e9  # seconds; int64 nanoseconds end in the year 2262
NEITHER = "is neither Unix seconds nor ISO 8601, such as 2026-03-07T14:02:10Z"


@dataclass(frozen=True, slots=True)
class Clock:
    """How a table writes its times, known from the first one."""

    table: str  # what to call it in errors
    column: str
    read: Callable[[Any], Any]  # text -> numbers of seconds, or timestamps

    def texts(self, column: Any, first: int) -> tuple[Any, Times]:
        """A column of text (T,) -> as written (T,), and ns (T,).

        `first` is the number of its first row. Raises ConfigError, with the row, for a time that
        is none, or is written otherwise than the first of the table.
        """
        self._refuse_empty(column, first)
        if not _reads(self.read, column):
            column = pc.utf8_trim_whitespace(column)
        try:
            return column, self._nanoseconds(self.read(column), first)
        except pa.ArrowInvalid:
            at = _first_bad(column, self.read)
            text = column[at].as_py()
            raise ConfigError(
                f"{self.table}: row {first + at}: the time {text[:40]!r} {self._blame(text)}"
            ) from None

    def values(self, column: Any, first: int) -> tuple[Any, Times]:
        """The same for a column of numbers, dates or timestamps."""
        self._refuse_empty(column, first)
        try:
            if pa.types.is_date(column.type):
                column = column.cast(pa.timestamp("s"))
            time = self._nanoseconds(column, first)
        except pa.ArrowNotImplementedError:
            raise ConfigError(
                f"{self.table}: {self.column!r} is no time, but {column.type}"
            ) from None
        except pa.ArrowInvalid:
            raise ConfigError(
                f"{self.table}: {self.column!r} has times that are not between the years "
                "1678 and 2261"
            ) from None
        if not pa.types.is_timestamp(column.type):
            return column.cast(pa.string()), time
        text = column.cast(pa.timestamp(column.type.unit, "UTC")).cast(pa.string())
        return pc.replace_substring(text, " ", "T"), time

    def _refuse_empty(self, column: Any, first: int) -> None:
        if column.null_count:
            row = first + int(arrow.bools(column.is_valid()).argmin())
            raise ConfigError(f"{self.table}: row {row}: the time is empty")

    def _nanoseconds(self, column: Any, first: int) -> Times:
        if pa.types.is_timestamp(column.type):
            return arrow.ints(column.cast(pa.timestamp("ns", column.type.tz)))
        if pa.types.is_integer(column.type):
            seconds = arrow.ints(column)
        else:
            seconds = arrow.floats(column)
        wrong = ~(np.abs(seconds) <= LARGEST)
        if wrong.any():
            at = int(wrong.argmax())
            raise ConfigError(
                f"{self.table}: row {first + at}: the time {column[at].as_py()} is not between "
                f"the years 1678 and 2261 ({self.column} is read as Unix seconds)"
            )
        whole = np.floor(seconds)
        rest = np.rint((seconds - whole) * SECOND).astype(np.int64)
        time: Times = whole.astype(np.int64) * SECOND + rest
        return time

    def _blame(self, text: str) -> str:
        alone = arrow.strings([text])
        if any(_reads(read, alone) for read in FORMS):
            return "is not written like the ones before it"
        return NEITHER


def clock(table: str, column: str, first: str) -> Clock:
    """The clock of a table whose first time is this text."""
    alone = arrow.strings([first.strip()])
    return Clock(table, column, next((r for r in FORMS if _reads(r, alone)), _number))


def _number(column: Any) -> Any:
    try:
        return pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        return pc.cast(column, pa.float64())


def _with_zone(column: Any) -> Any:
    return pc.cast(column, pa.timestamp("ns", "UTC"))


def _without_zone(column: Any) -> Any:
    return pc.cast(column, pa.timestamp("ns"))


FORMS = (_number, _with_zone, _without_zone)


def _reads(read: Callable[[Any], Any], column: Any) -> bool:
    try:
        read(column)
    except pa.ArrowInvalid:
        return False
    return True


def _first_bad(column: Any, read: Callable[[Any], Any]) -> int:
    """The first row to blame of a column that as a whole cannot be read."""
    good, bad = 0, len(column)  # so many rows can be read; so many cannot
    while bad - good > 1:
        middle = (good + bad) // 2
        if _reads(read, column[:middle]):
            good = middle
        else:
            bad = middle
    return good
