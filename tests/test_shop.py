"""The shop of the examples: its lines, and the load that comes to it."""

import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from werkzeug.serving import make_server

from amiss.detecting import suspicious
from servers.shop import module

shop, load = module("shop"), module("load")


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def address(lines: list[bytes]) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, shop.application(lines.append), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def said(lines: list[bytes]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in lines]


def test_what_is_made_up_is_what_the_shop_writes(address: str, lines: list[bytes]) -> None:
    calls = [load.customer(random.Random(seed)) for seed in range(60)]
    for call in calls:
        assert load.ask(address, call) == call.status
    made = said([load.line(1e9, call, random.Random(1)) for call in calls])
    for one, other in zip(said(lines), made, strict=True):
        assert one.keys() == other.keys()
        for name in ("ip", "method", "route", "url", "status", "bytes", "agent"):
            assert one[name] == other[name]
    assert {one["status"] for one in made} == {200, 201, 401, 404}


@pytest.mark.parametrize(
    ("kind", "status", "found"),
    [
        ("injection", {200}, {"sql-injection", "scanner"}),
        ("scan", {403, 404}, {"sensitive-file", "probe", "scanner"}),
        ("guessing", {401}, set()),
        ("errors", {500}, set()),
        ("scraping", {200, 404}, set()),
    ],
)
def test_an_attack_is_what_it_is_called(address: str, lines, kind, status, found) -> None:
    chance = random.Random(3)
    for _ in range(40):
        load.ask(address, load.attack(kind, chance))
    assert {one["status"] for one in said(lines)} <= status
    texts = [f"{one['url']} {one['agent']}" for one in said(lines)]
    names = set(suspicious.PATTERNS)
    assert found <= {name for text in texts for name in suspicious.found(text, tuple(names))}


def test_answers_take_as_long_as_they_are_asked_to(address: str, lines: list[bytes]) -> None:
    load.ask(address, load.Call("/report?seconds=0.2", "203.0.113.1"))
    assert said(lines)[0]["duration_ms"] >= 200


def test_a_history_is_in_order_and_busier_by_day() -> None:
    noon = 1_700_006_400 + 43_200 - 1_700_006_400 % 86_400
    times = [one["time"] for one in said(list(load.history(noon, 86_400, 0.2, random.Random(1))))]
    assert times == sorted(times)
    hours = [int(time[11:13]) for time in times]
    assert sum(9 <= hour < 12 for hour in hours) > 2 * sum(0 <= hour < 3 for hour in hours)


def test_nobody_there_is_counted(address: str) -> None:
    assert load.run("http://127.0.0.1:9", 500.0, "", 1.0, random.Random(1)) > 0
    assert load.run(address, 500.0, "errors", 0.05, random.Random(1)) == 0
    assert load.span("30m") == 1800


def test_a_shop_that_is_killed_in_the_middle_of_an_answer_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as half, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(
            load.ask, f"http://127.0.0.1:{half.getsockname()[1]}", load.Call("/", "")
        )
        with half.accept()[0] as one:
            one.recv(65536)
            one.sendall(b"HT")
        assert asked.result() == 0
