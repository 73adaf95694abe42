"""The source `victorialogs`, on answers as VictoriaLogs gives them."""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson
import pytest

from amiss.data import SECOND
from amiss.errors import Rejected, Unreachable
from amiss.reading.late import FAILED, LATE
from amiss.sources.victorialogs import COUNT, Victorialogs, stamp
from amiss.world import World

NOW = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z
ANSWER = (
    b'{"_msg":"GET /cart took=12ms","_stream":"{app=\\"shop\\"}","_stream_id":"0000",'
    b'"_time":"2023-11-14T22:12:50.000000002Z","app":"shop","status":"500"}\n'
    b'{"_msg":"started","_stream":"{app=\\"shop\\"}","_stream_id":"0000",'
    b'"_time":"2023-11-14T22:12:50Z","app":"shop","pid":"7"}\n'
)
REFUSED = (
    b'remoteAddr: "127.0.0.1:43908"; requestURI: /select/logsql/query?query=_stream%3A%7Bapp%3D; '
    b'cannot parse query [_stream:{app=]: missing _stream filter value for "app" field\n'
)
"""Of version 0.28; 1.26 says the last part alone."""


def poll(answer: Any, cursor: Any = None, now: int = NOW, **settings: Any) -> Any:
    def client(*_: Any) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    one = Victorialogs(url="http://logs:9428", query='{app="shop"}', **settings)
    return one.poll(cursor or {}, World(http=client, now=lambda: now))


def test_entries_are_records_in_order_of_their_times() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=ANSWER)

    tenant = {"headers": {"AccountID": "12", "ProjectID": "3"}}
    cursor, records = poll(answer, access=tenant, labels={"host": "h"}, format="text")
    assert records.text.tolist() == ["started", "GET /cart took=12ms"]
    assert (NOW - records.time).tolist() == [30 * SECOND, 30 * SECOND - 2]
    assert {name: column.tolist() for name, column in records.labels.items()} == {
        "app": ["shop", "shop"], "status": ["", "500"], "pid": ["7", ""], "host": ["h", "h"],
    }  # fmt: skip
    assert records.watermark == NOW - 10 * SECOND - 1
    [request] = asked
    said = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert str(request.url) == "http://logs:9428/select/logsql/query"
    pipe = "delete _stream, _stream_id | sort by (_time) limit 5000"
    assert said["query"] == f'{{app="shop"}}\n| {pipe}'
    assert at(said["end"]) == NOW - 10 * SECOND == cursor["next"]
    assert cursor["began"] == NOW
    assert request.headers["accountid"] == "12" and request.headers["projectid"] == "3"


def test_fields_that_anyone_may_name_are_so_many_at_most() -> None:
    rows = [
        {"_msg": "m", "_time": "2023-11-14T22:12:50Z"} | {f"f{n}_{i}": "x" for i in range(30)}
        for n in range(10)
    ]
    content = b"\n".join(map(orjson.dumps, rows))
    _, records = poll(lambda request: httpx.Response(200, content=content), format="text")
    assert len(records) == 10 and len(records.labels) == 200
    assert records.skipped == {"values of fields over the cap of 200": 100}


def told(at: int) -> str:
    """Whole seconds as the server writes them."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(said: str) -> int:
    """A time that the server is asked for: all nanoseconds, as some versions read numbers as ms."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", said)
    return int(datetime.fromisoformat(f"{said[:19]}Z").timestamp()) * SECOND + int(said[20:29])


def test_each_entry_comes_once_whatever_the_pages() -> None:
    stored = [(NOW - 19 * SECOND + i // 3, f"m{i}") for i in range(20)]  # 22:13:01
    stored += [(NOW - 15 * SECOND, f"same{i}") for i in range(9)]

    def answer(request: httpx.Request) -> httpx.Response:
        said = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        limit = re.search(r"limit (\d+)$", said["query"])
        rows = [row for row in stored if at(said["start"]) <= row[0] <= at(said["end"])]
        rows = sorted(rows)[: int(limit[1]) if limit else None]
        lines = [orjson.dumps({"_time": stamp(ns), "_msg": text}) for ns, text in rows]
        return httpx.Response(200, content=b"\n".join(lines))

    cursor: Any = {}
    found, more = [], True
    while more:
        cursor, records = poll(answer, cursor, page=4, most=6, format="text")
        found += records.text.tolist()
        more = records.more
    assert sorted(found) == sorted(text for _, text in stored)


def test_entries_later_than_the_delay_are_counted_once_each() -> None:
    stored = [NOW + 60 * SECOND * i for i in range(30)]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        start, end = at(said["start"]), at(said["end"])
        there = [ns for ns in stored if start <= ns < end]
        if "stats by" not in said["query"]:
            rows = [{"_time": told(ns), "_msg": "m"} for ns in there]
        else:
            asked.append(said["query"])
            spans = Counter(ns // (300 * SECOND) * 300 * SECOND for ns in there)
            rows = [{"_time": told(ns), COUNT: str(n)} for ns, n in spans.items()]
        return httpx.Response(200, content=b"\n".join(map(orjson.dumps, rows)))

    cursor, late = {}, Counter()
    for passed in range(120):
        if passed == 12:
            stored += [NOW + 400 * SECOND + i for i in range(7)]
        cursor, records = poll(answer, cursor, now=NOW + 60 * SECOND * passed, format="text")
        late.update(records.skipped)
    assert late == {LATE: 7}
    assert set(asked) == {f'{{app="shop"}}\n| stats by (_time:300s) count() {COUNT}'}


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"_time": "2023-11-14T22:12:50Z"}', b"[1]", b'{"amiss_count": "x"}']
)
def test_a_count_that_is_none_is_told(body) -> None:
    cursor, _ = poll(lambda request: httpx.Response(200), now=NOW)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body if b"stats" in request.content else b"")

    assert poll(answer, cursor, now=NOW + 900 * SECOND)[1].skipped == {FAILED: 1}


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, b"cannot parse query\n", Rejected, "logs answered 400: cannot parse query"),
        (400, REFUSED, Rejected, r"400: cannot parse query \[_stream:{app=\]: missing _stream"),
        (429, b"too many requests", Unreachable, "429: too many requests"),
        (502, b"", Unreachable, "502"),
        (200, b"<html>", Unreachable, "not one of VictoriaLogs"),
        (200, b'{"_msg": "x"}', Unreachable, "not one of VictoriaLogs"),
        (200, b'{"_msg": "x", "_time": "?"}', Unreachable, "a _time that is none"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(status, body, kind, said) -> None:
    with pytest.raises(kind, match=said):
        poll(lambda request: httpx.Response(status, content=body))


def test_check_says_what_there_is() -> None:
    one = Victorialogs(url="http://logs:9428", query="*", value="took")
    cursor, records = poll(lambda request: httpx.Response(200, content=ANSWER))
    assert one.found(cursor, records) == ("2 lines read, text", "fields: app, status, pid")
    assert "no record has a field 'took'" in one.wrong(cursor, records)[0]
    assert one.again() == one
