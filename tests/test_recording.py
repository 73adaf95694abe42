"""Files and streams as one past, in the order of its times."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from amiss.data import SECOND, Records
from amiss.errors import ConfigError
from amiss.evaluate.columns import Asked
from amiss.evaluate.recorded import look_over
from amiss.evaluate.recording import in_turn
from amiss.evaluate.tables import Table
from amiss.features.grid import keys_of

Rows = list[tuple[int, str, float]]


def records(rows: Rows) -> Records:
    time, name, value = zip(*rows, strict=True) if rows else ((), (), ())
    return Records(np.array(time, np.int64), np.array(name, str), np.array(value, float))


def rows(found: Records) -> Rows:
    keys, which = keys_of(found)
    return list(zip(found.time.tolist(), keys[which].tolist(), found.value.tolist(), strict=True))


def streams() -> some.SearchStrategy[list[list[Rows]]]:
    times = some.lists(some.lists(some.integers(0, 30), max_size=6), max_size=4)

    def ordered(parts: list[list[int]]) -> list[Rows]:
        time = iter(sorted(t for part in parts for t in part))
        return [[(next(time), f"s{n}", float(n)) for _ in part] for n, part in enumerate(parts)]

    return some.lists(times.map(ordered), min_size=1, max_size=3)


@given(streams(), some.integers(1, 9))
def test_streams_are_merged_by_time_and_no_time_is_cut_in_two(made, most) -> None:
    found = list(in_turn([map(records, stream) for stream in made], most))
    every = [row for stream in made for part in stream for row in part]
    assert Counter(row for batch in found for row in rows(batch)) == Counter(every)
    times = [batch.time.tolist() for batch in found]
    assert [time for each in times for time in each] == sorted(t for t, *_ in every)
    assert all(before[-1] < after[0] for before, after in pairwise(times))
    assert all(batch.watermark == batch.time[-1] for batch in found)
    assert all(len(batch) <= most or len(set(batch.time.tolist())) == 1 for batch in found)


def table(path: Path, text: str) -> Table:
    path.write_text(text)
    return Table(str(path))


def read(files, start: int = 0, end: int = 2**62) -> Rows:
    return [row for batch in files.records(start, end) for row in rows(batch)]


def test_columns_are_series_and_rows_need_not_be_in_order(tmp_path: Path) -> None:
    one = table(tmp_path / "a.csv", "time,x,y\n3,1,\n1,2,5\n2,NA,6\n")
    files = look_over([one], Asked())
    assert (files.first, files.last) == (SECOND, 3 * SECOND)
    assert read(files) == [
        (SECOND, "x", 2.0), (SECOND, "y", 5.0), (2 * SECOND, "y", 6.0), (3 * SECOND, "x", 1.0),
    ]  # fmt: skip
    assert read(files, 2 * SECOND, 2 * SECOND) == [(2 * SECOND, "y", 6.0)]


def test_labels_are_columns_and_several_files_are_one_past(tmp_path: Path) -> None:
    one = table(tmp_path / "a.csv", "time,host,x\n1,web,1\n1,db,2\n3,web,3\n")
    two = table(tmp_path / "b.csv", "time,host,x\n0,web,0\n2,db,4\n")
    files = look_over([one, two], Asked(by=("host",)))
    web, db = 'x{host="web"}', 'x{host="db"}'
    assert [(t // SECOND, key, x) for t, key, x in read(files)] == [
        (0, web, 0.0), (1, web, 1.0), (1, db, 2.0), (2, db, 4.0), (3, web, 3.0),
    ]  # fmt: skip
    assert files.name == f"{one.name} and 1 more"


def test_a_table_grouped_by_host_is_put_in_order(tmp_path: Path) -> None:
    one = table(tmp_path / "a.csv", "time,host,x\n1,web,1\n2,web,2\n1,db,3\n2,db,4\n")
    found = read(look_over([one], Asked(by=("host",))))
    assert [x for *_, x in found] == [1.0, 3.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [("time,x\n", "there is no row"), ("time,x\n1,2\nsoon,3\n", "row 2: the time 'soon'")],
)
def test_what_cannot_be_read_is_said_before_anything_is_judged(tmp_path, text, said) -> None:
    with pytest.raises(ConfigError, match=said):
        look_over([table(tmp_path / "a.csv", text)], Asked())
