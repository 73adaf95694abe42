"""The history of values, scores and bands, for charts and for training.

New points of a series go into its row of `tail`, and from there, 720 at a time, into a row of
`chunk` that never changes.
"""

import hashlib
import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from amiss.data import Frame
from amiss.errors import StateError
from amiss.store import tables as t
from amiss.store.blocks import Block, by_series
from amiss.store.chunks import POINTS, Points, decode, empty, encode_all, merge
from amiss.store.database import Database, storable

logger = logging.getLogger(__name__)

Thing = TypeVar("Thing")
AT_ONCE = 400  # things named in one query


@dataclass(frozen=True, slots=True)
class Series:
    """A series of which there is history."""

    key: str
    first: int  # ns
    last: int  # ns
    points: int
    bytes: int


class History(Database):
    """The part of the store that charts and training read."""

    def __init__(self, url: str | Path, reading: bool = False) -> None:
        self._rewriting = threading.Lock()  # of chunks, which are read and encoded beforehand
        super().__init__(url, reading)

    def history(self, key: str, start: int, end: int) -> Points:
        """The points of one series from `start` to `end` (ns), both included, by time.

        Where a time was written twice the later one counts. Nothing if there is no such
        series. A day at 5 s takes about 8 ms.
        """
        return self.history_many([key], start, end)[key]

    def history_many(self, keys: Sequence[str], start: int, end: int) -> dict[str, Points]:
        """The same for several series, each with its own times. 48 bytes a point."""
        return dict(zip(keys, self._read(keys, start, end, bands=True), strict=True))

    def past(self, keys: Sequence[str], start: int, end: int) -> Frame:
        """The values alone of several series on common times, for fitting. 8 bytes a value."""
        found = self._read(keys, start, end, bands=False)
        time = np.unique(np.concatenate([points.time for points in found] or [empty().time]))
        values = np.full((len(time), len(keys), 1), np.nan)
        for s, points in enumerate(found):
            values[np.searchsorted(time, points.time), s, 0] = points.value
        return Frame(time, tuple(keys), ("value",), values)

    def series(self) -> list[Series]:
        """All series of which there is history, by key."""
        with self.read() as db:
            rows = db.execute(sa.select(t.series).order_by(t.series.c.key)).all()
        return [Series(r.key, r.first, r.last, r.points, r.bytes) for r in rows]

    def _read(self, keys: Sequence[str], start: int, end: int, bands: bool) -> list[Points]:
        ids = [series_id(key) for key in keys]
        found: dict[int, list[Points]] = {}
        for some in portions(ids):
            with self.read() as db:
                rows = [
                    row
                    for table, order in ((t.chunk, t.chunk.c.seq), (t.tail, t.tail.c.series))
                    for row in db.execute(
                        sa.select(table.c.series, table.c.body)
                        .where(table.c.series.in_(some), table.c.last >= start)
                        .where(table.c.first <= end)
                        .order_by(order)
                    )
                ]
            for one, body in rows:
                found.setdefault(one, []).append(decode(body, bands))
        return [_between(merge(found.get(one, ())), start, end) for one in ids]


@dataclass(frozen=True, slots=True)
class Rows:
    """What appending to the history writes, encoded before the transaction begins."""

    series: list[dict[str, Any]] = field(default_factory=list)
    known: set[int] = field(default_factory=set)  # series that are there
    chunks: list[dict[str, Any]] = field(default_factory=list)
    tails: list[dict[str, Any]] = field(default_factory=list)


def prepare(db: Connection, blocks: Iterable[Block]) -> Rows:
    """The rows that these blocks come to. Nobody else may append or prune until they are written.

    About .3 ms a series of 200 points.
    """
    rows = Rows()
    for some in portions(list(by_series(blocks))):
        ids = [series_id(key) for key, _ in some]
        waiting = t.tail.c.points.label("waiting")
        query = sa.select(t.series, t.tail.c.body, waiting).outerjoin(t.tail)
        query = query.where(t.series.c.id.in_(ids))
        there = {row["id"]: dict(row) for row in db.execute(query).mappings()}
        rows.known.update(there)
        known = [
            there.get(i, {"id": i, "key": storable(key)})
            for i, (key, _) in zip(ids, some, strict=True)
        ]
        wholes = [merge([_tail(row), points]) for row, (_, points) in zip(known, some, strict=True)]
        chunks = [[x[at : at + POINTS] for at in range(0, len(x), POINTS)] for x in wholes]
        blobs = iter(encode_all(list(chain.from_iterable(chunks))))
        for row, parts in zip(known, chunks, strict=True):
            _add(rows, row, parts, list(islice(blobs, len(parts))))
    return rows


def append(db: Connection, rows: Rows) -> None:
    """Write what `prepare` prepared."""
    ids = [row["id"] for row in rows.series]
    for some in portions(ids):
        db.execute(sa.delete(t.tail).where(t.tail.c.series.in_(some)))
    fresh = [row for row in rows.series if row["id"] not in rows.known]
    known = [
        {f"_{name}": value for name, value in row.items()}
        for row in rows.series
        if row["id"] in rows.known
    ]
    totals: dict[str, Any] = {
        name: sa.bindparam(f"_{name}") for name in ("first", "last", "points", "bytes")
    }
    same = t.series.c.id == sa.bindparam("_id")
    for statement, many in (
        (sa.insert(t.series), fresh),
        (sa.update(t.series).where(same).values(totals), known),
        (sa.insert(t.chunk), rows.chunks),
        (sa.insert(t.tail), rows.tails),
    ):
        if many:
            db.execute(statement, many)


def series_id(key: str) -> int:
    """What a series is called in the tables: a hash, so that nothing need be looked up.

    63 bits: among 100,000 series two are mistaken for one another once in 10^9 installations.
    """
    digest = hashlib.blake2b(storable(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def portions(things: Sequence[Thing]) -> Iterable[Sequence[Thing]]:
    """The same in pieces that a query can hold."""
    return (things[at : at + AT_ONCE] for at in range(0, len(things), AT_ONCE))


def _add(
    rows: Rows, series: dict[str, Any], chunks: Sequence[Points], blobs: Sequence[bytes]
) -> None:
    """Add chunks to a series in place of its tail, given its row as far as there is one."""
    body, waiting = series.pop("body", None), series.pop("waiting", None) or 0
    parts = []
    for part, blob in zip(chunks, blobs, strict=True):
        said = {"series": series["id"], "points": len(part), "bytes": len(blob), "body": blob}
        parts.append(said | {"first": int(part.time[0]), "last": int(part.time[-1])})
    rows.series.append(
        series
        | {
            "first": min(series.get("first", parts[0]["first"]), parts[0]["first"]),
            "last": max(series.get("last", parts[-1]["last"]), parts[-1]["last"]),
            "points": series.get("points", 0) + sum(p["points"] for p in parts) - waiting,
            "bytes": series.get("bytes", 0) + sum(p["bytes"] for p in parts) - len(body or b""),
        }
    )
    if parts[-1]["points"] < POINTS:
        rows.tails.append(parts.pop())
    rows.chunks.extend(parts)


def _tail(series: dict[str, Any]) -> Points:
    """The points that are waiting to fill a chunk."""
    if (body := series.get("body")) is None:
        return empty()
    try:
        return decode(body)
    except StateError as exc:
        logger.warning("the newest points of %s are lost: %s", series["key"], exc)
        return empty()


def _between(points: Points, start: int, end: int) -> Points:
    if not len(points) or (points.time[0] >= start and points.time[-1] <= end):
        return points
    return points[np.searchsorted(points.time, start) : np.searchsorted(points.time, end, "right")]
