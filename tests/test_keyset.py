"""Reading on in a table: every row once, wherever pages end and whatever turns up late."""

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import SECOND
from amiss.errors import Rejected
from amiss.reading import keyset

Row = tuple[int, int, str]


def page(table: list[Row], place: keyset.Place, most: int) -> list[Row]:
    """What a database answers, rows of equal keys in no order that could be relied on."""
    there = [row for row in table if not place.key or row[:1] >= place.key]
    return sorted(there, key=lambda row: row[0])[: most + len(place.seen)]


Got = tuple[list[Row], bool, keyset.Place]


def read(table: list[Row], place: keyset.Place, most: int, late: int) -> Got:
    rows = page(table, place, most)
    times = np.array([row[1] for row in rows], np.int64)
    new, after, missing = keyset.fresh(place, rows, [row[:1] for row in rows], times, late)
    assert not missing
    place = keyset.load(orjson.loads(orjson.dumps(after.dump())))
    assert place == after
    return [rows[i] for i in new], len(rows) >= most + len(place.seen), place


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("ab")), max_size=60),
    st.integers(1, 7),
    st.lists(st.integers(0, 59), max_size=4),
    st.randoms(use_true_random=False),
)
def test_every_row_is_read_once(said, most, stops, chance) -> None:
    """Rows come in the order of their keys, ties and copies among them, while others read."""
    rows = sorted((k, k * SECOND, text) for k, text in said)
    place, got = keyset.Place(), list[Row]()
    for stop in [*sorted(stops), len(rows)]:
        table = rows[:stop]
        chance.shuffle(table)
        for _ in range(len(table) + 2):
            new, _, place = read(table, place, most, 0)
            got += new
    assert sorted(got) == rows


@given(st.permutations(range(12)), st.integers(1, 5), st.integers(1, 6))
def test_late_rows_are_read_too(order, most, late) -> None:
    """One row a second, that become visible in another order: at most `late` behind."""
    visible, got, place = list[Row](), list[Row](), keyset.Place()
    for n in sorted(range(12), key=lambda n: max(n, min(order[n], n + late - 1))):
        visible.append((n, n * SECOND, "x"))
        for _ in range(3):
            new, _, place = read(visible, place, most, late * SECOND)
            got += new
        assert len(place.seen) <= late + 2
    assert sorted(got) == sorted(visible)


def test_what_is_looked_at_again_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "MOST", 5)
    rows = [(n, n * SECOND, "x") for n in range(20)]
    got, _, place = read(rows, keyset.Place(), 50, 99 * SECOND)
    assert got == rows and len(place.seen) == 5
    tied = [(1, n * SECOND, "x") for n in range(6)]
    with pytest.raises(Rejected, match="more than 5 rows have the same key"):
        read(tied, keyset.Place(), 50, 0)


def test_rows_that_were_known_and_are_gone_are_counted() -> None:
    rows = [(n, 0, "x") for n in range(3)]
    times = np.zeros(3, np.int64)
    keys = [row[:1] for row in rows]
    _, place, _ = keyset.fresh(keyset.Place(), rows, keys, times, SECOND)
    new, after, missing = keyset.fresh(place, rows[1:], keys[1:], times[1:], SECOND)
    assert (new, after, missing) == ([], place, 1)


@pytest.mark.parametrize(
    "one",
    [3, 2.5, "x", datetime.fromisoformat("2026-03-07T14:02:10.000005"), date(2026, 3, 7),
     Decimal("1.50"), b"\xff", UUID(int=7)],
)  # fmt: skip
def test_keys_of_any_type_go_through_json(one) -> None:
    place = keyset.Place((one, 1), (4, 5))
    assert keyset.load(orjson.loads(orjson.dumps(place.dump()))) == place
    assert keyset.unpack(place.pack()) == place


def test_the_largest_place_fits_a_message_of_kafka() -> None:
    place = keyset.Place((2**63,), tuple(range(2**56 - keyset.MOST, 2**56)))
    assert keyset.unpack(place.pack()) == place and len(place.pack()) < 1_000_000 - 1000


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3)), st.tuples(*[st.integers(0, 3)] * 3))
def test_a_condition_is_the_order_of_keys(rows, key) -> None:
    where, values = keyset.condition(("a", "b", "c"), key)
    with_sql = sqlite3.connect(":memory:")
    with_sql.execute("CREATE TABLE t (a, b, c)")
    with_sql.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    got = with_sql.execute(f"SELECT * FROM t WHERE {where}", values).fetchall()
    with_sql.close()
    assert sorted(got) == sorted(row for row in rows if row >= key)
