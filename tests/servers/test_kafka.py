"""Source and sink `kafka` on a real broker."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from amiss.component import Cursor
from amiss.data import SECOND
from amiss.doors.brokers import Reader, Subscription
from amiss.errors import Unreachable
from amiss.sinks.kafka import Kafka as Sink
from amiss.sources.kafka import Kafka
from amiss.world import World
from servers import kafka
from servers.incidents import incident
from servers.running import PATIENCE, Running

pytestmark = pytest.mark.server

START = 1_700_000_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with kafka.server(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def readers() -> Iterator[Callable[[Subscription], Reader]]:
    """Connections of one test, closed after it."""
    made = dict[Subscription, Reader]()
    yield lambda asked: made.setdefault(asked, Reader(asked))
    for one in made.values():
        one.close()


def topic(broker: Running, name: str, partitions: int = 4) -> str:
    admin = AdminClient({"bootstrap.servers": kafka.address(broker)})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(PATIENCE)
    return name


def put(broker: Running, name: str, numbers: range, **said: Any) -> Producer:
    producer = Producer({"bootstrap.servers": kafka.address(broker), "linger.ms": 5, **said})
    if said:
        producer.init_transactions(PATIENCE)
        producer.begin_transaction()
    for n in numbers:
        value = orjson.dumps({"ts": START + n, "n": n})
        producer.produce(name, value, key=str(n % 8))
    if not said:
        assert not producer.flush(PATIENCE)
    return producer


def world(readers: Callable[[Subscription], Reader]) -> World:
    return World(now=lambda: (START + 10_000) * SECOND, subscribe=readers)


def read(source: Kafka, there: World, cursor: Cursor) -> tuple[Cursor, list[int]]:
    """Until all is read; a cursor goes through JSON each time, as it does in the store, and what
    a broker that is busy does not say in time is asked for again.
    """
    found, more, last = list[int](), True, time.monotonic() + PATIENCE
    while more:
        try:
            cursor, records = source.poll(orjson.loads(orjson.dumps(cursor)), there)
        except Unreachable:
            assert time.monotonic() < last
            continue
        found += map(int, records.value)
        more = records.more
    return cursor, found


def awaited(source: Kafka, there: World, cursor: Cursor, n: int) -> tuple[Cursor, list[int]]:
    """Until n have come: what was just committed is not fetched yet."""
    found, last = list[int](), time.monotonic() + PATIENCE
    while len(found) < n and time.monotonic() < last:
        cursor, some = read(source, there, cursor)
        found += some
    return cursor, found


def test_every_message_once_though_the_broker_is_killed(broker: Running, readers: Any) -> None:
    name, there = topic(broker, "web"), world(readers)
    source = Kafka(
        servers=kafka.address(broker), topics=(name,), time="ts", values=("n",), most=300
    )
    put(broker, name, range(1000))
    cursor, found = read(source, there, {})
    assert sorted(found) == list(range(1000))
    assert read(source, there, cursor) == (cursor, [])
    _early, records = source.poll({}, there)  # another place, and back
    assert len(records) and read(source, there, cursor) == (cursor, [])
    broker.kill()
    last = time.monotonic() + PATIENCE
    with pytest.raises(Unreachable, match="127"):
        while time.monotonic() < last:  # it hears by and by that the connection is gone
            source.poll(cursor, there)
    broker.start()
    put(broker, name, range(1000, 1500))
    cursor, found = read(source, there, cursor)
    assert sorted(found) == list(range(1000, 1500))


def test_of_transactions_only_what_is_committed(broker: Running, readers: Any) -> None:
    name, there = topic(broker, "ledger", 1), world(readers)
    source = Kafka(servers=kafka.address(broker), topics=(name,), time="ts", values=("n",))
    first = put(broker, name, range(10), **{"transactional.id": "one"})
    first.flush(PATIENCE)
    cursor, found = read(source, there, {})
    assert found == []
    first.commit_transaction(PATIENCE)
    cursor, found = awaited(source, there, cursor, 10)
    assert found == list(range(10))
    second = put(broker, name, range(10, 20), **{"transactional.id": "one"})
    second.flush(PATIENCE)
    second.abort_transaction(PATIENCE)
    put(broker, name, range(20, 30))
    cursor, found = awaited(source, there, cursor, 10)
    assert found == list(range(20, 30))


def test_a_topic_that_is_not_there_is_waited_for(broker: Running, readers: Any) -> None:
    there = world(readers)
    source = Kafka(servers=kafka.address(broker), topics=("later",), time="ts", values=("n",))
    with pytest.raises(Unreachable, match=r"topic later: .*(?i:unknown)"):
        source.poll({}, there)
    put(broker, topic(broker, "later", 1), range(3))
    assert read(source, there, {})[1] == [0, 1, 2]


def test_a_group_shares_partitions_and_takes_over(broker: Running, readers: Any) -> None:
    """Two programs; one ends, and the other goes on where it was."""
    name, there = topic(broker, "shared"), world(readers)
    given: Any = {"servers": kafka.address(broker), "topics": (name,), "time": "ts"}
    both = [Kafka(**given, group="amiss", values=("n",), most=most) for most in (1000, 999)]
    cursors: list[Cursor] = [{}, {}]
    got: list[list[int]] = [[], []]

    def turn(which: int) -> None:
        try:
            cursors[which], records = both[which].poll(cursors[which], there)
        except Unreachable:  # of a broker that is busy: the next turn asks again
            return
        got[which] += map(int, records.value)

    def until(done: Callable[[], bool], who: tuple[int, ...] = (0, 1)) -> None:
        last = time.monotonic() + PATIENCE
        while time.monotonic() < last:
            for which in who:
                turn(which)
            if done():
                return
        raise AssertionError(f"{list(map(len, got))} of {len(set(chain.from_iterable(got)))}")

    put(broker, name, range(400))
    until(lambda: sum(map(len, got)) >= 400)
    for n in range(400, 2000, 100):
        put(broker, name, range(n, n + 100))
        turn(0)
        turn(1)
        if got[0] and got[1] and max(got[0]) >= 400 and max(got[1]) >= 400:
            break
    sent = n + 100
    until(lambda: len(set(chain.from_iterable(got))) == sent)
    assert sorted(chain.from_iterable(got)) == list(range(sent)) and all(got)
    for which in (0, 1):  # the group is told at the poll after
        turn(which)
    first = both[0]
    readers(
        Subscription(tuple(sorted(first.joining(there).items())), (name,), "amiss", "beginning",
                     first.fingerprint)
    ).close()  # fmt: skip
    put(broker, name, range(sent, sent + 300))
    until(lambda: len(set(chain.from_iterable(got))) == sent + 300, who=(1,))
    assert sorted(chain.from_iterable(got)) == list(range(sent + 300))


def test_incidents_arrive_and_wait_for_a_broker(broker: Running, readers: Any) -> None:
    name = topic(broker, "incidents", 2)
    there = World(subscribe=readers)  # the broker's clock says when they came
    sink = Sink(servers=kafka.address(broker), topic=name)
    sink.send((incident("a", 1), incident("b", 1), incident("a", 2)), there)
    source = Kafka(servers=kafka.address(broker), topics=(name,), events=True)
    said, cursor, last = list[Any](), dict[str, Any](), time.monotonic() + PATIENCE
    while len(said) < 3 and time.monotonic() < last:
        cursor, records = source.poll(cursor, there)
        assert records.text is not None
        said += map(orjson.loads, records.text.tolist())
    told = [(one["id"], one["revision"], one["event"]) for one in said]
    assert [one for one in told if one[0] == "a"] == [("a", 1, "opened"), ("a", 2, "worse")]
    assert len(told) == 3
    broker.stop()
    begun = threading.Event()

    def again() -> None:
        begun.wait()
        broker.start()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        with pytest.raises(Unreachable, match=r"did not take it within 0\.5 s"):
            sink.model_copy(update={"timeout": SECOND // 2}).send((incident("c"),), there)
    finally:
        begun.set()
        thread.join()
    sink.model_copy(update={"timeout": int(PATIENCE) * SECOND}).send((incident("c"),), there)
