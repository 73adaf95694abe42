"""Rows a second from real servers: SQL databases, Kafka, Pinot; read, and judged and stored.

    python benchmarks/streams.py [mariadb postgresql kafka pinot] [--rows 300000] [--json]

Needs the servers that `make servers` installs. A row has a time, a host of a hundred and three
numbers, each of which is a sample; a tick is 10 s. `read` is the source alone, polled until there
is no more; `judged` is a watch as it runs live, with its store: the default judges of a single
series, and checkpoints by the clock. CPU seconds of the whole process, threads that fetch included,
and seconds of the clock beside them, which a busy machine makes longer.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from amiss.component import Source
from amiss.data import MINUTE
from amiss.pipeline import Pipeline
from amiss.run.watch import Watch, close, resume, tick
from amiss.store import Store
from amiss.world import World

HOSTS, STEP, START = 100, 10, 1_700_000_000
NUMBERS = ("hits", "errors", "ms")
COLUMNS: dict[str, Any] = {"time": "ts", "by": ("host",), "values": NUMBERS}
JUDGES = ({"type": "level"}, {"type": "step"}, {"type": "surprise"})


def rows(n: int) -> Iterator[dict[str, Any]]:
    """In the order of their times."""
    for i in range(n):
        said = {"hits": i * 37 % 101, "errors": i * 17 % 5, "ms": i * 13 % 997 / 8}
        yield {"ts": 1000 * (START + i // HOSTS * STEP), "host": f"web-{i % HOSTS}", **said}


@contextmanager
def database(name: str, n: int) -> Iterator[Source]:
    """A table in MariaDB or PostgreSQL."""
    from importlib import import_module

    from sqlalchemy import create_engine, text

    from amiss.sources.sql import Sql
    from servers.running import room

    kind = import_module(f"servers.{name}")
    with room() as folder, kind.server(folder) as running:
        address = kind.address(running)
        engine = create_engine(address)
        with engine.begin() as connection:
            numbers = ", ".join(f"{one} DOUBLE PRECISION" for one in NUMBERS)
            made = f"CREATE TABLE web (ts BIGINT, host VARCHAR(9), {numbers})"
            connection.execute(text(made))
            insert = text("INSERT INTO web VALUES (:ts, :host, :hits, :errors, :ms)")
            some = list(rows(n))
            for first in range(0, n, 10_000):
                connection.execute(insert, some[first : first + 10_000])
            connection.execute(text("CREATE INDEX times ON web (ts)"))
        engine.dispose()
        yield Sql(url=address, table="web", **COLUMNS)
        World().database(address).close()


@contextmanager
def topic(n: int) -> Iterator[tuple[Source, Any]]:
    """Messages of JSON in four partitions of Kafka."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    from amiss.sources.kafka import Kafka
    from servers import kafka
    from servers.running import room

    with room() as folder, kafka.server(folder) as running:
        brokers = kafka.address(running)
        admin = AdminClient({"bootstrap.servers": brokers})
        admin.create_topics([NewTopic("web", 4, 1)])["web"].result(30)
        producer = Producer({"bootstrap.servers": brokers, "linger.ms": 20})
        for i, row in enumerate(rows(n)):
            producer.produce("web", orjson.dumps(row), partition=i % 4)
            if i % 10_000 == 0:
                producer.flush()
        producer.flush()
        yield Kafka(servers=brokers, topics=("web",), **COLUMNS), running


@contextmanager
def table(n: int) -> Iterator[Source]:
    """The same topic in a real-time table of Pinot."""
    import httpx

    from amiss.sources.pinot import Pinot
    from servers import pinot
    from servers.running import room

    sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "web-stream"))
    import set_up  # type: ignore[import-not-found]

    set_up.NUMBERS = NUMBERS
    with topic(n) as (_, broker), room() as folder, pinot.server(folder) as running:
        set_up.make_table(running.controller, f"127.0.0.1:{broker.port}")
        asked = {"sql": "SELECT count(*) FROM web"}
        there = 0
        while there < n:
            time.sleep(0.5)
            said = httpx.post(f"{running.url}/query/sql", json=asked, timeout=30).json()
            there = said.get("resultTable", {"rows": [[0]]})["rows"][0][0]
        yield Pinot(url=running.url, table="web", late="10s", **COLUMNS)


def read(source: Source) -> int:
    """Samples until there is no more."""
    cursor: dict[str, Any] = {}
    count, more = 0, True
    while more:
        cursor, records = source.poll(orjson.loads(orjson.dumps(cursor)), World())
        count, more = count + len(records), records.more
    return count


def judged(source: Source) -> int:
    """The same through a watch and its store."""
    with tempfile.TemporaryDirectory() as folder:
        said = {"name": "web", "source": source, "features": {"type": "grid", "every": "10s"}}
        pipeline = Pipeline.model_validate(said | {"detectors": JUDGES, "budget": "5/day"})
        store = Store(Path(folder) / "amiss.db")
        watch = Watch(pipeline, store, World(), 5 * MINUTE)
        resume(watch)
        while tick(watch, lambda: None):
            pass
        close(watch)
        count = sum(len(store.history(one.key, 0, 2**62).time) for one in store.series())
        store.close()
    return count


def timed(what: Callable[[Source], int], source: Source) -> dict[str, float]:
    """Samples, and how long they took."""
    cpu, clock = time.process_time(), time.monotonic()
    count = what(source)
    cpu, clock = time.process_time() - cpu, time.monotonic() - clock
    return {
        "samples": count,
        "samples_per_cpu_second": round(count / cpu),
        "samples_per_second": round(count / clock),
    }


def measure(source: Source) -> dict[str, Any]:
    """Twice: what is compiled and connected first is not counted."""
    found: dict[str, Any] = {}
    for what in (read, judged):
        both = [timed(what, source) for _ in range(2)]
        found[what.__name__] = max(both, key=lambda one: one["samples_per_cpu_second"])
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def main() -> None:
    """Each that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", default=["mariadb", "postgresql", "kafka", "pinot"])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for name in asked.which:
        if name == "kafka":
            with topic(asked.rows) as (source, _):
                found = measure(source)
        else:
            with table(asked.rows) if name == "pinot" else database(name, asked.rows) as source:
                found = measure(source)
        if asked.json:
            print(json.dumps({"source": name, **found}), flush=True)
            continue
        for what in ("read", "judged"):
            one = found[what]
            print(
                f"{name:12}{what:8}{one['samples']:>10,} samples"
                f"{one['samples_per_cpu_second']:>10,}/CPU s{one['samples_per_second']:>10,}/s"
                f"{found['megabytes']:>7,} MB"
            )


if __name__ == "__main__":
    main()
