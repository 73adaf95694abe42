"""What people say of incidents: kept, on the audit trail, and taken back if they want.

Nothing is trained by it. What was called normal keeps later ones like it quiet (decide/taught.py),
and models learn of its time from their next training on; what was called amiss they do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from amiss.data import DAY, Incident
from amiss.decide.taught import Taught, like
from amiss.errors import ConfigError
from amiss.run.audited import Trail
from amiss.store import Said, Store, Word
from amiss.store.feedback import kind_of

LONGEST = 1000  # characters of a note
LATELY = 30 * DAY
MOST = 10_000
EFFECTS: Mapping[Word, str] = {
    "acknowledged": "everybody sees that somebody is at it; it is told as before",
    "normal": "incidents like it are kept and not told, unless they are 2 nats stranger, and "
    "models learn of its time from their next training on",
    "amiss": "incidents with its series are told whatever was called normal before, and models "
    "do not learn of its time",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What people said of the incidents of a time."""

    incidents: int
    normal: int
    amiss: int
    acknowledged: int

    @property
    def unsaid(self) -> int:
        """Of how many nobody said whether they were normal."""
        return self.incidents - self.normal - self.amiss


def found(store: Store, begin: str) -> list[Incident]:
    """All revisions of the incident whose id begins so. Raises ConfigError if there is no one."""
    if revisions := store.incident(begin):
        return revisions
    alike = [each.id for each in store.incidents(limit=1000) if each.id.startswith(begin)]
    if begin and len(alike) == 1:
        return store.incident(alike[0])
    if begin and alike:
        raise ConfigError(f"several incidents begin with {begin!r}: {', '.join(alike[:5])}")
    raise ConfigError(f"there is no incident {begin!r}; `amiss incidents` lists them")


def say(trail: Trail, who: str, incident: str, word: Word, note: str = "") -> Said:
    """Keep what somebody says of an incident. Raises ConfigError for none, or too long a note."""
    if len(note) > LONGEST:
        raise ConfigError(f"the note has {len(note)} characters; {LONGEST} is most")
    newest = found(trail.store, incident)[-1]
    said = Said(newest.id, word, newest.revision, trail.world.now(), who, note)
    trail.store.say(said)
    what = word if word == "acknowledged" else f"called {word}"
    trail.note(who, f"incident {what}", incident=newest.id, title=newest.title, note=note)
    return said


def unsay(trail: Trail, who: str, incident: str, word: Word) -> Said:
    """Take back the acknowledgement, or the verdict whatever it was.

    Raises ConfigError if there is no such incident, or nothing of the kind was said of it.
    """
    newest, kind = found(trail.store, incident)[-1], kind_of(word)
    before = [one for one in trail.store.said(newest.id) if kind_of(one.word) == kind]
    if not before:
        raise ConfigError(f"there is no {kind} of incident {newest.id} to take back")
    trail.store.unsay(newest.id, kind)
    what = {"incident": newest.id, "word": before[0].word, "said_by": before[0].who}
    trail.note(who, f"{kind} taken back", **what)
    return before[0]


def alike(store: Store, incident: Incident) -> Taught | None:
    """What keeps an incident quiet: an other one like it that was called normal."""
    others = [one for one in store.taught() if one.incident.id != incident.id]
    return like(incident, others)


def figures(store: Store, since: int) -> Figures:
    """What was said of the incidents that were strange at a time (ns) or later."""
    ids = {each.id for each in store.incidents(since=since, limit=MOST)}
    words = [one.word for one in store.said() if one.incident in ids]
    counted = (words.count(word) for word in ("normal", "amiss", "acknowledged"))
    return Figures(len(ids), *counted)
