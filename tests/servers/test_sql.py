"""The source `sql` on real MariaDB and PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from amiss.component import Cursor
from amiss.data import SECOND
from amiss.doors.databases import Database
from amiss.errors import Rejected, Unreachable
from amiss.sources.sql import Sql
from amiss.world import World
from servers import mariadb, postgresql
from servers.running import Running, room

pytestmark = pytest.mark.server

START = 1_700_000_000
KINDS = {
    "mariadb": (mariadb, "DATETIME(3)", "FROM_UNIXTIME(:t)"),
    "postgresql": (postgresql, "TIMESTAMPTZ", "to_timestamp(:t)"),
}


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Running, Engine, str]]:
    kind, time, insert = KINDS[request.param]
    with room() as folder, kind.server(folder) as running:
        engine = create_engine(kind.address(running), pool_pre_ping=True)
        with engine.begin() as connection:
            connection.execute(text(f"CREATE TABLE web (ts {time}, host VARCHAR(9), hits INTEGER)"))
        yield running, engine, insert
        engine.dispose()


def put(engine: Engine, insert: str, seconds: range) -> None:
    rows = [{"t": START + s, "h": f"web-{n}", "n": 3 * s + n} for s in seconds for n in range(3)]
    with engine.begin() as connection:
        if engine.dialect.name != "postgresql":
            connection.execute(text("SET time_zone = '+00:00'"))
        connection.execute(text(f"INSERT INTO web VALUES ({insert}, :h, :n)"), rows)


def world(address: Database) -> World:
    return World(now=lambda: (START + 10_000) * SECOND, database=lambda _: address)


def read(source: Sql, world: World, cursor: Cursor) -> tuple[Cursor, list[Any]]:
    found, more = list[Any](), True
    while more:
        cursor, records = source.poll(cursor, world)
        assert records.labels["host"].tolist() == [f"web-{int(v) % 3}" for v in records.value]
        assert (records.time // SECOND - START).tolist() == [int(v) // 3 for v in records.value]
        found += records.value.tolist()
        more = records.more
    return cursor, found


def test_every_row_once_though_the_server_is_killed(server: tuple[Running, Engine, str]) -> None:
    running, engine, insert = server
    address = engine.url.render_as_string(hide_password=False)
    there = world(Database(address))
    source = Sql(url="mysql://elsewhere", table="web", time="ts", by=("host",), most=70)
    put(engine, insert, range(50))
    cursor, found = read(source, there, {})
    assert sorted(found) == list(range(150))
    running.kill()
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1: "):
        source.poll(cursor, there)
    running.start()
    put(engine, insert, range(50, 99))
    cursor, found = read(source, there, cursor)
    assert sorted(found) == list(range(150, 297))
    assert read(source, there, cursor)[1] == []
    there.database("").close()


def test_sessions_are_read_only(server: tuple[Running, Engine, str]) -> None:
    _, engine, insert = server
    put(engine, insert, range(1))
    database = Database(engine.url.render_as_string(hide_password=False))
    for statement in ("DELETE FROM web", "CREATE TABLE x (a INTEGER)", "UPDATE web SET hits = 0"):
        with pytest.raises((Rejected, Unreachable), match=r"(?i)read.only"):
            database.rows(statement, {})
    with pytest.raises(Rejected, match="nothing"):
        database.rows("SELECT * FROM nothing", {})
    found = database.rows("SELECT count(*) AS n FROM web WHERE hits > :n", {"n": -1})
    assert found[1][0][0] >= 3
    database.close()
