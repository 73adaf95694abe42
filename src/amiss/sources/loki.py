"""Grafana Loki: lines, or numbers made of lines by LogQL."""

from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from amiss.component import Cursor, Source
from amiss.data import DAY, SECOND, Records
from amiss.reading.late import Holds
from amiss.reading.logql import (
    CATEGORIES,
    UNCACHED,
    Lines,
    data_of,
    merged,
    samples_of,
    since_heard,
)
from amiss.reading.paged import Pages
from amiss.reading.shipped import Shipped, begun, told
from amiss.spans import Span
from amiss.world import World

POINTS = 1000  # of each series in one answer; Loki gives 11,000
LONGEST = 7 * DAY  # that is asked for at once; Loki refuses more than 30 days


class Loki(Shipped, Source):
    """What Loki keeps, as records: each line of `query`, or each sample of `metrics`.

    A line is taken apart as source `file` does it. Its record has the time that Loki has for it,
    the line as `text`, and as labels those of its stream, structured metadata, what the query
    itself took apart, and the line's fields; a field that is called as one of the others is
    `<name>_extracted`. The field with the time is no label.

    Each line is read once: a line may arrive `delay` after its time, in any order, and is in the
    poll that follows. One that comes later still is not read; it is counted, up to a day later.
    Lines of one nanosecond that are more than a page are asked for in parts. Metric queries are
    asked for at multiples of `step`, each once, `delay` after it; what comes late is not in them.

    The watermark is where reading has come to. A refusal is told in Loki's own words; 429 and 5xx
    are waited for. Cost: some 10 us a line, most of them for its fields.
    """

    type: Literal["loki"] = "loki"
    query: str | None = Field(None, examples=['{app="shop"}'])
    """The lines to read, in LogQL."""
    metrics: dict[str, str] = Field({}, examples=[{"requests": 'sum(rate({app="shop"}[1m]))'}])
    """Instead of lines: metric queries in LogQL, by the name that their series are to have."""
    step: Span = Field(60 * SECOND, ge=SECOND)
    """Of metric queries: the time between two samples, whole seconds."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.query) == bool(self.metrics):
            raise ValueError("write query, for lines, or metrics, for numbers")
        if self.query and not self.query.lstrip().startswith("{"):
            raise ValueError('query is for lines, such as {app="shop"}; numbers go to metrics')
        if self.step % SECOND:
            raise ValueError("step is whole seconds")
        if any(not name.strip() for name in self.metrics):
            raise ValueError("each of metrics needs a name")
        return self

    @property
    def of_events(self) -> bool:
        """Of lines."""
        return bool(self.query)

    @property
    def pace(self) -> int:
        """That of metric queries."""
        return self.step if self.metrics else 0

    def again(self) -> "Loki":
        """The same: without a cursor it begins with all of `history`."""
        return self

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """What lies between the cursor and `delay` ago. Raises as World.ask."""

        def ask(path: str, **parameters: Any) -> Any:
            known = self.access.asking(world)
            known["headers"] |= CATEGORIES | UNCACHED
            url = f"{self.url}/loki/api/v1/{path}"
            wait = self.timeout / SECOND
            reply = world.ask("GET", url, params=parameters, told=told, timeout=wait, **known)
            return data_of(reply.content)

        if self.metrics:
            return self._samples(cursor, world.now(), ask)
        lines = Lines(ask, self.query or "", self.page)
        pages = Pages(lines.first, lines.moment, self.page)
        # to Loki the end of a span belongs to it
        holds = Holds(lines.count, self.fingerprint, edge=1)
        return self.lines(cursor, world.now(), pages, holds, self.every)

    def _samples(self, cursor: Cursor, now: int, ask: Any) -> tuple[Cursor, Records]:
        end = (now - self.delay) // self.step * self.step
        at = cursor.get("next", -(-max(end - self.history, 0) // self.step) * self.step)
        parted = max(min(POINTS, LONGEST // self.step), 1)
        until, began = min(end, at + (parted - 1) * self.step), begun(cursor, now)
        if at <= began:  # no poll is of the past and the present
            until = min(until, began // self.step * self.step)
        parts = [samples_of({"result": []}, "none", {})]
        if until >= at:
            span = {"start": at, "end": until, "step": f"{self.step // SECOND}s"}
            for name, query in self.metrics.items():
                said = ask("query_range", query=query, **span)
                parts.append(samples_of(said, name, self.labels))
        records = merged(parts)
        if until < at:
            return cursor, replace(records, watermark=at - self.step)
        after = {"next": until + self.step, "began": began}
        if until <= began and not cursor.get("heard"):
            records = since_heard(records)
        if len(records) or cursor.get("heard"):
            after["heard"] = True
        return after, replace(records, watermark=until, more=until < end)

    def found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Lines, how they are written, fields; or how many samples."""
        if self.query:
            return self.lines_found(cursor, records)
        series = len(set(records.name.tolist()))
        return (f"{len(records)} samples of {series} of {len(self.metrics)} queries read",)

    def wrong(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Of lines: a format that nothing is written in, and fields that are nowhere."""
        return self.lines_wrong(cursor, records) if self.query else ()
