"""The source `loki` on a made Loki; on a real one: tests/servers/test_loki.py."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amiss.component import Cursor
from amiss.data import DAY, SECOND, Records
from amiss.errors import Rejected, Unreachable
from amiss.formats import batch
from amiss.formats.parsed import places
from amiss.reading import entries
from amiss.reading.late import FAILED, LATE
from amiss.reading.logql import Lines
from amiss.sources.loki import Loki
from amiss.world import World
from fake_loki import FakeLoki

NOW = 1_700_000_000 * SECOND
NOON = 19_675 * DAY + DAY // 2
NO_TEXT = b'{"status": "success", "data": {"result": [{"stream": {}, "values": [["1", 5]]}]}}'
TORN = b'{"status": "success", "data": {"result": [{"stream": {}, "values": [["x"]]}]}}'


def source(**settings: Any) -> Loki:
    if "metrics" not in settings:
        settings = {"query": '{app="shop"}'} | settings
    return Loki(url="http://loki:3100", **settings)


def polled(one: Loki, server: FakeLoki, now: int, cursor: Cursor) -> tuple[Cursor, list[Records]]:
    """All there is, poll by poll, each with a cursor out of JSON."""
    found, more = [], True
    world = World(http=server.client, now=lambda: now)
    while more:
        cursor, records = one.poll(orjson.loads(orjson.dumps(cursor)), world)
        found.append(records)
        more = records.more
    return cursor, found


def texts(found: list[Records]) -> list[str]:
    return [text for records in found if records.text is not None for text in records.text.tolist()]


@given(
    lines=st.lists(
        st.tuples(st.integers(0, 12), st.text("ab\u00e9\U0001f600\n", max_size=4)), max_size=60
    ),
    page=st.integers(2, 7),
    most=st.integers(1, 20),
)
def test_each_line_comes_once_whatever_lies_at_the_edge_of_a_page(lines, page, most) -> None:
    server = FakeLoki(most=page)
    for second, text in lines:
        server.push(NOW - 60 * SECOND + second, f"x{text}", app="shop")
    _, found = polled(source(page=page, most=most, format="text"), server, NOW, {})
    assert Counter(texts(found)) == Counter(row[1] for row in server.lines)
    times = [int(t) for records in found for t in records.time]
    assert times == sorted(times)
    for before, after in pairwise(found):
        assert before.watermark is not None and (after.time > before.watermark).all()


def test_more_lines_of_one_nanosecond_than_a_page_holds_are_asked_for_in_parts() -> None:
    server = FakeLoki(most=10)
    for i in range(137):
        server.push(NOW - SECOND, f'{{"same": "beginning", "id": {i}}}', app="shop")
    server.push(NOW - SECOND + 1, '{"id": "next"}', app="shop")
    _, found = polled(source(page=10, delay=0), server, NOW, {})
    ids = [str(said) for records in found for said in records.labels.get("id", ())]
    assert sorted(ids) == sorted([*map(str, range(137)), "next"])


def test_parts_are_asked_for_though_the_query_ends_in_a_comment() -> None:
    server = FakeLoki(most=10)
    for i in range(30):
        server.push(NOW - 20 * SECOND, f"line {i}", app="shop")
    _, found = polled(source(query='{app="shop"} # all', page=10, format="text"), server, NOW, {})
    assert sorted(texts(found)) == sorted(f"line {i}" for i in range(30))
    said = [request.url.params["query"].splitlines() for request in server.asked]
    assert any(len(lines) > 1 for lines in said)
    assert all(lines[0] == '{app="shop"} # all' for lines in said)


def test_equal_lines_of_more_streams_than_a_page_holds_are_told_of() -> None:
    server = FakeLoki(most=10)
    for pod in range(12):
        server.push(NOW - 20 * SECOND, "the same", app="shop", pod=str(pod))
    _, found = polled(source(page=10, format="text"), server, NOW, {})
    assert sum((Counter(one.skipped) for one in found), Counter()) == {entries.CUT: 1}


def test_a_late_line_within_the_delay_is_used_once_and_none_twice() -> None:
    server, one = FakeLoki(), source(delay="10s", format="text")
    server.push(NOW - 20 * SECOND, "old", app="shop")
    server.push(NOW - 4 * SECOND, "new", app="shop")
    cursor, found = polled(one, server, NOW, {})
    assert texts(found) == ["old"]
    assert found[-1].watermark == NOW - 10 * SECOND - 1
    server.push(NOW - 9 * SECOND, "late", app="shop")  # behind one that is there already
    cursor, found = polled(one, server, NOW + 7 * SECOND, cursor)
    assert texts(found) == ["late", "new"]
    cursor, found = polled(one, server, NOW + 60 * SECOND, cursor)
    assert texts(found) == []


@pytest.mark.parametrize("query", ['{app="shop"}', '{app="shop"} # all'])
def test_lines_later_than_the_delay_are_counted_once_each(query) -> None:
    server, one = FakeLoki(), source(query=query, format="text")
    minute = 60 * SECOND
    edge = NOON + 10 * minute
    for second in range(1200):
        server.push(NOON + second * SECOND, f"at {second}", app="shop")
    cursor, found = polled(one, server, NOON + 21 * minute, {})
    for i, at in enumerate((edge - 1, edge, edge, edge + 1, edge + 4 * minute)):
        server.push(at, f"late {i}", app="shop")
    late = Counter()
    for passed in range(22, 130):
        cursor, rest = polled(one, server, NOON + passed * minute, cursor)
        found += rest
        late += sum((Counter(records.skipped) for records in rest), Counter())
    assert texts(found) == [f"at {second}" for second in range(1200)]
    assert late == {LATE: 5}
    counts = [one for one in server.asked if "count_over_time" in one.url.params["query"]]
    assert {one.headers["cache-control"] for one in counts} == {"no-cache"}


def test_a_count_that_is_no_number_is_none() -> None:
    values = [[300, "NaN"], [600, "7"]]
    said = {"result": [{"metric": {}, "values": values}]}
    assert Lines(lambda path, **asked: said, "{}", 9).count(0, 2) == {0: 0, 1: 7}


def test_a_count_that_is_refused_stops_no_line() -> None:
    server, one = FakeLoki(countless=True), source(format="text")
    cursor, _ = polled(one, server, NOW, {})
    server.push(NOW + SECOND, "new", app="shop")
    cursor, found = polled(one, server, NOW + 900 * SECOND, cursor)
    assert texts(found) == ["new"]
    assert sum((Counter(one.skipped) for one in found), Counter()) == {FAILED: 1}
    _, [records] = polled(one, server, NOW + 901 * SECOND, cursor)
    assert records.skipped == {}


def test_equal_lines_that_cannot_be_asked_for_are_not_late() -> None:
    server, one = FakeLoki(most=10), source(page=10, format="text")
    cursor, _ = polled(one, server, NOW, {})
    for pod in range(12):
        server.push(NOW + 400 * SECOND, "the same", app="shop", pod=str(pod))
    cursor, found = polled(one, server, NOW + 600 * SECOND, cursor)
    found += polled(one, server, NOW + 3600 * SECOND, cursor)[1]
    assert sum((Counter(one.skipped) for one in found), Counter()) == {entries.CUT: 1}


def test_the_past_that_is_learned_from_ends_where_it_began() -> None:
    server, one = FakeLoki(), source(history="1m", most=5, format="text")
    for second in range(60):
        server.push(NOW - 30 * SECOND + second * SECOND, f"at {second}", app="shop")
    assert one.learned_until({}) is None
    cursor, first = polled(one, server, NOW, {})
    cursor, rest = polled(one, server, NOW + 60 * SECOND, cursor)
    assert one.learned_until(cursor) == NOW
    found = [records for records in (*first, *rest) if len(records)]
    assert texts(found) == [f"at {second}" for second in range(60)]
    past = [set((records.time <= NOW).tolist()) for records in found]
    assert {True} in past and {False} in past
    assert {True, False} not in past, "a poll is of the past and the present"


def test_a_cursor_from_before_the_past_was_told_apart_has_read_all_of_it() -> None:
    server, one = FakeLoki(), source(format="text")
    server.push(NOW - 20 * SECOND, "new", app="shop")
    cursor, found = polled(one, server, NOW, {"next": NOW - 30 * SECOND})
    assert texts(found) == ["new"]
    assert one.learned_until(cursor) == 0, "also of ticks that began before it, all is told"


def test_labels_metadata_and_fields_are_labels() -> None:
    server = FakeLoki()
    line = '{"time": "2023-11-14T22:13:00Z", "status": 500, "app": "inner", "ms": 12.5}'
    server.push(NOW - 30 * SECOND, line, {"trace": "t1"}, app="shop", pod="a")
    server.push(NOW - 29 * SECOND, '{"status": 200, "ms": 3}', app="shop", pod="b")
    server.push(NOW - 28 * SECOND, "torn", app="shop", pod="b")
    _, [records] = polled(source(value="ms", format="json", labels={"host": "h"}), server, NOW, {})
    assert {name: column.tolist() for name, column in records.labels.items()} == {
        "app": ["shop", "shop"], "pod": ["a", "b"], "trace": ["t1", ""], "host": ["h", "h"],
        "status": ["500", "200"], "app_extracted": ["inner", ""], "ms": ["12.5", "3"],
    }  # fmt: skip
    assert records.time.tolist() == [NOW - 30 * SECOND, NOW - 29 * SECOND]
    assert records.value.tolist() == [12.5, 3.0]
    assert records.skipped == {"lines that are no JSON object": 1}


def test_metadata_that_anyone_may_name_are_so_many_at_most() -> None:
    server = FakeLoki()
    for n in range(10):
        server.push(NOW - (30 + n) * SECOND, "m", {f"f{n}_{i}": "x" for i in range(30)}, app="shop")
    _, [records] = polled(source(format="text"), server, NOW, {})
    assert len(records) == 10 and len(records.labels) == 200
    assert records.skipped == {"values of fields over the cap of 200": 101}


def test_a_format_is_read_as_source_file_reads_it() -> None:
    server = FakeLoki()
    request = '10.0.0.1 - ann [14/Nov/2023:22:13:00 +0000] "GET /a HTTP/1.1" 200 12'
    server.push(NOW - 30 * SECOND, request, app="shop")
    _, [records] = polled(source(format="combined"), server, NOW, {})
    assert records.labels["path"].tolist() == ["/a"] and records.labels["user"].tolist() == ["ann"]
    _, [records] = polled(source(format="regex", regex=r"(?P<ip>\S+) "), server, NOW, {})
    assert records.labels["ip"].tolist() == ["10.0.0.1"]


def test_what_was_repeated_keeps_its_times() -> None:
    lines = [
        "Nov 14 22:13:00 gate sshd[1]: message repeated 3 times: "
        "[ Failed password for ann from 1.2.3.4 port 5 ssh2]",
        "no syslog",
        "Nov 14 22:13:01 gate sshd[1]: Failed password for bob from 1.2.3.4 port 5 ssh2",
    ]  # fmt: skip
    server = FakeLoki()
    for i, line in enumerate(lines):
        server.push(NOW - (30 - i) * SECOND, line, app="shop")
    _, [records] = polled(source(format="auth"), server, NOW, {})
    assert records.labels["user"].tolist() == ["ann"] * 3 + ["bob"]
    assert (NOW - records.time).tolist() == [30 * SECOND] * 3 + [28 * SECOND]


def test_wide_lines_are_read_in_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "CELLS", 500)
    server = FakeLoki()
    for i in range(60):
        server.push(NOW - (90 - i // 3) * SECOND, f"line {i:03} {'x' * (i % 40)}", app="shop")
    _, found = polled(source(format="text"), server, NOW, {})
    assert texts(found) == [row[1] for row in server.lines]
    assert len(found) > 3


def test_metric_queries_are_asked_for_once_a_step() -> None:
    server = FakeLoki()

    def answer(values: list[list[Any]]) -> bytes:
        result = [{"metric": {"route": "/a"}, "values": values}]
        data = {"resultType": "matrix", "result": result}
        return orjson.dumps({"status": "success", "data": data})

    server.body = answer([[1_699_999_920, "1.5"], [1_699_999_980, "NaN"]])
    one = source(metrics={"rate": "sum(x)"}, delay="5s", history="2m", labels={"host": "h"})
    cursor, [records] = polled(one, server, NOW, {})
    asked = server.asked[-1].url.params
    span = (1_699_999_860 * SECOND, 1_699_999_980 * SECOND)
    assert (int(asked["start"]), int(asked["end"])) == span
    assert asked["step"] == "60s"
    assert records.time.tolist() == [1_699_999_920 * SECOND, 1_699_999_980 * SECOND]
    np.testing.assert_array_equal(records.value, [1.5, np.nan])
    assert set(records.name) == {"rate"} and set(records.labels) == {"route", "host"}
    assert records.watermark == 1_699_999_980 * SECOND
    assert polled(one, server, NOW + 20 * SECOND, cursor)[0] == cursor
    assert len(server.asked) == 1, "no step was due"
    server.body = answer([[1_700_000_040, "2"]])
    polled(one, server, NOW + 60 * SECOND, cursor)
    assert server.asked[-1].url.params["start"] == str(1_700_000_040 * SECOND)


def test_noughts_of_the_past_before_the_first_line_are_no_past() -> None:
    """`or vector(0)` knows nothing of when an application began; from then on noughts count."""
    server, said = FakeLoki(), [[NOW // SECOND // 60 * 60 - 60 * k, "0"] for k in range(9, 0, -1)]

    def answer(values: list[list[Any]]) -> bytes:
        data = {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
        return orjson.dumps({"status": "success", "data": data})

    one = source(metrics={"errors": "x or vector(0)"}, delay="0s", history="9m")
    server.body = answer(said)
    cursor, [records] = polled(one, server, NOW, {})
    assert (len(records), dict(records.skipped)) == (0, {"noughts before anything was heard": 9})
    server.body = answer([[NOW // SECOND // 60 * 60 + 60, "0"]])
    _, [records] = polled(one, server, NOW + 60 * SECOND, cursor)
    assert records.value.tolist() == [0.0], "what is now is now"
    said[4][1] = "3"
    server.body = answer(said)
    cursor, [records] = polled(one, server, NOW, {})
    assert records.value.tolist() == [3.0, 0.0, 0.0, 0.0, 0.0]
    assert dict(records.skipped) == {"noughts before anything was heard": 4}


def test_long_histories_of_metrics_come_in_pieces() -> None:
    server = FakeLoki(body=b'{"status": "success", "data": {"result": []}}')
    _, found = polled(source(metrics={"a": "x"}, history="2d"), server, NOW, {})
    spans = [(int(r.url.params["start"]), int(r.url.params["end"])) for r in server.asked]
    steps = [t for a, b in spans for t in range(a, b + 1, 60 * SECOND)]
    assert steps == list(range(steps[0], steps[-1] + 1, 60 * SECOND)) and len(steps) == 2881
    assert [records.more for records in found] == [True, True, False]


def test_no_answer_of_metrics_is_of_the_past_and_the_present() -> None:
    server = FakeLoki(body=b'{"status": "success", "data": {"result": []}}')
    one = source(metrics={"a": "x"}, history="1d")
    cursor, _ = one.poll({}, World(http=server.client, now=lambda: NOW))
    cursor, _ = polled(one, server, NOW + 7200 * SECOND, cursor)  # the rest comes late
    assert one.learned_until(cursor) == NOW
    spans = [(int(r.url.params["start"]), int(r.url.params["end"])) for r in server.asked]
    assert NOW - 60 * SECOND < spans[1][1] <= NOW < spans[2][0]


def test_no_more_than_a_week_of_metrics_is_asked_for_at_once() -> None:
    server = FakeLoki(body=b'{"status": "success", "data": {"result": []}}')
    asked = source(metrics={"a": "x"}, history="60d", step="1h")
    polled(asked, server, NOW, {})
    spans = [(int(r.url.params["start"]), int(r.url.params["end"])) for r in server.asked]
    assert max(b - a for a, b in spans) <= 7 * DAY
    steps = [t for a, b in spans for t in range(a, b + 1, 3600 * SECOND)]
    assert steps == sorted(set(steps)) and len(steps) in (60 * 24, 60 * 24 + 1)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, b"parse error at line 1,\n col 3\n", Rejected, "400: parse error at line 1, col 3"),
        (401, b"no org id", Rejected, "401: no org id"),
        (429, b"too many outstanding requests", Unreachable, "429: too many outstanding requests"),
        (503, b"", Unreachable, "loki answered 503"),
        (200, b"<html>log in</html>", Unreachable, "no JSON"),
        (200, b'{"status": "success"}', Unreachable, "not one of Loki"),
        (200, TORN, Unreachable, "not one of Loki"),
        (200, NO_TEXT, Unreachable, "not one of Loki"),
    ],
)  # fmt: skip
def test_what_loki_refuses_is_said_in_its_words(status, body, kind, said) -> None:
    server = FakeLoki(status=status, body=body, headers={"Retry-After": "7"})
    with pytest.raises(kind, match=said) as refused:
        polled(source(), server, NOW, {})
    if status == 429:
        assert refused.value.after == 7


def test_a_page_larger_than_the_server_allows_is_refused_with_its_limit() -> None:
    with pytest.raises(Rejected, match=r"max_entries_limit \(5000 > 10\)"):
        polled(source(), FakeLoki(most=10), NOW, {})


def test_a_tenant_is_a_header() -> None:
    server = FakeLoki()
    polled(source(access={"headers": {"X-Scope-OrgID": "team-a"}}), server, NOW, {})
    assert server.asked[0].headers["x-scope-orgid"] == "team-a"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"query": ""}, "write query, for lines, or metrics"),
        ({"metrics": {"a": "x"}, "query": "{}"}, "write query, for lines, or metrics"),
        ({"query": "rate({a='b'}[1m])"}, "numbers go to metrics"),
        ({"metrics": {"a": "x"}, "step": "1500ms"}, "whole seconds"),
        ({"metrics": {" ": "x"}}, "needs a name"),
        ({"format": "regex"}, "named groups"),
        ({"format": "text", "value": "ms"}, "text has no fields"),
    ],
)
def test_settings_that_make_no_sense_are_said(settings, said) -> None:
    with pytest.raises(ValidationError, match=said):
        source(**settings)


@pytest.mark.parametrize("url", ["loki:3100", "http://ann:pw@loki", "http://loki?x=1"])
def test_an_address_has_no_secrets(url) -> None:
    with pytest.raises(ValidationError, match="goes to access"):
        Loki(url=url, query="{}")


def test_check_says_what_there_is() -> None:
    server = FakeLoki()
    one = source(value="took")
    world = World(http=server.client, now=lambda: NOW)
    assert one.found(*one.poll({}, world)) == ("no lines in the last 1d",)
    server.push(NOW - 30 * SECOND, '{"ms": 1}', app="shop")
    cursor, records = one.poll({}, world)
    assert one.found(cursor, records) == ("1 lines read, json", "fields: app, ms")
    [wrong] = one.wrong(cursor, records)
    assert wrong == "source.value: no record has a field 'took'; there are app, ms"


def test_places_of_kept_lines() -> None:
    lines = ["a", "b", "a", "c", "a"]
    assert places(lines, ["a", "a", "a"]).tolist() == [0, 2, 4]
    assert places(lines, ["b", "c"]).tolist() == [1, 3]


def shipped(server: FakeLoki, first: int, end: int) -> list[str]:
    """A line every ten seconds in [first, end), and what they say."""
    said = [f"at {t // SECOND}" for t in range(first, end, 10 * SECOND)]
    for k, t in enumerate(range(first, end, 10 * SECOND)):
        server.push(t, said[k], app="shop")
    return said


def minutes(
    one: Loki, server: FakeLoki, first: int, end: int, cursor: Cursor
) -> tuple[Cursor, list[Records]]:
    """What comes of a poll every ten seconds."""
    found = []
    for now in range(first, end, 10 * SECOND):
        cursor, some = polled(one, server, now, cursor)
        found += some
    return cursor, found


def test_after_a_gap_the_lines_that_shippers_held_back_are_waited_for() -> None:
    """Loki was away for four minutes; a shipper that waits twice as long each time comes last."""
    server, one, minute = FakeLoki(), source(format="text", every="10s"), 60 * SECOND
    said = shipped(server, NOW - 10 * minute, NOW)
    cursor, found = minutes(one, server, NOW - 5 * SECOND, NOW, {})
    back = NOW + 4 * minute
    cursor, some = polled(one, server, back, cursor)  # nobody has sent anything yet
    assert texts(found + some) == said
    assert some[-1].watermark is not None
    assert some[-1].watermark < NOW
    assert not some[-1].more
    found += some
    cursor, some = minutes(one, server, back, back + 3 * minute, cursor)
    assert not texts(some)
    said += shipped(server, NOW, back + 3 * minute)
    cursor, some = minutes(one, server, back + 3 * minute, back + 6 * minute, cursor)
    found += some
    assert texts(found) == said
    assert not sum((Counter(records.skipped) for records in found), Counter())
    end = back + 6 * minute
    assert found[-1].watermark == end - 20 * SECOND - 1


def test_where_nothing_comes_any_more_it_is_waited_for_once_after_each_gap() -> None:
    """As long as the gap was beyond the last line or poll, five minutes at most."""
    server, one, minute, now = FakeLoki(), source(format="text", every="10s"), 60 * SECOND, NOW
    shipped(server, NOW - minute, NOW)
    cursor, _ = minutes(one, server, now, now + 10 * minute, {})
    held = []
    for gap in (15, 120, 3600):
        now += 10 * minute + gap * SECOND
        cursor, some = minutes(one, server, now, now + 10 * minute, cursor)
        held.append(sum((records.watermark or 0) < now - 30 * SECOND for records in some))
        assert some[-1].watermark == now + 10 * minute - 20 * SECOND - 1
    assert held == [0, 13, 30]
