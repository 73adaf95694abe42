"""Connections to Kafka: what is read is fetched in the background, what is sent is acknowledged."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, TypeAlias

from amiss.errors import ConfigError, Rejected, Unreachable

PATIENCE = 5.0  # seconds for an answer
FETCHING = 1.0  # seconds that what is known to be there may take
FIRST = 10.0  # seconds of which, until each partition has said something
TURN = 0.1  # seconds of which, at a time
IDLE = 300.0  # seconds; a group has given its partitions to others by then
AFRESH = 60.0  # seconds between two looks at which partitions there are
FETCHED = {
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "queued.min.messages": 200_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.error.backoff.ms": 200,
}
SENT = {"enable.idempotence": True, "linger.ms": 10, "compression.type": "lz4"}
QUIET = {"reconnect.backoff.max.ms": 2000, "log_level": 0}
"""Errors are told to us, and not to the terminal too."""

Offsets: TypeAlias = dict[str, int]
"""By `topic/partition`: the message to read next."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who reads what: equal ones share a connection."""

    joining: tuple[tuple[str, str], ...] = field(repr=False)  # with the password
    topics: tuple[str, ...]
    group: str = ""  # empty: all partitions
    start: str = "beginning"  # or end, where nothing says otherwise
    owner: str = ""  # what tells apart those that must not share


@dataclass(slots=True)
class Fetched:
    """Messages, those of a partition in order; where to read on, and what is at its end."""

    messages: Sequence[Any]  # as confluent_kafka has them
    offsets: Offsets
    behind: tuple[str, ...]  # partitions in which there is more
    gone: int = 0  # messages that were deleted before they were read


