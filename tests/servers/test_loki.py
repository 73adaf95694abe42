"""Source and sink `loki` on a real Loki: once each, whatever happens to the server."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from amiss.data import SECOND
from amiss.errors import Rejected
from amiss.reading.late import LATE
from amiss.sinks.loki import Loki as Sink
from amiss.sources.loki import Loki
from amiss.world import World
from servers import loki
from servers.incidents import ended, incident
from servers.polled import column, poll, polled_over_a_restart
from servers.running import Running

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with loki.server(tmp_path_factory.mktemp("loki"), tenants=True) as running:
        yield running


def tenant(name: str) -> dict[str, Any]:
    return {"headers": {"X-Scope-OrgID": name}}


def push(server: Running, name: str, values: list[list[Any]], **labels: str) -> None:
    for at in range(0, len(values), 20_000):
        body = {"streams": [{"stream": labels, "values": values[at : at + 20_000]}]}
        reply = httpx.post(
            f"{server.url}/loki/api/v1/push",
            content=orjson.dumps(body),
            headers={"Content-Type": "application/json", "X-Scope-OrgID": name},
            timeout=30,
        )
        assert reply.status_code == 204, reply.text


def test_pages_times_that_are_many_and_a_restart_in_between(server: Running) -> None:
    now = time.time_ns()
    begin, app = now - 600 * SECOND, "pages"
    lines = [[str(begin + i * 1000), f'{{"id": {i}}}'] for i in range(12_000)]
    whole = begin // SECOND * SECOND + 300 * SECOND
    lines += [[str(whole), f'{{"id": {i}}}'] for i in range(12_000, 26_000)]
    lines += [[str(whole + SECOND), f'{{"id": {i}}}'] for i in range(26_000, 27_000)]
    push(server, app, lines, app=app)
    one = Loki(url=server.url, query='{app="pages"}', access=tenant(app), most=12_000)
    cursor, found = polled_over_a_restart(server, one, now)
    ids = Counter(column(found, "id"))
    assert ids == Counter(map(str, range(27_000)))
    assert poll(one, now, cursor)[1][0].labels == {}


def test_late_lines_within_the_delay_metadata_and_labels(server: Running) -> None:
    now, name = time.time_ns(), "late"
    push(server, name, [[str(now - SECOND), "level=info id=2", {"trace": "t2"}]], app=name, pod="a")
    push(server, name, [[str(now - 3 * SECOND), "level=error id=1"]], app=name, pod="a")
    one = Loki(url=server.url, query='{app="late"}', access=tenant(name), delay="4s")
    cursor, found = poll(one, now, {})
    assert column(found, "id") == []
    cursor, found = poll(one, now + 2 * SECOND, cursor)
    assert column(found, "id") == ["1"]
    push(server, name, [[str(now - 2 * SECOND + 5), "level=info id=late"]], app=name, pod="a")
    cursor, found = poll(one, now + 60 * SECOND, cursor)
    assert column(found, "id") == ["late", "2"]
    assert column(found, "trace") == ["", "t2"] and set(column(found, "pod")) == {"a"}
    assert poll(one, now + 120 * SECOND, cursor)[1][0].labels == {}


def test_lines_later_than_the_delay_are_counted_once_though_the_source_is_restarted(
    server: Running,
) -> None:
    span, name = 300 * SECOND, "later"
    edge = time.time_ns() // span * span - 4 * span
    lines = [[str(at), f'{{"id": "{at}"}}'] for at in range(edge - span, edge + span, SECOND)]
    lines += [[str(edge + SECOND), "this is no JSON"]]
    push(server, name, lines, app=name)
    settings = {"url": server.url, "access": tenant(name), "delay": 0, "format": "text"}
    settings |= {"query": '{app="later"} | json | id != "none" # fields'}
    one = Loki(**settings)
    cursor, found = poll(one, edge + span, {})
    assert sum(map(len, found)) == len(lines)
    late = [edge - span + 1, edge - 1, edge]  # all of one span: to Loki its end belongs to it
    push(server, name, [[str(at), "late"] for at in late], app=name, pod="was away")
    told = Counter[str]()
    for passed in range(1, 40):
        cursor, found = poll(one, edge + span + passed * span // 2, cursor)
        one = Loki(**settings)
        told.update(sum((Counter(records.skipped) for records in found), Counter[str]()))
        assert not sum(map(len, found))
    assert told == {LATE: len(late)}


def test_numbers_made_of_lines(server: Running) -> None:
    now, name = time.time_ns() // (60 * SECOND) * 60 * SECOND, "numbers"
    times = range(now - 300 * SECOND, now, SECOND)
    push(server, name, [[str(at + 1), f'{{"ms": {at // SECOND % 60}}}'] for at in times], app=name)
    metrics = {
        "mean_ms": 'avg_over_time({app="numbers"} | json | unwrap ms [1m]) by (app)',
        "requests": 'sum by (app) (count_over_time({app="numbers"}[1m]))',
    }
    one = Loki(url=server.url, metrics=metrics, access=tenant(name), delay=0, history="4m")
    cursor, [records] = poll(one, now, {})
    assert Counter(records.name.tolist()) == {"mean_ms": 5, "requests": 5}
    assert set(records.value[records.name == "requests"][1:]) == {60.0}
    assert set(records.labels["app"]) == {"numbers"}
    assert poll(one, now + 30 * SECOND, cursor)[0] == cursor
    many = {
        "each": 'sum by (ms) (count_over_time({app="numbers"} | json | line_format "{{.ms}}" [1m]))'
    }
    _, [records] = poll(one.model_copy(update={"metrics": many}), now, {})
    assert len(set(records.labels["ms"].tolist())) == 60


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"page": 6000}, "max entries limit per query exceeded"),
        ({"query": '{app="x"} | nonsense'}, "parse error"),
        ({"query": "{}"}, "at least one"),
        ({"access": {}}, "no org id"),
    ],
)
def test_a_refusal_is_in_the_server_s_words(server: Running, settings, said) -> None:
    asked = {"query": '{app="x"}', "access": tenant("words")} | settings
    with pytest.raises(Rejected, match=said):
        poll(Loki(url=server.url, **asked), time.time_ns(), {})


def test_incidents_go_there_and_come_back_once(server: Running) -> None:
    now, name = time.time_ns(), "sink"
    sink = Sink(url=server.url, access=tenant(name))
    shift = now - 1800 * SECOND - incident().since
    opened = replace(incident(), since=incident().since + shift, seen=incident().seen + shift)
    over = ended(opened)
    for one in (opened, opened, over, over):  # as after an answer that was lost
        sink.send((one,), World())
    source = Loki(url=server.url, query='{job="amiss"}', access=tenant(name), format="json")
    _, found = poll(source, now, {})
    assert column(found, "event") == ["opened", "resolved"]
    assert column(found, "severity") == ["medium"] * 2 and column(found, "id") == ["a1"] * 2
    old = replace(opened, seen=opened.seen - 7200 * SECOND)
    with pytest.raises(Rejected):
        sink.send((old,), World())


def test_one_tenant_does_not_see_another(server: Running) -> None:
    now = time.time_ns()
    push(server, "mine", [[str(now - 60 * SECOND), "id=mine"]], app="same")
    push(server, "other", [[str(now - 60 * SECOND), "id=other"]], app="same")
    one = Loki(url=server.url, query='{app="same"}', access=tenant("mine"), format="logfmt")
    assert column(poll(one, now, {})[1], "id") == ["mine"]
