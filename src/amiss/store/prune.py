"""What is dropped, and when: points by age and by bytes, incidents by age. A few rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from amiss.store import tables as t

AT_ONCE = 400  # rows in one transaction
PAGES = 1000  # of 4 kB, given back to the disk in one transaction


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was dropped."""

    chunks: int = 0
    points: int = 0
    bytes: int = 0
    incidents: int = 0
    deliveries: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(
            self.chunks + other.chunks,
            self.points + other.points,
            self.bytes + other.bytes,
            self.incidents + other.incidents,
            self.deliveries + other.deliveries,
        )

    def __bool__(self) -> bool:
        return self != Pruned()


def old_points(db: Connection, before: int) -> Pruned:
    """Drop some chunks whose last point came before this time (ns)."""
    return _drop(db, [row for row in _oldest(db) if row.last < before])


def excess_points(db: Connection, most: int) -> Pruned:
    """Drop some of the oldest chunks if all together have more than so many bytes."""
    excess = (db.scalar(sa.select(sa.func.sum(t.series.c.bytes))) or 0) - most
    doomed = []
    for row in _oldest(db):
        if excess <= 0:
            break
        doomed.append(row)
        excess -= row.bytes
    return _drop(db, doomed)


def old_incidents(db: Connection, before: int) -> Pruned:
    """Drop some incidents last seen before this time (ns), and what was told and said of them."""
    query = sa.select(t.incident.c.id).where(t.incident.c.seen < before).limit(AT_ONCE)
    ids = db.scalars(query).all()
    old = sa.select(t.delivery.c.seq).where(t.delivery.c.at < before).limit(AT_ONCE)
    told = db.scalars(old).all()
    if ids:
        db.execute(sa.delete(t.revision).where(t.revision.c.incident.in_(ids)))
        db.execute(sa.delete(t.incident).where(t.incident.c.id.in_(ids)))
        db.execute(sa.delete(t.feedback).where(t.feedback.c.incident.in_(ids)))
    if told:
        db.execute(sa.delete(t.delivery).where(t.delivery.c.seq.in_(told)))
    return Pruned(incidents=len(ids), deliveries=len(told))


def give_back(db: Connection) -> None:
    """Let the disk have some of the pages that hold nothing."""
    if db.dialect.name == "sqlite":
        free = db.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
        pages = db.connection.cursor()
        for _ in range(min(free, PAGES)):
            # all at once would be one step a page, of which Python's driver makes one alone
            pages.execute("PRAGMA incremental_vacuum(1)")


def _oldest(db: Connection) -> list[Any]:
    """Some of the oldest chunks and tails, the oldest first; of a tail the `seq` is None."""
    c, end = t.chunk.c, t.tail.c
    chunks = sa.select(c.seq, c.series, c.last, c.points, c.bytes).order_by(c.last)
    tails = sa.select(sa.null().label("seq"), end.series, end.last, end.points, end.bytes)
    rows = [
        *db.execute(chunks.limit(AT_ONCE)),
        *db.execute(tails.order_by(end.last).limit(AT_ONCE)),
    ]
    return sorted(rows, key=lambda row: row.last)[:AT_ONCE]


def _drop(db: Connection, doomed: Sequence[Any]) -> Pruned:
    if not doomed:
        return Pruned()
    chunks = [row.seq for row in doomed if row.seq is not None]
    tails = [row.series for row in doomed if row.seq is None]
    db.execute(sa.delete(t.chunk).where(t.chunk.c.seq.in_(chunks)))
    db.execute(sa.delete(t.tail).where(t.tail.c.series.in_(tails)))
    gone: dict[int, list[int]] = {}
    for row in doomed:
        total = gone.setdefault(row.series, [0, 0])
        total[0] += row.points
        total[1] += row.bytes
    s = t.series.c
    firsts = (
        sa.select(sa.func.min(table.c.first)).where(table.c.series == s.id).scalar_subquery()
        for table in (t.chunk, t.tail)
    )
    db.execute(
        sa.update(t.series)
        .where(s.id == sa.bindparam("_id"))
        .values(
            points=s.points - sa.bindparam("_points"),
            bytes=s.bytes - sa.bindparam("_bytes"),
            first=sa.func.coalesce(*firsts, 0),
        ),
        [{"_id": one, "_points": n, "_bytes": size} for one, (n, size) in gone.items()],
    )
    db.execute(sa.delete(t.series).where(s.id.in_(gone), s.points <= 0))
    return Pruned(
        chunks=len(doomed),
        points=sum(row.points for row in doomed),
        bytes=sum(row.bytes for row in doomed),
    )
