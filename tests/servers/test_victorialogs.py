"""Source `victorialogs` on a real VictoriaLogs: once each, whatever happens to the server."""

import time
from collections import Counter
from collections.abc import Iterator

import httpx
import orjson
import pytest

from amiss.data import SECOND
from amiss.errors import Rejected
from amiss.reading.late import LATE
from amiss.sources.victorialogs import Victorialogs, stamp
from servers import victorialogs
from servers.polled import column, poll, polled_over_a_restart
from servers.running import PATIENCE, Running

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with victorialogs.server(tmp_path_factory.mktemp("victorialogs")) as running:
        yield running


def push(server: Running, tenant: str, rows: list[dict[str, str]]) -> None:
    """Write entries, and wait until they are to be found."""
    known = {"AccountID": tenant, "Content-Type": "application/stream+json"}
    whole = there(server, tenant) + len(rows)
    reply = httpx.post(
        f"{server.url}/insert/jsonline",
        params={"_stream_fields": "app,pod"},
        content=b"\n".join(map(orjson.dumps, rows)),
        headers=known,
        timeout=30,
    )
    assert reply.status_code == 200, reply.text
    until = time.monotonic() + PATIENCE
    while there(server, tenant) < whole:
        assert time.monotonic() < until, "what was written is not to be found"
        time.sleep(0.05)


def there(server: Running, tenant: str) -> int:
    """How many entries of a tenant are to be found."""
    data, headers = {"query": "* | fields _time"}, {"AccountID": tenant}
    url = f"{server.url}/select/logsql/query"
    reply = httpx.post(url, data=data, headers=headers, timeout=30)
    return len(reply.content.splitlines())


def entry(at: int, message: str, **fields: str) -> dict[str, str]:
    return {"_time": stamp(at), "_msg": message, "app": "shop", **fields}


def source(server: Running, tenant: str, query: str = "*", **settings: object) -> Victorialogs:
    access = {"headers": {"AccountID": tenant}}
    return Victorialogs(url=server.url, query=query, access=access, **settings)


def test_pages_times_that_are_many_and_a_restart_in_between(server: Running) -> None:
    now = time.time_ns()
    begin = now // SECOND * SECOND - 600 * SECOND
    rows = [entry(begin + i, f'{{"id": {i}}}') for i in range(12_000)]
    whole = begin + 300 * SECOND
    rows += [entry(whole, f'{{"id": {i}}}', pod=str(i % 7)) for i in range(12_000, 26_000)]
    rows += [entry(whole + SECOND, f'{{"id": {i}}}') for i in range(26_000, 27_000)]
    push(server, "1", rows)
    server.stop()  # all is on the disk: killed in the first seconds, it forgets new streams
    server.start()
    one = source(server, "1", '_stream:{app="shop"} # all of it', most=12_000)
    cursor, found = polled_over_a_restart(server, one, now)
    ids = Counter(column(found, "id"))
    assert ids == Counter(map(str, range(27_000)))
    times = [at for records in found for at in records.time.tolist()]
    assert times == sorted([begin + i for i in range(12_000)] + [whole] * 14_000
                           + [whole + SECOND] * 1000)  # fmt: skip
    assert poll(one, now, cursor)[1][0].labels == {}


def test_entries_within_the_delay_with_their_fields(server: Running) -> None:
    now = time.time_ns()
    push(server, "2", [entry(now - SECOND, "level=info id=2", trace="t2", pod="a")])
    push(server, "2", [entry(now - 3 * SECOND, "level=error id=1", pod="a")])
    one = source(server, "2", "app:shop", delay="4s")
    cursor, found = poll(one, now, {})
    assert column(found, "id") == []
    cursor, found = poll(one, now + 2 * SECOND, cursor)
    assert column(found, "id") == ["1"]
    push(server, "2", [entry(now - 2 * SECOND + 5, "level=info id=late", pod="a")])
    cursor, found = poll(one, now + 60 * SECOND, cursor)
    assert column(found, "id") == ["late", "2"]
    assert column(found, "trace") == ["", "t2"] and set(column(found, "pod")) == {"a"}
    assert [at for records in found for at in records.time] == [
        now - 2 * SECOND + 5,
        now - SECOND,
    ]


def test_entries_later_than_the_delay_are_counted_once_though_the_source_is_restarted(
    server: Running,
) -> None:
    span = 300 * SECOND
    edge = time.time_ns() // span * span - 4 * span
    rows = [entry(at, f"id={at}") for at in range(edge - span, edge + span, SECOND)]
    push(server, "3", rows)
    settings = {"delay": 0, "format": "text"}
    one = source(server, "3", "* # comment", **settings)
    cursor, found = poll(one, edge + span, {})
    assert sum(map(len, found)) == len(rows)
    push(server, "3", [entry(at, "late") for at in (edge - 1, edge, edge + 1)])
    told = Counter[str]()
    for passed in range(1, 40):
        cursor, found = poll(one, edge + span + passed * span // 2, cursor)
        one = source(server, "3", "* # comment", **settings)
        told.update(sum((Counter(records.skipped) for records in found), Counter[str]()))
        assert not sum(map(len, found))
    assert told == {LATE: 3}


@pytest.mark.parametrize(
    ("tenant", "query", "said"),
    [
        ("4", "_stream:{app=", r"answered 400: cannot parse query \[_stream:\{app="),
        ("4", "* | fields x | unpack_json from", r"answered 400: cannot parse query"),
        ("none", "*", r"answered 400: cannot obtain tenan.*parsing \"none\""),
    ],
)
def test_a_refusal_is_in_the_server_s_words(server: Running, tenant, query, said) -> None:
    with pytest.raises(Rejected, match=said):
        poll(source(server, tenant, query), time.time_ns(), {})


def test_one_tenant_does_not_see_another(server: Running) -> None:
    now = time.time_ns()
    push(server, "5", [entry(now - 60 * SECOND, "id=mine")])
    push(server, "6", [entry(now - 60 * SECOND, "id=other")])
    one = source(server, "5", format="logfmt")
    assert column(poll(one, now, {})[1], "id") == ["mine"]
