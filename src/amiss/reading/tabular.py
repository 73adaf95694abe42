"""How the columns of a table become records: settings that databases and topics share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from amiss.data import Array, Floats, Records, Strings, Times, measured
from amiss.formats import times
from amiss.formats.parsed import NO_NUMBER
from amiss.formats.settings import Zone, at_most, short

NO_TIME = -1
UNTIMED = "rows without a time that can be read"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (of times without a zone, which is given beside)
MICROSECOND = timedelta(microseconds=1)
LONGEST = 8192  # bytes of the text of an event

Columns = Mapping[str, Sequence[Any]]


class Tabular(BaseModel):
    """Which columns are the time, the numbers, the labels; of wide and of long tables."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    time: str = ""
    """The column with the time. One that is more than a day ahead of the clock is none."""
    time_format: str = ""
    """Of times that are no times for the database: `s`, `ms`, `us`, `ns`, `epoch`, `iso` or a
    pattern of strptime; else they are looked at."""
    zone: Zone = "UTC"
    """Time zone of times that say none, such as Europe/Berlin."""
    values: tuple[str, ...] = ()
    """Columns with numbers, each a series of its name; empty for all that have numbers and are
    nothing else. Of a long table the one column with the number."""
    metric: str = ""
    """Of a long table: the column that says what the number of a row is called."""
    by: tuple[str, ...] = ()
    """Columns that are labels, of which long values are cut. Of events empty for all that are
    nothing else."""
    events: bool = False
    """Whether each row is an event that is judged by itself (`features: {type: each}`), and not
    numbers of series; one column of `values` is then its number."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of all records, such as `host: web-1`; they go before columns of that name."""

    @field_validator("time_format")
    @classmethod
    def _time_format(cls, kind: str) -> str:
        if kind and kind not in (*times.UNITS, "epoch", "iso") and "%" not in kind:
            raise ValueError("write s, ms, us, ns, epoch, iso, or a pattern such as %d.%m.%Y")
        return kind

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.metric and (self.events or len(self.values) != 1):
            raise ValueError("metric is of a long table, which has one column in `values`")
        if self.events and len(self.values) > 1:
            raise ValueError("an event has one number: name one column in `values`")
        return self

    @property
    def of_events(self) -> bool:
        """Of rows that are judged by themselves."""
        return self.events

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are read; empty if that depends on what there is."""
        if (self.events and not self.by) or not (self.events or self.values):
            return ()
        return tuple(dict.fromkeys(filter(None, (self.time, *self.values, self.metric, *self.by))))

    def stamps(self, column: Sequence[Any], latest: int) -> Times:
        """(N,) times in ns; NO_TIME where there is none that can be read, or it is after `latest`.

        A year that is wrong would be the newest time for as long as it takes to come.
        """
        found = _times(column, self.time_format, self.zone, latest)
        found[found > latest] = NO_TIME
        return found

    def rows(
        self,
        columns: Columns,
        when: Times,
        besides: Sequence[str] = (),
        said: Sequence[str] = (),
    ) -> tuple[Records, Counter[str]]:
        """Rows of these columns at these times (N,), without a watermark, and what was left out.

        `besides` are columns that are neither numbers nor labels unless they are named; `said` is
        the text of events (N,), else the pairs of a row.
        """
        skipped: Counter[str] = Counter()
        if untimed := int((when == NO_TIME).sum()):
            skipped[UNTIMED] = untimed
        kept = np.flatnonzero(when != NO_TIME)
        build = self._events if self.events else self._numbers
        return build(columns, when, kept, {self.time, *besides}, said, skipped), skipped

    def _numbers(
        self,
        columns: Columns,
        when: Times,
        kept: Array,
        besides: set[str],
        said: Sequence[str],
        skipped: Counter[str],
    ) -> Records:
        taken = {*besides, self.metric, *self.by}
        names = self.values or tuple(
            name for name, column in columns.items() if name not in taken and _numeric(column)
        )
        value = np.full((len(when), len(names)), np.nan)
        for i, name in enumerate(names):
            value[:, i] = _number(columns.get(name, ()), len(when), skipped)
        value = value[kept]
        row, column = np.nonzero(~np.isnan(value))  # what is null was not observed
        called = np.array(names or [""], str)[column]
        if self.metric:
            called = words(columns.get(self.metric, ()), len(when))[kept][row]
            called = np.where(called == "", names[0], called)
        labels = {
            name: words(columns.get(name, ()), len(when))[kept][row]
            for name in self.by
            if name not in self.labels
        }
        labels |= {name: np.full(len(row), one) for name, one in self.labels.items()}
        return Records(when[kept][row], called, value[row, column], labels)

    def _events(
        self,
        columns: Columns,
        when: Times,
        kept: Array,
        besides: set[str],
        said: Sequence[str],
        skipped: Counter[str],
    ) -> Records:
        by = self.by or tuple(name for name in columns if name not in besides)
        found = {name: words(columns.get(name, ()), len(when)) for name in by}
        if not len(said):
            said = [
                " ".join(f"{name}={one}" for name, one in zip(by, row, strict=True) if one) or "-"
                for row in zip(*(column.tolist() for column in found.values()), strict=True)
            ] or ["-"] * len(when)
        value = np.full(len(when), np.nan)
        if self.values:
            value = _number(columns.get(self.values[0], ()), len(when), skipped)
        labels = {name: column[kept] for name, column in found.items() if name not in self.labels}
        labels |= {name: np.full(len(kept), one) for name, one in self.labels.items()}
        text = np.array(at_most(list(said), LONGEST), str)[kept]
        return Records(when[kept], np.full(len(kept), "event"), value[kept], labels, text)


def words(column: Sequence[Any], n: int) -> Strings:
    """(n,) texts; "" where there is nothing."""
    if not len(column):
        return np.full(n, "")
    try:
        if set(map(type, column)) == {str}:
            return np.array(short(list(column)), str)
    except TypeError:
        pass
    return np.array(short(["" if one is None else _word(one) for one in column]), str)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    try:
        return str(value)
    except RecursionError:  # lists in lists in lists
        return "..."


def _numeric(column: Sequence[Any]) -> bool:
    """Whether there are numbers and nothing else."""
    kinds = set(map(type, column)) - {type(None)}
    return bool(kinds) and all(
        kind.__name__ in ("int", "float", "Decimal", "bool") for kind in kinds
    )


def _number(column: Sequence[Any], n: int, skipped: Counter[str]) -> Floats:
    """(n,) numbers; NaN where there is none."""
    if not len(column):
        return np.full(n, np.nan)
    try:
        whole = np.array(column, np.float64)
        if whole.ndim == 1:  # else there are lists, all of one length
            return measured(whole)
    except (ValueError, TypeError, OverflowError):
        pass
    found: Floats = np.full(n, np.nan)
    for i, one in enumerate(column):
        try:
            found[i] = np.nan if one is None else float(one)
        except (ValueError, TypeError, OverflowError):
            skipped[NO_NUMBER] += 1
    return measured(found)


def _times(column: Sequence[Any], kind: str, zone: str, latest: int) -> Times:
    kinds = set(map(type, column)) - {type(None)}
    if kinds and kinds <= {int, float} and "%" not in kind and kind != "iso":
        return _counted(column, kind)
    moments = (datetime, date)
    if kinds and all(issubclass(one, moments) for one in kinds):
        return np.array([_moment(one, zone) for one in column], np.int64)
    texts = ["" if one is None else _word(one) for one in column]
    found = kind or times.kind_of([one for one in texts if one][:50]) or "iso"
    read = times.reader(found, zone, latest)
    stamps = [read(one) if one else None for one in texts]
    return np.array([NO_TIME if one is None else one for one in stamps], np.int64)


def _counted(column: Sequence[Any], kind: str) -> Times:
    """Numbers since 1970, in units that make them times between 1973 and 5138 unless said."""
    if set(map(type, column)) == {int} and max(map(abs, column)) < 2**62:
        whole = np.array(column, np.int64)
        units = np.full(len(whole), times.UNITS.get(kind, 1), np.int64)
        if kind in ("", "epoch"):
            sizes = [whole < 10**11, whole < 10**14, whole < 10**17]
            units = np.select(sizes, [10**9, 10**6, 10**3], 1)
        fits = (whole >= 0) & (whole < 2**62 // units)
        return np.where(fits, whole * np.where(fits, units, 0), NO_TIME)
    number = _number(column, len(column), Counter())
    size = np.nan_to_num(np.abs(number))
    unit = np.full(len(number), float(times.UNITS.get(kind, 1)))
    if kind in ("", "epoch"):
        unit = np.select([size < 1e11, size < 1e14, size < 1e17], [1e9, 1e6, 1e3], 1.0)
    fits = (number >= 0) & (number * unit < 2.0**62)
    number = np.where(fits, number, 0.0)
    step = np.floor(number)
    ns = step.astype(np.int64) * unit.astype(np.int64)
    # a float of seconds has no more than microseconds
    ns += np.round((number - step) * unit / 1e3).astype(np.int64) * 1000
    return np.where(fits, ns, NO_TIME)


def _moment(moment: datetime | date | None, zone: str) -> int:
    if moment is None:
        return NO_TIME
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
    if moment.tzinfo is None and zone == "UTC":
        found = (moment - EPOCH) // MICROSECOND * 1000
    else:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=times.zone_of(zone))
        found = (aware - times.EPOCH) // MICROSECOND * 1000
    return found if 0 <= found < 2**62 else NO_TIME
