"""Files of lines: logs, events, tables; tailed through rotation, truncation and .gz."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from amiss.component import Cursor, Source
from amiss.data import SECOND, Records, Strings
from amiss.doors.files import each
from amiss.errors import Unreachable
from amiss.formats import form
from amiss.formats.settings import Pattern, TimeFormat, Zone, fit, label
from amiss.reading.located import located
from amiss.spans import Span
from amiss.tail.follow import Following, follow
from amiss.tail.followed import Followed
from amiss.tail.numbers import samples
from amiss.tail.reading import Reading
from amiss.tail.start import to_the_end
from amiss.tail.watermark import promise
from amiss.world import World

SHOWN = 5  # files that are told of one by one

Globs = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda said: (said,) if isinstance(said, str) else said),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class File(Source):
    """Lines of files as they are written: one record for each line or event.

    A record has its time, the line as `text`, and a label for each field; those of objects in
    objects are `outer.inner`, and the field with the time is no label. A record without a time
    has that of the record before, or of the poll. Lines that do not fit the format are counted
    and left out; blank ones pass by.

    A file is followed when it is renamed, copied and cut, packed as .gz, or made anew, within its
    folder: every line with an end is read once, in order, also over restarts. A line without an
    end waits for it; where the file was rotated away, for 10 s. Files of a pattern may come and
    go. Between two polls nothing is held open, so what is written and removed between them is
    lost. What has the oldest records is read first, and what has no times last.

    The watermark is the newest time read, less `lateness`, and not beyond a file that has unread
    lines. Once all is read it goes on with the clock, if the last records came within a minute,
    `every` and `lateness` of their time: an old log that ends leaves it where the log ends.

    A poll costs 1 us (text) to 14 us (logfmt) for each line, and takes some 100 MB at most.
    """

    type: Literal["file"] = "file"
    path: Globs = Field(min_length=1, examples=["/var/log/app/*.log"])
    """The files, with * and ** and ? if need be; one or a list."""
    format: Literal[
        "auto", "json", "csv", "logfmt", "combined", "syslog", "zeek", "eve", "auth", "audit",
        "regex", "text",
    ] = "auto"  # fmt: skip
    """How a line is written; `auto` looks at the first ones of each file and stays with it. It
    takes Suricata (eve) for JSON and logins (auth) for syslog, so name these."""
    time: str = ""
    """The field with the time; empty looks for one, such as timestamp or ts."""
    time_format: TimeFormat = ""
    """`s`, `ms`, `us`, `ns`, `epoch`, `iso`, `clf`, `syslog`, `ctime` or a pattern of strptime."""
    zone: Zone = "UTC"
    """Time zone of times that say none, such as Europe/Berlin."""
    value: str = ""
    """The field that is the record's number, if any."""
    values: tuple[str, ...] = Field((), examples=[("cpu", "memory")])
    """Fields that are numbers, each a series of its name: records are samples then, for
    `features: {type: grid}`, and no events. Of a long table the one field with the number."""
    metric: str = ""
    """Of a long table: the field that says what the number of a row is called."""
    by: tuple[str, ...] = ()
    """With `values`: the fields that are labels, such as host; the others are left alone."""
    name: str = ""
    """What the records are called; empty is `line` for text and `event` for all else."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of all records, such as `host: web-1`; they go before fields of that name."""
    path_label: str = ""
    """The label that says which file a record is from, such as `path`; empty for none."""
    regex: Pattern = ""
    """For `format: regex`: its named groups are the fields, from the beginning of the line on."""
    multiline: Pattern = ""
    """A pattern found in the first line of a record; lines without it belong to the one before."""
    columns: tuple[str, ...] = ()
    """Names of the columns of a CSV that has no header."""
    places: str = ""
    """A file in MaxMind's format, such as GeoLite2-City.mmdb: each record then has the `latitude`,
    `longitude` and `country` of its address. Needs the extra `places`; nothing is downloaded."""
    places_of: str = "ip"
    """The field with that address."""
    start: Literal["beginning", "end"] = "beginning"
    """Where to begin in files that are there at the first poll."""
    lateness: Span = Field(5 * SECOND, ge=0)
    """How much later than a newer one a record may be written."""
    longest: int = Field(8192, ge=64, le=200_000)
    """Most bytes of a record's text; what is beyond is cut, and said to be."""
    most: int = Field(2_000_000, ge=10_000, le=100_000_000)
    """Bytes of one poll, to the next 256 kB; if there is more, the next poll follows at once."""
    most_files: int = Field(1000, gt=0)
    """Most files; over it the newest are refused and counted."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fit(self.format, self.regex, bool(self.time or self.value or self.values))
        if self.values and self.value:
            raise ValueError("value is the number of an event, values are series: write one")
        if (self.metric or self.by) and not self.values:
            raise ValueError("metric and by go with values, which names the fields with numbers")
        if self.values and (self.name or self.places):
            raise ValueError("name and places are of events, and values makes series: leave them")
        if self.metric and len(self.values) > 1:
            raise ValueError("metric is of a long table, which has one field in values")
        return self

    @property
    def of_events(self) -> bool:
        """Unless `values` names its numbers."""
        return not self.values

    def again(self) -> "File":
        """From the beginning of the files that are there."""
        return self.model_copy(update={"start": "beginning"})

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """The lines after the cursor. Raises Unreachable if a folder or file cannot be read."""
        try:
            return self._poll(cursor, world)
        except FileNotFoundError:  # it was rotated just now
            pass
        except Unreachable as exc:  # a folder that is gone is a fault, one still to come is none
            exc.absent = exc.absent and len(self.path) == 1 and not _was_there(cursor)
            raise
        try:
            return self._poll(cursor, world)
        except FileNotFoundError as exc:
            raise Unreachable(f"{exc}: was changed while it was read") from None

    def _poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        files, now = world.files(), world.now()
        named = list(each([files.matching(one, 10 * self.most_files) for one in self.path]))
        before = [Followed.load(said) for said in cursor.get("files", ())]
        following = follow(files, before, named, now, self.most_files)
        closed = next((one.path for one in named if not one.readable), None)
        if closed and not following.kept:
            raise Unreachable(f"{closed}: cannot be read: Permission denied")
        if not cursor and self.start == "end":
            to_the_end(following)
        reading = Reading(
            files,
            now,
            form.Asked(self.format, self.time, self.time_format, self.regex, self.columns),
            self.zone,
            form.compiled(self.multiline) if self.multiline else None,
            self.longest,
        )
        more = reading.read(following, self.most)
        spans = self.lateness, self.every
        after = promise(cursor, following, reading.batch, now, more, *spans, reading.untimed)
        places = world.places(self.places) if self.places else None
        records = self._records(reading, following, after.get("watermark"), more, places)
        kept = [followed.dump() for followed, _ in following.kept.values()]
        return {"files": kept, **after}, records

    def _records(
        self,
        reading: Reading,
        following: Following,
        watermark: int | None,
        more: bool,
        places: Any,
    ) -> Records:
        batch, n = reading.batch, len(reading.batch.time)
        labels: dict[str, Strings] = {}
        for name in batch.columns:
            labels.setdefault(label(name), batch.column(name))
        if places is not None and self.places_of in labels:
            labels |= located(labels[self.places_of], places)
        if self.path_label:
            labels[self.path_label] = np.array(batch.path, str)
        labels |= {name: np.full(n, said) for name, said in self.labels.items()}
        if self.values:
            kept = {*map(label, self.by), *self.labels, self.path_label}
            labels = {name: column for name, column in labels.items() if name in kept}
            found = samples(batch, self.values, self.metric, labels)
        else:
            found = Records(
                time=np.array(batch.time, np.int64),
                name=np.array(batch.name, str) if not self.name else np.full(n, self.name),
                value=batch.numbers(self.value) if self.value else np.full(n, np.nan),
                labels=labels,
                text=np.array(batch.text, str),
            )
        skipped = following.skipped + reading.skipped + Counter(found.skipped)
        return replace(found, watermark=watermark, skipped=dict(+skipped), more=more)

    def missing(self, cursor: Cursor) -> str:
        """The files, until one was there."""
        there = _was_there(cursor)
        return "" if there else f"{', '.join(self.path)}: there is no such file"

    def found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Files, how they are written, fields, first time."""
        return tuple(_found(cursor, records))

    def wrong(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Fields that are named and are nowhere, and a format that nothing is written in."""
        return tuple(self._wrong(cursor, records))

    def _wrong(self, cursor: Cursor, records: Records) -> Iterator[str]:
        files = [Followed.load(said) for said in cursor.get("files", ())]
        if not len(records) and not (self.values and any(one.offset for one in files)):
            if said := "; ".join(f"{why} ({n})" for why, n in records.skipped.items()):
                yield f"source: nothing that was read is a record of format {self.format}: {said}"
            return
        there = f"; there are {', '.join(records.labels)}" if records.labels else ""
        if self.time and not any(one.form.get("time") for one in files):
            yield f"source.time: no record has a time in a field {self.time!r}{there}"
        if self.places and self.places_of not in records.labels:
            yield f"source.places_of: no record has a field {self.places_of!r}{there}"
        if self.value and label(self.value) not in records.labels:
            yield f"source.value: no record has a field {self.value!r}{there}"
        for name in () if self.metric and len(records) else self.values:
            if label(name) not in records.name:
                yield f"source.values: no record has a number in a field {name!r}"
        for name in self.by:
            if label(name) not in records.labels:
                yield f"source.by: no record has a field {name!r}"


def _was_there(cursor: Cursor) -> bool:
    """Whether any file ever was: it may have gone since."""
    return bool(cursor.get("files")) or "watermark" in cursor


def _found(cursor: Cursor, records: Records) -> Any:
    followed = [Followed.load(said) for said in cursor.get("files", ())]
    if not followed:
        yield "no file is there yet"
    for one in followed[:SHOWN]:
        kind = one.form.get("kind", "nothing read yet")
        field, stamp = one.form.get("time"), one.form.get("stamp")
        when = f"time in {field} ({stamp})" if field else stamp or "no times"
        yield f"{one.path}: {kind}, {when}, {one.offset} bytes read"
    if len(followed) > SHOWN:
        yield f"and {len(followed) - SHOWN} more files"
    if len(records):
        first = np.datetime64(int(records.time.min()), "ns").astype("datetime64[s]")
        yield f"{len(records)} records read, the first of {first} UTC"
        if records.text is None:
            yield f"numbers: {', '.join(np.unique(records.name))}"
        yield f"fields: {', '.join(records.labels) or 'none'}"
