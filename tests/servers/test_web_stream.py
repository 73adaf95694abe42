"""Blueprint web-stream: MariaDB -> amiss pump -> Kafka -> Pinot -> Amiss, each killed once.

Every row of the table is a judged sample in the end, by Pinot and straight from Kafka; the fault is
found by both.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from amiss.data import SECOND, series_key
from amiss.store import Store
from amiss.web.times import parse_time
from servers import mariadb
from servers.ports import free_port
from servers.running import Running, room
from servers.streaming import example, streaming

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(2700)]

ROOT = Path(__file__).parents[2]
BLUEPRINT = ROOT / "blueprints" / "web-stream.yaml"
START = 1_772_323_200  # 1 March 2026
HISTORY, MORE, FAULT = 400, 30, 445  # minutes; `MORE` come after each kill
LATE = MORE + 1  # minutes: rows of `MORE` come at once, and Pinot reads partitions as it likes
SERIES = 24  # three hosts, four numbers, two pipelines
PATIENCE = 600.0  # seconds until something that was to happen counts as never happening


traffic, set_up = example("traffic"), example("set_up")


def until(done: Callable[[], bool], what: str) -> None:
    last = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < last, what
        time.sleep(0.2)


class System:
    """All of it, in folders."""

    def __init__(self, stack: ExitStack) -> None:
        self.folder = stack.enter_context(room())
        (self.folder / "mariadb").mkdir(mode=0o755)
        both = stack.enter_context(streaming(self.folder))
        self.kafka, self.pinot = both.kafka, both.pinot
        self.mariadb = stack.enter_context(mariadb.server(self.folder / "mariadb"))
        self.engine = create_engine(mariadb.address(self.mariadb), pool_pre_ping=True)
        stack.callback(self.engine.dispose)
        self.brokers = both.brokers
        self.listen = f"127.0.0.1:{free_port()}"
        self.home, self.config = self.folder / "home", self.folder / "web-stream.yaml"
        said = BLUEPRINT.read_text(encoding="utf-8")
        for there, here in (
            ("http://127.0.0.1:8099", self.pinot.url),
            ("servers: 127.0.0.1:9092", f'servers: "{self.brokers}"'),
            ("kind: bilstm, window: 30", "kind: bilstm, window: 30, steps: 30"),  # quickly
            ("every: 5s", "every: 1s"),
            ("late: 1m", f"late: {LATE}m"),
        ):
            assert there in said, there
            said = said.replace(there, here)
        self.config.write_text(f"listen: {self.listen}\ncheckpoint: 1s\n{said}")
        self.address = mariadb.address(self.mariadb)

    def process(self, name: str, *words: str) -> Running:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "amiss", *words]
        return Running(command, folder, 0, lambda: True)

    def amiss(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "amiss", *words, "--home", str(self.home)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def put(self, minutes: range) -> None:
        traffic.write(self.engine, traffic.rows(START, minutes, FAULT))

    def judged(self) -> dict[str, dict[int, tuple[float, float]]]:
        """Of each series by minute: its value and score, as the store has them."""
        store = Store(self.home / "amiss.db")
        try:
            there = [one.key for one in store.series()]
            found = store.history_many(there, 0, 2**62)
        finally:
            store.close()
        return {
            key: {
                (int(t) // SECOND - START) // 60: (float(v), float(s))
                for t, v, s in zip(points.time, points.value, points.score, strict=True)
                if v == v
            }
            for key, points in found.items()
        }

    def series(self) -> list[dict[str, Any]]:
        """As the program says that they are."""
        said = httpx.get(f"http://{self.listen}/api/v1/series", timeout=60).json()
        return list(said["series"])

    def until(self) -> int:
        """The last minute that is judged of all series of both pipelines; -1 before."""
        try:
            ends = [one["time"] for one in self.series() if one["name"] in set_up.NUMBERS]
        except httpx.HTTPError:
            return -1
        if len(ends) < SERIES or not all(ends):
            return -1
        return (parse_time(min(ends)) // SECOND - START) // 60

    def consumed(self) -> int:
        """How many rows Pinot has; -1 before there is an answer."""
        asked = {"sql": "SELECT count(*) FROM web"}
        said = httpx.post(f"{self.pinot.url}/query/sql", json=asked, timeout=60).json()
        whole = not said.get("exceptions") and "resultTable" in said
        return int(said["resultTable"]["rows"][0][0]) if whole else -1

    def skipped(self) -> list[str]:
        """What was left out since the last start."""
        said = httpx.get(f"http://{self.listen}/metrics", timeout=60).text.splitlines()
        lines = [line for line in said if line.startswith("amiss_skipped_total")]
        return [line for line in lines if not line.endswith(" 0.0")]


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with ExitStack() as stack:
        made = System(stack)
        os.environ["WEB"] = made.address
        stack.callback(os.environ.pop, "WEB")
        yield made


def test_every_row_is_judged_and_the_fault_is_found(system: System) -> None:
    set_up.make_topic(system.brokers)
    set_up.make_table(system.pinot.controller, system.brokers)
    set_up.make_topic(system.brokers)  # what is there is left alone
    set_up.make_table(system.pinot.controller, system.brokers)
    system.put(range(HISTORY))
    where = ("pump", "env:WEB", system.brokers, "web", "--table", "web", "--time", "ts")
    pump = system.process("pump", *where, "--cursor", "id", "--key", "host")
    live = system.process("amiss", "run", str(system.config), "--home", str(system.home))
    live.ready = lambda: httpx.get(f"http://{system.listen}/healthz", timeout=5).is_success
    minutes = HISTORY

    def caught_up() -> bool:
        """Both pipelines have judged all minutes that are over for sure: `late` is one."""
        return system.until() == minutes - 2 - LATE

    with ExitStack() as stack:
        stack.enter_context(pump)
        until(lambda: system.consumed() == 3 * minutes, "Pinot has the history")
        stack.enter_context(live)
        until(caught_up, "the history")
        live.stop()
        trained = system.amiss("train", str(system.config))
        assert trained.returncode == 0, trained.stderr
        assert trained.stdout.count("in use") == 2
        live.start()
        for server in (None, system.mariadb, system.kafka, system.pinot, pump, live):
            if server is not None:
                server.kill()
                server.start()
            system.put(range(minutes, minutes + MORE))
            minutes += MORE
            until(caught_up, f"after {server}")
            assert not system.skipped()
        incidents = httpx.get(f"http://{system.listen}/api/v1/incidents", timeout=60).json()
        seen = {one["key"]: one["seen"] for one in system.series() if one["name"] in set_up.NUMBERS}
        page = httpx.get(f"http://{system.listen}/dashboard/", timeout=60, follow_redirects=True)
        live.stop()
    account(system, minutes)
    assert len(seen) == SERIES and set(seen.values()) == {minutes - 1 - LATE}  # the rest may go on
    assert page.status_code == 200
    found = [one for one in incidents["incidents"] if "web-1" in json.dumps(one)]
    systems = {one["system"] for one in found if during(one)}
    assert systems == {'host="web-1"', 'host="web-1",via="kafka"'}, incidents


def during(one: dict[str, Any]) -> bool:
    since = (parse_time(one["since"]) // SECOND - START) // 60
    return FAULT <= since <= FAULT + traffic.LASTS


def account(system: System, minutes: int) -> None:
    """Table, topic, Pinot and both histories: the same rows."""
    with system.engine.connect() as connection:
        there = connection.execute(text("SELECT ts, host, requests, errors, latency_ms, megabytes"
                                        " FROM web")).fetchall()  # fmt: skip
    assert len(there) == 3 * minutes
    asked = {"sql": "SELECT count(*), distinctcount(id) FROM web"}
    said = httpx.post(f"{system.pinot.url}/query/sql", json=asked, timeout=60).json()
    assert said["resultTable"]["rows"] == [[len(there)] * 2]
    judged, scored = system.judged(), 0
    for labels in ({}, {"via": "kafka"}):
        for ts, host, *values in there:
            minute = (ts // 1000 - START) // 60
            if minute >= minutes - 1 - LATE:  # not sure to be over
                continue
            for name, value in zip(set_up.NUMBERS, values, strict=True):
                key = series_key(name, {"host": host, **labels})
                assert judged[key][minute][0] == pytest.approx(value, rel=1e-6), (key, minute)
                scored += 1
    assert scored == 2 * 4 * 3 * (minutes - 1 - LATE)
