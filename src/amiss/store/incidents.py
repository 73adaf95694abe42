"""The incident log: every revision once and in order, whom it was told to, and what came of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from amiss.data import Incident
from amiss.decide.opened import member
from amiss.errors import StateError
from amiss.store import tables as t
from amiss.store.database import Database, storable, upsert

CLOSED = ("delivered", "refused")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of telling one sink one revision; of several tries, the last."""

    sink: str
    incident: str
    revision: int
    at: int  # ns
    outcome: str
    message: str
    times: int  # how often it was tried


class IncidentLog(Database):
    """The part of the store that sinks and pages about incidents read."""

    def enrol(self, sinks: Sequence[str]) -> None:
        """Say who listens now: a new sink is told what comes from now on; the others are forgotten.

        A sink that was never enrolled is told everything from the beginning.
        """
        with self.write() as db:
            known = set(db.scalars(sa.select(t.sink.c.name)))
            end = db.scalar(sa.select(sa.func.coalesce(sa.func.max(t.revision.c.seq), 0)))
            gone = known - set(sinks)
            if gone:
                db.execute(sa.delete(t.sink).where(t.sink.c.name.in_(gone)))
            for name in dict.fromkeys(sinks):
                if name not in known:
                    db.execute(sa.insert(t.sink).values(name=name, mark=end))

    def last_revision(self) -> int:
        """The place of the newest revision in the log; 0 before there is one."""
        with self.read() as db:
            return db.scalar(sa.select(sa.func.max(t.revision.c.seq))) or 0

    def revisions(self, after: int, limit: int = 100) -> list[tuple[int, Incident]]:
        """The revisions after a place in the log, oldest first, each with its own place."""
        query = sa.select(t.revision.c.seq, t.revision.c.body).where(t.revision.c.seq > after)
        with self.read() as db:
            rows = db.execute(query.order_by(t.revision.c.seq).limit(limit)).all()
        return [(row.seq, read_incident(row.body)) for row in rows]

    def untold(self, sink: str, limit: int = 100) -> tuple[int, list[Incident]]:
        """The next revisions after the sink's mark, oldest first, and the mark after them."""
        with self.read() as db:
            mark = db.scalar(sa.select(t.sink.c.mark).where(t.sink.c.name == sink)) or 0
        found = self.revisions(mark, limit)
        return (found[-1][0] if found else mark), [incident for _, incident in found]

    def told(self, sink: str, mark: int) -> None:
        """Move the sink's mark on: never back, and not that of one that is not enrolled.

        It may have been taken out, and even added again, while it was being told.
        """
        mine = (t.sink.c.name == sink) & (t.sink.c.mark < mark)
        with self.write() as db:
            db.execute(sa.update(t.sink).where(mine).values(mark=mark))

    def delivered(
        self, sink: str, incident: str, revision: int, at: int, outcome: str, message: str
    ) -> None:
        """Remember what came of telling a revision; of several tries the last stays."""
        key = {"sink": sink, "incident": incident, "revision": revision}
        said = {"at": at, "outcome": outcome, "message": storable(message)}
        with self.write() as db:
            upsert(
                db, t.delivery, key, said | {"times": t.delivery.c.times + 1}, said | {"times": 1}
            )

    def last_told(self, sink: str, incident: str) -> Incident | None:
        """The highest revision of an incident that this sink took or refused."""
        with self.read() as db:
            body = db.scalar(
                sa.select(t.revision.c.body)
                .join(
                    t.delivery,
                    (t.delivery.c.incident == t.revision.c.incident)
                    & (t.delivery.c.revision == t.revision.c.revision),
                )
                .where(
                    t.delivery.c.sink == sink,
                    t.delivery.c.incident == incident,
                    t.delivery.c.outcome.in_(CLOSED),
                )
                .order_by(t.revision.c.revision.desc())
                .limit(1)
            )
        return read_incident(body) if body is not None else None

    def deliveries(self, incident: str) -> list[Delivery]:
        """What came of telling an incident's revisions, oldest first."""
        query = sa.select(t.delivery).where(t.delivery.c.incident == incident)
        with self.read() as db:
            rows = db.execute(query.order_by(t.delivery.c.at, t.delivery.c.seq)).mappings().all()
        return [_delivery(row) for row in rows]

    def incidents(
        self,
        since: int | None = None,
        state: Literal["open", "resolved"] | None = None,
        limit: int = 100,
        before: str | None = None,
        pipeline: str | None = None,
    ) -> list[Incident]:
        """The newest revision of each incident, the last that opened first.

        `since`: only those that were strange at or after this time (ns). `before`: only those
        that opened before the incident with this id, for the next page. `pipeline`: only its own.
        """
        query = sa.select(t.incident.c.body).order_by(t.incident.c.seq.desc()).limit(limit)
        if since is not None:
            query = query.where(t.incident.c.seen >= since)
        if state is not None:
            query = query.where(t.incident.c.state == state)
        if pipeline is not None:
            query = query.where(t.incident.c.pipeline == pipeline)
        if before is not None:
            place = sa.select(t.incident.c.seq).where(t.incident.c.id == before)
            query = query.where(t.incident.c.seq < place.scalar_subquery())
        with self.read() as db:
            return [read_incident(body) for body in db.scalars(query)]

    def incident(self, incident: str) -> list[Incident]:
        """All revisions of an incident, the first one first; none if there is no such incident."""
        query = sa.select(t.revision.c.body).where(t.revision.c.incident == incident)
        with self.read() as db:
            bodies = db.scalars(query.order_by(t.revision.c.revision)).all()
        return [read_incident(body) for body in bodies]

    def opened_since(self, time: int) -> int:
        """How many incidents opened at or after this time (ns)."""
        query = sa.select(sa.func.count()).where(t.incident.c.opened >= time)
        with self.read() as db:
            return db.scalar(query) or 0


def log(db: Connection, pipeline: str, incidents: Sequence[Incident]) -> None:
    """Append revisions to the log; one that is there already, from before a crash, is left."""
    for each in incidents:
        body = json.dumps(asdict(each))
        place = sa.select(t.revision.c.seq).where(
            t.revision.c.incident == each.id, t.revision.c.revision == each.revision
        )
        if db.scalar(place) is not None:
            continue
        row = {"incident": each.id, "revision": each.revision, "body": body}
        (seq,) = db.execute(sa.insert(t.revision).values(row)).inserted_primary_key or (None,)
        newest = {"seen": each.seen, "state": each.state, "revision": each.revision, "body": body}
        first = {"seq": seq, "opened": each.seen, "pipeline": pipeline}
        upsert(db, t.incident, {"id": each.id}, newest, newest | first)


def read_incident(body: str) -> Incident:
    """An incident out of its JSON. Raises StateError if that is damaged."""
    try:
        said = json.loads(body)
        known = {f.name for f in fields(Incident)}
        said = {name: value for name, value in said.items() if name in known}
        members = tuple(member(m) for m in said["members"])
        return Incident(**said | {"members": members, "evidence": tuple(said["evidence"])})
    except (ValueError, TypeError, KeyError) as exc:
        raise StateError(f"a stored incident is damaged: {exc}") from exc


def _delivery(row: Mapping[Any, Any]) -> Delivery:
    return Delivery(**{name: value for name, value in row.items() if name != "seq"})
