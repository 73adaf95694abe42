"""Rows of SQL databases: MySQL, MariaDB, PostgreSQL, SQLite."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from amiss.component import Cursor, Source
from amiss.data import SECOND, Records
from amiss.errors import ConfigError
from amiss.formats.times import latest_of
from amiss.masked import REFERENCE, Hidden
from amiss.reading import keyset
from amiss.reading.promised import promised
from amiss.reading.tabular import NO_TIME, Tabular
from amiss.spans import Span
from amiss.world import World

if TYPE_CHECKING:
    from amiss.doors.databases import Database

ADDRESS = re.compile(r"[\w+]+://(?!.*:.*@).*", re.DOTALL)
SELECT = re.compile(r"\s*(select|with)\b", re.IGNORECASE)


def _address(url: Hidden) -> Hidden:
    text = url.get_secret_value()
    if not (REFERENCE.fullmatch(text) or ADDRESS.fullmatch(text)):
        raise ValueError("write env:NAME or file:/path of the address, or one without a password")
    return url


class Sql(Tabular, Source):
    """Rows of a table, a view or a query, read as they are added.

    Rows are read in the order of `cursor`, columns that grow: an `id`, or a time. Of rows that
    have the same value there, all are read and each once, wherever a page ends; and so are rows
    that turn up late, if their time is no more than `late` older than the newest. Rows that are
    changed afterwards are not read again, but for those of the last moments, which then count as
    new. Rows whose `cursor` is null are left alone.

    A wide table has a column for each number (`values`), a long one a name and a number in each
    row (`metric`). What is null was not observed. Sessions are read-only, and what is asked for is
    a SELECT around the query. The watermark is the newest time that was read, less `late`; once
    all is read it goes on with the clock while rows keep up with it.

    A poll reads `most` rows at most; of SQLite at 5 to 6 us each; other drivers take longer.
    """

    type: Literal["sql"] = "sql"
    url: Annotated[Hidden, AfterValidator(_address)] = Field(examples=["env:SHOP_DATABASE"])
    """`env:NAME` or `file:/path` of the address, mysql://user:password@host/database and alike
    with mariadb, postgresql and sqlite (sqlite:///path); the address itself if it is no secret."""
    table: str | None = Field(None, examples=["requests"])
    """The table or view, with its schema before a dot if need be."""
    time: str = Field(min_length=1, examples=["ts"])
    """The column with the time. One that is more than a day ahead of the clock is none."""
    query: str = ""
    """Or a SELECT; its columns are those that the other settings name."""
    cursor: tuple[str, ...] = Field((), examples=[("id",)])
    """The columns to read on by, which grow and should have an index; empty is the time."""
    start: Literal["beginning", "end"] = "beginning"
    """Whether the rows that are there at the first poll are read."""
    late: Span = Field(5 * SECOND, ge=0)
    """How much later than a newer one a row may become visible."""
    most: int = Field(20_000, ge=1, le=1_000_000)
    """Rows of one poll; if there are more, the next poll follows at once."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.table) == bool(self.query):
            raise ValueError("write a table or a query")
        if self.query and not SELECT.match(self.query):
            raise ValueError("query: only SELECT is asked of a database")
        if ";" in self.query.rstrip().rstrip(";"):
            raise ValueError("query: one SELECT, without a semicolon")
        return self

    @property
    def ordered(self) -> tuple[str, ...]:
        """The columns to read on by."""
        return self.cursor or (self.time,)

    def again(self) -> "Sql":
        """From the first row."""
        return self.model_copy(update={"start": "beginning"})

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """The next rows. Raises Unreachable if the database does not answer, Rejected if it says
        no, ConfigError for columns that are not there.
        """
        database, now = world.database(self.url.read(world)), world.now()
        place, first = keyset.load(cursor), not cursor
        if first and self.start == "end":
            place = self._end(database)
        most = self.most + len(place.seen)
        names, rows = database.rows(*self.select(database, place.key, most))
        self.there(names)
        across = zip(*rows, strict=True) if rows else ((),) * len(names)
        columns = {name: list(column) for name, column in zip(names, across, strict=True)}
        times = self.stamps(columns[self.time], latest_of(now, now))
        keys = list(zip(*(columns[name] for name in self.ordered), strict=True))
        new, after, _ = keyset.fresh(place, rows, keys, times, self.late)
        if first and self.start == "end":
            new = []
        if len(new) < len(rows):
            columns = {name: [column[i] for i in new] for name, column in columns.items()}
        records, skipped = self.rows(columns, times[new], self.ordered)
        timed = times[new][times[new] != NO_TIME]
        newest = int(timed.max()) if len(timed) else None
        more = len(rows) >= most
        reached = promised(cursor, newest, now, more, self.late, self.every)
        return after.dump() | reached, replace(
            records, watermark=reached.get("watermark"), skipped=dict(skipped), more=more
        )

    def select(
        self, database: "Database", key: keyset.Key, most: int
    ) -> tuple[str, dict[str, object]]:
        """The statement for rows at and after a key, and its values."""
        wanted = dict.fromkeys((*self.named, *self.ordered)) if self.named else {}
        what = ", ".join(map(database.quoted, wanted)) or "*"
        order = [database.quoted(name) for name in self.ordered]
        where, values = keyset.condition(order, key)
        return (
            f"SELECT {what} FROM {self._from(database)} WHERE {where}"  # noqa: S608
            f" ORDER BY {', '.join(order)} LIMIT {most}",
            values,
        )

    def _from(self, database: "Database") -> str:
        if self.table:
            return database.quoted(*self.table.split("."))
        return f"({self.query.strip().rstrip(';')}) AS amiss".replace(":", r"\:")

    def _end(self, database: "Database") -> keyset.Place:
        """The last row that is there."""
        order = [database.quoted(name) for name in self.ordered]
        where, _ = keyset.condition(order, ())
        _, rows = database.rows(
            f"SELECT {', '.join(order)} FROM {self._from(database)} WHERE {where}"  # noqa: S608
            f" ORDER BY {', '.join(f'{name} DESC' for name in order)} LIMIT 1",
            {},
        )
        return keyset.Place(tuple(rows[0])) if rows else keyset.Place()

    def there(self, names: list[str]) -> None:
        """Raises ConfigError if a column that is named is not among these."""
        for name in (*self.ordered, self.time, *self.values, *self.by, self.metric):
            if name and name not in names:
                raise ConfigError(f"there is no column {name!r}; there are {', '.join(names)}")
