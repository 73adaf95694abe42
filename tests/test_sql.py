"""The source `sql` on SQLite: columns, times, what is refused, and how it reads on."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sqlalchemy import text

from amiss.component import Cursor
from amiss.data import SECOND, Records, series_key
from amiss.doors.databases import Database
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.reading.tabular import Tabular
from amiss.sources.sql import Sql
from amiss.world import World

START = 1_700_000_000


@pytest.fixture
def base(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE web (id INTEGER PRIMARY KEY, ts TEXT, host TEXT, hits INTEGER, ms REAL)"
        )
        yield connection


@pytest.fixture
def source(base: sqlite3.Connection, tmp_path: Path) -> Sql:
    return made(tmp_path)


def made(folder: Path, **settings: Any) -> Sql:
    given = {"table": "web", "time": "ts", "cursor": ("id",), "by": ("host",)}
    return Sql(url=f"sqlite:///{folder}/shop.db", **(given | settings))


def at(seconds: int) -> World:
    return World(now=lambda: (START + seconds) * SECOND)


def put(base: sqlite3.Connection, second: int, host: str, hits: Any, ms: Any) -> None:
    base.execute(
        "INSERT INTO web (ts, host, hits, ms) VALUES (datetime(?, 'unixepoch'), ?, ?, ?)",
        (START + second, host, hits, ms),
    )


def series(records: Records) -> list[tuple[int, str, float]]:
    rows = []
    for i, name in enumerate(records.name.tolist()):
        labels = {label: str(column[i]) for label, column in records.labels.items()}
        key = series_key(name, labels)
        rows.append((int(records.time[i]) // SECOND - START, key, float(records.value[i])))
    return rows


def drained(source: Sql, world: World, cursor: Cursor) -> tuple[Cursor, list[Records]]:
    found, more = [], True
    while more:
        cursor, records = source.poll(cursor, world)
        found.append(records)
        more = records.more
    return cursor, found


def test_a_wide_row_is_a_number_of_each_column(base: sqlite3.Connection, source: Sql) -> None:
    put(base, 0, "a", 7, 1.5)
    put(base, 0, "b", 8, None)
    cursor, records = source.poll({}, at(10))
    assert series(records) == [
        (0, 'hits{host="a"}', 7.0), (0, 'ms{host="a"}', 1.5), (0, 'hits{host="b"}', 8.0),
    ]  # fmt: skip
    assert records.watermark == (START + 5) * SECOND - 1  # rows keep up with the clock
    put(base, 11, "a", 9, 2.5)
    _, records = source.poll(cursor, at(20))
    assert series(records) == [(11, 'hits{host="a"}', 9.0), (11, 'ms{host="a"}', 2.5)]


def test_a_long_row_says_what_its_number_is(base: sqlite3.Connection, tmp_path: Path) -> None:
    put(base, 0, "cpu", 7, None)
    put(base, 0, "load", 3, None)
    source = made(tmp_path, by=(), metric="host", values=("hits",), labels={"dc": "one"})
    _, records = source.poll({}, at(10))
    assert series(records) == [(0, 'cpu{dc="one"}', 7.0), (0, 'load{dc="one"}', 3.0)]


def test_rows_may_be_events(base: sqlite3.Connection, tmp_path: Path) -> None:
    put(base, 0, "a", 7, 1.5)
    _, records = made(tmp_path, by=(), events=True, values=("ms",)).poll({}, at(10))
    assert records.text is not None and records.text.tolist() == ["host=a hits=7 ms=1.5"]
    assert records.value.tolist() == [1.5]
    assert {name: column.tolist() for name, column in records.labels.items()} == {
        "host": ["a"], "hits": ["7"], "ms": ["1.5"],
    }  # fmt: skip


def test_what_cannot_be_read_is_counted(base: sqlite3.Connection, tmp_path: Path) -> None:
    put(base, 0, "a", "many", 1.5)
    base.execute("INSERT INTO web (ts, host, hits, ms) VALUES ('yesterday', 'a', 1, 1)")
    base.execute("INSERT INTO web (ts, host, hits, ms) VALUES (NULL, 'a', 1, 1e999)")
    _, records = made(tmp_path, values=("hits", "ms")).poll({}, at(10))
    assert series(records) == [(0, 'ms{host="a"}', 1.5)]
    assert records.skipped == {
        "rows without a time that can be read": 2, "values that are no numbers": 1,
    }  # fmt: skip


def test_pages_end_within_ties_and_nothing_is_lost(
    base: sqlite3.Connection, tmp_path: Path
) -> None:
    """By time alone: five rows of each second, some of them equal."""
    for second in range(20):
        for n in range(5):
            put(base, second, "a", 5 * second + n // 2, 0)
    source = made(tmp_path, cursor=(), most=3, values=("hits",), late="2s")
    cursor, found = drained(source, at(10_000), {})
    got = [row for records in found for row in series(records)]
    assert sorted(row[2] for row in got) == sorted(5 * s + n // 2 for s in range(20)
                                                  for n in range(5))  # fmt: skip
    assert max(map(len, found)) == 3
    put(base, 18, "a", 1000, 0)  # late, but no more than two seconds
    put(base, 9, "a", 2000, 0)  # later than that
    _, records = source.poll(cursor, at(10_001))
    assert [row[2] for row in series(records)] == [1000.0]


def test_ids_that_become_visible_out_of_order_are_read(
    base: sqlite3.Connection, source: Sql
) -> None:
    for id, second in ((1, 0), (2, 3), (4, 5)):
        put(base, second, "a", id, None)
        base.execute("UPDATE web SET id = ? WHERE id = (SELECT max(id) FROM web)", (id,))
    cursor, records = source.poll({}, at(10))
    assert [row[2] for row in series(records)] == [1.0, 2.0, 4.0]
    put(base, 4, "a", 3, None)  # committed after a later one
    base.execute("UPDATE web SET id = 3 WHERE hits = 3")
    _, records = source.poll(cursor, at(11))
    assert [row[2] for row in series(records)] == [3.0]


def test_it_may_begin_at_the_end(base: sqlite3.Connection, tmp_path: Path) -> None:
    source = made(tmp_path, start="end")
    cursor, records = source.poll({}, at(1))
    assert not len(records) and cursor
    put(base, 0, "a", 7, 1)
    assert len(source.poll(cursor, at(10))[1]) == 2  # it was empty then
    cursor, records = source.poll({}, at(10))
    assert not len(records)
    put(base, 1, "a", 8, 1)
    assert [row[0] for row in series(source.poll(cursor, at(10))[1])] == [1, 1]
    whole = source.again()
    assert whole is not None and len(whole.poll({}, at(10))[1]) == 4


def test_a_query_is_asked_as_it_is(base: sqlite3.Connection, tmp_path: Path) -> None:
    for second in range(3):
        put(base, second, "a:b", second, 1)
    query = "SELECT *, hits * 2 AS twice FROM web WHERE host = 'a:b' AND hits % 2 = 0;"
    source = made(tmp_path, table="", query=query, values=("twice",))
    assert [row[2] for row in series(source.poll({}, at(10))[1])] == [0.0, 4.0]


def test_nothing_can_be_written(base: sqlite3.Connection, tmp_path: Path) -> None:
    put(base, 0, "a", 7, 1)
    database = Database(f"sqlite:///{tmp_path}/shop.db")
    with pytest.raises(Rejected, match="readonly database"):
        database.rows("DELETE FROM web", {})
    database.close()
    assert base.execute("SELECT count(*) FROM web").fetchone() == (1,)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": ""}, "write a table or a query"),
        ({"query": "SELECT 1"}, "write a table or a query"),
        ({"table": "", "query": "DELETE FROM web"}, "only SELECT is asked of a database"),
        ({"table": "", "query": "SELECT 1; DROP TABLE web"}, "one SELECT, without a semicolon"),
        ({"time": ""}, "at least 1 character"),
        ({"metric": "host"}, "metric is of a long table"),
        ({"events": True, "values": ("hits", "ms")}, "an event has one number"),
        ({"time_format": "soon"}, "write s, ms, us, ns, epoch, iso"),
        ({"zone": "Mars/Base"}, "'Mars/Base' is no time zone"),
        ({"url": "mysql://joe:hunter2@db/shop"}, "or one without a password"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, settings: Any, said: str) -> None:
    given = {"url": "env:SHOP", "table": "web", "time": "ts"} | settings
    with pytest.raises(ValidationError, match=re.escape(said)) as refused:
        Sql(**given)
    assert "hunter2" not in str(refused.value)


def test_what_is_not_there_is_said(base: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no column 'rack'; there are id, ts, host"):
        made(tmp_path, by=("rack",)).poll({}, at(1))
    with pytest.raises(Rejected, match="no such table: none"):
        made(tmp_path, table="none").poll({}, at(1))
    (tmp_path / "shop.db").unlink()
    with pytest.raises(Unreachable, match=r"shop\.db: there is no such file"):
        made(tmp_path).poll({}, at(1))
    assert not (tmp_path / "shop.db").exists()


@pytest.mark.parametrize("late", ["0s", "5s"])
def test_a_time_that_is_far_ahead_hides_no_row(
    base: sqlite3.Connection, tmp_path: Path, late: str
) -> None:
    """By time alone: two years that were mistyped are the last rows for a long time."""
    source, year = made(tmp_path, cursor=(), values=("hits",), late=late), 366 * 86_400
    put(base, 0, "a", 1, 0)
    put(base, year, "a", 2, 0)
    put(base, 2 * year, "a", 3, 0)
    cursor, records = source.poll({}, at(10))
    assert [row[2] for row in series(records)] == [1.0]
    assert records.skipped == {"rows without a time that can be read": 2}
    for second in range(10, 20):
        put(base, second, "a", second, 0)
        cursor, records = source.poll(cursor, at(second + 1))
        assert [row[2] for row in series(records)] == [second] and not records.skipped


def test_text_that_is_no_utf_8_is_data(base: sqlite3.Connection, source: Sql) -> None:
    put(base, 0, "a", 1, None)
    base.execute("UPDATE web SET host = CAST(x'ff41' AS TEXT)")
    _, records = source.poll({}, at(10))
    assert records.labels["host"].tolist() == ["\\xffA"]


def test_a_long_text_makes_no_column_as_wide(base: sqlite3.Connection, tmp_path: Path) -> None:
    for second, host in enumerate(("a", "b" * 1_000_000)):
        put(base, second, host, 1, None)
    for events in (False, True):
        _, records = made(tmp_path, events=events, by=("host",), values=("hits",)).poll({}, at(9))
        assert records.labels["host"].nbytes < 20_000 and records.labels["host"][0] == "a"
    topic = Tabular(events=True, by=("host",))
    records, _ = topic.rows({"host": ["a"]}, np.zeros(1, np.int64), (), ["b" * 1_000_000])
    assert records.text is not None and records.text.nbytes < 40_000


def test_columns_are_called_whatever_they_are(base: sqlite3.Connection, tmp_path: Path) -> None:
    base.execute('CREATE TABLE odd (ts INTEGER, "cpu.load" REAL, "cpu %:x" REAL, """" REAL)')
    base.execute("INSERT INTO odd VALUES (?, 1, 2, 3)", (START,))
    for name in ("odd", "main.odd"):
        source = made(tmp_path, table=name, cursor=(), by=(), values=("cpu.load", "cpu %:x", '"'))
        assert [row[2] for row in series(source.poll({}, at(10))[1])] == [1.0, 2.0, 3.0]
    for kind, mark in (("mysql", "`"), ("postgresql", '"')):
        database = Database(f"{kind}://127.0.0.1:1/shop")
        statement = text(f"SELECT {database.quoted('cpu %', 'a:b')}")
        said = str(statement.compile(dialect=database._engine.dialect))
        assert said == f"SELECT {mark}cpu %%{mark}.{mark}a:b{mark}"  # %% is one % to the driver


