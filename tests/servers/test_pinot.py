"""The source `pinot` on a real Pinot that consumes a real Kafka."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import pytest
from confluent_kafka import Producer

from amiss.component import Cursor
from amiss.data import SECOND, Records
from amiss.errors import Error, Rejected, Unreachable
from amiss.sources.pinot import Pinot
from amiss.world import World
from servers.running import PATIENCE, room
from servers.streaming import Streaming, example, streaming

pytestmark = [pytest.mark.server, pytest.mark.timeout(1800)]

START = 1_700_000_000
THERE = World(now=lambda: (START + 10_000) * SECOND)  # a clock that stands: nothing is given up


@pytest.fixture(scope="module")
def both() -> Iterator[Streaming]:
    with room() as folder, streaming(folder) as running:
        set_up = example("set_up")
        set_up.make_topic(running.brokers)
        set_up.make_table(running.pinot.controller, running.brokers)
        yield running


def put(both: Streaming, rows: dict[int, int]) -> None:
    """Rows by id, of these seconds, and wait until Pinot shows them."""
    until(lambda: visible(both) >= 0, "the table is not ready")
    before = visible(both)
    producer = Producer({"bootstrap.servers": both.brokers, "linger.ms": 5})
    for row, second in rows.items():
        said = {"id": row, "ts": (START + second) * 1000, "host": f"web-{row % 3}", "requests": row}
        producer.produce("web", orjson.dumps(said), key=str(row))
    assert not producer.flush(PATIENCE)
    until(lambda: visible(both) == before + len(rows), "the rows are not visible")


def visible(both: Streaming) -> int:
    asked = {"sql": "SELECT count(*) FROM web"}
    said = httpx.post(f"{both.pinot.url}/query/sql", json=asked, timeout=60).json()
    whole = not said.get("exceptions") and "resultTable" in said  # it is not yet, at first
    return int(said["resultTable"]["rows"][0][0]) if whole else -1


def until(done: Callable[[], bool], what: str) -> None:
    last = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < last, what
        time.sleep(0.1)


def source(both: Streaming, **settings: Any) -> Pinot:
    given = {"url": both.pinot.url, "table": "web", "time": "ts", "by": ("host",)}
    return Pinot(**(given | {"values": ("requests",)} | settings))


def ids(records: Records) -> list[int]:
    """Of rows, each of which is of the host and the time that it was put with."""
    found = [int(value) for value in records.value]
    assert [*records.labels.get("host", ())] == [f"web-{row % 3}" for row in found]
    return found


def read(one: Pinot, cursor: Cursor) -> tuple[Cursor, list[int]]:
    """Until all is read; a cursor goes through JSON each time, as it does in the store."""
    found, more = list[int](), True
    while more:
        cursor, records = one.poll(orjson.loads(orjson.dumps(cursor)), THERE)
        found += ids(records)
        more = records.more
    return cursor, found


def test_every_row_once_though_pinot_is_killed_between_two_pages(both: Streaming) -> None:
    seconds = {row: row // 4 for row in range(400)}  # rows of one time, in both partitions
    seconds |= {row: 100 for row in range(400, 900)}  # more than are on a page
    put(both, seconds)
    one = source(both, most=70, late="10s")
    cursor, first = one.poll({}, THERE)
    assert first.more and len(first) == 70
    both.pinot.kill()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        one.poll(cursor, THERE)
    both.pinot.start()
    found = ids(first)

    def rest() -> bool:
        nonlocal cursor, found
        try:  # nothing that was not kept is there until it has been consumed again
            cursor, some = read(one, cursor)
        except Unreachable:
            return False
        found += some
        return len(found) >= 900

    until(rest, "the rest does not come")
    assert sorted(found) == list(range(900))
    put(both, {900: 101, 901: 92, 902: 80})  # next, late, and later than `late`
    cursor, found = read(one, cursor)
    assert sorted(found) == [900, 901]
    assert read(one, cursor) == (cursor, [])
    assert sorted(read(one, {})[1]) == list(range(903)), "in the table are all"


def test_it_waits_while_kafka_is_away_and_goes_on(both: Streaming) -> None:
    one = source(both, start="end")
    cursor, found = read(one, {})
    assert found == []
    both.kafka.kill()
    assert read(one, cursor)[1] == []
    both.kafka.start()
    put(both, {2000 + row: 500 + row for row in range(50)})
    assert sorted(read(one, cursor)[1]) == list(range(2000, 2050))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": "nothing"}, "TableDoesNotExist"),
        ({"where": "nonsense ("}, "while parsing query: .*nonsense"),
        ({"by": ("rack",)}, r"127\.0\.0\.1: Unknown columnName 'rack' found in the query$"),
    ],
)
def test_a_refusal_is_in_pinot_s_words(both: Streaming, settings: Any, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        source(both, **settings).poll({}, THERE)


def test_what_is_no_broker_is_refused(both: Streaming) -> None:
    with pytest.raises(Error, match=r"127\.0\.0\.1"):
        source(both, url=both.pinot.controller).poll({}, THERE)
