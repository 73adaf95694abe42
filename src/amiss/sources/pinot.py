"""Tables of Apache Pinot."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import orjson
from pydantic import Field

from amiss.component import Cursor, Source
from amiss.data import MINUTE, SECOND, Records
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.formats.times import latest_of
from amiss.masked import HttpAddress, hush, reach
from amiss.reading import keyset
from amiss.reading.access import Access
from amiss.reading.promised import promised
from amiss.reading.tabular import NO_TIME, Tabular
from amiss.spans import Span
from amiss.world import World

PATIENCE = MINUTE  # how long rows that were there may be away
NO = frozenset((150, 160, 180, 190, 700, 710))
"""Errors of the query: what is no SQL, may not be asked, or is of no table or column."""
SHOWN = 200  # characters of what Pinot says
JAVA = re.compile(r"^(\w*Error: |[\w.]+Exception: )+| at org\..*")
"""Of what it says: the classes in front, and where in Java it happened."""


class Pinot(Tabular, Source):
    """Rows of a table as they become visible, by its broker's SQL.

    Rows are read in the order of their time. Of rows of the same time all are read and each once,
    wherever a page ends; rows that become visible late, because partitions are consumed at
    different speeds, are read if their time is no more than `late` older than the newest. Where
    rows that were read of that time are not there, as after a restart while segments are consumed
    again, it waits for them, for a minute; a table with upserts replaces rows, and does so each
    time. Answers of some servers alone are not taken.

    Columns are as with the source `sql`. The watermark is the newest time that was read, less
    `late`; once all is read it goes on with the clock while rows keep up with it. A poll reads
    `most` rows at most, at some 4 us each beside what Pinot takes.
    """

    type: Literal["pinot"] = "pinot"
    every: Span = Field(5 * SECOND, gt=0)
    """Time between two polls."""
    url: HttpAddress = Field(examples=["http://pinot-broker:8099"])
    """Of a broker, or `env:NAME` or `file:/path` of it."""
    table: str = Field(pattern=r"^[\w.$-]+$", examples=["requests"])
    """The table."""
    time: str = Field(min_length=1, examples=["ts"])
    """The column with the time, which rows are read by. One that is more than a day ahead of the
    clock is none."""
    where: str = ""
    """A condition in Pinot's SQL for the rows to read, such as `region = 'eu'`."""
    start: Literal["beginning", "end"] = "beginning"
    """Whether the rows that are there at the first poll are read."""
    access: Access = Access()
    """What the broker asks of those that ask it."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""
    late: Span = Field(10 * SECOND, ge=0)
    """How much later than a newer one a row may become visible."""
    most: int = Field(20_000, ge=1, le=1_000_000)
    """Rows of one poll; if there are more, the next poll follows at once."""

    def again(self) -> "Pinot":
        """From the first row."""
        return self.model_copy(update={"start": "beginning"})

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """The next rows. Raises Unreachable if not all that is to answer does, Rejected for what
        Pinot refuses, ConfigError for columns that are not there.
        """
        now, first = world.now(), not cursor
        place = keyset.load(cursor)
        if first and self.start == "end":
            names, rows = self._ask(world, f"SELECT {_quoted(self.time)}", "DESC", (), 1)
            place = keyset.Place(tuple(rows[0]) if rows else ())
        most, wanted = self.most + len(place.seen), self.named or ("*",)
        what = ", ".join(name if name == "*" else _quoted(name) for name in wanted)
        while True:
            names, rows = self._ask(world, f"SELECT {what}", "", place.key, most)
            across = zip(*rows, strict=True) if rows else ((),) * len(names)
            columns = {name: list(column) for name, column in zip(names, across, strict=True)}
            for name in (self.time, *self.values, *self.by, self.metric):
                if name and name not in columns:
                    raise ConfigError(f"there is no column {name!r}; there are {', '.join(names)}")
            times = self.stamps(columns[self.time], latest_of(now, now))
            keys = [(one,) for one in columns[self.time]]
            new, after, missing = keyset.fresh(place, rows, keys, times, self.late)
            if not missing or len(rows) < most or most > keyset.MOST:
                break
            most *= 2  # of rows of one time Pinot gives any, and not always the same
        since = cursor.get("missing", now)
        if missing and 0 <= now - since < PATIENCE:
            if "missing" in cursor:
                raise Unreachable(f"{missing} rows that were read are not there yet")
            return cursor | {"missing": now}, _nothing(cursor)
        if first and self.start == "end":
            new = []
        if len(new) < len(rows):
            columns = {name: [column[i] for i in new] for name, column in columns.items()}
        records, skipped = self.rows(columns, times[new])
        timed = times[new][times[new] != NO_TIME]
        newest = int(timed.max()) if len(timed) else None
        more = len(rows) >= most
        reached = promised(cursor, newest, now, more, self.late, self.every)
        return after.dump() | reached, replace(
            records, watermark=reached.get("watermark"), skipped=dict(skipped), more=more
        )

    def _ask(
        self, world: World, select: str, order: str, key: keyset.Key, most: int
    ) -> tuple[list[str], list[list[Any]]]:
        time = _quoted(self.time)
        parts = [f"{time} >= {_literal(key[0])}"] if key else []
        parts += [f"({self.where})"] if self.where else []
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        sql = f"{select} FROM {_quoted(self.table)}{where} ORDER BY {time} {order} LIMIT {most}"
        hush()
        told = self.access.asking(world)
        told["headers"]["Content-Type"] = "application/json"
        reply = world.ask(
            "POST",
            f"{reach(self.url, world).rstrip('/')}/query/sql",
            content=orjson.dumps({"sql": sql}),
            timeout=self.timeout / SECOND,
            **told,
        )
        try:
            said = orjson.loads(reply.content)
            _check(said, host := str(reply.url.host))
            table = said.get("resultTable")
            if table is None:
                raise Unreachable(f"{host}: the table is not ready")
            return list(table["dataSchema"]["columnNames"]), list(table["rows"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Rejected(f"{reply.url.host} answered, but not as Pinot does") from None


def _check(said: Mapping[str, Any], host: str) -> None:
    """Raises if it is not the whole answer."""
    for one in said.get("exceptions") or ():
        message = " ".join(str(one.get("message", "")).split())
        message = JAVA.sub("", message)[:SHOWN]
        failure = Rejected if one.get("errorCode") in NO else Unreachable
        raise failure(f"{host}: {message or 'an error without words'}")
    asked, answered = said.get("numServersQueried"), said.get("numServersResponded")
    if asked != answered:
        raise Unreachable(f"{host}: {answered} of {asked} servers answered")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def _nothing(cursor: Cursor) -> Records:
    none = np.zeros(0)
    mark = cursor.get("watermark")
    return Records(none.astype(np.int64), none.astype(str), none, watermark=mark)