def test_what_a_driver_does_not_know_is_one_sentence() -> None:
    database = Database("mysql://joe:hunter2@127.0.0.1:1/shop?colour=red")
    with pytest.raises(Rejected, match=r"127\.0\.0\.1: .*'colour'"):
        database.rows("SELECT 1", {})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("shop", "no address such as mysql://"),
        ("oracle://joe:hunter2@db/shop", "'oracle' is no database that can be read"),
        ("mysql+nothing://joe:hunter2@db/shop", "is not there; pip install 'amiss\\[mysql\\]'"),
    ],
)
def test_addresses_that_lead_nowhere(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        Database(address)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("kind", ["mysql", "mariadb", "postgresql", "postgres"])
def test_nobody_there_is_unreachable(kind: str) -> None:
    database = Database(f"{kind}://joe:hunter2secret@127.0.0.1:1/shop")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1: \w") as refused:
        database.rows("SELECT 1", {})
    assert "hunter2secret" not in str(refused.value)


def test_times_of_many_kinds() -> None:
    plain, latest = Tabular(time="t"), 2**62
    ns = START * SECOND
    for column in (
        [START], [START * 1000], [START * 10**6], [ns], [float(START)], [START * 1000.0],
        ["2023-11-14T22:13:20Z"], [datetime.fromisoformat("2023-11-14T22:13:20")],
        [datetime(2023, 11, 14, 23, 13, 20, tzinfo=timezone(timedelta(hours=1)))],
        [datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)], [str(START)],
    ):  # fmt: skip
        assert plain.stamps(column, latest).tolist() == [ns], column
    assert plain.stamps([START + 0.125, None], latest).tolist() == [ns + SECOND // 8, -1]
    assert plain.stamps([date(2023, 11, 14)], latest).tolist() == [19675 * 86400 * SECOND]
    assert plain.stamps([None, "x", True, -5, 10**30], latest).tolist() == [-1] * 5
    berlin = Tabular(time="t", zone="Europe/Berlin")
    assert berlin.stamps([datetime.fromisoformat("2023-11-14T23:13:20")], latest).tolist() == [ns]
    assert Tabular(time="t", time_format="ms").stamps([5, 6.5], latest).tolist() == [
        5_000_000, 6_500_000,
    ]  # fmt: skip
    np.testing.assert_array_equal(plain.stamps([], latest), [])
