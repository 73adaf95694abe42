"""What people said of incidents: that they saw one, that it was normal or a problem."""

import logging
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from amiss.decide.taught import Taught
from amiss.errors import StateError
from amiss.store import tables as t
from amiss.store.database import Database, storable
from amiss.store.incidents import read_incident

log = logging.getLogger(__name__)

Word: TypeAlias = Literal["acknowledged", "normal", "amiss"]
VERDICT, SEEN = "verdict", "acknowledgement"


def kind_of(word: Word) -> str:
    """What it takes the place of: of one incident there is one of a kind."""
    return SEEN if word == "acknowledged" else VERDICT


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that somebody said of an incident."""

    incident: str
    word: Word
    revision: int  # the newest that there was then
    at: int  # ns
    who: str
    note: str = ""


class Feedback(Database):
    """The part of the store that people write."""

    def say(self, said: Said) -> None:
        """Keep it, in the place of what was said of its kind before."""
        kind = kind_of(said.word)
        row = {one.name: getattr(said, one.name) for one in fields(Said)} | {"kind": kind}
        row |= {"who": storable(said.who), "note": storable(said.note)}
        with self.write() as db:
            db.execute(_delete(said.incident, kind))
            db.execute(sa.insert(t.feedback).values(row))

    def unsay(self, incident: str, kind: str) -> None:
        """As if it had never been said."""
        with self.write() as db:
            db.execute(_delete(incident, kind))

    def said(self, incident: str | None = None) -> list[Said]:
        """All that was said, or of one incident; in the order in which it was."""
        query = sa.select(t.feedback).order_by(t.feedback.c.seq)
        if incident is not None:
            query = query.where(t.feedback.c.incident == incident)
        with self.read() as db:
            rows = db.execute(query).mappings().all()
        return [Said(**{one.name: row[one.name] for one in fields(Said)}) for row in rows]

    def taught(self) -> list[Taught]:
        """All verdicts, in the order in which they were given, with the incident as it was then."""
        f, r = t.feedback.c, t.revision.c
        same = (r.incident == f.incident) & (r.revision == f.revision)
        query = sa.select(f.word, f.who, f.at, r.body).join(t.revision, same)
        with self.read() as db:
            rows = db.execute(query.where(f.kind == VERDICT).order_by(f.seq)).all()
        found = []
        for row in rows:
            try:
                found.append(Taught(read_incident(row.body), row.word, row.who, row.at))
            except StateError as exc:  # others are not to wait for it
                log.warning("what %s said of an incident does not count: %s", row.who, exc)
        return found


def _delete(incident: str, kind: str) -> sa.Delete:
    mine: Any = (t.feedback.c.incident == incident) & (t.feedback.c.kind == kind)
    return sa.delete(t.feedback).where(mine)
