"""Rows a second from real servers: SQL, Kafka, Pinot, PromQL, Loki; read, and judged and stored.

    python benchmarks/streams.py [mariadb postgresql kafka pinot promql loki] [--rows N] [--json]

Needs the servers that `make servers` installs. A row has a time, a host of a hundred and three
numbers, each of which is a sample; a tick is 10 s. Of Loki a row is a line. `read` is the source
alone, polled until there is no more; `judged` is a watch as it runs live, with its store: the
default judges of a single series, or `lines`, and checkpoints by the clock. CPU seconds of the
whole process, threads that fetch included, and seconds of the clock beside them, which a busy
machine makes longer.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from amiss.component import Source
from amiss.data import MINUTE, SECOND
from amiss.pipeline import Pipeline
from amiss.run.watch import Watch, close, resume, tick
from amiss.store import Store
from amiss.world import World

HOSTS, STEP, START = 100, 10, 1_700_000_000
NUMBERS = ("hits", "errors", "ms")
COLUMNS: dict[str, Any] = {"time": "ts", "by": ("host",), "values": NUMBERS}
JUDGES = ({"type": "level"}, {"type": "step"}, {"type": "surprise"})
SERIES = {"features": {"type": "grid", "every": "10s"}, "detectors": JUDGES}
LINES = {"features": {"type": "each"}, "detectors": ({"type": "lines"},)}
WAYS = ("mariadb", "postgresql", "kafka", "pinot", "promql", "loki")


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


@contextmanager
def metrics(n: int) -> Iterator[Source]:
    """The rows as series of VictoriaMetrics, asked for in PromQL."""
    import httpx

    from amiss.sources.prometheus import Prometheus
    from servers import victoriametrics
    from servers.pushed import push
    from servers.running import room

    with room() as folder, victoriametrics.server(folder) as running:
        some = list(rows(n))
        for first in range(0, n, 100 * HOSTS):
            part = some[first : first + 100 * HOSTS]
            series = [
                (
                    {"__name__": name, "host": part[host]["host"]},
                    [row["ts"] * 1_000_000 for row in part[host::HOSTS]],
                    [row[name] for row in part[host::HOSTS]],
                )
                for host in range(HOSTS)
                for name in NUMBERS
            ]
            push(running.url, series)
        httpx.get(f"{running.url}/internal/force_flush", timeout=60).raise_for_status()
        queries = {name: name for name in NUMBERS}
        span = {"history": f"{n // HOSTS * STEP}s", "delay": 0, "every": f"{STEP}s"}
        yield Prometheus(url=running.url, queries=queries, **span)


@contextmanager
def lines(n: int) -> Iterator[Source]:
    """A line for each row in Loki, a millisecond apart; the last one ends a minute."""
    import httpx

    from amiss.sources.loki import Loki
    from servers import loki
    from servers.running import room

    with room() as folder, loki.server(folder) as running:
        for first in range(0, n, 10_000):
            values: dict[int, list[list[str]]] = {}
            for i in range(first, min(first + 10_000, n)):
                said = f"GET /item/{i * 37 % 1009} took {i * 13 % 97} ms"
                at = (ended(n) // MINUTE - 1) * MINUTE - (n - i) * 1_000_000
                values.setdefault(i % HOSTS, []).append([str(at), said])
            streams = [
                {"stream": {"app": "shop", "host": f"web-{host}"}, "values": some}
                for host, some in values.items()
            ]
            body = orjson.dumps({"streams": streams})
            where, kind = f"{running.url}/loki/api/v1/push", {"Content-Type": "application/json"}
            httpx.post(where, content=body, headers=kind, timeout=60).raise_for_status()
        yield Loki(url=running.url, query='{app="shop"}', history="1d", format="text")


def ended(n: int) -> int:
    """When the rows end (ns)."""
    return (START + n // HOSTS * STEP) * SECOND


def at_the_end(n: int) -> World:
    """The world, and its clock set to when the rows end."""
    ahead = time.time_ns() - ended(n)
    return replace(World(), now=lambda: time.time_ns() - ahead)


def read(source: Source, world: World, folder: Path) -> int:
    """Samples until there is no more."""
    cursor: dict[str, Any] = {}
    count, more = 0, True
    while more:
        cursor, records = source.poll(orjson.loads(orjson.dumps(cursor)), world)
        count, more = count + len(records), records.more
    return count


def judged(source: Source, world: World, folder: Path) -> int:
    """The same through a watch and its store; lines are counted by the minute there."""
    each = source.type == "loki"  # type: ignore[attr-defined]
    said = {"name": "web", "source": source, **(LINES if each else SERIES)}
    pipeline = Pipeline.model_validate(said | {"budget": "5/day"})
    store = Store(folder / "amiss.db")
    watch = Watch(pipeline, store, world, 5 * MINUTE)
    resume(watch)
    while tick(watch, lambda: None):
        pass
    close(watch)
    series = store.series()
    count = sum(one.points for one in series)
    if each:  # of which it has counts by the minute
        values = store.past([one.key for one in series], 0, 2**62).values
        count = round(values[values > 0].sum())
    store.close()
    return count


def timed(
    what: Callable[[Source, World, Path], int], source: Source, world: World
) -> dict[str, float]:
    """Samples, and how long they took."""
    with tempfile.TemporaryDirectory() as folder:
        cpu, clock = time.process_time(), time.monotonic()
        count = what(source, world, Path(folder))
        cpu, clock = time.process_time() - cpu, time.monotonic() - clock
    return {
        "samples": count,
        "samples_per_cpu_second": round(count / cpu),
        "samples_per_second": round(count / clock),
    }


def measure(source: Source, world: World) -> dict[str, Any]:
    """Twice: what is compiled and connected first is not counted."""
    found: dict[str, Any] = {}
    for what in (read, judged):
        both = [timed(what, source, world) for _ in range(2)]
        found[what.__name__] = max(both, key=lambda one: one["samples_per_cpu_second"])
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


@contextmanager
def made(name: str, n: int) -> Iterator[Source]:
    """The rows in a server."""
    if name == "kafka":
        with topic(n) as (source, _):
            yield source
        return
    ways = {"pinot": table, "promql": metrics, "loki": lines}
    with ways[name](n) if name in ways else database(name, n) as source:
        yield source


def main() -> None:
    """Each that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", default=WAYS)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for name in asked.which:
        world = at_the_end(asked.rows) if name in ("promql", "loki") else World()
        with made(name, asked.rows) as source:
            found = measure(source, world)
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
