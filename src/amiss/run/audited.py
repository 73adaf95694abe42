"""Who did what: acts of people and of the program, written into the audit trail as they are done.

The number and hash of its last line stand in the store, so that lines cut off its end are missed.
"""

import hashlib
import logging
import os
import pwd
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from amiss import audit
from amiss.audit import Head
from amiss.data import Incident
from amiss.errors import Error
from amiss.model import Card
from amiss.settings import Settings
from amiss.store import Store
from amiss.world import World

log = logging.getLogger(__name__)

TRAIL = "(audit)"  # no sink can be called so
HEAD = "audit"  # name in the store
WATCHED = "watched"  # another
PROGRAM = "program"
MOST_LATER = 1000


@dataclass(frozen=True, slots=True)
class Watched:
    """The pipelines that there were since the first start, and the budget of the newest file."""

    pipelines: tuple[str, ...] = ()
    budget: float | None = None  # incidents a day; None where an older version wrote the folder


class Trail:
    """Of one data folder. What cannot be written is logged, and the act stands."""

    def __init__(self, home: Path, store: Store, world: World) -> None:
        self.path, self.store, self.world = home / audit.FILE, store, world
        self._later: deque[tuple[int, str, str, dict[str, Any]]] = deque()
        self.refused = 0  # acts that came while too many waited

    def note(self, who: str, what: str, **said: Any) -> None:
        """One act, on the disk when this returns."""
        try:
            self._keep(audit.note(self.path, self.world.now(), who, what, said))
        except Error as exc:
            log.error("not in the audit trail: %s: %s: %s", who, what, exc)

    def configured(self, what: str, config: Path | None, settings: Settings) -> None:
        """What is watched from now on, and whom it tells; reports read what of it they need."""
        self.note(PROGRAM, what, config=str(config or "built in"), **described(settings))
        try:
            names = [*watched(self.store).pipelines, *(one.name for one in settings.pipelines)]
            said = {"pipelines": list(dict.fromkeys(names)), "budget": settings.budget}
            self.store.set_meta(WATCHED, said)
        except Error as exc:
            log.error("reports will not know of this configuration: %s", exc)

    def fitted(self, card: Card, in_use: bool) -> Card:
        """A model that the program has fitted, and put to use or not; the same card."""
        self.note(PROGRAM, "model fitted", **about(card), in_use=in_use)
        return card

    def end(self) -> None:
        """The program ends; what the store does not answer now is written at the next start."""
        try:
            self.catch_up()
        except Error as exc:
            log.warning("audit trail: %s; written at the next start", exc)
        self.note(PROGRAM, "stopped")

    def later(self, who: str, what: str, **said: Any) -> None:
        """One act, written with the next `catch_up`: for those who may not wait for a disk.

        Refused, logged and counted while 1000 wait.
        """
        if len(self._later) >= MOST_LATER:
            self.refused += 1
            why = f"{MOST_LATER} acts wait; refused so far: {self.refused}"
            log.error("not in the audit trail: %s: %s: %s", who, what, why)
            return
        self._later.append((self.world.now(), who, what, said))

    def catch_up(self) -> None:
        """Write what was put off, and the incidents that opened or ended since, each once.

        Raises Unreachable or StateError if it cannot be written now; the next call goes on then.
        """
        while self._later:
            written = audit.note(self.path, *self._later[0])
            self._later.popleft()  # before the store is asked: a line is not written twice
            self._keep(written)
        before = -1
        while True:
            mark, revisions = self.store.untold(TRAIL)
            if not revisions or mark == before:  # the same again where nobody was enrolled
                return
            before = mark
            for one in revisions:
                if one.revision == 1 or one.state == "resolved":
                    now = one.seen if one.until is None else one.until
                    unless = partial(_is, one)
                    what, said = _what(one), _said(one)
                    self._keep(audit.note(self.path, now, PROGRAM, what, said, unless))
            self.store.told(TRAIL, mark)

    def _keep(self, written: Head | None) -> None:
        if written is not None:
            # others write too, and the last to come here need not have written last
            self.store.raise_meta(HEAD, {"n": written.n, "hash": written.hash}, by="n")


def watched(store: Store) -> Watched:
    """What an installation has been told to watch."""
    said = store.get_meta(WATCHED)
    return Watched(tuple(said["pipelines"]), said["budget"]) if said else Watched()


def head(store: Store) -> Head | None:
    """The last line that was written, as the store knows; None if none was."""
    said = store.get_meta(HEAD)
    return Head(said["n"], said["hash"]) if said else None


def person() -> str:
    """Who gave a command on this machine."""
    number = os.getuid()
    try:
        return f"user {pwd.getpwuid(number).pw_name} ({number})"
    except KeyError:
        return f"user {number}"


def described(settings: Settings) -> dict[str, Any]:
    """A configuration as the trail has it: what it watches, whom it tells, and a hash of all."""
    whole = settings.model_dump_json().encode()
    return {
        "pipelines": [pipeline.name for pipeline in settings.pipelines],
        "sinks": sorted(settings.sinks),
        "sha256": hashlib.sha256(whole).hexdigest(),
    }


def about(card: Card) -> dict[str, Any]:
    """A model as the trail has it."""
    return {"model": card.id, "type": card.name, "pipeline": card.pipeline}


def _what(incident: Incident) -> str:
    return f"incident {'resolved' if incident.state == 'resolved' else 'opened'}"


def _said(incident: Incident) -> dict[str, Any]:
    return {
        "incident": incident.id,
        "revision": incident.revision,
        "severity": incident.severity,
        "title": incident.title,
    }


def _is(incident: Incident, line: bytes) -> bool:
    """Whether a line is of that revision: it comes twice after a crash before the mark was set."""
    if f'"{incident.id}"'.encode() not in line:
        return False
    try:
        said = orjson.loads(line)["said"]
        return (said["incident"], said["revision"]) == (incident.id, incident.revision)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
