"""The source `pinot` on made exchanges: pages, partial answers, garbage, rows that are away."""

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import pytest

from amiss.component import Cursor
from amiss.data import SECOND
from amiss.errors import ConfigError, Error, Rejected, Unreachable
from amiss.sources.pinot import Pinot
from amiss.world import World

START = 1_700_000_000
ASKED = re.compile(
    r'SELECT (?P<what>.+?) FROM "(?P<table>\w+)"(?: WHERE "ts" >= (?P<least>\d+))?'
    r'(?: (?:WHERE|AND) \((?P<where>.*)\))? ORDER BY "ts" (?P<order>DESC)? ?LIMIT (?P<most>\d+)'
)


class Broker:
    """Answers as Pinot's, from rows (ms, host, value) of a list."""

    def __init__(self) -> None:
        self.rows = list[tuple[int, str, float]]()
        self.asked = list[str]()
        self.more: dict[str, Any] = {}
        self.reply: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/query/sql"
        sql = orjson.loads(request.content)["sql"]
        self.asked.append(sql)
        if self.reply is not None:
            return self.reply
        found = ASKED.fullmatch(sql)
        assert found, sql
        least = int(found["least"] or 0)
        rows = [row for row in self.rows if row[0] >= least]
        random.Random(len(self.asked)).shuffle(rows)  # of one time Pinot gives any
        rows.sort(key=lambda row: row[0])
        rows = (rows[::-1] if found["order"] else rows)[: int(found["most"])]
        names = ["ts", "host", "ms"]
        if found["what"] == '"ts"':
            names, rows = ["ts"], [row[:1] for row in rows]  # type: ignore[misc]
        table = {"dataSchema": {"columnNames": names}, "rows": rows}
        whole = {"numServersQueried": 1, "numServersResponded": 1, "exceptions": []}
        return httpx.Response(200, json={"resultTable": table} | whole | self.more)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def at(broker: Broker) -> Iterator[Callable[[int], World]]:
    with httpx.Client(transport=httpx.MockTransport(broker)) as client:
        yield lambda seconds: World(
            now=lambda: (START + seconds) * SECOND,
            http=lambda: client,
            secret=lambda reference: "T0KEN",
        )


def made(**settings: Any) -> Pinot:
    given = {"url": "http://pinot:8099/", "table": "web", "time": "ts", "by": ("host",)}
    return Pinot(**(given | settings))


def put(broker: Broker, second: float, value: float) -> None:
    broker.rows.append((round((START + second) * 1000), "a", value))


def read(source: Pinot, world: World, cursor: Cursor) -> tuple[Cursor, list[float]]:
    found, more = list[float](), True
    while more:
        cursor, records = source.poll(orjson.loads(orjson.dumps(cursor)), world)
        found += records.value.tolist()
        more = records.more
    return cursor, found


def test_every_row_once_by_pages_and_late(broker: Broker, at: Callable[[int], World]) -> None:
    for n in range(50):
        put(broker, n // 5, n)
    source = made(most=3, late="2s")
    cursor, found = read(source, at(12), {})
    assert sorted(found) == list(range(50))
    put(broker, 8, 100)
    put(broker, 2, 200)  # too late
    cursor, found = read(source, at(12), cursor)
    assert found == [100.0]
    assert read(source, at(12), cursor) == (cursor, [])


@pytest.mark.parametrize("late", ["0s", "3s"])
def test_more_rows_of_one_time_than_are_on_a_page(
    broker: Broker, at: Callable[[int], World], late: str
) -> None:
    for n in range(60):
        put(broker, min(n // 4, 10), n)
    cursor, found = read(made(most=7, late=late), at(12), {})
    assert sorted(found) == list(range(60))
    assert read(made(most=7, late=late), at(12), cursor)[1] == []


def test_rows_that_were_there_are_waited_for(broker: Broker, at: Callable[[int], World]) -> None:
    """As after a restart: one partition is consumed again before the other."""
    for n in range(6):
        put(broker, n, n)
    source = made(late="1m")
    cursor, found = read(source, at(10), {})
    assert found == list(range(6))
    away, broker.rows = broker.rows, broker.rows[::2]
    put(broker, 7, 7)
    cursor, found = read(source, at(11), cursor)
    assert found == []
    with pytest.raises(Unreachable, match="3 rows that were read are not there yet"):
        source.poll(cursor, at(12))
    broker.rows += away[1::2]
    cursor, found = read(source, at(13), cursor)
    assert found == [7.0] and "missing" not in cursor
    broker.rows = broker.rows[2:]
    put(broker, 8, 8)
    cursor, found = read(source, at(20), cursor)
    assert found == [] and read(source, at(81), cursor)[1] == [8.0]  # they are gone for good


def test_it_may_begin_at_the_end(broker: Broker, at: Callable[[int], World]) -> None:
    put(broker, 0, 1)
    put(broker, 0, 2)
    cursor, found = read(made(start="end"), at(1), {})
    assert found == []
    put(broker, 0, 3)
    assert read(made(start="end"), at(1), cursor)[1] == [3.0]


def test_what_is_asked(broker: Broker, at: Callable[[int], World]) -> None:
    source = made(values=("ms",), where="host = 'a'", access={"token": "env:T"})
    source.poll({"key": [5], "seen": []}, at(1))
    assert broker.asked == [
        'SELECT "ts", "ms", "host" FROM "web" WHERE "ts" >= 5 AND (host = \'a\')'
        ' ORDER BY "ts"  LIMIT 20000'
    ]


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"exceptions": [{"errorCode": 305, "message": "segments unavailable"}]}, Unreachable,
         "pinot: segments unavailable"),
        ({"exceptions": [{"errorCode": 190, "message": "TableDoesNotExistError: web"}]}, Rejected,
         "pinot: web$"),
        ({"exceptions": [{"errorCode": 710, "message": "UnknownColumnError:\norg.apache.pinot."
          "BadQueryRequestException: no 'a' in it\n\tat org.apache.pinot.X.y(X.java:7)"}]},
         Rejected, "^pinot: no 'a' in it$"),
        ({"numServersResponded": 0}, Unreachable, "0 of 1 servers answered"),
        ({"resultTable": None}, Unreachable, "the table is not ready"),
        ({"resultTable": {"rows": 7}}, Rejected, "not as Pinot does"),
    ],
)  # fmt: skip
def test_no_answer_is_taken_for_half_of_one(
    broker: Broker, at: Callable[[int], World], more: Any, error: type[Error], said: str
) -> None:
    broker.more = more
    with pytest.raises(error, match=said):
        made().poll({}, at(1))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(200, b"<html>", Rejected), (200, b"[1]", Rejected), (500, b"", Unreachable),
     (429, b"", Unreachable), (401, b"", Rejected)],
)  # fmt: skip
def test_garbage(
    broker: Broker, at: Callable[[int], World], status: int, body: bytes, error: type[Error]
) -> None:
    broker.reply = httpx.Response(status, content=body, headers={"Retry-After": "7"})
    with pytest.raises(error) as refused:
        made().poll({}, at(1))
    assert status != 429 or refused.value.after == 7.0  # type: ignore[attr-defined]


def test_a_column_that_is_not_there(broker: Broker, at: Callable[[int], World]) -> None:
    with pytest.raises(ConfigError, match="there is no column 'rack'; there are ts, host, ms"):
        made(by=("rack",)).poll({}, at(1))
