"""All that must survive a restart, changed in one transaction or not at all.

To go on where one was takes a snapshot of all memory and the records that came after it: the
step is deterministic, so stepping these again gives the same memory and the same incidents.
"""

import json
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from amiss import memory
from amiss.component import Cursor
from amiss.data import DAY, Incident, Records, State
from amiss.errors import StateError
from amiss.store import journal, prune
from amiss.store import tables as t
from amiss.store.blocks import Block
from amiss.store.database import upsert
from amiss.store.feedback import Feedback
from amiss.store.history import History, Rows, append, prepare
from amiss.store.incidents import IncidentLog, log
from amiss.store.models import Models
from amiss.store.prune import Pruned

BREATH = 0.002  # seconds between two steps of pruning: a lock goes to who asks, not who waits


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All memory as it is after a tick, and the history since the last checkpoint."""

    states: dict[str, State]
    history: Sequence[Block] = ()


@dataclass(frozen=True, slots=True)
class Saved:
    """Where to go on: the memory at the last checkpoint, and the records that came after it."""

    cursor: Cursor = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    journal: tuple[Records, ...] = ()


class Store(IncidentLog, Feedback, History, Models):
    """Cursor, memory, incidents, history, models, who was told what, and what they said of it."""

    def load(self, pipeline: str) -> Saved:
        """What was committed for a pipeline; empty if nothing was.

        Raises StateError if it is damaged; `forget` then lets the pipeline start afresh.
        """
        with self.read() as db:
            cursor = db.scalar(sa.select(t.pipeline.c.cursor).where(t.pipeline.c.name == pipeline))
            body = db.scalar(sa.select(t.snapshot.c.body).where(t.snapshot.c.pipeline == pipeline))
            mine = sa.select(t.journal.c.body).where(t.journal.c.pipeline == pipeline)
            rows = db.scalars(mine.order_by(t.journal.c.seq)).all()
        try:
            return Saved(
                json.loads(cursor) if cursor is not None else {},
                memory.load(zlib.decompress(body)) if body is not None else {},
                tuple(map(journal.read, rows)),
            )
        except (StateError, zlib.error, ValueError) as exc:
            raise StateError(
                f"the memory of pipeline {pipeline!r} in {self.where} is damaged: {exc}"
            ) from exc

    def cursor(self, pipeline: str) -> Cursor:
        """Where a pipeline's source reads on, as committed last; empty if nothing was."""
        with self.read() as db:
            said = db.scalar(sa.select(t.pipeline.c.cursor).where(t.pipeline.c.name == pipeline))
        return json.loads(said) if said is not None else {}

    def commit(
        self,
        pipeline: str,
        cursor: Cursor,
        records: Records,
        incidents: Sequence[Incident],
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """The end of a tick, in one transaction: all of it or nothing.

        With a checkpoint, which has seen these records, its memory takes the place of the
        last one's, the journal is emptied, and its history is appended. Revisions that are
        in the log already are left as they are. Raises Unreachable if the disk is full.
        """
        here = {"pipeline": pipeline}
        if checkpoint is None:
            entry, body, rows = journal.write(records), b"", Rows()
        else:
            entry, body = b"", zlib.compress(memory.dump(checkpoint.states), 1)
        place: dict[str, Any] = {"cursor": json.dumps(cursor)}
        if len(records):
            place["seen"] = int(records.time.max())
        with self._rewriting if checkpoint else nullcontext():
            if checkpoint:
                with self.read() as db:
                    rows = prepare(db, checkpoint.history)
            with self.write() as db:
                upsert(db, t.pipeline, {"name": pipeline}, place)
                log(db, pipeline, incidents)
                if checkpoint is None:
                    db.execute(sa.insert(t.journal).values(here | {"body": entry}))
                else:
                    upsert(db, t.snapshot, here, {"body": body})
                    db.execute(sa.delete(t.journal).where(t.journal.c.pipeline == pipeline))
                    append(db, rows)

    def forget(self, pipeline: str) -> None:
        """Drop a pipeline's cursor and memory, so that it starts afresh; history stays.

        Its last snapshot is put aside under its name with a dash before it, in the place of
        the one that was there.
        """
        mine, aside = t.snapshot.c.pipeline == pipeline, f"-{pipeline}"
        with self.write() as db:
            db.execute(sa.delete(t.pipeline).where(t.pipeline.c.name == pipeline))
            if db.scalar(sa.select(t.snapshot.c.pipeline).where(mine)) is not None:
                db.execute(sa.delete(t.snapshot).where(t.snapshot.c.pipeline == aside))
                db.execute(sa.update(t.snapshot).where(mine).values(pipeline=aside))
            db.execute(sa.delete(t.journal).where(t.journal.c.pipeline == pipeline))

    def seen(self, pipeline: str) -> int | None:
        """The time (ns) of the newest record of the last commit that had any; None before it."""
        with self.read() as db:
            return db.scalar(sa.select(t.pipeline.c.seen).where(t.pipeline.c.name == pipeline))

    def get_meta(self, name: str, default: Any = None) -> Any:
        """A small thing that `set_meta` kept."""
        with self.read() as db:
            value = db.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name))
        return default if value is None else json.loads(value)

    def set_meta(self, name: str, value: Any) -> None:
        """Keep a small thing that JSON can hold, such as the time of the first start."""
        with self.write() as db:
            upsert(db, t.meta, {"name": name}, {"value": json.dumps(value)})

    def raise_meta(self, name: str, value: Mapping[str, Any], by: str) -> None:
        """The same, unless what is kept has as much or more at the key `by`."""
        with self.write() as db:
            kept = db.scalar(sa.select(t.meta.c.value).where(t.meta.c.name == name))
            if kept is None or json.loads(kept)[by] < value[by]:
                upsert(db, t.meta, {"name": name}, {"value": json.dumps(value)})

    def prune(
        self, days: float, most_bytes: int, incident_days: float = 400, *, now: int
    ) -> Pruned:
        """Drop what is older than `days` and, the oldest first, what is over `most_bytes`.

        Counted are the bytes of the chunks; the file has about a third more. Incidents and
        deliveries go after `incident_days`. Takes many short transactions, so that ticks are
        not held up. Chunks go whole: points may outlive their time by an hour at 5 s.
        """
        before, long_before = now - int(days * DAY), now - int(incident_days * DAY)
        total = Pruned()
        for step, limit in (
            (prune.old_points, before),
            (prune.excess_points, most_bytes),
            (prune.old_incidents, long_before),
        ):
            while True:
                with self._rewriting, self.write() as db:
                    gone = step(db, limit)
                if not gone:
                    break
                total += gone
                time.sleep(BREATH)
        with self.write() as db:
            prune.give_back(db)
        return total

    def check(self) -> list[str]:
        """What is wrong with the file, as SQLite says; nothing if all is well. Reads all of it."""
        if self.engine.dialect.name != "sqlite":
            return []
        with self.read() as db:
            said = db.exec_driver_sql("PRAGMA quick_check(10)").scalars().all()
        return [str(line) for line in said if line != "ok"]
