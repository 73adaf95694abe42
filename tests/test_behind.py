"""A server that is far ahead: what is read at once is bounded, and what waits to be stored."""

import sqlite3
import tracemalloc
from pathlib import Path

import pytest

from amiss.data import HOUR
from amiss.pipeline import Pipeline
from amiss.run import watch as live
from amiss.run.watch import Watch, close, resume, tick
from amiss.sources.sql import Sql
from amiss.store import Store
from amiss.world import World

MOST = 2000  # rows of a poll


def caught_up(folder: Path, polls: int) -> tuple[int, int]:
    """The most memory in use while so many polls of rows are read, and the samples stored."""
    folder.mkdir()
    with sqlite3.connect(folder / "shop.db") as there:
        there.execute("CREATE TABLE web (ts INT, host TEXT, hits REAL)")
        rows = ((1_700_000_000 + i // 10 * 10, f"web-{i % 10}", i % 7) for i in range(polls * MOST))
        there.executemany("INSERT INTO web VALUES (?, ?, ?)", rows)
    there.close()
    source = Sql(
        url=f"sqlite:///{folder / 'shop.db'}", table="web", time="ts", by=("host",),
        values=("hits",), most=MOST,
    )  # fmt: skip
    said = {"name": "web", "source": source, "features": {"type": "grid", "every": "10s"}}
    store = Store(folder / "amiss.db")
    watch = Watch(
        Pipeline.model_validate(said | {"detectors": [{"type": "level"}]}), store, World(), HOUR
    )
    resume(watch)
    tracemalloc.start()
    try:
        while tick(watch, lambda: None):
            pass
        close(watch)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    stored = sum(len(store.history(one.key, 0, 2**62).time) for one in store.series())
    store.close()
    return peak, stored


def test_memory_does_not_grow_with_how_far_a_server_is_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_PENDING", 100_000)
    caught_up(tmp_path / "first", 1)  # what is imported and compiled
    few, _ = caught_up(tmp_path / "few", 4)
    many, stored = caught_up(tmp_path / "many", 40)
    assert stored >= 39 * MOST  # the last ticks wait for what is late
    assert many < 1.5 * few
