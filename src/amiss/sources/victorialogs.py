"""VictoriaLogs: lines and events by LogsQL."""

import re
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal

import numpy as np
import orjson
from pydantic import Field

from amiss.component import Cursor, Source
from amiss.data import SECOND, Records
from amiss.errors import Unreachable
from amiss.formats import times
from amiss.formats.parsed import MOST_FIELDS
from amiss.formats.promql import complaint
from amiss.reading.entries import Entries
from amiss.reading.late import STEP, Holds
from amiss.reading.paged import Pages
from amiss.reading.shipped import Shipped
from amiss.world import World

OWN = ("_time", "_msg", "_stream", "_stream_id")
REQUEST = re.compile(rb'^remoteAddr: "[^"]*"(?:, [^;]*)?; requestURI: [^;]*; ')
SORTED = "delete _stream, _stream_id | sort by (_time)"
"""Asked for the name of a stream, VictoriaLogs 0.28 left out entries of new ones for 14 s."""
COUNT = "amiss_count"  # a name that no field of an entry has


class Victorialogs(Shipped, Source):
    """What VictoriaLogs keeps, as records: each log entry of `query`.

    The message of an entry is taken apart as source `file` does it, and its other fields are
    labels; a field of the message that is called as one of those is `<name>_extracted`. Each entry
    is read once: it may arrive `delay` after its time, in any order; one that comes later is
    counted, up to a day later. The watermark is where reading has come to. A refusal is told in
    the server's own words; 429 and 5xx are waited for.
    """

    type: Literal["victorialogs"] = "victorialogs"
    query: str = Field(min_length=1, examples=['{app="shop"}'])
    """The entries to read, in LogsQL: filters, and pipes that leave _time and _msg as they are."""

    @property
    def of_events(self) -> bool:
        """Of entries."""
        return True

    def again(self) -> "Victorialogs":
        """The same: without a cursor it begins with all of `history`."""
        return self

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """What lies between the cursor and `delay` ago. Raises as World.ask."""

        def ask(start: int, end: int, pipe: str) -> bytes:
            # on a line of its own: the query may end in a comment
            asked = {"query": f"{self.query}\n| {pipe}", "start": stamp(start), "end": stamp(end)}
            known = self.access.asking(world)
            url = f"{self.url}/select/logsql/query"
            wait = self.timeout / SECOND
            reply = world.ask("POST", url, data=asked, told=told, timeout=wait, **known)
            return reply.content

        def first(start: int, end: int) -> Entries:
            said = ask(start, end, f"{SORTED} limit {self.page}")
            return entries_of(said, start, end)

        def moment(at: int) -> Entries:
            said = ask(at, at + 1, SORTED)  # without a limit it gives all
            return entries_of(said, at, at + 1)

        def count(first: int, last: int) -> dict[int, int]:
            pipe = f"stats by (_time:{STEP // SECOND}s) count() {COUNT}"
            return counts_of(ask(first * STEP, last * STEP, pipe))

        pages = Pages(first, moment, self.page)
        holds = Holds(count, self.fingerprint)
        return self.lines(cursor, world.now(), pages, holds, self.every)

    def found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Entries, how they are written, fields."""
        return self.lines_found(cursor, records)

    def wrong(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """A format that nothing is written in, and fields that are nowhere."""
        return self.lines_wrong(cursor, records)


def stamp(at: int) -> str:
    """A time with all of its nanoseconds. VictoriaLogs 0.28 takes a number for milliseconds."""
    seconds, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def entries_of(body: bytes, start: int, end: int) -> Entries:
    """An answer, one object a line, as entries of [start, end). Raises Unreachable for others.

    Whether `end` itself belongs to a span the server need not agree on.
    """
    try:
        rows: list[dict[str, Any]] = [orjson.loads(line) for line in body.splitlines() if line]
        read = times.reader("iso", "UTC", 0)
        at = [read(row["_time"]) for row in rows]
        text = [str(row.get("_msg", "")) for row in rows]
        often = Counter(one for one in chain.from_iterable(rows) if one not in OWN)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise Unreachable("the answer is not one of VictoriaLogs") from None
    if None in at:
        raise Unreachable("the answer has a _time that is none")
    time = np.array(at, np.int64)
    order = np.argsort(time, kind="stable")
    order = order[(time[order] >= start) & (time[order] < end)]
    kept = order.tolist()
    names = list(often)
    labels = {name: [_text(rows[i].get(name)) for i in kept] for name in names[:MOST_FIELDS]}
    over = sum(often[name] for name in names[MOST_FIELDS:])
    return Entries(time[order], [text[i] for i in kept], labels, over=over)


def told(reply: Any) -> str:
    """What the server says of a failure, without who asked and all of the address."""
    said = complaint(REQUEST.sub(b"", reply.content, count=1))
    return f": {said}" if said else ""


def counts_of(body: bytes) -> dict[int, int]:
    """An answer to how many there are, by the number of the span. Raises Unreachable for others."""
    try:
        rows: list[dict[str, Any]] = [orjson.loads(line) for line in body.splitlines() if line]
        read = times.reader("iso", "UTC", 0)
        return {(read(row["_time"]) or 0) // STEP: int(row[COUNT]) for row in rows}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise Unreachable("the answer is not one of VictoriaLogs") from None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
