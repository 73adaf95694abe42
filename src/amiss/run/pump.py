"""Rows of a database to a topic of Kafka, each exactly once, at a pace.

Rows and the place after them are one transaction: the place is a message of a topic of its own,
by the name of the pump. Whoever starts the same pump again ends the transaction of the one before,
which can write no more, and goes on from there.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

from amiss.data import SECOND, Times
from amiss.doors.brokers import QUIET, SENT
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.formats.times import latest_of
from amiss.reading import keyset
from amiss.reading.cluster import Cluster
from amiss.reading.tabular import NO_TIME
from amiss.sources.sql import Sql
from amiss.world import World

PATIENCE = 30.0  # seconds for a transaction
PLACES = "amiss.places"  # the topic with the places of all pumps
KEPT = {"cleanup.policy": "compact", "segment.ms": "3600000"}
TURN = 0.02  # seconds between two looks at the clock
LOOK = 0.5  # seconds between two looks at a table that has no more


@dataclass(frozen=True, slots=True)
class Pump:
    """What goes where."""

    source: Sql
    cluster: Cluster
    topic: str
    name: str  # of the pump: what its place is kept by
    key: str = ""  # the column by which messages go to partitions
    rate: float | None = None  # rows a second
    pace: float | None = None  # how many times as fast as the rows' own times
    follow: bool = True  # whether to wait for more


@dataclass(slots=True)
class _Clock:
    """When a row may go."""

    pump: Pump
    world: World
    began: int = 0  # ns, of the clock that only grows
    first: int | None = None  # ns, the time of the first row
    sent: int = 0

    def due(self, times: Times) -> int:
        """How many of these rows (in order of sending) may go now."""
        now = self.world.monotonic()
        if not self.began:
            self.began = now
        since, n = now - self.began, len(times)
        if self.pump.rate is not None:
            allowed = int(since / SECOND * self.pump.rate) + 1
            if not n:  # what is not used while there is nothing is not made up for
                self.sent = max(self.sent, allowed - 1)
            n = min(n, allowed - self.sent)
        if self.pump.pace is not None and n > 0:
            timed = times[times != NO_TIME]
            if self.first is None and len(timed):
                self.first = int(timed.min()) - int(since * self.pump.pace)
            reached = (self.first or 0) + int(since * self.pump.pace)
            late = np.flatnonzero(times > reached)
            n = min(n, int(late[0]) if len(late) else n)
        return max(n, 0)


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of a table from a place on; `new` are those that are still to go."""

    names: list[str]
    rows: Sequence[Any]
    keys: list[keyset.Key]
    times: Times
    new: list[int]
    more: bool

    def after(self, place: keyset.Place, count: int, late: int) -> keyset.Place:
        """The place once the first `count` of the new rows have gone."""
        waiting = set(self.new[count:])
        kept = [i for i in range(len(self.rows)) if i not in waiting]
        part = [self.rows[i] for i in kept], [self.keys[i] for i in kept], self.times[kept]
        return keyset.fresh(place, *part, late)[1]


def run(
    pump: Pump, world: World, stop: threading.Event, told: Callable[[int], None] = lambda n: None
) -> None:
    """Send until stopped, or until all is sent unless it is to follow.

    `told` hears how many rows were committed, transaction by transaction. Raises Unreachable if
    the database or Kafka does not answer, and Rejected if another pump of this name has begun;
    what was not committed then is sent by the next run.
    """
    producer = _Producer(pump, world)
    try:
        _pass_on(pump, world, stop, told, producer)
    finally:
        producer.close()


def _pass_on(
    pump: Pump,
    world: World,
    stop: threading.Event,
    told: Callable[[int], None],
    producer: "_Producer",
) -> None:
    begun, clock, sent = producer.place(), _Clock(pump, world), 0
    place, page = begun, _page(pump, world, begun)
    while not stop.is_set():
        count = clock.due(page.times[page.new[sent:]])
        if count:
            place = page.after(begun, sent + count, pump.source.late)
            going = page.new[sent : sent + count]
            producer.send(page.names, [page.rows[i] for i in going], place)
            sent, clock.sent = sent + count, clock.sent + count
            told(count)
        elif sent < len(page.new):
            world.wait(stop, TURN)
        if sent == len(page.new):
            if not page.new and not page.more:
                if not pump.follow:
                    return
                world.wait(stop, LOOK)
            begun, sent = place, 0
            page = _page(pump, world, begun)


def _page(pump: Pump, world: World, place: keyset.Place) -> _Page:
    source, now = pump.source, world.now()
    database = world.database(source.url.read(world))
    most = source.most + len(place.seen)
    names, rows = database.rows(*source.select(database, place.key, most))
    source.there(names)
    if pump.key and pump.key not in names:
        raise ConfigError(f"there is no column {pump.key!r}; there are {', '.join(names)}")
    order = [names.index(one) for one in source.ordered]
    keys = [tuple(row[i] for i in order) for row in rows]
    when = names.index(source.time)
    times = source.stamps([row[when] for row in rows], latest_of(now, now))
    new, _, _ = keyset.fresh(place, rows, keys, times, source.late)
    return _Page(names, rows, keys, times, new, len(rows) >= most)


