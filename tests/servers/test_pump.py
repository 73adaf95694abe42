"""`amiss pump` from a real MariaDB to a real Kafka: every row once, whoever is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from sqlalchemy import Engine, create_engine, text

from servers import kafka, mariadb
from servers.running import PATIENCE, Running, room

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with kafka.server(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
def base() -> Iterator[tuple[Running, Engine]]:
    with room() as folder, mariadb.server(folder) as running:
        engine = create_engine(mariadb.address(running), pool_pre_ping=True)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE web (ts BIGINT, host VARCHAR(9), n INTEGER)"))
        yield running, engine
        engine.dispose()


def put(engine: Engine, numbers: range) -> None:
    rows = [{"t": 1_700_000_000 + n // 7, "h": f"web-{n % 3}", "n": n} for n in numbers]
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO web VALUES (:t, :h, :n)"), rows)


def pump(base: Running, broker: Running, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "amiss", "pump", "env:WEB", kafka.address(broker), "web"]
    command += ["--table", "web", "--time", "ts", "--key", "host", *more]
    said = os.environ | {"WEB": mariadb.address(base)}
    return subprocess.Popen(command, env=said, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)  # fmt: skip


class Topic:
    """What is committed of a topic of one partition."""

    def __init__(self, broker: Running) -> None:
        said = {"bootstrap.servers": kafka.address(broker), "group.id": "look", "log_level": 0}
        self.consumer = Consumer(said | {"isolation.level": "read_committed"})
        self.consumer.assign([TopicPartition("web", 0, 0)])
        self.numbers = list[int]()

    def until(self, n: int) -> list[int]:
        last = time.monotonic() + PATIENCE
        while len(self.numbers) < n and time.monotonic() < last:
            for one in self.consumer.consume(10_000, 0.1):
                if one.error() is None:
                    said = orjson.loads(one.value())
                    assert one.key().decode() == said["host"] == f"web-{said['n'] % 3}"
                    self.numbers.append(said["n"])
        return self.numbers


def test_every_row_once_whoever_is_killed(
    base: tuple[Running, Engine], broker: Running, tmp_path: Path
) -> None:
    running, engine = base
    admin = AdminClient({"bootstrap.servers": kafka.address(broker)})
    admin.create_topics([NewTopic("web", 1, 1)])["web"].result(PATIENCE)
    topic, sent = Topic(broker), 3000
    put(engine, range(sent))
    begun = pump(running, broker, "--rate", "2000", "--most", "100")
    topic.until(500)
    begun.kill()  # somewhere between two transactions, or in one
    begun.communicate()
    going = pump(running, broker, "--most", "300", "--late", "2s")
    assert sorted(topic.until(sent)) == list(range(sent))
    for server in (running, broker):
        server.kill()
        server.start()
        put(engine, range(sent, sent + 500))
        sent += 500
        assert sorted(topic.until(sent)) == list(range(sent))
    second = pump(running, broker, "--once", "--late", "2s")  # of the same name
    out, err = second.communicate(timeout=PATIENCE)
    assert (second.returncode, out) == (0, "0 rows sent\n"), err
    put(engine, range(sent, sent + 5))
    _, err = going.communicate(timeout=PATIENCE)
    assert going.returncode == 1
    assert "another pump of this name has begun" in err and "Traceback" not in err
    last = pump(running, broker)
    assert sorted(topic.until(sent + 5)) == list(range(sent + 5))
    last.send_signal(signal.SIGTERM)
    assert last.communicate(timeout=PATIENCE)[0] == "5 rows sent\n"
    topic.consumer.close()
