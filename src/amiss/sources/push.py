"""What others push here: Prometheus, Loki's clients, OpenTelemetry, syslog, lines of JSON."""

import re
from collections import Counter
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from amiss.component import Cursor, Source
from amiss.data import MINUTE, SECOND, Records, joined
from amiss.doors.inbox import Entry, Place
from amiss.formats import form, pushed, pushed_lines
from amiss.formats.settings import LineFormat, Pattern, TimeFormat, Zone, fit
from amiss.formats.told import NAMES, Line
from amiss.spans import Span
from amiss.world import World

UNREAD = "pushed messages that this version cannot read"
DAMAGED = "pushed messages that a crash or the disk has cut off"
MANY = f"samples whose labels are beyond {NAMES:,} names at once"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LISTEN = re.compile(r"(udp|tcp)://([\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")


def _name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an inbox; write small letters, digits, - and _")
    return name


class Push(Source):
    """Numbers and lines that are sent to this program, kept on the disk until they are judged.

    `POST /inbox/NAME/...` takes what senders have built in: `api/v1/write` (Prometheus remote
    write 1 and 2), `loki/api/v1/push`, `v1/metrics` and `v1/logs` (OpenTelemetry over HTTP) and
    `lines` (one event a line). Of the inbox `default` these paths are taken without
    `/inbox/default` too. With a `token` they want it as Authorization: Bearer.

    What is acknowledged is on the disk. Where more waits to be judged than `megabytes`, senders
    are answered 429 with Retry-After, and nothing is dropped. Several pipelines may read one inbox.

    Numbers keep name and labels. Lines that are pushed with a time keep it; of others it is read
    from the line, and else that of arrival. Labels of lines and their fields are labels.

    The watermark is the newest time that came, less `lateness`. When nothing came for `patience`
    it goes on with the clock: until then senders may only have been cut off, and bring what they
    held back. Of this program's own absence nothing is concluded.
    """

    type: Literal["push"] = "push"
    every: Span = Field(5 * SECOND, gt=0)
    """Time between two looks into the inbox."""
    inbox: Annotated[str, AfterValidator(_name)] = "default"
    """Its name, which stands in the address that is pushed to."""
    megabytes: int = Field(1024, ge=1, le=1_000_000)
    """What may wait to be judged, on the disk, before senders are asked to wait."""
    syslog: tuple[str, ...] = Field((), examples=[["udp://127.0.0.1:5514", "tcp://127.0.0.1:5514"]])
    """Where to listen for syslog (RFC 3164 and 5424); TCP by length or by line. Nobody has to
    show a token there."""
    format: LineFormat = "auto"
    """How a line is written; `auto` looks at the first ones and stays with it."""
    time: str = ""
    """The field with the time of lines that are pushed without; empty looks for one."""
    time_format: TimeFormat = ""
    """`s`, `ms`, `us`, `ns`, `epoch`, `iso`, `clf`, `syslog`, `ctime` or a pattern of strptime."""
    zone: Zone = "UTC"
    """Time zone of times that say none, such as Europe/Berlin."""
    value: str = ""
    """The field of a line that is the record's number, if any."""
    name: str = ""
    """What records of lines are called; empty is `line` for text and `event` for all else."""
    regex: Pattern = ""
    """For `format: regex`: its named groups are the fields, from the beginning of the line on."""
    lateness: Span = Field(10 * SECOND, ge=0)
    """How much later than a newer one a sample or a line may come."""
    patience: Span = Field(MINUTE, ge=0)
    """How long nothing may come before that counts as silence. What a sender brings later than
    that is late; until then the last single lines wait for others, or for this time to pass."""
    longest: int = Field(8192, ge=64, le=200_000)
    """Most bytes of a line; what is beyond is cut, and said to be."""
    most: int = Field(16_000_000, ge=10_000, le=100_000_000)
    """Bytes of messages, unpacked, of one poll; if there are more, the next follows at once."""

    @field_validator("syslog")
    @classmethod
    def _places(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        for place in places:
            found = LISTEN.fullmatch(place)
            if not found or not 0 < int(found[3]) < 65536:
                raise ValueError(f"{place!r} is no such address; write udp://127.0.0.1:5514")
        return places

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fit(self.format, self.regex, bool(self.time or self.value))
        return self

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """What was pushed since. Raises Unreachable if the disk cannot be read."""
        place = Place(*cursor.get("place", (0, 0)))
        entries, place, more, damaged = world.inbox(self.inbox).read(place, self.most)
        skipped = Counter({DAMAGED: damaged})
        parts, lines = self._read(entries, skipped)
        after: Cursor = {"place": list(place)}
        known = form.load(cursor["form"]) if "form" in cursor else None
        if lines:
            asked = form.Asked(self.format, self.time, self.time_format, self.regex)
            known = pushed_lines.look(lines, asked, known)
            reading = pushed_lines.Reading(known, self.zone, self.regex, self.longest, self.value)
            parts.append(reading.records(lines, self.name, skipped))
        if known:
            after["form"] = known.dump()
        records = joined(parts)
        after |= self._promise(cursor, records, bool(entries) or more, world.now())
        mark, left = after.get("watermark"), dict(+skipped)
        return after, replace(records, watermark=mark, skipped=left, more=more)

    def _promise(self, cursor: Cursor, records: Records, came: bool, now: int) -> Cursor:
        """The watermark, and since when nothing came, as the cursor keeps them."""
        timely = records.time[records.time <= now]
        mark, heard = cursor.get("watermark"), cursor.get("heard", now)
        away = now - cursor.get("looked", 0) > self.every + MINUTE
        if came or away or heard > now:
            heard = now
        marks = [] if mark is None or mark > now else [mark]
        if len(timely):
            marks.append(int(timely.max()) - self.lateness - 1)
        if marks and now - heard > self.patience:
            marks.append(now - self.patience - self.lateness - 1)
        after: Cursor = {"heard": heard, "looked": now}
        return after | {"watermark": max(marks)} if marks else after

    def _read(
        self, entries: list[Entry], skipped: Counter[str]
    ) -> tuple[list[Records], list[Line]]:
        """Numbers, and lines with when they came."""
        numbers: list[Records] = []
        names: set[str] = set()
        lines: list[Line] = []
        for entry in entries:
            try:
                said = pushed.read(entry.kind, entry.body)
            except (ValueError, OverflowError):
                skipped[UNREAD] += 1
                continue
            skipped.update(said.skipped)
            if said.numbers is not None:
                skipped.update(said.numbers.skipped)
                if len(names | said.numbers.labels.keys()) > NAMES:
                    skipped[MANY] += len(said.numbers)
                else:
                    names |= said.numbers.labels.keys()
                    numbers.append(said.numbers)
            lines += said.lines
            lines += [Line(None, text, {}, entry.arrived) for text in said.raw]
        return numbers, lines

    def found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """Where to push to."""
        place = f"/inbox/{self.inbox}/"
        return (
            f"waits for what is pushed to {place}{{{','.join(pushed.PATHS)}}} while amiss runs",
            *(f"listens for syslog on {place}" for place in self.syslog),
        )
