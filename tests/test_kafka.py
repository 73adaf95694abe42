"""The source `kafka` on made-up topics: formats, poison, partitions, settings; and the sink."""

import re
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import fastavro
import httpx
import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from amiss.component import Cursor
from amiss.data import SECOND, Records
from amiss.doors.brokers import Reader, Subscription, publish
from amiss.doors.brokers import reader as open_reader
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.sinks.kafka import Kafka as Sink
from amiss.sources.kafka import Kafka
from amiss.world import World
from made_topic import MadeTopic
from servers.incidents import incident

START = 1_700_000_000
SCHEMA = {
    "type": "record",
    "name": "Hit",
    "fields": [{"name": "ts", "type": "long"}, {"name": "ms", "type": "double"}],
}


def made(**settings: Any) -> Kafka:
    given: dict[str, Any] = {"servers": "kafka:9092", "topics": ("web",)}
    return Kafka(**(given | settings))


def at(topic: MadeTopic, seconds: int = 100, **parts: Any) -> World:
    now = (START + seconds) * SECOND
    return World(now=lambda: now, subscribe=lambda asked: topic, **parts)  # type: ignore


def said(records: Records) -> list[tuple[int, str, float]]:
    rows = zip(records.time.tolist(), records.name.tolist(), records.value.tolist(), strict=True)
    return [(time // SECOND - START, name, value) for time, name, value in rows]


def hit(second: float, ms: float, **more: Any) -> bytes:
    return orjson.dumps({"ts": START + second, "ms": ms, **more})


def test_poison_is_counted_and_the_rest_is_read() -> None:
    topic = MadeTopic("web")
    for value in (hit(1, 5.0), b"{torn", None, b"[1]", b'{"ts":1},{"ts":2}', hit(2, 6.0),
                  orjson.dumps({"ms": 7.0}), hit(3, 0, ms_="x")):  # fmt: skip
        topic.put(value)
    cursor, records = made(time="ts", values=("ms",)).poll({}, at(topic))
    assert said(records) == [(1, "ms", 5.0), (2, "ms", 6.0), (3, "ms", 0.0)]
    assert records.skipped == {
        "messages without a value": 1,
        "messages that are no JSON object": 3,
        "rows without a time that can be read": 1,
    }
    assert cursor["offsets"] == {"web/0": 8}  # they are behind us


def test_values_of_any_shape_stop_nothing() -> None:
    """Lists of one length, objects in objects in objects, lists in lists in lists."""
    topic = MadeTopic("web")
    topic.put(hit(1, 5.0, many=[1, 2], host=orjson.Fragment(b"[" * 900 + b"]" * 900)))
    topic.put(hit(2, 6.0, many=[3, 4], deep=orjson.Fragment(b'{"a":' * 900 + b"1" + b"}" * 900)))
    _, records = made(time="ts", values=("many",), by=("host",)).poll({}, at(topic))
    assert not len(records) and records.skipped == {"values that are no numbers": 2}
    _, records = made(time="ts", by=("host",)).poll({}, at(topic))
    assert said(records) == [(1, "ms", 5.0), (2, "ms", 6.0)]


def test_empty_values_and_broken_times_of_brokers_are_counted() -> None:
    topic = MadeTopic("web")
    topic.put(b"")
    for ms in (START * 1000, -1, START * 10**6, START * 10**9):  # the last in ns, by mistake
        topic.put(orjson.dumps({"ms": 1}), ms=ms)
    cursor, records = made().poll({}, at(topic))
    assert said(records) == [(0, "ms", 1.0)] and cursor["partitions"] == {"web/0": START * SECOND}
    assert records.skipped == {
        "messages without a value": 1, "rows without a time that can be read": 3,
    }  # fmt: skip


class Consumer:
    """Has nothing to say yet, and remembers where it was sent."""

    def __init__(self) -> None:
        self.sought = list[int]()

    def seek(self, place: Any) -> None:
        self.sought.append(place.offset)

    def commit(self, **parts: Any) -> None:
        pass

    def consume(self, most: int, wait: float) -> list[Any]:
        return []

    def close(self) -> None:
        self.sought.append(-1)


def test_a_partition_that_is_read_again_is_not_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a group: else the promise goes on with the clock, and what is read again is late."""
    monkeypatch.setattr("amiss.doors.brokers.FETCHING", 0.0)
    monkeypatch.setattr("amiss.doors.brokers.FIRST", 0.0)
    asked = Subscription((("bootstrap.servers", "x"), ("sasl.password", "hunter2")), ("web",), "g")
    assert "hunter2" not in repr(asked)
    consumer, ten = Consumer(), {"web/0": 10}
    reader = Reader(asked, _consumer=consumer, _next=dict(ten), _ended=dict(ten))
    assert reader.read(ten, 5).behind == () and not consumer.sought
    got = reader.read({"web/0": 4}, 5)
    assert got.behind == ("web/0",) and got.offsets == {"web/0": 4} and consumer.sought == [4]


def test_what_nobody_reads_any_more_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a reload with other settings: 64 MB each, and partitions of the group."""
    monkeypatch.setattr("amiss.doors.brokers._readers", {})
    asked = [Subscription((), ("web",), "g", owner=str(n)) for n in range(3)]
    consumers = [Consumer(), Consumer()]
    for one, consumer in zip(asked, consumers, strict=False):
        open_reader(one)._consumer = consumer
    open_reader(asked[0]).used -= 1000
    assert open_reader(asked[2]) is open_reader(asked[2])
    assert [consumer.sought for consumer in consumers] == [[-1], []]


def test_what_is_too_large_for_a_message_is_not_tried_for_ever() -> None:
    with pytest.raises(Rejected, match="too large"):
        publish({"bootstrap.servers": "127.0.0.1:1"}, "x", [(b"", b"x" * 2_000_000)], 1.0)


def test_without_a_time_a_message_has_that_of_the_broker() -> None:
    topic = MadeTopic("web")
    topic.put(orjson.dumps({"a": {"b": 1, "c": {"d": 2.5}}, "e": "x"}), ms=(START + 7) * 1000)
    _, records = made(labels={"host": "w"}).poll({}, at(topic))
    assert said(records) == [(7, "a.b", 1.0), (7, "a.c.d", 2.5)]
    assert records.labels["host"].tolist() == ["w", "w"]
    _, records = made(values=("a.c.d",), by=("e",)).poll({}, at(topic))
    assert said(records) == [(7, "a.c.d", 2.5)] and records.labels["e"].tolist() == ["x"]


def test_events_have_the_message_as_text() -> None:
    topic = MadeTopic("web")
    topic.put(hit(1, 5.0, user="ann"))
    _, records = made(time="ts", events=True, values=("ms",)).poll({}, at(topic))
    assert records.text is not None and records.text.tolist() == [hit(1, 5.0, user="ann").decode()]
    assert records.value.tolist() == [5.0] and records.labels["user"].tolist() == ["ann"]


def test_lines_are_parsed_and_keep_their_times() -> None:
    topic = MadeTopic("web")
    for n, line in enumerate((b"level=warn took=3", b"nothing", b"level=info took=4 \xff=1")):
        topic.put(line, ms=(START + n) * 1000)
    _, records = made(format="logfmt", values=("took",)).poll({}, at(topic))
    assert said(records) == [(0, "took", 3.0), (2, "took", 4.0)]
    assert records.skipped == {"lines of another format": 1}
    _, records = made(format="text", events=True).poll({}, at(topic))
    assert records.text is not None and records.text[1] == "nothing"


def avro(row: dict[str, Any], number: int | None = None) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, row)
    head = b"" if number is None else b"\0" + number.to_bytes(4)
    return head + out.getvalue()


def test_avro_by_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hit.avsc"
    file.write_bytes(orjson.dumps(SCHEMA))
    topic = MadeTopic("web")
    topic.put(avro({"ts": START + 1, "ms": 2.5}))
    topic.put(b"\x01")
    source = made(format="avro", schema_file=file, time="ts", values=("ms",))
    _, records = source.poll({}, at(topic))
    assert said(records) == [(1, "ms", 2.5)]
    assert records.skipped == {"messages that are no Avro record": 1}
    file.write_text('{"type": "nothing"}')
    with pytest.raises(ConfigError, match="schema_file: "):
        source.poll({}, at(topic))


def test_avro_by_a_registry() -> None:
    asked = list[str]()

    def registry(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.url.path} {request.headers.get('authorization', '')}")
        if request.url.path != "/schemas/ids/7":
            return httpx.Response(404, json={"error_code": 40403})
        return httpx.Response(200, json={"schema": orjson.dumps(SCHEMA).decode()})

    topic = MadeTopic("web")
    topic.put(avro({"ts": START + 1, "ms": 2.5}, 7))
    topic.put(avro({"ts": START + 2, "ms": 3.5}, 7))
    topic.put(avro({"ts": START + 3, "ms": 4.5}, 8))
    source = made(
        format="avro", registry="http://registry:8081/", time="ts", values=("ms",),
        access={"token": "env:TOKEN"},
    )  # fmt: skip
    with httpx.Client(transport=httpx.MockTransport(registry)) as client:
        world = at(topic, http=lambda: client, secret=lambda reference: "T0KEN")
        _, records = source.poll({}, world)
    assert said(records) == [(1, "ms", 2.5), (2, "ms", 3.5)]
    assert asked == ["/schemas/ids/7 Bearer T0KEN", "/schemas/ids/8 Bearer T0KEN"]
    assert records.skipped == {"messages that are no Avro record": 1}


def test_a_partition_that_has_more_holds_the_promise_back() -> None:
    topic = MadeTopic("web", 3)  # the third never has anything
    for n in range(6):
        topic.put(hit(n, n), 0)
    for n in range(40):
        topic.put(hit(50 + n, n), 1)
    source, world = made(time="ts", late="2s", most=4), at(topic)
    cursor, records = source.poll({}, world)
    assert records.more and records.watermark == -2 * SECOND - 1  # of the second nothing is known
    cursor, records = source.poll(cursor, world)
    assert records.more and records.watermark == (START + 51 - 2) * SECOND - 1
    while records.more:
        cursor, records = source.poll(cursor, world)
    assert records.watermark == (START + 100 - 2) * SECOND - 1  # all is read, and of late
    assert source.poll(cursor, world)[0] == cursor


def test_a_partition_that_begins_with_poison_holds_nothing_back() -> None:
    topic = MadeTopic("web", 2)
    for n in range(2):
        topic.put(hit(n, n), 0)
    for _ in range(5):
        topic.put(b"{torn", 1)
    _, records = made(time="ts", late="2s", most=4).poll({}, at(topic))
    assert records.more and records.watermark == (START + 1 - 2) * SECOND - 1


def test_what_was_deleted_unread_is_counted() -> None:
    topic = MadeTopic("web")
    for n in range(6):
        topic.put(hit(n, n))
    source = made(time="ts", most=2)
    cursor, _ = source.poll({}, at(topic))
    topic.gone[0] = 5
    cursor, records = source.poll(cursor, at(topic))
    assert said(records) == [(5, "ms", 5.0)]
    assert records.skipped == {"messages that were deleted before they were read": 3}


def test_each_resumes_from_its_own_cursor() -> None:
    topic = MadeTopic("web", 2)
    for n in range(20):
        topic.put(hit(n, n), n % 2)
    source, world = made(time="ts", most=3), at(topic)
    cursors, found, more = [Cursor()], list[list[float]](), True
    while more:
        cursor, records = source.poll(cursors[-1], world)
        cursors.append(orjson.loads(orjson.dumps(cursor)))
        found.append(records.value.tolist())
        more = records.more
    assert sorted(chain.from_iterable(found)) == list(range(20))
    for cursor, values in zip(cursors, found, strict=False):
        np.testing.assert_array_equal(source.poll(cursor, world)[1].value, values)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"topics": ()}, "at least 1"),
        ({"user": "joe"}, "user and password belong together"),
        ({"authority": "ca.pem"}, "certificates are of TLS"),
        ({"tls": True, "key": "key.pem"}, "key belongs to a certificate"),
        ({"format": "avro"}, "avro needs a schema_file or a registry"),
        ({"format": "text"}, "write `events: true`"),
        ({"user": "joe", "password": "hunter2"}, "never in the file itself"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(wrong)):
        made(**settings)


