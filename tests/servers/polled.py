"""What a source of lines reads, from poll to poll as after a restart."""

import orjson

from amiss.component import Cursor, Source
from amiss.data import Records
from amiss.world import World


def poll(one: Source, now: int, cursor: Cursor) -> tuple[Cursor, list[Records]]:
    """All that there is at a time (ns)."""
    found, more = [], True
    while more:
        cursor, records = one.poll(orjson.loads(orjson.dumps(cursor)), World(now=lambda: now))
        found.append(records)
        more = records.more
    return cursor, found


def column(found: list[Records], label: str) -> list[str]:
    """A label of all of them."""
    return [said for records in found for said in records.labels.get(label, ())]