@dataclass(slots=True)
class Reader:
    """A consumer that goes on where it is told; it fetches ahead, bounded in bytes."""

    asked: Subscription
    schemas: dict[int, Any] = field(default_factory=dict)
    """What a registry said, by number: these never change."""
    used: float = field(default_factory=time.monotonic)  # last
    _consumer: Any = None
    _next: Offsets = field(default_factory=dict)
    _told: Offsets = field(default_factory=dict)  # the group
    _wanted: Offsets = field(default_factory=dict)
    _ended: Offsets = field(default_factory=dict)  # where the end was of those read so far
    _heard: set[str] = field(default_factory=set)  # that said something since they are ours
    _gone: int = 0
    _looked: float = -AFRESH
    _down: str = ""
    _lock: Any = field(default_factory=Lock)

    def read(self, offsets: Offsets, most: int) -> Fetched:
        """At most `most` messages after these offsets. Does not wait for any that are to come.

        Raises Unreachable if no broker answers, Rejected if it says no.
        """
        kafka = _library()
        with self._lock:
            self.used = time.monotonic()
            try:
                self._ready(kafka, offsets)
                messages = self._take(kafka, most)
            except kafka.KafkaException as exc:
                self._leave()
                raise self._failure(kafka, exc.args[0]) from None
            except BaseException:
                self._leave()  # what it has handed out is to be read again
                raise
            gone, self._gone = self._gone, 0
            behind = tuple(sorted(set(self._next) - set(self._ended)))
            return Fetched(messages, offsets | self._next, behind, gone)

    def close(self) -> None:
        """Leave; the next read begins anew."""
        with self._lock:
            self._leave()

    def _leave(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
        self._consumer, self._next, self._ended, self._told = None, {}, {}, {}
        self._heard, self._looked = set(), -AFRESH

    def _ready(self, kafka: Any, offsets: Offsets) -> None:
        first = self._consumer is None
        if self._consumer is None:
            name = self.asked.group or "amiss"
            said = {**dict(self.asked.joining), **FETCHED, **QUIET, "group.id": name}
            self._consumer = kafka.Consumer({**said, "error_cb": self._hear})
        self._wanted = offsets
        if self.asked.group:
            if first:
                self._partitions()  # says what is wrong, where joining would wait for ever
                self._consumer.subscribe(
                    list(self.asked.topics), on_assign=self._given, on_revoke=self._taken
                )
            for name in self._next:
                if offsets.get(name, self._next[name]) != self._next[name]:
                    self._next[name] = offsets[name]
                    self._ended.pop(name, None)
                    self._heard.discard(name)
                    self._consumer.seek(_place(kafka, name, offsets[name]))
            self._tell(kafka, offsets)
            return
        if time.monotonic() - self._looked >= AFRESH or not self._next:
            there = self._partitions()
            self._looked = time.monotonic()
        else:
            there = list(self._next)
        if set(there) != set(self._next) or any(
            self._next[name] != offsets.get(name) for name in there
        ):
            self._assign(there, offsets)

    def _partitions(self) -> list[str]:
        there = []
        for topic in self.asked.topics:
            found = self._consumer.list_topics(topic, timeout=PATIENCE).topics[topic]
            if found.error is not None or not found.partitions:
                said = found.error.str() if found.error else "it has no partitions"
                raise Unreachable(f"topic {topic}: {said}")
            there += [f"{topic}/{number}" for number in sorted(found.partitions)]
        return there

    def _assign(self, there: Sequence[str], offsets: Offsets) -> None:
        kafka = _library()
        placed = {name: self._at(name, offsets.get(name)) for name in there}
        self._consumer.assign([_place(kafka, name, at) for name, at in placed.items()])
        self._next, self._ended, self._heard = placed, {}, set()

    def _at(self, name: str, wanted: int | None) -> int:
        """Where to begin: as asked, or at what is left of it."""
        low, high = self._consumer.get_watermark_offsets(_place(_library(), name), PATIENCE)
        if wanted is None:
            return int(high if self.asked.start == "end" else low)
        if low <= wanted <= high:
            return wanted
        self._gone += max(low - wanted, 0)  # a topic that was made anew has less than was read
        return int(low)

    def _given(self, consumer: Any, partitions: Sequence[Any]) -> None:
        """Of a group: from where it was left, by us or by another."""
        committed = consumer.committed(partitions, timeout=PATIENCE)
        for one in committed:
            name = f"{one.topic}/{one.partition}"
            known = max(one.offset, self._wanted.get(name, -1))
            one.offset = self._next[name] = self._at(name, known if known >= 0 else None)
        consumer.assign(committed)
        self._ended, self._heard = {}, set()

    def _taken(self, consumer: Any, partitions: Sequence[Any]) -> None:
        for one in partitions:
            name = f"{one.topic}/{one.partition}"
            self._next.pop(name, None)
            self._ended.pop(name, None)

    def _tell(self, kafka: Any, offsets: Offsets) -> None:
        """Tell the group how far was read, once it is ours for good."""
        new = {n: at for n, at in offsets.items() if n in self._next and self._told.get(n) != at}
        if new:
            places = [_place(kafka, name, at) for name, at in new.items()]
            self._consumer.commit(offsets=places, asynchronous=True)
            self._told |= new

    def _take(self, kafka: Any, most: int) -> list[Any]:
        wait = FETCHING if set(self._next) <= self._heard | set(self._ended) else FIRST
        until, found, heard = time.monotonic() + wait, list[Any](), 0
        while True:
            behind = set(self._next) - set(self._ended)
            found += self._consumed(kafka, most, TURN if behind or not self._next else 0.0)
            self._heard |= {f"{one.topic()}/{one.partition()}" for one in found[heard:]}
            heard, behind = len(found), set(self._next) - set(self._ended)
            silent = behind - self._heard  # of these nothing is known, not even how old they are
            if not behind or (found and not silent) or time.monotonic() > until:
                break
        if found and silent:
            raise Unreachable(f"partition {min(silent)} does not say what it has")
        if found:
            self._down = ""
            last = {(one.topic(), one.partition()): one.offset() for one in found}
            for (topic, partition), offset in last.items():
                name = f"{topic}/{partition}"
                self._next[name] = offset + 1
                if self._ended.get(name, offset) <= offset:
                    self._ended.pop(name, None)
        elif self._down:
            self._consumer.list_topics(timeout=PATIENCE)  # raises while nobody answers
            self._down = ""
        return found

    def _consumed(self, kafka: Any, most: int, wait: float) -> list[Any]:
        """What is there, without the ends of partitions, which are noted."""
        found = list[Any]()
        for one in self._consumer.consume(most, wait):
            if one.error() is None:
                found.append(one)
            elif one.error().code() != kafka.KafkaError._PARTITION_EOF:
                raise self._failure(kafka, one.error())
            else:
                self._ended[f"{one.topic()}/{one.partition()}"] = one.offset()
        return found

    def _hear(self, error: Any) -> None:
        self._down = error.str()

    def _failure(self, kafka: Any, error: Any) -> Unreachable | Rejected:
        said = f"{dict(self.asked.joining)['bootstrap.servers']}: {self._down or error.str()}"
        no = (kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED, kafka.KafkaError._AUTHENTICATION)
        return (Rejected if error.code() in no else Unreachable)(said[:300])


_readers: dict[Subscription, Reader] = {}
_opening = Lock()


def reader(asked: Subscription) -> Reader:
    """The one that reads this. When it is a new one, those that nobody reads any more leave."""
    with _opening:
        if asked not in _readers:
            for old in _readers.values():
                if time.monotonic() - old.used > IDLE:
                    old.close()
            _readers[asked] = Reader(asked)
        return _readers[asked]


@cache
def _producer(joining: tuple[tuple[str, str], ...]) -> Any:
    return _library().Producer({**dict(joining), **SENT, **QUIET})


def publish(
    joining: Mapping[str, str], topic: str, messages: Sequence[tuple[bytes, bytes]], timeout: float
) -> None:
    """Deliver keys and values in order. Raises Unreachable, or Rejected for what is too large."""
    kafka = _library()
    wrong = list[Any]()

    def told(error: Any, message: Any) -> None:
        if error is not None:
            wrong.append(error)

    try:
        producer = _producer(tuple(sorted(joining.items())))
        for key, value in messages:
            producer.produce(topic, value, key, on_delivery=told)
        left = producer.flush(timeout)
        if left:
            producer.purge()
            producer.flush(1.0)
    except kafka.KafkaException as exc:
        wrong[:] = exc.args[:1]  # of what is too large it is said at once
        left = 0
    except BufferError as exc:
        raise Unreachable(f"{joining['bootstrap.servers']}: {exc}") from None
    if left:
        where = joining["bootstrap.servers"]
        raise Unreachable(f"{where}: did not take it within {timeout:g} s")
    if wrong:
        large = wrong[0].code() == kafka.KafkaError.MSG_SIZE_TOO_LARGE
        said = f"{joining['bootstrap.servers']}: {wrong[0].str()}"
        raise (Rejected if large else Unreachable)(said)


def _place(kafka: Any, name: str, offset: int | None = None) -> Any:
    topic, _, number = name.rpartition("/")
    return kafka.TopicPartition(topic, int(number), *([] if offset is None else [offset]))


def _library() -> Any:
    try:
        import confluent_kafka
    except ImportError:
        raise ConfigError(
            "the library confluent-kafka is not there; pip install 'amiss[kafka]'"
        ) from None
    return confluent_kafka