def test_what_the_library_is_told(tmp_path: Path) -> None:
    world = World(secret=lambda reference: "hunter2")
    source = made(user="joe", password="env:P", tls=True, authority=tmp_path / "ca.pem")
    assert source.joining(world) == {
        "bootstrap.servers": "kafka:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "joe",
        "sasl.password": "hunter2",
        "ssl.ca.location": str(tmp_path / "ca.pem"),
    }
    assert made().joining(world)["security.protocol"] == "PLAINTEXT"


def test_nobody_there_is_unreachable_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.doors.brokers.PATIENCE", 0.2)
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1:1: "):
        made(servers="127.0.0.1:1").poll({}, World())
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1:1: did not take it within 0\.2 s"):
        Sink(servers="127.0.0.1:1", topic="x", timeout="200ms").send((incident(),), World())


def test_partitions_are_kept_together() -> None:
    """What is an hour ahead of a partition that has more would not be waited for."""
    topic = MadeTopic("web", 2)
    for n in range(2000):
        topic.put(hit(60 * n, n), 0)
    for n in range(2000):
        topic.put(hit(60 * n, n), 1)
    source, world = made(time="ts", late="0s", most=2100), at(topic, 10**6)
    cursor, found, more = Cursor(), list[float](), True
    while more:
        cursor, records = source.poll(cursor, world)
        assert records.watermark is not None
        if records.more and records.watermark > 0:
            assert not len(records) or records.time.max() < records.watermark + 3600 * SECOND
        found += records.value.tolist()
        more = records.more
    assert sorted(found) == sorted([*range(2000), *range(2000)])
