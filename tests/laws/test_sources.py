"""What holds for every source there is: a new one is tested by being in the folder."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import orjson
import pytest

from amiss.component import Cursor, Source, find
from amiss.data import SECOND, Records, series_key
from amiss.errors import Unreachable
from amiss.world import World
from made_topic import MadeTopic

LOG = "".join(
    f'{{"ts": {1_699_990_000 + 7 * i}.5, "user": "u{i % 3}", "ms": {i}}}\n' for i in range(99)
)
FOLDER = TemporaryDirectory()
Path(FOLDER.name, "app.log").write_text(LOG)

TABLE = f"sqlite:///{FOLDER.name}/made.db"
with closing(sqlite3.connect(TABLE.removeprefix("sqlite:///"))) as made:
    made.execute("CREATE TABLE web (ts INTEGER, host TEXT, hits INTEGER, ms REAL)")
    made.executemany(
        "INSERT INTO web VALUES (?, ?, ?, ?)",
        [(1_699_990_000 + i // 3, f"web-{i % 3}", i, i / 7) for i in range(99)],
    )
    made.commit()

TOPIC = MadeTopic("web", 3)
for i in range(99):
    said = {"ts": 1_699_990_000 + i // 3, "host": f"web-{i % 3}", "hits": i, "ms": i / 7}
    TOPIC.put(orjson.dumps(said), i % 2)

NEEDED: dict[str, dict[str, Any]] = {
    "file": {"path": f"{FOLDER.name}/*.log", "value": "ms"},
    "prometheus": {"url": "http://127.0.0.1:9090", "queries": {"up": "up"}},
    "kafka": {"servers": "kafka:9092", "topics": ("web",), "time": "ts", "by": ("host",)},
    "pinot": {"url": "http://pinot:8099", "table": "web", "time": "ts"},
    "sql": {"url": "env:TABLE", "table": "web", "time": "ts", "by": ("host",)},
    "loki": {"url": "http://127.0.0.1:9", "query": '{app="shop"}'},
    "victorialogs": {"url": "http://127.0.0.1:9", "query": "*"},
}
"""By type: what a source must be told that has no default."""

SOURCES = [kind(**NEEDED.get(name, {})) for name, kind in find("amiss.sources", Source).items()]
pytestmark = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.type)

START = 1_700_000_000 * SECOND


def _nobody_answers(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)


def _never(event: threading.Event, seconds: float) -> bool:
    raise AssertionError("a source never waits")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.MockTransport(_nobody_answers)) as cut_off:
        yield cut_off


def at(now: int, client: httpx.Client) -> World:
    """This machine without a network, both its clocks at `now`; secrets are all the same."""
    return World(
        http=lambda: client,
        now=lambda: now,
        monotonic=lambda: now,
        wait=_never,
        secret=lambda reference: TABLE,
        subscribe=lambda asked: TOPIC,
    )


def look(source: Source, cursor: Cursor, world: World) -> tuple[Cursor, Records | None]:
    """One poll; no records if the outside does not answer, and then the cursor stays."""
    before = deepcopy(cursor)
    try:
        after, records = source.poll(cursor, world)
    except Unreachable:
        after, records = cursor, None
    assert cursor == before, "the caller's cursor was changed"
    return after, records


def watch(
    source: Source, client: httpx.Client, polls: int = 4, every: float = 1.0
) -> Iterator[tuple[int, Cursor, Records]]:
    """Some polls in turn, `every` in units of the source's own, each with a cursor out of JSON."""
    cursor: Cursor = {}
    for i in range(1, polls + 1):
        now = START + round(i * every * source.every)
        cursor, records = look(source, orjson.loads(orjson.dumps(cursor)), at(now, client))
        if records is not None:
            yield now, cursor, records


def rows(records: Records) -> list[tuple[int, str, str]]:
    """Time, series and text of each record."""
    text = records.text if records.text is not None else np.full(len(records), "")
    return [
        (
            int(t),
            series_key(str(name), {k: str(v[i]) for k, v in records.labels.items()}),
            str(said),
        )
        for i, (t, name, said) in enumerate(zip(records.time, records.name, text, strict=True))
    ]


def test_its_type_is_its_file_s_name(source: Source) -> None:
    assert type(source).__module__.rpartition(".")[2] == type(source).model_fields["type"].default


def test_it_is_its_configuration(source: Source) -> None:
    again = type(source).model_validate_json(source.model_dump_json())
    assert again == source and again.fingerprint == source.fingerprint
    assert source.every > 0


def test_records_are_columns_of_one_length(source: Source, client: httpx.Client) -> None:
    for _, _, records in watch(source, client):
        n = len(records)
        columns = [records.name, records.value, *records.labels.values()]
        columns += [records.text] if records.text is not None else []
        assert all(column.shape == (n,) for column in columns)
        assert records.time.dtype == np.int64 and records.value.dtype == np.float64
        assert not np.isinf(records.value).any()
        assert all(records.name)
        assert all(isinstance(n, int) and n > 0 for n in records.skipped.values())


def test_all_that_is_said_can_be_written(source: Source, client: httpx.Client) -> None:
    for _, _, records in watch(source, client):
        columns = [records.name, *records.labels.values()]
        columns += [records.text] if records.text is not None else []
        orjson.dumps([column.tolist() for column in columns])


def test_nothing_comes_twice_or_before_what_was_promised(
    source: Source, client: httpx.Client
) -> None:
    told, promised = set[tuple[int, str, str]](), -(2**63)
    for now, _, records in watch(source, client, polls=9, every=0.5):
        new = rows(records)
        numbers = [row for row in new if not row[2]]
        assert len(set(numbers)) == len(numbers) and told.isdisjoint(new)
        assert all(promised < t <= now for t, _, _ in new)
        told.update(new)
        if records.watermark is not None:
            assert promised <= records.watermark <= now
            promised = records.watermark


def test_asked_again_at_once_it_has_nothing_more(source: Source, client: httpx.Client) -> None:
    for now, cursor, _ in watch(source, client):
        after, again = look(source, cursor, at(now, client))
        assert after == cursor and again is not None and len(again) == 0


def test_the_same_cursor_finds_the_same_moments_again(source: Source, client: httpx.Client) -> None:
    """As after a crash between the poll and its being remembered."""
    before: Cursor = {}
    for now, cursor, records in watch(source, client):
        assert orjson.loads(orjson.dumps(cursor)) == cursor
        _, again = look(source, before, at(now, client))
        assert again is not None and again.watermark == records.watermark
        assert set(again.time) == set(records.time)
        before = cursor


def test_the_clock_may_be_set_back(source: Source, client: httpx.Client) -> None:
    *_, (now, cursor, _) = [*watch(source, client), (START, Cursor(), None)]
    for ago in (3600 * SECOND, 0):
        cursor, records = look(source, cursor, at(now - ago, client))
        assert records is None or all(t <= now - ago for t in records.time)
        orjson.dumps(cursor)
