"""Lines that were shipped to a server: the settings of all sources that ask for them."""

from dataclasses import replace
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from amiss.component import Cursor
from amiss.data import DAY, MINUTE, SECOND, Records
from amiss.formats import form
from amiss.formats.form import Asked
from amiss.formats.promql import complaint
from amiss.formats.settings import LineFormat, Pattern, fit, label
from amiss.reading.access import Access, ServerUrl
from amiss.reading.entries import Taken
from amiss.reading.late import Holds, Tally
from amiss.reading.paged import Pages
from amiss.spans import Span, write_span

LONGEST = 5 * MINUTE  # that Promtail waits between two tries


class Shipped(BaseModel):
    """What all of them are told. The records are those that source `file` makes of lines."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    url: ServerUrl = Field(examples=["http://127.0.0.1:3100"])
    """Where the server is."""
    access: Access = Access()
    """Password, token, tenant, certificates, if it asks for such."""
    history: Span = Field(DAY, ge=0)
    """How far back the first poll begins. What is there until now is learned from: of its
    incidents nobody is told."""
    delay: Span = Field(10 * SECOND, ge=0)
    """How long after its time a line may arrive: it is asked for when that has passed. One that
    comes later is not read, but counted. After a gap that nothing has come to fill lines are waited
    for as long again as it was, five minutes at most."""
    format: LineFormat = "auto"
    """How a line is written; `auto` looks at the first ones and stays with it."""
    regex: Pattern = ""
    """For `format: regex`: its named groups are the fields, from the beginning of the line on."""
    value: str = ""
    """The field that is the record's number, if any."""
    name: str = ""
    """What the records are called; empty is `line` for text and `event` for all else."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of all records, such as `host: web-1`; they go before what the server says."""
    longest: int = Field(8192, ge=64, le=200_000)
    """Most bytes of a record's text; what is beyond is cut, and said to be."""
    page: int = Field(5000, ge=2, le=1_000_000)
    """Lines that are asked for at once; no more than the server allows."""
    most: int = Field(50_000, ge=1, le=10_000_000)
    """Lines of one poll, about; if there are more, the next poll follows at once."""
    timeout: Span = Field(30 * SECOND, gt=0)
    """How long to wait for an answer."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fit(self.format, self.regex, bool(self.value))
        return self

    def learned_until(self, cursor: Cursor) -> int | None:
        """When the first poll was."""
        began: int | None = cursor.get("began")
        return began

    def lines(
        self, cursor: Cursor, now: int, pages: Pages, holds: Holds, every: int
    ) -> tuple[Cursor, Records]:
        """The lines after the cursor, up to `delay` before now, and how many came too late.

        After a gap in reading that nothing has come to fill, such as an absence of the server, it
        stays where the lines end for as long again: shippers wait twice as long after each try.
        Raises as `pages`; a count that fails is told.
        """
        at = cursor.get("next", max(now - self.delay - self.history, 0))
        end, began = now - self.delay, begun(cursor, now)
        said = cursor.get("form")
        asked = Asked(self.format, regex=self.regex)
        taken = Taken(asked, self.longest, form.load(said) if said else None)
        resumes, gap = cursor.get("resumes", 0), 2 * every + self.delay
        if now < resumes <= now + LONGEST:
            records = taken.records(self.name, self.value, self.labels)
            return cursor, promised(records, at, at)
        tally = Tally.of(cursor.get("tally"), at, end, holds)
        # no poll is of the past and the present
        stop = min(end, began + 1) if at <= began else end
        until = pages.read(at, stop, self.most, taken, tally)
        after: Cursor = {"began": began}
        come = max(at, 0 if taken.newest is None else taken.newest + 1)
        waited = resumes <= now <= resumes + gap
        if began < at and until == end and end - come > gap and not waited:
            after["resumes"], until, end = now + min(end - come, LONGEST), come, come
        late = tally.late(until, end)
        after |= {"next": until, "tally": tally.dump()}
        if taken.form is not None:
            after["form"] = taken.form.dump()
        records = taken.records(self.name, self.value, self.labels)
        records = replace(records, skipped={**records.skipped, **late})
        return after, promised(records, until, end)

    def lines_wrong(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """A format that nothing is written in, and a field that is nowhere."""
        if not len(records):
            said = "; ".join(f"{why} ({n})" for why, n in records.skipped.items())
            none = f"source: nothing that was read is a record of format {self.format}: {said}"
            return (none,) if said else ()
        if self.value and label(self.value) not in records.labels:
            there = ", ".join(records.labels)
            return (f"source.value: no record has a field {self.value!r}; there are {there}",)
        return ()

    def lines_found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """How lines are written, and what they say."""
        if not len(records):
            return (f"no lines in the last {write_span(self.history)}",)
        kind = cursor.get("form", {}).get("kind", "text")
        fields = ", ".join(records.labels) or "none"
        return f"{len(records)} lines read, {kind}", f"fields: {fields}"


def begun(cursor: Cursor, now: int) -> int:
    """When the first poll was; long ago if the cursor of an older version does not say it."""
    at: int = cursor.get("began", 0 if "next" in cursor else now)
    return at


def promised(records: Records, until: int, end: int) -> Records:
    """With the promise that nothing before `until` is still to come; there is more before `end`."""
    return replace(records, watermark=until - 1, more=until < end)


def told(reply: Any) -> str:
    """What a server says of a failure, on one line: limits, wrong queries."""
    said = complaint(reply.content)
    return f": {said}" if said else ""
