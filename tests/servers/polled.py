"""What a source of lines reads, from poll to poll as after a restart."""

import orjson
import pytest

from amiss.component import Cursor, Source
from amiss.data import Records
from amiss.errors import Unreachable
from amiss.world import World
from servers.running import Running


def poll(one: Source, now: int, cursor: Cursor) -> tuple[Cursor, list[Records]]:
    """All that there is at a time (ns)."""
    found, more = [], True
    while more:
        cursor, records = one.poll(orjson.loads(orjson.dumps(cursor)), World(now=lambda: now))
        found.append(records)
        more = records.more
    return cursor, found


def polled_over_a_restart(server: Running, one: Source, now: int) -> tuple[Cursor, list[Records]]:
    """All that there is, its server killed after the first page."""
    cursor, first = one.poll({}, World(now=lambda: now))
    assert first.more and len(first)
    server.kill()
    with pytest.raises(Unreachable):
        one.poll(cursor, World(now=lambda: now))
    server.start()
    cursor, rest = poll(one, now, cursor)
    return cursor, [first, *rest]


def column(found: list[Records], label: str) -> list[str]:
    """A label of all of them."""
    return [said for records in found for said in records.labels.get(label, ())]