class _Producer:
    """Transactions of one pump; there is one of its name at a time."""

    def __init__(self, pump: Pump, world: World) -> None:
        try:
            import confluent_kafka
            from confluent_kafka import admin as administration
            from confluent_kafka import cimpl
        except ImportError:
            raise ConfigError(
                "the library confluent-kafka is not there; pip install 'amiss[kafka]'"
            ) from None
        self._kafka, self._pump = confluent_kafka, pump
        self._joining: dict[str, Any] = {**pump.cluster.joining(world), **QUIET}
        said = {"transactional.id": f"amiss-pump-{pump.name}"}
        self._producer = confluent_kafka.Producer({**self._joining, **SENT, **said})
        with self._failing():
            admin = administration.AdminClient(self._joining)
            there = admin.list_topics(timeout=PATIENCE).topics
            if pump.topic not in there:
                raise Unreachable(f"{pump.cluster.servers}: there is no topic {pump.topic}")
            if PLACES not in there:
                places = cimpl.NewTopic(PLACES, 1, -1, config=KEPT)
                made = admin.create_topics([places])
                if (error := made[PLACES].exception(PATIENCE)) and PLACES not in str(error):
                    raise Unreachable(f"{pump.cluster.servers}: {error}")
            self._producer.init_transactions(PATIENCE)

    def place(self) -> keyset.Place:
        """The last one of this pump that was committed.

        Beyond a transaction of another pump that is still open nothing can be read: it is waited
        for, as a place of ours may stand behind it.
        """
        kafka, found, end = self._kafka, keyset.Place(), self._end()
        said = {"group.id": "amiss-pump", "isolation.level": "read_committed"}
        said |= {"enable.auto.commit": "false", "enable.partition.eof": "true"}
        consumer = kafka.Consumer({**self._joining, **said})
        try:
            with self._failing():
                consumer.assign([kafka.TopicPartition(PLACES, 0, kafka.OFFSET_BEGINNING)])
                while (message := consumer.poll(PATIENCE)) is not None:
                    error = message.error()
                    if error is not None and error.code() == kafka.KafkaError._PARTITION_EOF:
                        if message.offset() >= end:
                            return found
                        continue
                    if error is not None:
                        raise kafka.KafkaException(error)
                    if message.key() == self._pump.name.encode():
                        found = keyset.unpack(message.value())
        finally:
            consumer.close()
        raise Unreachable(f"{self._pump.cluster.servers}: did not say where the pump was")

    def _end(self) -> int:
        """Where the topic of places ends, committed or not."""
        said = {"group.id": "amiss-pump", "isolation.level": "read_uncommitted"}
        consumer = self._kafka.Consumer({**self._joining, **said})
        try:
            with self._failing():
                where = self._kafka.TopicPartition(PLACES, 0)
                return int(consumer.get_watermark_offsets(where, PATIENCE)[1])
        finally:
            consumer.close()

    def send(self, names: list[str], rows: Sequence[Sequence[Any]], after: keyset.Place) -> None:
        """Rows and the place after them, all or nothing."""
        by = names.index(self._pump.key) if self._pump.key else None
        with self._failing():
            self._producer.begin_transaction()
            for row in rows:
                value = orjson.dumps(dict(zip(names, row, strict=True)), default=_plain)
                key = None if by is None or row[by] is None else str(row[by]).encode()
                self._produce(self._pump.topic, value, key)
            self._produce(PLACES, after.pack(), self._pump.name.encode())
            self._producer.commit_transaction(PATIENCE)

    def _produce(self, topic: str, value: bytes, key: bytes | None) -> None:
        """Into the queue; where that is full, once some of it is delivered."""
        for _ in range(int(PATIENCE / TURN)):
            try:
                self._producer.produce(topic, value, key)
                return
            except BufferError:
                self._producer.poll(TURN)
        raise Unreachable(f"{self._pump.cluster.servers}: takes no more")

    def close(self) -> None:
        """Let go of what was not committed."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _failing(self) -> "_Failing":
        return _Failing(self._kafka, self._pump.cluster.servers)


@dataclass(slots=True)
class _Failing:
    """Has errors of the library be ours."""

    kafka: Any
    where: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, TimeoutError):
            raise Unreachable(f"{self.where}: does not answer") from None
        if not isinstance(error, self.kafka.KafkaException):
            return
        said = error.args[0]
        if said.code() in (self.kafka.KafkaError._FENCED, self.kafka.KafkaError.PRODUCER_FENCED):
            raise Rejected(
                "another pump of this name has begun, and goes on in its place"
            ) from None
        if said.code() == self.kafka.KafkaError.MSG_SIZE_TOO_LARGE:
            raise Rejected(f"{self.where}: a row is too large: {said.str()}") from None
        raise Unreachable(f"{self.where}: {said.str()}") from None


def _plain(value: Any) -> Any:
    """What JSON has not."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
