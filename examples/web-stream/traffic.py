"""Web servers that are not there: their figures of each minute, into a table of MySQL or MariaDB.

    python traffic.py DATABASE --start 2026-03-01T00:00 --minutes 1440
    python traffic.py DATABASE --live

DATABASE is env:NAME or file:/path of an address, mysql+pymysql://user:password@host/database. With
`--fault M` the first server answers slowly and badly for ten minutes from minute M on.
"""

import argparse
import math
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Engine, create_engine, text

from amiss.world import reveal

HOSTS = ("web-1", "web-2", "web-3")
LASTS = 10  # minutes of a fault
MINUTE = 60
TABLE = """CREATE TABLE IF NOT EXISTS web (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    ts BIGINT NOT NULL,
    host VARCHAR(20) NOT NULL,
    requests DOUBLE, errors DOUBLE, latency_ms DOUBLE, megabytes DOUBLE,
    INDEX (ts)
)"""
INSERT = """INSERT INTO web (ts, host, requests, errors, latency_ms, megabytes)
    VALUES (:ts, :host, :requests, :errors, :latency_ms, :megabytes)"""


def minute(at: int, host: int, fault: bool) -> dict[str, Any]:
    """One row: `at` in seconds; the same moment of the same server gives the same figures."""
    chance = np.random.default_rng([at // MINUTE, host])
    day = 1 + 0.5 * math.sin(2 * math.pi * (at % 86_400) / 86_400 - 2)
    requests = chance.poisson((300 + 40 * host) * day)
    latency = chance.normal(40 + 0.05 * requests, 2)
    errors = chance.poisson(requests * 0.004)
    if fault and host == 0:
        latency, errors = latency * 6, errors + requests // 4
    size = requests * chance.normal(0.02, 0.001)
    return {
        "ts": at * 1000,
        "host": HOSTS[host],
        "requests": float(requests),
        "errors": float(errors),
        "latency_ms": float(latency),
        "megabytes": float(size),
    }


def rows(start: int, minutes: range, fault: int | None = None) -> list[dict[str, Any]]:
    """Of these minutes after `start` (s)."""
    return [
        minute(start + MINUTE * n, host, fault is not None and fault <= n < fault + LASTS)
        for n in minutes
        for host in range(len(HOSTS))
    ]


def write(engine: Engine, some: list[dict[str, Any]]) -> None:
    """Make the table if it is not there, and put rows into it."""
    with engine.begin() as connection:
        connection.execute(text(TABLE))
        if some:
            connection.execute(text(INSERT), some)


def left(start: int, until: int, newest: int | None) -> range:
    """Minutes after `start` (s) that are not yet written, up to `until` (s), which is one."""
    first = 0 if newest is None else (newest - start) // MINUTE + 1
    return range(max(first, 0), (until - start) // MINUTE + 1)


def newest(engine: Engine) -> int | None:
    """The time of the last row, in seconds; None if there is none."""
    with engine.begin() as connection:
        connection.execute(text(TABLE))
        last = connection.execute(text("SELECT max(ts) FROM web")).scalar()
    return None if last is None else int(last) // 1000


def main() -> None:
    """Write, once or for ever."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database")
    parser.add_argument("--start", help="UTC; else so long ago that it ends now")
    parser.add_argument("--minutes", type=int, default=1440)
    parser.add_argument("--fault", type=int, help="the minute in which one begins")
    parser.add_argument("--live", action="store_true", help="go on, a minute each minute")
    asked = parser.parse_args()
    now = int(time.time()) // MINUTE * MINUTE
    start = now - MINUTE * asked.minutes
    if asked.start:
        start = int(datetime.fromisoformat(asked.start).replace(tzinfo=UTC).timestamp())
    engine = create_engine(reveal(asked.database), pool_pre_ping=True)
    if not asked.live:
        write(engine, rows(start, range(asked.minutes), asked.fault))
    while asked.live:  # started again, it goes on after the last row
        until = int(time.time()) // MINUTE * MINUTE
        write(engine, rows(start, left(start, until, newest(engine)), asked.fault))
        time.sleep(MINUTE - time.time() % MINUTE)


if __name__ == "__main__":
    main()
