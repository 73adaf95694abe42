"""Topics of Apache Kafka."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import orjson
from pydantic import Field, model_validator

from amiss.component import Cursor, Source
from amiss.data import MINUTE, SECOND, Records
from amiss.doors.brokers import Fetched, Subscription
from amiss.errors import ConfigError, Rejected
from amiss.formats import payloads
from amiss.formats.times import latest_of
from amiss.masked import HttpAddress, hush, reach
from amiss.reading.access import Access
from amiss.reading.cluster import Cluster
from amiss.reading.promised import promised
from amiss.reading.tabular import NO_TIME, Tabular
from amiss.spans import Span
from amiss.world import World

if TYPE_CHECKING:
    from amiss.doors.brokers import Reader

APART = 50 * MINUTE
"""How far partitions may be apart: what is an hour ahead of the watermark is not waited for."""
LINES = ("text", "logfmt", "combined", "syslog")
EMPTY = "messages without a value"
GONE = "messages that were deleted before they were read"
POISON = {"json": "messages that are no JSON object", "avro": "messages that are no Avro record"}


class Kafka(Cluster, Tabular, Source):
    """Messages of topics: each is a row with columns, or an event.

    Where each partition is read on is kept with what came of it, in one commit, and not by the
    broker: after a crash of either nothing is lost and nothing comes twice. With `group` several
    programs share the partitions; the group is told how far each was read at the poll after, so
    that what moves to another program goes on there, and may have been read in part by one that
    crashed just before. Messages of a partition stay in order. Those of open or aborted
    transactions are not read; those that are no JSON, Avro or line are counted and left out.

    Without a column `time` a message has the time that the broker says. The watermark is the newest
    time that was read, less `late`, and not beyond a partition that has more. Once all is read it
    goes on with the clock, if messages keep up with it, so that partitions without messages hold
    nothing up. Messages too far ahead of a partition that has more are read when it has come so
    far.

    Messages are fetched in the background, 64 MB at most; a poll takes what is there. Cost: some
    3 us for a message of JSON with four columns.
    """

    type: Literal["kafka"] = "kafka"
    every: Span = Field(SECOND, gt=0)
    """Time between two polls."""
    topics: tuple[str, ...] = Field(min_length=1, examples=[("web-requests",)])
    """What is read, all partitions of each."""
    group: str = ""
    """The consumer group of programs that share the partitions; empty reads all."""
    start: Literal["beginning", "end"] = "beginning"
    """Where to begin in partitions that were not read before."""
    format: Literal["json", "avro", "text", "logfmt", "combined", "syslog"] = "json"
    """What a message is."""
    schema_file: Path | None = None
    """Of `avro` without a registry: the file with the schema, as JSON."""
    registry: HttpAddress | None = None
    """Of `avro` and `json`: the schema registry, whose numbers stand before each message."""
    access: Access = Access()
    """What the registry asks of those that ask it."""
    late: Span = Field(5 * SECOND, ge=0)
    """How much later than a newer one a message may come."""
    most: int = Field(50_000, ge=1, le=1_000_000)
    """Messages of one poll; if there are more, the next poll follows at once."""

    @model_validator(mode="after")
    def _decoded(self) -> Self:
        if self.format == "avro" and (self.schema_file is None) == (self.registry is None):
            raise ValueError("avro needs a schema_file or a registry")
        if self.format == "text" and not self.events:
            raise ValueError("text has no fields: write `events: true`")
        return self

    def again(self) -> "Kafka":
        """From the beginning of what is kept, and without the group."""
        return self.model_copy(update={"start": "beginning", "group": ""})

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """The next messages. Raises Unreachable if no broker answers, Rejected if it says no."""
        now = world.now()
        reader = world.subscribe(
            Subscription(
                tuple(sorted(self.joining(world).items())),
                self.topics,
                self.group,
                self.start,
                self.fingerprint,
            )
        )
        got = reader.read(cursor.get("offsets", {}), self.most)
        records, skipped, newest = self._read(got, reader, world, now)
        if cut := self._together(got, cursor, newest, reader, world, now):
            got = cut
            records, skipped, newest = self._read(got, reader, world, now)
        if got.gone:
            skipped[GONE] = got.gone
        known = {**cursor.get("partitions", {}), **newest}
        # one whose messages had no time says nothing of what comes next, and holds nothing back
        heard = {f"{one.topic()}/{one.partition()}" for one in got.messages}
        waiting = [known.get(name, 0) for name in got.behind if name in known or name not in heard]
        latest = max(newest.values(), default=None)
        more = bool(got.behind)
        reached = promised(cursor, latest, now, more, self.late, self.every, waiting)
        after = {"offsets": got.offsets, "partitions": known, **reached}
        return after, replace(
            records, watermark=reached.get("watermark"), skipped=dict(skipped), more=more
        )

    def _together(
        self,
        got: Fetched,
        cursor: Cursor,
        newest: dict[str, int],
        reader: "Reader",
        world: World,
        now: int,
    ) -> Fetched | None:
        """Without messages that are too far ahead of a partition that has more: they are read
        again when it has come so far. None if there are none.
        """
        known = {**cursor.get("partitions", {}), **newest}
        last = min((known[name] for name in got.behind if name in known), default=None)
        if last is None or max(newest.values(), default=0) <= last + APART:
            return None
        kept, offsets = list[Any](), dict(got.offsets)
        stopped = set[str]()
        for name in sorted(newest):
            mine = [one for one in got.messages if f"{one.topic()}/{one.partition()}" == name]
            if newest[name] > last + APART:
                low, high = 0, len(mine)  # the first that is too far ahead, by halves
                while high - low > 1:
                    middle = (low + high) // 2
                    part = Fetched(mine[low:middle], {}, ())
                    far = self._read(part, reader, world, now)[2].get(name, 0) > last + APART
                    low, high = (low, middle) if far else (middle, high)
                stopped.add(name)
                offsets[name] = mine[low].offset()
                mine = mine[:low]
            kept += mine
        behind = tuple(sorted({*got.behind, *stopped}))
        return Fetched(kept, offsets, behind, got.gone) if stopped else None

    def _read(
        self, got: Fetched, reader: "Reader", world: World, now: int
    ) -> tuple[Records, Counter[str], dict[str, int]]:
        """Records, what was left out, and the newest time of each partition."""
        messages: Sequence[Any] = got.messages
        values = [one.value() for one in messages]
        left: Counter[str] = Counter()
        if not all(values):
            messages = [one for one, value in zip(messages, values, strict=True) if value]
            left[EMPTY] = len(values) - len(messages)
            values = [one.value() for one in messages]
        columns, said, which = self._columns(values, reader, world)
        if len(which) < len(values):
            left[POISON.get(self.format, "lines of another format")] = len(values) - len(which)
            messages = [messages[i] for i in which]
        if self.time:
            times = self.stamps(columns.get(self.time, [None] * len(messages)), latest_of(now, now))
        else:
            times = self.model_copy(update={"time_format": "ms"}).stamps(
                [one.timestamp()[1] for one in messages], latest_of(now, now)
            )
        records, skipped = self.rows(columns, times, (), said)
        newest = dict[str, int]()
        if messages:
            parts = np.array([one.partition() for one in messages])
            topics = [one.topic() for one in messages] if len(self.topics) > 1 else []
            for topic in self.topics:
                mine = np.array(topics) == topic if topics else np.ones(len(parts), np.bool_)
                for part in np.unique(parts[mine]).tolist():
                    last = int(times[mine & (parts == part)].max())
                    if last != NO_TIME:
                        newest[f"{topic}/{part}"] = min(last, now)
        return records, skipped + left, newest

    def _columns(
        self, values: list[bytes], reader: "Reader", world: World
    ) -> tuple[payloads.Columns, list[str], list[int]]:
        if self.format in LINES:
            return payloads.lines(values, self.format)
        if self.format == "avro":
            schema = None if self.schema_file is None else _schema(self.schema_file)
            registered = None
            if self.registry is not None:
                registered = lambda number: self._registered(number, reader, world)  # noqa: E731
            rows, which = payloads.avro(values, schema, registered)
        else:
            plain = values
            if self.registry is not None:
                plain = [value[5:] if value[:1] == b"\0" else value for value in values]
            rows, which = payloads.objects(plain)
        named = (*self.named, self.time) if self.named and self.time else self.named
        columns = payloads.columns(rows, tuple(dict.fromkeys(named)))
        said = list[str]()
        if self.events:
            said = [
                values[i].decode("utf-8", "backslashreplace")
                if self.format == "json"
                else orjson.dumps(row, default=str).decode()
                for i, row in zip(which, rows, strict=True)
            ]
        return columns, said, which

    def _registered(self, number: int, reader: "Reader", world: World) -> Any:
        """The schema with this number. Raises KeyError if the registry has none."""
        if number not in reader.schemas and self.registry is not None:
            hush()
            url = f"{reach(self.registry, world).rstrip('/')}/schemas/ids/{number}"
            try:
                said = world.ask("GET", url, **self.access.asking(world))
                reader.schemas[number] = _parsed(orjson.loads(orjson.loads(said.content)["schema"]))
            except (Rejected, orjson.JSONDecodeError, TypeError):
                raise KeyError(number) from None
        return reader.schemas[number]


def _schema(path: Path) -> Any:
    try:
        return _parsed(orjson.loads(path.expanduser().read_bytes()))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"schema_file: {path}: {getattr(exc, 'strerror', None) or exc}") from None


def _parsed(schema: Any) -> Any:
    try:
        from fastavro import parse_schema
        from fastavro.schema import SchemaParseException
    except ImportError:
        raise ConfigError("the library fastavro is not there; pip install 'amiss[kafka]'") from None
    try:
        return parse_schema(schema)
    except SchemaParseException as exc:
        raise ValueError(str(exc)) from None
