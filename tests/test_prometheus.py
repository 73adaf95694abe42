"""Source `prometheus` against made exchanges. On real servers: tests/servers."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs

import httpx
import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from amiss.cli.poll import poll
from amiss.component import Cursor
from amiss.data import HOUR, SECOND, Records
from amiss.errors import Rejected, Unreachable
from amiss.pipeline import Pipeline
from amiss.sources.prometheus import Prometheus
from amiss.world import World

NOW = 1_772_892_007 * SECOND
STEP = 15 * SECOND


class Server:
    """Answers range queries: the value of every series is the time, in seconds."""

    def __init__(self, series: dict[str, list[dict[str, str]]]) -> None:
        self.series = series
        self.asked: list[tuple[str, float, float]] = []
        self.requests: list[httpx.Request] = []
        self.reply: Callable[[str], httpx.Response | None] = lambda query: None
        self.now = NOW

    def answer(self, request: httpx.Request) -> httpx.Response:
        said = {name: one[0] for name, one in parse_qs(request.content.decode()).items()}
        start, end, step = (float(said[name]) for name in ("start", "end", "step"))
        self.requests.append(request)
        if (instead := self.reply(said["query"])) is not None:
            return instead
        self.asked.append((said["query"], start, end))
        times = np.arange(start, end + step / 2, step)
        result = [
            {
                "metric": labels,
                "values": [[float(t), f"{t:g}" if t % 1 else str(int(t))] for t in times],
            }
            for labels in self.series[said["query"]]
        ]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return httpx.Response(200, content=orjson.dumps(body))

    def world(self) -> World:
        client = httpx.Client(transport=httpx.MockTransport(self.answer))
        return World(
            http=lambda trust=None: client,
            now=lambda: self.now,
            secret=lambda reference: {"env:P": "sesame", "env:T": "tok"}[reference],
        )


def source(**settings) -> Prometheus:
    said = {"url": "http://tsdb:9090", "queries": {"load": "node_load1"}} | settings
    return Prometheus.model_validate(said)


def all_of(source: Prometheus, world: World, cursor: Cursor) -> tuple[Cursor, list[Records]]:
    """All polls until there is no more; each with a cursor out of JSON."""
    found, more = [], True
    while more:
        cursor, records = source.poll(orjson.loads(orjson.dumps(cursor)), world)
        found.append(records)
        more = records.more
    return cursor, found


def times(polls: list[Records]) -> list[int]:
    return [int(t) for one in polls for t in one.time]


def test_every_step_comes_once_and_none_is_left_out() -> None:
    server = Server({"node_load1": [{"instance": "a"}]})
    asked = source(history="1h", chunk="10m")
    cursor, polls = all_of(asked, server.world(), {})
    assert len(polls) > 2
    for later in (0, 1, 14, 16, 61, 300):
        server.now = NOW + later * SECOND
        cursor, more = all_of(asked, server.world(), cursor)
        polls += more
    found = times(polls)
    last = (NOW + 300 * SECOND - 30 * SECOND) // STEP * STEP
    first = ((NOW - 30 * SECOND) // STEP - 240) * STEP
    assert found == list(range(first, last + 1, STEP))
    assert [one.watermark for one in polls if len(one)] == [
        one.time[-1] for one in polls if len(one)
    ]


def test_without_history_it_begins_now() -> None:
    server = Server({"node_load1": [{}]})
    _, polls = all_of(source(), server.world(), {})
    assert times(polls) == [(NOW - 30 * SECOND) // STEP * STEP]


def test_each_query_is_a_series_and_labels_are_called_anew() -> None:
    server = Server(
        {
            "node_load1": [{"__name__": "node_load1", "instance": "a:9100", "job": "node"}],
            "up": [{"instance": "a:9100"}, {}],
        }
    )
    asked = source(
        queries={"load": "node_load1", "up": "up"},
        rename={"instance": "host"},
        labels={"site": "berlin", "job": "mine"},
    )
    _, (records,) = all_of(asked, server.world(), {})
    assert records.name.tolist() == ["load", "up", "up"]
    assert records.labels["host"].tolist() == ["a:9100", "a:9100", ""]
    assert records.labels["job"].tolist() == ["mine"] * 3
    assert records.labels["site"].tolist() == ["berlin"] * 3
    assert set(records.labels) == {"host", "job", "site"}


def test_metrics_of_one_query_are_told_apart() -> None:
    query = '{__name__=~"node_load."}'
    server = Server({query: [{"__name__": "node_load1"}, {"__name__": "node_load5"}]})
    _, (records,) = all_of(source(queries={"load": query}), server.world(), {})
    assert records.labels["metric"].tolist() == ["node_load1", "node_load5"]


def test_a_metric_that_is_absent_for_a_while_changes_no_series() -> None:
    query = '{__name__=~"node_load."}'
    server = Server({query: [{"__name__": "node_load1"}, {"__name__": "node_load5"}]})
    asked = source(queries={"load": query})
    cursor, _ = asked.poll({}, server.world())
    server.series[query].pop()
    for _ in range(2):
        server.now += STEP
        cursor, records = asked.poll(orjson.loads(orjson.dumps(cursor)), server.world())
        assert records.labels["metric"].tolist() == ["node_load1"]


def test_a_label_is_not_lost_to_another_that_is_called_so_now() -> None:
    server = Server({"node_load1": [{"instance": "a", "host": "x"}, {"host": "y"}]})
    _, (records,) = all_of(source(rename={"instance": "host"}), server.world(), {})
    assert records.labels["host"].tolist() == ["a", "y"]
    assert records.labels["exported_host"].tolist() == ["x", ""]


def test_native_histograms_are_counted_and_keep_nobody_from_being_seen() -> None:
    server = Server({})
    t = (NOW - 30 * SECOND) // STEP * STEP / SECOND
    result = [
        {"metric": {"i": "0"}, "histograms": [[t, {"count": "5", "sum": "2"}]]},
        {"metric": {"i": "1"}, "values": [[t, "3"]]},
    ]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    server.reply = lambda query: httpx.Response(200, json=body)
    _, records = source().poll({}, server.world())
    assert records.labels["i"].tolist() == ["1"] and records.value.tolist() == [3.0]
    assert records.skipped == {"native histogram": 1}


def test_what_is_no_number_is_nan() -> None:
    server = Server({})
    t = (NOW - 30 * SECOND) // STEP * STEP / SECOND
    values = [[t, "NaN"], [t, "+Inf"], [t, "-Inf"], [t, "1e3"]]
    result = [{"metric": {"i": str(i)}, "values": [one]} for i, one in enumerate(values)]
    body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
    server.reply = lambda query: httpx.Response(200, content=orjson.dumps(body))
    _, records = source().poll({}, server.world())
    np.testing.assert_array_equal(records.value, [np.nan, np.nan, np.nan, 1000.0])


def test_a_poll_is_as_long_as_there_is_room_for() -> None:
    """Few points at first; then as many as `most` samples make, whatever the number of series."""
    server = Server({"node_load1": [{"i": str(i)} for i in range(100)]})
    _, polls = all_of(source(history="5h", most=10_000), server.world(), {})
    assert [len(one) for one in polls][:2] == [6000, 10_000]
    assert max(len(one) for one in polls) == 10_000
    assert len(times(polls)) == 100 * 1201


def test_series_that_were_there_first_stay() -> None:
    server = Server({"node_load1": [{"i": str(i)} for i in range(3)]})
    asked, hosts = source(most_series=3), lambda records: sorted(records.labels["i"].tolist())
    cursor, records = asked.poll({}, server.world())
    assert hosts(records) == ["0", "1", "2"] and not records.skipped
    server.series["node_load1"] = [{"i": str(i)} for i in (9, 8, 2, 1, 0)]
    server.now += STEP
    cursor, records = asked.poll(cursor, server.world())
    assert hosts(records) == ["0", "1", "2"]
    assert records.skipped == {"over most_series": 2}
    server.series["node_load1"] = [{"i": str(i)} for i in (9, 2, 0)]  # one has gone for good
    server.now += STEP
    cursor, records = asked.poll(cursor, server.world())
    assert hosts(records) == ["0", "2", "9"] and not records.skipped


def test_the_past_that_is_learned_from_ends_where_it_began() -> None:
    server = Server({"node_load1": [{}]})
    asked = source(history="1h")
    assert asked.learned_until({}) is None
    cursor, records = asked.poll({}, server.world())
    server.now = NOW + HOUR
    polls = [records]
    while polls[-1].more:
        cursor, records = asked.poll(cursor, server.world())
        polls.append(records)
    assert asked.learned_until(cursor) == NOW
    ends = [(int(one.time[0]) <= NOW, int(one.time[-1]) <= NOW) for one in polls]
    assert {(True, True), (False, False)} == set(ends), "a poll is of the past and the present"


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (
            httpx.Response(400, json={"status": "error", "error": "parse error: unclosed ("}),
            Rejected,
            "query load: tsdb answered 400: parse error: unclosed (",
        ),
        (
            httpx.Response(422, json={"status": "error", "error": "too many\nsamples"}),
            Rejected,
            "query load: tsdb answered 422: too many samples",
        ),
        (httpx.Response(503, text="no backend"), Unreachable, "tsdb answered 503: no backend"),
        (httpx.Response(502, text="<html>oh</html>"), Unreachable, "tsdb answered 502"),
        (httpx.Response(401, text="Unauthorized\n"), Rejected, "401: Unauthorized"),
        (httpx.Response(200, text="<html>"), Unreachable, "tsdb: what it answered is no JSON"),
        (httpx.Response(200, json=[]), Unreachable, "does not answer as Prometheus does"),
        (httpx.Response(200, json={"status": "success"}), Unreachable, "as Prometheus does"),
        (
            httpx.Response(
                200,
                json={
                    "status": "success",
                    "warnings": 5,
                    "data": {"resultType": "matrix", "result": []},
                },
            ),
            Unreachable,
            "as Prometheus does",
        ),
        (httpx.Response(200, json={"status": "error", "error": "gone"}), Unreachable, "tsdb: gone"),
        (
            httpx.Response(
                200,
                json={
                    "status": "success",
                    "isPartial": True,
                    "data": {"resultType": "matrix", "result": []},
                },
            ),
            Unreachable,
            "a part of the data only",
        ),
        (
            httpx.Response(
                200,
                json={
                    "status": "success",
                    "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1]]}]},
                },
            ),
            Unreachable,
            "tsdb",
        ),
    ],
)
def test_what_a_server_says_is_said_and_nothing_is_lost(reply, error, said) -> None:
    server = Server({"up": [{}], "node_load1": [{}]})
    asked = source(queries={"up": "up", "load": "node_load1"})
    cursor, _ = asked.poll({}, server.world())
    server.now += 4 * STEP
    server.reply = lambda query: reply if query == "node_load1" else None
    with pytest.raises(error) as raised:
        asked.poll(cursor, server.world())
    assert str(raised.value).endswith(said) or said in str(raised.value)
    server.reply = lambda query: None
    _, polls = all_of(asked, server.world(), cursor)
    assert len(times(polls)) == 8  # of both queries, as if nothing had been


def test_a_server_that_asks_for_time_is_given_it() -> None:
    server = Server({})
    server.reply = lambda query: httpx.Response(429, headers={"retry-after": "7"})
    with pytest.raises(Unreachable) as raised:
        source().poll({}, server.world())
    assert raised.value.after == 7


def test_a_range_that_is_too_much_for_the_server_is_asked_for_in_small_parts() -> None:
    """Nothing came of the days before, so it asked for hours of very many series, for ever."""
    server = Server({"node_load1": []})
    asked = source(history="1d")
    cursor, _ = asked.poll({}, server.world())
    assert server.asked.pop()[2] < NOW / SECOND - 80_000
    server.series["node_load1"] = [{"instance": str(i)} for i in range(5000)]

    def limited(request: httpx.Request) -> httpx.Response:
        said = {name: one[0] for name, one in parse_qs(request.content.decode()).items()}
        if 5000 * (float(said["end"]) - float(said["start"])) / 15 > 400_000:
            return httpx.Response(422, json={"status": "error", "error": "not enough memory"})
        return server.answer(request)

    client = httpx.Client(transport=httpx.MockTransport(limited))
    world = World(http=lambda trust=None: client, now=lambda: server.now)
    cursor, records = asked.poll(cursor, world)
    assert len(records) == 60 * 5000 and records.more
    cursor, records = asked.poll(cursor, world)  # what it learned: about `most` samples
    assert len(records) == 20 * 5000 and records.more
    for status in (422, 503):
        server.reply = lambda query, status=status: httpx.Response(status, json={"error": "no"})
        with pytest.raises((Rejected, Unreachable), match="no"):
            asked.poll(cursor, world)


def test_a_range_that_was_refused_is_asked_for_again_only_now_and_then() -> None:
    """A server that gives no more than 500 steps was asked for 1440 at each poll."""
    server, refused = Server({"node_load1": [{}]}), list[int]()
    asked = source(history="30d")
    most = [500]

    def limited(request: httpx.Request) -> httpx.Response:
        said = {name: one[0] for name, one in parse_qs(request.content.decode()).items()}
        steps = round((float(said["end"]) - float(said["start"])) / 15) + 1
        if steps > most[0]:
            refused.append(steps)
            return httpx.Response(422, json={"status": "error", "error": "too many samples"})
        return server.answer(request)

    client = httpx.Client(transport=httpx.MockTransport(limited))
    world = World(http=lambda trust=None: client, now=lambda: server.now)
    cursor, first = asked.poll({}, world)
    polls = [first]
    for _ in range(80):
        cursor, records = asked.poll(orjson.loads(orjson.dumps(cursor)), world)
        polls.append(records)
    assert len(refused) < 8 and refused[0] == 1440 and set(refused[1:]) == {960}
    assert max(len(one) for one in polls) == 480
    most[0] = 11_000  # and a server that gives more again is found to
    while polls[-1].more:
        cursor, records = asked.poll(cursor, world)
        polls.append(records)
    assert "granted" not in cursor
    assert times(polls) == list(range(times(polls)[0], server.now - 30 * SECOND + 1, STEP))


def test_warnings_are_shown() -> None:
    server = Server({})
    body = {"status": "success", "data": {"resultType": "matrix", "result": []}, "warnings": ["hm"]}
    server.reply = lambda query: httpx.Response(200, json=body)
    _, records = source().poll({}, server.world())
    assert records.skipped == {"nothing, but the server warns: hm": 1}


def test_tenant_password_and_parameters_are_sent() -> None:
    server = Server({"node_load1": [{}]})
    asked = source(
        url="http://tsdb:8481/select/7/prometheus/",
        parameters={"nocache": "1"},
        access={"user": "ann", "password": "env:P", "headers": {"X-Scope-OrgID": "a"}},
    )
    asked.poll({}, server.world())
    (request,) = server.requests
    assert request.url.path == "/select/7/prometheus/api/v1/query_range"
    assert request.headers["x-scope-orgid"] == "a"
    assert request.headers["authorization"].startswith("Basic ")
    assert b"nocache=1" in request.content


def test_check_says_what_each_query_gave() -> None:
    server = Server({"node_load1": [{"i": "1"}, {"i": "2"}], "up": []})
    asked = source(queries={"load": "node_load1", "up": "up"})
    assert asked.found(*asked.poll({}, server.world())) == (
        "query load: 2 series at first",
        "query up: 0 series at first",
        "the first sample is of 2026-03-07T13:59:30 UTC",
    )


def test_check_asks_for_what_is_there_now_where_the_history_begins_before_the_server() -> None:
    """Of a server of this morning and `history: 14d` it said that there are no series."""
    server = Server({"node_load1": [{"instance": "a"}]})
    world = server.world()

    def young(request: httpx.Request) -> httpx.Response:
        said = {name: one[0] for name, one in parse_qs(request.content.decode()).items()}
        if float(said["end"]) < NOW / SECOND - 3600:
            server.reply = lambda query: httpx.Response(200, content=_nothing())
        reply, server.reply = server.answer(request), lambda query: None
        return reply

    client = httpx.Client(transport=httpx.MockTransport(young))
    pipeline = Pipeline.model_validate(
        {
            "name": "nodes",
            "source": source(history="14d").model_dump(mode="json"),
            "features": {"type": "grid", "every": "15s"},
            "detectors": [{"type": "level"}],
        }
    )
    polled = poll(pipeline, replace(world, http=lambda trust=None: client))
    assert polled.series == 1 and "query load: 1 series at first" in polled.found


def _nothing() -> bytes:
    data = {"resultType": "matrix", "result": []}
    return orjson.dumps({"status": "success", "data": data})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"queries": {}}, "at least 1"),
        ({"queries": {"a b": "up"}}, "cannot be a name"),
        ({"url": "tsdb:9090"}, "write an address such as"),
        ({"url": "http://ann:pw@tsdb"}, "goes to access"),
        ({"step": 1_500_000_001}, "to the millisecond"),
        ({"rename": {"a": "c", "b": "c"}}, "two labels"),
    ],
)
def test_what_does_not_fit_is_said(given, said) -> None:
    with pytest.raises(ValidationError, match=said):
        source(**given)
